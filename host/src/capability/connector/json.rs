//! Between the recorded form and JSON, by type: what `show --json` prints, and how a model writes arguments.
//!
//! | WIT | JSON |
//! |---|---|
//! | bool, string, char | boolean, string, string of one character |
//! | integers | number; 64-bit ones beyond ±(2^53 - 1) as a decimal string, which is read for smaller ones, too |
//! | f32, f64 | number; `"nan"`, `"inf"`, `"-inf"` |
//! | `list<u8>` | the text as a string where it is UTF-8, else `{"base64": "…"}`; both are read |
//! | list, tuple | array |
//! | record, params | object with the names in kebab-case; an option may be left out |
//! | variant | `"case"`, or `{"case": payload}` where the case has one |
//! | enum, flags | name, array of names |
//! | option | `null` or the value; an option in an option is `{"some": value}` |
//! | result | `{"ok": value}` or `{"err": value}`, `null` where it has no payload |
//!
//! Both directions lose nothing, NaN's payload aside. Reading is strict: unknown, missing and repeated names are
//! errors that say where.

mod read;
mod words;
mod write;

pub use read::{params_from_json, value_from_json};
pub use write::{params_to_json, result_to_json};

use crate::engine::interface::Type;

/// The largest integer that every JSON implementation keeps exactly.
const EXACT_MAX: u64 = (1 << 53) - 1;

/// Tells whether `null` is a value of the type, so that an option of it needs another form for *some*.
pub(super) fn is_nullable(ty: &Type) -> bool {
    matches!(ty, Type::Option(_))
}

#[cfg(test)]
mod tests;
