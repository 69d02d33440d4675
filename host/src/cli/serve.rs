//! `remit serve`: a host that lives long, and goes on with every run of its home.

use super::Shell;
use super::args;
use super::backend::Desk;
use super::commands::Commands;
use super::exit::Exit;
use super::outfit::Outfits;
use super::report::{OrFail as _, Result, note, print};
use super::session::Session;
use super::signals::Signals;
use crate::api::{Api, Listener, Server};
use crate::config::{self, Host};
use crate::supervisor::{Bounds, Ground, Supervisor};

/// Serves the home until somebody ends it.
pub fn serve(shell: &Shell, _args: &args::Serve) -> Result {
    let config = config::read(&shell.home_path()?)?;
    let Host { runs, queue, stop_time } = config.host;
    let session = Session::lasting(shell, "remit serve", u32::try_from(runs).unwrap_or(u32::MAX))?;
    let signals = Signals::watch().or_fail(Exit::HostFailed, "cannot watch for signals")?;
    let ground = Ground {
        journal: session.journal().clone(),
        clock: session.clock().clone(),
        engine: session.host()?.engine().fingerprint(),
        outfitter: Box::new(Outfits(session.clone())),
    };
    let supervisor = Supervisor::start(ground, Bounds { runs_max: runs, queue_max: queue });
    let supervisor = supervisor.or_fail(Exit::HostFailed, "cannot start the threads that drive runs")?;
    let listener = Listener::bind(session.home().path()).or_fail(Exit::HostFailed, "nobody can ask this host")?;
    let commands = Commands::default();
    let desk = Desk { session: session.clone().supervised_by(&supervisor), commands: commands.clone() };
    let backend = Box::new(desk);
    let home = session.home().path().display().to_string();
    let api = Api { supervisor: supervisor.clone(), backend, home };
    // Who asks by now waits until it is known what goes on.
    let count = supervisor.recover()?;
    let server = Server::start(listener, api).or_fail(Exit::HostFailed, "cannot answer on the socket")?;
    print(format!("serving {}: {count} runs go on\n", session.home().path().display()))?;
    signals.wait();
    note("suspending what runs");
    match supervisor.shut_down(stop_time) {
        0 => {}
        left => {
            note(format!("{left} runs have not stopped in time: they are interrupted, and go on with the next host"))
        }
    }
    drop(server);
    commands.wait_for_all(stop_time);
    session.journal().clone().close()?;
    Ok(Exit::Ok)
}
