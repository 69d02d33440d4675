//! The edge to redb: its errors become ours, and its panics become errors.
//!
//! redb has panicked on flipped bits. Every call into it runs inside [`edge`], which turns a panic into
//! [`Error::Damaged`]. The panic's message is not printed: the caller prints the error.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::sync::Once;

use super::error::Error;

thread_local! {
    static INSIDE: Cell<u32> = const { Cell::new(0) };
}

static QUIET: Once = Once::new();

/// Runs `call`, turning a panic inside it into an error.
pub(super) fn edge<T>(call: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    QUIET.call_once(quiet_panics_inside);
    INSIDE.set(INSIDE.get() + 1);
    let result = panic::catch_unwind(AssertUnwindSafe(call));
    INSIDE.set(INSIDE.get() - 1);
    result.unwrap_or_else(|panic| Err(Error::damaged(format_args!("the store gave up: {}", message(&*panic)))))
}

/// Keeps the process's panic hook for every panic but those that [`edge`] catches.
fn quiet_panics_inside() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if INSIDE.get() == 0 {
            before(info);
        }
    }));
}

fn message(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("for an unknown reason")
}

impl From<redb::Error> for Error {
    fn from(error: redb::Error) -> Self {
        match error {
            redb::Error::Io(error) => Self::io(error),
            redb::Error::DatabaseAlreadyOpen => Self::Busy(PathBuf::new()),
            redb::Error::DatabaseClosed => Self::Closed,
            other => Self::damaged(other),
        }
    }
}

macro_rules! from_redb {
    ($($error:ident),*) => {
        $(impl From<redb::$error> for Error {
            fn from(error: redb::$error) -> Self {
                redb::Error::from(error).into()
            }
        })*
    };
}

from_redb!(DatabaseError, TransactionError, TableError, StorageError, CommitError, SetDurabilityError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error() {
        let error = edge(|| -> Result<(), Error> { panic!("bit {}", 7) }).unwrap_err();
        assert_eq!(error.to_string(), "the journal is damaged: the store gave up: bit 7");
        assert_eq!(edge(|| Ok(1)).unwrap(), 1);
    }
}
