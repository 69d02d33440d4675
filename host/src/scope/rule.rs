//! The rule by which a call is refused, in words for the operator. What a guest chose is quoted, or was checked.

use std::fmt;

use super::show::list;
use super::{Access, Refused};
use crate::manifest::{KeyPrefix, Name, method_list, quantity};

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kv { has: None, .. } => write!(f, "kv is not granted"),
            Self::Kv { key, is_denied: true, .. } => {
                write!(f, "key {:?} is denied by the operator's ceiling", key.as_str())
            }
            Self::Kv { key, wanted: Access::ReadWrite, has: Some(kv), .. } if kv.covers(key.as_str()) => {
                write!(f, "kv may be read and not changed")
            }
            Self::Kv { key, has: Some(kv), .. } => {
                let prefixes: Vec<&str> = kv.prefixes().iter().map(KeyPrefix::as_str).collect();
                write!(f, "key {:?} begins with none of the granted prefixes {prefixes:?}", key.as_str())
            }
            Self::Files { name, has: None, .. } => write!(f, "files.{name} is not granted"),
            Self::Files { name, mount: Some(mount), .. } => {
                write!(f, "files.{name} at {mount} may be read and not changed")
            }
            Self::Files { name, mount: None, .. } => write!(f, "files.{name} may be read and not changed"),
            Self::NoSuchMount { index } => write!(f, "there is no mount number {index}"),
            Self::Log { level, .. } => write!(f, "logging at level {} is not granted", level.word()),
            Self::Config { key: Some(key), .. } => write!(f, "configuration value {key} is not granted"),
            Self::Config { key: None, .. } => write!(f, "the key asked for is not one that a configuration has"),
            Self::Expired { what, last } => write!(f, "what granted this expired on {last}; without it, {what}"),
            Self::Ended { what, how } => write!(f, "{how}, which allowed this; without it, {what}"),
            Self::Lowered { what } => {
                write!(f, "the ceiling was lowered since the run was accepted; under it, {what}")
            }
            outward => outward.show_outward(f),
        }
    }
}

impl Refused {
    fn show_outward(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http { target, hole: Some(hole), .. } => {
                write!(f, "{target} is denied by the operator's ceiling, as every request to {hole}")
            }
            Self::Http { target, methods, .. } if !methods.is_empty() => {
                let there = target.to_string();
                let url = there.split_once(' ').map_or("", |(_, url)| url);
                write!(f, "{} is not among the methods granted for {url}: {}", target.method(), method_list(methods))
            }
            Self::Http { target, .. } => write!(f, "{target} is within nothing that is granted for http"),
            Self::Address { target, address, .. } => {
                write!(f, "{address}, the address for {target}, is not on the public network, and not granted")
            }
            Self::Model { has: None, .. } => write!(f, "model is not granted"),
            Self::Model { tier: Some(tier), max_tokens, has: Some(model) } if model.tiers().contains(tier) => {
                let wanted = max_tokens.map_or_else(|| "any number of".to_owned(), |wanted| wanted.to_string());
                write!(f, "{wanted} tokens are more than the {} granted", model.max_tokens().unwrap_or_default())
            }
            Self::Model { tier: Some(tier), has: Some(model), .. } => {
                let tiers: Vec<&str> = model.tiers().iter().map(Name::as_str).collect();
                write!(f, "tier {tier} is none of those granted: {}", list(&tiers))
            }
            Self::Model { tier: None, .. } => write!(f, "the tier asked for is not one that a host has"),
            Self::Connector { interface, function: Some(function), .. } => {
                write!(f, "connectors.\"{interface}\": function {function} is not granted")
            }
            Self::Tool { interface, function: Some(function), .. } => {
                write!(f, "tools: {interface}#{function} is not granted")
            }
            Self::Timer { has: None, .. } => write!(f, "timer is not granted"),
            Self::Timer { wanted_ms, has: Some(timer) } => {
                let (wanted, max) = (quantity::duration_ms(*wanted_ms), quantity::duration_ms(timer.max()));
                write!(f, "a sleep of {wanted} is longer than the {max} granted")
            }
            Self::Signal { name: Some(name), .. } => write!(f, "signal {name} is not granted"),
            Self::Signal { name: None, .. } => write!(f, "the name asked for is not one that a signal has"),
            Self::Approval => write!(f, "approval is not granted"),
            _ => write!(f, "the function asked for is not one that an interface has"),
        }
    }
}
