//! The exit codes: one table, which `remit help exit-codes` prints.
//!
//! Codes below 240 are the guest's, so that a script can tell a plugin's failure from Remit's own.

use std::fmt::Write as _;
use std::process::ExitCode;

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done; for `run`, the guest succeeded.
    Ok,
    /// The agent ended with a failure.
    AgentFailed,
    /// The command ended with a code of its own.
    Command(u8),
    /// The command line is wrong.
    Usage,
    /// The plugin cannot run.
    PluginUnfit,
    /// Refused before the start.
    NotGranted,
    /// A limit ended the run.
    Limit,
    /// The guest crashed.
    Crashed,
    /// A replay differs from its record, or two runs from each other.
    Diverged,
    /// A journal or a bundle cannot be trusted or read.
    JournalDamaged,
    /// Another process holds the home.
    HomeBusy,
    /// There is no such run.
    NoSuchRun,
    /// The host itself failed.
    HostFailed,
    /// Interrupted.
    Interrupted,
    /// A connector did not answer.
    ConnectorFailed,
    /// The run waits for a person.
    Parked,
    /// The run cannot go on.
    NotResumable,
    /// The run is suspended until something arrives.
    Waiting,
}

/// The lowest code of Remit's own, and the highest.
const OWN: std::ops::RangeInclusive<u8> = 240..=254;

impl Exit {
    /// Every exit that has one code of its own, in the order of the codes.
    const TABLE: [Self; 17] = [
        Self::Ok,
        Self::AgentFailed,
        Self::Usage,
        Self::PluginUnfit,
        Self::NotGranted,
        Self::Limit,
        Self::Crashed,
        Self::Diverged,
        Self::JournalDamaged,
        Self::HomeBusy,
        Self::NoSuchRun,
        Self::HostFailed,
        Self::Interrupted,
        Self::ConnectorFailed,
        Self::Parked,
        Self::NotResumable,
        Self::Waiting,
    ];

    /// Returns the exit for a command that ended with `code`. A code that is Remit's own becomes 239, lest it be
    /// taken for Remit's.
    pub fn of_command(code: u8) -> Self {
        match code {
            0 => Self::Ok,
            code if OWN.contains(&code) => Self::Command(*OWN.start() - 1),
            code => Self::Command(code),
        }
    }

    /// Returns the exit that has this code.
    pub fn of_code(code: u8) -> Self {
        Self::TABLE.into_iter().find(|exit| exit.code() == code).unwrap_or(Self::Command(code))
    }

    /// Returns the process's exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::AgentFailed => 1,
            Self::Command(code) => code,
            Self::Usage => 240,
            Self::PluginUnfit => 241,
            Self::NotGranted => 242,
            Self::Limit => 243,
            Self::Crashed => 244,
            Self::Diverged => 245,
            Self::JournalDamaged => 246,
            Self::HomeBusy => 247,
            Self::NoSuchRun => 248,
            Self::HostFailed => 249,
            Self::Interrupted => 250,
            Self::ConnectorFailed => 251,
            Self::Parked => 252,
            Self::NotResumable => 253,
            Self::Waiting => 254,
        }
    }

    /// Returns its name, for programs that ask a host.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::AgentFailed => "agent-failed",
            Self::Command(_) => "command",
            Self::Usage => "usage",
            Self::PluginUnfit => "plugin-unfit",
            Self::NotGranted => "not-granted",
            Self::Limit => "limit",
            Self::Crashed => "crashed",
            Self::Diverged => "diverged",
            Self::JournalDamaged => "journal-damaged",
            Self::HomeBusy => "home-busy",
            Self::NoSuchRun => "no-such-run",
            Self::HostFailed => "host-failed",
            Self::Interrupted => "interrupted",
            Self::ConnectorFailed => "connector-failed",
            Self::Parked => "parked",
            Self::NotResumable => "not-resumable",
            Self::Waiting => "waiting",
        }
    }

    /// Returns what the code means, for people.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Ok => "done; for `run`: the agent or command succeeded",
            Self::AgentFailed => "the agent ended with a failure",
            Self::Command(_) => "the command ended with this code",
            Self::Usage => "the command line or its input is wrong",
            Self::PluginUnfit => "the plugin cannot run: its manifest or its component",
            Self::NotGranted => "refused before the start: something is not granted or cannot be mounted",
            Self::Limit => "a limit ended the run",
            Self::Crashed => "the guest crashed (a trap)",
            Self::Diverged => "the replay differs from the record, or two runs from each other",
            Self::JournalDamaged => "a journal or a bundle is damaged, fails verification or is of a newer format",
            Self::HomeBusy => "another process uses the home, and --no-wait was given",
            Self::NoSuchRun => "there is no such run",
            Self::HostFailed => "the host failed: input or output, a full disk, a read-only home",
            Self::Interrupted => "interrupted; or the run was cancelled",
            Self::ConnectorFailed => "a connector that the guest called failed",
            Self::Parked => "the run is parked until a person decides: paused, or in doubt; `remit show` says which",
            Self::NotResumable => {
                "the run cannot go on, be paused or be cancelled: it has ended, or what it needs is not there"
            }
            Self::Waiting => "the run waits for a moment, a signal or an approval; `remit show` says for which",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Returns the table of exit codes, for people.
pub fn table() -> String {
    let mut table = String::from("Exit codes:\n");
    for exit in Exit::TABLE {
        // Writing to a string does not fail.
        let _ = writeln!(table, "  {:>5}  {}", exit.code(), exit.meaning());
        if exit == Exit::AgentFailed {
            table.push_str("  1-239  a command's own code (its 240 to 254 become 239)\n");
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_ascend_and_remits_own_fill_their_range() {
        let codes: Vec<u8> = Exit::TABLE.iter().map(|exit| exit.code()).collect();
        assert!(codes.is_sorted_by(|a, b| a < b), "{codes:?}");
        assert_eq!(&codes[2..], OWN.collect::<Vec<u8>>());
    }

    #[test]
    fn a_commands_code_is_never_taken_for_remits() {
        for (code, exit) in [(0, 0), (1, 1), (3, 3), (239, 239), (240, 239), (254, 239), (255, 255)] {
            assert_eq!(Exit::of_command(code).code(), exit);
        }
    }

    #[test]
    fn the_table_names_every_code() {
        let table = table();
        assert!(Exit::TABLE.iter().all(|exit| table.contains(&format!("{}  {}", exit.code(), exit.meaning()))));
    }
}
