//! The chat completions API of OpenAI, which many others and most local servers speak too.
//!
//! Source: <https://platform.openai.com/docs/api-reference/chat>. The newer responses API is not used, since servers
//! other than OpenAI's rarely have it.

mod answer;
mod request;
mod stream;

use super::chat::Chat;
use super::completion::Completion;
use super::error::ModelError;
use super::provider::{self, Endpoint, Provider, Structured};
use super::wire::{WireRequest, WireResponse};

/// An endpoint that speaks OpenAI's chat completions.
#[derive(Clone, Debug)]
pub struct OpenAi {
    endpoint: Endpoint,
    token_limit: TokenLimit,
}

/// What the endpoint calls the most tokens of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TokenLimit {
    /// The name that everybody took over, and that OpenAI's reasoning models refuse.
    MaxTokens,
    /// OpenAI's newer name, which other servers may ignore.
    MaxCompletionTokens,
}

impl OpenAi {
    /// Returns the provider for an endpoint.
    pub fn new(endpoint: Endpoint) -> Self {
        let host =
            endpoint.base_url.split("://").nth(1).unwrap_or_default().split(['/', ':']).next().unwrap_or_default();
        let is_vendor = host == "api.openai.com" || host.ends_with(".openai.azure.com");
        let token_limit = if is_vendor { TokenLimit::MaxCompletionTokens } else { TokenLimit::MaxTokens };
        Self { endpoint, token_limit }
    }
}

impl Provider for OpenAi {
    fn request(&self, chat: &Chat, structured: Structured) -> WireRequest {
        let body = request::Body::new(&self.endpoint, self.token_limit, chat, structured);
        let request = WireRequest::post(self.endpoint.at("chat/completions"), &body);
        WireRequest { secret: self.endpoint.key("authorization", "Bearer "), ..request }
    }

    fn response(&self, chat: &Chat, response: &WireResponse) -> Result<Completion, ModelError> {
        provider::read(response, stream::read)?.completion(chat)
    }

    fn structured(&self) -> Structured {
        self.endpoint.structured
    }
}
