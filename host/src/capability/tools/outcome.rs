//! What comes of a tool's call: the result as JSON, an error that the guest reads, or a connector that failed.
//!
//! A failure is recorded with what only the operator is told: which run of the connector it was, and how it ended.

use serde_json::{Value as Json, json};

use super::wit;
use crate::capability::connector::answer::{Answered, Failed, Why};
use crate::capability::connector::json as convert;
use crate::engine::interface::{Function, Type};
use crate::gate::Value;
use crate::gate::value::{Malformed, Mismatch};
use crate::meter::Usage;

/// Bytes that an outcome takes besides the text in it: the cases of a result and of an error, and a length.
const BESIDE_TEXT: usize = 16;

/// What came of a call, and what it took.
#[derive(Debug)]
pub struct Came {
    outcome: Outcome,
    usage: Usage,
}

#[derive(Debug)]
enum Outcome {
    /// What the guest hears.
    Told(Result<String, wit::Error>),
    /// Why the connector did not answer, of which the guest hears a part.
    Failed(Failed),
}

impl Came {
    /// Returns what the host itself answers.
    pub fn told(answer: Result<String, wit::Error>) -> Self {
        Self { outcome: Outcome::Told(answer), usage: Usage::default() }
    }

    /// Returns what came of a connector's answer, as JSON.
    pub fn of(Answered { outcome, usage }: Answered, function: &Function, payload_max: u64) -> Self {
        let outcome = match outcome {
            Ok(result) => Outcome::Told(told(function, &result, payload_max)),
            Err(failed) => Outcome::Failed(failed),
        };
        Self { outcome, usage }
    }

    /// Returns what the guest hears. How a connector failed is for the operator.
    pub fn answer(self) -> Result<String, wit::Error> {
        let failed = match self.outcome {
            Outcome::Told(answer) => return answer,
            Outcome::Failed(failed) => failed,
        };
        let connector = failed.connector;
        Err(wit::Error::Failed(match failed.why {
            Why::Denied => return Err(wit::Error::Denied),
            Why::NotStarted => format!("the connector {connector} could not be started"),
            Why::Ended => format!("the connector {connector} crashed, or crossed one of its limits"),
            Why::Late => format!("the connector {connector} took longer than a call may"),
            Why::TooDeep => format!("the connector {connector} was not called: connectors call each other too deep"),
            Why::Parked => format!("the connector {connector} waits for a person"),
        }))
    }
}

/// Returns a result as JSON text; its error, where the function returns one.
fn told(function: &Function, result: &[u8], payload_max: u64) -> Result<String, wit::Error> {
    let json = convert::result_to_json(function.result.as_ref(), result);
    let json = json.map_err(|error| wit::Error::TooLarge(format!("the result: {error}")))?;
    let answer = match (&function.result, json) {
        (Some(Type::Result { .. }), Json::Object(object)) => match object.into_iter().next() {
            Some((case, value)) if case == "err" => Err(value.to_string()),
            case => Ok(case.map_or(Json::Null, |(_, value)| value).to_string()),
        },
        (_, json) => Ok(json.to_string()),
    };
    let len = answer.as_ref().map_or_else(String::len, String::len);
    if (len + BESIDE_TEXT) as u64 > payload_max {
        return Err(wit::Error::TooLarge(format!("the result has {len} bytes as JSON, at most {payload_max} fit")));
    }
    answer.map_err(wit::Error::Returned)
}

/// The number of the case in which the connector failed, after those of a result.
const FAILED: u8 = 2;

impl Value for Came {
    fn encode(&self, out: &mut Vec<u8>) {
        match &self.outcome {
            Outcome::Told(answer) => answer.encode(out),
            Outcome::Failed(failed) => {
                out.push(FAILED);
                Answered::failed(failed.clone()).encode(out);
            }
        }
    }

    fn decode(input: &mut &[u8]) -> Result<Self, Malformed> {
        let Some((&FAILED, mut rest)) = input.split_first() else {
            return Result::<String, wit::Error>::decode(input).map(Self::told);
        };
        let outcome = Answered::decode(&mut rest)?.outcome;
        *input = rest;
        let outcome = Outcome::Failed(outcome.err().ok_or(Malformed)?);
        Ok(Self { outcome, usage: Usage::default() })
    }

    fn json(&self) -> Json {
        match &self.outcome {
            Outcome::Told(answer) => json!([answer.json()]),
            Outcome::Failed(failed) => json!([Answered::failed(failed.clone()).json()]),
        }
    }

    /// Reads what a guest may have heard: that a connector failed is the host's to say.
    fn from_json(json: &Json) -> Result<Self, Mismatch> {
        let (answer,) = <(Result<String, wit::Error>,)>::from_json(json)?;
        Ok(Self::told(answer))
    }

    fn usage(&self) -> Option<&Usage> {
        Some(&self.usage)
    }
}
