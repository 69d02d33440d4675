//! `remit grant`: answer what a plugin asks for, and keep the answer.
//!
//! A grant is one section, for one build of one plugin. What stood for the section before is replaced.

use std::io::Read as _;

use serde_json::json;

use super::Shell;
use super::args;
use super::caller;
use super::exit::Exit;
use super::find;
use super::overlap;
use super::plugin::Plugin;
use super::report::{Failure, OrFail as _, Result, note, print, print_json};
use super::run::principal;
use super::sections::{self, Common, Section};
use super::session::Session;
use super::stored::{Stored, together, words};
use crate::journal::{Answer, Grant, NewGrant, StoredGrant};
use crate::manifest::{self, Manifest, Request};
use crate::scope::{Line, Remit, missing, unused};

/// Grants, and prints the names of the grants.
pub fn grant(shell: &Shell, args: &args::Grant) -> Result {
    let (session, plugin) = find::open(shell, "remit grant", &args.plugin)?;
    if let Some(versions) = &args.versions {
        let message =
            format!("--versions {versions}: {} is unsigned, and anybody could call a build that", plugin.name());
        return Err(Failure::new(Exit::NotGranted, message)
            .hint("leave it out to grant to the build that is there now; a range holds under a publisher's key only"));
    }
    let common = Common { amount: args.amount.as_deref(), expires: args.expires, mounts: &args.mounts };
    let sections = match (&args.line, &args.file) {
        (Some(line), _) => sections::split("the line", line, common)?,
        (None, Some(path)) => sections::split(&path.display().to_string(), &read(path)?, common)?,
        (None, None) => requested(&plugin, common)?,
    };
    let answers = Answers { session: &session, plugin: &plugin };
    let before = answers.stored()?;
    let given = answers.keep(Answer::Granted, &sections)?;
    tell(&session, &given, &before, args.json)?;
    tell_superfluous(&plugin, &given)?;
    session.close()?;
    Ok(Exit::Ok)
}

/// Takes apart what the manifest requests.
fn requested(plugin: &Plugin, common: Common<'_>) -> Result<Vec<Section>> {
    let request = plugin.manifest().map(|manifest| manifest.request().clone()).unwrap_or_default();
    let text = request_as_grant(&request);
    if text.is_empty() {
        return Err(Failure::new(Exit::Usage, format!("{} requests nothing", plugin.name())));
    }
    sections::split("remit.toml", &text, common)
}

/// Returns everything that is requested as a grant file.
pub fn request_as_grant(request: &Request) -> String {
    let asked = missing(request, &Remit::nothing()).into_iter();
    // A plugin that does not ask for the log has it, and there is nothing to grant.
    let asked = asked.filter(|gap| gap.capability != "log" || request.log.is_some());
    asked.map(|gap| gap.grant).collect::<Vec<_>>().join("\n")
}

fn read(path: &std::path::Path) -> Result<String> {
    let mut text = String::new();
    let most = manifest::SIZE_MAX as u64 + 1;
    let read = match path.to_str() {
        Some("-") => caller::stdin().take(most).read_to_string(&mut text),
        _ => std::fs::File::open(caller::path(path)).and_then(|file| file.take(most).read_to_string(&mut text)),
    };
    read.or_fail(Exit::Usage, format!("cannot read grant {}", path.display()))?;
    Ok(text)
}

/// Keeps answers about one build of a plugin.
pub struct Answers<'a> {
    /// Where.
    pub session: &'a Session,
    /// About which plugin.
    pub plugin: &'a Plugin,
}

impl Answers<'_> {
    /// Returns the answers that stand.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn stored(&self) -> Result<Stored> {
        let (identity, component) = (self.plugin.identity.to_string(), self.plugin.component.digest());
        Stored::of(self.session.journal(), &identity, component, self.session.clock().now())
    }

    /// Stores an answer for each of the sections, all or none.
    ///
    /// # Errors
    /// With [`Exit::Usage`]: one shares a request with a grant that it would not replace.
    pub fn keep(&self, answer: Answer, sections: &[Section]) -> Result<Vec<StoredGrant>> {
        let mut new: Vec<NewGrant> = sections.iter().map(|section| self.new_grant(answer, section)).collect();
        if answer == Answer::Granted {
            let stored = self.stored()?;
            let others =
                stored.granted.iter().filter(|old| !new.iter().any(|new| new.grant.section == old.grant.section));
            let shared = overlap::with(sections, others, self.plugin.manifest().map(Manifest::request))?;
            let rest: Vec<_> = shared.rest.iter().map(|section| self.new_grant(answer, section)).collect();
            new.first_mut().into_iter().for_each(|first| first.replaces = shared.replaced.clone());
            new.extend(rest);
        }
        let ids = self.session.journal().give(new)?;
        ids.into_iter().map(|id| Ok(self.session.journal().grant(id)?)).collect()
    }

    fn new_grant(&self, answer: Answer, section: &Section) -> NewGrant {
        let grant = Grant {
            answer,
            by: principal(),
            component: self.plugin.component.digest(),
            ended: None,
            expires: section.expires,
            given: self.session.clock().now(),
            identity: self.plugin.identity.to_string(),
            plugin: self.plugin.name(),
            scope: section.scope.clone(),
            section: section.name.clone(),
            extra: Default::default(),
        };
        NewGrant { grant, replaces: Vec::new() }
    }
}

fn tell(session: &Session, given: &[StoredGrant], before: &Stored, as_json: bool) -> Result<()> {
    if as_json {
        return print_json(&json!(given));
    }
    for stored in given {
        let (capability, scope) = words(&stored.grant);
        print(format!("{}  {capability}: {scope}\n", stored.id))?;
    }
    for old in &before.granted {
        let old = session.journal().grant(old.id)?;
        if let Some(by) = old.grant.ended.and_then(|ended| ended.replaced_by) {
            note(format!("{by} takes the place of {}", old.id));
        }
    }
    Ok(())
}

/// Says which of the grants are for nothing that the plugin asks for.
fn tell_superfluous(plugin: &Plugin, given: &[StoredGrant]) -> Result<()> {
    let grant = together(given.iter().map(|stored| stored.grant.scope.as_str()))?;
    let request = plugin.request_under(&grant);
    for line in unused(&request, &Remit::from_grant(&grant)) {
        // A grant that says nothing about the log does not narrow it.
        if line.capability != "log" || grant.log.is_some() {
            let (name, Line { capability, scope, .. }) = (plugin.name(), &line);
            let until = match plugin.manifest() {
                Some(_) => "until remit.toml does, this gives it nothing",
                None => "a component without remit.toml has files with `mount` and `dir`, and no imports",
            };
            note(format!("{name} does not ask for {capability}: {scope}; {until}"));
        }
    }
    Ok(())
}
