//! A home of its own with journal and host, to run and replay guests in this process as `remit` does.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use remit::agent::{
    Accepted, Agent, Connected, Connectors, Host, Launch, Links, Node, Outward, Stop, Verdict, accept, recall,
};
use remit::capability::config::Values;
use remit::capability::connector::route::Linked;
use remit::capability::link::{Call, Link};
use remit::capability::wasi::http::Network;
use remit::capability::{Offer, VERSIONS};
use remit::digest::{Content, Digest};
use remit::engine::{Cache, CacheStats, Engine, PoolSize};
use remit::gate::{Ask, Asked, Class, FuelRule, Outcome};
use remit::home::{Home, Wait, cache_key};
use remit::id::RunId;
use remit::journal::{self, Answer, GrantId, Journal, NewGrant, Options};
use remit::manifest::{Grant, Interface};
use remit::meter::Limits;
use remit::scope::{Access, Remit};
use remit::time::Clock;
use tokio::runtime::Runtime;

use crate::{guests, shell};

/// What the guest `bench` gets from `nothing`.
pub const ANSWER: u64 = 0x0123_4567_89ab_cdef;

/// The most runs at the same time.
pub const RUNS_MAX: u32 = 64;

/// The key that `permitted` asks the remit about, and a remit that allows it among others.
const KEY: &str = "seen/2026/03/01";
const GRANT: &str = "[capabilities.kv]\nprefixes = [\"notes/\", \"seen/\", \"todo/\"]\n";

/// Remit's interfaces and that of the guest `bench`.
const OFFERED: &[(&str, &str)] = &{
    let mut offered = [("bench:host", "1.0.0"); VERSIONS.len() + 1];
    let mut index = 0;
    while index < VERSIONS.len() {
        offered[index] = VERSIONS[index];
        index += 1;
    }
    offered
};

/// A host on a home.
pub struct Scene {
    pub host: Host,
    pub journal: Journal,
    pub runtime: Runtime,
    cache: Cache,
    clock: Clock,
    /// What every run has, and the gate looks at.
    grant: GrantId,
    _home: Home,
}

/// A component and what a host made of it.
pub struct Guest {
    pub bytes: Vec<u8>,
    pub agent: Agent,
}

/// A connector, ready to be called, and what its caller is granted.
pub struct Callee {
    all: Arc<Connectors>,
    links: Arc<Links>,
    remit: Remit,
    pub bytes: Vec<u8>,
}

