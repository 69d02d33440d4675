//! The terms of a grant: how often, and until when.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use toml::de::DeValue;

use super::connector::Interface;
use super::errors::{Fault, Problem, Problems};
use super::http::{Http, by_text};
use super::name::Name;
use super::section::{Malformed, Node, Section, bad_value, text, wrong_type};
use crate::time::Timestamp;

/// The keys that say how often and until when.
pub(super) const TERM_KEYS: [&str; 2] = ["amount", "expires"];

/// The most that an amount can be.
const AMOUNT_MAX: u64 = 1_000_000_000_000;

/// The span over which an amount is counted. Hours and days are those of UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Window {
    /// One run.
    Run,
    /// An hour, over all runs.
    Hour,
    /// A day, over all runs.
    Day,
    /// Always, over all runs.
    Total,
}

impl Window {
    /// Every window.
    pub const ALL: [Self; 4] = [Self::Run, Self::Hour, Self::Day, Self::Total];

    /// Returns how an amount ends: `per day`.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Run => "per run",
            Self::Hour => "per hour",
            Self::Day => "per day",
            Self::Total => "in total",
        }
    }
}

/// The most calls in each window: those that say something. What follows from another one is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Amounts(BTreeMap<Window, u64>);

impl Amounts {
    /// Returns the amounts in normal form.
    pub fn new(mut written: BTreeMap<Window, u64>) -> Self {
        // One window at a time, so that of two that follow from each other one stays.
        for window in Window::ALL {
            if let Some(max) = written.remove(&window) {
                let follows = Self(written.clone()).most(window).is_some_and(|implied| implied <= max);
                if !follows {
                    written.insert(window, max);
                }
            }
        }
        Self(written)
    }

    /// Returns each window that has an amount of its own, and the amount.
    pub fn iter(&self) -> impl Iterator<Item = (Window, u64)> {
        self.0.iter().map(|(window, max)| (*window, *max))
    }

    /// Tells whether nothing is bounded.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the most calls that are possible in a window: its own amount, or what the others leave of it.
    pub fn most(&self, window: Window) -> Option<u64> {
        let own = |window| self.0.get(&window).copied();
        let total = own(Window::Total);
        let in_hours = own(Window::Hour).map(|hourly| hourly.saturating_mul(24));
        let implied = match window {
            Window::Run | Window::Total => None,
            Window::Hour => own(Window::Day),
            Window::Day => in_hours,
        };
        [own(window), implied, total].into_iter().flatten().min()
    }

    /// Tells whether everything that keeps to `narrower` keeps to these amounts.
    pub fn covers(&self, narrower: &Self) -> bool {
        self.iter().all(|(window, max)| narrower.most(window).is_some_and(|theirs| theirs <= max))
    }

    /// Returns the amounts of what keeps to both.
    pub fn intersect(&self, other: &Self) -> Self {
        let mut both = self.0.clone();
        for (window, max) in other.iter() {
            both.entry(window).and_modify(|ours| *ours = max.min(*ours)).or_insert(max);
        }
        Self::new(both)
    }
}

impl fmt::Display for Amounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said: Vec<String> = self.iter().map(|(window, max)| amount(window, max)).collect();
        f.write_str(&said.join(", "))
    }
}

/// Returns an amount as a declaration writes it.
pub fn amount(window: Window, max: u64) -> String {
    format!("{max} {}", window.words())
}

/// The last day on which something holds, in UTC: `2026-12-31`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct LastDay {
    year: u16,
    month: u8,
    day: u8,
}
by_text!(LastDay);

impl LastDay {
    fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match month {
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => 31,
        };
        let exists = (1970..=9999).contains(&year) && (1..=12).contains(&month) && (1..=days).contains(&day);
        exists.then_some(Self { year, month, day })
    }

    /// Returns the first moment after the day.
    pub fn end(self) -> Timestamp {
        Timestamp::from_micros((self.days() + 1) * 86_400_000_000)
    }

    /// Returns the days from 1970-01-01 to this one (Howard Hinnant's `days_from_civil`, for years that are positive).
    fn days(self) -> u64 {
        let (month, day) = (u64::from(self.month), u64::from(self.day));
        let year = u64::from(self.year) - u64::from(month <= 2);
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let (era, year_of_era) = (year / 400, year % 400);
        era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
    }
}

impl fmt::Display for LastDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl FromStr for LastDay {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let shaped = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        let mut parts = text.split('-');
        let mut next = || parts.next().unwrap_or_default().parse::<u16>().unwrap_or_default();
        let (year, month, day) = (next(), next(), next());
        let date = u8::try_from(month).ok().zip(u8::try_from(day).ok());
        let date = date.and_then(|(month, day)| Self::new(year, month, day)).filter(|date| date.to_string() == text);
        date.filter(|_| shaped).ok_or_else(|| Malformed::new(text, "a day such as \"2026-12-31\""))
    }
}

/// How often and until when a section of a grant holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// The most calls in each window.
    pub amounts: Amounts,
    /// The last day.
    pub expires: Option<LastDay>,
}

impl Terms {
    /// Lets nothing hold after `last`.
    pub(super) fn expire_by(&mut self, last: LastDay) {
        self.expires = self.expires.into_iter().chain([last]).min();
    }
}

/// Names what amounts are counted against: a section of a grant, by what it grants and not by how much, so that a
/// changed amount goes on counting: `kv`, `http GET https://api.example.com/*`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RuleId(String);

impl RuleId {
    /// Returns the id of kv.
    pub fn kv() -> Self {
        Self("kv".to_owned())
    }

    /// Returns the id of the files with this name.
    pub fn files(name: &Name) -> Self {
        Self(format!("files.{name}"))
    }

