//! A home to rehearse in: the plugins and the grants of the real one, copies of the folders, and nothing that sends.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;
use toml::{Table, Value};

use crate::cli::args;
use crate::cli::caller;
use crate::cli::exit::Exit;
use crate::cli::plugin::Plugin;
use crate::cli::report::{Failure, OrFail as _, Result};
use crate::cli::session::Session;
use crate::cli::stand_in;
use crate::home::{Home, Wait};
use crate::journal::{Journal, NewGrant, Options};
use crate::manifest::{Access, Kind};
use crate::meter::{LimitKind, Limits};

/// Bytes of the folders together that are copied for each run.
const FOLDERS_SIZE_MAX: u64 = 64 << 20;

/// A place where runs of one plugin begin anew each time.
pub struct Stage {
    root: TempDir,
    /// What a run is begun with, `remit run` and the globals aside.
    arguments: Vec<String>,
    /// The folders that runs change, and whose copies they get.
    folders: Vec<PathBuf>,
}

/// What a process said, and how it ended.
pub struct Said {
    /// Its exit code, if it was not killed.
    pub code: Option<i32>,
    /// Whether it was killed, as asked for.
    pub was_killed: bool,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error.
    pub stderr: String,
}

impl Said {
    /// Returns the failure that it reported.
    pub fn failure(&self) -> Failure {
        let told = |kind: &str| self.stderr.lines().find_map(|line| line.strip_prefix(kind));
        let exit = self.code.and_then(|code| u8::try_from(code).ok()).map_or(Exit::HostFailed, Exit::of_code);
        let failure = Failure::new(exit, told("error: ").unwrap_or_else(|| self.last_line()));
        match told("hint: ") {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }

    /// Returns the last line that it said on its standard error.
    pub fn last_line(&self) -> &str {
        self.stderr.lines().last().unwrap_or("it said nothing")
    }
}

impl Stage {
    /// Sets one up for a plugin and what it is run with.
    ///
    /// # Errors
    /// When the real home, a folder or the input cannot be read, or the folders are too large.
    pub fn of(session: &Session, plugin: &Plugin, args: &args::Run) -> Result<Self> {
        let root = TempDir::new().or_fail(Exit::HostFailed, "cannot make a folder to rehearse in")?;
        let mut stage = Self { root, arguments: Vec::new(), folders: Vec::new() };
        stage.make_home(session, plugin)?;
        stage.take_arguments(plugin, args)?;
        let size = stage.folders.iter().map(|folder| size_of(folder)).sum::<Result<u64>>()?;
        if size > FOLDERS_SIZE_MAX {
            let message =
                format!("the folders hold {size} bytes, and {FOLDERS_SIZE_MAX} are copied for each run at most");
            return Err(Failure::new(Exit::Usage, message).hint("mount smaller ones"));
        }
        Ok(stage)
    }

