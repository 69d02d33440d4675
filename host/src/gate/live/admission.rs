//! Admission: whether a call is permitted, counted against the run's limits, and what of the remit is asked for it.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::disarmed::Told;
use super::{Live, check_recorded};
use crate::gate::resume::Begun;
use crate::gate::{Ask, Asked, Class, Halt, Op};
use crate::journal::Extension;
use crate::meter::LimitKind;
use crate::scope::{Access, Denial};
use crate::time::Timestamp;

/// Why a call was refused, for the operator. The guest hears a code and no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The rule that refused it.
    pub rule: String,
    /// The smallest grant that would have allowed it, as TOML, where one can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
    /// Whether the plugin's manifest does not request it, so that no grant alone allows it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_unrequested: bool,
}

/// Bytes of the rule in a refusal. A remit may hold more prefixes than an entry has room for.
const RULE_LEN_MAX: usize = 4 << 10;

/// Bytes of the grant in a refusal. A longer one is left out: half of it would be another grant.
const GRANT_LEN_MAX: usize = 16 << 10;

impl Refusal {
    /// Makes a refusal that fits an entry.
    pub fn new(mut rule: String, grant: Option<String>) -> Self {
        rule.truncate(rule.floor_char_boundary(RULE_LEN_MAX));
        Self { rule, grant: grant.filter(|grant| grant.len() <= GRANT_LEN_MAX), is_unrequested: false }
    }
}

/// A judged call on its way to being performed.
pub struct Admission {
    pub(super) class: Class,
    pub(super) denial: Option<Box<Refusal>>,
    pub(super) intent: Option<u64>,
    /// Whether the call works on files, which may be slow.
    pub(super) on_files: bool,
    /// What the call found in place that was begun before the run was resumed.
    pub(super) begun: Option<Box<Json>>,
    /// In a fork that has no effects: what its parent was told. There is a denial then, too.
    pub(super) told: Option<Box<Told>>,
}

impl Admission {
    /// Returns the admission of a call that nobody judges.
    #[inline]
    pub(super) fn always(class: Class) -> Self {
        Self { class, denial: None, intent: None, on_files: false, begun: None, told: None }
    }

    /// Returns the admission of a call that answers an intent.
    pub(in crate::gate) fn answering(class: Class, intent: u64) -> Self {
        Self { intent: Some(intent), ..Self::always(class) }
    }

    #[inline]
    pub(super) fn extension(&self) -> Option<Box<Extension>> {
        if self.intent.is_none() && self.denial.is_none() { None } else { Some(self.written()) }
    }

    #[cold]
    fn written(&self) -> Box<Extension> {
        if let Some(told) = &self.told {
            let Told { cause, note, denial, .. } = &**told;
            let (cause, before, denial) = (Some(cause.to_string()), note.clone(), denial.clone());
            return Box::new(Extension { cause, before, denial, ..Extension::default() });
        }
        let denial = self.denial.as_ref().map(|refusal| json!(refusal).to_string());
        Box::new(Extension { answers: self.intent, denial, ..Extension::default() })
    }
}

impl<C> Live<C> {
    /// Permits or refuses a call.
    #[inline]
    pub(in crate::gate) fn admit<D, P, R>(
        &mut self,
        op: &Op<C, D, P, R>,
        derived: &D,
        params: &P,
        encoded: &[u8],
    ) -> Result<Admission, Halt> {
        self.count(encoded)?;
        let Some(judge) = op.judge else {
            return Ok(Admission::always(op.class));
        };
        self.look_at_grants()?;
        let Asked { ask, class } = judge(derived, params);
        let denial = self.permit(ask).err();
        let on_files = matches!(ask, Ask::Mount(..) | Ask::Mounts(..));
        Ok(Admission { class, denial, intent: None, on_files, begun: None, told: None })
    }

