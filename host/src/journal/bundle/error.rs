//! What can go wrong with a bundle.

use std::fmt;
use std::io;

use super::VERSION;
use crate::journal::Error;

/// A bundle could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The file begins otherwise.
    #[error("it is not a bundle")]
    NotABundle,
    /// A newer Remit wrote it.
    #[error("the bundle has version {found}, and this remit reads up to {VERSION}")]
    Newer {
        /// The version of the bundle.
        found: u8,
    },
    /// It does not hold what a bundle holds.
    #[error("the bundle is damaged: {0}")]
    Damaged(Box<str>),
    /// It holds more than may be read, or would.
    #[error("the bundle is too large: {what} may have {max} bytes")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// The most, in bytes.
        max: u64,
    },
    /// The file cannot be read or written.
    #[error(transparent)]
    File(#[from] io::Error),
    /// The journal cannot be read, or the store that a bundle is read into cannot be written.
    #[error(transparent)]
    Journal(Error),
}

impl BundleError {
    /// Returns the error for bytes that are not what they should be.
    #[cold]
    pub(super) fn damaged(what: impl fmt::Display) -> Self {
        Self::Damaged(what.to_string().into())
    }

    /// Returns what an error of the journal's decoders means when it was a bundle's part that they read.
    pub(super) fn in_part(error: Error) -> Self {
        match error {
            Error::Damaged(what) => Self::Damaged((*what).into()),
            other => Self::Journal(other),
        }
    }
}

impl From<Error> for BundleError {
    fn from(error: Error) -> Self {
        Self::Journal(error)
    }
}
