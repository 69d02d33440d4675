//! What the stored grants of a plugin say together.

use std::fmt;

use serde::Serialize;

use super::exit::Exit;
use super::report::{Failure, Result};
use super::sections::Section;
use super::session::Session;
use crate::config;
use crate::digest::Digest;
use crate::id::RunId;
use crate::journal::{self, Answer, Journal, StoredGrant};
use crate::manifest::{self, Ceiling, Window};
use crate::scope::Remit;
use crate::time::Timestamp;

/// The answers that stand for one build of a plugin.
#[derive(Clone, Debug, Default)]
pub struct Stored {
    /// Yes.
    pub granted: Vec<StoredGrant>,
    /// No, for good.
    pub refused: Vec<StoredGrant>,
    /// Yes, for this time.
    pub once: Vec<Section>,
}

impl Stored {
    /// Reads the answers that stand at `now`.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn of(journal: &Journal, identity: &str, component: Digest, now: Timestamp) -> Result<Self> {
        let all = journal.standing_grants(identity, component, now)?;
        let (granted, refused) = all.into_iter().partition(|stored| stored.grant.answer == Answer::Granted);
        Ok(Self { granted, refused, once: Vec::new() })
    }

    /// Tells whether nobody has answered anything.
    pub fn is_empty(&self) -> bool {
        self.granted.is_empty() && self.refused.is_empty() && self.once.is_empty()
    }

    /// Returns what is granted, as one grant.
    ///
    /// # Errors
    /// When two of the grants share a request, and it is not clear what holds for it.
    pub fn grant(&self) -> Result<manifest::Grant> {
        let stored = together(self.granted.iter().map(|stored| stored.grant.scope.as_str()))?;
        let once = together(self.once.iter().map(|section| section.scope.as_str()))?;
        stored.amended_by(once).map_err(|shared| Failure::from_error(Exit::Usage, shared))
    }

    /// Returns what the header of a run calls the grants: their names, and the text of what has none.
    pub fn names(&self) -> Vec<String> {
        let once = self.once.iter().map(|section| section.scope.clone());
        self.granted.iter().map(|stored| stored.id.to_string()).chain(once).collect()
    }
}

/// Returns the sections as one grant.
///
/// # Errors
/// With [`Exit::Usage`], when two share a request.
pub fn together<'a>(scopes: impl Iterator<Item = &'a str>) -> Result<manifest::Grant> {
    let text: String = scopes.collect::<Vec<_>>().join("\n");
    manifest::Grant::parse("the grants", &text).map_err(|errors| Failure::from_error(Exit::Usage, errors))
}

/// Returns what the operator's configuration allows at most.
///
/// # Errors
/// When the configuration cannot be read.
pub fn ceiling(session: &Session) -> Result<Ceiling> {
    Ok(config::read(session.home().path())?.ceiling)
}

/// How much of an amount of a grant is used, over all runs.
#[derive(Clone, Debug, Serialize)]
pub struct Used {
    /// Over which span.
    pub window: Window,
    /// How much is used or reserved in the current one.
    pub used: u64,
    /// The most.
    pub max: u64,
    /// How much is left.
    pub left: u64,
    /// When the span ends and a new one begins; nothing for [`Window::Total`].
    #[serde(serialize_with = "as_text", skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

fn as_text<S: serde::Serializer>(until: &Option<Timestamp>, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.collect_str(&until.unwrap_or_default())
}

impl Used {
    /// Returns how much is used of what a grant counts over all runs.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn of(journal: &Journal, grant: &journal::Grant, now: Timestamp) -> Result<Vec<Self>> {
        let parsed = together([grant.scope.as_str()].into_iter())?;
        let http = parsed.http.iter().map(|entry| (entry.http.rule(), &entry.terms.amounts));
        let counted = parsed.terms.iter().map(|(rule, terms)| (rule.clone(), &terms.amounts)).chain(http);
        let mut all = Vec::new();
        for (rule, amounts) in counted {
            // What is counted for each run begins with each run: none of it is used outside one.
            for (window, max) in amounts.iter().filter(|(window, _)| *window != Window::Run) {
                let no_run = RunId::from_bytes([0; 16]);
                let used = journal.amount_used(&grant.identity, &rule, window, no_run, now)?;
                let until = journal::span_end(window, now);
                all.push(Self { window, used, max, left: max.saturating_sub(used), until });
            }
        }
        Ok(all)
    }
}

impl fmt::Display for Used {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} used, {} left", self.used, manifest::amount(self.window, self.max), self.left)?;
        self.until.map_or(Ok(()), |until| write!(f, " until {until} UTC"))
    }
}

/// Returns a stored grant in words: the capability and its scope.
pub fn words(grant: &journal::Grant) -> (String, String) {
    let section = grant.section.as_str();
    let parsed = manifest::Grant::parse("a grant", &grant.scope).unwrap_or_default();
    let lines = Remit::from_grant(&parsed).describe(None);
    // A grant that says nothing about the log does not narrow it.
    let own = lines.into_iter().filter(|line| line.capability != "log" || section == "log");
    let scopes: Vec<String> = own.map(|line| line.scope).collect();
    let capability = if section.starts_with("http ") { "http" } else { section };
    let scope = if scopes.is_empty() { one_line(&grant.scope) } else { scopes.join("; ") };
    (capability.to_owned(), scope)
}

/// Returns TOML that only limits use on one line, for a table.
fn one_line(toml: &str) -> String {
    toml.lines().filter(|line| !line.starts_with('[')).collect::<Vec<_>>().join(", ")
}
