//! The directories of a run: opened once, before the guest starts, and checked against each other.
//!
//! Refused: a directory that is missing, is a symbolic link, or lies inside another mount's; two guest paths of
//! which one hides part of the other. So one object on disk is reached through one mount, with one access (hard
//! links that the operator made between two mounted directories aside).

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_fs_ext::DirExt;
use cap_std::ambient_authority;

use super::before::Identity;
use super::descriptor::{Descriptor, Dir, Mode, Place};
use crate::scope::Access;

/// A mount as the remit names it.
#[derive(Clone, Debug)]
pub struct MountSpec {
    /// The capability's name, for messages and the journal.
    pub name: String,
    /// Where the guest finds it: `.`, `data`, `/data`.
    pub guest_path: String,
    /// The operator's directory.
    pub host_dir: PathBuf,
    pub access: Access,
}

/// A mount that is open.
#[derive(Debug)]
pub struct Mount {
    name: String,
    guest_path: String,
    access: Access,
}

/// The open mounts of a run, in the order they were given.
#[derive(Debug, Default)]
pub struct Mounts {
    roots: Vec<Arc<Dir>>,
}

/// Why the mounts of a run could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("mount {name}: {path} does not exist")]
    Missing { name: String, path: PathBuf },
    #[error("mount {name}: {path} is not a directory")]
    NotADirectory { name: String, path: PathBuf },
    #[error("mount {name}: {path} is a symbolic link")]
    SymbolicLink { name: String, path: PathBuf },
    #[error("mount {name}: cannot open {path}")]
    Unopened { name: String, path: PathBuf, source: io::Error },
    #[error("mount {name} is given twice")]
    NameTwice { name: String },
    #[error("mount {name}: guest path {guest_path:?} {why}")]
    GuestPath { name: String, guest_path: String, why: &'static str },
    #[error("mounts {first} and {second} are the same directory: {path}")]
    SameDirectory { first: String, second: String, path: PathBuf },
    #[error("mount {inner} lies inside mount {outer}: {inner_path} is in {outer_path}")]
    Nested { inner: String, inner_path: PathBuf, outer: String, outer_path: PathBuf },
    #[error("mounts {first} and {second} overlap in the guest: {first_path} and {second_path}")]
    GuestOverlap { first: String, first_path: String, second: String, second_path: String },
}

impl Mount {
    /// Returns the capability's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the path at which the guest finds the mount.
    pub fn guest_path(&self) -> &str {
        &self.guest_path
    }

    /// Returns the mount's access.
    pub fn access(&self) -> Access {
        self.access
    }
}

impl Mounts {
    /// Opens every directory, or none.
    pub fn open(specs: Vec<MountSpec>) -> Result<Self, Error> {
        check_guest_paths(&specs)?;
        let opened = specs.into_iter().map(Opened::open).collect::<Result<Vec<_>, _>>()?;
        for (index, later) in opened.iter().enumerate() {
            opened[..index].iter().try_for_each(|earlier| earlier.keep_apart(later))?;
        }
        Ok(Self { roots: opened.into_iter().map(|one| Arc::new(one.into_dir())).collect() })
    }

    /// Returns the answer to `get-directories`: a fresh descriptor for each mount, with its guest path.
    pub fn directories(&self) -> impl Iterator<Item = (Descriptor, &str)> {
        self.roots.iter().map(|root| (Descriptor::Dir(Arc::clone(root)), root.place.mount.guest_path()))
    }
}

/// A mount between opening and the comparison with its neighbours.
struct Opened {
    spec: MountSpec,
    handle: cap_std::fs::Dir,
    canonical: PathBuf,
    /// The directory itself, then what could be opened of the directories above it.
    lineage: Vec<Identity>,
}

impl Opened {
    fn open(spec: MountSpec) -> Result<Self, Error> {
        let opened = open_without_following(&spec.host_dir)
            .and_then(|handle| Ok((handle, std::fs::canonicalize(&spec.host_dir)?)))
            .and_then(|(handle, canonical)| Ok((lineage(&handle, &canonical)?, handle, canonical)));
        match opened {
            Ok((lineage, handle, canonical)) => Ok(Self { spec, handle, canonical, lineage }),
            Err(source) => Err(why_unopened(spec, source)),
        }
    }

