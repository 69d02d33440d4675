//! `remit plugins`: what is installed.

use serde_json::{Value as Json, json};

use super::Shell;
use super::args;
use super::exit::Exit;
use super::report::{Result, note, print, print_json};
use super::session::Session;
use super::table::table;
use crate::journal::Installed;

/// Lists the installed plugins.
pub fn plugins(shell: &Shell, args: &args::Plugins) -> Result {
    let session = Session::open(shell, "remit plugins")?;
    let plugins = session.journal().plugins()?;
    if args.json {
        print_json(&plugins.iter().map(json).collect::<Vec<_>>())?;
    } else if plugins.is_empty() {
        note("nothing is installed: `remit install PATH` installs a plugin");
    } else {
        let heading = ["name", "version", "kind", "component", "signed by", "installed (UTC)", "earlier", "identity"];
        print(table(&heading, plugins.iter().map(row)))?;
    }
    Ok(Exit::Ok)
}

fn row(plugin: &Installed) -> Vec<String> {
    let newest = &plugin.newest;
    vec![
        newest.name.clone(),
        newest.version.clone().unwrap_or_else(|| "-".into()),
        newest.kind.clone(),
        newest.component.short(),
        newest.publisher.clone().unwrap_or_else(|| "unsigned".into()),
        newest.installed.to_string(),
        plugin.earlier.len().to_string(),
        newest.identity.clone(),
    ]
}

/// Returns a plugin for programs: its newest release, and those before it.
fn json(plugin: &Installed) -> Json {
    let mut report = serde_json::to_value(&plugin.newest).unwrap_or_default();
    report["signed"] = json!(plugin.newest.publisher.is_some());
    report["earlier"] = json!(plugin.earlier);
    report
}
