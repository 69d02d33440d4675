//! What holds for one request that is allowed.

use super::HttpScope;
use crate::manifest::{Addresses, Caps, RemoteClass};
use crate::scope::Terms;

/// What holds for one request.
#[derive(Clone, Copy, Debug)]
pub struct HttpRule<'r> {
    scope: &'r HttpScope,
    class: RemoteClass,
}

impl<'r> HttpRule<'r> {
    pub(super) fn new(scope: &'r HttpScope, class: RemoteClass) -> Self {
        Self { scope, class }
    }

    /// Returns the entry that allows the request.
    pub fn scope(&self) -> &'r HttpScope {
        self.scope
    }

    /// Returns the effect class: the method's own, tightened by the request and loosened by the grant.
    pub fn class(&self) -> RemoteClass {
        self.class
    }

    /// Returns the most that the exchange may take.
    pub fn caps(&self) -> &'r Caps {
        &self.scope.caps
    }

    /// Returns the addresses that are not on the public network and may be connected to.
    pub fn addresses(&self) -> &'r Addresses {
        &self.scope.addresses
    }

    /// Returns how often and until when.
    pub fn terms(&self) -> &'r Terms {
        &self.scope.terms
    }
}
