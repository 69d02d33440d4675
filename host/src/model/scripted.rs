//! A model that answers from a file, for tests, demonstrations and work without a network.
//!
//! It is a provider like the others: a chat is sent in its canonical form, and a [`Completion`] comes back as JSON.
//! Only the far side is within the process: [`Scripted`] is its own sender. So everything that happens to a real answer
//! happens to a scripted one, and a script can also say that the provider is overloaded or breaks off.

mod script;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::chat::Chat;
use super::completion::Completion;
use super::error::{ModelError, quote};
use super::provider::{Provider, Structured, failure, unreadable};
use super::wire::{Later, SendError, Sender, WireRequest, WireResponse, json};

pub use script::{Script, ScriptError};

/// The address of what is not sent anywhere.
const URL: &str = "scripted:chat";

/// A script that is being played.
///
/// Answers that may be used up are counted here, so make one for each run: then runs do not depend on each other.
#[derive(Debug)]
pub struct Scripted {
    script: Script,
    /// How often each answer was given.
    given: Mutex<Vec<u32>>,
}

impl Scripted {
    /// Returns a model that answers from the script, from its beginning.
    pub fn new(script: Script) -> Self {
        let given = Mutex::new(vec![0; script.len()]);
        Self { script, given }
    }

    /// Returns what the script says to a chat.
    fn answer(&self, chat: &Chat) -> Result<WireResponse, SendError> {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(index) = self.script.find(chat, &given) else {
            return Err(SendError::Refused(self.no_answer(chat)));
        };
        given[index] += 1;
        Ok(self.script.response(index, chat))
    }

    fn no_answer(&self, chat: &Chat) -> String {
        let (asked, turn) = (quote(chat.last_text()), chat.turn());
        let form = if chat.schema.is_some() { "structured" } else { "text" };
        let name = self.script.name();
        format!(
            "{name} has no answer left for turn {turn} ({form}) to {asked:?}; add an [[answer]], or name a provider"
        )
    }
}

impl Provider for Scripted {
    fn request(&self, chat: &Chat, _: Structured) -> WireRequest {
        WireRequest::post(URL.to_owned(), chat)
    }

    fn response(&self, _: &Chat, response: &WireResponse) -> Result<Completion, ModelError> {
        if response.status != 200 {
            return Err(failure(response));
        }
        serde_json::from_slice(&response.body).map_err(|error| unreadable(&error))
    }
}

impl Sender for Scripted {
    fn send(&self, request: WireRequest, _: Option<Duration>) -> Later<'_, Result<WireResponse, SendError>> {
        let chat = serde_json::from_slice::<Chat>(&request.body);
        let response = match chat {
            Ok(chat) => self.answer(&chat),
            Err(_) => {
                Err(SendError::Refused("only a scripted model's own requests can be answered from a script".into()))
            }
        };
        Box::pin(std::future::ready(response))
    }

    fn reaches_out(&self) -> bool {
        false
    }
}

/// Returns a response with a status and JSON.
fn respond(status: u16, body: &impl serde::Serialize) -> WireResponse {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    WireResponse { status, headers, body: json(body) }
}
