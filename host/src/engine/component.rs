//! What a component file is, before anything of it is compiled: its kind, its imports and its exports.

use wasmparser::{ComponentExternalKind, ComponentTypeRef, Encoding, Parser, Payload};

/// The component's world as Remit runs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum World {
    /// Exports our `run`.
    Agent,
    /// Exports `wasi:cli/run`.
    Command,
    /// Exports interfaces that others call.
    Connector,
}

impl World {
    /// Returns the plugin kind that a component of this world is.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Command => "command",
            Self::Connector => "connector",
        }
    }
}

/// The outer names of a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspected {
    /// What the component exports for a host to run.
    pub world: World,
    /// Imported interfaces with their versions, as in `wasi:clocks/wall-clock@0.2.6`, sorted.
    pub imports: Vec<String>,
    /// Exported names, sorted.
    pub exports: Vec<String>,
}

/// A file that cannot be run as a component.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ComponentError {
    /// The file does not begin like WebAssembly.
    #[error("not WebAssembly: the file does not begin with \\0asm")]
    NotWasm,
    /// A core module.
    #[error("a core WebAssembly module, not a component")]
    CoreModule,
    /// The file ends early or is garbled.
    #[error("damaged component: {0}")]
    Damaged(String),
    /// The component exports nothing that can be run or called.
    #[error("the component exports neither `run` of remit:plugin nor wasi:cli/run, and no interface of its own")]
    NoWorld {
        /// What it does export.
        exports: Vec<String>,
    },
    /// The component declares more than the engine's pool gives one run.
    #[error("the component asks for more than this host gives one run: {0}")]
    TooLarge(String),
    /// The engine does not accept the component.
    #[error("the engine refuses the component: {0}")]
    Refused(String),
}

impl ComponentError {
    /// Returns what the person who built the component can do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotWasm => "build it with `remit build`, or give the path of a .wasm component",
            Self::CoreModule => {
                "build for wasm32-wasip2, or turn the module into a component with `wasm-tools component new`"
            }
            Self::Damaged(_) => "build or copy the file again",
            Self::NoWorld { .. } => {
                "an agent uses remit_sdk::agent!; a command is a program with a main function; a connector exports interfaces"
            }
            Self::TooLarge(_) => "declare smaller tables and memories, or fewer; they may grow up to the run's limits",
            Self::Refused(_) => "it may need a WebAssembly proposal that Remit keeps off, such as threads or memory64",
        }
    }
}

/// Reads the outer names of a component.
///
/// # Errors
/// [`ComponentError`] says what the file is instead.
pub fn inspect(bytes: &[u8]) -> Result<Inspected, ComponentError> {
    if !bytes.starts_with(b"\0asm") {
        return Err(ComponentError::NotWasm);
    }
    let (mut imports, mut exports) = (Vec::new(), Vec::new());
    let mut depth = 0_usize;
    let mut complete = false;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(damaged)? {
            Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => {
                return Err(ComponentError::CoreModule);
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) if depth == 0 => complete = true,
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    let import = import.map_err(damaged)?;
                    // A type that the world uses is not something a host provides.
                    if !matches!(import.ty, ComponentTypeRef::Type(_)) {
                        imports.push(import.name.name.to_owned());
                    }
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    let export = export.map_err(damaged)?;
                    exports.push((export.name.name.to_owned(), export.kind));
                }
            }
            _ => {}
        }
    }
    if !complete {
        return Err(ComponentError::Damaged("the file ends early".into()));
    }
    let world = world(&exports);
    let mut exports: Vec<String> = exports.into_iter().map(|(name, _)| name).collect();
    imports.sort();
    exports.sort();
    let Some(world) = world else { return Err(ComponentError::NoWorld { exports }) };
    Ok(Inspected { world, imports, exports })
}

fn damaged(error: wasmparser::BinaryReaderError) -> ComponentError {
    ComponentError::Damaged(error.to_string())
}

fn world(exports: &[(String, ComponentExternalKind)]) -> Option<World> {
    let runs = exports.iter().find_map(|(name, kind)| match kind {
        ComponentExternalKind::Func if name == "run" => Some(World::Agent),
        ComponentExternalKind::Instance if name.starts_with("wasi:cli/run@0.2.") => Some(World::Command),
        _ => None,
    });
    let is_called = |(name, kind): &(String, ComponentExternalKind)| {
        *kind == ComponentExternalKind::Instance && !name.starts_with("wasi:") && !name.starts_with("remit:")
    };
    runs.or_else(|| exports.iter().any(is_called).then_some(World::Connector))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_a_file_is_instead_of_a_component() {
        assert_eq!(inspect(b"hello"), Err(ComponentError::NotWasm));
        assert_eq!(inspect(b""), Err(ComponentError::NotWasm));
        assert_eq!(inspect(b"\0asm\x01\0\0\0"), Err(ComponentError::CoreModule));
        assert!(matches!(inspect(b"\0asm\x0d\0\x01\0\x07\xff"), Err(ComponentError::Damaged(_))));
        assert_eq!(inspect(b"\0asm\x0d\0\x01\0"), Err(ComponentError::NoWorld { exports: vec![] }));
    }
}
