//! `remit:plugin/approval`: asking a person. The run is suspended with its proposal, and told what was decided, which is
//! recorded with who decided it.

use serde::de::IgnoredAny;
use serde_json::json;

use super::Caps;
use super::bindings::approval::{Decision, DefaultAnswer, Error, Proposal};
use super::link::{Link, Waits};
use crate::gate::{Asking, Class, Halt, Proposed, Turn};
use crate::journal::Ruling;
use crate::lifecycle::Wait;

/// Bytes of a title, of what an agent intends, and of details: what a person reads before deciding.
const TITLE_MAX: usize = 200;
const INTENT_MAX: usize = 4_096;
const DETAILS_MAX: usize = 64 * 1024;

type Asked = Result<Decision, Error>;

pub(super) fn link(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link.long(
        "remit:plugin/approval#ask",
        Waits {
            class: Class::WriteLocal,
            judge: |remit, _: &(Proposal,), _| remit.approval_allows().map(drop),
            refuse: |_| (Asked::Err(Error::Denied),),
            wait: |(proposal,), asking| match problem(proposal) {
                None => Ok(wait(proposal, asking)),
                Some(problem) => Err((Asked::Err(Error::Invalid(problem)),)),
            },
            propose: Some(|(proposal,)| Proposed {
                title: proposal.title.clone(),
                intent: proposal.intent.clone(),
                details: proposal.details.clone(),
            }),
            answer: decided,
            unable: |_| (Asked::Err(Error::CannotWait),),
        },
    )
}

fn wait(proposal: &Proposal, asking: &Asking) -> Wait {
    Wait::Approval {
        entry: asking.entry,
        proposal: asking.digest,
        until: proposal.expires.map(|ms| asking.now.after_ms(ms)),
        is_approved_then: proposal.default == DefaultAnswer::Approve,
    }
}

/// Says why something is no proposal.
fn problem(proposal: &Proposal) -> Option<String> {
    let Proposal { title, intent, details, .. } = proposal;
    if !(1..=TITLE_MAX).contains(&title.len()) || title.chars().any(char::is_control) {
        return Some(format!("the title is not one line of 1 to {TITLE_MAX} bytes"));
    }
    if intent.len() > INTENT_MAX {
        return Some(format!("the intent has {} bytes, and at most {INTENT_MAX} are read", intent.len()));
    }
    if details.len() > DETAILS_MAX {
        return Some(format!("the details have {} bytes, and at most {DETAILS_MAX} are read", details.len()));
    }
    serde_json::from_str::<IgnoredAny>(details).err().map(|error| format!("the details are not JSON: {error}"))
}

fn decided(turn: &mut Turn<'_, Caps>, wait: &Wait) -> Result<Option<(Asked,)>, Halt> {
    let Wait::Approval { entry, until, is_approved_then, .. } = *wait else { return Ok(None) };
    let decision = turn.kv.proposal(entry)?.and_then(|proposal| proposal.decision);
    let now = turn.clock.now();
    let told = match decision {
        Some(Ruling { at, by, is_approved, why }) => {
            turn.note(json!({ "at-us": at, "by": by, "why": why }).to_string());
            if is_approved { Decision::Approved } else { Decision::Denied(why.unwrap_or_default()) }
        }
        None if until.is_some_and(|until| until <= now) => {
            let default = if is_approved_then { DefaultAnswer::Approve } else { DefaultAnswer::Deny };
            Decision::Expired(default)
        }
        None => return Ok(None),
    };
    turn.kv.conclude_proposal(entry);
    Ok(Some((Ok(told),)))
}
