//! Who answers for each tier of one run, as the operator mapped them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::Remote;
use crate::capability::link;
use crate::manifest::Name;
use crate::model::{
    Chat, Completion, Later, Line, ModelError, Outcome, Patience, Provider, Script, Scripted, Sleeper, ToolCall,
    complete,
};
use crate::secret::Scrubber;
use crate::time::Clock;

/// The tiers of one run. Only a live run has them.
pub struct Models {
    tiers: BTreeMap<Name, Tier>,
    clock: Clock,
}

/// Who answers for a tier.
pub struct Tier {
    line: Line,
    max_tokens: Option<u64>,
    /// Finds the provider's key in what comes back.
    scrubber: Option<Scrubber>,
}

impl Tier {
    /// Returns a tier that answers from a script, from its beginning.
    pub fn scripted(script: Script) -> Self {
        let scripted = Arc::new(Scripted::new(script));
        Self { line: Line { provider: scripted.clone(), sender: scripted }, max_tokens: None, scrubber: None }
    }

    /// Returns a tier of a provider that is asked over the network.
    pub fn remote(provider: impl Provider + 'static, remote: Remote) -> Self {
        let scrubber = Some(remote.scrubber().clone());
        Self { line: Line { provider: Arc::new(provider), sender: Arc::new(remote) }, max_tokens: None, scrubber }
    }

    /// Bounds the tokens of one answer, whatever the guest asks for.
    #[must_use]
    pub fn bounded(self, max_tokens: Option<u64>) -> Self {
        Self { max_tokens, ..self }
    }

    /// Returns the chat with the operator's bounds on it.
    fn within_bounds(&self, mut chat: Chat, call_time: Duration) -> Chat {
        let call_time_ms = u64::try_from(call_time.as_millis()).unwrap_or(u64::MAX);
        let tokens = self.max_tokens.map_or(u32::MAX, |most| u32::try_from(most).unwrap_or(u32::MAX));
        chat.max_tokens = chat.max_tokens.min(tokens);
        chat.deadline_ms = Some(chat.deadline_ms.map_or(call_time_ms, |asked| asked.min(call_time_ms)));
        chat
    }

    /// Takes the key out of what was put together from pieces that did not hold it.
    fn scrubbed(&self, outcome: Outcome) -> Outcome {
        let Some(scrubber) = &self.scrubber else { return outcome };
        let clean = |text: &str| scrubber.text(text).into_owned();
        let call = |call: ToolCall| ToolCall {
            id: clean(&call.id),
            name: clean(&call.name),
            arguments: clean(&call.arguments),
        };
        let answer = outcome.answer.map(|completion| Completion {
            text: clean(&completion.text),
            tool_calls: completion.tool_calls.into_iter().map(call).collect(),
            ..completion
        });
        let answer = answer.map_err(|error| error.map_text(clean));
        let mut exchanges = outcome.exchanges;
        for fault in exchanges.iter_mut().filter_map(|exchange| exchange.fault.as_mut()) {
            *fault = clean(fault);
        }
        Outcome { answer, exchanges }
    }
}

impl Models {
    /// Returns no tiers, with the clock that deadlines are kept by.
    pub fn new(clock: Clock) -> Self {
        Self { tiers: BTreeMap::new(), clock }
    }

    /// Adds a tier, in place of any of the same name.
    #[must_use]
    pub fn with(mut self, name: Name, tier: Tier) -> Self {
        self.tiers.insert(name, tier);
        self
    }

    /// Answers a chat that the remit allows, within `call_time`. Returns also whether anything left this host.
    pub(super) async fn complete(&self, chat: Chat, call_time: Duration) -> (Outcome, bool) {
        let found = self.tiers.iter().find(|(name, _)| name.as_str() == chat.tier);
        let Some((_, tier)) = found else { return (failed(ModelError::UnknownTier(chat.tier)), false) };
        let reaches_out = tier.line.sender.reaches_out();
        match tier.within_bounds(chat, call_time).check() {
            Ok(checked) => {
                let outcome = complete(&tier.line, checked, Patience::default(), &self.clock, &Pause).await;
                (tier.scrubbed(outcome), reaches_out)
            }
            Err(error) => (failed(error), reaches_out),
        }
    }
}

fn failed(error: ModelError) -> Outcome {
    Outcome { answer: Err(error), exchanges: Vec::new() }
}

/// Waits on the runtime's timer. A run that is stopped drops the wait.
struct Pause;

impl Sleeper for Pause {
    fn sleep(&self, time: Duration) -> Later<'_, ()> {
        Box::pin(link::pause(time))
    }
}
