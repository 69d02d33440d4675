//! `--input`: JSON on the command line, in a file, or on standard input.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::de::IgnoredAny;

use crate::cli::caller;
use crate::cli::exit::Exit;
use crate::cli::report::{Failure, OrFail as _, Result};

/// Where a run's input comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The argument itself.
    Text(String),
    /// `@FILE`.
    File(PathBuf),
    /// `@-`.
    Stdin,
}

impl FromStr for Input {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        Ok(match text.strip_prefix('@') {
            Some("-") => Self::Stdin,
            Some(path) => Self::File(path.into()),
            None => Self::Text(text.to_owned()),
        })
    }
}

impl Input {
    /// Reads the input, at most `size_max` bytes of it, and checks that it is one JSON text.
    ///
    /// # Errors
    ///
    /// When it cannot be read, is too large, or is not JSON; then with the line and the column.
    pub fn read_json(&self, size_max: u64) -> Result<String> {
        let bytes = self.read(size_max)?;
        let name = self.name();
        let text = String::from_utf8(bytes).or_fail(Exit::Usage, format!("{name} is not UTF-8"))?;
        check_json(&name, &text)?;
        Ok(text)
    }

    /// Reads the input, at most `size_max` bytes of it, whatever it is.
    ///
    /// # Errors
    ///
    /// When it cannot be read or is too large.
    pub fn read(&self, size_max: u64) -> Result<Vec<u8>> {
        match self {
            Self::Text(text) => self.read_from(text.as_bytes(), size_max),
            Self::Stdin => self.read_from(caller::stdin(), size_max),
            Self::File(path) => {
                let file =
                    File::open(caller::path(path)).or_fail(Exit::Usage, format!("cannot read {}", self.name()))?;
                self.read_from(file, size_max)
            }
        }
    }

    fn read_from(&self, source: impl Read, size_max: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let read = source.take(size_max.saturating_add(1)).read_to_end(&mut bytes);
        read.or_fail(Exit::Usage, format!("cannot read {}", self.name()))?;
        if bytes.len() as u64 <= size_max {
            return Ok(bytes);
        }
        let message = format!("{} has more than {size_max} bytes", self.name());
        Err(Failure::new(Exit::Usage, message).hint("give large data as files: --mount NAME=DIR"))
    }

    fn name(&self) -> String {
        match self {
            Self::Text(_) => "--input".to_owned(),
            Self::File(path) => format!("input {}", path.display()),
            Self::Stdin => "input from standard input".to_owned(),
        }
    }
}

fn check_json(name: &str, text: &str) -> Result<()> {
    let Err(error) = serde_json::from_str::<IgnoredAny>(text) else { return Ok(()) };
    let hint = if text.trim().is_empty() {
        "an agent without input is run without --input"
    } else if caller::path(Path::new(text)).is_file() {
        "to read a file, put @ in front of its name"
    } else {
        "JSON texts are written in double quotes, so quote the whole for your shell: --input '{\"name\": \"Ada\"}'"
    };
    // The error ends in its line and column.
    Err(Failure::new(Exit::Usage, format!("{name} is not JSON: {error}")).hint(hint))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn input(text: &str) -> Input {
        text.parse().unwrap()
    }

    #[test]
    fn an_at_sign_names_a_source() {
        assert_eq!(input("{}"), Input::Text("{}".into()));
        assert_eq!(input("@-"), Input::Stdin);
        assert_eq!(input("@a=b.json"), Input::File("a=b.json".into()));
    }

    #[test]
    fn input_is_one_json_text_within_its_size() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"{\n  \"name\": Ada\n}").unwrap();
        let path = format!("@{}", file.path().display());
        for (text, size_max, expected) in [
            (" {\"a\": [1, null]} ", 100, None),
            ("3", 1, None),
            ("", 100, Some("line 1 column 0")),
            ("{\"a\": 1,}", 100, Some("line 1 column 9")),
            ("{} {}", 100, Some("line 1 column 4")),
            ("\"12345\"", 6, Some("more than 6 bytes")),
            (path.as_str(), 100, Some("line 2 column 11")),
            ("@/no/such/file", 100, Some("cannot read input /no/such/file")),
        ] {
            match (input(text).read_json(size_max), expected) {
                (Ok(read), None) => assert_eq!(read, text),
                (Err(failure), Some(part)) => {
                    assert_eq!(failure.exit(), Exit::Usage);
                    assert!(failure.to_string().contains(part), "{text}: {failure}");
                }
                (result, expected) => panic!("{text}: {result:?}, expected {expected:?}"),
            }
        }
    }

    #[test]
    fn deep_nesting_is_no_danger() {
        let depth = 1_000_000;
        let text = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(input(&text).read_json(u64::MAX).is_ok());
    }
}
