//! One call of a model, from the chat to its answer: exchanges with the provider, waits between them, and repairs.
//!
//! It does no I/O. A [`Step`] says what comes next, and whoever drives it carries that out and hands in what came of
//! it, so that each exchange can be permitted, priced and recorded by itself, or all of them as one. Time is handed in,
//! as the time since some fixed point.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::chat::{CheckedChat, Message};
use super::completion::{Completion, TokenUsage};
use super::error::{ModelError, quote};
use super::provider::{Provider, Structured};
use super::verdict::{Verdict, judge};
use super::wire::{SendError, WireRequest, WireResponse};

/// The first wait before trying again where the provider names none; each further one is twice as long.
const BACKOFF_FIRST: Duration = Duration::from_millis(500);

/// How often a provider is asked again, and how long a call waits for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// How often a model may correct an answer that does not fit. Each time is billed.
    pub repairs: u32,
    /// How often an exchange that failed is tried again, in all.
    pub retries: u32,
    /// The longest single wait between two tries. A provider that asks for more ends the call as overloaded.
    pub wait_max: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { repairs: 2, retries: 3, wait_max: Duration::from_secs(30) }
    }
}

/// What comes next.
pub enum Step {
    /// Send a request.
    Send(Pending),
    /// Wait.
    Wait(Paused),
    /// Nothing: it is over.
    Done(Outcome),
}

/// What a call came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The answer, or why there is none.
    pub answer: Result<Completion, ModelError>,
    /// What was sent, in order, with what each took: also where there is no answer.
    pub exchanges: Vec<Exchange>,
}

/// One request that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Exchange {
    /// What it took; nothing where the provider refused. None where it did not say: an answer that broke off may have
    /// been billed all the same.
    pub usage: Option<TokenUsage>,
    /// Bytes of the request's body.
    pub sent_bytes: u64,
    /// Bytes of the response's body, as far as there was one.
    pub received_bytes: u64,
    /// Why its answer was not the last word, on one short line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

impl Outcome {
    /// Returns what all exchanges took together, as far as the provider said so.
    pub fn usage(&self) -> TokenUsage {
        self.exchanges.iter().filter_map(|exchange| exchange.usage).fold(TokenUsage::default(), |sum, more| sum + more)
    }

    /// Returns how many exchanges took nobody knows what: settle those at what was reserved.
    pub fn unreported(&self) -> usize {
        self.exchanges.iter().filter(|exchange| exchange.usage.is_none()).count()
    }
}

/// Begins a call at the time `now`; the chat's deadline counts from there.
pub fn begin(provider: Arc<dyn Provider>, checked: CheckedChat, patience: Patience, now: Duration) -> Step {
    let deadline = checked.chat.deadline_ms.map(|ms| now.saturating_add(Duration::from_millis(ms)));
    let (asked_len, structured) = (checked.chat.messages.len(), provider.structured());
    let exchanges = Vec::new();
    Dialogue { provider, checked, asked_len, structured, patience, retried: 0, deadline, exchanges }.send(now)
}

/// A request that is to be sent.
pub struct Pending {
    dialogue: Dialogue,
    request: WireRequest,
}

impl Pending {
    /// Returns the request.
    pub fn request(&self) -> &WireRequest {
        &self.request
    }

    /// Returns how long the exchange may take at most, seen from `now`.
    pub fn timeout(&self, now: Duration) -> Option<Duration> {
        self.dialogue.deadline.map(|deadline| deadline.saturating_sub(now))
    }

    /// Goes on with what came back.
    pub fn answered(mut self, now: Duration, result: Result<WireResponse, SendError>) -> Step {
        let chat = &self.dialogue.checked.chat;
        let sent_bytes = self.request.body.len() as u64;
        let received_bytes = result.as_ref().map_or(0, |response| response.body.len() as u64);
        let free = is_free(&result).then(TokenUsage::default);
        let reading = result.map_err(ModelError::from).and_then(|wire| self.dialogue.provider.response(chat, &wire));
        let usage = reading.as_ref().ok().and_then(|completion| completion.usage).or(free);
        let fault = reading.as_ref().err().map(|error| quote(&error.to_string()));
        self.dialogue.exchanges.push(Exchange { usage, sent_bytes, received_bytes, fault });
        self.dialogue.read(now, reading)
    }
}