    /// Clears the stage for the next run.
    ///
    /// # Errors
    /// When something cannot be copied.
    pub fn set(&self) -> Result<()> {
        let failed = "cannot set the stage";
        match fs::remove_dir_all(self.now()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).or_fail(Exit::HostFailed, failed);
            }
            _ => {}
        }
        copy(&self.template(), &self.home()).or_fail(Exit::HostFailed, failed)?;
        for (number, folder) in self.folders.iter().enumerate() {
            copy(folder, &self.folder(number))
                .or_fail(Exit::HostFailed, format!("cannot copy {}", folder.display()))?;
        }
        Ok(())
    }

    /// Keeps what was compiled, so that the next run finds it.
    ///
    /// # Errors
    /// When it cannot be copied.
    pub fn keep_compiled(&self) -> Result<()> {
        let [from, to] = [self.home(), self.template()].map(|home| crate::home::cache_dir(&home));
        copy(&from, &to).or_fail(Exit::HostFailed, "cannot keep what was compiled")
    }

    /// Runs the plugin, with these arguments besides.
    ///
    /// # Errors
    /// When no process can be started.
    pub fn run(&self, more: &[&str]) -> Result<Said> {
        let arguments = self.arguments.iter().map(String::as_str);
        self.remit(&["run"].into_iter().chain(more.iter().copied()).chain(arguments).collect::<Vec<_>>())
    }

    /// Does a command in the home on the stage.
    ///
    /// # Errors
    /// When no process can be started.
    pub fn remit(&self, arguments: &[&str]) -> Result<Said> {
        let program = std::env::current_exe().or_fail(Exit::HostFailed, "cannot tell where this program lies")?;
        let mut command = Command::new(program);
        command.arg("--home").arg(self.home()).args(arguments).current_dir(self.root.path()).stdin(Stdio::null());
        let output = command.output().or_fail(Exit::HostFailed, "cannot start another process of this program")?;
        let code = output.status.code();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        Ok(Said { code, was_killed: is_killed(&output.status), stdout: output.stdout, stderr })
    }

    /// Tells whether the killed process had come so far as to accept a run.
    ///
    /// # Errors
    /// When no process can be started.
    pub fn has_a_run(&self) -> Result<bool> {
        let said = self.remit(&["runs", "--json", "--limit", "1"])?;
        let runs: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap_or_default();
        Ok(runs.as_array().is_some_and(|runs| !runs.is_empty()))
    }

    /// Returns the home of the run on the stage.
    pub fn home(&self) -> PathBuf {
        self.now().join("home")
    }

    /// Returns the folders of the run on the stage.
    pub fn stage_folders(&self) -> impl Iterator<Item = PathBuf> {
        (0..self.folders.len()).map(|number| self.folder(number))
    }

    fn now(&self) -> PathBuf {
        self.root.path().join("now")
    }

    fn template(&self) -> PathBuf {
        self.root.path().join("home")
    }

    fn folder(&self, number: usize) -> PathBuf {
        self.now().join("folders").join(number.to_string())
    }

    /// Returns where the copy of a folder will be.
    fn copy_of(&mut self, folder: &Path) -> PathBuf {
        let known = self.folders.iter().position(|known| known == folder);
        let number = known.unwrap_or_else(|| {
            self.folders.push(folder.to_owned());
            self.folders.len() - 1
        });
        self.folder(number)
    }

    /// Makes the home that each run begins with: it knows the plugins and the grants of the real one.
    fn make_home(&mut self, session: &Session, plugin: &Plugin) -> Result<()> {
        let from = session.home().path();
        let home = Home::open(&self.template(), "remit crashtest", session.clock(), Wait::No)?;
        for entry in fs::read_dir(from).or_fail(Exit::HostFailed, format!("cannot read {}", from.display()))? {
            let path = entry.or_fail(Exit::HostFailed, "cannot read the home")?.path();
            // The configuration, and the scripts that it names.
            if path.extension().is_some_and(|extension| extension == "toml") {
                let to = home.path().join(path.file_name().unwrap_or_default());
                fs::copy(&path, to).or_fail(Exit::HostFailed, format!("cannot copy {}", path.display()))?;
            }
        }
        let journal = Journal::open(&home.journal_path(), home.signing_key()?, &Options::default())?;
        // The plugin's, and those of the connectors that it may call.
        let mut identities = BTreeSet::from([plugin.identity.to_string()]);
        for installed in session.journal().plugins()? {
            let is_connector = installed.newest.kind == Kind::Connector.word();
            identities.extend(is_connector.then(|| installed.newest.identity.clone()));
            for release in installed.earlier.into_iter().chain([installed.newest]) {
                let (component, manifest) = (session.blob(release.component)?, session.blob(release.manifest)?);
                journal.install(release, &component, &manifest)?;
            }
        }
        let now = session.clock().now();
        let standing = session.journal().grants()?.into_iter().filter(|stored| stored.grant.stands(now));
        for stored in standing.filter(|stored| identities.contains(&stored.grant.identity)) {
            let mut grant = stored.grant;
            grant.scope = self.with_copies(&grant.scope)?;
            journal.give(vec![NewGrant { grant, replaces: Vec::new() }])?;
        }
        journal.close()?;
        fs::write(home.path().join(stand_in::FILE_NAME), "").or_fail(Exit::HostFailed, "cannot make the stand-ins")
    }

    /// Returns a grant with the copies of the folders that it names.
    fn with_copies(&mut self, grant: &str) -> Result<String> {
        let mut table: Table = grant.parse().or_fail(Exit::Usage, "a grant is not TOML")?;
        let files = table.get_mut("capabilities").and_then(|all| all.get_mut("files")).and_then(Value::as_table_mut);
        for (_, section) in files.into_iter().flatten() {
            if let Some(dir) = section.get_mut("dir") {
                let copy = self.copy_of(&caller::path(Path::new(dir.as_str().unwrap_or_default())));
                *dir = Value::String(copy.display().to_string());
            }
        }
        Ok(table.to_string())
    }

    fn take_arguments(&mut self, plugin: &Plugin, args: &args::Run) -> Result<()> {
        let mut arguments = Vec::new();
        let path = caller::path(&args.plugin);
        // The stage is elsewhere.
        let path = std::path::absolute(&path).unwrap_or(path);
        let typed = if path.exists() { path.display().to_string() } else { plugin.identity.to_string() };
        for mount in &args.mounts {
            let copy = self.copy_of(&caller::path(&mount.dir));
            let access = if mount.access == Access::ReadWrite { ":rw" } else { "" };
            arguments.extend(["--mount".to_owned(), format!("{}={}{access}", mount.name, copy.display())]);
        }
        if let Some(input) = &args.input {
            let bytes = input.read(Limits::default()[LimitKind::Payload])?;
            arguments.extend(["--input".to_owned(), format!("@{}", self.file("input", &bytes)?)]);
        }
        if let Some(grant) = &args.grant {
            let what = || format!("cannot read grant {}", grant.display());
            let text = fs::read_to_string(caller::path(grant)).or_fail(Exit::Usage, what())?;
            let text = self.with_copies(&text).map_err(|failure| failure.context(what()))?;
            arguments.extend(["--grant".to_owned(), self.file("grant.toml", text.as_bytes())?]);
        }
        arguments.extend(args.allow_requested.then(|| "--allow-requested".to_owned()));
        let limits = args.limits.iter().map(ToString::to_string);
        arguments.extend(limits.flat_map(|limit| ["--limit".to_owned(), limit]));
        let choices = args.connectors.iter().map(|choice| format!("{}={}", choice.interface, choice.connector));
        arguments.extend(choices.flat_map(|choice| ["--connector".to_owned(), choice]));
        arguments.extend([typed, "--".to_owned()]);
        arguments.extend(args.arguments.iter().cloned());
        self.arguments = arguments;
        Ok(())
    }

    fn file(&self, name: &str, bytes: &[u8]) -> Result<String> {
        let path = self.root.path().join(name);
        fs::write(&path, bytes).or_fail(Exit::HostFailed, format!("cannot write {}", path.display()))?;
        Ok(path.display().to_string())
    }
}

#[cfg(unix)]
fn is_killed(status: &std::process::ExitStatus) -> bool {
    std::os::unix::process::ExitStatusExt::signal(status) == Some(signal_hook::consts::SIGKILL)
}

#[cfg(not(unix))]
fn is_killed(status: &std::process::ExitStatus) -> bool {
    !status.success()
}

/// Copies a folder into one that may be there. What is neither a file nor a folder is left out: a guest cannot follow it.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, to) = (entry.file_type()?, to.join(entry.file_name()));
        match () {
            () if kind.is_dir() => copy(&entry.path(), &to)?,
            () if kind.is_file() => drop(fs::copy(entry.path(), &to)?),
            () => {}
        }
    }
    Ok(())
}

fn size_of(folder: &Path) -> Result<u64> {
    let what = || format!("cannot read {}", folder.display());
    let mut size = 0;
    for entry in fs::read_dir(folder).or_fail(Exit::Usage, what())? {
        let entry = entry.or_fail(Exit::Usage, what())?;
        let metadata = entry.metadata().or_fail(Exit::Usage, what())?;
        size += if metadata.is_dir() { size_of(&entry.path())? } else { metadata.len() };
    }
    Ok(size)
}
