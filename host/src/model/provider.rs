//! What every provider does, and what providers share: reading refusals and asking for JSON in words.

use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::chat::Chat;
use super::completion::Completion;
use super::error::{ModelError, quote};
use super::wire::{SecretHeader, WireRequest, WireResponse};
use crate::manifest::Name;

/// Translates between chats and one vendor's wire format. It does no I/O and keeps no state.
pub trait Provider: Send + Sync {
    /// Returns what to send for a checked chat.
    fn request(&self, chat: &Chat, structured: Structured) -> WireRequest;

    /// Reads what came back for `chat`.
    ///
    /// # Errors
    ///
    /// Any [`ModelError`] but an unknown tier, a deadline and an invalid output.
    fn response(&self, chat: &Chat, response: &WireResponse) -> Result<Completion, ModelError>;

    /// Returns how this endpoint is asked for structured output at first.
    fn structured(&self) -> Structured {
        Structured::Native
    }
}

/// How a model is asked for JSON. The answer is checked by the host either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Structured {
    /// With what the vendor offers: the decoder, or a forced tool, follows the schema.
    #[default]
    Native,
    /// In words, for servers that offer nothing.
    Prompted,
}

impl Structured {
    /// Every way.
    pub const ALL: [Self; 2] = [Self::Native, Self::Prompted];

    /// Returns the word in the operator's configuration.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Prompted => "prompted",
        }
    }
}

/// Where a model is, as the operator's configuration says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The address that paths are added to, such as `https://api.openai.com/v1`.
    pub base_url: String,
    /// The vendor's name of the model.
    pub model: String,
    /// The operator's name of the secret that holds the key. A local server may need none.
    pub secret: Option<Name>,
    /// Whether the answer is asked for as a stream of events. It tells a model that thinks for long from one that is
    /// gone, and keeps connections alive that an intermediary would close.
    pub stream: bool,
    /// How structured output is asked for.
    pub structured: Structured,
}

impl Endpoint {
    pub(super) fn at(&self, path: &str) -> String {
        format!("{}/{path}", self.base_url.trim_end_matches('/'))
    }

    pub(super) fn key(&self, header: &'static str, prefix: &'static str) -> Option<SecretHeader> {
        self.secret.clone().map(|secret| SecretHeader { header, prefix, secret })
    }
}

/// What a vendor's error says. All of them nest it under `error`; servers by others say it in many ways.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Told {
    #[serde(default)]
    pub message: Option<String>,
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    #[serde(default)]
    pub code: Option<serde_json::Value>,
}

impl Told {
    /// Returns what the body says, as far as it can be understood.
    fn read(body: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct Nested {
            error: Told,
        }
        serde_json::from_slice(body).map(|nested: Nested| nested.error).unwrap_or_default()
    }

    fn is(&self, name: &str) -> bool {
        self.kind.as_deref() == Some(name) || self.code.as_ref().is_some_and(|code| code == name)
    }

    /// Whether the error's words name one of these.
    fn mentions(&self, words: &[&str]) -> bool {
        self.message.as_ref().is_some_and(|message| words.iter().any(|word| message.contains(word)))
    }

    fn words(&self) -> String {
        match self.message.as_deref().or(self.kind.as_deref()).map(quote) {
            Some(words) if !words.is_empty() => words,
            _ => "it does not say why".into(),
        }
    }

    /// Returns the error that came within a response that had begun well.
    pub fn in_answer(&self) -> ModelError {
        match self.kind.as_deref() {
            Some("overloaded_error" | "rate_limit_error") => ModelError::Overloaded { retry_after: None },
            _ => ModelError::Unavailable(self.words()),
        }
    }
}

/// Reads a response that should hold an answer: whole as JSON, or in events, which `stream` puts together.
pub(super) fn read<A: DeserializeOwned>(
    response: &WireResponse,
    stream: impl FnOnce(&[u8]) -> Result<A, ModelError>,
) -> Result<A, ModelError> {
    if !(200..300).contains(&response.status) {
        return Err(failure(response));
    }
    if response.is_short() {
        return Err(ModelError::truncated());
    }
    match response.is_stream() {
        true => stream(&response.body),
        false => serde_json::from_slice(&response.body).map_err(|error| unreadable(&error)),
    }
}

/// Returns the error of a response whose status is no success.
pub(super) fn failure(response: &WireResponse) -> ModelError {
    let told = Told::read(&response.body);
    let status = response.status;
    match status {
        300..=399 => ModelError::Provider(format!("it redirects (status {status}), which is not followed")),
        // A vendor may repeat the key that it refuses, so its words are not.
        401 | 403 => ModelError::Provider(format!("it refuses the key (status {status})")),
        404 => {
            ModelError::Provider(format!("it does not know the address or the model (status 404): {}", told.words()))
        }
        413 => ModelError::TooLarge(format!("the chat, says the provider: {}", told.words())),
        // The account is empty: waiting a second does not fill it.
        429 if told.is("insufficient_quota") => {
            ModelError::Provider("the account's quota is used up (status 429)".into())
        }
        429 | 529 => ModelError::Overloaded { retry_after: retry_after(response) },
        503 if response.header("retry-after").is_some() => {
            ModelError::Overloaded { retry_after: retry_after(response) }
        }
        408 | 425 | 500..=599 => ModelError::Unavailable(format!("status {status}: {}", told.words())),
        _ if is_too_long(&told) => ModelError::TooLarge(format!("the chat, says the provider: {}", told.words())),
        400 | 422 if told.mentions(&["response_format", "json_schema"]) => ModelError::SchemaRefused(told.words()),
        400 | 422 => ModelError::InvalidRequest(told.words()),
        _ => ModelError::Provider(format!("status {status}: {}", told.words())),
    }
}

fn is_too_long(told: &Told) -> bool {
    told.is("context_length_exceeded") || told.is("request_too_large") || told.mentions(&["prompt is too long"])
}

/// Returns the wait that the response asks for in seconds. The other form of the header, a date, needs a clock that
/// agrees with the provider's; without it the host waits by its own rule.
fn retry_after(response: &WireResponse) -> Option<Duration> {
    let seconds: f64 = response.header("retry-after")?.trim().parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// Returns the error for JSON that does not parse: one that ends too early may be whole next time.
pub(super) fn unreadable(error: &serde_json::Error) -> ModelError {
    if error.is_eof() { ModelError::truncated() } else { ModelError::unreadable(error) }
}

/// Returns the instructions of a chat, with those that ask for its structured output in words.
pub(super) fn instructions(chat: &Chat, structured: Structured) -> String {
    let mut text = chat.system_text();
    if let (Some(schema), Structured::Prompted) = (&chat.schema, structured) {
        let separator = if text.is_empty() { "" } else { "\n\n" };
        text = format!(
            "{text}{separator}Your final answer is one JSON value that is valid under the following JSON Schema, without \
             any text before or after it:\n{schema}"
        );
    }
    text
}

/// Returns JSON text as it stands, so that a schema keeps the order in which its author wrote it: models fill in what
/// comes first, first. Text that is not JSON, which a checked chat does not have, becomes an empty object.
pub(super) fn raw(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.trim().to_owned())
        .unwrap_or_else(|_| RawValue::from_string("{}".to_owned()).expect("an empty object is JSON"))
}
