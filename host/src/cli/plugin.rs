//! PLUGIN on the command line: a folder with `remit.toml`, or a bare component file, read once and with limits.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::caller;
use super::exit::Exit;
use super::report::{Failure, OrFail as _, Result};
use crate::digest::{Content, Digest};
use crate::manifest::{self, Kind, Manifest, Name, Request};

/// Bytes in a component: what the journal keeps as one blob. Python components have about 18 MiB.
pub const COMPONENT_SIZE_MAX: u64 = crate::journal::PAYLOAD_MAX as u64;

/// A plugin as it lies on disk. Nothing of the component has been looked at.
#[derive(Debug)]
pub struct Plugin {
    /// The manifest with its text; nothing for a bare component.
    pub declared: Option<Declared>,
    /// Who the plugin is.
    pub identity: Identity,
    /// The component.
    pub component: Content,
    /// Where they came from.
    pub component_path: PathBuf,
}

/// A plugin's folder and its manifest.
#[derive(Debug)]
pub struct Declared {
    /// The folder, absolute and without symbolic links.
    pub folder: PathBuf,
    /// The manifest.
    pub manifest: Manifest,
    /// Its text.
    pub text: String,
}

/// Who an unsigned plugin is: kv, grants and secrets belong to it. A rebuild stays the same plugin; a copy in another
/// folder is another one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Identity {
    /// The folder it came from, and its name.
    Folder {
        /// The folder, absolute and without symbolic links.
        folder: PathBuf,
        /// The name in its manifest.
        name: Name,
    },
    /// A bare file: its digest.
    File {
        /// The digest of the component.
        component: Digest,
    },
    /// What it was when it was installed, as it printed then.
    Installed {
        /// The identity.
        identity: String,
    },
}

impl fmt::Display for Identity {
    /// Prints `folder:/work/plugins/brief#brief` or `file:<digest>`. Different identities print differently: `%`,
    /// control characters and what is not UTF-8 are written as in a URL.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (folder, name) = match self {
            Self::File { component } => return write!(f, "file:{component}"),
            Self::Installed { identity } => return f.write_str(identity),
            Self::Folder { folder, name } => (folder.as_os_str().as_encoded_bytes(), name),
        };
        f.write_str("folder:")?;
        for chunk in folder.utf8_chunks() {
            for c in chunk.valid().chars() {
                if c == '%' || c.is_control() {
                    c.encode_utf8(&mut [0; 4]).bytes().try_for_each(|byte| write!(f, "%{byte:02X}"))?;
                } else {
                    write!(f, "{c}")?;
                }
            }
            chunk.invalid().iter().try_for_each(|byte| write!(f, "%{byte:02X}"))?;
        }
        // A name has no `#`, so the last one ends the folder.
        write!(f, "#{name}")
    }
}

impl Plugin {
    /// Reads the plugin at `path`.
    ///
    /// # Errors
    ///
    /// With [`Exit::PluginUnfit`]: nothing is there, the manifest is wrong, or the component is missing or too large.
    pub fn read(path: &Path) -> Result<Self> {
        Self::read_any(path)?.runnable()
    }

    /// Reads the plugin at `path`, whatever its kind.
    ///
    /// # Errors
    ///
    /// As [`Plugin::read`].
    pub fn read_any(path: &Path) -> Result<Self> {
        if is_folder(path)? { Self::from_folder(Declared::read(path)?) } else { Self::from_file(path) }
    }

    /// Returns the plugin, if it is of a kind that runs by itself.
    ///
    /// # Errors
    ///
    /// With [`Exit::PluginUnfit`]: it is a connector.
    pub fn runnable(self) -> Result<Self> {
        match self.manifest() {
            Some(manifest) if manifest.kind == Kind::Connector => {
                let message = format!("{} is a connector, which runs only for those who call it", manifest.name);
                Err(Failure::new(Exit::PluginUnfit, message))
            }
            _ => Ok(self),
        }
    }

