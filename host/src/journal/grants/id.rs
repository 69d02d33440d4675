//! The names of grants: short, because people type them, and never given twice.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Names a grant of this home, for ever. Prints as `g3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct GrantId(pub(super) u64);

/// The text was not a grant's id.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a grant is named like g3: `remit grants` lists them")]
pub struct NotAGrantId;

impl fmt::Display for GrantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "g{}", self.0)
    }
}

impl FromStr for GrantId {
    type Err = NotAGrantId;

    fn from_str(text: &str) -> Result<Self, NotAGrantId> {
        let digits = text.strip_prefix('g').unwrap_or(text);
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
        digits.parse().ok().filter(|_| plain).map(Self).ok_or(NotAGrantId)
    }
}

impl From<GrantId> for String {
    fn from(id: GrantId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for GrantId {
    type Error = NotAGrantId;

    fn try_from(text: String) -> Result<Self, NotAGrantId> {
        text.parse()
    }
}