    /// Takes up a call that was begun before the run was resumed.
    ///
    /// # Errors
    /// [`Halt::InDoubt`] when nobody wrote down what it found.
    pub(in crate::gate) fn admit_begun<D, P, R>(
        &mut self,
        op: &Op<C, D, P, R>,
        derived: &D,
        params: &P,
        Begun { open, before }: Begun,
    ) -> Result<Admission, Halt> {
        let before = before.and_then(|before| serde_json::from_str(&before).ok());
        let before = before.ok_or(Halt::InDoubt(open.entry))?;
        self.look_at_grants()?;
        let denial = op.judge.and_then(|judge| self.permit(judge(derived, params).ask).err());
        let begun = (!open.is_retried).then(|| Box::new(before));
        Ok(Admission { class: op.class, denial, intent: Some(open.entry), on_files: true, begun, told: None })
    }

    /// Judges a call again that waited, if what holds has changed since it was admitted.
    pub(in crate::gate) fn admit_again<D, P, R>(
        &mut self,
        op: &Op<C, D, P, R>,
        derived: &D,
        params: &P,
        admission: &mut Admission,
    ) -> Result<(), Halt> {
        if let (Some(judge), None) = (op.judge, &admission.denial)
            && self.look_at_grants()?
        {
            admission.denial = self.permit(judge(derived, params).ask).err();
        }
        Ok(())
    }

    #[inline]
    pub(in crate::gate) fn count(&mut self, encoded: &[u8]) -> Result<(), Halt> {
        self.usage.calls += 1;
        self.limits.check(LimitKind::Calls, self.usage.calls)?;
        self.limits.check(LimitKind::Payload, encoded.len() as u64)?;
        self.usage.bytes_in += encoded.len() as u64;
        Ok(check_recorded(&self.limits, &self.usage)?)
    }

    /// Sees to it that what is asked next is what holds at the last tick. Returns whether that has changed. It costs a
    /// load, and the time where something expires.
    #[inline]
    fn look_at_grants(&mut self) -> Result<bool, Halt> {
        if !self.standing.has_changed() && !self.standing.expires() {
            return Ok(false);
        }
        let now = self.wall_us(self.run_time(self.clock.elapsed_at_tick()));
        self.renew_at(Timestamp::from_micros(now))
    }

    /// Sees to it that what is asked next is what holds at `now`. Returns whether that has changed.
    #[cold]
    pub(super) fn renew_at(&mut self, now: Timestamp) -> Result<bool, Halt> {
        if !self.standing.is_due(now) {
            return Ok(false);
        }
        self.standing.renew(now)?;
        Ok(true)
    }

    fn permit(&self, ask: Ask<'_>) -> Result<(), Box<Refusal>> {
        let remit = self.standing.remit();
        match ask {
            Ask::Nothing => return Ok(()),
            Ask::Mount(_, Access::ReadWrite) | Ask::Mounts(_, Access::ReadWrite) if self.disarmed.is_some() => {
                return Err(self.no_effect());
            }
            Ask::Key(key, access) => remit.kv_allows(key, access),
            Ask::Mount(index, access) => self.standing.file_allows(index, access),
            Ask::Mounts(indexes, access) => {
                indexes.into_iter().try_for_each(|index| self.standing.file_allows(index, access))
            }
            Ask::Config(key) => remit.config_allows(key),
            Ask::Log(level) => remit.log_allows(level),
            Ask::Http(target) => remit.http_allows(target).map(drop),
            Ask::Never(what) => return Err(Box::new(Refusal::new(format!("no remit allows {what}"), None))),
        }
        .map_err(|denial| self.refusal(denial))
    }

    #[cold]
    pub(super) fn refusal(&self, denial: Denial) -> Box<Refusal> {
        let is_unrequested = !self.standing.requests(&denial);
        let denial = self.standing.explained(denial);
        Box::new(Refusal { is_unrequested, ..Refusal::new(denial.rule(), denial.grant()) })
    }
}
