//! A thread that drives runs. A run's future stays on the thread that polls it, so each worker has a runtime of its own and
//! takes turns between its runs: at each slice of fuel, and while they wait.

use std::io;
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};

use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{LocalSet, spawn_local};

use super::places::Claim;
use super::{Shared, drive};
use crate::agent::Stop;
use crate::id::RunId;

/// A run that has a place.
pub(super) struct Job {
    pub run: RunId,
    pub stop: Stop,
    /// Who has it go on.
    pub by: String,
}

/// A thread that drives runs.
pub(super) struct Worker {
    jobs: UnboundedSender<Job>,
    thread: JoinHandle<()>,
}

impl Worker {
    /// Starts one.
    pub fn start(number: usize, shared: &Arc<Shared>) -> io::Result<Self> {
        let (jobs, received) = unbounded_channel();
        let runtime = Builder::new_current_thread().enable_all().build()?;
        // The worker is dropped with what it is part of.
        let shared = Arc::downgrade(shared);
        let work = move || work(&runtime, received, &shared);
        let thread = thread::Builder::new().name(format!("worker-{number}")).spawn(work)?;
        Ok(Self { jobs, thread })
    }

    /// Drives a run. There are never more at once than there are places.
    pub fn take(&self, job: Job) {
        // A worker that has died was told on stderr; its runs are interrupted.
        let _died = self.jobs.send(job);
    }

    /// Waits until all of its runs have come to an end.
    pub fn finish(self) {
        drop(self.jobs);
        let _died = self.thread.join();
    }
}

fn work(runtime: &Runtime, mut jobs: UnboundedReceiver<Job>, shared: &Weak<Shared>) {
    let runs = LocalSet::new();
    runs.block_on(runtime, async {
        while let Some(job) = jobs.recv().await {
            let Some(shared) = shared.upgrade() else { break };
            let claim = Claim::new(&shared, job.run);
            spawn_local(async move {
                // Whatever becomes of it, its place is given back.
                let _claim = claim;
                drive::drive(&shared, &job).await;
            });
        }
    });
    runtime.block_on(runs);
}