/// Whether nobody bills for this: nothing was sent, or the provider refused to work.
fn is_free(result: &Result<WireResponse, SendError>) -> bool {
    match result {
        Ok(response) => !(200..300).contains(&response.status),
        Err(SendError::Unreachable(_) | SendError::HeldBack(_) | SendError::Refused(_)) => true,
        Err(SendError::Interrupted(_) | SendError::Garbled(_) | SendError::Deadline | SendError::TooLarge) => false,
    }
}

/// A wait between two tries.
pub struct Paused {
    dialogue: Dialogue,
    wait: Duration,
}

impl Paused {
    /// Returns how long to wait.
    pub fn wait(&self) -> Duration {
        self.wait
    }

    /// Goes on after the wait.
    pub fn woken(self, now: Duration) -> Step {
        self.dialogue.send(now)
    }
}

struct Dialogue {
    provider: Arc<dyn Provider>,
    checked: CheckedChat,
    /// How many of the messages are the agent's; those of a repair come after.
    asked_len: usize,
    structured: Structured,
    /// What is left of it.
    patience: Patience,
    retried: u32,
    deadline: Option<Duration>,
    exchanges: Vec<Exchange>,
}

impl Dialogue {
    fn send(self, now: Duration) -> Step {
        if self.deadline.is_some_and(|deadline| now >= deadline) {
            return self.done(Err(ModelError::Deadline));
        }
        let request = self.provider.request(&self.checked.chat, self.structured);
        Step::Send(Pending { dialogue: self, request })
    }

    fn done(self, answer: Result<Completion, ModelError>) -> Step {
        let mut outcome = Outcome { answer, exchanges: self.exchanges };
        let usage = outcome.usage();
        if let Ok(completion) = &mut outcome.answer {
            completion.usage = Some(usage);
        }
        Step::Done(outcome)
    }

    fn read(mut self, now: Duration, reading: Result<Completion, ModelError>) -> Step {
        match reading {
            Ok(completion) => match judge(&self.checked, completion) {
                Verdict::Good(completion) => self.done(Ok(completion)),
                Verdict::Wrong { why, repair } => self.repair(now, why, repair),
            },
            Err(ModelError::SchemaRefused(_)) if self.structured == Structured::Native => {
                self.structured = Structured::Prompted;
                self.send(now)
            }
            Err(error) if error.is_transient() => self.retry(now, error),
            Err(error) => self.done(Err(error)),
        }
    }

    /// Asks the model to correct its last answer. An earlier correction is taken back, so that the chat does not grow.
    fn repair(mut self, now: Duration, why: String, repair: Vec<Message>) -> Step {
        let is_last = self.patience.repairs == 0;
        if let Some(exchange) = self.exchanges.last_mut() {
            exchange.fault = Some(quote(&why));
        }
        if is_last {
            return self.done(Err(ModelError::InvalidOutput(why)));
        }
        self.patience.repairs -= 1;
        self.checked.chat.messages.truncate(self.asked_len);
        self.checked.chat.messages.extend(repair);
        self.send(now)
    }

    /// Waits and tries again, unless that has been done often enough or would take longer than there is time.
    fn retry(mut self, now: Duration, error: ModelError) -> Step {
        let asked = match error {
            ModelError::Overloaded { retry_after } => retry_after,
            _ => None,
        };
        let wait = asked.unwrap_or_else(|| BACKOFF_FIRST.saturating_mul(1 << self.retried.min(16)));
        let is_too_late = self.deadline.is_some_and(|deadline| now.saturating_add(wait) >= deadline);
        if self.retried >= self.patience.retries || wait > self.patience.wait_max || is_too_late {
            return self.done(Err(error));
        }
        self.retried += 1;
        Step::Wait(Paused { dialogue: self, wait })
    }
}
