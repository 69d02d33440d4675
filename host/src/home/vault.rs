//! The vault on disk: one file, sealed with a key that is derived from the host's, and as secret as that.
//!
//! The file appears whole or not at all, readable by its owner only. It is changed by whoever holds the home's lock, so
//! that no change is lost, and read by anybody. One that cannot be opened is never written over.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use super::{Home, HomeError, key};
use crate::digest::Digest;
use crate::secret::{NONCE_LEN, SEALED_LEN_MAX, SealError, Vault, VaultKey};

const FILE_NAME: &str = "secrets.vault";

/// The vault cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum VaultFileError {
    /// The home, the host's key or the file system is the reason.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The file holds no vault that this host can open.
    #[error("cannot open {}", .path.display())]
    Sealed {
        /// The file.
        path: PathBuf,
        /// Why.
        source: SealError,
    },
    /// There is a vault, and no key.
    #[error("cannot open {}: the host's key {} is gone", .path.display(), .key.display())]
    KeyGone {
        /// The vault's file.
        path: PathBuf,
        /// The key's.
        key: PathBuf,
    },
}

impl VaultFileError {
    /// Returns what to try.
    pub fn hint(&self) -> String {
        match self {
            Self::Home(error) => error.hint(),
            Self::Sealed { source: SealError::NewerFormat { .. }, .. } => {
                "use the Remit that wrote this home, or a newer one".to_owned()
            }
            Self::Sealed { source: SealError::WrongKey { .. }, .. } | Self::KeyGone { .. } => {
                "restore the host's key from the backup that this vault belongs to".to_owned()
            }
            Self::Sealed { source: SealError::TooLarge { .. }, .. } => {
                "remove secrets or bindings that nothing uses".to_owned()
            }
            Self::Sealed { path, .. } => {
                format!("restore it from a backup, or move {} away and set the secrets again", path.display())
            }
        }
    }
}

impl Home {
    /// Changes the vault and makes the change durable; nothing changes when `change` fails.
    ///
    /// # Errors
    ///
    /// Those of `change`, and [`VaultFileError`] when the vault cannot be read or written.
    pub fn change_vault<T, E: From<VaultFileError>>(
        &self,
        change: impl FnOnce(&mut Vault) -> Result<T, E>,
    ) -> Result<T, E> {
        let _turn = self.vault_turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut vault = vault(&self.path)?;
        let done = change(&mut vault)?;
        self.store(&vault)?;
        Ok(done)
    }

    fn store(&self, vault: &Vault) -> Result<(), VaultFileError> {
        let path = vault_path(&self.path);
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).map_err(HomeError::NoRandomness)?;
        let sealed = vault.seal(&vault_key(&self.signing_key()?), nonce);
        let sealed = sealed.map_err(|source| VaultFileError::Sealed { path: path.clone(), source })?;
        replace(&self.path, &path, &sealed).map_err(|source| HomeError::at(&path, "write", source))?;
        Ok(())
    }
}

/// Returns the vault of the home at `path`, without its lock; an empty one where there is none yet.
///
/// # Errors
///
/// [`VaultFileError`] when there is one that cannot be opened.
pub fn vault(path: &Path) -> Result<Vault, VaultFileError> {
    let file = vault_path(path);
    let Some(sealed) = read(&file).map_err(|source| HomeError::at(&file, "read", source))? else {
        return Ok(Vault::default());
    };
    let Some(key) = key::load(path)? else {
        return Err(VaultFileError::KeyGone { path: file, key: super::key_path(path) });
    };
    Vault::open(&vault_key(&key), &sealed).map_err(|source| VaultFileError::Sealed { path: file, source })
}

/// Returns the file of the vault in the home at `path`.
pub fn vault_path(path: &Path) -> PathBuf {
    path.join(FILE_NAME)
}

fn vault_key(key: &ed25519_dalek::SigningKey) -> VaultKey {
    VaultKey::new(*Digest::of_parts(&[b"remit vault key v1\0", &key.to_bytes()]).as_bytes())
}

/// Reads the file, if there is one: at most one byte more than a vault has, so that the vault refuses it by its size.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut sealed = Vec::new();
    file.take(SEALED_LEN_MAX as u64 + 1).read_to_end(&mut sealed)?;
    Ok(Some(sealed))
}

