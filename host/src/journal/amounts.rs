//! Amounts: how much of what a grant counts is used, over which span, and what calls under way have reserved.
//!
//! A call under an amount claims it with its intent: both are one transaction, which stores nothing where the amount is
//! used up or its grant has ended. The one writer thread decides, so that no two runs can claim the same rest. What is
//! claimed stays claimed until the call is settled; a crash in between leaves the claim, which counts as used until
//! somebody decides.
//!
//! Counts belong to the plugin's identity and to what is counted, not to a grant: a changed amount goes on counting.

use std::collections::BTreeMap;
use std::fmt;

use redb::{ReadableTable, WriteTransaction};
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::grants::{self, GrantId};
use super::header;
use super::{Journal, document, tables};
use crate::digest::Digest;
use crate::id::RunId;
use crate::manifest::{RuleId, Window, amount};
use crate::time::Timestamp;

/// What messages call the row of a reservation.
const WHAT: &str = "the row of a reservation";

/// Spans of a rule that are kept besides the current one, in case the clock is set back.
const EARLIER_KEPT: u64 = 2;

/// Microseconds in an hour and in a day.
const HOUR_US: u64 = 3_600_000_000;
const DAY_US: u64 = 24 * HOUR_US;

/// How much a call claims of what may be done in a span.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// How much, in what the rule counts: calls.
    pub amount: u64,
    /// The stored grant that allows the call. The claim is refused once it has ended or expired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<GrantId>,
    /// The most in the span.
    pub max: u64,
    /// What is counted.
    pub rule: RuleId,
    /// The span.
    pub window: Window,
}

/// What became of what a call had claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// All of it was used.
    Used,
    /// Only so much of each claim was used; the rest can be claimed again.
    Only(u64),
}

/// An amount of which too little is left for a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedUp {
    /// How much was claimed.
    pub claimed: u64,
    /// The end of the span that the claim fell into. Nothing: it ends with the run, or never.
    pub ends: Option<Timestamp>,
    /// The most in the span.
    pub max: u64,
    /// What is counted.
    pub rule: RuleId,
    /// How much of it is used or reserved.
    pub used: u64,
    /// The span.
    pub window: Window,
}

impl fmt::Display for UsedUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} is used up", self.rule, amount(self.window, self.max))
    }
}

impl UsedUp {
    /// Says what is used up, how much of it is used, and until when.
    pub fn explained(&self) -> String {
        let until = match (self.ends, self.window) {
            (Some(ends), _) => format!(", until {ends} UTC"),
            (None, Window::Run) => ", to the end of the run".to_owned(),
            (None, _) => ", for good".to_owned(),
        };
        format!("{self}: {} used or reserved{until}", self.used)
    }
}

/// Returns the end of the span that `now` is in; nothing where it is no span of time.
pub fn span_end(window: Window, now: Timestamp) -> Option<Timestamp> {
    let length = match window {
        Window::Run | Window::Total => return None,
        Window::Hour => HOUR_US,
        Window::Day => DAY_US,
    };
    Some(Timestamp::from_micros((now.as_micros() / length + 1) * length))
}

/// Claims that were made and not settled, because the call is under way or its host was killed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsettled {
    /// The run.
    pub run: RunId,
    /// The number of the intent.
    pub intent: u64,
    /// When they were made.
    pub at: Timestamp,
    /// What was claimed.
    pub claims: Vec<Claim>,
}

/// Claims as they are stored, under run and intent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Reservation {
    pub at: Timestamp,
    pub claims: Vec<Claim>,
    /// The namespace of the plugin's identity.
    pub owner: Digest,
}

/// Whose call it is and when it was made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller {
    pub run: RunId,
    /// The number of its intent.
    pub intent: u64,
    pub owner: Digest,
    pub now: Timestamp,
}

impl Settlement {
    fn used(self, claimed: u64) -> u64 {
        match self {
            Self::Used => claimed,
            Self::Only(used) => used.min(claimed),
        }
    }
}

impl Journal {
    /// Returns how much of what an identity may do is used or reserved, in the span that `now` is in; `run` is the span
    /// of [`Window::Run`].
    ///
    /// # Errors
    /// What keeps the file from being read.
    pub fn amount_used(
        &self,
        identity: &str,
        rule: &RuleId,
        window: Window,
        run: RunId,
        now: Timestamp,
    ) -> Result<u64, Error> {
        let caller = Caller { run, intent: 0, owner: header::namespace(identity), now };
        let key = key(&caller, rule, window);
        self.0.store.reading(|read| match tables::if_there(read, tables::AMOUNTS)? {
            Some(table) => Ok(table.get(&*key)?.map_or(0, |used| used.value())),
            None => Ok(0),
        })
    }

    /// Returns the claims that nobody has settled, by run and intent.
    ///
    /// # Errors
    /// What keeps the file from being read; a damaged row.
    pub fn unsettled(&self) -> Result<Vec<Unsettled>, Error> {
        self.0.store.reading(|read| {
            let Some(table) = tables::if_there(read, tables::RESERVATIONS)? else { return Ok(Vec::new()) };
            let rows = table.iter()?;
            rows.map(|row| {
                let (key, row) = row?;
                let (run, intent) = key.value().split_first_chunk::<16>().expect("a key has 24 bytes");
                let intent = u64::from_be_bytes(*intent.first_chunk().expect("a key has 24 bytes"));
                let Reservation { at, claims, .. } = document::decode(WHAT, key.value(), row.value())?;
                Ok(Unsettled { run: RunId::from_bytes(*run), intent, at, claims })
            })
            .collect()
        })
    }

