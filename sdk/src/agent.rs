//! From the host's `run(string)` to an author's typed function, and back.
//!
//! [`agent!`](crate::agent!) is the only thing an author sees of it. Input that does not fit becomes an `invalid-input`
//! failure that says what was expected and where; a panic is logged before it traps.

use std::panic;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;

use crate::{Failure, Result, bindings, log};

/// Makes the crate an agent: exports a function as the component's `run`.
///
/// The function takes one value that implements `serde::Deserialize` and returns [`Result`](crate::Result) of one that
/// implements `serde::Serialize`. A path to a function and a closure both work. Use it once per crate.
///
/// ```
/// use remit_sdk::prelude::*;
///
/// #[derive(Deserialize)]
/// struct Input {
///     path: String,
/// }
///
/// fn count_lines(input: Input) -> Result<usize> {
///     Ok(std::fs::read_to_string(&input.path).context(&input.path)?.lines().count())
/// }
///
/// agent!(count_lines);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! agent {
    ($run:expr $(,)?) => {
        const _: () = {
            struct Agent;

            impl $crate::bindings::Guest for Agent {
                fn run(input: String) -> Result<String, $crate::bindings::Failure> {
                    $crate::answer(&input, $run)
                }
            }

    $crate::bindings::export!(Agent with_types_in $crate::bindings);
        };
    };
}

/// Runs an agent on the host's input. For [`agent!`](crate::agent!) only.
#[doc(hidden)]
pub fn answer<I, O>(input: &str, run: impl FnOnce(I) -> Result<O>) -> Result<String, bindings::Failure>
where
    I: DeserializeOwned,
    O: Serialize,
{
    panic::set_hook(Box::new(|panic| log::error(panic)));
    run_on_json(input, run).map_err(Failure::into_wit)
}

fn run_on_json<I: DeserializeOwned, O: Serialize>(input: &str, run: impl FnOnce(I) -> Result<O>) -> Result<String> {
    let output = run(parse_input(input)?)?;
    serde_json::to_string(&output)
        .map_err(|error| Failure::internal(format!("the agent's result is not JSON: {error}")).with_source(&error))
}

fn parse_input<I: DeserializeOwned>(input: &str) -> Result<I> {
    serde_json::from_str(input).map_err(|error| {
        let complaint = if error.is_data() { "is not what this agent expects" } else { "is not JSON" };
        Failure::invalid_input(format!("the input {complaint}: {error}"))
            .with_details(json!({ "line": error.line(), "column": error.column() }))
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::FailureKind;

    #[derive(Deserialize)]
    struct Input {
        count: u32,
    }

    fn double(input: Input) -> Result<u32> {
        input.count.checked_mul(2).ok_or_else(|| Failure::internal("too large"))
    }

    #[track_caller]
    fn check_refused(input: &str, message: &str) {
        let failure = run_on_json(input, double).expect_err("the input should not fit");
        assert_eq!((failure.kind(), failure.message()), (FailureKind::InvalidInput, message));
    }

    #[test]
    fn fitting_input_reaches_the_function() {
        assert_eq!(run_on_json(r#"{"count": 21}"#, double).expect("fits"), "42");
    }

    #[test]
    fn other_input_is_refused_with_what_and_where() {
        check_refused("{}", "the input is not what this agent expects: missing field `count` at line 1 column 2");
        check_refused(
            "{\n\"count\": \"x\"}",
            "the input is not what this agent expects: invalid type: string \"x\", expected u32 at line 2 column 12",
        );
        check_refused("{\"count\": 1", "the input is not JSON: EOF while parsing an object at line 1 column 11");
        check_refused("", "the input is not JSON: EOF while parsing a value at line 1 column 0");
    }

    #[test]
    fn a_failure_of_the_function_is_the_answer() {
        let failure = run_on_json(r#"{"count": 4294967295}"#, double).expect_err("overflows");
        assert_eq!((failure.kind(), failure.message()), (FailureKind::Internal, "too large"));
    }

    #[test]
    fn an_output_without_json_form_is_a_failure() {
        let unkeyed = |_: Input| Ok(std::collections::BTreeMap::from([((1, 2), 3)]));
        let failure = run_on_json(r#"{"count": 1}"#, unkeyed).expect_err("a tuple is no JSON key");
        assert!(failure.message().starts_with("the agent's result is not JSON: "), "{failure}");
    }
}
