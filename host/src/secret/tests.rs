//! What a vault lets happen to its secrets.

use zeroize::Zeroizing;

use super::*;
use crate::manifest::{Name, Place};
use crate::time::Timestamp;

pub(super) fn place(url: &str) -> Place {
    url.parse().unwrap()
}

/// Returns a binding to the header `authorization`.
pub(super) fn binding(plugin: &str, to: &str, prefix: &str) -> Binding {
    let slot = "header authorization".parse().unwrap();
    Binding { plugin: plugin.to_owned(), place: place(to), slot, prefix: prefix.parse().unwrap() }
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn secret(text: &str) -> Secret {
    Secret::new(Zeroizing::new(text.as_bytes().to_vec())).unwrap()
}

fn vault() -> Vault {
    let mut vault = Vault::default();
    for text in ["crm", "mail"] {
        let change = vault.set(name(text), secret("first-value"), Timestamp::from_micros(1));
        assert_eq!(change, Ok(Change::Added));
    }
    vault
}

#[test]
fn a_new_value_keeps_the_bindings() {
    let mut vault = vault();
    vault.bind(&name("crm"), binding("a", "https://x.example", "Bearer ")).unwrap();
    let change = vault.set(name("crm"), secret("second-value"), Timestamp::from_micros(2));
    assert_eq!(change, Ok(Change::Replaced));
    let bound: Vec<_> = vault.bindings_for("a").collect();
    assert_eq!((bound.len(), bound[0].secret.expose()), (1, &b"second-value"[..]));
    assert_eq!(vault.list().map(|listed| listed.set.as_micros()).collect::<Vec<_>>(), [2, 1]);
}

#[test]
fn a_binding_is_for_one_plugin() {
    let mut vault = vault();
    vault.bind(&name("crm"), binding("a", "https://x.example", "")).unwrap();
    vault.bind(&name("mail"), binding("b", "https://x.example", "")).unwrap();
    let names = |plugin: &str| vault.bindings_for(plugin).map(|bound| bound.name.to_string()).collect::<Vec<_>>();
    assert_eq!((names("a"), names("b"), names("c")), (vec!["crm".into()], vec!["mail".into()], vec![]));
}

#[test]
fn no_request_needs_two_values_in_one_slot() {
    let mut vault = vault();
    let (crm, mail) = (name("crm"), name("mail"));
    let whole = binding("a", "https://x.example/v1/", "Bearer ");
    assert_eq!(vault.bind(&crm, whole.clone()), Ok(Change::Added));
    assert_eq!(vault.bind(&crm, whole.clone()), Ok(Change::Unchanged));
    assert_eq!(vault.bind(&crm, binding("a", "https://x.example/v1/", "")), Ok(Change::Replaced));
    assert_eq!(vault.bind(&crm, binding("a", "https://x.example/v1/users", "")), Ok(Change::Added));
    for (name, to, prefix) in [
        (&mail, "https://x.example/v1/", ""),
        (&mail, "https://x.example/v1/users", ""),
        (&mail, "https://x.example/", ""),
        (&mail, "https://*.example/", ""),
        (&crm, "https://x.example/v1/mail", "Bearer "),
    ] {
        let taken = vault.bind(name, binding("a", to, prefix)).unwrap_err();
        assert!(matches!(&taken, VaultError::Taken { secret, .. } if *secret == crm), "{to}: {taken}");
    }
    let query = Binding { slot: "query key".parse().unwrap(), ..whole.clone() };
    let elsewhere = Binding { place: place("https://y.example/v1/"), ..whole.clone() };
    let another = Binding { plugin: "b".into(), ..whole };
    for free in [query, elsewhere, another] {
        assert_eq!(vault.bind(&mail, free), Ok(Change::Added));
    }
    assert_eq!(vault.bindings_for("a").count(), 4);
}

#[test]
fn unbinding_ends_what_was_named_and_says_when_there_was_nothing() {
    let mut vault = vault();
    let crm = name("crm");
    for to in ["https://x.example/v1", "https://x.example/v2", "https://y.example"] {
        vault.bind(&crm, binding("a", to, "")).unwrap();
    }
    let gone = place("https://y.example");
    assert_eq!(vault.unbind(&crm, "a", Some(&gone)), Ok(1));
    let error = vault.unbind(&crm, "a", Some(&gone)).unwrap_err();
    assert_eq!(error.to_string(), "secret crm is not bound for a to https://y.example/*");
    assert_eq!(vault.unbind(&crm, "b", None).unwrap_err().to_string(), "secret crm is not bound for b");
    assert_eq!(vault.unbind(&crm, "a", None), Ok(2));
    assert_eq!(vault.bindings_for("a").count(), 0);
}

#[test]
fn what_is_not_there_is_named() {
    let mut vault = vault();
    let none = name("none");
    let missing = VaultError::NoSuchSecret(none.clone());
    assert_eq!(vault.bind(&none, binding("a", "https://x.example", "")), Err(missing.clone()));
    assert_eq!(vault.unbind(&none, "a", None), Err(missing.clone()));
    assert_eq!(vault.remove(&none), Err(missing));
    assert_eq!(vault.remove(&name("crm")), Ok(()));
    assert!(vault.get(&name("crm")).is_none() && vault.get(&name("mail")).is_some());
}

#[test]
fn there_is_an_end_to_secrets_and_bindings() {
    let mut vault = Vault::default();
    let now = Timestamp::from_micros(1);
    for number in 0..SECRETS_MAX {
        vault.set(name(&format!("s{number}")), secret("some-value"), now).unwrap();
    }
    assert_eq!(vault.set(name("more"), secret("some-value"), now), Err(VaultError::TooManySecrets));
    assert_eq!(vault.set(name("s0"), secret("some-value"), now), Ok(Change::Replaced));
    for number in 0..BINDINGS_MAX {
        vault.bind(&name("s0"), binding("a", &format!("https://x{number}.example"), "")).unwrap();
    }
    let more = vault.bind(&name("s0"), binding("a", "https://y.example", ""));
    assert_eq!(more, Err(VaultError::TooManyBindings(name("s0"))));
}

#[test]
fn printing_a_vault_shows_no_secret() {
    let mut vault = vault();
    vault.bind(&name("crm"), binding("a", "https://x.example", "Bearer ")).unwrap();
    let printed = format!("{vault:?} {:?} {:?}", vault.list().next(), vault.bindings_for("a").next());
    assert!(printed.contains("crm") && !printed.contains("first-value"), "{printed}");
}
