//! What a run has left behind, and whether that is what a run leaves that nobody killed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value as Json;

use super::stage::Stage;
use crate::cli::exit::Exit;
use crate::cli::report::{OrFail as _, Result};
use crate::cli::stand_in::{Effect, effects};
use crate::digest::Digest;

/// The state of a run that was not accepted.
pub const NOT_THERE: &str = "not there";

/// What a run has left behind.
pub struct Left {
    /// Its state's name.
    pub state: String,
    /// How many entries it has.
    pub entries: u64,
    /// The call that is in doubt, of it or of a connector.
    pub in_doubt: Option<String>,
    /// Why its record is not whole, if it is not.
    record: Option<String>,
    /// The files that it may change, by path.
    files: BTreeMap<String, Digest>,
    /// What would have gone out.
    effects: Vec<Effect>,
}

/// Looks at what the run on the stage has left.
///
/// # Errors
/// When it cannot be read.
pub fn left(stage: &Stage) -> Result<Left> {
    let shown: Json = serde_json::from_slice(&stage.remit(&["show", "last", "--json"])?.stdout).unwrap_or_default();
    let mut files = BTreeMap::new();
    for (number, folder) in stage.stage_folders().enumerate() {
        add_files(&folder, &number.to_string(), &mut files).or_fail(Exit::HostFailed, "cannot read what a run left")?;
    }
    let broken = ["verify", "replay"].into_iter().map(|check| Ok((check, stage.remit(&[check, "last"])?)));
    let broken: Vec<_> = broken.collect::<Result<_>>()?;
    let broken = broken.into_iter().find(|(_, said)| said.code != Some(0));
    Ok(Left {
        state: shown["state"].as_str().unwrap_or(NOT_THERE).to_owned(),
        entries: shown["entries"].as_u64().unwrap_or_default(),
        in_doubt: in_doubt(stage)?,
        record: broken.map(|(check, said)| format!("`remit {check}` fails: {}", said.last_line())),
        files,
        effects: effects(&stage.home())?,
    })
}

/// Returns the call that is in doubt, of any run on the stage.
fn in_doubt(stage: &Stage) -> Result<Option<String>> {
    let runs: Json = serde_json::from_slice(&stage.remit(&["runs", "--json"])?.stdout).unwrap_or_default();
    let Some(run) = runs.as_array().into_iter().flatten().find(|run| run["state"] == "in-doubt") else {
        return Ok(None);
    };
    let id = run["run"].as_str().unwrap_or("last");
    let shown: Json = serde_json::from_slice(&stage.remit(&["show", id, "--json"])?.stdout).unwrap_or_default();
    let call = &shown["in-doubt"][0];
    let plugin = run["header"]["plugin"]["name"].as_str().unwrap_or("a plugin");
    Ok(Some(format!("entry {} of {plugin}, {}", call["entry"], call["function"].as_str().unwrap_or("a call"))))
}

fn add_files(folder: &Path, name: &str, files: &mut BTreeMap<String, Digest>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{name}/{}", entry.file_name().to_string_lossy());
        match entry.file_type()?.is_dir() {
            true => add_files(&entry.path(), &name, files)?,
            false => drop(files.insert(name, Digest::of(&fs::read(entry.path())?))),
        }
    }
    Ok(())
}

impl Left {
    /// Tells whether the run has come to an end.
    pub fn is_ended(&self) -> bool {
        ![NOT_THERE, "running", "interrupted", "suspended", "paused", "in-doubt", "queued"].contains(&&*self.state)
    }

    fn paths(&self) -> BTreeSet<&String> {
        self.files.keys().collect()
    }
}

/// How much of a request tells it from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Whole,
    WithoutBody,
    Method,
}

impl Told {
    fn of(self, effect: &Effect) -> String {
        match self {
            Self::Whole => {
                format!("{} {} with body {}", effect.method, effect.url, &effect.body[..8.min(effect.body.len())])
            }
            Self::WithoutBody => format!("{} {}", effect.method, effect.url),
            Self::Method => effect.method.clone(),
        }
    }
}

/// How often each request came: with different keys, and at all.
type Counts = BTreeMap<String, (usize, usize)>;

