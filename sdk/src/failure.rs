//! How an agent fails: a kind its caller can act on, a sentence for a person, details for a program.
//!
//! `?` turns any standard error into a [`Failure`]. For that, as in other crates of this sort, `Failure` is not itself a
//! `std::error::Error`.

use std::{any::Any, error::Error, fmt, io, iter};

use serde_json::{Value, json};

use crate::{approval, bindings, config, http, kv, model, signal, timer, tools};

/// Why a run failed, by what its caller can do about it.
pub use crate::bindings::remit::plugin::types::FailureKind;

/// The result of an agent, and of whatever it is made of.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// A run's typed, unsuccessful end.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    kind: FailureKind,
    message: String,
    details: Option<Value>,
}

impl Failure {
    /// Returns a failure of this kind. `message` is one sentence for a person, naming the culprit.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), details: None }
    }

    /// Returns a failure because the input is not what the agent expects: the same input will fail again.
    pub fn invalid_input(message: impl Into<String>) -> Self {
        Self::new(FailureKind::InvalidInput, message)
    }

    /// Returns a failure because the remit lacks something: a wider grant may help.
    pub fn denied(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Denied, message)
    }

    /// Returns a failure because something outside did not answer: the same run may succeed later.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Unavailable, message)
    }

    /// Returns a failure for any other reason.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Internal, message)
    }

    /// Adds details for a program to read, in place of any it has.
    #[must_use]
    pub fn with_details(mut self, details: Value) -> Self {
        self.details = Some(details);
        self
    }

    /// Adds, as details, what lies behind `error`. An error with nothing behind it adds nothing.
    #[must_use]
    pub fn with_source(mut self, error: &dyn Error) -> Self {
        let causes = iter::successors(error.source(), |&cause| cause.source());
        let causes: Vec<_> = causes.map(ToString::to_string).collect();
        if !causes.is_empty() {
            self.details = Some(json!({ "causes": causes }));
        }
        self
    }

    /// Returns what the caller can do about it.
    pub fn kind(&self) -> FailureKind {
        self.kind
    }

    /// Returns the sentence for a person.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the details for a program.
    pub fn details(&self) -> Option<&Value> {
        self.details.as_ref()
    }

    pub(crate) fn into_wit(self) -> bindings::Failure {
        bindings::Failure {
            kind: self.kind,
            message: self.message,
            details: self.details.map(|details| details.to_string()),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// An error of the remit (from [`approval`], [`config`], [`http`], [`kv`], [`model`], [`signal`], [`timer`], [`tools`], or
/// the "permission denied" of `std::io`) keeps its kind, and so does a destination or a model that does not answer; any
/// other is internal.
impl<E: Error + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(kind_of(&error), error.to_string()).with_source(&error)
    }
}

fn kind_of(error: &dyn Any) -> FailureKind {
    let refused_file =
        || error.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::PermissionDenied);
    let refused_key = || error.downcast_ref::<kv::Error>().is_some_and(kv::Error::is_denied);
    let refused_value = || error.downcast_ref::<config::Error>().is_some_and(config::Error::is_denied);
    if let Some(error) = error.downcast_ref::<http::Error>() {
        return kind_of_remote(error.is_denied(), error.is_temporary());
    }
    if let Some(error) = error.downcast_ref::<model::Error>() {
        return kind_of_remote(error.is_denied(), error.is_temporary());
    }
    let refused_tool = || error.downcast_ref::<tools::Error>().is_some_and(tools::Error::is_denied);
    let refused_timer = || error.downcast_ref::<timer::Error>().is_some_and(timer::Error::is_denied);
    let refused_signal = || error.downcast_ref::<signal::Error>().is_some_and(signal::Error::is_denied);
    let refused_person = || error.downcast_ref::<approval::Error>().is_some_and(approval::Error::is_denied);
    let refused_wait = || refused_timer() || refused_signal() || refused_person();
    let is_refused = refused_file() || refused_key() || refused_value() || refused_tool() || refused_wait();
    if is_refused { FailureKind::Denied } else { FailureKind::Internal }
}

