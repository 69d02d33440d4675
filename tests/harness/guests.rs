//! The guests: built once per process, compiled to machine code once per engine, and shared by every test.

use std::collections::HashMap;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use remit::agent::{Agent, Connected, Host, PrepareError};
use remit::digest::Content;
use remit::engine::{Cache, Engine, PoolSize};

/// What guests are built for.
const TARGET: &str = "wasm32-wasip2";

/// Runs and replays that tests have going at the same time: more than there are test threads on any machine.
const RUNS: u32 = 64;

/// Authenticates machine code that these tests compiled for themselves, in a folder that cargo made for them.
const CACHE_KEY: [u8; 32] = *b"machine code made by these tests";

/// The one host of this process, with everything linked.
pub static HOST: LazyLock<Host> = LazyLock::new(|| {
    let engine = Engine::new(PoolSize { runs: RUNS }).expect("the platform runs the engine");
    Host::new(engine)
});

static CACHE: LazyLock<Cache> =
    LazyLock::new(|| Cache::new(Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled"), CACHE_KEY));

static BUILT: LazyLock<Result<PathBuf, String>> = LazyLock::new(build);

static LOADED: LazyLock<Mutex<HashMap<String, Arc<Guest>>>> = LazyLock::new(Mutex::default);

/// A component and what the host made of it.
pub struct Guest {
    /// The component.
    pub bytes: Vec<u8>,
    /// The same, linked.
    pub agent: Agent,
}

impl Guest {
    /// Prepares a component that no file holds.
    pub fn of(bytes: Vec<u8>) -> Arc<Self> {
        Self::linked(bytes, Connected::To(&[])).unwrap_or_else(|error| panic!("the guest is refused: {error}"))
    }

    /// Prepares a component that calls connectors, or that is one.
    pub fn linked(bytes: Vec<u8>, connected: Connected<'_>) -> Result<Arc<Self>, PrepareError> {
        let agent = HOST.prepare_with(&Content::of(bytes.as_slice()), &CACHE, connected)?;
        Ok(Arc::new(Self { bytes, agent }))
    }

    /// Prepares a component written by hand.
    pub fn of_text(text: &str) -> Arc<Self> {
        Self::of(wat::parse_str(text).unwrap_or_else(|error| panic!("{error}")))
    }

    /// Returns the guest with that name in `tests/guests`, built and prepared at the first call.
    pub fn named(name: &str) -> Arc<Self> {
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        loaded.entry(name.to_owned()).or_insert_with(|| Self::of(component(name))).clone()
    }
}

/// Returns the bytes of the guest with that name, built at the first call.
pub fn component(name: &str) -> Vec<u8> {
    let folder = BUILT.as_ref().unwrap_or_else(|error| panic!("{error}"));
    let path = folder.join(format!("{name}.wasm"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Builds the guests and returns where they are. Cargo does nothing where they are up to date, and has one process wait
/// for another that builds them.
fn build() -> Result<PathBuf, String> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins");
    let target_dir = workspace.join("../target/guests");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(&workspace).args(["build", "--quiet", "--workspace", "--release", "--locked"]);
    cargo.args(["--target", TARGET]).arg("--target-dir").arg(&target_dir);
    let status = cargo.status().map_err(|error| format!("cargo does not start: {error}"))?;
    match status.success() {
        true => Ok(target_dir.join(TARGET).join("release")),
        false => Err(format!("the guests do not build; is the target there? `rustup target add {TARGET}`")),
    }
}
