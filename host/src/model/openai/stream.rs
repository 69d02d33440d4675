//! OpenAI's stream of events, put together to the answer it would have been without one.
//!
//! A stream ends with `data: [DONE]`. One that ends otherwise was cut off, whatever it held.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::answer::{Answer, Call, Choice, Said, Usage};
use crate::model::error::ModelError;
use crate::model::events::{self, events};
use crate::model::provider::Told;

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Piece>,
    #[serde(default)]
    usage: Option<Usage>,
    #[serde(default)]
    error: Option<Told>,
}

#[derive(Deserialize)]
struct Piece {
    #[serde(default)]
    index: u64,
    #[serde(default)]
    delta: Said,
    #[serde(default)]
    finish_reason: Option<String>,
}

/// Returns the answer that the events add up to.
pub(super) fn read(body: &[u8]) -> Result<Answer, ModelError> {
    let mut whole = Whole::default();
    for event in events(events::text(body)?) {
        if event.data.trim() == "[DONE]" {
            return Ok(whole.answer());
        }
        whole.take(serde_json::from_str(&event.data).map_err(ModelError::unreadable)?)?;
    }
    Err(ModelError::truncated())
}

#[derive(Default)]
struct Whole {
    content: String,
    refusal: String,
    calls: BTreeMap<u64, Call>,
    finish_reason: Option<String>,
    usage: Option<Usage>,
}

impl Whole {
    fn take(&mut self, chunk: Chunk) -> Result<(), ModelError> {
        if let Some(told) = chunk.error {
            return Err(told.in_answer());
        }
        self.usage = chunk.usage.or(self.usage);
        for piece in chunk.choices.into_iter().filter(|piece| piece.index == 0) {
            self.content.push_str(&piece.delta.content.unwrap_or_default());
            self.refusal.push_str(&piece.delta.refusal.unwrap_or_default());
            piece.delta.tool_calls.unwrap_or_default().into_iter().for_each(|call| self.take_call(call));
            self.finish_reason = piece.finish_reason.or(self.finish_reason.take());
        }
        Ok(())
    }

    /// Adds a piece to its call. Without an index, a piece with an id begins a call, and one without goes on with the
    /// last.
    fn take_call(&mut self, piece: Call) {
        let last = self.calls.last_key_value().map(|(index, _)| *index);
        let next = last.map_or(0, |last| last.saturating_add(1));
        let has_id = piece.id.as_ref().is_some_and(|id| !id.is_empty());
        let index = piece.index.unwrap_or(if has_id { next } else { last.unwrap_or(0) });
        let call = self.calls.entry(index).or_default();
        call.id = piece.id.filter(|id| !id.is_empty()).or(call.id.take());
        call.function.name = piece.function.name.filter(|name| !name.is_empty()).or(call.function.name.take());
        let arguments = call.function.arguments.get_or_insert_default();
        arguments.push_str(&piece.function.arguments.unwrap_or_default());
    }

    fn answer(self) -> Answer {
        let some = |text: String| (!text.is_empty()).then_some(text);
        let tool_calls = Some(self.calls.into_values().collect());
        let message = Said { content: some(self.content), refusal: some(self.refusal), tool_calls };
        let choice = Choice { message, finish_reason: self.finish_reason };
        Answer { choices: vec![choice], usage: self.usage, ..Answer::default() }
    }
}
