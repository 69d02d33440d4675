//! What the capability tests stand on: a run put together as the command line does it, through the library, in a home
//! of its own; and the run read back from the journal.
//!
//! The clock stands still unless a test asks otherwise, and the seed is one, so that two runs of a program are equal.

mod fake_model;
mod guests;
mod ran;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use remit::agent::{Accepted, Connectors, Launch, Links, Stop, accept};
use remit::capability::config::{Value, Values};
use remit::capability::connector::route::Route;
use remit::capability::model::Models;
use remit::capability::wasi::http::Network;
use remit::digest::{Content, Digest};
use remit::engine::World;
use remit::gate::OutputStream;
use remit::home::{Home, Wait};
use remit::journal::{self, Answer, Ended, GrantId, Journal, NewGrant};
use remit::manifest::{Grant, Manifest};
use remit::meter::{LimitKind, Limits};
use remit::scope::Remit;
use remit::time::{Clock, Timestamp};
use tempfile::TempDir;

pub use fake_model::{Asked, FakeModel, Reply};
pub use guests::{Guest, HOST, component};
pub use ran::{Call, Ran, Recorded};

/// Where the clock stands: 2026-03-01 12:34:56.789 UTC.
pub const NOW: Timestamp = Timestamp::from_micros(1_772_368_496_789_000);

/// A home with its journal; clones are the same home. Runs of one scene share kv where they share an identity.
#[derive(Clone)]
pub struct Scene {
    journal: Journal,
    home: Arc<Home>,
    clock: Clock,
    folder: Arc<TempDir>,
}

impl Scene {
    /// Makes an empty home whose clock stands at [`NOW`].
    pub fn new() -> Self {
        Self::at(Clock::fixed(NOW))
    }

    /// Makes an empty home whose clock goes on, for guests that wait.
    pub fn ticking() -> Self {
        Self::at(Clock::system())
    }

    /// Makes an empty home whose clock goes on by `step` whenever somebody reads it.
    pub fn stepping(step: Duration) -> Self {
        Self::at(Clock::stepping(NOW, step))
    }

    fn at(clock: Clock) -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        let home = Home::open(&folder.path().join("home"), "the tests", &clock, Wait::No).expect("nobody holds it");
        let key = home.signing_key().expect("a new home makes its key");
        let journal = Journal::open(&home.journal_path(), key, &journal::Options::default()).expect("it is new");
        Self { journal, home: Arc::new(home), clock, folder: Arc::new(folder) }
    }

    /// Returns the journal.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Returns where time comes from.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Keeps a section of a grant file for a guest, as an operator does. `section` is what it is counted by.
    pub fn grant(&self, guest: &str, section: &str, scope: &str) -> GrantId {
        let parsed = Grant::parse("grant.toml", scope).unwrap_or_else(|errors| panic!("{errors}"));
        let grant = journal::Grant {
            answer: Answer::Granted,
            by: "test".into(),
            component: Digest::of(&Guest::named(guest).bytes),
            ended: None,
            expires: parsed.expires,
            given: self.clock.now(),
            identity: identity(guest),
            plugin: guest.into(),
            scope: scope.into(),
            section: section.into(),
            extra: BTreeMap::new(),
        };
        let given = self.journal.give(vec![NewGrant { grant, replaces: Vec::new() }]).expect("the journal takes it");
        given[0]
    }

    /// Takes a grant back, as an operator does.
    pub fn revoke(&self, grant: GrantId) {
        let ended = Ended { at: self.clock.now(), by: "test".into(), replaced_by: None, why: None };
        self.journal.revoke(grant, ended).expect("it stands");
    }

    /// Opens the journal again, as the next process would.
    pub fn reopened(self) -> Self {
        let Self { journal, home, clock, folder } = self;
        journal.close().expect("everything is written");
        let key = home.signing_key().expect("the key is there");
        let journal = Journal::open(&home.journal_path(), key, &journal::Options::default()).expect("it is whole");
        Self { journal, home, clock, folder }
    }

    /// Makes a folder to mount, holding these files. A name with a slash at its end is a folder.
    pub fn dir(&self, name: &str, files: &[(&str, &str)]) -> PathBuf {
        let dir = self.folder.path().join(name);
        std::fs::create_dir(&dir).expect("the name is new");
        for (file, text) in files {
            match file.strip_suffix('/') {
                Some(folder) => std::fs::create_dir(dir.join(folder)).expect("the folder is new"),
                None => std::fs::write(dir.join(file), text).expect("the file can be written"),
            }
        }
        dir
    }

    /// Begins a run of a command in `tests/guests`.
    pub fn command<'a>(&self, guest: &str, arguments: impl IntoIterator<Item = &'a str>) -> Play {
        let mut play = self.play(guest, Guest::named(guest));
        play.arguments.extend(arguments.into_iter().map(str::to_owned));
        play
    }

    /// Begins a run of the agent in `tests/guests`.
    pub fn agent(&self, input: &str) -> Play {
        self.play("agent", Guest::named("guest_agent")).input(input)
    }

    /// Begins a run of any guest.
    pub fn play(&self, name: &str, guest: Arc<Guest>) -> Play {
        Play {
            scene: self.clone(),
            name: name.to_owned(),
            guest,
            identity: identity(name),
            capabilities: String::new(),
            mounts: BTreeMap::new(),
            limits: Vec::new(),
            input: Vec::new(),
            arguments: vec![name.to_owned()],
            seed: [7; 32],
            network: None,
            models: None,
            connectors: None,
            route: None,
            values: Values::default(),
            grants: Vec::new(),
        }
    }
}