    /// Decides what became of claims that a crash left unsettled. Durable when this returns; it blocks for one commit.
    ///
    /// # Errors
    /// [`Error::NotReserved`] when nothing is claimed with this intent.
    pub fn decide(&self, run: RunId, intent: u64, settlement: Settlement) -> Result<(), Error> {
        self.0.edit(move |write| settle(write, run, intent, settlement))
    }
}

/// Makes the claims of a call, all or none. The inner error is a refusal, which changes nothing.
pub(super) fn claim(write: &WriteTransaction, caller: &Caller, claims: &[Claim]) -> Result<Result<(), Error>, Error> {
    for grant in claims.iter().filter_map(|claim| claim.grant) {
        if let Err(refusal) = grants::check(write, grant, caller.now)? {
            return Ok(Err(refusal));
        }
    }
    let mut amounts = write.open_table(tables::AMOUNTS)?;
    let (mut used, mut used_up) = (BTreeMap::new(), Vec::new());
    for claim in claims {
        let key = key(caller, &claim.rule, claim.window);
        let stored = amounts.get(&*key)?.map_or(0, |used| used.value());
        let total = used.entry(key).or_insert(stored);
        let before = *total;
        *total = total.saturating_add(claim.amount);
        if *total > claim.max {
            let Claim { amount: claimed, rule, window, max, .. } = claim.clone();
            used_up.push(UsedUp { claimed, ends: span_end(window, caller.now), max, rule, used: before, window });
        }
    }
    if !used_up.is_empty() {
        return Ok(Err(Error::Exhausted(used_up.into())));
    }
    for (key, total) in used {
        if amounts.insert(&*key, total)?.is_none() {
            forget_earlier(&mut amounts, &key)?;
        }
    }
    let (at, owner) = (caller.now, caller.owner);
    let key = reservation_key(caller.run, caller.intent);
    let row = document::encode(&key, &Reservation { at, claims: claims.to_vec(), owner })?;
    write.open_table(tables::RESERVATIONS)?.insert(&key, &*row)?;
    Ok(Ok(()))
}

/// Gives back what was not used, and forgets the reservation.
pub(super) fn settle(
    write: &WriteTransaction,
    run: RunId,
    intent: u64,
    settlement: Settlement,
) -> Result<Result<(), Error>, Error> {
    let row_key = reservation_key(run, intent);
    let mut reservations = write.open_table(tables::RESERVATIONS)?;
    let row = reservations.remove(&row_key)?.map(|row| row.value().to_vec());
    let Some(row) = row else { return Ok(Err(Error::NotReserved { run, intent })) };
    let Reservation { at, claims, owner } = document::decode(WHAT, &row_key, &row)?;
    let caller = Caller { run, intent, owner, now: at };
    let mut amounts = write.open_table(tables::AMOUNTS)?;
    for claim in claims {
        let unused = claim.amount - settlement.used(claim.amount);
        let key = key(&caller, &claim.rule, claim.window);
        let total = amounts.get(&*key)?.map(|used| used.value());
        if let Some(total) = total.filter(|_| unused > 0) {
            amounts.insert(&*key, total.saturating_sub(unused))?;
        }
    }
    Ok(Ok(()))
}

/// Forgets what only counts for a run. What it claimed of spans over all runs stays used, settled or not.
pub(super) fn forget_run(write: &WriteTransaction, run: RunId) -> Result<(), Error> {
    let mut reservations = write.open_table(tables::RESERVATIONS)?;
    let (first, last) = (reservation_key(run, 0), reservation_key(run, u64::MAX));
    reservations.retain_in::<&[u8; 24], _>(&first..=&last, |_, _| false)?;
    let mut amounts = write.open_table(tables::AMOUNTS)?;
    let first = [&[tag(Window::Run)][..], run.as_bytes()].concat();
    let last = [first.as_slice(), &[u8::MAX; 33]].concat();
    amounts.retain_in::<&[u8], _>(&*first..&*last, |_, _| false)?;
    Ok(())
}

/// Forgets the spans of a rule that are long over, when a new one begins.
fn forget_earlier(amounts: &mut redb::Table<'_, &'static [u8], u64>, key: &[u8]) -> Result<(), Error> {
    let Some((rule, span)) = key.split_last_chunk().filter(|_| key[0] != tag(Window::Run)) else { return Ok(()) };
    let oldest = u64::from_be_bytes(*span).saturating_sub(EARLIER_KEPT);
    let first = [rule, &0_u64.to_be_bytes()].concat();
    let end = [rule, &oldest.to_be_bytes()].concat();
    amounts.retain_in::<&[u8], _>(&*first..&*end, |_, _| false)?;
    Ok(())
}

fn tag(window: Window) -> u8 {
    match window {
        Window::Run => 0,
        Window::Hour => 1,
        Window::Day => 2,
        Window::Total => 3,
    }
}

/// Returns under which key is counted. Those of a run begin with it, so that they go with it; the others end with the
/// number of their span.
fn key(caller: &Caller, rule: &RuleId, window: Window) -> Vec<u8> {
    let counted = Digest::of_parts(&[b"remit amount 1\0", caller.owner.as_bytes(), rule.as_str().as_bytes()]);
    let now = caller.now.as_micros();
    let span = match window {
        Window::Run => return [&[tag(window)][..], caller.run.as_bytes(), counted.as_bytes()].concat(),
        Window::Hour => now / HOUR_US,
        Window::Day => now / DAY_US,
        Window::Total => 0,
    };
    [&[tag(window)][..], counted.as_bytes(), &span.to_be_bytes()].concat()
}

fn reservation_key(run: RunId, intent: u64) -> [u8; 24] {
    let mut key = [0; 24];
    key[..16].copy_from_slice(run.as_bytes());
    key[16..].copy_from_slice(&intent.to_be_bytes());
    key
}