/// Writes a new file beside the old one, makes it durable, and moves it into its place.
fn replace(folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = tempfile::Builder::new().prefix(".secrets-").tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    key::sync_folder(folder)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use zeroize::Zeroizing;

    use super::super::Wait;
    use super::*;
    use crate::secret::{Secret, VaultError};
    use crate::time::{Clock, Timestamp};

    #[derive(Debug, thiserror::Error)]
    #[error(transparent)]
    enum Failed {
        File(#[from] VaultFileError),
        Vault(#[from] VaultError),
    }

    fn open(path: &Path) -> Home {
        let clock = Clock::fixed(Timestamp::from_micros(1));
        Home::open(path, "remit test", &clock, Wait::Yes(&mut |_| {})).unwrap()
    }

    fn set(home: &Home, name: &str) -> Result<(), Failed> {
        let secret = Secret::new(Zeroizing::new(b"some-secret-value".to_vec())).unwrap();
        home.change_vault(|vault| {
            vault.set(name.parse().unwrap(), secret, Timestamp::from_micros(1))?;
            Ok(())
        })
    }

    fn names(path: &Path) -> Vec<String> {
        vault(path).unwrap().list().map(|listed| listed.name.to_string()).collect()
    }

    #[test]
    fn what_is_set_stays_and_is_for_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        assert!(names(folder.path()).is_empty() && !vault_path(folder.path()).exists());
        set(&open(folder.path()), "crm").unwrap();
        set(&open(folder.path()), "mail").unwrap();
        assert_eq!(names(folder.path()), ["crm", "mail"]);
        let bytes = fs::read(vault_path(folder.path())).unwrap();
        assert!(!bytes.windows(6).any(|window| window == b"secret"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(vault_path(folder.path())).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let files = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        assert!(files.into_iter().all(|name| !name.to_string_lossy().starts_with('.')), "nothing is left beside it");
    }

    /// Eight processes at once, as far as the lock can tell: each opens the home for itself.
    #[test]
    fn no_change_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let path = folder.path();
                scope.spawn(move || (0..4).for_each(|n| set(&open(path), &format!("s{thread}-{n}")).unwrap()));
            }
        });
        assert_eq!(names(folder.path()).len(), 32);
    }

    #[test]
    fn a_vault_that_cannot_be_opened_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let home = open(folder.path());
        set(&home, "crm").unwrap();
        let path = vault_path(home.path());
        let whole = fs::read(&path).unwrap();
        let flipped = [&whole[..60], &[!whole[60]], &whole[61..]].concat();
        let newer = [&whole[..12], &[9, 0], &whole[14..]].concat();
        for (bytes, says) in [(flipped, "damaged"), (whole[..50].to_vec(), "cut short"), (newer, "format 9")] {
            fs::write(&path, &bytes).unwrap();
            let Err(Failed::File(error @ VaultFileError::Sealed { .. })) = set(&home, "mail") else { panic!("{says}") };
            let source = std::error::Error::source(&error).unwrap().to_string();
            assert!(source.contains(says) && !error.hint().is_empty(), "{source}");
            assert_eq!(fs::read(&path).unwrap(), bytes);
        }
        fs::write(&path, &whole).unwrap();
        assert_eq!(names(home.path()), ["crm"]);
    }

    #[test]
    fn without_its_key_a_vault_stays_shut() {
        let folder = tempfile::tempdir().unwrap();
        let home = open(folder.path());
        set(&home, "crm").unwrap();
        let key = super::super::key_path(home.path());
        let kept = fs::read(&key).unwrap();
        fs::remove_file(&key).unwrap();
        assert!(matches!(set(&home, "mail"), Err(Failed::File(VaultFileError::KeyGone { .. }))));
        assert!(!key.exists(), "no other key is made for a vault that is there");
        home.signing_key().unwrap();
        let error = vault(home.path()).unwrap_err();
        assert!(matches!(error, VaultFileError::Sealed { source: SealError::WrongKey { .. }, .. }), "{error}");
        fs::write(&key, kept).unwrap();
        assert_eq!(names(home.path()), ["crm"]);
    }

    #[test]
    fn a_change_that_fails_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let home = open(folder.path());
        set(&home, "crm").unwrap();
        let failed: Result<(), Failed> = home.change_vault(|vault| {
            vault.remove(&"crm".parse().unwrap())?;
            Ok(vault.remove(&"none".parse().unwrap())?)
        });
        assert!(matches!(failed, Err(Failed::Vault(VaultError::NoSuchSecret(_)))));
        assert_eq!(names(home.path()), ["crm"]);
    }
}
