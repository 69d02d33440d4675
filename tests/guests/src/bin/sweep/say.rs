//! One line per call.

use remit_sdk::bindings::remit::plugin::{approval, config, kv, model, signal, timer};
use wasip2::{filesystem, io::streams::StreamError, sockets};

/// An error that has a code.
pub trait Code {
    /// Returns the code as WIT names it.
    fn code(&self) -> String;
}

impl Code for filesystem::types::ErrorCode {
    fn code(&self) -> String {
        self.name().to_owned()
    }
}

impl Code for sockets::network::ErrorCode {
    fn code(&self) -> String {
        self.name().to_owned()
    }
}

impl Code for StreamError {
    fn code(&self) -> String {
        match self {
            Self::Closed => "closed".to_owned(),
            Self::LastOperationFailed(_) => "last-operation-failed".to_owned(),
        }
    }
}

impl Code for config::Error {
    fn code(&self) -> String {
        match self {
            Self::Denied => "denied".to_owned(),
        }
    }
}

impl Code for approval::Error {
    fn code(&self) -> String {
        match self {
            Self::Denied => "denied".to_owned(),
            error => format!("{error:?}"),
        }
    }
}

impl Code for timer::Error {
    fn code(&self) -> String {
        match self {
            Self::Denied => "denied".to_owned(),
        }
    }
}

impl Code for signal::Error {
    fn code(&self) -> String {
        match self {
            Self::Denied => "denied".to_owned(),
            Self::CannotWait => "cannot-wait".to_owned(),
        }
    }
}

impl Code for kv::Error {
    fn code(&self) -> String {
        match self {
            Self::Denied => "denied".to_owned(),
            Self::InvalidKey => "invalid-key".to_owned(),
        }
    }
}

impl Code for model::Error {
    fn code(&self) -> String {
        match self {
            Self::Denied => "denied".to_owned(),
            error => format!("{error:?}"),
        }
    }
}

/// Says that a function without a result was called, and returns what it gave.
pub fn done<T>(function: &str, value: T) -> T {
    println!("{function}: ok");
    value
}

/// Says how a function that may refuse answered, and returns what it gave.
pub fn answered<T, E: Code>(function: &str, answer: Result<T, E>) -> Option<T> {
    match answer {
        Ok(value) => Some(done(function, value)),
        Err(error) => {
            println!("{function}: error {}", error.code());
            None
        }
    }
}