/// Returns whose kv and grants those of a guest are.
fn identity(guest: &str) -> String {
    format!("test:{guest}")
}

/// A run that is being put together.
pub struct Play {
    scene: Scene,
    name: String,
    guest: Arc<Guest>,
    identity: String,
    capabilities: String,
    mounts: BTreeMap<String, PathBuf>,
    limits: Vec<(LimitKind, u64)>,
    input: Vec<u8>,
    arguments: Vec<String>,
    seed: [u8; 32],
    network: Option<Arc<dyn Network>>,
    models: Option<Models>,
    connectors: Option<(Arc<Connectors>, Arc<Links>)>,
    route: Option<Arc<dyn Route>>,
    values: Values,
    /// The grants that decide, whatever it asks for: the names of stored ones, the text of others.
    grants: Vec<String>,
}

impl Play {
    /// Has an operator's grant say what the run may do, whatever it asks for.
    pub fn granted_by(mut self, grant: &str) -> Self {
        self.grants.push(grant.to_owned());
        self
    }

    /// Has stored grants say so.
    pub fn under(mut self, grants: &[GrantId]) -> Self {
        self.grants.extend(grants.iter().map(ToString::to_string));
        self
    }

    /// Returns what the grants say together; nothing where none was given.
    fn grant(&self) -> Option<Grant> {
        let text = |grant: &String| match grant.parse() {
            Ok(id) => self.scene.journal.grant(id).expect("it was stored").grant.scope,
            Err(_) => grant.clone(),
        };
        let texts: Vec<String> = self.grants.iter().map(text).collect();
        let together = || Grant::parse("grant.toml", &texts.join("\n")).unwrap_or_else(|errors| panic!("{errors}"));
        (!texts.is_empty()).then(together)
    }

    /// Gives the run a way out.
    pub fn reaching(mut self, network: &Arc<impl Network + 'static>) -> Self {
        self.network = Some(network.clone());
        self
    }

    /// Gives the run connectors to call.
    pub fn calling(mut self, connectors: &Arc<Connectors>, links: &Arc<Links>) -> Self {
        self.connectors = Some((connectors.clone(), links.clone()));
        self
    }

