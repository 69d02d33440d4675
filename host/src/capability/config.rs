//! `remit:plugin/config`: values that the operator set for the plugin, and the same as environment variables for programs
//! that do not know the interface. What was read is recorded, so a replay gives it whatever the operator has set since.

use std::collections::BTreeMap;

use super::bindings::config::Error;
use super::link::{Call, Link};
use crate::gate::{Ask, Asked, Class};

pub use super::bindings::config::Value;

type Get = Result<Option<Value>, Error>;

pub(super) fn link(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link.sync(
        "remit:plugin/config#get",
        Call::new(Class::ReadLocal, |turn, _, (key,): &(String,)| Ok((Get::Ok(turn.caps.values.get(key).cloned()),)))
            .governed(
                |_, (key,)| Asked { ask: Ask::Config(key), class: Class::ReadLocal },
                |_| (Get::Err(Error::Denied),),
            ),
    )?;
    // The remit is part of the run's header, so both sides know which keys it grants.
    link.pure("remit:plugin/config#keys", |derived, _, _: &()| Ok((derived.config_keys.clone(),)))
}

/// Values by key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values(BTreeMap<String, Value>);

impl Values {
    /// Returns the value of a key, if it is set.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// Returns every key that is set, with its value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// Returns the values of `granted` as environment variables: the key is the name. What no variable can hold, a text
    /// with a NUL, is left out.
    pub(super) fn variables(&self, granted: &[String]) -> Vec<(String, String)> {
        let set = granted.iter().filter_map(|key| Some((key.clone(), text(self.get(key)?))));
        set.filter(|(_, value)| !value.contains('\0')).collect()
    }
}

impl<K: Into<String>> FromIterator<(K, Value)> for Values {
    /// Collects values; of two under one key, the last one stands.
    fn from_iter<T: IntoIterator<Item = (K, Value)>>(values: T) -> Self {
        Self(values.into_iter().map(|(key, value)| (key.into(), value)).collect())
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(ours), Self::Text(theirs)) => ours == theirs,
            (Self::Integer(ours), Self::Integer(theirs)) => ours == theirs,
            (Self::Float(ours), Self::Float(theirs)) => ours == theirs,
            (Self::Boolean(ours), Self::Boolean(theirs)) => ours == theirs,
            _ => false,
        }
    }
}

/// Returns a value as text. A float is always told from an integer: `1.0`, `1e300`.
fn text(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::Boolean(is_set) => is_set.to_string(),
    }
}
