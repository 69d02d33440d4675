//! Paths of URLs, in one spelling each, and the patterns that a scope names them with.
//!
//! A path that two servers could resolve to two resources is refused and not repaired: dot segments, empty segments,
//! backslashes, and slashes, backslashes, control characters or percent signs that hide behind percent-encoding. What
//! remains is brought to the normal form of RFC 3986, section 6.2.2: unreserved characters are not encoded, and
//! encodings are in upper case. Paths are compared with regard to case.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::super::section::Malformed;

/// Bytes in a path.
pub const PATH_LEN_MAX: usize = 8 << 10;

/// Returns the normal form of a path that begins with `/`.
///
/// # Errors
///
/// Refuses what is no path, and what could be two.
pub fn normal_path(text: &str) -> Result<String, Malformed> {
    let wrong = |hint: &str| Err(Malformed::new(text, "a path such as \"/v1/items\"").hint(hint));
    if !text.starts_with('/') {
        return wrong("a path begins with /");
    }
    if text.len() > PATH_LEN_MAX {
        return wrong("a path has at most 8192 bytes");
    }
    let Some(path) = decoded(text) else {
        return wrong("a path has only visible ASCII characters, and not `?`, `#`, `\\`, or what % would hide");
    };
    if path.contains("//") {
        return wrong("write one slash: some servers take `//` for `/`, others do not");
    }
    if path.split('/').any(is_dots) {
        return wrong("write the path without `.` and `..`");
    }
    Ok(path)
}

/// Returns `text` with unreserved characters decoded and other encodings in upper case; nothing when it holds a
/// character that a path cannot hold, or hides one that changes what the path means.
fn decoded(text: &str) -> Option<String> {
    let mut path = String::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first == b'%' {
            let byte = hex_pair(rest)?;
            rest = &rest[2..];
            match byte {
                0..0x20 | 0x7f | b'/' | b'\\' => return None,
                // `%252e` becomes `%2e` for who decodes once, and `.` for who decodes twice.
                b'%' if hex_pair(rest).is_some() => return None,
                byte if is_unreserved(byte) => path.push(char::from(byte)),
                byte => path.push_str(&format!("%{byte:02X}")),
            }
        } else if is_visible(*first) {
            path.push(char::from(*first));
        } else {
            return None;
        }
    }
    Some(path)
}

fn hex_pair(bytes: &[u8]) -> Option<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let (high, low) = (digit(bytes.first()?)?, digit(bytes.get(1)?)?);
    u8::try_from(high * 16 + low).ok()
}

/// RFC 3986, section 2.3.
const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// What may stand in a path as it is: RFC 3986, section 3.3, and the brackets and the bar that browsers leave there.
const fn is_visible(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#' | b'\\' | b'"' | b'<' | b'>' | b'^' | b'`' | b'{' | b'}')
}

/// Tells whether a segment is `.` or `..`, also with parameters behind it (`..;x`), which some servers cut off first.
fn is_dots(segment: &str) -> bool {
    matches!(segment.split(';').next(), Some("." | ".."))
}

/// Some paths: one, or everything that begins with a path that ends in `/`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct PathPattern {
    path: String,
    exact: bool,
}

/// How a [`PathPattern`] is stored.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    path: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    exact: bool,
}

impl PathPattern {
    /// Returns the pattern of every path.
    pub fn every_path() -> Self {
        Self { path: "/".to_owned(), exact: false }
    }

    /// Returns the pattern of `path` alone, which is in normal form.
    pub fn only(path: &str) -> Self {
        Self { path: path.to_owned(), exact: true }
    }

    /// Reads a pattern: with a final `/` everything that begins with it, unless `exact`; otherwise that one path.
    ///
    /// # Errors
    ///
    /// Refuses what [`normal_path`] refuses.
    pub fn new(text: &str, exact: bool) -> Result<Self, Malformed> {
        let path = normal_path(text)?;
        Ok(Self { exact: exact || !path.ends_with('/'), path })
    }

    /// Tells whether the pattern stands for `path`, which is in normal form.
    pub fn matches(&self, path: &str) -> bool {
        if self.exact { self.path == path } else { path.starts_with(&self.path) }
    }

    /// Tells whether every path of `narrower` is one of ours.
    pub fn covers(&self, narrower: &Self) -> bool {
        self.matches(&narrower.path) && (!self.exact || narrower.exact)
    }

    /// Returns the path: the one, or the beginning of all.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Tells whether the path ends in `/` and is still only that one path.
    pub fn is_exact_folder(&self) -> bool {
        self.exact && self.path.ends_with('/')
    }
}

impl fmt::Display for PathPattern {
    /// Prints a beginning with a star behind it: `/v1/*`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.path, if self.exact { "" } else { "*" })
    }
}

impl From<PathPattern> for Written {
    fn from(pattern: PathPattern) -> Self {
        Self { exact: pattern.is_exact_folder(), path: pattern.path }
    }
}

impl TryFrom<Written> for PathPattern {
    type Error = Malformed;

    fn try_from(Written { path, exact }: Written) -> Result<Self, Malformed> {
        Self::new(&path, exact)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_one_spelling() {
        for (text, normal) in [
            ("/", "/"),
            ("/v1/", "/v1/"),
            ("/v1/%41%2d%7e", "/v1/A-~"),
            ("/a%20b/%c3%bc", "/a%20b/%C3%BC"),
            ("/100%25", "/100%25"),
            ("/a;b=c,d/@x:y", "/a;b=c,d/@x:y"),
            ("/...", "/..."),
            ("/.well-known/x", "/.well-known/x"),
            ("/%3f%23", "/%3F%23"),
        ] {
            assert_eq!(normal_path(text).unwrap(), normal);
        }
    }

    #[test]
    fn what_could_be_two_paths_is_none() {
        for text in [
            "",
            "v1",
            "\\v1",
            "/v1/..",
            "/v1/../x",
            "/./",
            "/.",
            "/%2e%2e/x",
            "/%2E%2e",
            "/.%2e/",
            "/..;/x",
            "/..;a=b",
            "/%2e;x",
            "//",
            "//x",
            "/v1//x",
            "/v1//",
            "/a%2fb",
            "/a%2Fb",
            "/a\\b",
            "/a%5cb",
            "/a%00",
            "/a%0d%0a",
            "/a%7f",
            "/%252e%252e/",
            "/%2525",
            "/a%",
            "/a%2",
            "/a%zz",
            "/a b",
            "/a\tb",
            "/a\r\nb",
            "/ü",
            "/a?b",
            "/a#b",
            "/{x}",
            "///",
        ] {
            assert!(normal_path(text).is_err(), "{text}");
        }
        assert!(normal_path(&format!("/{}", "a".repeat(PATH_LEN_MAX))).is_err());
    }

    #[test]
    fn a_pattern_ends_at_a_slash() {
        for (pattern, exact, path, matches) in [
            ("/v1/", false, "/v1/", true),
            ("/v1/", false, "/v1/items", true),
            ("/v1/", false, "/v1", false),
            ("/v1/", false, "/v10", false),
            ("/v1", false, "/v1", true),
            ("/v1", false, "/v1/items", false),
            ("/v1/", true, "/v1/", true),
            ("/v1/", true, "/v1/items", false),
            ("/", false, "/anything", true),
        ] {
            let pattern = PathPattern::new(pattern, exact).unwrap();
            assert_eq!(pattern.matches(path), matches, "{pattern} {path}");
            assert_eq!(pattern.covers(&PathPattern::only(path)), matches);
        }
        let every = PathPattern::every_path();
        assert!(every.covers(&every) && !PathPattern::only("/").covers(&every));
    }
}
