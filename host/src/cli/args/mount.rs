//! `--mount NAME=DIR[:rw]`.
//!
//! NAME ends at the first `=` and `:rw` at the end of the whole is the access, so DIR may hold both signs. A folder
//! whose name ends in `:rw` is written with a slash behind it.

use std::ffi::OsStr;
use std::ops::Range;
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};

use crate::manifest::Access;

/// A folder of the host for files that a plugin asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountArg {
    /// The name in the plugin's request; for a bare component the mount point, such as `.` or `/data`.
    pub name: String,
    /// The folder, as written.
    pub dir: PathBuf,
    /// Read-only, unless `:rw` is written.
    pub access: Access,
}

/// Returns what clap parses the argument with: paths need not be UTF-8.
pub(super) fn parser() -> impl TypedValueParser<Value = MountArg> {
    OsStringValueParser::new().try_map(|text| parse(&text))
}

fn parse(text: &OsStr) -> Result<MountArg, &'static str> {
    let bytes = text.as_encoded_bytes();
    let equals = bytes.iter().position(|byte| *byte == b'=').ok_or("expected NAME=DIR or NAME=DIR:rw")?;
    let name = std::str::from_utf8(&bytes[..equals]).map_err(|_| "the name is not UTF-8")?;
    let (end, access) = match bytes.strip_suffix(b":rw") {
        Some(before) => (before.len(), Access::ReadWrite),
        None => (bytes.len(), Access::Read),
    };
    let dir = part(text, equals + 1..end)?;
    match (name.is_empty(), dir.is_empty()) {
        (true, _) => Err("there is no name before `=`"),
        (_, true) => Err("there is no folder after `=`"),
        (false, false) => Ok(MountArg { name: name.to_owned(), dir: dir.into(), access }),
    }
}

/// Returns part of `text`, cut where it has ASCII characters.
#[cfg(unix)]
fn part(text: &OsStr, range: Range<usize>) -> Result<&OsStr, &'static str> {
    Ok(std::os::unix::ffi::OsStrExt::from_bytes(&text.as_encoded_bytes()[range]))
}

/// Returns part of `text`, cut where it has ASCII characters.
#[cfg(not(unix))]
fn part(text: &OsStr, range: Range<usize>) -> Result<&OsStr, &'static str> {
    text.to_str().map(|text| OsStr::new(&text[range])).ok_or("the folder's name is not Unicode")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_equals_sign_and_the_last_rw_count() {
        let (ro, rw) = (Access::Read, Access::ReadWrite);
        for (text, name, dir, access) in [
            ("notes=docs", "notes", "docs", ro),
            ("notes=docs:rw", "notes", "docs", rw),
            (".=.:rw", ".", ".", rw),
            ("/data=/a=b:c", "/data", "/a=b:c", ro),
            ("n=/a:rw:rw", "n", "/a:rw", rw),
            ("n=/a:rw/", "n", "/a:rw/", ro),
            (".=C:\\Users\\Ada:rw", ".", "C:\\Users\\Ada", rw),
            ("n=C:\\", "n", "C:\\", ro),
            ("n=:x", "n", ":x", ro),
        ] {
            let expected = MountArg { name: name.into(), dir: dir.into(), access };
            assert_eq!(parse(OsStr::new(text)), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_name_and_a_folder_are_needed() {
        for text in ["", "docs", "=docs", "n=", "n=:rw", "docs:rw"] {
            assert!(parse(OsStr::new(text)).is_err(), "{text}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_need_not_be_utf8() {
        use std::os::unix::ffi::OsStrExt as _;
        let parsed = parse(OsStr::from_bytes(b"n=/a\xff:rw")).unwrap();
        assert_eq!(parsed.dir.as_os_str().as_bytes(), b"/a\xff");
        assert!(parse(OsStr::from_bytes(b"\xff=/a")).is_err());
    }
}
