//! The file that a scripted model answers from.
//!
//! It is TOML, or JSON of the same shape: a list of `[[answer]]`s, of which the first one counts that fits the chat and
//! is not used up. `default.toml`, which every host carries, shows what an answer can say.

use serde::Deserialize;
use serde_json::Value;

use super::respond;
use crate::model::chat::{Chat, ToolCall};
use crate::model::completion::{Completion, StopReason, TokenUsage};
use crate::model::wire::WireResponse;

/// What is played where the operator names nothing else.
const EMBEDDED: &str = include_str!("default.toml");

/// A script that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    name: String,
    answers: Vec<Answer>,
}

/// A script cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the model script {name} cannot be read: {why}")]
pub struct ScriptError {
    /// Which one.
    pub name: String,
    /// Where it is wrong, and what about it.
    pub why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    answer: Vec<Answer>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Answer {
    /// A part of the last message.
    when: Option<String>,
    /// How many answers of the model the chat has already.
    turn: Option<usize>,
    /// Whether the chat asks for structured output.
    structured: Option<bool>,
    /// How many chats it answers. Without it: one if it fits every chat, otherwise any number.
    times: Option<u32>,
    // It says one of text, JSON, calls or a failure; the rest has defaults.
    text: Option<String>,
    json: Option<Value>,
    #[serde(default)]
    tool_calls: Vec<Call>,
    stop: Option<StopReason>,
    usage: Option<TokenUsage>,
    fail: Option<Failure>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    name: String,
    #[serde(default)]
    arguments: serde_json::Map<String, Value>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Failure {
    status: u16,
    #[serde(default)]
    message: String,
    retry_after: Option<u32>,
}

impl Script {
    /// Reads a script; `name` is what errors call it, such as the path of its file.
    ///
    /// # Errors
    ///
    /// Names the script, the place and what is wrong.
    pub fn parse(name: &str, text: &str) -> Result<Self, ScriptError> {
        let is_json = text.trim_start().starts_with('{');
        let file: Result<File, String> = if is_json {
            serde_json::from_str(text).map_err(|error| error.to_string())
        } else {
            toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())
        };
        let failed = |why| ScriptError { name: name.to_owned(), why };
        let answers = file.map_err(failed)?.answer;
        match answers.iter().position(|answer| !answer.says_one_thing()) {
            Some(index) => {
                Err(failed(format!("answer {} has to say one of text, json, tool-calls and fail", index + 1)))
            }
            None => Ok(Self { name: format!("the model script {name}"), answers }),
        }
    }

    /// Returns the script that every host carries.
    pub fn embedded() -> Self {
        let script = Self::parse("default.toml", EMBEDDED).expect("the embedded script is tested");
        Self { name: "the model script that comes with the host".to_owned(), ..script }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn len(&self) -> usize {
        self.answers.len()
    }

    /// Returns the first answer that fits the chat and was not given as often as it may be.
    pub(super) fn find(&self, chat: &Chat, given: &[u32]) -> Option<usize> {
        let mut answers = self.answers.iter().zip(given);
        answers.position(|(answer, given)| answer.fits(chat) && answer.times_max().is_none_or(|max| *given < max))
    }

    /// Returns what a provider would send.
    pub(super) fn response(&self, index: usize, chat: &Chat) -> WireResponse {
        let answer = &self.answers[index];
        match &answer.fail {
            Some(failure) => failure.response(),
            None => respond(200, &answer.completion(chat)),
        }
    }
}

impl Answer {
    fn fits(&self, chat: &Chat) -> bool {
        self.when.as_ref().is_none_or(|part| chat.last_text().contains(part))
            && self.turn.is_none_or(|turn| turn == chat.turn())
            && self.structured.is_none_or(|structured| structured == chat.schema.is_some())
    }

    fn times_max(&self) -> Option<u32> {
        let fits_all = self.when.is_none() && self.turn.is_none() && self.structured.is_none();
        self.times.or(fits_all.then_some(1))
    }

    fn says_one_thing(&self) -> bool {
        let has_calls = !self.tool_calls.is_empty();
        // A model may say something while it calls.
        let texts = [self.text.is_some() && !has_calls, self.json.is_some(), has_calls, self.fail.is_some()];
        texts.into_iter().filter(|is_there| *is_there).count() == 1
    }

    fn completion(&self, chat: &Chat) -> Completion {
        let json = self.json.as_ref().map(Value::to_string);
        let text = self.text.clone().or(json).unwrap_or_default();
        let first = chat.call_count();
        let tool_calls: Vec<_> = self.tool_calls.iter().enumerate().map(|(i, call)| call.named(first + i)).collect();
        let stop = self.stop.unwrap_or(if tool_calls.is_empty() { StopReason::End } else { StopReason::ToolUse });
        let usage = self.usage.unwrap_or_else(|| estimate(chat, &text, &tool_calls));
        Completion { text, tool_calls, stop, usage: Some(usage) }
    }
}

impl Call {
    fn named(&self, number: usize) -> ToolCall {
        let arguments = Value::Object(self.arguments.clone()).to_string();
        ToolCall { id: format!("call_{number}"), name: self.name.clone(), arguments }
    }
}

impl Failure {
    fn response(&self) -> WireResponse {
        let mut response = respond(self.status, &serde_json::json!({ "error": { "message": self.message } }));
        let header = self.retry_after.map(|seconds| ("retry-after".to_owned(), seconds.to_string()));
        response.headers.extend(header);
        response
    }
}

/// Returns tokens at four bytes each, which is about what English takes.
fn estimate(chat: &Chat, text: &str, calls: &[ToolCall]) -> TokenUsage {
    let said: usize = text.len() + calls.iter().map(|call| call.name.len() + call.arguments.len()).sum::<usize>();
    let tokens = |len: usize| len.div_ceil(4) as u64;
    TokenUsage { input: tokens(chat.canonical().len()), cached_input: 0, output: tokens(said) }
}
