//! Two records side by side: where they differ first, where the guest did something else first, and what came after.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use serde_json::Value as Json;

use crate::cli::doubt::class_of;
use crate::cli::report::Result;
use crate::cli::session::Records;
use crate::cli::show::entry_json;
use crate::digest::Digest;
use crate::gate::divergence::differences;
use crate::gate::{End, Functions, Outcome};
use crate::id::RunId;
use crate::journal::{Entry, Kind, Reader};

/// The most effects that are listed for each side.
const EFFECTS_MAX: usize = 20;

/// One of the two runs.
pub struct Side<'a> {
    pub records: &'a Records,
    pub run: RunId,
    pub functions: &'a Functions,
}

/// What a comparison found. Arrays have the left side first.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Comparison {
    /// How many entries the runs have in common from the start.
    pub equal: u64,
    /// The first difference; nothing: the runs are equal.
    pub first: Option<Difference>,
    /// The first entry at which the guest itself did something else, where that is a later one.
    pub parted: Option<Difference>,
    /// How many entries each has from the first difference on.
    pub entries: [u64; 2],
    /// How often each called a function since, where that differs.
    pub functions: BTreeMap<String, [u64; 2]>,
    /// The effects since that one had and the other not, or not as often: their entries, at most [`EFFECTS_MAX`].
    pub effects: [Vec<Json>; 2],
    /// How many such effects there are.
    pub effects_total: [u64; 2],
}

/// One entry in which the runs differ.
#[derive(Debug, Serialize)]
pub struct Difference {
    /// Its number.
    pub entry: u64,
    /// What differs first.
    pub what: What,
    /// Both entries; nothing where a run has ended.
    pub sides: [Option<Json>; 2],
    /// Where params and outcomes differ, as `path: left -> right`.
    pub places: Vec<String>,
}

/// What two entries differ in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// One run has no such entry.
    Missing,
    /// The kind of the entry or the function.
    Function,
    /// What the guest asked.
    Params,
    /// How the run ended.
    End,
    /// What the guest was told.
    Outcome,
    /// When it asked.
    Fuel,
}

impl What {
    /// Whether the guest did something else, and not merely heard it or came to it later.
    fn is_done(self) -> bool {
        !matches!(self, Self::Outcome | Self::Fuel)
    }
}

