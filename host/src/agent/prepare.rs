//! From the bytes of a component to an [`Agent`]: inspect, check what it imports, compile or load, link.

mod imports;

use wasmtime::Store;
use wasmtime::component::types::{ComponentFunc, ComponentItem, ResultType, Type};
use wasmtime::component::{Component, ComponentExportIndex, Instance, Linker};

use std::sync::{Arc, OnceLock};

use super::Agent;
use crate::capability::connector::incoming;
use crate::capability::{Guest, Offer, VERSIONS, WIT_VERSION, link};
use crate::digest::Content;
use crate::engine::compatible::Difference;
use crate::engine::interface::read;
use crate::engine::interface::read::Unsupported;
use crate::engine::{Cache, ComponentError, Engine, Inspected, World, inspect};
use crate::gate::Functions;

pub use self::imports::Connected;

/// What turns components into agents: the engine, and what guests can reach.
pub struct Host {
    engine: Engine,
    offer: Offer,
    functions: OnceLock<Arc<Functions>>,
}

/// Why a component cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The file is not a component that Remit runs.
    #[error(transparent)]
    Component(#[from] ComponentError),
    /// The component was built for another major version of our WIT.
    #[error("the component is built for {import}, and this host speaks remit:plugin {WIT_VERSION}")]
    WitVersion {
        /// The import that tells.
        import: String,
    },
    /// The component imports what this host does not offer.
    #[error("the component imports {}, which this host does not offer", .imports.join(", "))]
    UnknownImports {
        /// The interfaces.
        imports: Vec<String>,
    },
    /// The export that is called has another type.
    #[error("`run` of the component has not the type of {}", if *.world == World::Agent {
        "an agent's: func(input: string) -> result<string, failure>"
    } else {
        "a command's: func() -> result"
    })]
    WrongRun {
        /// What the component seems to be.
        world: World,
    },
    /// The component imports interfaces of other plugins, and no connector is linked for them.
    #[error("the component imports {}, which this host does not offer, and no connector is linked for it",
        .imports.join(", "))]
    NotConnected {
        /// The interfaces.
        imports: Vec<String>,
    },
    /// An interface cannot link two plugins.
    #[error(transparent)]
    Unsupported(#[from] Unsupported),
    /// The component and its connector differ in an interface.
    #[error("{connector} does not fit: {difference}")]
    Incompatible {
        /// The connector.
        connector: String,
        /// Where they differ.
        difference: Box<Difference>,
    },
    /// The component does not fit an interface that it imports.
    #[error("the component does not fit the host's interfaces: {0}")]
    Mismatch(String),
}

impl PrepareError {
    /// Returns what to try.
    pub fn hint(&self) -> String {
        match self {
            Self::Component(error) => error.hint().to_owned(),
            Self::WitVersion { .. } => {
                format!("build it with the SDK for remit:plugin {WIT_VERSION}, or use another host")
            }
            Self::UnknownImports { .. } => "remove the import, or provide it inside the component".into(),
            Self::WrongRun { .. } => {
                format!("build it with the SDK for remit:plugin {WIT_VERSION}, or for wasi:cli/command")
            }
            Self::NotConnected { imports } => format!(
                "request it in remit.toml with [capabilities.connectors.\"{}\"], install a connector that exports it \
                 with `remit install PATH`, and grant it with `remit grant PLUGIN --requested`",
                imports.first().map_or("", String::as_str)
            ),
            Self::Unsupported(_) => "change the interface's WIT".into(),
            Self::Incompatible { .. } => {
                "build both for the same version of the interface, or install the connector's version that fits".into()
            }
            Self::Mismatch(_) => "build it with a toolchain for WASI 0.2".into(),
        }
    }
}

impl Host {
    /// Offers Remit's interfaces and WASI's.
    pub fn new(engine: Engine) -> Self {
        Self::offering(engine, Offer::default())
    }

    /// Offers interfaces that an embedder adds, too.
    pub fn offering(engine: Engine, offer: Offer) -> Self {
        Self { engine, offer, functions: OnceLock::new() }
    }

    /// Returns the engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Returns the table of host functions.
    ///
    /// # Panics
    /// When the embedder defines a name twice.
    pub fn functions(&self) -> &Arc<Functions> {
        self.functions.get_or_init(|| Arc::new(self.linked(&[]).1))
    }

    /// Makes an agent of a component, compiled at most once per engine and cache.
    ///
    /// # Errors
    /// [`PrepareError`] says why it cannot be started.
    pub fn prepare(&self, component: &Content, cache: &Cache) -> Result<Agent, PrepareError> {
        self.prepare_with(component, cache, Connected::To(&[]))
    }

    /// Makes an agent of a component that calls connectors, or of a connector.
    ///
    /// # Errors
    /// [`PrepareError`] says why it cannot be started.
    pub fn prepare_with(
        &self,
        component: &Content,
        cache: &Cache,
        connected: Connected<'_>,
    ) -> Result<Agent, PrepareError> {
        let inspected = inspect(component)?;
        let foreign = check_imports(&inspected.imports, self.offer.versions)?;
        let compiled = cache.load(&self.engine, component)?;
        self.link(&compiled, &inspected, &foreign, connected)
    }

    /// Says whether a component could be started, without keeping it.
    ///
    /// # Errors
    /// [`PrepareError`] says why it cannot.
    pub fn check(&self, bytes: &[u8]) -> Result<Inspected, PrepareError> {
        let inspected = inspect(bytes)?;
        let foreign = check_imports(&inspected.imports, self.offer.versions)?;
        self.link(&self.engine.compile(bytes)?, &inspected, &foreign, Connected::ByRecord)?;
        Ok(inspected)
    }

