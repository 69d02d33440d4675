//! A connector that keeps issues in its own store, for any agent that is granted its interface.
//!
//! `wit/tracker.wit` says what callers may expect. [`tracker`] does it, on a store that a test can replace.

mod id;
mod rules;
mod store;
mod tracker;

use exports::remit_plugins::tracker::issues::{Draft, Error, Filter, Guest, Issue, Summary};
use remit_sdk::connector;

use store::Kv;

connector!(Tracker, derive(PartialEq, serde::Serialize, serde::Deserialize));

struct Tracker;

impl Guest for Tracker {
    fn create(draft: Draft) -> Result<String, Error> {
        tracker::create(&mut Kv, id::new(), draft)
    }

    fn find(reference: String) -> Result<Option<String>, Error> {
        tracker::find(&Kv, &reference)
    }

    fn get(id: String) -> Result<Issue, Error> {
        tracker::get(&Kv, &id)
    }

    fn list(filter: Filter) -> Result<Vec<Summary>, Error> {
        tracker::list(&Kv, &filter)
    }

    fn label(id: String, label: String) -> Result<(), Error> {
        tracker::label(&mut Kv, &id, label)
    }

    fn comment(id: String, text: String) -> Result<(), Error> {
        tracker::comment(&mut Kv, &id, text)
    }

    fn close(id: String) -> Result<(), Error> {
        tracker::close(&mut Kv, &id)
    }
}
