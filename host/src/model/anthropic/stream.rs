//! Anthropic's stream of events, put together to the answer it would have been without one.
//!
//! A stream ends with `message_stop`. One that ends otherwise was cut off, whatever it held.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::answer::{Answer, Block, Usage};
use crate::model::error::ModelError;
use crate::model::events::{self, events};
use crate::model::provider::Told;

/// The fields of all events that matter, each absent from most.
#[derive(Deserialize)]
struct Data {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    index: u64,
    #[serde(default)]
    message: Option<Answer>,
    #[serde(default)]
    content_block: Option<Block>,
    #[serde(default)]
    delta: Option<Delta>,
    #[serde(default)]
    usage: Option<Usage>,
    #[serde(default)]
    error: Option<Told>,
}

#[derive(Default, Deserialize)]
struct Delta {
    #[serde(default)]
    text: String,
    #[serde(default)]
    partial_json: String,
    #[serde(default)]
    stop_reason: Option<String>,
}

/// Returns the answer that the events add up to.
pub(super) fn read(body: &[u8]) -> Result<Answer, ModelError> {
    let mut whole = Whole::default();
    for event in events(events::text(body)?) {
        let data: Data = serde_json::from_str(&event.data).map_err(ModelError::unreadable)?;
        if data.kind == "message_stop" {
            return Ok(whole.answer());
        }
        whole.take(data)?;
    }
    Err(ModelError::truncated())
}

#[derive(Default)]
struct Whole {
    /// Each block with the pieces of its arguments.
    blocks: BTreeMap<u64, (Block, String)>,
    stop_reason: Option<String>,
    usage: Usage,
}

impl Whole {
    fn take(&mut self, data: Data) -> Result<(), ModelError> {
        let delta = data.delta.unwrap_or_default();
        match data.kind.as_str() {
            "message_start" => self.update(data.message.and_then(|message| message.usage)),
            "content_block_start" => {
                self.blocks.insert(data.index, (data.content_block.unwrap_or_default(), String::new()));
            }
            "content_block_delta" => {
                let (block, arguments) = self.blocks.entry(data.index).or_default();
                block.text.push_str(&delta.text);
                arguments.push_str(&delta.partial_json);
            }
            "message_delta" => {
                self.stop_reason = delta.stop_reason.or(self.stop_reason.take());
                self.update(data.usage);
            }
            "error" => return Err(data.error.unwrap_or_default().in_answer()),
            // Pings, the ends of blocks, and events that a later version adds.
            _ => {}
        }
        Ok(())
    }

    fn update(&mut self, usage: Option<Usage>) {
        self.usage = self.usage.updated(usage.unwrap_or_default());
    }

    fn answer(self) -> Answer {
        let content = self.blocks.into_values().map(|(block, arguments)| finished(block, arguments)).collect();
        Answer { content: Some(content), stop_reason: self.stop_reason, usage: Some(self.usage), ..Answer::default() }
    }
}

/// Returns the block with the arguments that came in pieces, if any did. Cut off at the limit of tokens, they are not
/// JSON, and stay as the string that they are.
fn finished(block: Block, arguments: String) -> Block {
    if arguments.trim().is_empty() {
        return block;
    }
    let as_string = |text: &str| serde_json::value::to_raw_value(text).ok();
    let input = RawValue::from_string(arguments.trim().to_owned()).ok().or_else(|| as_string(&arguments));
    Block { input, ..block }
}