    /// Returns the name in the manifest, or for a bare component its file's name without `.wasm`.
    pub fn name(&self) -> String {
        match &self.declared {
            Some(declared) => declared.manifest.name.to_string(),
            None => self.component_path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        }
    }

    /// Returns what a command finds as its own name: the name in the manifest, or the component's file name.
    pub fn program_name(&self) -> String {
        match &self.declared {
            Some(declared) => declared.manifest.name.to_string(),
            None => self.component_path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        }
    }

    /// Returns the manifest; nothing for a bare component.
    pub fn manifest(&self) -> Option<&Manifest> {
        self.declared.as_ref().map(|declared| &declared.manifest)
    }

    /// Returns what the plugin requests; of a bare component, which says nothing, all that `grant` gives it.
    pub fn request_under(&self, grant: &manifest::Grant) -> Request {
        self.manifest().map_or_else(|| Request::of_grant(grant), |manifest| manifest.request().clone())
    }

    fn from_folder(declared: Declared) -> Result<Self> {
        let component_path = declared.component_path();
        let build = format!("build it with `remit build {}`", declared.folder.display());
        let component = Content::of(read_component(&component_path, &build)?);
        let identity = Identity::Folder { folder: declared.folder.clone(), name: declared.manifest.name.clone() };
        Ok(Self { declared: Some(declared), identity, component, component_path })
    }

    fn from_file(path: &Path) -> Result<Self> {
        if path.file_name().is_some_and(|name| name == manifest::FILE_NAME) {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            let message = format!("{} is a manifest, not a component", path.display());
            return Err(Failure::new(Exit::PluginUnfit, message).hint(format!("name its folder: {}", folder.display())));
        }
        let component = Content::of(read_component(path, "give a component file")?);
        let identity = Identity::File { component: component.digest() };
        Ok(Self { declared: None, identity, component, component_path: path.to_owned() })
    }
}

impl Declared {
    /// Reads the manifest in `folder`.
    ///
    /// # Errors
    ///
    /// With [`Exit::PluginUnfit`]: there is none, it is too large or it is wrong.
    pub fn read(folder: &Path) -> Result<Self> {
        let canonical = fs::canonicalize(caller::path(folder));
        let canonical = canonical.or_fail(Exit::PluginUnfit, format!("cannot open {}", folder.display()))?;
        let path = folder.join(manifest::FILE_NAME);
        let no_manifest = |error: io::Error| {
            let missing = error.kind() == io::ErrorKind::NotFound;
            let failure =
                Failure::from_error(Exit::PluginUnfit, error).context(format!("cannot read {}", path.display()));
            let hint = "a plugin is a folder with remit.toml, or a component file; `remit new agent NAME` writes one";
            if missing { failure.hint(hint) } else { failure }
        };
        // One byte more than is accepted, so that the parser refuses it by its size.
        let bytes = read_file(&path, Manifest::SIZE_MAX as u64 + 1).map_err(no_manifest)?;
        let text = String::from_utf8(bytes);
        let text = text.or_fail(Exit::PluginUnfit, format!("{} is not UTF-8", path.display()))?;
        let manifest = Manifest::parse(&path.to_string_lossy(), &text)?;
        Ok(Self { folder: canonical, manifest, text })
    }

    /// Returns the component's file.
    pub fn component_path(&self) -> PathBuf {
        self.folder.join(&self.manifest.component)
    }
}

/// Reads a component file of at most [`COMPONENT_SIZE_MAX`] bytes. `hint` is for the case that there is none.
///
/// # Errors
///
/// With [`Exit::PluginUnfit`]: it is missing, no file, or too large.
pub fn read_component(path: &Path, hint: &str) -> Result<Vec<u8>> {
    let bytes = match read_file(path, COMPONENT_SIZE_MAX + 1) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let message = format!("there is no component at {}", path.display());
            return Err(Failure::new(Exit::PluginUnfit, message).hint(hint));
        }
        Err(error) => return Err(error).or_fail(Exit::PluginUnfit, format!("cannot read {}", path.display())),
    };
    if bytes.len() as u64 <= COMPONENT_SIZE_MAX {
        return Ok(bytes);
    }
    let (path, mib) = (path.display(), COMPONENT_SIZE_MAX >> 20);
    Err(Failure::new(Exit::PluginUnfit, format!("component {path} has more than {mib} MiB")))
}