/// Compares two runs. Fuel counts where `fuel_counts`.
///
/// # Errors
/// When a journal cannot be read.
pub fn compare(sides: [&Side<'_>; 2], fuel_counts: bool) -> Result<Comparison> {
    let mut found = Comparison::default();
    let mut since = Since::default();
    let [mut left, mut right] =
        [sides[0].records.journal().reader(sides[0].run)?, sides[1].records.journal().reader(sides[1].run)?];
    let totals = [sides[0].total()?, sides[1].total()?];
    loop {
        pass_states(&mut left, totals[0])?;
        pass_states(&mut right, totals[1])?;
        let pair = [left.next()?, right.next()?];
        let what = match &pair {
            [None, None] => break,
            [Some(left), Some(right)] => difference(left, right, fuel_counts),
            _ => Some(What::Missing),
        };
        let is_next = found.first.is_none() || (found.parted.is_none() && what.is_some_and(What::is_done));
        if let Some(what) = what.filter(|_| is_next) {
            let difference = Difference::new(what, &pair, sides)?;
            match found.first.is_none() {
                true => found.first = Some(difference),
                false => found.parted = Some(difference),
            }
        }
        if found.first.is_none() {
            found.equal += 1;
            continue;
        }
        for (side, entry) in pair.iter().enumerate().filter_map(|(side, entry)| Some((side, entry.as_ref()?))) {
            found.entries[side] += 1;
            since.add(side, entry)?;
        }
    }
    // Where the first difference is one in what was done, there is no later one to tell.
    found.parted = found.parted.filter(|_| found.first.as_ref().is_some_and(|first| !first.what.is_done()));
    since.tell(&mut found, sides)?;
    Ok(found)
}

/// Passes over the states that a run went on from, which say nothing of what it did.
fn pass_states(reader: &mut Reader, total: u64) -> Result<()> {
    while matches!(reader.peek()?, Some(Kind::State | Kind::Note)) && reader.taken() + 1 < total {
        reader.next()?;
    }
    Ok(())
}

/// Returns what two entries of the same number differ in. Times always do.
fn difference(left: &Entry<'_>, right: &Entry<'_>, fuel_counts: bool) -> Option<What> {
    let name = |entry: &Entry<'_>| entry.function().map(|function| function.name.clone());
    if left.kind() != right.kind() || name(left) != name(right) {
        return Some(What::Function);
    }
    if left.kind() == Kind::State {
        let is_same = match (End::read(left.params()), End::read(right.params())) {
            (Some(left), Some(right)) => is_same_end(&left.outcome, &right.outcome),
            _ => left.params() == right.params(),
        };
        if !is_same {
            return Some(What::End);
        }
    } else if left.params() != right.params() {
        return Some(What::Params);
    }
    if left.outcome() != right.outcome() {
        return Some(What::Outcome);
    }
    (fuel_counts && left.fuel() != right.fuel()).then_some(What::Fuel)
}

/// Whether two runs ended alike, or are parked alike.
fn is_same_end(left: &Outcome, right: &Outcome) -> bool {
    match (left, right) {
        (Outcome::Waiting { wait: left }, Outcome::Waiting { wait: right }) => left.is_like(right),
        _ => left == right,
    }
}

impl Difference {
    fn new(what: What, pair: &[Option<Entry<'_>>; 2], sides: [&Side<'_>; 2]) -> Result<Self> {
        let shown = |side: usize| pair[side].as_ref().map(|entry| entry_json(entry, sides[side].functions)).transpose();
        let shown = [shown(0)?, shown(1)?];
        let mut places = Vec::new();
        if let [Some(left), Some(right)] = &shown {
            for part in ["params", "outcome"] {
                differences(part, &left[part], &right[part], &mut places);
            }
        }
        let entry = pair.iter().flatten().map(Entry::number).next().unwrap_or_default();
        Ok(Self { entry, what, sides: shown, places })
    }
}

/// What followed from the first difference.
#[derive(Default)]
struct Since {
    functions: BTreeMap<String, [u64; 2]>,
    /// By function and params. What is the same on both sides is taken out as it comes.
    effects: HashMap<Digest, Vec<(usize, u64)>>,
}

impl Since {
    fn add(&mut self, side: usize, entry: &Entry<'_>) -> Result<()> {
        let Some(function) = entry.function() else { return Ok(()) };
        if entry.kind() != Kind::Intent {
            self.functions.entry(function.name.to_string()).or_default()[side] += 1;
        }
        if !is_effect(entry.kind(), class_of(entry)?) || entry.extension()?.denial.is_some() {
            return Ok(());
        }
        let same =
            self.effects.entry(Digest::of_parts(&[function.name.as_bytes(), b"\0", entry.params()])).or_default();
        match same.iter().position(|(other, _)| *other != side) {
            Some(place) => drop(same.remove(place)),
            None => same.push((side, entry.number())),
        }
        Ok(())
    }

    fn tell(self, found: &mut Comparison, sides: [&Side<'_>; 2]) -> Result<()> {
        found.functions = self.functions;
        found.functions.retain(|_, [left, right]| left != right);
        for (side, of) in sides.iter().enumerate() {
            let alone = self.effects.values().flatten().filter(|(other, _)| *other == side);
            let mut entries: Vec<u64> = alone.map(|(_, entry)| *entry).collect();
            entries.sort_unstable();
            found.effects_total[side] = entries.len() as u64;
            entries.truncate(EFFECTS_MAX);
            found.effects[side] = of.entries(&entries)?;
        }
        Ok(())
    }
}

/// Whether an entry is of a call with a consequence outside the run. The class is the strictest that the function can
/// have; a call of those that need an intent had a looser one if it has none.
fn is_effect(kind: Kind, class: &str) -> bool {
    match kind {
        Kind::Intent => class.starts_with("write-"),
        Kind::Call => ["write-local", "write-file"].contains(&class),
        _ => false,
    }
}

impl Side<'_> {
    fn total(&self) -> Result<u64> {
        Ok(self.records.journal().summary(self.run)?.entries)
    }

    /// Returns the entries of these numbers, which ascend.
    fn entries(&self, wanted: &[u64]) -> Result<Vec<Json>> {
        let mut reader = self.records.journal().reader(self.run)?;
        let mut entries = Vec::new();
        while entries.len() < wanted.len() {
            let Some(entry) = reader.next()? else { break };
            if entry.number() == wanted[entries.len()] {
                entries.push(entry_json(&entry, self.functions)?);
            }
        }
        Ok(entries)
    }
}
