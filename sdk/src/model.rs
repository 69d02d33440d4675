//! Language models, by the tiers that the remit grants.
//!
//! ```no_run
//! use remit_sdk::{model::{self, Schema}, prelude::*};
//!
//! #[derive(Deserialize)]
//! struct Triage {
//!     urgent: bool,
//!     summary: String,
//! }
//!
//! # fn main() -> remit_sdk::Result<()> {
//! let summary = model::ask("small", "Say in one sentence what Remit is.")?;
//!
//! let schema = Schema::object([
//!     ("urgent", Schema::boolean("whether somebody has to look today")),
//!     ("summary", Schema::string("one sentence")),
//! ]);
//! let mut chat = model::chat("large").system("You triage bug reports.").max_tokens(500);
//! let triage: Triage = chat.ask_for(&schema, "The server is on fire.")?;
//! # Ok(())
//! # }
//! ```
//!
//! A tier is the operator's name for a kind of model, such as `small`; who answers for it is the operator's choice. Every
//! call is judged, metered and recorded by the host. It tries again where a provider is busy, and has a model correct an
//! answer that does not fit its schema, both within the deadline; the remit's `call-time` bounds a call in any case.

mod chat;
mod error;
mod schema;

pub use chat::{Answer, Chat};
pub use error::Error;
pub use schema::Schema;

/// What a model answers with, and why it stopped: the host's own types.
pub use crate::bindings::remit::plugin::model::{StopReason, ToolCall, Usage};

/// Begins a chat with a model of this tier. Without [`Chat::max_tokens`], an answer has at most 1,024 tokens.
pub fn chat(tier: impl Into<String>) -> Chat {
    Chat::new(tier)
}

/// Asks one question and returns the answer.
///
/// # Errors
///
/// Those of [`Chat::ask`].
pub fn ask(tier: impl Into<String>, text: impl Into<String>) -> Result<String, Error> {
    chat(tier).ask(text)
}