    /// Gives a command its arguments.
    pub fn arguments<'a>(mut self, arguments: impl IntoIterator<Item = &'a str>) -> Self {
        self.arguments.extend(arguments.into_iter().map(str::to_owned));
        self
    }

    /// Says who answers for each tier of models.
    pub fn asking(mut self, models: Models) -> Self {
        self.models = Some(models);
        self
    }

    /// Gives the run a way to what stands for connectors.
    pub fn routed(mut self, route: &Arc<impl Route + 'static>) -> Self {
        self.route = Some(route.clone());
        self
    }

    /// Has the operator set these values for the plugin.
    pub fn configured<const N: usize>(mut self, values: [(&str, Value); N]) -> Self {
        self.values = values.into_iter().collect();
        self
    }

    /// Grants what this part of a manifest asks for: `[capabilities...]` tables.
    pub fn granted(mut self, capabilities: &str) -> Self {
        self.capabilities.push_str(capabilities);
        self.capabilities.push('\n');
        self
    }

    /// Grants and mounts a folder; the name is its place too.
    pub fn mounted(mut self, name: &str, dir: &Path, access: &str) -> Self {
        self.mounts.insert(name.to_owned(), dir.to_owned());
        let table = format!("[capabilities.files.{name}]\nmount = \"/{name}\"\naccess = \"{access}\"\nwhy = \"test\"");
        self.granted(&table)
    }

    /// Mounts a folder for files that the granted tables name.
    pub fn at(mut self, name: &str, dir: &Path) -> Self {
        self.mounts.insert(name.to_owned(), dir.to_owned());
        self
    }

    /// Lowers or raises a limit.
    pub fn limit(mut self, kind: LimitKind, value: u64) -> Self {
        self.limits.push((kind, value));
        self
    }

    /// Gives an agent its JSON, or a command its standard input.
    pub fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = input.into();
        self
    }

    /// Runs as this plugin.
    pub fn identity(mut self, identity: &str) -> Self {
        self.identity = identity.to_owned();
        self
    }

    /// Draws other random numbers.
    pub fn seed(mut self, seed: u8) -> Self {
        self.seed = [seed; 32];
        self
    }

    /// Runs another component in its place, as a rebuild of the same plugin does.
    pub fn rebuilt(mut self, guest: Arc<Guest>) -> Self {
        self.guest = guest;
        self
    }

    /// Runs to the end.
    pub fn run(self) -> Ran {
        self.run_beside(|_| async {})
    }

    /// Runs to the end, with a companion on the same thread that takes a turn whenever the guest gives one up: at each
    /// slice of fuel, and while it waits.
    pub fn run_beside<F: Future<Output = ()>>(mut self, companion: impl FnOnce(Stop) -> F) -> Ran {
        let models = self.models.take().map(Arc::new);
        let Self { scene, guest, .. } = &self;
        let agent = &guest.agent;
        let engine = HOST.engine().fingerprint();
        let accepted = accept(self.launch(), agent, engine, &scene.journal, scene.clock.clone());
        let accepted = accepted.unwrap_or_else(|error| panic!("the run is not accepted: {error}"));
        let accepted = self.network.iter().cloned().fold(accepted, Accepted::reaching);
        let accepted = models.into_iter().fold(accepted, Accepted::asking);
        let connectors = self.connectors.iter();
        let accepted = connectors.fold(accepted, |accepted, (all, links)| accepted.calling(all, links));
        let accepted = self.route.iter().cloned().fold(accepted, Accepted::routed);
        let (id, stop) = (accepted.id, Stop::default());
        let mut shown: Vec<(OutputStream, Vec<u8>)> = Vec::new();
        let mut sink = |stream, bytes: &[u8]| shown.push((stream, bytes.to_vec()));
        let running = accepted.run(agent, &stop, &mut sink);
        let (end, ()) = runtime().block_on(async { tokio::join!(running, companion(stop.clone())) });
        let end = end.expect("the journal takes the run");
        Ran::new(self.scene, self.guest, id, end, &shown)
    }

    /// Returns what decides the run.
    pub fn launch(&self) -> Launch {
        let kind = match self.guest.agent.world() {
            World::Agent => "agent",
            World::Command => "command",
            World::Connector => "connector",
        };
        let name = self.name.replace('_', "-");
        let capabilities = &self.capabilities;
        let text = format!(
            "[plugin]\nname = \"{name}\"\nversion = \"1.0.0\"\nkind = \"{kind}\"\ndescription = \"A test\"\n{capabilities}"
        );
        let manifest = Manifest::parse("remit.toml", &text).unwrap_or_else(|errors| panic!("{errors}"));
        let request = manifest.request();
        let limits = Limits::requested(&request.limits);
        Launch {
            identity: self.identity.clone(),
            name: self.name.clone(),
            version: Some("1.0.0".into()),
            component: Content::of(self.guest.bytes.as_slice()),
            manifest: text.clone(),
            grants: self.grants.clone(),
            remit: self.grant().map_or_else(|| Remit::from_request(request), |grant| Remit::from_grant(&grant)),
            mounts: self.mounts.iter().map(|(name, dir)| (name.parse().expect("a name"), dir.clone())).collect(),
            values: self.values.clone(),
            limits: self.limits.iter().fold(limits, |limits, &(kind, value)| limits.with(kind, value)),
            input: self.input.clone(),
            arguments: self.arguments.clone(),
            principal: "test".into(),
            labels: BTreeMap::new(),
            seed: self.seed,
        }
    }
}

/// Makes what drives runs and replays of one thread.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("the system gives a runtime")
}
