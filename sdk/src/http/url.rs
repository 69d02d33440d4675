//! The parts of a URL that a request names. What they may hold is the host's to judge; here they are only told apart.

use super::Error;

/// A URL taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parts<'a> {
    pub is_https: bool,
    pub authority: &'a str,
    /// Path and query, from the slash on.
    pub path: String,
}

/// Takes a URL apart. A fragment is the agent's own and is not sent.
pub(super) fn parts(url: &str) -> Result<Parts<'_>, Error> {
    let invalid = |why| Error::InvalidUrl { url: url.to_owned(), why };
    let (scheme, rest) = url.split_once("://").ok_or_else(|| invalid("it does not begin with https:// or http://"))?;
    let is_https = match scheme {
        _ if scheme.eq_ignore_ascii_case("https") => true,
        _ if scheme.eq_ignore_ascii_case("http") => false,
        _ => return Err(invalid("its scheme is neither https nor http")),
    };
    let rest = rest.split_once('#').map_or(rest, |(before, _)| before);
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    if authority.is_empty() {
        return Err(invalid("it names no host"));
    }
    if authority.contains('@') {
        return Err(invalid("it holds a user name or a password, which the operator binds instead"));
    }
    let slash = if path.starts_with('/') { "" } else { "/" };
    Ok(Parts { is_https, authority, path: format!("{slash}{path}") })
}

/// Appends a parameter to the query of a URL, percent-encoded, before its fragment.
pub(super) fn with_query(url: &str, name: &str, value: &str) -> String {
    let (before, fragment) = url.split_at(url.find('#').unwrap_or(url.len()));
    let joint = if before.contains('?') { '&' } else { '?' };
    format!("{before}{joint}{}={}{fragment}", encoded(name), encoded(value))
}

/// Percent-encodes all but the characters that RFC 3986 leaves unreserved.
fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_comes_apart() {
        for (url, is_https, authority, path) in [
            ("https://a.b", true, "a.b", "/"),
            ("HTTP://a.b:80/", false, "a.b:80", "/"),
            ("https://a.b/c/d?e=f#g", true, "a.b", "/c/d?e=f"),
            ("https://a.b?e=/f", true, "a.b", "/?e=/f"),
            ("http://[::1]:8080/x", false, "[::1]:8080", "/x"),
        ] {
            assert_eq!(parts(url).expect(url), Parts { is_https, authority, path: path.to_owned() });
        }
    }

    #[test]
    fn what_is_no_url_is_told_so() {
        for (url, why) in [
            ("a.b/c", "does not begin"),
            ("ftp://a.b", "neither https nor http"),
            ("https:///c", "names no host"),
            ("https://u:p@a.b/", "the operator binds"),
        ] {
            let error = parts(url).expect_err(url).to_string();
            assert!(error.contains(why) && error.contains(url), "{error}");
        }
    }

    #[test]
    fn a_parameter_is_encoded_and_stands_before_the_fragment() {
        let url = with_query("https://a.b/c#d", "q", "ü & x");
        assert_eq!(url, "https://a.b/c?q=%C3%BC%20%26%20x#d");
        assert_eq!(with_query("https://a.b/c?q=1", "r", "2"), "https://a.b/c?q=1&r=2");
    }
}
