//! What guests may import: the functions of our WIT and of WASI 0.2, read from the WIT itself, and components that
//! import all of them.

use std::collections::BTreeSet;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value as Json;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{Function, Interface, ManglingAndAbi, PackageId, Resolve, TypeDefKind, WorldItem};

/// What WASI marks as unstable and this host offers.
const UNSTABLE: &str = "cli-exit-with-code";

/// A command that imports what a guest needs to send requests.
const SENDER: &str = "
package remit:sender;
world sender {
    import wasi:http/types@0.2.12;
    import wasi:http/outgoing-handler@0.2.12;
    export wasi:cli/run@0.2.12;
}";

/// Returns every function that our world and `wasi:cli/command` import, as the host names it: `interface#function`, and
/// `interface#[drop]resource` for a resource.
pub fn declared() -> BTreeSet<String> {
    [wasi(), http(), ours()].iter().flat_map(|(resolve, package, world)| imported(resolve, *package, world)).collect()
}

/// Returns a command that imports all of WASI.
pub fn importing_wasi() -> Vec<u8> {
    importing(wasi())
}

/// Returns a component that imports all of `wasi:http`.
pub fn importing_http() -> Vec<u8> {
    importing(http())
}

/// Returns an agent that imports all of `remit:plugin`.
pub fn importing_ours() -> Vec<u8> {
    importing(ours())
}

type World = (Resolve, PackageId, &'static str);

fn wasi() -> World {
    let mut resolve = Resolve::default();
    resolve.features.insert(UNSTABLE.to_owned());
    resolve.push_dir(wasi_folder()).expect("WASI's WIT can be read");
    let package = resolve.packages.iter().find(|(_, package)| package.name.to_string().starts_with("wasi:cli@"));
    let package = package.expect("the WIT has wasi:cli").0;
    (resolve, package, "command")
}

fn http() -> World {
    let mut resolve = Resolve::default();
    let folder = package_folder("../plugins", "wasip2").join("wit");
    resolve.push_dir(folder).expect("the WIT of the guests' bindings can be read");
    let package = resolve.push_str("http.wit", SENDER).expect("the world is of those interfaces");
    (resolve, package, "sender")
}

fn ours() -> World {
    let mut resolve = Resolve::default();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
    let (package, _) = resolve.push_dir(folder).expect("our WIT can be read");
    (resolve, package, "agent")
}

/// Returns where wasmtime keeps the WIT that its own WASI is made from.
fn wasi_folder() -> PathBuf {
    package_folder(".", "wasmtime-wasi").join("src/p2/wit")
}

/// Returns where cargo keeps a package on which the workspace in this folder stands.
fn package_folder(workspace: &str, name: &str) -> PathBuf {
    // What other platforms need has not been fetched.
    let platform = cargo(workspace, &["-vV"]);
    let platform = String::from_utf8(platform).expect("cargo writes text");
    let platform = platform.lines().find_map(|line| line.strip_prefix("host: ")).expect("cargo tells its platform");
    let args = ["metadata", "--format-version", "1", "--offline", "--locked", "--filter-platform", platform];
    let metadata: Json = serde_json::from_slice(&cargo(workspace, &args)).expect("cargo tells where its packages are");
    let packages = metadata["packages"].as_array().expect("it lists packages");
    let package = packages.iter().find(|package| package["name"] == name).expect("the workspace stands on it");
    let manifest = package["manifest_path"].as_str().expect("a package has a manifest");
    Path::new(manifest).parent().expect("a manifest is in a folder").to_owned()
}

/// Returns what cargo prints in the folder of a workspace.
fn cargo(workspace: &str, args: &[&str]) -> Vec<u8> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(workspace)).args(args);
    cargo.output().expect("cargo starts").stdout
}

fn imported(resolve: &Resolve, package: PackageId, world: &str) -> BTreeSet<String> {
    let world = resolve.select_world(&[package], Some(world)).expect("the package has the world");
    let items = resolve.worlds[world].imports.values();
    let interfaces = items.filter_map(|item| match item {
        WorldItem::Interface { id, .. } => Some(*id),
        _ => None,
    });
    interfaces.flat_map(|id| functions(resolve, &resolve.interfaces[id])).collect()
}

fn functions(resolve: &Resolve, interface: &Interface) -> Vec<String> {
    let package = &resolve.packages[interface.package.expect("an interface has a package")].name;
    let name = interface.name.as_deref().expect("an imported interface has a name");
    let place = format!("{}:{}/{name}", package.namespace, package.name);
    let functions = interface.functions.values().map(|function: &Function| format!("{place}#{}", function.name));
    let resources = interface.types.iter().filter(|(_, id)| matches!(resolve.types[**id].kind, TypeDefKind::Resource));
    functions.chain(resources.map(|(resource, _)| format!("{place}#[drop]{resource}"))).collect()
}

/// Makes a component for the world, of a module that imports everything and does nothing.
fn importing((resolve, package, world): World) -> Vec<u8> {
    let world = resolve.select_world(&[package], Some(world)).expect("the package has the world");
    let mut module = wit_component::dummy_module(&resolve, world, ManglingAndAbi::Standard32);
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("the module takes its type");
    let mut encoder = ComponentEncoder::default().module(&module).expect("the module has the world's type");
    encoder.encode().expect("the component can be encoded")
}
