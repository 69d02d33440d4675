//! Secrets that the host adds to requests on their way out: where to, and in which header or query field. What a
//! secret is, a declaration never says: the operator binds the name to stored bytes.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::capabilities::{self, Table};
use super::errors::{Fault, Problem, Problems};
use super::http::{Place, by_text, read_place};
use super::name::Name;
use super::section::{Malformed, Section, text};

/// Bytes in the name of a header or of a query field.
const SLOT_LEN_MAX: usize = 128;

/// Headers that say where a message goes, where it ends or how it is carried: those are the host's.
const RESERVED: [&str; 11] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "idempotency-key",
];

/// Where in a request a secret goes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Slot {
    /// A header, by its name in lower case.
    Header(String),
    /// A field of the query.
    Query(String),
}
by_text!(Slot);

impl Slot {
    fn header(name: &str) -> Result<Self, Malformed> {
        let wrong = Malformed::new(name, "the name of a header, such as \"authorization\"");
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        let lower = name.to_ascii_lowercase();
        if RESERVED.contains(&lower.as_str()) {
            return Err(wrong.hint("the host writes this header itself"));
        }
        let fits = (1..=SLOT_LEN_MAX).contains(&name.len()) && name.bytes().all(token);
        if fits { Ok(Self::Header(lower)) } else { Err(wrong) }
    }

    fn query(name: &str) -> Result<Self, Malformed> {
        let shaped = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        if (1..=SLOT_LEN_MAX).contains(&name.len()) && name.bytes().all(shaped) {
            return Ok(Self::Query(name.to_owned()));
        }
        Err(Malformed::new(name, "the name of a query field: letters, digits, -, ., _ and ~"))
    }

    /// Returns the line of a declaration that says the slot.
    pub fn to_toml(&self) -> String {
        match self {
            Self::Header(name) => format!("header = {}\n", toml::Value::from(name.as_str())),
            Self::Query(name) => format!("query = {}\n", toml::Value::from(name.as_str())),
        }
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name) => write!(f, "header {name}"),
            Self::Query(name) => write!(f, "query {name}"),
        }
    }
}

impl FromStr for Slot {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        match text.split_once(' ') {
            Some(("header", name)) => Self::header(name),
            Some(("query", name)) => Self::query(name),
            _ => Err(Malformed::new(text, "`header NAME` or `query NAME`")),
        }
    }
}

/// A secret that goes with requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Secret {
    /// Where to.
    #[serde(flatten)]
    pub place: Place,
    /// In which header or query field.
    pub slot: Slot,
}

/// Reads the tables `[capabilities.secrets.NAME]`; `each` reads what else a table has.
pub(super) fn read_secrets<T>(
    section: &Section<'_>,
    problems: &mut Problems,
    mut each: impl FnMut(&Section<'_>, &mut Problems, &Name, Secret) -> Option<T>,
) -> BTreeMap<Name, T> {
    let mut read = BTreeMap::new();
    let mut earlier: Vec<(Name, Secret)> = Vec::new();
    for Table { name, section } in capabilities::named_tables::<Name>(section, problems, "secrets") {
        let (place, slot) = (read_place(&section, problems), read_slot(&section, problems));
        let secret = place.zip(slot).map(|(place, slot)| Secret { place, slot });
        if let Some(secret) = &secret {
            check_apart(&section, problems, &earlier, secret);
            earlier.push((name.clone(), secret.clone()));
        }
        let value = secret.and_then(|secret| each(&section, problems, &name, secret));
        read.extend(value.map(|value| (name, value)));
    }
    read
}

fn read_slot(section: &Section<'_>, problems: &mut Problems) -> Option<Slot> {
    if section.has("header") && section.has("query") {
        problems.push(Problem {
            fault: Fault::Conflict,
            title: format!("`{}`: there is a header already", section.path_of("query")),
            label: "a secret goes to one place of a request".to_owned(),
            hint: None,
            span: section.span_of("query"),
        });
    }
    if section.has("query") {
        return section.optional(problems, "query", |node| Slot::query(text(node)?));
    }
    section.required(problems, "header", |node| Slot::header(text(node)?))
}

/// Reports a second secret for the same header or field of the same request.
fn check_apart(section: &Section<'_>, problems: &mut Problems, earlier: &[(Name, Secret)], secret: &Secret) {
    let shares = |other: &Secret| other.slot == secret.slot && other.place.intersect(&secret.place).is_some();
    if let Some((other, _)) = earlier.iter().find(|(_, other)| shares(other)) {
        let key = if section.has("query") { "query" } else { "header" };
        problems.push(Problem {
            fault: Fault::Conflict,
            title: format!("`{}`: `secrets.{other}` goes there too", section.path_of(key)),
            label: "some requests would need two values here".to_owned(),
            hint: None,
            span: section.span_of(key),
        });
    }
}
