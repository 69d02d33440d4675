//! `remit config`: where the operator's configuration is, whether it is right, and the first one.

use std::path::Path;

use serde_json::json;

use super::Shell;
use super::args::{self, Json};
use super::exit::Exit;
use super::report::{Failure, Result, note, print, print_json};
use crate::config::{self, Config, ConfigError};
use crate::home;
use crate::manifest::{Errors, Problem};

/// Runs one of the subcommands.
pub(super) fn config(shell: &Shell, command: &args::Config) -> Result {
    match command {
        args::Config::Path => path(shell),
        args::Config::Check(args) => check(shell, args),
        args::Config::Init => init(shell),
    }
}

fn path(shell: &Shell) -> Result {
    print(format_args!("{}\n", config::path(&shell.home_path()?).display()))?;
    Ok(Exit::Ok)
}

fn init(shell: &Shell) -> Result {
    let home = shell.open_home("remit config init")?;
    let path = config::init(home.path())?;
    print(format_args!("{}\n", path.display()))?;
    note("it sets nothing yet: take the `#` away from what you need, then `remit config check`");
    Ok(Exit::Ok)
}

/// Says what is wrong with the configuration, and what it names and is not there. Neither makes a home nor waits for
/// one.
fn check(shell: &Shell, args: &Json) -> Result {
    let home = shell.home_path()?;
    let path = config::path(&home);
    let config = match config::read(&home) {
        Ok(config) => config,
        Err(ConfigError::Wrong(errors)) if args.json => {
            print_json(&json!({ "path": path, "problems": problems(&errors), "missing": [] }))?;
            return Ok(Exit::Usage);
        }
        Err(error) => return Err(error.into()),
    };
    let missing = missing(&config, &home)?;
    if args.json {
        print_json(&json!({ "path": path, "problems": [], "missing": missing }))?;
    } else if missing.is_empty() {
        let state = if path.exists() { "is right" } else { "does not exist: the defaults hold" };
        print(format_args!("{} {state}\n", path.display()))?;
    }
    match missing.as_slice() {
        [] => Ok(Exit::Ok),
        _ if args.json => Ok(Exit::Usage),
        missing => Err(Failure::new(Exit::Usage, missing.join("; "))),
    }
}

/// Returns a sentence for each file and each secret that the configuration names and that is not there, or of no use.
fn missing(config: &Config, home: &Path) -> Result<Vec<String>> {
    let files = config.files().into_iter().filter(|(_, file)| !file.is_file());
    let mut missing: Vec<String> =
        files.map(|(key, file)| format!("{key}: there is no file {}", file.display())).collect();
    let scripts = config.scripts().into_iter();
    missing.extend(scripts.filter_map(|(key, file)| {
        let error = config::read_script(Some(file)).err()?;
        Some(format!("{key}: {error}"))
    }));
    let secrets = config.secrets();
    if !secrets.is_empty() {
        let vault = home::vault(home)?;
        let absent = secrets.into_iter().filter(|(_, name)| vault.get(name).is_none());
        missing
            .extend(absent.map(|(key, name)| format!("{key}: there is no secret {name}: `remit secret set {name}`")));
    }
    Ok(missing)
}

fn problems(errors: &Errors) -> Vec<serde_json::Value> {
    let as_json = |problem: &Problem| {
        let ((line, column), Problem { title, label, hint, .. }) = (errors.position(problem), problem);
        json!({ "line": line, "column": column, "title": title, "label": label, "hint": hint })
    };
    errors.problems().iter().map(as_json).collect()
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let exit = if matches!(error, ConfigError::Io { .. }) { Exit::HostFailed } else { Exit::Usage };
        match error {
            ConfigError::Wrong(errors) => Self::from_error(exit, errors),
            ConfigError::Exists { .. } => {
                Self::from_error(exit, error).hint("it stays as it is; `remit config check` looks at it")
            }
            error => Self::from_error(exit, error),
        }
    }
}
