//! What a plugin remembers from one run to the next: bytes, or values as JSON, under keys.
//!
//! A key is 1 to 1,024 bytes. How large a value and all of them together may be is a limit of the remit: crossing it ends
//! the run instead of returning an error.

use std::{fmt, iter};

use serde::{Serialize, de::DeserializeOwned};

use crate::bindings::remit::plugin::kv as wit;

/// Keys that [`keys`] asks the host for at a time: the most that one answer may hold.
const PAGE_LEN: u32 = 1_000;

/// Why a call on the store failed.
#[derive(Debug)]
pub enum Error {
    /// The remit does not allow this access to this key or prefix.
    Denied {
        /// The key or prefix.
        key: String,
    },
    /// The key is empty, or the key or prefix is longer than 1,024 bytes.
    InvalidKey {
        /// The key or prefix.
        key: String,
    },
    /// The value does not fit the type: on reading, what is stored is something else; on writing, it has no JSON form.
    Json {
        /// The key.
        key: String,
        /// What does not fit.
        source: serde_json::Error,
    },
}

impl Error {
    /// Returns whether the remit refused the call.
    pub fn is_denied(&self) -> bool {
        matches!(self, Self::Denied { .. })
    }

    fn from_wit(error: wit::Error, key: &str) -> Self {
        let key = key.to_owned();
        match error {
            wit::Error::Denied => Self::Denied { key },
            wit::Error::InvalidKey => Self::InvalidKey { key },
        }
    }

    fn from_json(source: serde_json::Error, key: &str) -> Self {
        Self::Json { key: key.to_owned(), source }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied { key } => write!(f, "the remit does not allow this access to kv {key}"),
            Self::InvalidKey { key } => write!(f, "a kv key has 1 to 1024 bytes, and this has {}", key.len()),
            Self::Json { key, .. } => write!(f, "the value of kv {key} does not fit its type"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Json { source, .. } => Some(source),
            Self::Denied { .. } | Self::InvalidKey { .. } => None,
        }
    }
}

/// Returns the bytes under a key, or none.
///
/// # Errors
///
/// Fails when the remit does not allow it, or for a key that is empty or too long.
pub fn get(key: &str) -> Result<Option<Vec<u8>>, Error> {
    wit::get(key).map_err(|error| Error::from_wit(error, key))
}

/// Puts bytes under a key, in place of any earlier value.
///
/// # Errors
///
/// Fails when the remit does not allow it, or for a key that is empty or too long.
pub fn set(key: &str, value: &[u8]) -> Result<(), Error> {
    wit::set(key, value).map_err(|error| Error::from_wit(error, key))
}

/// Returns the value that [`set_json`] put under a key, or none.
///
/// ```no_run
/// let runs: u32 = remit_sdk::kv::get_json("runs")?.unwrap_or_default();
/// remit_sdk::kv::set_json("runs", &(runs + 1))?;
/// # Ok::<(), remit_sdk::kv::Error>(())
/// ```
///
/// # Errors
///
/// Fails as [`get`] does, and when the bytes under the key are not a `T` in JSON.
pub fn get_json<T: DeserializeOwned>(key: &str) -> Result<Option<T>, Error> {
    let parse = |bytes: Vec<u8>| serde_json::from_slice(&bytes).map_err(|source| Error::from_json(source, key));
    get(key)?.map(parse).transpose()
}

/// Puts a value under a key as JSON.
///
/// # Errors
///
/// Fails as [`set`] does, and when the value has no JSON form.
pub fn set_json<T: Serialize + ?Sized>(key: &str, value: &T) -> Result<(), Error> {
    let bytes = serde_json::to_vec(value).map_err(|source| Error::from_json(source, key))?;
    set(key, &bytes)
}

/// Removes a key and its value. Removing a key that is not there succeeds.
///
/// # Errors
///
/// Fails when the remit does not allow it, or for a key that is empty or too long.
pub fn delete(key: &str) -> Result<(), Error> {
    wit::delete(key).map_err(|error| Error::from_wit(error, key))
}

/// Returns every key that starts with a prefix, in the order of their bytes, asking the host for a page at a time.
///
/// The prefix must lie within one granted prefix.
///
/// ```no_run
/// for key in remit_sdk::kv::keys("seen/") {
///     remit_sdk::kv::delete(&key?)?;
/// }
/// # Ok::<(), remit_sdk::kv::Error>(())
/// ```
///
/// # Errors
///
/// The iterator ends with an error when the remit does not allow it, or the prefix is too long.
pub fn keys(prefix: &str) -> impl Iterator<Item = Result<String, Error>> {
    paged(PAGE_LEN as usize, move |after| {
        wit::keys(prefix, after, PAGE_LEN).map_err(|error| Error::from_wit(error, prefix))
    })
}

/// Chains pages into one sequence. A page shorter than `page_len`, or an error, is the last.
fn paged<E>(
    page_len: usize,
    mut fetch: impl FnMut(Option<&str>) -> Result<Vec<String>, E>,
) -> impl Iterator<Item = Result<String, E>> {
    let mut after: Option<String> = None;
    let mut is_last = false;
    let pages = iter::from_fn(move || {
        if is_last {
            return None;
        }
        let page = fetch(after.as_deref());
        is_last = page.as_ref().map_or(true, |keys| keys.len() < page_len);
        after = page.as_ref().ok().and_then(|keys| keys.last().cloned());
        Some(page)
    });
    pages.flat_map(|page| match page {
        Ok(keys) => keys.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error)],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A store of `len` keys that answers by pages of two, and refuses to go on behind the key `refuse_after`.
    fn fetch(len: usize, refuse_after: Option<&str>) -> impl FnMut(Option<&str>) -> Result<Vec<String>, &'static str> {
        move |after| {
            if after.is_some() && after == refuse_after {
                return Err("refused");
            }
            let names = (0..len).map(|n| n.to_string());
            Ok(names.filter(|name| after.is_none_or(|after| name.as_str() > after)).take(2).collect())
        }
    }

    #[test]
    fn pages_follow_one_another_to_the_last() {
        for len in 0..7 {
            let keys: Result<Vec<_>, _> = paged(2, fetch(len, None)).collect();
            assert_eq!(keys.map(|keys| keys.len()), Ok(len));
        }
    }

    #[test]
    fn an_error_is_the_last_item() {
        let items: Vec<_> = paged(2, fetch(6, Some("3"))).collect();
        assert_eq!(items.len(), 5);
        assert_eq!(items.last(), Some(&Err("refused")));
    }

    #[test]
    fn an_error_names_its_key_and_keeps_what_lies_behind() {
        let source = serde_json::from_str::<u8>("x").expect_err("not JSON");
        let error = Error::from_json(source, "seen/a");
        assert_eq!(error.to_string(), "the value of kv seen/a does not fit its type");
        assert!(std::error::Error::source(&error).is_some());
    }
}
