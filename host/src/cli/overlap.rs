//! New grants for HTTP beside those that stand: one request is granted once, so that it is clear what holds for it.
//!
//! What stood gives way where the new grant has all of its requests by some method, or where the plugin loses nothing
//! by it; what is left of it then is a grant of its own. So revoking the new one never brings back what it took.

use toml::{Table, Value};

use super::exit::Exit;
use super::report::{Failure, OrFail as _, Result};
use super::sections::{self, Common, Section};
use super::stored::{together, words};
use crate::journal::{GrantId, StoredGrant};
use crate::manifest::{self, Ceiling, GrantedHttp, Request};
use crate::scope::Remit;

/// What gives way to new grants.
#[derive(Debug, Default)]
pub struct Overlap {
    /// Grants that end.
    pub replaced: Vec<GrantId>,
    /// What is left of them.
    pub rest: Vec<Section>,
}

/// Returns what of `others` gives way to new sections.
///
/// # Errors
/// With [`Exit::Usage`]: a grant has some of the requests, and what becomes of it would be a guess.
pub fn with<'a>(
    sections: &[Section],
    others: impl Iterator<Item = &'a StoredGrant>,
    request: Option<&Request>,
) -> Result<Overlap> {
    let new = together(sections.iter().map(|section| section.scope.as_str()))?;
    let mut overlap = Overlap::default();
    for old in others {
        let scope = together([old.grant.scope.as_str()].into_iter())?;
        let had = scope.http.clone();
        match scope.clone().amended_by(only_http(&new)) {
            Ok(both) => {
                let left = &both.http[..both.http.len() - new.http.len()];
                if left != had {
                    overlap.replaced.push(old.id);
                    overlap.rest.extend(left.first().map(|left| rest(old, left)).transpose()?);
                }
            }
            Err(_) if gives(request, &new).subsumes(&gives(request, &scope)) => overlap.replaced.push(old.id),
            Err(shared) => {
                let hint = format!("`remit revoke {}` first, and grant in one entry what both should allow", old.id);
                let held = format!("by {}: {}", old.id, words(&old.grant).1);
                return Err(Failure::from_error(Exit::Usage, shared).context(held).hint(hint));
            }
        }
    }
    Ok(overlap)
}

/// Returns the section of `old` for the methods that are left to it.
fn rest(old: &StoredGrant, left: &GrantedHttp) -> Result<Section> {
    let mut root: Table = old.grant.scope.parse().or_fail(Exit::JournalDamaged, "a grant is not TOML")?;
    let entries = root.get_mut("capabilities").and_then(|capabilities| capabilities.get_mut("http"));
    if let Some(entry) = entries.and_then(|http| http.get_mut(0)).and_then(Value::as_table_mut) {
        let methods = left.http.methods.iter().map(|method| Value::from(method.as_str()));
        entry.insert("methods".into(), Value::Array(methods.collect()));
    }
    let mut sections = sections::split("what is left of a grant", &root.to_string(), Common::default())?;
    sections.pop().ok_or_else(|| Failure::new(Exit::HostFailed, "nothing is left of a grant"))
}

/// Returns what a grant gives the plugin over HTTP: what it requests of it, or all where nothing says what it requests.
fn gives(request: Option<&Request>, grant: &manifest::Grant) -> Remit {
    let granted = Remit::from_grant(&only_http(grant));
    request.map_or(granted.clone(), |request| Remit::effective(request, &granted, &Ceiling::default()))
}

fn only_http(grant: &manifest::Grant) -> manifest::Grant {
    manifest::Grant { http: grant.http.clone(), ..manifest::Grant::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::journal::{Answer, Grant};
    use crate::time::Timestamp;

    fn entry(methods: &str, url: &str) -> String {
        format!("[[capabilities.http]]\nmethods = [{methods}]\nurl = \"{url}\"\n")
    }

    fn sections(text: &str) -> Vec<Section> {
        sections::split("test", text, Common::default()).unwrap()
    }

    fn stored(text: &str) -> Vec<StoredGrant> {
        let grant = |section: Section| Grant {
            answer: Answer::Granted,
            by: "ada".into(),
            component: Digest::of(b"x"),
            ended: None,
            expires: None,
            given: Timestamp::default(),
            identity: "folder:/x#x".into(),
            plugin: "x".into(),
            scope: section.scope,
            section: section.name,
            extra: Default::default(),
        };
        let numbered = (1..).zip(sections(text));
        numbered
            .map(|(id, section): (u32, _)| StoredGrant { id: id.to_string().parse().unwrap(), grant: grant(section) })
            .collect()
    }

    /// Returns the grants that end and what is left of them.
    fn overlap(old: &str, new: &str, request: Option<&Request>) -> Option<(Vec<String>, Vec<String>)> {
        let overlap = with(&sections(new), stored(old).iter(), request).ok()?;
        let ids = overlap.replaced.iter().map(ToString::to_string).collect();
        Some((ids, overlap.rest.into_iter().map(|section| section.name).collect()))
    }

    #[test]
    fn what_stood_gives_way_method_by_method() {
        let old = [entry("\"GET\", \"POST\"", "https://a.b/v1/"), "[capabilities.kv]\n".to_owned()].concat();
        let found = |new: &str| overlap(&old, new, None);
        let none = || Some((Vec::new(), Vec::new()));
        assert_eq!(found(&entry("\"PUT\"", "https://a.b/v1/")), none());
        assert_eq!(found(&entry("\"GET\"", "https://a.b/v2/")), none());
        assert_eq!(found("[capabilities.model]\ntiers = [\"small\"]"), none());
        let rest = Some((vec!["g1".to_owned()], vec!["http POST https://a.b/v1/*".to_owned()]));
        assert_eq!(found(&entry("\"GET\"", "https://a.b/")), rest);
        assert_eq!(found(&entry("\"GET\", \"POST\"", "https://*.b")), Some((vec!["g1".to_owned()], Vec::new())));
    }

    #[test]
    fn a_narrower_grant_replaces_only_what_the_plugin_cannot_miss() {
        let asked = |url: &str| {
            let head = "[plugin]\nname = \"x\"\nversion = \"0.1.0\"\nkind = \"agent\"\n";
            let text = format!("{head}{}why = \"x\"\n", entry("\"GET\"", url));
            manifest::Manifest::parse("remit.toml", &text).unwrap().request().clone()
        };
        let old = entry("\"GET\"", "https://a.b/");
        let new = format!("{}addresses = [\"private\"]\n", entry("\"GET\"", "https://a.b/v1/"));
        let replaced = Some((vec!["g1".to_owned()], Vec::new()));
        assert_eq!(overlap(&old, &new, Some(&asked("https://a.b/v1/"))), replaced);
        assert_eq!(overlap(&old, &new, Some(&asked("https://a.b/"))), None);
        assert_eq!(overlap(&old, &new, None), None, "a bare component has all that is granted");
    }
}
