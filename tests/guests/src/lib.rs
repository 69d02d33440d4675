//! What the guests share: arguments in, one line per step out.

use std::{env, io, str::FromStr};

/// Returns the arguments behind the program's name.
pub fn arguments() -> Vec<String> {
    env::args().skip(1).collect()
}

/// Returns a number given as an argument.
pub fn number<T: FromStr>(argument: &str) -> T {
    argument.parse().unwrap_or_else(|_| panic!("{argument} is not a number that fits"))
}

/// Ends the run because the arguments are none of the listed ones.
pub fn usage(line: &str) -> ! {
    panic!("usage: {line}")
}

/// Prints how a step went, `STEP: ok` or `STEP: KIND`, and returns what it gave.
pub fn step<T>(name: &str, outcome: io::Result<T>) -> Option<T> {
    match outcome {
        Ok(value) => {
            println!("{name}: ok");
            Some(value)
        }
        Err(error) => {
            println!("{name}: {}", kind(&error));
            None
        }
    }
}

/// Returns an error's kind, with the number of the C library's error where the standard library has no kind for it.
pub fn kind(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(number) => format!("{:?} (errno {number})", error.kind()),
        None => format!("{:?}", error.kind()),
    }
}
