//! Secrets: bytes that the operator stores, that the host puts into requests on their way out, and that nobody else
//! ever holds.
//!
//! [`Vault`] is what a host knows: secrets by name, and to which plugin and place each is bound. [`Vault::seal`]
//! makes bytes of it that only this host's key opens, and a [`Scrubber`] takes out of a response what the far side
//! echoed. Everything here is computed from bytes handed in: the vault's file and the host's key are `home`'s, and
//! whether a request goes where a binding says is decided by who sends it.

mod binding;
pub mod scrub;
mod sealed;
#[cfg(test)]
mod tests;
mod value;
mod vault;

pub use binding::{Binding, Prefix, is_exposed};
pub use scrub::Scrubber;
pub use sealed::{NONCE_LEN, SEALED_LEN_MAX, SealError, VaultKey};
pub use value::{Secret, Unfit};
pub use vault::{BINDINGS_MAX, Bound, Change, Listed, SECRETS_MAX, Vault, VaultError};
