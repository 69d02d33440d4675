//! Machine code on its way into the engine, held where only this process reaches it.
//!
//! On Linux that is a file in memory that has no name and is sealed against every change. The engine maps it, so that
//! code which is not executed and a component's data are never copied again. Elsewhere it is plain memory.

use std::io::{self, Write};

#[cfg(target_os = "linux")]
use std::fs::File;

/// A copy of machine code.
pub(super) enum Code {
    /// In plain memory.
    Memory(Vec<u8>),
    /// In a file in memory.
    #[cfg(target_os = "linux")]
    Sealed(File),
}

impl Code {
    /// Makes an empty copy to be written.
    pub fn new() -> Self {
        #[cfg(target_os = "linux")]
        if let Ok(file) = file_in_memory() {
            return Self::Sealed(file);
        }
        Self::Memory(Vec::new())
    }

    /// Sees to it that nobody, not even this process, changes what was written.
    ///
    /// # Errors
    /// When the system does not seal the file.
    pub fn sealed(self) -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        if let Self::Sealed(file) = &self {
            use rustix::fs::SealFlags;
            let all = SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL;
            rustix::fs::fcntl_add_seals(file, all)?;
        }
        Ok(self)
    }
}

impl Write for Code {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Memory(memory) => memory.write(bytes),
            #[cfg(target_os = "linux")]
            Self::Sealed(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Makes a file in memory, where its path can be opened: a container may come without `/proc`.
#[cfg(target_os = "linux")]
fn file_in_memory() -> io::Result<File> {
    use rustix::fs::MemfdFlags;
    let file = File::from(rustix::fs::memfd_create("remit-code", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?);
    std::fs::metadata(path_of(&file))?;
    Ok(file)
}

/// Returns the path under which this process reaches an open file.
#[cfg(target_os = "linux")]
pub(super) fn path_of(file: &File) -> String {
    use std::os::fd::AsRawFd as _;
    format!("/proc/self/fd/{}", file.as_raw_fd())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn what_is_sealed_stays_as_it_is() {
        let mut code = Code::new();
        code.write_all(b"code").unwrap();
        let Code::Sealed(file) = code.sealed().unwrap() else { panic!("this system has files in memory") };
        assert!((&file).write_all(b"more").is_err() && file.set_len(0).is_err());
        assert!(
            std::fs::OpenOptions::new()
                .write(true)
                .open(path_of(&file))
                .and_then(|mut again| again.write(b"x"))
                .is_err()
        );
        assert_eq!(std::fs::read(path_of(&file)).unwrap(), b"code");
    }
}
