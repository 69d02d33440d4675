//! What failures of the journal mean to a command: the exit code, and what to try.

use super::exit::Exit;
use super::report::Failure;
use crate::agent::RecallError;
use crate::journal;

impl From<journal::Error> for Failure {
    fn from(error: journal::Error) -> Self {
        use journal::Error as E;
        let (exit, hint) = match &error {
            E::Busy(_) => (Exit::HomeBusy, Some("wait for the other process")),
            E::NewerFormat { .. } => (Exit::JournalDamaged, Some("use the Remit that wrote this home, or a newer one")),
            E::Damaged(_) | E::BadSignature { .. } => (
                Exit::JournalDamaged,
                Some("the other runs may be whole: `remit verify RUN` checks one; restore a backup"),
            ),
            E::NoSuchRun(_) => (Exit::NoSuchRun, Some("`remit runs` lists the runs of this home")),
            E::HasFork { .. } => (Exit::Usage, Some("remove its forks first: `remit rm`")),
            E::NoSuchEntry { .. } | E::TooDeep { .. } => (Exit::Usage, None),
            E::NoSuchPlugin(_) => (Exit::PluginUnfit, Some("`remit plugins` lists what is installed")),
            E::NotReserved { .. } => (Exit::Usage, Some("`remit grants` lists the calls that nobody has settled")),
            E::NoSuchGrant(_) | E::GrantEnded(_) => (Exit::Usage, Some("`remit grants --all` lists all there were")),
            E::DiskFull => (Exit::HostFailed, Some("make room and run again; what was recorded is whole")),
            E::ReadOnly(_) => (Exit::HostFailed, Some("give --home a folder that can be written")),
            _ => (Exit::HostFailed, None),
        };
        let failure = Self::from_error(exit, error);
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

impl From<RecallError> for Failure {
    fn from(error: RecallError) -> Self {
        match error {
            RecallError::Journal(error) => error.into(),
            error => Self::from_error(Exit::JournalDamaged, error),
        }
    }
}
