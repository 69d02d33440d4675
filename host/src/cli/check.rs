//! `remit check`: what a plugin imports, what it requests and why, and whether it could run here.

use std::collections::BTreeSet;

use serde_json::json;

use super::Shell;
use super::args;
use super::exit::Exit;
use super::plugin::Plugin;
use super::report::{Failure, OrFail as _, Result, note, print, print_json};
use crate::agent::{Host, is_another_plugins, unknown_imports};
use crate::engine::{ComponentError, Engine, Inspected, PoolSize, inspect};
use crate::manifest::Request;
use crate::scope::Remit;

/// What imports of a component need, and which capability answers it.
const NEEDS: &[(&str, &str)] = &[("remit:plugin/kv", "kv"), ("wasi:filesystem/types", "files")];

/// Checks the plugin.
pub fn check(_: &Shell, args: &args::Check) -> Result {
    let plugin = Plugin::read(&args.plugin)?;
    let inspected = inspect(&plugin.component).map_err(|error| unfit(error, &plugin))?;
    let request = plugin.manifest().map(|manifest| manifest.request().clone()).unwrap_or_default();
    let mut findings = Findings::of(&plugin, &inspected, &request);
    if findings.wrong.is_empty() {
        findings.wrong.extend(trial(&plugin)?);
    }
    if args.json {
        print_json(&json!({
            "plugin": plugin.name(),
            "world": inspected.world.kind(),
            "imports": inspected.imports,
            "exports": inspected.exports,
            "request": request,
            "wrong": findings.wrong,
            "missing": findings.missing,
            "superfluous": findings.superfluous,
        }))?;
    } else {
        show(&plugin, &inspected, &request, &findings)?;
    }
    match findings.wrong.first() {
        None => Ok(Exit::Ok),
        Some(wrong) => Err(Failure::new(Exit::PluginUnfit, format!("{} could not run: {wrong}", plugin.name()))
            .hint("mend what is listed as wrong and build again")),
    }
}

/// Compiles and links the component as `run` would, and returns why that fails, if it does.
fn trial(plugin: &Plugin) -> Result<Option<String>> {
    let engine = Engine::new(PoolSize { runs: 1 }).or_fail(Exit::HostFailed, "cannot compile")?;
    Ok(Host::new(engine).check(&plugin.component).err().map(|error| error.to_string()))
}

fn unfit(error: ComponentError, plugin: &Plugin) -> Failure {
    let hint = error.hint();
    Failure::from_error(Exit::PluginUnfit, error).context(plugin.component_path.display()).hint(hint)
}

/// What does not fit between a component and its manifest.
struct Findings {
    /// It could not run.
    wrong: Vec<String>,
    /// Imported and not requested: refused at the call.
    missing: Vec<String>,
    /// Requested and not imported.
    superfluous: Vec<String>,
}

impl Findings {
    fn of(plugin: &Plugin, inspected: &Inspected, request: &Request) -> Self {
        let mut findings = Self { wrong: Vec::new(), missing: Vec::new(), superfluous: Vec::new() };
        for import in unknown_imports(&inspected.imports) {
            findings.wrong.push(format!("it imports {import}, which this host does not offer"));
        }
        if let Some(manifest) = plugin.manifest() {
            let kind = manifest.kind.word();
            if kind != inspected.world.kind() {
                let is = inspected.world.kind();
                findings.wrong.push(format!("the manifest says kind {kind:?}, and the component is a {is}"));
            }
            findings.compare(inspected, request);
        }
        findings
    }

    fn compare(&mut self, inspected: &Inspected, request: &Request) {
        for import in inspected.imports.iter().filter(|import| is_another_plugins(import)) {
            if !request.connectors.keys().any(|asked| asked.as_str() == import) {
                self.missing
                    .push(format!("{import} is imported, and not requested: no connector may answer its calls"));
            }
        }
        let imported: BTreeSet<&str> = inspected.imports.iter().filter_map(|import| import.split('@').next()).collect();
        let requested = [("kv", request.kv.is_some()), ("files", !request.files.is_empty())];
        for (capability, is_requested) in requested {
            let import = NEEDS.iter().find(|(_, answer)| *answer == capability).map_or("", |(import, _)| import);
            match (imported.contains(import), is_requested) {
                (false, true) => {
                    self.superfluous.push(format!("{capability} is requested, and {import} is not imported"))
                }
                // Every toolchain's guests import the file system, so that says nothing.
                (true, false) if capability != "files" => {
                    self.missing
                        .push(format!("{import} is imported, and {capability} is not requested: calls are refused"));
                }
                _ => {}
            }
        }
        for name in request.imports.keys() {
            if !inspected.imports.iter().any(|import| import == &name.to_string()) {
                self.superfluous.push(format!("import {name} is requested, and not imported"));
            }
        }
    }
}

fn show(plugin: &Plugin, inspected: &Inspected, request: &Request, findings: &Findings) -> Result<()> {
    print(format!("{} is {} {}\n", plugin.name(), article(inspected.world.kind()), inspected.world.kind()))?;
    print("requests:\n")?;
    let lines = Remit::from_request(request).describe(Some(request));
    for line in &lines {
        let why = line.why.as_ref().map(|why| format!("  ({why})")).unwrap_or_default();
        print(format!("  {}: {}{why}\n", line.capability, line.scope))?;
    }
    print("imports:\n")?;
    for import in &inspected.imports {
        print(format!("  {import}\n"))?;
    }
    for (heading, found) in
        [("wrong", &findings.wrong), ("missing", &findings.missing), ("superfluous", &findings.superfluous)]
    {
        found.iter().for_each(|finding| note(format!("{heading}: {finding}")));
    }
    Ok(())
}

fn article(word: &str) -> &'static str {
    if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}
