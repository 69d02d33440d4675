//! What comes of a connector call: the result in the recorded form, or why there is none.
//!
//! Recorded as a byte that says which, then the result as it is, or the failure's parts. A failure is recorded like a
//! result, so that a replay meets it at the same place.

use serde_json::{Value as Json, json};

use crate::gate::Value;
use crate::gate::value::Malformed;
use crate::id::RunId;
use crate::meter::Usage;

/// The answer to one call, and what it took.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// The result in the recorded form, or why there is none.
    pub outcome: Result<Vec<u8>, Failed>,
    /// What the connector used for it, and those that it called.
    pub usage: Usage,
}

/// Why a connector call has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// The connector's name.
    pub connector: String,
    /// Its run; nothing where it has none, because it did not start or was not asked.
    pub run: Option<RunId>,
    /// What happened.
    pub why: Why,
    /// The same for people: `trapped: …`.
    pub message: String,
}

/// What kept a connector from answering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Why {
    /// The caller's remit does not allow the call.
    Denied = 0,
    /// It could not be started.
    NotStarted = 1,
    /// It crashed, or crossed a limit of its own run.
    Ended = 2,
    /// The call took longer than it may.
    Late = 3,
    /// Connectors call each other too deep.
    TooDeep = 4,
}

impl Why {
    const ALL: [Self; 5] = [Self::Denied, Self::NotStarted, Self::Ended, Self::Late, Self::TooDeep];

    /// Returns the word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::NotStarted => "not-started",
            Self::Ended => "ended",
            Self::Late => "late",
            Self::TooDeep => "too-deep",
        }
    }
}

impl Failed {
    /// Returns the failure of a call that the caller's remit does not allow.
    pub fn denied(connector: String, message: String) -> Self {
        Self { connector, run: None, why: Why::Denied, message }
    }
}

impl Answered {
    /// Returns an answer that cost nothing.
    pub fn failed(failed: Failed) -> Self {
        Self { outcome: Err(failed), usage: Usage::default() }
    }
}

impl Value for Answered {
    fn encode(&self, out: &mut Vec<u8>) {
        match &self.outcome {
            Ok(result) => {
                out.reserve(result.len() + 1);
                out.push(0);
                out.extend_from_slice(result);
            }
            Err(failed) => {
                out.push(1);
                out.push(failed.why as u8);
                failed.connector.encode(out);
                failed.run.map(|run| run.to_string()).encode(out);
                failed.message.encode(out);
            }
        }
    }

    /// Reads a whole outcome: a result goes to the end.
    fn decode(input: &mut &[u8]) -> Result<Self, Malformed> {
        if bool::decode(input)? {
            return decode_failed(input).map(Self::failed);
        }
        let result = std::mem::take(input).to_vec();
        Ok(Self { outcome: Ok(result), usage: Usage::default() })
    }

    fn json(&self) -> Json {
        match &self.outcome {
            Ok(result) => json!({ "bytes": result.len() }),
            Err(failed) => failed.json(),
        }
    }

    fn usage(&self) -> Option<&Usage> {
        Some(&self.usage)
    }
}

impl Failed {
    /// Returns the form that people and `--json` see.
    pub fn json(&self) -> Json {
        json!({ "failed": {
            "connector": self.connector, "run": self.run, "why": self.why.name(), "message": self.message,
        } })
    }
}

fn decode_failed(input: &mut &[u8]) -> Result<Failed, Malformed> {
    let why = *Why::ALL.get(usize::from(u8::decode(input)?)).ok_or(Malformed)?;
    let connector = String::decode(input)?;
    let run = Option::<String>::decode(input)?;
    let run = run.map(|run| run.parse().map_err(|_| Malformed)).transpose()?;
    Ok(Failed { connector, run, why, message: String::decode(input)? })
}
