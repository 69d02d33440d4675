//! What a run had open when its host was gone: where it was, so that a run that is resumed can open it again.
//!
//! Places follow the run's own renames. A file that is gone, or is another one, is named: whoever resumes the run hears
//! of it before anything goes on.

use wasmtime_wasi::p2::bindings::sync::filesystem::types::{DescriptorFlags, OpenFlags, PathFlags};

use super::before::Identity;
use super::descriptor::Descriptor;
use super::mounts::Mounts;
use super::open::{joined, open_at};

/// A file or folder that was open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Index of its mount.
    pub mount: usize,
    /// Its path from the mount's root, as the guest named it.
    pub path: String,
    /// How links were followed.
    pub follow: PathFlags,
    /// What it was opened for.
    pub flags: DescriptorFlags,
    /// Which object it was.
    pub identity: Option<Identity>,
    /// Whether the run removed it since.
    pub is_removed: bool,
}

impl Lost {
    /// Opens it again.
    ///
    /// # Errors
    /// What is not as it was, with its name.
    pub fn find(&self, mounts: &Mounts) -> Result<Descriptor, String> {
        let (root, guest_path) = mounts.directories().nth(self.mount).ok_or("a mount is not there any more")?;
        let place = format!("{}/{}", guest_path.trim_end_matches('/'), self.path);
        if self.is_removed {
            return Err(format!("the run had {place} open after it had removed it, and it cannot be opened again"));
        }
        if self.path.is_empty() {
            return Ok(root);
        }
        let found = open_at(&root, self.follow, &self.path, OpenFlags::empty(), self.flags)
            .map_err(|code| format!("the run had {place} open, and it cannot be opened again: {}", code.message()))?;
        match (self.identity, found.identity()) {
            (Some(was), Ok(is)) if was != is => Err(format!("the run had {place} open, and now there is another file")),
            _ => Ok(found),
        }
    }

    /// Returns the same, to be opened for nothing but reading.
    #[must_use]
    pub fn to_read(self) -> Self {
        Self { flags: DescriptorFlags::READ, ..self }
    }

    /// Takes note that the run renamed something.
    pub fn renamed(&mut self, (from_mount, from): (usize, &str), (to_mount, to): (usize, &str)) {
        if self.mount != from_mount {
            return;
        }
        if let Some(rest) = below(&self.path, from) {
            (self.mount, self.path) = (to_mount, format!("{to}{rest}"));
        }
    }

    /// Takes note that the run removed what was at a path.
    pub fn removed(&mut self, (mount, path): (usize, &str)) {
        self.is_removed |= self.mount == mount && self.path == path;
    }
}

/// Returns what of `path` is below `folder`, if it is that or in it.
fn below<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(folder)?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

/// Returns the path of what a guest names from an open folder.
pub fn path_below(folder: &str, path: &str) -> String {
    joined(folder, path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(path: &str) -> Lost {
        let (follow, flags) = (PathFlags::empty(), DescriptorFlags::READ);
        Lost { mount: 0, path: path.to_owned(), follow, flags, identity: None, is_removed: false }
    }

    #[test]
    fn a_place_follows_what_the_run_did_to_it() {
        let mut file = lost("a/b");
        file.renamed((0, "a"), (1, "c/d"));
        assert_eq!((file.mount, file.path.as_str()), (1, "c/d/b"));
        file.renamed((0, "c"), (0, "e"));
        assert_eq!(file.path, "c/d/b", "another mount's");
        file.renamed((1, "c/d/b"), (1, "f"));
        assert_eq!(file.path, "f");
        file.renamed((1, "fo"), (1, "g"));
        assert_eq!(file.path, "f", "a longer name");
        file.removed((0, "f"));
        assert!(!file.is_removed);
        file.removed((1, "f"));
        assert!(file.is_removed);
    }

    #[test]
    fn a_path_is_below_its_folder() {
        assert_eq!(path_below("", "./a//b/"), "a/b");
        assert_eq!(path_below("x/y", "a"), "x/y/a");
    }
}