    fn keep_apart(&self, other: &Self) -> Result<(), Error> {
        if self.canonical == other.canonical || self.lineage.first() == other.lineage.first() {
            return Err(Error::SameDirectory {
                first: self.spec.name.clone(),
                second: other.spec.name.clone(),
                path: other.spec.host_dir.clone(),
            });
        }
        self.stay_outside(other)?;
        other.stay_outside(self)
    }

    /// Fails if this directory lies inside `outer`, by name or, through a bind mount, by identity.
    fn stay_outside(&self, outer: &Self) -> Result<(), Error> {
        let inside_by_identity = outer.lineage.first().is_some_and(|root| self.lineage.contains(root));
        if !self.canonical.starts_with(&outer.canonical) && !inside_by_identity {
            return Ok(());
        }
        Err(Error::Nested {
            inner: self.spec.name.clone(),
            inner_path: self.spec.host_dir.clone(),
            outer: outer.spec.name.clone(),
            outer_path: outer.spec.host_dir.clone(),
        })
    }

    fn into_dir(self) -> Dir {
        let MountSpec { name, guest_path, access, .. } = self.spec;
        let mount = Arc::new(Mount { name, guest_path, access });
        Dir {
            handle: self.handle,
            place: Place { mount, path: String::new() },
            mode: Mode { read: true, write: access == Access::ReadWrite },
        }
    }
}

/// Opens a directory whose last name must not be a link, without a moment in which it could become one.
fn open_without_following(path: &Path) -> io::Result<cap_std::fs::Dir> {
    // `components` drops a trailing slash or dot, which would follow the link.
    let path = path.components().as_path();
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return cap_std::fs::Dir::open_ambient_dir(path, ambient_authority());
    };
    let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
    cap_std::fs::Dir::open_ambient_dir(parent, ambient_authority())?.open_dir_nofollow(name)
}

fn lineage(handle: &cap_std::fs::Dir, canonical: &Path) -> io::Result<Vec<Identity>> {
    let own = Identity::of(&handle.dir_metadata()?);
    let above = canonical.ancestors().skip(1).filter_map(|ancestor| {
        let dir = cap_std::fs::Dir::open_ambient_dir(ancestor, ambient_authority()).ok()?;
        Some(Identity::of(&dir.dir_metadata().ok()?))
    });
    Ok(std::iter::once(own).chain(above).collect())
}

fn why_unopened(spec: MountSpec, source: io::Error) -> Error {
    let MountSpec { name, host_dir: path, .. } = spec;
    match std::fs::symlink_metadata(path.components().as_path()) {
        Ok(metadata) if metadata.is_symlink() => Error::SymbolicLink { name, path },
        Ok(metadata) if !metadata.is_dir() => Error::NotADirectory { name, path },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Error::Missing { name, path },
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Error::NotADirectory { name, path },
        _ => Error::Unopened { name, path, source },
    }
}

fn check_guest_paths(specs: &[MountSpec]) -> Result<(), Error> {
    let mut names = HashSet::new();
    for (index, later) in specs.iter().enumerate() {
        if !names.insert(&later.name) {
            return Err(Error::NameTwice { name: later.name.clone() });
        }
        check_guest_path(later)?;
        if let Some(earlier) = specs[..index].iter().find(|earlier| overlap(&earlier.guest_path, &later.guest_path)) {
            return Err(Error::GuestOverlap {
                first: earlier.name.clone(),
                first_path: earlier.guest_path.clone(),
                second: later.name.clone(),
                second_path: later.guest_path.clone(),
            });
        }
    }
    Ok(())
}

fn check_guest_path(spec: &MountSpec) -> Result<(), Error> {
    let why = match spec.guest_path.as_str() {
        "" => "is empty",
        path if path.contains('\0') => "holds a NUL byte",
        path if path.split('/').any(|part| part == "..") => "holds `..`",
        _ => return Ok(()),
    };
    Err(Error::GuestPath { name: spec.name.clone(), guest_path: spec.guest_path.clone(), why })
}

/// Whether two guest paths name one place (guests resolve `data` and `/data` alike), or one hides part of the other.
///
/// A relative root (`.`) and an absolute path stand beside each other: guests take the longest match.
fn overlap(first: &str, second: &str) -> bool {
    let (first_parts, second_parts) = (parts(first), parts(second));
    let nested = first_parts.starts_with(&second_parts) || second_parts.starts_with(&first_parts);
    first_parts == second_parts || (nested && first.starts_with('/') == second.starts_with('/'))
}

fn parts(path: &str) -> Vec<&str> {
    path.split('/').filter(|part| !matches!(*part, "" | ".")).collect()
}
