//! Asking a language model, whoever it belongs to.
//!
//! An agent's [`Chat`] names a tier, never a vendor. A [`Provider`] translates it to one vendor's wire format and back,
//! and a [`Sender`] that is handed in carries it: nothing here opens a connection or sees a key. In between stands the
//! [`Step`]-wise dialogue, which tries again what may pass, within the deadline, and has a model correct an answer that
//! does not fit its JSON Schema. Every exchange is accounted for, also those that came to nothing.
//!
//! [`Scripted`] is a provider like the others, whose far side is a file: with it everything runs offline.
//!
//! What a tier is, who may use it and what it costs is decided elsewhere.

mod anthropic;
mod chat;
mod completion;
mod dialogue;
mod drive;
mod error;
mod events;
mod openai;
mod provider;
mod schema;
mod scripted;
mod verdict;
mod wire;

pub use anthropic::Anthropic;
pub use chat::{AssistantMessage, Chat, CheckedChat, Message, Tool, ToolCall, ToolResult};
pub use completion::{Completion, StopReason, TokenUsage};
pub use dialogue::{Exchange, Outcome, Patience, Paused, Pending, Step, begin};
pub use drive::{Line, complete};
pub use error::ModelError;
pub use openai::OpenAi;
pub use provider::{Endpoint, Provider, Structured};
pub use schema::Schema;
pub use scripted::{Script, ScriptError, Scripted};
pub use wire::{Later, RESPONSE_LEN_MAX, SecretHeader, SendError, Sender, Sleeper, WireRequest, WireResponse};

#[cfg(test)]
mod tests;
