//! Where issues are kept: the connector's own kv, or a map in the tests.

use remit_sdk::kv;

use crate::exports::remit_plugins::tracker::issues::Error;

/// Values under keys, as the tracker needs them.
pub trait Store {
    /// Returns the value under a key.
    fn get<T: serde::de::DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Error>;

    /// Puts a value under a key.
    fn set<T: serde::Serialize>(&mut self, key: &str, value: &T) -> Result<(), Error>;

    /// Returns the keys with a prefix, in order.
    fn keys(&self, prefix: &str) -> impl Iterator<Item = Result<String, Error>>;
}

/// What the host keeps for this plugin.
pub struct Kv;

impl Store for Kv {
    fn get<T: serde::de::DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Error> {
        kv::get_json(key).map_err(unavailable)
    }

    fn set<T: serde::Serialize>(&mut self, key: &str, value: &T) -> Result<(), Error> {
        kv::set_json(key, value).map_err(unavailable)
    }

    fn keys(&self, prefix: &str) -> impl Iterator<Item = Result<String, Error>> {
        kv::keys(prefix).map(|key| key.map_err(unavailable))
    }
}

fn unavailable(error: kv::Error) -> Error {
    Error::Unavailable(error.to_string())
}
