//! What models call functions: 1 to 64 letters, digits, `_` and `-`, for each function another.
//!
//! A name follows from the function alone, so that installing another connector renames nothing and nothing can be named
//! after something else: WIT's names have no `_`, and the parts between them do not merge.

use std::collections::{HashMap, HashSet};

use crate::digest::Digest;

/// The longest name that every provider takes, in bytes.
pub const NAME_LEN_MAX: usize = 64;

/// Hexadecimal digits of the digest in a name that was cut.
const DIGITS: usize = 16;

/// A function, as `acme:tracker/issues`, `1.2.0` and `create`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Id<'a> {
    /// The interface without its version.
    pub path: &'a str,
    /// The version.
    pub version: &'a str,
    /// The function.
    pub function: &'a str,
}

impl Id<'_> {
    fn plain(&self) -> String {
        format!("{}_{}", letters(self.path), letters(self.function))
    }

    fn versioned(&self) -> String {
        format!("{}_{}", self.plain(), letters(self.version))
    }

    fn cut(&self) -> String {
        let Self { path, version, function } = self;
        let digest = Digest::of(format!("{path}@{version}#{function}").as_bytes()).to_string();
        let plain = self.plain();
        // Only ASCII is left of it.
        format!("{}_{}", &plain[..plain.len().min(NAME_LEN_MAX - 1 - DIGITS)], &digest[..DIGITS])
    }
}

/// Returns the name of each function, in their order. Nothing: it is named like one before it.
pub fn names(ids: &[Id<'_>]) -> Vec<Option<String>> {
    let plain = counted(ids.iter().map(Id::plain));
    let versioned = counted(ids.iter().map(Id::versioned));
    let fits = |name: &String, counts: &HashMap<String, usize>| name.len() <= NAME_LEN_MAX && counts[name] == 1;
    let name = |id: &Id<'_>| {
        let plain = Some(id.plain()).filter(|name| fits(name, &plain));
        let versioned = || Some(id.versioned()).filter(|name| fits(name, &versioned));
        plain.or_else(versioned).unwrap_or_else(|| id.cut())
    };
    let mut taken = HashSet::new();
    ids.iter().map(name).map(|name| taken.insert(name.clone()).then_some(name)).collect()
}

fn counted(names: impl Iterator<Item = String>) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    names.for_each(|name| *counts.entry(name).or_default() += 1);
    counts
}

/// Replaces what no name has.
fn letters(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id<'a>(path: &'a str, version: &'a str, function: &'a str) -> Id<'a> {
        Id { path, version, function }
    }

    #[track_caller]
    fn check(ids: &[Id<'_>], expected: &[&str]) {
        let names: Vec<_> = names(ids).into_iter().map(Option::unwrap).collect();
        assert_eq!(names, expected);
        assert!(names.iter().all(|name| (1..=NAME_LEN_MAX).contains(&name.len())));
    }

    #[test]
    fn a_name_is_the_whole_path_of_the_function() {
        check(
            &[id("acme:tracker/issues", "1.2.0", "list-open"), id("acme:tracker/issues-list", "1.2.0", "open")],
            &["acme_tracker_issues_list-open", "acme_tracker_issues-list_open"],
        );
    }

    #[test]
    fn versions_of_one_interface_are_told_apart() {
        let (one, two) = (id("a:b/c", "1.0.0", "f"), id("a:b/c", "2.0.0-rc.1+x", "f"));
        check(&[one, two, id("a:b/c", "2.0.0-rc.1+x", "g")], &["a_b_c_f_1_0_0", "a_b_c_f_2_0_0-rc_1_x", "a_b_c_g"]);
    }

    #[test]
    fn what_is_too_long_or_alike_ends_in_its_digest() {
        let long = "f".repeat(64);
        let other = format!("{long}f");
        let cut = names(&[id("a:b/c", "1.0.0", &long), id("a:b/c", "1.0.0", &other)]);
        let cut: Vec<_> = cut.into_iter().flatten().collect();
        assert!(cut.len() == 2 && cut[0] != cut[1] && cut.iter().all(|name| name.len() == NAME_LEN_MAX), "{cut:?}");
        let alike = names(&[id("a:b/c", "1.0.0-a.b", "f"), id("a:b/c", "1.0.0-a+b", "f")]);
        assert!(alike[0] != alike[1] && alike.iter().all(Option::is_some), "{alike:?}");
        let same = id("a:b/c", "1.0.0", "f");
        assert_eq!(names(&[same, same])[1], None, "nothing is named twice");
    }
}
