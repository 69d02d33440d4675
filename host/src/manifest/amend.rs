//! One grant after another: what an operator adds to what was granted.

use std::collections::BTreeSet;

use super::grant::Grant;
use super::http::{GrantedHttp, Http, Method};

/// A new entry of `[[capabilities.http]]` and an old one share some requests, and neither has all of the other's, so
/// that what holds for those requests would be a guess.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("http: {new} shares requests with {old}, which is granted already")]
pub struct SharedRequests {
    /// The new entry.
    pub new: Box<Http>,
    /// The old one.
    pub old: Box<Http>,
}

impl Grant {
    /// Returns this grant with what `newer` says.
    ///
    /// A section of `newer` takes the place of the section with its name, terms included: what a refusal prints holds
    /// what was granted besides. An entry for HTTP stands beside the others, and takes from them the methods whose
    /// requests are all its own. (Amounts of an entry that lost a method are counted anew: they are another rule.)
    ///
    /// # Errors
    ///
    /// Returns the first entry for HTTP that has some, and not all, of the requests of an old one.
    pub fn amended_by(mut self, newer: Self) -> Result<Self, SharedRequests> {
        let mut http = Vec::new();
        for old in &self.http {
            http.extend(left_of(old, &newer.http)?);
        }
        for rule in newer.rules() {
            self.terms.remove(&rule);
        }
        self.terms.extend(newer.terms);
        self.files.extend(newer.files);
        self.imports.extend(newer.imports);
        self.secrets.extend(newer.secrets);
        self.connectors.extend(newer.connectors);
        self.limits.extend(newer.limits);
        http.extend(newer.http);
        Ok(Self {
            http,
            kv: newer.kv.or(self.kv),
            log: newer.log.or(self.log),
            config: if newer.config.is_empty() { self.config } else { newer.config },
            model: newer.model.or(self.model),
            tools: newer.tools.or(self.tools),
            timer: newer.timer.or(self.timer),
            signal: newer.signal.or(self.signal),
            approval: newer.approval.or(self.approval),
            expires: newer.expires.or(self.expires),
            ..self
        })
    }
}

/// Returns what is left of `old` beside the newer entries; nothing when they have it all.
fn left_of(old: &GrantedHttp, newer: &[GrantedHttp]) -> Result<Option<GrantedHttp>, SharedRequests> {
    let mut left = old.clone();
    for new in newer {
        let shared: BTreeSet<Method> = left.http.methods.intersection(&new.http.methods).cloned().collect();
        if shared.is_empty() || left.http.place.intersect(&new.http.place).is_none() {
            continue;
        }
        if !new.http.place.covers(&left.http.place) {
            let (new, old) = (Box::new(new.http.clone()), Box::new(old.http.clone()));
            return Err(SharedRequests { new, old });
        }
        left.http.methods.retain(|method| !shared.contains(method));
    }
    Ok((!left.http.methods.is_empty()).then_some(left))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::RuleId;

    fn grant(text: &str) -> Grant {
        Grant::parse("grant.toml", text).unwrap_or_else(|errors| panic!("{errors}"))
    }

    fn entry(methods: &str, url: &str) -> String {
        format!("[[capabilities.http]]\nmethods = [{methods}]\nurl = \"{url}\"\n")
    }

    #[test]
    fn a_section_takes_the_place_of_its_namesake() {
        let old = "[capabilities.kv]\nprefixes = [\"a\"]\n[capabilities.model]\n\
                   tiers = [\"small\"]\namount = \"3 per day\"\n\
                   [limits]\nfuel = 1\nmemory = 1\n";
        let new = "expires = 2026-12-31\n[capabilities.kv]\nprefixes = [\"a\", \"b\"]\n[capabilities.model]\n\
                   tiers = [\"small\"]\n[limits]\nfuel = 2\n";
        let both = grant(old).amended_by(grant(new)).unwrap();
        let expected = "[capabilities.kv]\nprefixes = [\"a\", \"b\"]\nexpires = 2026-12-31\n[capabilities.model]\n\
                        tiers = [\"small\"]\nexpires = 2026-12-31\n[limits]\nfuel = 2\nmemory = 1\n";
        assert_eq!(Grant { expires: None, ..both.clone() }, grant(expected));
        assert!(both.terms_of(&RuleId::model()).amounts.is_empty());
        assert!(both.expires.is_some());
    }

    #[test]
    fn entries_for_http_stand_side_by_side() {
        let old = [entry("\"GET\", \"POST\"", "https://a.b/v1/"), entry("\"GET\"", "https://a.b/v2/x")].concat();
        for (new, expected) in [
            (entry("\"PUT\"", "https://a.b/v1/"), vec!["GET,POST https://a.b/v1/*", "GET https://a.b/v2/x"]),
            (entry("\"GET\"", "https://a.b/v2/y"), vec!["GET,POST https://a.b/v1/*", "GET https://a.b/v2/x"]),
            (entry("\"GET\"", "https://a.b/"), vec!["POST https://a.b/v1/*"]),
            (entry("\"GET\", \"POST\"", "https://*.b"), vec![]),
        ] {
            let both = grant(&old).amended_by(grant(&new)).unwrap();
            let shown: Vec<String> = both.http.iter().map(|entry| entry.http.to_string()).collect();
            assert_eq!(shown[..shown.len() - 1], expected);
            assert_eq!(both.http.last(), grant(&new).http.last());
        }
        let wrong = grant(&old).amended_by(grant(&entry("\"POST\"", "https://a.b/v1/x"))).unwrap_err();
        let says =
            "http: POST https://a.b/v1/x shares requests with GET,POST https://a.b/v1/*, which is granted already";
        assert_eq!(wrong.to_string(), says);
    }
}