    fn link(
        &self,
        component: &Component,
        inspected: &Inspected,
        foreign: &[String],
        connected: Connected<'_>,
    ) -> Result<Agent, PrepareError> {
        let world = inspected.world;
        check_export(component, world)?;
        let (mut linker, mut functions) = self.linked(&inspected.imports);
        let imports = connected.define(component, foreign, &mut linker, &mut functions)?.into();
        let exports = match world {
            World::Connector => incoming::add(&mut functions, read::exports(component)?).map_err(mismatch)?,
            World::Agent | World::Command => Vec::new(),
        };
        let pre = linker.instantiate_pre(component);
        let pre = pre.map_err(mismatch)?;
        Ok(Agent { world, pre, functions: Arc::new(functions), imports, exports: exports.into() })
    }

    fn linked(&self, imports: &[String]) -> (Linker<Guest>, Functions) {
        link(&self.engine, self.offer, imports).expect("no interface of this host is defined twice")
    }
}

/// Checks that `run` has the type under which it is called.
fn check_export(component: &Component, world: World) -> Result<(), PrepareError> {
    let (engine, exports) = (component.engine(), component.component_type());
    let run = match world {
        World::Agent => exports.get_export(engine, "run").map(|export| export.ty),
        World::Command => exports.exports(engine).find_map(|(name, export)| match export.ty {
            ComponentItem::ComponentInstance(interface) if name.starts_with("wasi:cli/run@0.2.") => {
                interface.get_export(engine, "run").map(|export| export.ty)
            }
            _ => None,
        }),
        World::Connector => return Ok(()),
    };
    let fits = match (world, run) {
        (World::Agent, Some(ComponentItem::ComponentFunc(run))) => is_agent_run(&run),
        (World::Command, Some(ComponentItem::ComponentFunc(run))) => {
            run.params().len() == 0 && matches!(run.results().next(), Some(Type::Result(result)) if is_bare(&result))
        }
        _ => false,
    };
    if fits { Ok(()) } else { Err(PrepareError::WrongRun { world }) }
}

/// Says whether a function is `func(input: string) -> result<string, failure>`.
fn is_agent_run(run: &ComponentFunc) -> bool {
    let takes_text = run.params().map(|(_, ty)| ty).eq([Type::String]);
    let Some(Type::Result(result)) = run.results().next() else { return false };
    let is_failure = |ty| match ty {
        Type::Record(record) => record.fields().map(|field| field.name).eq(["kind", "message", "details"]),
        _ => false,
    };
    takes_text && result.ok() == Some(Type::String) && result.err().is_some_and(is_failure)
}

fn is_bare(result: &ResultType) -> bool {
    result.ok().is_none() && result.err().is_none()
}

type Versions = &'static [(&'static str, &'static str)];

/// Refuses imports that nobody can answer. Returns those that only another plugin can.
fn check_imports(imports: &[String], versions: Versions) -> Result<Vec<String>, PrepareError> {
    let imports = not_offered(imports, versions);
    if let Some(import) = imports.iter().find(|import| import.starts_with("remit:plugin/")) {
        return Err(PrepareError::WitVersion { import: import.clone() });
    }
    let (foreign, imports): (Vec<_>, Vec<_>) = imports.into_iter().partition(|import| is_another_plugins(import));
    if imports.is_empty() { Ok(foreign) } else { Err(PrepareError::UnknownImports { imports }) }
}

/// Says whether an import is an interface, with its version, that only another plugin can have.
pub fn is_another_plugins(import: &str) -> bool {
    import.contains('/') && import.contains('@') && !import.starts_with("wasi:") && !import.starts_with("remit:")
}

fn mismatch(error: wasmtime::Error) -> PrepareError {
    PrepareError::Mismatch(format!("{error:#}"))
}

/// Returns the imports that neither this host, in any version, nor a connector can satisfy.
pub fn unknown_imports(imports: &[String]) -> Vec<String> {
    let mut unknown = not_offered(imports, VERSIONS);
    unknown.retain(|import| !is_another_plugins(import));
    unknown
}

fn not_offered(imports: &[String], versions: Versions) -> Vec<String> {
    imports.iter().filter(|import| !is_offered(import, versions)).cloned().collect()
}

/// Says whether the host has the import's package at the same major version (for 0.x, the same minor).
fn is_offered(import: &str, versions: Versions) -> bool {
    let Some((interface, version)) = import.split_once('@') else { return false };
    let package = interface.split('/').next().unwrap_or_default();
    versions.iter().any(|(offered, newest)| *offered == package && track(newest) == track(version))
}

/// Returns the part of a version that must agree.
fn track(version: &str) -> (&str, &str) {
    let mut parts = version.split('.');
    let (major, minor) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    if major == "0" { (major, minor) } else { (major, "") }
}

/// Finds `run` in whichever 0.2 version of `wasi:cli/run` the command exports.
pub(super) fn command_export(store: &mut Store<Guest>, instance: &Instance) -> wasmtime::Result<ComponentExportIndex> {
    let names = (0..=NEWEST_WASI_PATCH).map(|patch| format!("wasi:cli/run@0.2.{patch}"));
    for name in names {
        if let Some(interface) = instance.get_export_index(&mut *store, None, &name) {
            let run = instance.get_export_index(&mut *store, Some(&interface), "run");
            return run.ok_or_else(|| wasmtime::format_err!("{name} has no run"));
        }
    }
    Err(wasmtime::format_err!("the command exports no wasi:cli/run"))
}

/// The newest patch version of WASI 0.2 looked for in a command's exports; far above what exists.
const NEWEST_WASI_PATCH: u32 = 99;
