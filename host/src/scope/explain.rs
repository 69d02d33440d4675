//! Why a run may do what it may: each request, what is left of it, and which document took the rest.

use super::show::reason;
use super::{HttpScope, Line, Remit};
use crate::manifest::{Ceiling, Request};

/// A document that may narrow a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Document {
    /// The operator's grant.
    Grant,
    /// The operator's configuration.
    Ceiling,
}

/// What becomes of one thing that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// Which capability, as in [`Line`].
    pub capability: String,
    /// What was asked for.
    pub asked: String,
    /// Why.
    pub why: Option<String>,
    /// What the grant leaves of it, if anything. It may hold what only a grant can say, such as an address.
    pub granted: Option<String>,
    /// What holds, if anything.
    pub holds: Option<String>,
    /// The documents that took something away.
    pub narrowed_by: Vec<Document>,
}

/// Explains [`Remit::effective`]: one element for each thing that is asked for.
pub fn explain(request: &Request, granted: &Remit, ceiling: &Ceiling) -> Vec<Explained> {
    let (asked, open) = (Remit::from_request(request), Remit::open(request));
    asked.items().into_iter().map(|item| explain_item(request, &item, &open, granted, ceiling)).collect()
}

fn explain_item(request: &Request, item: &Remit, open: &Remit, granted: &Remit, ceiling: &Ceiling) -> Explained {
    let given = open.like(item).intersect(granted);
    let holds = given.under(ceiling);
    let took = [(Document::Grant, !given.subsumes(item)), (Document::Ceiling, holds != given)];
    Explained {
        capability: item.parts().first().map(|part| part.capability.clone()).unwrap_or_default(),
        asked: item.words().unwrap_or_default(),
        why: reason(request, item).map(ToString::to_string),
        granted: given.words(),
        holds: holds.words(),
        narrowed_by: took.into_iter().filter_map(|(document, took)| took.then_some(document)).collect(),
    }
}

impl Remit {
    /// Returns what this remit, which is `item` and more left open, says about the requests over HTTP of `item`; and
    /// `item` itself for the rest.
    fn like(&self, item: &Self) -> Self {
        let asked = |open: &HttpScope| {
            let same_place = item.http.iter().filter(|asked| asked.place() == open.place());
            same_place.filter_map(|asked| open.by(asked.methods())).collect::<Vec<_>>()
        };
        Self { http: self.http.iter().flat_map(asked).collect(), ..item.clone() }
    }
}

/// Returns what is granted and nobody asks for.
pub fn unused(request: &Request, granted: &Remit) -> Vec<Line> {
    let open = Remit::open(request);
    let nobody_asks = |item: &Remit| item.intersect(&open) == Remit::nothing();
    granted.items().into_iter().filter(nobody_asks).flat_map(|item| item.describe(None)).collect()
}
