//! What comes of a connector call: the result in the recorded form, or why there is none.
//!
//! Recorded as a byte that says which, then the result as it is, or the failure's parts. A failure is recorded like a
//! result, so that a replay meets it at the same place.

use serde_json::{Value as Json, json};

use crate::gate::Value;
use crate::gate::value::Malformed;
use crate::meter::Usage;

pub use crate::gate::{Failed, Why};

/// The answer to one call, and what it took.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// The result in the recorded form, or why there is none.
    pub outcome: Result<Vec<u8>, Failed>,
    /// What the connector used for it, and those that it called.
    pub usage: Usage,
}

impl Answered {
    /// Returns an answer that cost nothing.
    pub fn failed(failed: Failed) -> Self {
        Self { outcome: Err(failed), usage: Usage::default() }
    }

    /// Returns why there is no answer yet, where the connector is parked.
    pub fn parked(&self) -> Option<String> {
        self.outcome.as_ref().err().filter(|failed| failed.why == Why::Parked).map(ToString::to_string)
    }

    /// Tells whether a connector may have begun to answer: not one that could not be started.
    pub fn was_asked(&self) -> bool {
        let is_unasked = |failed: &Failed| failed.run.is_none() && matches!(failed.why, Why::NotStarted | Why::TooDeep);
        !self.outcome.as_ref().is_err_and(is_unasked)
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
            Err(failed) => json!({ "failed": failed }),
        }
    }

    fn usage(&self) -> Option<&Usage> {
        Some(&self.usage)
    }
}

/// What a recorded failure says kept the connector, by position.
const WHY: [Why; 6] = [Why::Denied, Why::NotStarted, Why::Ended, Why::Late, Why::TooDeep, Why::Parked];

fn decode_failed(input: &mut &[u8]) -> Result<Failed, Malformed> {
    let why = *WHY.get(usize::from(u8::decode(input)?)).ok_or(Malformed)?;
    let connector = String::decode(input)?;
    let run = Option::<String>::decode(input)?;
    let run = run.map(|run| run.parse().map_err(|_| Malformed)).transpose()?;
    Ok(Failed { connector, run, why, message: String::decode(input)? })
}