fn is_folder(path: &Path) -> Result<bool> {
    match fs::metadata(caller::path(path)) {
        Ok(metadata) => Ok(metadata.is_dir()),
        Err(error) => {
            let failure =
                Failure::from_error(Exit::PluginUnfit, error).context(format!("no plugin at {}", path.display()));
            Err(failure.hint("give a folder with remit.toml, or a component file"))
        }
    }
}

/// Reads at most `size_max` bytes of a regular file: a pipe could keep the host waiting for ever.
fn read_file(path: &Path, size_max: u64) -> io::Result<Vec<u8>> {
    let path = caller::path(path);
    let metadata = fs::metadata(&path)?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a file"));
    }
    let mut bytes = Vec::with_capacity(metadata.len().min(size_max) as usize);
    File::open(path)?.take(size_max).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "[plugin]\nname = \"x\"\nversion = \"0.1.0\"\nkind = \"agent\"\n";

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        files.iter().for_each(|(name, bytes)| fs::write(folder.path().join(name), bytes).unwrap());
        folder
    }

    fn refusal(path: &Path) -> String {
        let failure = Plugin::read(path).unwrap_err();
        assert_eq!(failure.exit(), Exit::PluginUnfit);
        failure.to_string()
    }

    #[test]
    fn a_folder_is_a_plugin_and_a_rebuild_stays_the_same() {
        let folder = folder(&[("remit.toml", MANIFEST.as_bytes()), ("x.wasm", b"one")]);
        let before = Plugin::read(folder.path()).unwrap();
        assert_eq!((&*before.component, before.name().as_str()), (&b"one"[..], "x"));
        fs::write(folder.path().join("x.wasm"), b"two").unwrap();
        assert_eq!(Plugin::read(folder.path()).unwrap().identity, before.identity);
    }

    #[test]
    fn a_bare_file_is_its_digest() {
        let folder = folder(&[("tool.wasm", b"bytes")]);
        let plugin = Plugin::read(&folder.path().join("tool.wasm")).unwrap();
        assert_eq!(plugin.identity, Identity::File { component: Digest::of(b"bytes") });
        assert_eq!((plugin.name().as_str(), plugin.manifest()), ("tool", None));
    }

    #[test]
    fn what_is_missing_is_named_with_the_way_out() {
        let folder = folder(&[("remit.toml", MANIFEST.as_bytes())]);
        let path = folder.path();
        for (path, part) in [
            (path.to_owned(), "hint: build it with `remit build "),
            (path.join("remit.toml"), "hint: name its folder"),
            (path.join("none"), "hint: give a folder with remit.toml"),
        ] {
            let message = refusal(&path);
            assert!(message.contains(part), "{message}");
        }
        fs::write(path.join("remit.toml"), "[plugin]\nkind = 3\n").unwrap();
        assert!(refusal(path).contains("remit.toml:"));
        fs::write(path.join("remit.toml"), " ".repeat(10 << 20)).unwrap();
        assert!(refusal(path).contains("more than"));
        fs::remove_file(path.join("remit.toml")).unwrap();
        assert!(refusal(path).contains("remit new agent NAME"));
    }

    #[cfg(unix)]
    #[test]
    fn identities_that_differ_print_differently() {
        use std::os::unix::ffi::OsStrExt as _;
        let printed = |bytes: &[u8]| {
            let folder = PathBuf::from(std::ffi::OsStr::from_bytes(bytes));
            Identity::Folder { folder, name: "x".parse().unwrap() }.to_string()
        };
        assert_eq!(printed(b"/a b/\xc3\xa9"), "folder:/a b/\u{e9}#x");
        assert_eq!(printed(b"/\xff"), "folder:/%FF#x");
        assert_eq!(printed(b"/%FF"), "folder:/%25FF#x");
        assert_eq!(printed(b"/\n"), "folder:/%0A#x");
    }
}
