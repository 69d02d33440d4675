//! Guest paths at which files are mounted, and when two of them are in each other's way.
//!
//! A path is absolute, or relative to the guest's working directory. wasi-libc strips `/` and `./` before it looks
//! for the mount of a path, so `/notes` and `notes` are one place, and `/` and `.` are one place: they are compared
//! that way here.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::errors::is_hidden;
use super::name::{NAME_LEN_MAX, Name, checked_text};
use super::section::Malformed;

/// Bytes in a [`Mount`].
pub const MOUNT_LEN_MAX: usize = 1_024;
/// Bytes between two slashes: what file systems hold.
const SEGMENT_LEN_MAX: usize = 255;

/// A guest path in normal form: `/`, `/a/b`, `.` or `a/b`; no empty segment, no `.` or `..` inside, no final slash.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Mount(String);
checked_text!(Mount);

impl Mount {
    /// Tells whether one mount is the other, or lies inside it.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.segments().zip(other.segments()).all(|(a, b)| a == b)
    }

    /// Returns a logical name for a mount that has none, such as `data-in` for `/data/in`.
    pub fn suggested_name(&self) -> Name {
        let shaped = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
        let slug: String = self.0.chars().map(shaped).take(NAME_LEN_MAX).collect();
        slug.trim_matches('-').parse().unwrap_or_else(|_| Name::root())
    }

    fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|segment| !segment.is_empty() && *segment != ".")
    }
}

impl FromStr for Mount {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let expected = "a guest path in normal form, such as \"/notes\", \"notes\" or \".\"";
        let wrong = Malformed::new(text, expected);
        let readable = text.len() <= MOUNT_LEN_MAX && !text.contains('\\') && !text.chars().any(is_hidden);
        if !readable || text.is_empty() {
            return Err(wrong);
        }
        let inside = text.strip_prefix('/').unwrap_or(text);
        let normal = matches!(text, "/" | ".") || inside.split('/').all(is_segment);
        match (normal, normalised(text)) {
            (true, _) => Ok(Self(text.to_owned())),
            (false, Some(meant)) => Err(wrong.hint(format!("write {meant:?}"))),
            (false, None) => Err(wrong),
        }
    }
}

fn is_segment(segment: &str) -> bool {
    !matches!(segment, "" | "." | "..") && segment.len() <= SEGMENT_LEN_MAX
}

/// Returns the normal form that `text` was probably meant to be; nothing when it goes up.
fn normalised(text: &str) -> Option<String> {
    let kept: Vec<&str> = text.split('/').filter(|segment| !matches!(*segment, "" | ".")).collect();
    if !kept.iter().all(|segment| is_segment(segment)) {
        return None;
    }
    let root = if text.starts_with('/') { "/" } else { "" };
    let path = format!("{root}{}", kept.join("/"));
    Some(if path.is_empty() { ".".to_owned() } else { path })
}

/// Two mounts of one remit are the same place, or one lies inside the other.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("mounts `{first}` and `{second}` overlap")]
pub struct Overlap {
    /// One of the two.
    pub first: Mount,
    /// The other, later in the list.
    pub second: Mount,
}

/// Checks that no mount is, or lies inside, another.
///
/// # Errors
///
/// Returns the first two that overlap, in the order given.
pub fn check_disjoint<'m>(mounts: impl IntoIterator<Item = &'m Mount>) -> Result<(), Overlap> {
    let mut seen: Vec<&Mount> = Vec::new();
    for second in mounts {
        if let Some(first) = seen.iter().find(|first| first.overlaps(second)) {
            return Err(Overlap { first: (*first).clone(), second: second.clone() });
        }
        seen.push(second);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_normal_form_is_a_mount() {
        for good in ["/", ".", "/notes", "notes", "/a/b/c", "a/b", "/ü x", ".git", "...", "a..b"] {
            assert!(good.parse::<Mount>().is_ok(), "{good}");
        }
        for (bad, hint) in [
            ("", None),
            ("..", None),
            ("/..", None),
            ("a/../b", None),
            ("//", Some("write \"/\"")),
            ("/a/", Some("write \"/a\"")),
            ("a//b", Some("write \"a/b\"")),
            ("./a", Some("write \"a\"")),
            ("./", Some("write \".\"")),
            ("/.", Some("write \"/\"")),
            ("/a/./b", Some("write \"/a/b\"")),
            ("a\\b", None),
            ("a\0", None),
            ("a\u{202e}b", None),
            (&"a".repeat(256), None),
            (&"a/".repeat(1_000), None),
        ] {
            let wrong = bad.parse::<Mount>().unwrap_err();
            assert_eq!(wrong.hint.as_deref(), hint, "{bad}");
        }
    }

    #[test]
    fn overlap_is_by_whole_segments_and_ignores_where_the_path_begins() {
        for (a, b, overlap) in [
            ("/a", "/b", false),
            ("/a", "/ab", false),
            ("/a", "/a", true),
            ("/a", "/a/b", true),
            ("/", "/a", true),
            (".", "a", true),
            (".", "/", true),
            ("a", "/a", true),
            ("a/b", "/a", true),
            ("a/b", "a/c", false),
        ] {
            let (first, second): (Mount, Mount) = (a.parse().unwrap(), b.parse().unwrap());
            assert_eq!(first.overlaps(&second), overlap, "{a} {b}");
            assert_eq!(second.overlaps(&first), overlap, "{b} {a}");
            assert_eq!(check_disjoint([&first, &second]).is_err(), overlap);
        }
    }

    #[test]
    fn every_mount_has_a_name() {
        for (mount, name) in [("/data/in", "data-in"), (".", "root"), ("/", "root"), ("Ä", "root"), ("A_b", "a-b")] {
            assert_eq!(mount.parse::<Mount>().unwrap().suggested_name().as_str(), name);
        }
        assert!("-".repeat(70).parse::<Mount>().unwrap().suggested_name().as_str().len() <= NAME_LEN_MAX);
    }
}
