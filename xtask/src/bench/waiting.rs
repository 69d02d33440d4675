//! Runs that wait: what a hundred thousand of them take, and how soon one goes on once its time has come.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use remit::gate::{End, Outcome, Where};
use remit::home::{Home, Wait as Waits};
use remit::journal::{Journal, Kind, Options, Suspension, Waiting};
use remit::lifecycle::Wait;
use remit::meter::Usage;
use remit::time::{Clock, Timestamp};

use super::durable::{remit, succeeds};
use super::harness::{Ratio, Target};
use super::journal::header;
use super::scene::component_path;
use super::start::build;

/// Runs that wait while memory is looked at, and how often it is.
const SUSPENDED: u64 = 100_000;
const LOOKS: usize = 3;

/// Runs that wake, how many of them in a second, and how long they have to be started and suspended before.
const WOKEN: u64 = 500;
const PER_SECOND: u64 = 100;
const BEFORE: Duration = Duration::from_secs(40);

/// The resident memory of a host whose home has 100,000 suspended runs, less that of one whose home is empty.
pub fn memory() -> Result<Vec<Ratio>> {
    build()?;
    let folder = tempfile::tempdir()?;
    let (empty, full) = (folder.path().join("empty"), folder.path().join("full"));
    suspend(&full, SUSPENDED)?;
    let more = || Ok((resident_kib(&full)? - resident_kib(&empty)?) / 1024.0);
    let looks = (0..LOOKS).map(|_| more()).collect::<Result<Vec<_>>>()?;
    Ok(vec![Ratio::of("MiB that 100,000 suspended runs take of a host", Target::AtMost(64.0), &looks)?])
}

/// Records so many runs that wait for a time that is far away.
fn suspend(path: &Path, count: u64) -> Result<()> {
    let (home, journal) = open(path)?;
    let mut last = None;
    for number in 0..count {
        let mut run = journal.accept(&header(), &[])?;
        let until = Timestamp::from_micros(4_000_000_000_000_000 + number);
        let wait = Wait::Time { until };
        let outcome = Outcome::Waiting { wait: wait.clone() };
        let at = Where::Call("remit:plugin/timer#sleep-until".into());
        let end =
            End { outcome, at, fuel: 1, usage: Usage::default(), called: Usage::default(), by: Some("host".into()) };
        run.suspend(1, 1_772_000_001_000_000, &end, Suspension::from(Waiting::new(0, wait)))?;
        last = Some(run.durable()?);
    }
    last.context("no run was recorded")?.wait()?;
    journal.close()?;
    drop(home);
    Ok(())
}

/// Returns the resident memory of a host that serves a home, once it is ready.
fn resident_kib(home: &Path) -> Result<f64> {
    let host = Host::serving(home)?;
    let status = std::fs::read_to_string(format!("/proc/{}/status", host.0.id()))?;
    let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
    kib.context("only Linux tells a process's memory here")?.trim().parse().context("VmRSS")
}

/// A host that is killed when this is dropped.
struct Host(Child);

impl Host {
    fn serving(home: &Path) -> Result<Self> {
        let mut host = Self(remit(home)?.arg("serve").stdout(Stdio::piped()).spawn()?);
        let mut line = String::new();
        BufReader::new(host.0.stdout.take().context("its output is piped")?).read_line(&mut line)?;
        ensure!(line.starts_with("serving"), "the host said {line:?}");
        Ok(host)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // Killed or not: nothing more is asked of it.
        let _killed = self.0.kill();
        let _ended = self.0.wait();
    }
}

/// How long after its time a run goes on, with 100 of them waking in a second: the 99th of 100.
pub fn wake() -> Result<Vec<Ratio>> {
    build()?;
    let folder = tempfile::tempdir()?;
    let (home, plugin) = (folder.path().join("home"), folder.path().join("timer"));
    std::fs::create_dir_all(&plugin)?;
    std::fs::copy(component_path("timer")?, plugin.join("timer.wasm"))?;
    std::fs::write(plugin.join("remit.toml"), TIMER)?;
    let host = Host::serving(&home)?;
    let first_ms = u64::try_from((SystemTime::now() + BEFORE).duration_since(UNIX_EPOCH)?.as_millis())?;
    for number in 0..WOKEN {
        let until = (first_ms + number * 1_000 / PER_SECOND).to_string();
        let args = ["--allow-requested", "--", "until", &until];
        succeeds(remit(&home)?.arg("start").arg(&plugin).args(args))?;
    }
    let end = UNIX_EPOCH + Duration::from_millis(first_ms) + Duration::from_secs(WOKEN / PER_SECOND + 3);
    std::thread::sleep(end.duration_since(SystemTime::now()).context("the runs were started too slowly")?);
    drop(host);
    let mut late = lateness(&home)?;
    ensure!(late.len() as u64 == WOKEN, "{} of {WOKEN} runs have woken", late.len());
    late.sort_by(f64::total_cmp);
    let p99 = late[late.len() * 99 / 100];
    Ok(vec![Ratio::of("ms after its time at which a run goes on, 100/s, p99", Target::AtMost(50.0), &[p99])?])
}

const TIMER: &str = "[plugin]\nname = \"timer\"\nversion = \"0.1.0\"\nkind = \"command\"\n\
                     [capabilities.timer]\nmax = \"1h\"\nwhy = \"sleeps\"\n";

/// Returns by how many milliseconds each run of a home was told later than it wanted to be.
fn lateness(home: &Path) -> Result<Vec<f64>> {
    let (home, journal) = open(home)?;
    let mut late = Vec::new();
    for run in journal.runs()? {
        let wanted_ms: f64 = run.header.args.last().context("a run has arguments")?.parse()?;
        let mut reader = journal.reader(run.id)?;
        while let Some(entry) = reader.next()? {
            if entry.kind() == Kind::Outcome {
                late.push(entry.time_us() as f64 / 1_000.0 - wanted_ms);
            }
        }
    }
    journal.close()?;
    drop(home);
    Ok(late)
}

fn open(path: &Path) -> Result<(Home, Journal)> {
    let home = Home::open(path, "the benchmarks", &Clock::system(), Waits::No)?;
    let journal = Journal::open(&home.journal_path(), home.signing_key()?, &Options::default())?;
    Ok((home, journal))
}
