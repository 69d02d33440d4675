//! Reads the folder: which files there are, and what is in them.
//!
//! Hidden files and folders, `target`, `node_modules` and symbolic links are left out, and so is what lies beyond the caps
//! below: a folder may hold anything.

use std::{
    fs::{self, DirEntry, File},
    io::{self, Read as _},
    path::Path,
};

use crate::{
    markdown::{self, Page},
    report,
    settings::Settings,
    todo::{self, Todo},
};

/// Files that are looked at, at most.
const FILES_LEN_MAX: usize = 10_000;
/// Folders below one another that are entered, at most.
const DEPTH_MAX: usize = 16;
/// Bytes of a file that is read, at most.
const FILE_SIZE_MAX: u64 = 1 << 20;

const SKIPPED: [&str; 2] = ["target", "node_modules"];
const MARKDOWN: [&str; 2] = ["md", "markdown"];
const TEXT: [&str; 1] = ["txt"];
const IMAGES: [&str; 6] = ["png", "jpg", "jpeg", "gif", "svg", "webp"];

/// What is in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A page.
    Markdown(Page),
    /// Plain text, of which only the unfinished lines matter.
    Text(Vec<Todo>),
    /// Something to link to.
    Image,
    /// Not to be read, and why.
    Unreadable(String),
}

/// A file, or a folder that could not be read, by its path from the root of the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Names divided by `/`.
    pub path: String,
    /// What is in it.
    pub content: Content,
}

impl Note {
    /// Returns the page, if it is one.
    pub fn page(&self) -> Option<&Page> {
        match &self.content {
            Content::Markdown(page) => Some(page),
            _ => None,
        }
    }

    /// Returns the unfinished lines.
    pub fn todos(&self) -> &[Todo] {
        match &self.content {
            Content::Markdown(page) => &page.todos,
            Content::Text(todos) => todos,
            Content::Image | Content::Unreadable(_) => &[],
        }
    }
}

/// What a walk through the folder found.
#[derive(Debug, Default)]
pub struct Walk {
    /// Paths of notes and images, in order.
    pub paths: Vec<String>,
    /// Folders that could not be listed.
    pub unreadable_folders: Vec<Note>,
    /// Whether no cap was reached.
    pub is_complete: bool,
}

/// Walks through a folder.
///
/// # Errors
///
/// Fails when the folder itself cannot be listed. Folders below it are noted instead.
pub fn walk(root: &Path, settings: &Settings) -> io::Result<Walk> {
    let mut walk = Walk { is_complete: true, ..Walk::default() };
    walk.folder(root, "", 0, settings)?;
    walk.paths.sort();
    Ok(walk)
}

impl Walk {
    fn folder(&mut self, root: &Path, folder: &str, depth: usize, settings: &Settings) -> io::Result<()> {
        for entry in fs::read_dir(root.join(folder))? {
            let entry = entry?;
            // A name that is no UTF-8 cannot be linked to either.
            let Ok(name) = entry.file_name().into_string() else { continue };
            let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
            if !name.starts_with('.') && !settings.ignores(&path) {
                self.entry(root, &entry, path, depth, settings)?;
            }
        }
        Ok(())
    }

    fn entry(
        &mut self,
        root: &Path,
        entry: &DirEntry,
        path: String,
        depth: usize,
        settings: &Settings,
    ) -> io::Result<()> {
        let kind = entry.file_type()?;
        let is_wanted_folder = kind.is_dir() && !SKIPPED.iter().any(|skipped| entry.file_name() == *skipped);
        let is_wanted_file = kind.is_file() && is_one_of(&path, &[&MARKDOWN[..], &TEXT, &IMAGES].concat());
        let is_beyond_caps = self.paths.len() >= FILES_LEN_MAX || (kind.is_dir() && depth >= DEPTH_MAX);
        if (is_wanted_folder || is_wanted_file) && is_beyond_caps {
            self.is_complete = false;
        } else if is_wanted_file {
            self.paths.push(path);
        } else if is_wanted_folder && let Err(error) = self.folder(root, &path, depth + 1, settings) {
            self.unreadable_folders
                .push(Note { path, content: Content::Unreadable(format!("cannot be listed: {error}")) });
        }
        Ok(())
    }
}