fn counts(effects: &[Effect], told: Told) -> Counts {
    let mut keys = BTreeMap::<String, BTreeSet<&str>>::new();
    let mut counts = Counts::new();
    for effect in effects {
        let name = told.of(effect);
        let keys = keys.entry(name.clone()).or_default();
        keys.extend(effect.key.as_deref());
        let (distinct, all) = counts.entry(name).or_default();
        (*distinct, *all) = (keys.len(), *all + 1);
    }
    counts
}

/// What runs leave that nobody kills: what two of them agree on.
pub struct Likeness {
    first: Left,
    told: Option<Told>,
    files: Option<bool>,
}

impl Likeness {
    /// Compares two of them.
    pub fn of(first: Left, second: Left) -> Self {
        let agree = |told: &Told| counts(&first.effects, *told) == counts(&second.effects, *told);
        let told = [Told::Whole, Told::WithoutBody, Told::Method].into_iter().find(agree);
        let files = match (first.files == second.files, first.paths() == second.paths()) {
            (true, _) => Some(true),
            (false, true) => Some(false),
            (false, false) => None,
        };
        Self { first, told, files }
    }

    /// Says what is compared.
    pub fn compared(&self) -> String {
        let files = match self.files {
            Some(true) => "files",
            Some(false) => "the names of files, which differ from run to run",
            None => "no files, because two runs leave others",
        };
        let effects = match self.told {
            Some(Told::Whole) => "requests",
            Some(Told::WithoutBody) => "requests, but for their bodies, which differ from run to run",
            Some(Told::Method) => "how many requests there are of each method",
            None => "no requests, because two runs send others",
        };
        format!("the end, the record, {files}, {effects}")
    }

    /// Returns what is not as it should be.
    pub fn broken(&self, left: &Left) -> Option<String> {
        let mut record = left.record.clone();
        if !left.is_ended() {
            // It goes on, so a replay comes to no end.
            record = record.filter(|record| record.contains("verify"));
        }
        record
            .or_else(|| self.sent_wrong(left))
            .or_else(|| left.is_ended().then(|| self.ended_otherwise(left)).flatten())
    }

    fn ended_otherwise(&self, left: &Left) -> Option<String> {
        if left.state != self.first.state {
            return Some(format!("it is {}, and was {} without the crash", left.state, self.first.state));
        }
        let differ = match self.files {
            Some(true) => left.files != self.first.files,
            Some(false) => left.paths() != self.first.paths(),
            None => false,
        };
        let other = |(name, digest): &(&String, &Digest)| self.first.files.get(*name) != Some(digest);
        let missing = self.first.paths().into_iter().find(|path| !left.files.contains_key(*path));
        let changed = left.files.iter().find(other).map(|(name, _)| name);
        differ.then(|| format!("the files are others, such as {}", missing.or(changed).map_or("one", |name| name)))
    }

    /// Compares what went out: every key once, and what has none no more often.
    fn sent_wrong(&self, left: &Left) -> Option<String> {
        let told = self.told?;
        let (wanted, sent) = (counts(&self.first.effects, told), counts(&left.effects, told));
        let names: BTreeSet<_> = wanted.keys().chain(sent.keys()).collect();
        names.into_iter().find_map(|name| {
            let (keys_wanted, all_wanted) = wanted.get(name).copied().unwrap_or_default();
            let (keys, all) = sent.get(name).copied().unwrap_or_default();
            let is_keyed = keys_wanted > 0 || keys > 0;
            let is_read = ["GET", "HEAD", "OPTIONS"].iter().any(|method| name.split(' ').next() == Some(method));
            let (got, most, least) = match () {
                () if is_keyed => (keys, keys_wanted, keys_wanted),
                () if is_read => (all, usize::MAX, all_wanted),
                () => (all, all_wanted, all_wanted),
            };
            let least = if left.is_ended() { least } else { 0 };
            (got > most || got < least).then(|| {
                let unit = if is_keyed { "under different keys " } else { "" };
                format!("{name} was sent {unit}{got} times, and {least} times without the crash")
            })
        })
    }
}