    /// Returns the id of requests by some methods to some places.
    pub(super) fn http(http: &Http) -> Self {
        Self(format!("http {http}"))
    }

    /// Returns the id of the secret with this name.
    pub fn secret(name: &Name) -> Self {
        Self(format!("secrets.{name}"))
    }

    /// Returns the id of models.
    pub fn model() -> Self {
        Self("model".to_owned())
    }

    /// Returns the id of a connector's interface.
    pub fn connector(interface: &Interface) -> Self {
        Self(format!("connectors.\"{interface}\""))
    }

    /// Returns the id of tools.
    pub fn tools() -> Self {
        Self("tools".to_owned())
    }

    /// Returns the id of sleeping.
    pub fn timer() -> Self {
        Self("timer".to_owned())
    }

    /// Returns the id of signals.
    pub fn signal() -> Self {
        Self("signal".to_owned())
    }

    /// Returns the id of asking a person.
    pub fn approval() -> Self {
        Self("approval".to_owned())
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reads `amount`, a text or a list of them, and `expires`.
pub(super) fn read_terms(section: &Section<'_>, problems: &mut Problems) -> Terms {
    let mut amounts = BTreeMap::new();
    for (index, node) in elements(section, problems).into_iter().enumerate() {
        let path = || format!("{}[{index}]", section.path_of("amount"));
        match read_amount(node) {
            Ok((window, max)) if amounts.insert(window, max).is_some() => problems.push(Problem {
                fault: Fault::Conflict,
                title: format!("{}: a second amount {}", path(), window.words()),
                label: "only the lower of both could hold".to_owned(),
                hint: None,
                span: node.span(),
            }),
            Ok(_) => {}
            Err(wrong) => problems.push(bad_value(path(), wrong, node.span())),
        }
    }
    Terms { amounts: Amounts::new(amounts), expires: read_expires(section, problems) }
}

pub(super) fn read_expires(section: &Section<'_>, problems: &mut Problems) -> Option<LastDay> {
    section.optional(problems, "expires", |node| match node.get_ref() {
        DeValue::Datetime(date) => date.to_string().parse(),
        DeValue::String(text) => text.parse(),
        other => Err(wrong_type(other, "a day such as \"2026-12-31\"")),
    })
}

fn elements<'t>(section: &Section<'t>, problems: &mut Problems) -> Vec<&'t Node<'t>> {
    let one_or_many = |node: &'t Node<'t>| match node.get_ref() {
        DeValue::String(_) => Ok(vec![node]),
        DeValue::Array(nodes) if (1..=Window::ALL.len()).contains(&nodes.len()) => Ok(nodes.iter().collect()),
        other => Err(wrong_type(other, "an amount such as \"3 per day\", or a list of 1 to 4 of them")),
    };
    section.optional(problems, "amount", one_or_many).unwrap_or_default()
}

fn read_amount(node: &Node<'_>) -> Result<(Window, u64), Malformed> {
    let text = text(node)?;
    let wrong = || Malformed::new(text, "an amount: \"3 per run\", \"3 per hour\", \"3 per day\" or \"3 in total\"");
    let (number, words) = text.split_once(' ').ok_or_else(wrong)?;
    let window = Window::ALL.into_iter().find(|window| window.words() == words).ok_or_else(wrong)?;
    let digits = number.bytes().all(|b| b.is_ascii_digit()) && !number.starts_with('0');
    let max = number.parse().ok().filter(|max| digits && *max <= AMOUNT_MAX);
    Ok((window, max.ok_or_else(|| wrong().hint("the number is from 1 to 1000000000000, without separators"))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_where_the_next_one_begins() {
        for (text, end) in [
            ("1970-01-01", "1970-01-02 00:00:00"),
            ("2000-02-29", "2000-03-01 00:00:00"),
            ("2026-12-31", "2027-01-01 00:00:00"),
            ("2100-02-28", "2100-03-01 00:00:00"),
            ("9999-12-31", "10000-01-01 00:00:00"),
        ] {
            let day: LastDay = text.parse().unwrap();
            assert_eq!((day.to_string().as_str(), day.end().to_string().as_str()), (text, end));
        }
        for bad in [
            "",
            "2026-02-29",
            "2100-02-29",
            "2026-13-01",
            "2026-00-01",
            "2026-01-32",
            "2026-1-1",
            "1969-12-31",
            "2026-12-31T00:00:00Z",
            "2026/12/31",
            "26-12-31--",
            "+026-12-31",
        ] {
            assert!(bad.parse::<LastDay>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_follows_from_another_amount_is_left_out() {
        let amounts = |pairs: &[(Window, u64)]| Amounts::new(pairs.iter().copied().collect());
        for (written, kept) in [
            (vec![(Window::Day, 5), (Window::Total, 3)], "3 in total"),
            (vec![(Window::Run, 3), (Window::Total, 3)], "3 in total"),
            (vec![(Window::Hour, 2), (Window::Day, 48)], "2 per hour"),
            (vec![(Window::Hour, 2), (Window::Day, 47)], "2 per hour, 47 per day"),
            (vec![(Window::Hour, 5), (Window::Day, 5)], "5 per day"),
            (vec![(Window::Run, 9), (Window::Day, 5)], "9 per run, 5 per day"),
        ] {
            assert_eq!(amounts(&written).to_string(), kept);
        }
        assert!(amounts(&[(Window::Day, 48)]).covers(&amounts(&[(Window::Hour, 2)])));
        assert!(!amounts(&[(Window::Hour, 2)]).covers(&amounts(&[(Window::Day, 48)])));
        assert!(
            amounts(&[]).covers(&amounts(&[(Window::Run, 1)])) && !amounts(&[(Window::Run, 1)]).covers(&amounts(&[]))
        );
    }
}
