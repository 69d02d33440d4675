//! The scope of HTTP in words, and as the grant that gives it.

use std::collections::BTreeSet;

use super::HttpScope;
use crate::manifest::{Addresses, Block, Host, Method, Place, method_list};
use crate::scope::HttpTarget;

impl HttpScope {
    /// Returns the entry for people: `GET,POST https://api.example.com/v1/*, at most 3 per day`.
    pub(in crate::scope) fn words(&self) -> String {
        let mut words = vec![format!("{} {}", method_list(&self.methods), self.place)];
        words.extend(self.except.iter().map(|hole| format!("except {hole}")));
        words.extend(self.class.map(|class| class.to_string()));
        words.extend(self.caps.words());
        words.extend((!self.addresses.is_empty()).then(|| format!("also {}", self.addresses.words().join(" and "))));
        words.extend(self.terms.words());
        words.join(", ")
    }

    /// Returns the entry as a grant that allows as much, and what the ceiling leaves out besides.
    pub(in crate::scope) fn to_toml(&self) -> String {
        let own = || self.methods.iter().map(Method::class);
        let loosened = self.class.is_some_and(|class| own().any(|own| class < own));
        let tightened = self.class.filter(|class| own().any(|own| *class > own));
        let idempotent = if loosened { "idempotent = true\n" } else { "" };
        let class = tightened.map(|class| format!("class = \"{class}\"\n")).unwrap_or_default();
        let caps: String = self.caps.written().map(|(key, value)| format!("{key} = {value}\n")).collect();
        let head = http_toml(&self.methods, &self.place, &self.addresses);
        format!("{head}{idempotent}{class}{caps}{}", self.terms.to_toml())
    }
}

/// Returns the first keys of an entry of a grant.
fn http_toml(methods: &BTreeSet<Method>, place: &Place, addresses: &Addresses) -> String {
    let methods: Vec<&str> = methods.iter().map(Method::as_str).collect();
    let addresses = match addresses.words() {
        words if words.is_empty() => String::new(),
        words => format!("addresses = {words:?}\n"),
    };
    format!("[[capabilities.http]]\nmethods = {methods:?}\n{}{addresses}", place.to_toml())
}

/// Returns the grant of just one request, with the addresses that need naming for a host that is off the public network
/// by what it is called.
pub(in crate::scope) fn grant_of(target: &HttpTarget) -> String {
    let addresses = match target.host() {
        Host::Name(name) if name == "localhost" => Addresses::loopback(),
        Host::Address(literal) if Addresses::special().contains(*literal) => Addresses::new(vec![Block::of(*literal)]),
        Host::Name(_) | Host::Address(_) => Addresses::default(),
    };
    http_toml(&BTreeSet::from([target.method().clone()]), &target.place(), &addresses)
}
