//! Values that the operator set for the plugin: a region, a page size, a switch.
//!
//! They are typed, and read as the type that the plugin needs:
//!
//! ```no_run
//! use remit_sdk::config;
//!
//! let region: String = config::required("REGION")?;
//! let pages_max: u32 = config::get("PAGES_MAX")?.unwrap_or(20);
//! # Ok::<(), config::Error>(())
//! ```
//!
//! A key is read only if the manifest requests it and the operator grants it. Values are no secrets.

use std::fmt;

use crate::bindings::remit::plugin::config as wit;

/// A value as the operator wrote it.
pub use wit::Value;

/// Why a value cannot be had.
#[derive(Debug)]
pub enum Error {
    /// The remit does not allow this key.
    Denied {
        /// The key.
        key: String,
    },
    /// The operator set no value, and the plugin needs one.
    Unset {
        /// The key.
        key: String,
    },
    /// The value is of another type, or does not fit into the one asked for.
    Unfit {
        /// The key.
        key: String,
        /// What was asked for: `a whole number from 0 to 255`.
        expected: String,
        /// What is there.
        found: Value,
    },
}

impl Error {
    /// Returns whether the remit refused the key.
    pub fn is_denied(&self) -> bool {
        matches!(self, Self::Denied { .. })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied { key } => write!(f, "the remit does not allow the configuration value {key}"),
            Self::Unset { key } => write!(f, "the configuration value {key} is not set"),
            Self::Unfit { key, expected, found } => {
                write!(f, "the configuration value {key} is {}, where {expected} is needed", shown(found))
            }
        }
    }
}

impl std::error::Error for Error {}

/// Returns a value, or none where the operator set none.
///
/// # Errors
///
/// Fails when the remit does not allow the key, or the value does not fit the type.
pub fn get<T: FromValue>(key: &str) -> Result<Option<T>, Error> {
    match wit::get(key) {
        Ok(value) => value.map(|value| convert(key, value)).transpose(),
        Err(wit::Error::Denied) => Err(Error::Denied { key: key.to_owned() }),
    }
}

/// Returns a value that the plugin cannot do without.
///
/// # Errors
///
/// Fails as [`get`] does, and when the operator set no value.
pub fn required<T: FromValue>(key: &str) -> Result<T, Error> {
    get(key)?.ok_or_else(|| Error::Unset { key: key.to_owned() })
}

/// Returns the keys that the remit grants, in the order of their bytes, whether or not they have a value.
pub fn keys() -> Vec<String> {
    wit::keys()
}

fn convert<T: FromValue>(key: &str, value: Value) -> Result<T, Error> {
    T::from_value(value).map_err(|found| Error::Unfit { key: key.to_owned(), expected: T::expected(), found })
}

/// Shows a value for people. A text may be long, and is cut.
fn shown(value: &Value) -> String {
    const CHARS_MAX: usize = 60;
    match value {
        Value::Text(text) => match text.char_indices().nth(CHARS_MAX) {
            Some((end, _)) => format!("{:?}…", &text[..end]),
            None => format!("{text:?}"),
        },
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::Boolean(is_set) => is_set.to_string(),
    }
}

/// A type that a value can be read as. A number is never read from text, nor text from a number.
pub trait FromValue: Sized {
    /// Returns the value, or gives it back where it does not fit.
    ///
    /// # Errors
    ///
    /// The value that does not fit.
    fn from_value(value: Value) -> Result<Self, Value>;

    /// Says what fits, for people: `a text`.
    fn expected() -> String;
}

/// The value whatever its type.
impl FromValue for Value {
    fn from_value(value: Value) -> Result<Self, Value> {
        Ok(value)
    }

    fn expected() -> String {
        "any value".to_owned()
    }
}

impl FromValue for String {
    fn from_value(value: Value) -> Result<Self, Value> {
        match value {
            Value::Text(text) => Ok(text),
            other => Err(other),
        }
    }

    fn expected() -> String {
        "a text".to_owned()
    }
}

impl FromValue for bool {
    fn from_value(value: Value) -> Result<Self, Value> {
        match value {
            Value::Boolean(is_set) => Ok(is_set),
            other => Err(other),
        }
    }

    fn expected() -> String {
        "true or false".to_owned()
    }
}

/// A whole number is read as a fractional one, too, up to what the type holds exactly.
impl FromValue for f64 {
    fn from_value(value: Value) -> Result<Self, Value> {
        const EXACT_MAX: u64 = 1 << f64::MANTISSA_DIGITS;
        match value {
            Value::Float(number) => Ok(number),
            Value::Integer(number) if number.unsigned_abs() <= EXACT_MAX => Ok(number as f64),
            other => Err(other),
        }
    }

    fn expected() -> String {
        "a number".to_owned()
    }
}

macro_rules! whole {
    ($($type:ty),*) => {$(
        impl FromValue for $type {
            fn from_value(value: Value) -> Result<Self, Value> {
                match value {
                    Value::Integer(number) => Self::try_from(number).map_err(|_| value),
                    other => Err(other),
                }
            }

            fn expected() -> String {
                format!("a whole number from {} to {}", <$type>::MIN, <$type>::MAX)
            }
        }
    )*};
}

whole!(i8, i16, i32, i64, u8, u16, u32, u64, usize);

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check<T: FromValue + PartialEq + fmt::Debug>(value: Value, expected: Result<T, &str>) {
        let converted = convert::<T>("K", value).map_err(|error| error.to_string());
        assert_eq!(converted, expected.map_err(str::to_owned));
    }

    #[test]
    fn a_value_is_read_as_what_it_is() {
        check(Value::Text("eu".into()), Ok("eu".to_owned()));
        check(Value::Boolean(false), Ok(false));
        check(Value::Integer(-1), Ok(-1_i8));
        check(Value::Integer(i64::MAX), Ok(i64::MAX));
        check(Value::Integer(3), Ok(3.0));
        check(Value::Float(0.5), Ok(0.5));
    }

    #[test]
    fn what_does_not_fit_is_named_with_what_is_needed() {
        let needs = |what: &str, needed: &str| format!("the configuration value K is {what}, where {needed} is needed");
        check::<u8>(Value::Integer(256), Err(&needs("256", "a whole number from 0 to 255")));
        check::<u32>(Value::Float(1.0), Err(&needs("1.0", "a whole number from 0 to 4294967295")));
        check::<u32>(Value::Text("20".into()), Err(&needs("\"20\"", "a whole number from 0 to 4294967295")));
        check::<String>(Value::Boolean(true), Err(&needs("true", "a text")));
        check::<bool>(Value::Integer(1), Err(&needs("1", "true or false")));
        check::<f64>(Value::Integer(i64::MAX), Err(&needs("9223372036854775807", "a number")));
        let long = "é".repeat(100);
        check::<bool>(Value::Text(long), Err(&needs(&format!("\"{}\"…", "é".repeat(60)), "true or false")));
    }
}
