//! `remit explain`: what a plugin may do, and because of which document.

use serde_json::{Value as Json, json};

use super::Shell;
use super::args;
use super::exit::Exit;
use super::find;
use super::give::Answers;
use super::plugin::Plugin;
use super::report::{Result, print, print_json};
use super::session::Session;
use super::stored::{Stored, Used, ceiling, together, words};
use crate::engine::{ComponentError, inspect};
use crate::journal::StoredGrant;
use crate::manifest::{Ceiling, Request};
use crate::scope::{self, Document, Explained, Remit};

/// Imports that a capability answers. What every toolchain's guests import, whether they use it or not, says nothing.
const ANSWERED: [(&str, &str); 8] = [
    ("remit:plugin/kv", "kv"),
    ("remit:plugin/model", "model"),
    ("remit:plugin/tools", "tools"),
    ("remit:plugin/config", "config"),
    ("remit:plugin/timer", "timer"),
    ("remit:plugin/signal", "signal"),
    ("remit:plugin/approval", "approval"),
    ("wasi:http/outgoing-handler", "http"),
];

/// Explains what holds for the plugin, in the order of its request.
pub fn explain(shell: &Shell, args: &args::Explain) -> Result {
    let (session, plugin) = find::open(shell, "remit explain", &args.plugin)?;
    let stored = Answers { session: &session, plugin: &plugin }.stored()?;
    let mut explanation = Explanation::of(&plugin, &stored, &ceiling(&session)?)?;
    explanation.count(&session)?;
    match args.json {
        true => print_json(&explanation.json(&plugin))?,
        false => print(explanation.text(&plugin))?,
    }
    Ok(Exit::Ok)
}

/// What holds and why.
struct Explanation {
    lines: Vec<Line>,
    /// Granted, and nothing asks for it.
    superfluous: Vec<scope::Line>,
    /// Imported, and nothing asks for it.
    unrequested: Vec<String>,
}

/// One thing that is asked for.
struct Line {
    explained: Explained,
    /// The grants that give some of it.
    grants: Vec<StoredGrant>,
    /// How much is used of what they count, in their order.
    used: Vec<Vec<Used>>,
    /// The answer no that was kept.
    refused: Option<StoredGrant>,
    /// Whether a plugin has it without a grant.
    is_given: bool,
}

impl Explanation {
    fn of(plugin: &Plugin, stored: &Stored, ceiling: &Ceiling) -> Result<Self> {
        let grant = stored.grant()?;
        let request = plugin.request_under(&grant);
        let granted = if stored.granted.is_empty() { only_log() } else { Remit::from_grant(&grant) };
        let explained = scope::explain(&request, &granted, ceiling);
        let (by, refused) = (gives(&request, &stored.granted)?, gives(&request, &stored.refused)?);
        let all = explained.into_iter().enumerate();
        let lines = all.map(|(index, explained)| Line {
            used: Vec::new(),
            grants: by.iter().filter(|(_, gives)| gives[index]).map(|(stored, _)| (*stored).clone()).collect(),
            refused: refused.iter().find(|(_, gives)| gives[index]).map(|(stored, _)| (*stored).clone()),
            is_given: explained.capability == "log" && grant.log.is_none(),
            explained,
        });
        let mut superfluous = scope::unused(&request, &granted);
        superfluous.retain(|line| line.capability != "log");
        let lines: Vec<Line> = lines.filter(|line| !line.is_given || request.log.is_some()).collect();
        Ok(Self { lines, superfluous, unrequested: unrequested(plugin, &request) })
    }

    /// Looks how much is used of what the grants count.
    fn count(&mut self, session: &Session) -> Result<()> {
        let (journal, now) = (session.journal(), session.clock().now());
        for line in &mut self.lines {
            let used = line.grants.iter().map(|stored| Used::of(journal, &stored.grant, now));
            line.used = used.collect::<Result<_>>()?;
        }
        Ok(())
    }

    fn text(&self, plugin: &Plugin) -> String {
        let manifest = plugin.manifest();
        let version = manifest.map(|manifest| format!(" {}", manifest.version)).unwrap_or_default();
        let mut lines = vec![
            format!("{}{version}, {}", plugin.name(), plugin.identity),
            format!("component {}", plugin.component.digest()),
        ];
        if self.lines.is_empty() {
            lines.push(match manifest {
                Some(_) => "it requests nothing".to_owned(),
                None => "it has no manifest, so it has what is granted, which is nothing yet".to_owned(),
            });
        }
        lines.extend(self.lines.iter().flat_map(Line::text));
        let superfluous = self.superfluous.iter();
        lines.extend(superfluous.map(|line| format!("granted and not requested: {}: {}", line.capability, line.scope)));
        lines.extend(self.unrequested.iter().cloned());
        lines.join("\n") + "\n"
    }

