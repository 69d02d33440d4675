//! The secrets of a host, each with what it is bound to.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Binding, Secret};
use crate::manifest::{Name, Place};
use crate::time::Timestamp;

/// Secrets of one host.
pub const SECRETS_MAX: usize = 256;

/// Bindings of one secret.
pub const BINDINGS_MAX: usize = 256;

/// Every secret of a host. Printing it shows names and bindings.
#[derive(Debug, Default)]
pub struct Vault {
    pub(super) secrets: BTreeMap<Name, Stored>,
}

/// A secret as the vault keeps it.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) secret: Arc<Secret>,
    pub(super) set: Timestamp,
    pub(super) bindings: Vec<Binding>,
}

/// The vault cannot be changed so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// There is no such secret.
    #[error("there is no secret {0}")]
    NoSuchSecret(Name),
    /// There is no such binding.
    #[error("secret {secret} is not bound for {plugin}{}", to(.place))]
    NotBound {
        /// The secret.
        secret: Name,
        /// The plugin.
        plugin: String,
        /// The place, where one was named.
        place: Option<Box<Place>>,
    },
    /// Some requests would need two values in one header or query field.
    #[error("secret {secret} is bound to {} of requests to {}, some of which are the same", .binding.slot, .binding.place)]
    Taken {
        /// The secret that goes there.
        secret: Name,
        /// Its binding.
        binding: Box<Binding>,
    },
    /// As many secrets as a host has.
    #[error("there are {SECRETS_MAX} secrets, which is the most")]
    TooManySecrets,
    /// As many bindings as a secret has.
    #[error("secret {0} has {BINDINGS_MAX} bindings, which is the most")]
    TooManyBindings(Name),
}

/// What changing the vault did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was not there before.
    Added,
    /// It took the place of an earlier one.
    Replaced,
    /// It was there before, and the same.
    Unchanged,
}

/// What may be shown of a secret.
#[derive(Clone, Copy, Debug)]
pub struct Listed<'v> {
    /// Its name.
    pub name: &'v Name,
    /// When it was set to what it is now.
    pub set: Timestamp,
    /// What it is bound to.
    pub bindings: &'v [Binding],
}

/// A secret together with one of its bindings.
#[derive(Clone, Copy, Debug)]
pub struct Bound<'v> {
    /// The secret's name.
    pub name: &'v Name,
    /// The secret.
    pub secret: &'v Arc<Secret>,
    /// Where it may go, and in which place of the request.
    pub binding: &'v Binding,
}

impl Vault {
    /// Stores a secret under `name`. One that is there already is replaced and keeps its bindings.
    ///
    /// # Errors
    ///
    /// [`VaultError::TooManySecrets`].
    pub fn set(&mut self, name: Name, secret: Secret, now: Timestamp) -> Result<Change, VaultError> {
        let secret = Arc::new(secret);
        if let Some(stored) = self.secrets.get_mut(&name) {
            stored.secret = secret;
            stored.set = now;
            return Ok(Change::Replaced);
        }
        if self.secrets.len() == SECRETS_MAX {
            return Err(VaultError::TooManySecrets);
        }
        self.secrets.insert(name, Stored { secret, set: now, bindings: Vec::new() });
        Ok(Change::Added)
    }

    /// Returns what may be shown of every secret, in the order of the names.
    pub fn list(&self) -> impl Iterator<Item = Listed<'_>> {
        self.secrets.iter().map(|(name, stored)| Listed { name, set: stored.set, bindings: &stored.bindings })
    }

    /// Returns the secret that the host itself uses, for example as a model provider's key. What plugins cause to be
    /// sent comes from [`Vault::bindings_for`].
    pub fn get(&self, name: &Name) -> Option<&Arc<Secret>> {
        self.secrets.get(name).map(|stored| &stored.secret)
    }

    /// Forgets a secret and its bindings.
    ///
    /// # Errors
    ///
    /// [`VaultError::NoSuchSecret`].
    pub fn remove(&mut self, name: &Name) -> Result<(), VaultError> {
        self.secrets.remove(name).map(drop).ok_or_else(|| VaultError::NoSuchSecret(name.clone()))
    }

    /// Allows one more use of a secret. One that differs only in its prefix is replaced.
    ///
    /// # Errors
    ///
    /// [`VaultError::NoSuchSecret`]; [`VaultError::Taken`] when some requests would need two values in one slot;
    /// [`VaultError::TooManyBindings`].
    pub fn bind(&mut self, name: &Name, binding: Binding) -> Result<Change, VaultError> {
        self.check_free(name, &binding)?;
        let bindings = &mut self.stored(name)?.bindings;
        let is_same_use = |earlier: &&mut Binding| earlier.place == binding.place && earlier.collides_with(&binding);
        if let Some(earlier) = bindings.iter_mut().find(is_same_use) {
            let change = if *earlier == binding { Change::Unchanged } else { Change::Replaced };
            *earlier = binding;
            return Ok(change);
        }
        if bindings.len() == BINDINGS_MAX {
            return Err(VaultError::TooManyBindings(name.clone()));
        }
        bindings.push(binding);
        Ok(Change::Added)
    }

    /// Ends the uses of a secret by `plugin`: those towards `place`, or all of them where none is named. Returns how
    /// many there were.
    ///
    /// # Errors
    ///
    /// [`VaultError::NoSuchSecret`], or [`VaultError::NotBound`] when there were none.
    pub fn unbind(&mut self, name: &Name, plugin: &str, place: Option<&Place>) -> Result<usize, VaultError> {
        let bindings = &mut self.stored(name)?.bindings;
        let before = bindings.len();
        let is_meant =
            |binding: &Binding| binding.plugin == plugin && place.is_none_or(|place| binding.place == *place);
        bindings.retain(|binding| !is_meant(binding));
        match before - bindings.len() {
            0 => Err(VaultError::NotBound {
                secret: name.clone(),
                plugin: plugin.to_owned(),
                place: place.cloned().map(Box::new),
            }),
            ended => Ok(ended),
        }
    }

    /// Returns what may be put into the requests of the plugin with this identity, in the order of the names. The
    /// caller decides which of it a request gets: [`Binding::place`] is a pattern. No request gets two for one slot.
    pub fn bindings_for(&self, plugin: &str) -> impl Iterator<Item = Bound<'_>> {
        self.secrets.iter().flat_map(move |(name, stored)| {
            let bound = move |binding| Bound { name, secret: &stored.secret, binding };
            stored.bindings.iter().filter(move |binding| binding.plugin == plugin).map(bound)
        })
    }

    /// Refuses a binding that would make it a matter of order which value a request gets.
    fn check_free(&self, name: &Name, binding: &Binding) -> Result<(), VaultError> {
        let is_harmless = |bound: &Bound<'_>| {
            bound.name == name && (bound.binding.prefix == binding.prefix || bound.binding.place == binding.place)
        };
        let mut others = self.bindings_for(&binding.plugin).filter(|bound| !is_harmless(bound));
        match others.find(|bound| bound.binding.collides_with(binding)) {
            Some(Bound { name, binding, .. }) => {
                Err(VaultError::Taken { secret: name.clone(), binding: Box::new(binding.clone()) })
            }
            None => Ok(()),
        }
    }

    fn stored(&mut self, name: &Name) -> Result<&mut Stored, VaultError> {
        self.secrets.get_mut(name).ok_or_else(|| VaultError::NoSuchSecret(name.clone()))
    }
}

fn to(place: &Option<Box<Place>>) -> String {
    place.as_ref().map(|place| format!(" to {place}")).unwrap_or_default()
}
