//! `cargo xtask demo`: the whole path through the product, typed as a user would type it.
//!
//! It builds the host, has the built `remit` build and run the agent `brief` on a folder, and replays the run. What is
//! shown of the run is what `remit` shows. The demo has a home of its own, and touches nothing outside of it but what
//! builds make.

use std::env;
use std::ffi::OsString;
use std::fs::{self, DirBuilder};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::{guests, shell};

const PLUGIN: &str = "plugins/brief";

/// Characters of the folder's name that head the report, at most: the agent takes no more.
const TITLE_LEN_MAX: usize = 200;

/// Runs `brief` on `folder`, or on this repository, and replays the run.
///
/// Fails when the run fails or its replay differs.
pub fn run(folder: Option<PathBuf>) -> Result<()> {
    let places = Places::new(folder.as_deref().unwrap_or(shell::root()), &env::temp_dir(), &user())?;
    places.create()?;
    eprintln!(
        "folder  {}\nout     {}\nhome    {}",
        places.notes.display(),
        places.out.display(),
        places.home.display()
    );

    guests::ensure_target()?;
    shell::heading("building the host");
    let program = build_host()?;
    let remit = |args: &[OsString]| {
        let mut command = Command::new(&program);
        command.current_dir(shell::root()).env("REMIT_HOME", &places.home).args(args);
        eprintln!("$ {}", shell::shown(&command));
        shell::run(&mut command)
    };

    shell::heading("building the agent");
    remit(&["build".into(), PLUGIN.into()])?;
    shell::heading("running the agent");
    remit(&run_args(&places)).context("the run failed")?;
    shell::heading("replaying the run");
    remit(&["replay".into(), "last".into()]).context("the replay failed")?;
    eprint!("{}", farewell(&program, &places));
    Ok(())
}

/// Where the demo reads, writes and keeps its state: none of them inside another.
struct Places {
    notes: PathBuf,
    out: PathBuf,
    home: PathBuf,
    root: PathBuf,
}

impl Places {
    /// Decides where everything goes. `temp` need not be canonical.
    fn new(folder: &Path, temp: &Path, user: &str) -> Result<Self> {
        let notes = fs::canonicalize(folder).with_context(|| format!("cannot find the folder {}", folder.display()))?;
        ensure!(notes.is_dir(), "{} is not a folder: the demo takes a folder of Markdown or text", notes.display());
        let temp = fs::canonicalize(temp).with_context(|| format!("cannot find the folder {}", temp.display()))?;
        let root = temp.join(format!("remit-demo-{user}"));
        if root.starts_with(&notes) || notes.starts_with(&root) {
            bail!(
                "{} overlaps the demo's own folder {}: choose another folder, or set TMPDIR",
                notes.display(),
                root.display()
            );
        }
        Ok(Self { notes, out: root.join("out"), home: root.join("home"), root })
    }

    /// Creates the folders that are not there yet, for this user alone: the temporary folder belongs to everyone.
    fn create(&self) -> Result<()> {
        for dir in [&self.root, &self.out, &self.home] {
            let mut builder = DirBuilder::new();
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            match builder.create(dir) {
                Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                    return Err(error).with_context(|| format!("cannot create {}", dir.display()));
                }
                _ => ensure!(
                    fs::symlink_metadata(dir)?.is_dir(),
                    "{} is not a folder, and the demo needs one there: remove it",
                    dir.display()
                ),
            }
        }
        Ok(())
    }
}

/// Builds the host in the dev profile, where its dependencies are optimised already, and returns its binary.
fn build_host() -> Result<PathBuf> {
    let target_dir = shell::target_dir()?;
    let mut build = shell::cargo(".", ["build", "--locked", "--package", "remit-host", "--target-dir"]);
    shell::run(build.arg(&target_dir))?;
    Ok(target_dir.join("debug").join(format!("remit{}", env::consts::EXE_SUFFIX)))
}

fn run_args(places: &Places) -> Vec<OsString> {
    let mount = |name: &str, dir: &Path, access: &str| {
        let mut arg = OsString::from(format!("{name}="));
        arg.push(dir);
        arg.push(access);
        arg
    };
    vec![
        "run".into(),
        PLUGIN.into(),
        "--mount".into(),
        mount("notes", &places.notes, ""),
        "--mount".into(),
        mount("out", &places.out, ":rw"),
        "--allow-requested".into(),
        "--input".into(),
        input(&places.notes).into(),
    ]
}

/// Returns the agent's input. The title also tells folders apart in the agent's memory.
fn input(notes: &Path) -> String {
    let name = notes.file_name().unwrap_or(notes.as_os_str()).to_string_lossy();
    let title: String = name.chars().take(TITLE_LEN_MAX).collect();
    serde_json::json!({ "title": title }).to_string()
}

/// Returns the user's name as part of a file name.
fn user() -> String {
    let name = ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| env::var(name).ok()).unwrap_or_default();
    let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect();
    if name.is_empty() { "someone".to_owned() } else { name }
}

fn farewell(program: &Path, places: &Places) -> String {
    let remit = shell::quoted(&program.to_string_lossy());
    let home = shell::quoted(&places.home.to_string_lossy());
    let brief = places.out.join("BRIEF.md");
    format!(
        "\n== what next\n\
         The agent's report is {}. The run stays in the demo's home; look at it:\n\n  \
         export REMIT_HOME={home}\n  \
         {remit} show last --calls     # every host call it made\n  \
         {remit} verify last           # the record is whole, and signed by this host\n  \
         {remit} check {PLUGIN}   # what the agent asks for, and why\n  \
         {remit} runs                  # all runs\n  \
         {remit} new agent mine        # an agent of your own\n\n\
         Run the demo again and the agent says what changed. To forget it all: rm -r {}\n",
        shell::quoted(&brief.to_string_lossy()),
        shell::quoted(&places.root.to_string_lossy()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(folder: &Path, temp: &Path) -> String {
        Places::new(folder, temp, "ada").err().expect("it is refused").to_string()
    }

    #[test]
    fn a_missing_folder_is_named() {
        assert_eq!(refusal(Path::new("no/such/folder"), &env::temp_dir()), "cannot find the folder no/such/folder");
    }

    #[test]
    fn a_file_is_no_folder() {
        let manifest = shell::root().join("Cargo.toml");
        assert!(refusal(&manifest, &env::temp_dir()).contains("Cargo.toml is not a folder"));
    }

    #[test]
    fn a_folder_around_the_demos_own_is_refused() {
        let temp = env::temp_dir();
        assert!(refusal(&temp, &temp).contains("choose another folder"));
        assert!(Places::new(&shell::root().join("xtask"), &temp, "ada").is_ok());
    }

    #[test]
    fn the_folders_name_is_the_title() {
        assert_eq!(input(Path::new("/notes/my \"docs\"")), r#"{"title":"my \"docs\""}"#);
        assert_eq!(input(Path::new("/")), r#"{"title":"/"}"#);
    }

    #[test]
    fn the_output_is_mounted_for_writing_and_nothing_else_is() {
        let at = |dir: &str| PathBuf::from(dir);
        let places = Places { notes: at("n"), out: at("o"), home: at("h"), root: at("r") };
        let args: Vec<_> = run_args(&places).into_iter().filter(|arg| arg.to_string_lossy().contains('=')).collect();
        assert_eq!(args, ["notes=n", "out=o:rw"]);
    }
}