fn kind_of_remote(is_denied: bool, is_temporary: bool) -> FailureKind {
    match (is_denied, is_temporary) {
        (true, _) => FailureKind::Denied,
        (_, true) => FailureKind::Unavailable,
        _ => FailureKind::Internal,
    }
}

/// Says what was being done when something failed.
pub trait Context<T> {
    /// Puts `what` and a colon before the failure's message. A missing value fails with `what` alone.
    ///
    /// # Errors
    ///
    /// Fails whenever `self` does, with the same kind and details.
    fn context(self, what: impl fmt::Display) -> Result<T>;
}

impl<T, E: Into<Failure>> Context<T> for Result<T, E> {
    fn context(self, what: impl fmt::Display) -> Result<T> {
        self.map_err(|error| {
            let failure = error.into();
            Failure { message: format!("{what}: {}", failure.message), ..failure }
        })
    }
}

impl<T> Context<T> for Option<T> {
    fn context(self, what: impl fmt::Display) -> Result<T> {
        self.ok_or_else(|| Failure::internal(what.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(failure: Failure, kind: FailureKind, message: &str, details: Option<Value>) {
        assert_eq!(failure, Failure { kind, message: message.to_owned(), details });
    }

    #[test]
    fn any_error_becomes_a_failure() {
        let error = "x".parse::<u8>().expect_err("not a number");
        check(error.into(), FailureKind::Internal, "invalid digit found in string", None);
    }

    #[test]
    fn a_refusal_by_the_remit_keeps_its_kind() {
        let file = io::Error::new(io::ErrorKind::PermissionDenied, "no");
        check(file.into(), FailureKind::Denied, "no", None);
        let key = kv::Error::Denied { key: "a/b".to_owned() };
        check(key.into(), FailureKind::Denied, "the remit does not allow this access to kv a/b", None);
        let value = config::Error::Denied { key: "REGION".to_owned() };
        check(value.into(), FailureKind::Denied, "the remit does not allow the configuration value REGION", None);
        let sleep = timer::Error::Denied;
        check(sleep.into(), FailureKind::Denied, "the remit does not allow a timer so long", None);
        check(approval::Error::Denied.into(), FailureKind::Denied, "the remit does not allow asking a person", None);
        let go = signal::Error::Denied { name: "go".to_owned() };
        check(go.into(), FailureKind::Denied, "the remit does not allow the signal go", None);
    }

    #[test]
    fn a_destination_that_does_not_answer_is_unavailable() {
        let request = "GET https://a.b/".to_owned();
        let denied = http::Error::Denied { request: request.clone() };
        check(denied.into(), FailureKind::Denied, "the remit does not allow GET https://a.b/", None);
        let failed = http::Error::Failed { request, code: "connection refused".to_owned() };
        check(failed.into(), FailureKind::Unavailable, "GET https://a.b/ failed: connection refused", None);
        let late = model::Error::Deadline { tier: "small".to_owned() };
        check(late.into(), FailureKind::Unavailable, "model small did not answer in time", None);
    }

    #[test]
    fn what_lies_behind_an_error_becomes_details() {
        #[derive(Debug)]
        struct Outer(std::num::ParseIntError);
        impl fmt::Display for Outer {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bad line")
            }
        }
        impl Error for Outer {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                Some(&self.0)
            }
        }
        let error = Outer("x".parse::<u8>().expect_err("not a number"));
        let causes = json!({ "causes": ["invalid digit found in string"] });
        check(error.into(), FailureKind::Internal, "bad line", Some(causes));
    }

    #[test]
    fn context_goes_before_the_message_and_keeps_the_rest() {
        let failed: Result<()> = Err(Failure::denied("no access").with_details(json!(1)));
        let failure = failed.context("notes/a.md").expect_err("failed");
        check(failure, FailureKind::Denied, "notes/a.md: no access", Some(json!(1)));
        check(None::<()>.context("no notes").expect_err("none"), FailureKind::Internal, "no notes", None);
    }

    #[test]
    fn details_cross_to_the_host_as_one_json_text() {
        let wit = Failure::unavailable("later").with_details(json!({ "after_s": 5 })).into_wit();
        assert_eq!((wit.message.as_str(), wit.details.as_deref()), ("later", Some(r#"{"after_s":5}"#)));
    }
}