impl Scene {
    /// Opens the home at `path`, or makes one.
    pub fn at(path: &Path) -> Result<Self> {
        let clock = Clock::system();
        let home = Home::open(path, "the benchmarks", &clock, Wait::No)?;
        let key = home.signing_key()?;
        let cache = Cache::new(home.cache_dir(), cache_key(&key));
        let journal = Journal::open(&home.journal_path(), key, &Options::default())?;
        let host = Host::offering(Engine::new(PoolSize { runs: RUNS_MAX })?, Offer { versions: OFFERED, more: link });
        let grant = granted(&journal, &clock)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { host, journal, runtime, cache, clock, grant, _home: home })
    }

    /// Loads a guest that [`guests::run`] built.
    pub fn guest(&self, name: &str) -> Result<Guest> {
        let bytes = component(name)?;
        Ok(Guest { agent: self.host.prepare(&Content::of(bytes.as_slice()), &self.cache)?, bytes })
    }

    /// Loads a caller with the connector that answers the interface it imports.
    pub fn connected(&self, caller: &str, connector: &str, interface: &str) -> Result<(Guest, Callee)> {
        let bytes = component(connector)?;
        let agent = self.host.prepare_with(&Content::of(bytes.as_slice()), &self.cache, Connected::ByRecord)?;
        let exported = agent.exports().first().context("the connector exports nothing")?.interface.clone();
        let mut links = Links::default();
        let granted = interface.parse::<Interface>().map_err(|error| anyhow::anyhow!("{error}"))?;
        links.add(Linked { granted, interface: exported, connector: connector.to_owned() }, 0, 0);
        let caller_bytes = component(caller)?;
        let content = Content::of(caller_bytes.as_slice());
        let caller = self.host.prepare_with(&content, &self.cache, Connected::To(links.linked()))?;
        let node =
            Node { launch: launch(&bytes, &[], self.grant), agent, outward: Outward::default(), links: Arc::default() };
        let engine = self.host.engine().fingerprint();
        let all = Connectors::new(vec![node], engine, self.journal.clone(), self.clock.clone());
        let grant = format!("[capabilities.connectors.\"{interface}\"]\n");
        let grant = Grant::parse("grant", &grant).map_err(|errors| anyhow::anyhow!("{errors}"))?;
        let callee = Callee { all: Arc::new(all), links: Arc::new(links), remit: Remit::from_grant(&grant), bytes };
        Ok((Guest { bytes: caller_bytes, agent: caller }, callee))
    }

    /// Runs a command that calls a connector, as [`Scene::record`] does.
    pub fn record_calling(&self, guest: &Guest, callee: &Callee, arguments: &[&str]) -> Result<f64> {
        let launch = Launch { remit: callee.remit.clone(), ..launch(&guest.bytes, arguments, self.grant) };
        let engine = self.host.engine().fingerprint();
        let accepted = accept(launch, &guest.agent, engine, &self.journal, self.clock.clone())?;
        let accepted = accepted.calling(&callee.all, &callee.links);
        let start = Instant::now();
        let end = self.runtime.block_on(accepted.run(&guest.agent, &Stop::default(), &mut |_, _| {}))?;
        let took = start.elapsed().as_secs_f64();
        ensure!(matches!(end.outcome, Outcome::Succeeded { .. }), "{arguments:?} ended otherwise: {:?}", end.outcome);
        Ok(took)
    }

    /// Returns what the cache of compiled components did for this scene.
    pub fn compiled(&self) -> CacheStats {
        self.cache.stats()
    }

    /// Runs a command live, until its end is durable. Returns the run and the seconds that it took once accepted.
    pub fn record(&self, guest: &Guest, arguments: &[&str]) -> Result<(RunId, f64)> {
        self.run(guest, arguments, self.accepted(guest, arguments, benched())?)
    }

    /// As [`Scene::record`], of a guest that may do what the remit holds and has a way out.
    pub fn record_reaching(
        &self,
        guest: &Guest,
        arguments: &[&str],
        remit: Remit,
        network: Arc<dyn Network>,
    ) -> Result<(RunId, f64)> {
        self.run(guest, arguments, self.accepted(guest, arguments, remit)?.reaching(network))
    }

    /// Runs a command as often as `runs` says at the same time, each run on a thread of its own. Returns the seconds from
    /// when all are accepted until the end of each is durable.
    pub fn record_together(
        &self,
        guest: &Guest,
        arguments: &[&str],
        (remit, network): (&Remit, &Arc<dyn Network>),
        runs: usize,
    ) -> Result<f64> {
        let ready = Barrier::new(runs + 1);
        let one = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let accepted =
                self.accepted(guest, arguments, remit.clone()).map(|accepted| accepted.reaching(network.clone()));
            ready.wait();
            let end = runtime.block_on(accepted?.run(&guest.agent, &Stop::default(), &mut |_, _| {}))?;
            ensure!(matches!(end.outcome, Outcome::Succeeded { .. }), "a run ended otherwise: {:?}", end.outcome);
            Ok(())
        };
        thread::scope(|scope| {
            let threads: Vec<_> = (0..runs).map(|_| scope.spawn(one)).collect();
            ready.wait();
            let start = Instant::now();
            threads.into_iter().try_for_each(|thread| thread.join().expect("no run panics"))?;
            Ok(start.elapsed().as_secs_f64())
        })
    }

    fn accepted(&self, guest: &Guest, arguments: &[&str], remit: Remit) -> Result<Accepted> {
        let launch = Launch { remit, ..launch(&guest.bytes, arguments, self.grant) };
        Ok(accept(launch, &guest.agent, self.host.engine().fingerprint(), &self.journal, self.clock.clone())?)
    }

    fn run(&self, guest: &Guest, arguments: &[&str], accepted: Accepted) -> Result<(RunId, f64)> {
        let (run, start) = (accepted.id, Instant::now());
        let end = self.runtime.block_on(accepted.run(&guest.agent, &Stop::default(), &mut |_, _| {}))?;
        let took = start.elapsed().as_secs_f64();
        ensure!(matches!(end.outcome, Outcome::Succeeded { .. }), "{arguments:?} ended otherwise: {:?}", end.outcome);
        Ok((run, took))
    }

    /// Replays a run, which must match. Returns the seconds that it took.
    pub fn replay(&self, guest: &Guest, run: RunId) -> Result<f64> {
        let recalled = recall(&self.journal, run)?;
        let (stop, start) = (Stop::default(), Instant::now());
        let replay = recalled.replay(&guest.agent, FuelRule::Compared, &self.journal, &stop);
        let replayed = self.runtime.block_on(replay)?;
        let took = start.elapsed().as_secs_f64();
        ensure!(matches!(replayed.verdict, Verdict::Matched), "replay came out otherwise: {:?}", replayed.verdict);
        Ok(took)
    }
}

