//! One line a step: its name, and the value or the error with its whole text.

use std::{fmt::Debug, io};

/// Tells how a step of the standard library went, and returns what it gave.
pub fn tell<T: Debug>(name: &str, outcome: io::Result<T>) -> Option<T> {
    match &outcome {
        Ok(value) => println!("{name}: {value:?}"),
        Err(error) => println!("{name}: {:?}: {error}", error.kind()),
    }
    outcome.ok()
}

/// As [`tell`], for what has nothing to show but that it came.
pub fn told<T>(name: &str, outcome: io::Result<T>) -> Option<T> {
    match &outcome {
        Ok(_) => println!("{name}: ok"),
        Err(error) => println!("{name}: {:?}: {error}", error.kind()),
    }
    outcome.ok()
}

/// Tells how a call of an interface went, and returns what it gave.
pub fn called<T, E: Debug>(name: &str, outcome: Result<T, E>) -> Option<T> {
    match &outcome {
        Ok(_) => println!("{name}: ok"),
        Err(error) => println!("{name}: {error:?}"),
    }
    outcome.ok()
}

/// As [`called`], with the value.
pub fn answered<T: Debug, E: Debug>(name: &str, outcome: Result<T, E>) -> Option<T> {
    println!("{name}: {outcome:?}");
    outcome.ok()
}
