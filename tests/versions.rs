//! What a plugin meets whose WIT is not the host's: an older minor version runs, what is newer or of another major version
//! is refused (`bad_input.rs`).

use std::sync::Arc;

use remit::agent::Host;
use remit::capability::{Offer, VERSIONS};
use remit::digest::Content;
use remit::engine::{Cache, Engine, PoolSize};

use crate::harness::{Guest, Scene, component};

const KV: &str = "[capabilities.kv]\nprefixes = [\"a/\"]\naccess = \"read-write\"\nwhy = \"test\"";

/// The interfaces of a later host: the next minor version of ours, the rest as now.
const LATER: &[(&str, &str)] = &{
    let mut later = [("remit:plugin", "1.1.0"); VERSIONS.len()];
    let mut index = 1;
    while index < VERSIONS.len() {
        later[index] = VERSIONS[index];
        index += 1;
    }
    later
};

#[test]
fn a_component_built_for_an_older_minor_version_runs() {
    assert_eq!(VERSIONS[0], ("remit:plugin", "1.0.0"), "the guests are built for what this host offers");
    let engine = Engine::new(PoolSize { runs: 1 }).expect("the platform runs the engine");
    let host = Host::offering(engine, Offer { versions: LATER, more: |_| Ok(()) });
    let folder = tempfile::tempdir().expect("a temporary folder");
    let bytes = component("kv");
    let cache = Cache::new(folder.path().to_owned(), [7; 32]);
    let agent = host.prepare(&Content::of(bytes.as_slice()), &cache).expect("1.0 is an older 1.1");
    let scene = Scene::new();
    let run = scene.command("kv", ["set", "a/x", "1"]).rebuilt(Arc::new(Guest { bytes, agent }));
    run.granted(KV).run().succeeded().replayed();
}