/// Returns the bytes of a guest that [`guests::run`] built.
pub fn component(name: &str) -> Result<Vec<u8>> {
    let path = component_path(name)?;
    fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// Returns where [`guests::run`] puts a guest.
pub fn component_path(name: &str) -> Result<std::path::PathBuf> {
    let folder = shell::root().join(guests::WORKSPACE).join(guests::TARGET_DIR);
    Ok(folder.join(guests::TARGET).join("release").join(format!("{name}.wasm")).canonicalize()?)
}

fn link(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link.sync("bench:host/calls#nothing", Call::new(Class::ReadLocal, |_, _, _: &()| Ok((ANSWER,))))?;
    let permitted = Call::new(Class::ReadLocal, |_, _, _: &()| Ok((ANSWER,)))
        .governed(|_, _| Asked { ask: Ask::Key(KEY, Access::Read), class: Class::ReadLocal }, |_| (0,));
    link.sync("bench:host/calls#permitted", permitted)?;
    link.sync("bench:host/calls#echo", Call::new(Class::ReadLocal, |_, _, bytes: &(Vec<u8>,)| Ok(bytes.clone())))
}

/// Returns the grant of a home, stored when it is first opened.
fn granted(journal: &Journal, clock: &Clock) -> Result<GrantId> {
    if let Some(stored) = journal.grants()?.first() {
        return Ok(stored.id);
    }
    let grant = journal::Grant {
        answer: Answer::Granted,
        by: "benchmarks".into(),
        component: Digest::of(b"any"),
        ended: None,
        expires: None,
        given: clock.now(),
        identity: "benchmarks".into(),
        plugin: "bench".into(),
        scope: GRANT.into(),
        section: "kv".into(),
        extra: [].into(),
    };
    let given = journal.give(vec![NewGrant { grant, replaces: Vec::new() }])?;
    given.first().copied().context("the journal names no grant")
}

/// Returns what the benchmarks' own functions need.
fn benched() -> Remit {
    Remit::from_grant(&Grant::parse("the benchmarks", GRANT).expect("it is a grant"))
}

fn launch(component: &[u8], arguments: &[&str], grant: GrantId) -> Launch {
    Launch {
        identity: "benchmarks".into(),
        name: "bench".into(),
        version: None,
        component: Content::of(component),
        manifest: String::new(),
        grants: vec![grant.to_string()],
        remit: benched(),
        mounts: [].into(),
        values: Values::default(),
        limits: Limits::default(),
        input: Vec::new(),
        arguments: std::iter::once("bench").chain(arguments.iter().copied()).map(str::to_owned).collect(),
        principal: "benchmarks".into(),
        labels: [].into(),
        seed: [7; 32],
    }
}
