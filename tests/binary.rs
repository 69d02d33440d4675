//! The real `remit` binary, as a person or a script runs it: each [`Desk`] has a home and a folder to work in.
//!
//! Every command has a deadline, and none may panic or die of a signal that nobody sent.

mod process;
mod text;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value as Json;
use tempfile::TempDir;

use crate::harness::component;
pub use process::{Running, until};
pub use text::without_places;

/// The exit codes of `remit help exit-codes`, written down once more: a script relies on the numbers.
pub mod code {
    pub const OK: i32 = 0;
    pub const AGENT_FAILED: i32 = 1;
    pub const USAGE: i32 = 240;
    pub const PLUGIN_UNFIT: i32 = 241;
    pub const NOT_GRANTED: i32 = 242;
    pub const LIMIT: i32 = 243;
    pub const CRASHED: i32 = 244;
    pub const DIVERGED: i32 = 245;
    pub const JOURNAL_DAMAGED: i32 = 246;
    pub const HOME_BUSY: i32 = 247;
    pub const NO_SUCH_RUN: i32 = 248;
    pub const HOST_FAILED: i32 = 249;
    pub const INTERRUPTED: i32 = 250;
    pub const CONNECTOR_FAILED: i32 = 251;
    pub const PARKED: i32 = 252;
    pub const NOT_RESUMABLE: i32 = 253;
    pub const WAITING: i32 = 254;
}

/// A home, and a folder where the plugins lie and commands run. Both go away with it.
pub struct Desk {
    folder: TempDir,
}

impl Desk {
    /// Makes an empty one. The home is made by the first command.
    pub fn new() -> Self {
        let desk = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        fs::create_dir(desk.path("")).expect("a folder to work in");
        desk
    }

    /// Makes one with these guests in it, each under its name and `.wasm`.
    pub fn with(guests: &[&str]) -> Self {
        let desk = Self::new();
        guests.iter().for_each(|name| drop(desk.guest(name)));
        desk
    }

    /// Returns the home's folder.
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Returns a path in the folder to work in.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("work").join(name)
    }

    /// Writes a file, and the folders it is in.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder to work in");
        fs::write(path, bytes).expect("a file to work with");
    }

    /// Makes a folder.
    pub fn folder(&self, name: &str) -> PathBuf {
        fs::create_dir_all(self.path(name)).expect("a folder to work in");
        self.path(name)
    }

    /// Puts a built guest there and returns its file's name.
    pub fn guest(&self, name: &str) -> String {
        let file = format!("{name}.wasm");
        self.write(&file, component(name));
        file
    }

    /// Puts a component written by hand there, compiled, and returns its file's name.
    pub fn by_hand(&self, name: &str) -> String {
        let file = format!("{name}.wasm");
        self.write(&file, by_hand(name));
        file
    }

    /// Returns `remit` with these arguments, to be started in the folder to work in.
    pub fn command<S: AsRef<OsStr>>(&self, args: &[S]) -> Command {
        let mut command = Command::new(remit());
        command.args(args).current_dir(self.path("")).stdin(Stdio::null());
        command.env("REMIT_HOME", self.home()).env_remove("RUST_BACKTRACE").env_remove("RUST_LOG");
        command
    }

    /// Runs `remit` and returns what it said.
    pub fn remit<S: AsRef<OsStr>>(&self, args: &[S]) -> Said {
        self.start(args).said()
    }

    /// Runs `remit` with something on its standard input.
    pub fn remit_reading<S: AsRef<OsStr>>(&self, args: &[S], input: &[u8]) -> Said {
        let mut command = self.command(args);
        command.stdin(Stdio::piped());
        let mut running = Running::start(&mut command);
        running.write(input);
        running.said()
    }

    /// Starts `remit`.
    pub fn start<S: AsRef<OsStr>>(&self, args: &[S]) -> Running {
        Running::start(&mut self.command(args))
    }

    /// Runs a command that has to succeed with JSON on stdout, and returns it.
    #[track_caller]
    pub fn json<S: AsRef<OsStr>>(&self, args: &[S]) -> Json {
        self.remit(args).ends(code::OK).json()
    }

    /// Checks that the home is whole: the last run is shown, is in the list of runs, and can be verified and replayed.
    #[track_caller]
    pub fn last_is_whole(&self) {
        let last = self.json(&["show", "last", "--json"]);
        let runs = self.json(&["runs", "--json"]);
        let is_listed = runs.as_array().is_some_and(|runs| runs.iter().any(|run| run["run"] == last["run"]));
        assert!(is_listed, "{} is not in {runs}", last["run"]);
        self.remit(&["verify", "last"]).ends(code::OK);
        let replay = self.json(&["replay", "last", "--json"]);
        assert_eq!((&replay["verdict"], &replay["run"]), (&Json::from("matched"), &last["run"]), "{replay}");
    }

    /// Checks that a run goes well here, and that all is whole after it.
    #[track_caller]
    pub fn still_runs(&self) {
        let cli = self.guest("cli");
        let said = self.remit(&["run", &cli, "--", "args", "still"]).ends(code::OK);
        assert_eq!(said.stdout, "args\nstill\n");
        self.last_is_whole();
    }

    /// Returns how many runs there are.
    #[track_caller]
    pub fn runs(&self) -> usize {
        self.json(&["runs", "--json", "--limit", "1000"]).as_array().expect("a list of runs").len()
    }
}

/// How a command ended.
#[derive(Clone, Debug)]
pub struct Said {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Said {
    /// Checks the exit code.
    #[track_caller]
    pub fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\nstdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// Checks that the command failed as it should: with this code, nothing on stdout, and one message that says all
    /// of `parts`.
    #[track_caller]
    pub fn fails(self, code: i32, parts: &[&str]) -> Self {
        let said = self.ends(code);
        assert_eq!(said.stdout, "", "a failure says nothing on stdout; stderr: {}", said.stderr);
        let messages = said.stderr.lines().filter(|line| line.starts_with("error: ")).count();
        assert_eq!(messages, 1, "one message is expected: {}", said.stderr);
        said.says(parts)
    }

    /// Checks that stderr says all of `parts`.
    #[track_caller]
    pub fn says(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.stderr.contains(part), "expected {part:?} in: {}", self.stderr);
        }
        self
    }

    /// Returns stdout as JSON.
    #[track_caller]
    pub fn json(&self) -> Json {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in: {}", self.stdout))
    }
}

/// Returns where the repository is.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests is a folder of the repository")
}

/// Returns the folder for what is built.
pub fn target() -> PathBuf {
    let set = std::env::var_os("CARGO_TARGET_DIR").map(|dir| repository().join(dir));
    set.unwrap_or_else(|| repository().join("target"))
}

/// Returns the binary, built when first needed.
fn remit() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["build", "--quiet", "--package=remit-host", "--bin=remit", "--locked"]).current_dir(repository());
        assert!(cargo.status().expect("cargo starts").success(), "the binary does not build");
        target().join("debug").join(format!("remit{}", std::env::consts::EXE_SUFFIX))
    })
}

/// Returns a component written by hand, compiled.
pub fn by_hand(name: &str) -> Vec<u8> {
    let path = repository().join("tests/guests/wat").join(format!("{name}.wat"));
    wat::parse_file(&path).unwrap_or_else(|error| panic!("{error}"))
}
