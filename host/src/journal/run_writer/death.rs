//! Dying on purpose: a process kills itself once an entry is recorded, so that what is left after a crash can be tried
//! out at every entry.

use super::RunWriter;
use crate::journal::Error;

/// How a process dies whose crashes are tried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    /// Once its last entry is on disk.
    Durable,
    /// With its last entries on their way.
    Sudden,
}

impl RunWriter {
    /// Has this process be killed once an entry is recorded.
    pub fn die_after(&mut self, entry: u64, death: Death) {
        (self.dies_after, self.death) = (entry, death);
    }

    /// Returns how the process dies now: that entry is recorded.
    #[inline]
    pub fn dying(&self) -> Option<Death> {
        self.is_dying.then_some(self.death)
    }

    /// Kills this process, once what is buffered is on disk if it dies so.
    ///
    /// # Errors
    /// What kept the entries from the disk.
    #[cold]
    pub fn die(&mut self) -> Result<(), Error> {
        if self.death == Death::Durable {
            self.durable()?.wait()?;
        }
        signal_hook::low_level::raise(signal_hook::consts::SIGKILL).map_err(Error::io)
    }
}
