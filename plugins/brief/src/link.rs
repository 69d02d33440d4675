//! Where a link of a page leads.

/// The far end of a link.
#[derive(Debug, PartialEq, Eq)]
pub enum Target {
    /// Another address, such as a web page. Not for us to check.
    External,
    /// A path above the root of the folder. Nothing to see from here.
    Outside,
    /// A path within the folder, from its root and without a slash at its end; the root itself is empty.
    Inside {
        /// The path.
        path: String,
        /// What follows `#`, decoded, unless that is nothing.
        fragment: Option<String>,
    },
}

/// Returns where a link's destination, as written on the page at path `from`, leads. A leading slash means the root of
/// the folder, as on GitHub.
pub fn resolve(from: &str, destination: &str) -> Target {
    if is_external(destination) {
        return Target::External;
    }
    let (rest, fragment) = destination.split_once('#').unwrap_or((destination, ""));
    let path = percent_decode(rest.split_once('?').map_or(rest, |(path, _query)| path));
    let fragment = Some(percent_decode(fragment)).filter(|fragment| !fragment.is_empty());
    let base = if path.is_empty() { from } else { parent(from) };
    match join(if path.starts_with('/') { "" } else { base }, &path) {
        Some(path) => Target::Inside { path, fragment },
        None => Target::Outside,
    }
}

/// Returns whether a destination starts with a scheme (RFC 3986 section 3.1) or with the `//` of a host.
fn is_external(destination: &str) -> bool {
    let scheme = destination.split_once(':').map_or("", |(scheme, _)| scheme);
    let is_scheme_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    let has_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(is_scheme_char);
    has_scheme || destination.starts_with("//")
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _name)| parent)
}

/// Returns the joined path without `.` and `..`, or none when it leaves the root.
fn join(base: &str, path: &str) -> Option<String> {
    let mut names = Vec::new();
    for name in base.split('/').chain(path.split('/')) {
        match name {
            "" | "." => {}
            ".." => {
                names.pop()?;
            }
            name => names.push(name),
        }
    }
    Some(names.join("/"))
}

/// Decodes `%20` and the like. What is no such code, or gives no UTF-8, stays as it is.
fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        match after.first_chunk::<2>().filter(|_| first == b'%').and_then(hex_byte) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

fn hex_byte(digits: &[u8; 2]) -> Option<u8> {
    let [high, low] = digits.map(|digit| char::from(digit).to_digit(16));
    u8::try_from(high? * 16 + low?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_inside(from: &str, destination: &str, path: &str, fragment: Option<&str>) {
        let expected = Target::Inside { path: path.to_owned(), fragment: fragment.map(str::to_owned) };
        assert_eq!(resolve(from, destination), expected, "{destination} on {from}");
    }

    #[test]
    fn paths_start_at_their_page() {
        check_inside("a/b.md", "c.md", "a/c.md", None);
        check_inside("a/b.md", "./c/", "a/c", None);
        check_inside("a/b.md", "../c.md#x", "c.md", Some("x"));
        check_inside("a/b.md", "..", "", None);
        check_inside("a/b.md", "/c.md", "c.md", None);
        check_inside("a/b.md", "#x", "a/b.md", Some("x"));
        check_inside("a/b.md", "", "a/b.md", None);
        check_inside("b.md", "c.md?raw=1#", "c.md", None);
        check_inside("b.md", "a:b/c.md".trim_start_matches("a:"), "b/c.md", None);
    }

    #[test]
    fn codes_are_decoded_and_broken_ones_kept() {
        check_inside("b.md", "my%20file.md#%C3%BC", "my file.md", Some("ü"));
        check_inside("b.md", "100%.md", "100%.md", None);
        check_inside("b.md", "%zz%2", "%zz%2", None);
        check_inside("b.md", "%ff.md", "%ff.md", None);
        check_inside("b.md", "%é.md", "%é.md", None);
    }

    #[test]
    fn addresses_elsewhere_are_told_apart() {
        for destination in ["https://example.org", "mailto:a@b.c", "//example.org/x", "vscode+x.y:z"] {
            assert_eq!(resolve("a.md", destination), Target::External, "{destination}");
        }
        for destination in ["../x", "/../x", "a/../../x", "%2e%2e/x"] {
            assert_eq!(resolve("a.md", destination), Target::Outside, "{destination}");
        }
    }
}
