//! `connectors.wit`: the interfaces of connectors that a manifest requests, for the SDK or another toolchain to bind.
//!
//! The file lies beside the manifest and belongs into version control. What it has is kept, so that a plugin builds
//! anywhere against the same interfaces; what it lacks comes from an installed connector. `--connector DIR` comes before
//! both.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::wit::Wit;
use crate::cli::Shell;
use crate::cli::args::Build;
use crate::cli::exit::Exit;
use crate::cli::plugin::{Declared, Plugin};
use crate::cli::report::{self, Failure, OrFail as _, Result};
use crate::cli::session::Session;
use crate::engine::interface::InterfaceName;
use crate::home;
use crate::manifest::Kind;

/// The file, beside the manifest.
const FILE: &str = "connectors.wit";

/// How the file begins. Its package is never looked up: worlds have to be in one.
const HEADER: &str =
    "// Interfaces that remit.toml requests of connectors, written by `remit build`. Keep it in version control.
package local:connectors;
";

/// WIT, and what people call the place it came from.
struct Source {
    name: String,
    wit: Wit,
}

/// Makes sure that the file has the interfaces that the manifest requests. A manifest that requests none has no file.
///
/// # Errors
/// With [`Exit::PluginUnfit`]: WIT cannot be read, or an interface is nowhere.
pub(super) fn write(shell: &Shell, args: &Build, declared: &Declared) -> Result<()> {
    let requested: Vec<&str> = declared.manifest.request().connectors.keys().map(|name| name.as_str()).collect();
    if requested.is_empty() {
        return Ok(());
    }
    let path = declared.folder.join(FILE);
    let mut sources = args.connectors.iter().map(|path| given(path)).collect::<Result<Vec<_>>>()?;
    sources.extend(kept(&path)?);
    if !by_package(&requested).values().all(|names| sources.iter().any(|source| source.wit.has_all(names))) {
        sources.extend(installed(shell, declared)?);
    }
    let text = file(&requested, &sources, &args.plugin)?;
    if fs::read_to_string(&path).is_ok_and(|there| there == text) {
        return Ok(());
    }
    fs::write(&path, text).or_fail(Exit::HostFailed, format!("cannot write {}", path.display()))?;
    report::note(format_args!("wrote {}", path.display()));
    Ok(())
}

/// Groups interfaces by package: those of one package must come from one place.
fn by_package<'a>(interfaces: &[&'a str]) -> BTreeMap<String, Vec<&'a str>> {
    let mut packages: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for interface in interfaces {
        let name = InterfaceName::parse(interface);
        let package = name.path.split_once('/').map_or(name.path.as_str(), |(package, _)| package);
        let version = name.version.map(|version| format!("@{version}")).unwrap_or_default();
        packages.entry(format!("{package}{version}")).or_default().push(interface);
    }
    packages
}

/// Reads the connector at a path that was given: its folder `wit`, or its component where it has none.
fn given(path: &Path) -> Result<Source> {
    let folder = path.join("wit");
    let wit = match folder.is_dir() {
        true => Wit::of_folder(&folder).or_fail(Exit::PluginUnfit, format!("cannot read {}", folder.display())),
        false => {
            let component = Plugin::read_any(path)?.component;
            Wit::of_component(&component)
                .or_fail(Exit::PluginUnfit, format!("cannot read the WIT of {}", path.display()))
        }
    };
    Ok(Source { name: path.display().to_string(), wit: wit? })
}

/// Reads the file as it is, if it is there.
fn kept(path: &Path) -> Result<Option<Source>> {
    if !path.exists() {
        return Ok(None);
    }
    let wit = Wit::of_imports(path).or_fail(Exit::PluginUnfit, format!("cannot read {}", path.display()));
    let wit = wit.map_err(|failure| failure.hint(format!("remove {FILE}, and `remit build` writes it anew")))?;
    Ok(Some(Source { name: FILE.to_owned(), wit }))
}

/// Reads the newest release of each installed connector. A home that is not there has none.
fn installed(shell: &Shell, declared: &Declared) -> Result<Vec<Source>> {
    if !home::journal_path(&shell.home_path()?).exists() {
        return Ok(Vec::new());
    }
    let session = Session::open(shell, &format!("remit build {}", declared.manifest.name))?;
    let mut sources = Vec::new();
    for plugin in session.journal().plugins()? {
        let release = plugin.newest;
        if release.kind != Kind::Connector.word() {
            continue;
        }
        match Wit::of_component(&session.journal().blob(release.component)?) {
            Ok(wit) => sources.push(Source { name: release.name, wit }),
            Err(error) => report::note(format_args!("cannot read the WIT of connector {}: {error:#}", release.name)),
        }
    }
    session.close()?;
    Ok(sources)
}

/// Returns the text of the file.
fn file(requested: &[&str], sources: &[Source], plugin: &Path) -> Result<String> {
    let mut packages = BTreeMap::new();
    for names in by_package(requested).values() {
        let source = sources.iter().find(|source| source.wit.has_all(names));
        let source = source.ok_or_else(|| missing(names, sources, plugin))?;
        let printed = source.wit.packages(names);
        let printed = printed.or_fail(Exit::PluginUnfit, format!("cannot print the WIT of {}", source.name))?;
        for (package, text) in printed {
            if packages.get(&package).is_some_and(|other| *other != text) {
                let message = format!("{} and another connector have different interfaces in {package}", source.name);
                return Err(Failure::new(Exit::PluginUnfit, message));
            }
            packages.insert(package, text);
        }
    }
    let mut text = format!("{HEADER}\nworld connectors {{\n");
    // Writing to a string does not fail.
    requested.iter().for_each(|name| _ = writeln!(text, "  import {name};"));
    text.push_str("}\n");
    packages.values().for_each(|package| _ = write!(text, "\n{}\n", package.trim_end()));
    Ok(text)
}

/// Says which interface is nowhere, and what is there in its stead.
fn missing(names: &[&str], sources: &[Source], plugin: &Path) -> Failure {
    let name = names.iter().find(|name| !sources.iter().any(|source| source.wit.has_all(&[**name])));
    let name = name.or(names.first()).copied().unwrap_or_default();
    let wanted = InterfaceName::parse(name);
    let offers = sources.iter().flat_map(|source| source.wit.interfaces().map(move |offer| (source, offer)));
    let mut others = offers.filter(|(_, offer)| InterfaceName::parse(offer).path == wanted.path);
    if let Some((source, offer)) = others.find(|(source, _)| source.name != FILE) {
        let message = format!("no connector here has {name}; {} has {offer}", source.name);
        return Failure::new(Exit::PluginUnfit, message)
            .hint(format!("request {offer} in remit.toml, if that will do"));
    }
    let shown = plugin.display();
    Failure::new(Exit::PluginUnfit, format!("no connector that is installed exports {name}")).hint(format!(
        "install one with `remit install DIR`, or name its folder: `remit build {shown} --connector DIR`"
    ))
}

#[cfg(test)]
mod tests;