    fn json(&self, plugin: &Plugin) -> Json {
        json!({
            "plugin": plugin.name(),
            "identity": plugin.identity.to_string(),
            "component": plugin.component.digest(),
            "requests": self.lines.iter().map(Line::json).collect::<Vec<_>>(),
            "superfluous": self.superfluous.iter().map(|line| json!({
                "capability": line.capability,
                "scope": line.scope,
            })).collect::<Vec<_>>(),
            "unrequested": self.unrequested,
        })
    }
}

impl Line {
    fn text(&self) -> Vec<String> {
        let Explained { capability, asked, why, granted, holds, narrowed_by } = &self.explained;
        let why = why.as_ref().map(|why| format!("  ({why})")).unwrap_or_default();
        let mut lines = vec![format!("{capability}: asks for {asked}{why}")];
        for (StoredGrant { id, grant }, used) in self.grants.iter().zip(&self.used) {
            lines.push(format!("  {id}, {} UTC by {}: {}", grant.given, grant.by, words(grant).1));
            lines.extend(used.iter().map(|used| format!("    {used}")));
        }
        match (&self.refused, granted) {
            (Some(refused), None) => lines.push(format!("  refused: {}", refused.id)),
            (None, None) => lines.push("  not granted".to_owned()),
            (_, Some(_)) if self.is_given => lines.push("  every plugin has it".to_owned()),
            _ => {}
        }
        if narrowed_by.contains(&Document::Ceiling) {
            lines.push("  the configuration's ceiling takes some of it".to_owned());
        }
        lines.push(format!("  holds: {}", holds.as_deref().unwrap_or("nothing")));
        lines
    }

    fn json(&self) -> Json {
        let Explained { capability, asked, why, granted, holds, narrowed_by } = &self.explained;
        let narrowed_by = narrowed_by.iter().map(|document| match document {
            Document::Grant => "grant",
            Document::Ceiling => "ceiling",
        });
        json!({
            "capability": capability,
            "asked": asked,
            "why": why,
            "granted": granted,
            "holds": holds,
            "narrowed-by": narrowed_by.collect::<Vec<_>>(),
            "grants": self.grants.iter().map(|stored| stored.id).collect::<Vec<_>>(),
            "amounts": self.used.concat(),
            "refused": self.refused.as_ref().map(|stored| stored.id),
        })
    }
}

/// Returns what a plugin has that nobody answered.
fn only_log() -> Remit {
    Remit::from_grant(&crate::manifest::Grant::default())
}

/// Returns for each grant which of the things that are asked for it gives some of.
fn gives<'a>(request: &Request, grants: &'a [StoredGrant]) -> Result<Vec<(&'a StoredGrant, Vec<bool>)>> {
    let given = |stored: &'a StoredGrant| {
        let grant = together([stored.grant.scope.as_str()].into_iter())?;
        let explained = scope::explain(request, &Remit::from_grant(&grant), &Ceiling::default());
        let is_given = |line: &Explained| line.granted.is_some() && (line.capability != "log" || grant.log.is_some());
        Ok((stored, explained.iter().map(is_given).collect()))
    };
    grants.iter().map(given).collect()
}

/// Returns a sentence for each import that nothing requests.
fn unrequested(plugin: &Plugin, request: &Request) -> Vec<String> {
    let imports = match inspect(&plugin.component) {
        Ok(inspected) => inspected.imports,
        // A connector's exports are its own; nobody runs it by itself.
        Err(ComponentError::NoWorld { .. }) | Err(_) => Vec::new(),
    };
    imports.iter().filter_map(|import| unrequested_import(import, request)).collect()
}

fn unrequested_import(import: &str, request: &Request) -> Option<String> {
    let told = |means: &str| Some(format!("imported and not requested: {import}: {means}"));
    let name = import.split('@').next().unwrap_or_default();
    let Some((_, capability)) = ANSWERED.iter().find(|(known, _)| *known == name) else {
        let is_the_hosts = ["wasi:", "remit:"].iter().any(|package| name.starts_with(package));
        let is_requested = request.imports.keys().any(|asked| asked.to_string() == import)
            || request.connectors.keys().any(|asked| asked.to_string() == import);
        return if is_the_hosts || is_requested {
            None
        } else {
            told("without a request for it, the plugin does not start")
        };
    };
    let is_requested = match *capability {
        "kv" => request.kv.is_some(),
        "model" => request.model.is_some(),
        "tools" => request.tools.is_some(),
        "config" => request.config.is_some(),
        "timer" => request.timer.is_some(),
        "signal" => request.signal.is_some(),
        "approval" => request.approval.is_some(),
        _ => !request.http.is_empty(),
    };
    if is_requested { None } else { told(&format!("without a request for {capability}, calls are refused")) }
}