/// Reads one file. Whatever is wrong with it becomes its content.
pub fn read(root: &Path, path: &str, todo_markers: &[String]) -> Note {
    let content = if is_one_of(path, &IMAGES) {
        Content::Image
    } else {
        match read_text(&root.join(path)) {
            Ok(text) if text.starts_with(report::MARK) => Content::Markdown(Page::default()),
            Ok(text) if is_one_of(path, &MARKDOWN) => Content::Markdown(markdown::parse(&text, todo_markers)),
            Ok(text) => Content::Text(todo::find(&text, todo_markers, &[])),
            Err(why) => Content::Unreadable(why),
        }
    };
    Note { path: path.to_owned(), content }
}

fn read_text(path: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(FILE_SIZE_MAX + 1).read_to_end(&mut bytes));
    match read {
        Err(error) => Err(format!("cannot be read: {error}")),
        Ok(len) if len as u64 > FILE_SIZE_MAX => Err(format!("is larger than {FILE_SIZE_MAX} bytes")),
        Ok(_) => String::from_utf8(bytes)
            .map_err(|error| format!("is not UTF-8 from byte {} on", error.utf8_error().valid_up_to())),
    }
}

fn is_one_of(path: &str, extensions: &[&str]) -> bool {
    let extension = Path::new(path).extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| extensions.iter().any(|known| known.eq_ignore_ascii_case(extension)))
}

#[cfg(test)]
mod tests {
    use std::{env, path::PathBuf, process};

    use super::*;

    /// A folder that is removed when dropped.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str, files: &[(&str, &[u8])]) -> Self {
            let root = env::temp_dir().join(format!("brief-{name}-{}", process::id()));
            for (path, bytes) in files {
                let path = root.join(path);
                fs::create_dir_all(path.parent().expect("is below the root")).expect("can create");
                fs::write(path, bytes).expect("can write");
            }
            Self(root)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_walk_finds_notes_and_leaves_out_the_rest() {
        let paths = ["b.md", "a/x.TXT", "a/i.png", "c.rs", ".git/x.md", "target/x.md", "node_modules/x.md", "old/x.md"];
        let folder = Folder::new("walk", &paths.map(|path| (path, &b""[..])));
        let settings = Settings { ignore: vec!["old/".to_owned()], ..Settings::default() };
        let walk = walk(&folder.0, &settings).expect("can be listed");
        assert_eq!(walk.paths, ["a/i.png", "a/x.TXT", "b.md"]);
        assert!(walk.is_complete && walk.unreadable_folders.is_empty());
    }

    #[test]
    fn deep_folders_are_left_out_and_that_is_said() {
        let path = format!("{}x.md", "d/".repeat(DEPTH_MAX + 1));
        let folder = Folder::new("deep", &[(&path, b"")]);
        let walk = walk(&folder.0, &Settings::default()).expect("can be listed");
        assert_eq!((walk.paths.len(), walk.is_complete), (0, false));
    }

    #[test]
    fn files_become_what_they_hold() {
        let large = vec![b'x'; (FILE_SIZE_MAX + 1) as usize];
        let own = format!("{}\n# TODO\n", report::MARK);
        let files: [(&str, &[u8]); 5] = [
            ("a.md", b"# A\n"),
            ("b.txt", b"TODO b"),
            ("c.md", b"ab\xff"),
            ("d.md", &large),
            ("BRIEF.md", own.as_bytes()),
        ];
        let folder = Folder::new("read", &files);
        let read = |path: &str| read(&folder.0, path, &["TODO".to_owned()]);
        assert_eq!(read("a.md").page().map(|page| page.headings.len()), Some(1));
        assert_eq!(read("b.txt").todos().len(), 1);
        assert_eq!(read("c.md").content, Content::Unreadable("is not UTF-8 from byte 2 on".to_owned()));
        assert_eq!(read("d.md").content, Content::Unreadable("is larger than 1048576 bytes".to_owned()));
        assert_eq!(read("BRIEF.md").page(), Some(&Page::default()));
        assert!(matches!(read("gone.md").content, Content::Unreadable(_)));
    }
}
