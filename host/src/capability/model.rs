//! `remit:plugin/model`: chats with language models, of the tiers that the remit grants.
//!
//! One call is one entry, with the chat and its answer, whatever it took to get it: exchanges that were tried again and
//! corrections are in the entry's usage. [`crate::model`] holds the conversation with the provider; here it is judged,
//! bounded, given a way out ([`Remote`]), and told in the guest's words.

mod account;
mod convert;
mod remote;
mod tiers;
mod values;

pub use self::remote::{Remote, partition};
pub use self::tiers::{Models, Tier};

use std::sync::Arc;

use super::bindings::model::{Chat, Completion, Error};
use super::link::{self, Link};
use super::{Caps, Derived};
use crate::gate::{Class, Outgoing, Permit, Sending, Sent};
use crate::model;
use crate::scope::{Denial, Remit};

type Params = (Chat,);
type Answer = (Result<Completion, Error>,);

pub(super) fn link(link: &mut Link<'_>) -> wasmtime::Result<()> {
    let refuse = |_: &Params| (Err(Error::Denied),);
    let work =
        link::Remote { class: Class::ReadRemote, judge, refuse, send, took: |_, _, account| account::read(account) };
    link.remote("remit:plugin/model#complete", work)
}

fn judge<'a>(remit: &'a Remit, (chat,): &'a Params) -> Result<Permit<'a>, Denial> {
    let scope = remit.model_allows(&chat.tier, Some(u64::from(chat.max_tokens)))?;
    Ok(Permit { class: Class::ReadRemote, terms: scope.terms() })
}

fn send(outgoing: Outgoing<'_, Caps>, _: &Derived, (chat,): &Params) -> Sending<Answer> {
    let Some(models) = outgoing.caps.models.clone() else {
        return Box::pin(async { Sent::unsent((Err(Error::UnknownTier),)) });
    };
    let (chat, call_time) = (model::Chat::from(chat), outgoing.limits.call_time());
    Box::pin(complete(models, chat, call_time))
}

async fn complete(models: Arc<Models>, chat: model::Chat, call_time: std::time::Duration) -> Sent<Answer> {
    let (outcome, reaches_out) = models.complete(chat, call_time).await;
    let usage = account::usage(&outcome, reaches_out);
    let account = account::written(&outcome, reaches_out);
    let is_sent = !outcome.exchanges.is_empty();
    let answer = outcome.answer.map(Completion::from).map_err(Error::from);
    Sent { outcome: (answer,), refusal: None, is_sent, usage, account, parked: None }
}
