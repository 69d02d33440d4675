//! What the capability layer asks of the layer that runs plugins: have an installed connector answer one call.
//!
//! A live run's [`Caps`](crate::capability::Caps) hold a route when its remit has connectors that are installed. The
//! interfaces of a route are those that were requested, granted and resolved, whether or not the guest imports them;
//! what the remit allows of them is judged at each call, before the route is asked. A replay has no route: its calls are
//! answered from the record.

use std::time::Duration;

use super::answer::Answered;
use super::import::BoxFuture;
use crate::engine::interface::Interface;
use crate::manifest;
use crate::meter::Usage;

/// An interface that a connector answers for this run.
#[derive(Clone, Debug, PartialEq)]
pub struct Linked {
    /// What the remit calls it: the name and version that the plugin requests.
    pub granted: manifest::Interface,
    /// The functions with their types, as the connector exports them. A guest that imports some imports the same types.
    pub interface: Interface,
    /// The connector, for people.
    pub connector: String,
}

/// One call on its way to a connector.
#[derive(Clone, Debug)]
pub struct Outbound {
    /// Which of [`Route::interfaces`].
    pub interface: usize,
    /// Which of its functions.
    pub function: usize,
    /// The params in the recorded form.
    pub params: Vec<u8>,
    /// The number of the caller's entry that will hold the call, or of its intent.
    pub entry: u64,
    /// How long it may take.
    pub patience: Duration,
}

/// What becomes of connectors whose caller stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// The caller has ended, and so do they.
    Ended,
    /// The caller is parked. They are, too, and go on with it.
    Parked,
}

/// Routes a run's calls to connectors.
pub trait Route: Send + Sync {
    /// Returns what can be called.
    fn interfaces(&self) -> &[Linked];

    /// Has a connector answer one call; the first one starts it. A failure of the connector is an answer, too. Dropping
    /// the future stops the connector, whose run is ended by [`Route::close`].
    ///
    /// # Panics
    /// When [`Route::interfaces`] has no such function.
    fn call(&self, call: Outbound) -> BoxFuture<'static, Answered>;

    /// Ends the runs of all connectors that were called, or parks them with their caller, and returns what they used of
    /// which no answer said so, as of a call that was given up. They are recorded when it is done. Nothing can be called
    /// afterwards.
    fn close(&self, closing: Closing) -> BoxFuture<'_, Usage>;
}
