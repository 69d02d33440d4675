//! Anthropic's messages API, version 2023-06-01.
//!
//! Source: <https://docs.anthropic.com/en/api/messages>. Structured output is a forced tool whose arguments are the
//! answer: every model of the API has that. Where the chat has tools of its own, the model must call one of them or
//! that one.

mod answer;
mod request;
mod stream;

use super::chat::Chat;
use super::completion::Completion;
use super::error::ModelError;
use super::provider::{self, Endpoint, Provider, Structured};
use super::wire::{WireRequest, WireResponse};

/// The version of the API, which says what the wire looks like.
const API_VERSION: &str = "2023-06-01";

/// An endpoint that speaks Anthropic's messages API.
#[derive(Clone, Debug)]
pub struct Anthropic {
    endpoint: Endpoint,
}

impl Anthropic {
    /// Returns the provider for an endpoint, whose address ends before `/v1`.
    pub fn new(endpoint: Endpoint) -> Self {
        Self { endpoint }
    }
}

impl Provider for Anthropic {
    fn request(&self, chat: &Chat, structured: Structured) -> WireRequest {
        let body = request::Body::new(&self.endpoint, chat, structured);
        let mut request = WireRequest::post(self.endpoint.at("v1/messages"), &body);
        request.headers.push(("anthropic-version", API_VERSION.to_owned()));
        WireRequest { secret: self.endpoint.key("x-api-key", ""), ..request }
    }

    fn response(&self, chat: &Chat, response: &WireResponse) -> Result<Completion, ModelError> {
        provider::read(response, stream::read)?.completion(chat)
    }

    fn structured(&self) -> Structured {
        self.endpoint.structured
    }
}

/// Returns the name of the tool whose arguments are the structured answer: one that the chat's tools do not have.
fn answer_tool(chat: &Chat) -> String {
    let mut name = "answer".to_owned();
    while chat.tools.iter().any(|tool| tool.name == name) {
        name.push('_');
    }
    name
}
