//! What the tracker does, on any store: an issue is one value under `issue/ID`, and `reference/TEXT` holds the id of the
//! issue that is about it.

use crate::exports::remit_plugins::tracker::issues::{Draft, Error, Filter, Issue, Summary};
use crate::store::Store;
use crate::{id, rules};

/// Issues in one answer of [`list`].
const PAGE_LEN: usize = 100;

/// Creates an issue under an id that is new.
pub fn create(store: &mut impl Store, id: String, draft: Draft) -> Result<String, Error> {
    let Draft { title, body, labels, reference } = rules::check_draft(draft)?;
    if let Some(reference) = &reference {
        if let Some(known) = find(store, reference)? {
            return Err(Error::Duplicate(known));
        }
        store.set(&reference_key(reference), &id)?;
    }
    let issue = Issue { id, title, body, labels, reference, comments: Vec::new(), open: true };
    put(store, &issue)?;
    Ok(issue.id)
}

/// Returns the issue about a reference.
pub fn find(store: &impl Store, reference: &str) -> Result<Option<String>, Error> {
    rules::check_reference(reference)?;
    let id: Option<String> = store.get(&reference_key(reference))?;
    // A call that was cut off may have left a reference without its issue.
    Ok(id.filter(|id| get(store, id).is_ok()))
}

/// Returns an issue.
pub fn get(store: &impl Store, id: &str) -> Result<Issue, Error> {
    let not_found = || Error::NotFound(id.to_owned());
    match id::is_id(id) {
        true => store.get(&key(id))?.ok_or_else(not_found),
        false => Err(not_found()),
    }
}

/// Returns a page of issues that fit a filter.
pub fn list(store: &impl Store, filter: &Filter) -> Result<Vec<Summary>, Error> {
    let after = filter.after.as_deref().map(key);
    let mut page = Vec::new();
    for key in store.keys(PREFIX) {
        let key = key?;
        if after.as_ref().is_some_and(|after| key <= *after) {
            continue;
        }
        let issue: Option<Issue> = store.get(&key)?;
        page.extend(issue.filter(|issue| fits(issue, filter)).map(summary));
        if page.len() == PAGE_LEN {
            break;
        }
    }
    Ok(page)
}

/// Adds a label.
pub fn label(store: &mut impl Store, id: &str, label: String) -> Result<(), Error> {
    rules::check_label(&label)?;
    change(store, id, |issue| {
        if let Err(place) = issue.labels.binary_search(&label) {
            issue.labels.insert(place, label);
        }
        rules::check_count("labels", issue.labels.len(), rules::LABELS_MAX)
    })
}

/// Adds a comment.
pub fn comment(store: &mut impl Store, id: &str, text: String) -> Result<(), Error> {
    rules::check_comment(&text)?;
    change(store, id, |issue| {
        issue.comments.push(text);
        rules::check_count("comments", issue.comments.len(), rules::COMMENTS_MAX)
    })
}

/// Closes an issue.
pub fn close(store: &mut impl Store, id: &str) -> Result<(), Error> {
    change(store, id, |issue| {
        issue.open = false;
        Ok(())
    })
}

const PREFIX: &str = "issue/";

fn key(id: &str) -> String {
    format!("{PREFIX}{id}")
}

fn reference_key(reference: &str) -> String {
    format!("reference/{reference}")
}

fn put(store: &mut impl Store, issue: &Issue) -> Result<(), Error> {
    store.set(&key(&issue.id), issue)
}

/// Changes an issue, or leaves it as it is where the change is refused.
fn change(store: &mut impl Store, id: &str, change: impl FnOnce(&mut Issue) -> Result<(), Error>) -> Result<(), Error> {
    let mut issue = get(store, id)?;
    change(&mut issue)?;
    put(store, &issue)
}

fn fits(issue: &Issue, filter: &Filter) -> bool {
    let has = |label: &String| issue.labels.contains(label);
    filter.label.as_ref().is_none_or(has) && filter.open.is_none_or(|open| issue.open == open)
}

fn summary(issue: Issue) -> Summary {
    Summary { id: issue.id, title: issue.title, labels: issue.labels, open: issue.open }
}

#[cfg(test)]
mod tests;
