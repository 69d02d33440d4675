//! Incoming calls: what others call of a connector, as its own run records it.
//!
//! A call is two entries, with everything that the connector does for it between them: one of `interface#[call]function`
//! with the params, and one of `interface#[return]function` with the result as *its* params. So a replay reads what
//! came in, and compares what goes back as it compares any params.

use super::{Gate, Halt, Side};

/// A call that a replay has to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// The index of its `[call]` function.
    pub index: u16,
    /// The params in the recorded form.
    pub params: Vec<u8>,
    /// The caller's entry, as `RUN:NUMBER`.
    pub cause: String,
}

impl<C, D> Gate<C, D> {
    /// Records a call that came in, and because of which entry of which run. A replay has taken it from the record
    /// by [`Gate::next_incoming`].
    ///
    /// # Errors
    /// A [`Halt`] ends the run.
    pub fn enter(&mut self, index: u16, fuel: u64, params: &[u8], cause: String) -> Result<(), Halt> {
        let awake = self.wake(fuel);
        let entered = awake.and_then(|()| match &mut self.side {
            Side::Live(live) => live.enter(index, fuel, params, cause),
            Side::Replay(_) | Side::Resume(_) => Ok(()),
        });
        entered.map_err(|halt| self.halt_in(index, halt))
    }

    /// Records the result of a call that came in, or compares it with the record.
    ///
    /// # Errors
    /// A [`Halt`] ends the run.
    pub fn leave(&mut self, index: u16, fuel: u64, result: &[u8]) -> Result<(), Halt> {
        let awake = self.wake(fuel);
        let left = awake.and_then(|()| match &mut self.side {
            Side::Live(live) => live.leave(index, fuel, result),
            Side::Replay(replay) => replay.expect(&self.functions, index, fuel, result),
            Side::Resume(resume) => resume.leave(&self.functions, index, fuel, result),
        });
        left.map_err(|halt| self.halt_in(index, halt))
    }

    /// Returns the next call that a replay has to make, with this much fuel used; nothing where the record has no more,
    /// and on the live side.
    ///
    /// # Errors
    /// [`Halt::Diverged`] when the record goes on with something else.
    pub fn next_incoming(&mut self, fuel: u64) -> Result<Option<Incoming>, Halt> {
        match &mut self.side {
            Side::Live(_) => Ok(None),
            Side::Replay(replay) => replay.next_incoming(&self.functions, fuel),
            Side::Resume(resume) => resume.next_incoming(&self.functions, fuel),
        }
    }
}
