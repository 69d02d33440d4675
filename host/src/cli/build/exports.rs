//! What a connector's component must export: interfaces of its own that a host can link to callers.

use crate::cli::exit::Exit;
use crate::cli::report::{Failure, OrFail as _, Result};
use crate::engine::interface::{InterfaceName, read};
use crate::engine::{Engine, PoolSize};

/// Checks a connector's component and returns the interfaces that it exports.
///
/// # Errors
/// With [`Exit::PluginUnfit`]: there is none, one has no version, or one cannot link two plugins.
pub(super) fn check(component: &[u8]) -> Result<Vec<InterfaceName>> {
    let engine = Engine::new(PoolSize { runs: 1 }).or_fail(Exit::HostFailed, "cannot compile")?;
    let compiled = engine.compile(component).map_err(|error| {
        let hint = error.hint();
        Failure::from_error(Exit::PluginUnfit, error).hint(hint)
    })?;
    let interfaces = read::exports(&compiled).map_err(|error| Failure::from_error(Exit::PluginUnfit, error))?;
    let names: Vec<_> = interfaces.into_iter().map(|interface| interface.name).collect();
    if names.is_empty() {
        let failure = Failure::new(Exit::PluginUnfit, "the connector exports no interface of its own");
        return Err(failure.hint("export one from the world in its folder wit: `export issues;`"));
    }
    match names.iter().find(|name| name.version.is_none()) {
        None => Ok(names),
        Some(name) => {
            let failure =
                Failure::new(Exit::PluginUnfit, format!("{name} has no version, so that nobody can ask for it"));
            Err(failure.hint("give its package one: `package acme:tracker@1.2.0;`"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(text: &str, part: &str) {
        let failure = check(&wat::parse_str(text).unwrap()).unwrap_err();
        assert_eq!(failure.exit(), Exit::PluginUnfit);
        assert!(failure.to_string().contains(part), "{failure}");
    }

    /// Writes a component that exports an interface of one function, and `more`.
    fn exporting(name: &str, more: &str) -> String {
        format!(
            r#"(component
                (core module $m (func (export "f") (result i32) i32.const 0))
                (core instance $i (instantiate $m))
                (func $f (result u32) (canon lift (core func $i "f")))
                (type $r (resource (rep i32)))
                (instance $e (export "f" (func $f)) {more})
                (export "{name}" (instance $e)))"#
        )
    }

    #[test]
    fn what_is_its_own_and_has_a_version_passes() {
        let component = wat::parse_str(exporting("acme:tracker/issues@1.2.0", "")).unwrap();
        let names: Vec<_> = check(&component).unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(names, ["acme:tracker/issues@1.2.0"]);
    }

    #[test]
    fn what_nobody_could_call_is_refused() {
        refused("(component)", "exports no interface of its own");
        refused(&exporting("wasi:cli/run@0.2.6", ""), "exports no interface of its own");
        refused(&exporting("acme:tracker/issues", ""), "acme:tracker/issues has no version");
        refused(&exporting("acme:tracker/issues@1.2.0", r#"(export "r" (type $r))"#), "a resource cannot leave");
    }
}
