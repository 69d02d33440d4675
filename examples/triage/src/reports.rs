//! Reports: the text files of one folder.

use std::fs;
use std::path::Path;

use remit_sdk::prelude::*;

/// Bytes of a report that are read: enough to say what it is, and within what an issue may have.
const TEXT_LEN_MAX: usize = 16 << 10;

/// What somebody wrote.
pub struct Report {
    /// Its file's name.
    pub name: String,
    /// Its beginning, where it is long.
    pub text: String,
}

/// Returns the names of the reports in a folder, sorted.
pub fn names(folder: impl AsRef<Path>) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).context("cannot list the reports")? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".txt") {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Reads a report. What is not UTF-8 in it is replaced.
pub fn read(folder: impl AsRef<Path>, name: String) -> Result<Report> {
    let bytes = fs::read(folder.as_ref().join(&name)).context(&name)?;
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    text.truncate(text.floor_char_boundary(TEXT_LEN_MAX));
    Ok(Report { name, text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_reports_are_read_in_order() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports");
        let names = names(&folder).unwrap();
        assert_eq!(names, ["1-login.txt", "2-dark-mode.txt", "3-newsletter.txt", "4-invoice.txt"]);
        for name in names {
            assert!(!read(&folder, name).unwrap().text.is_empty());
        }
    }
}
