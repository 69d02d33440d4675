//! State entries: each ends a segment, which is signed.

use serde::Serialize;

use super::RunWriter;
use crate::journal::entry::{Kind, Part, Raw};
use crate::journal::row::StateBody;
use crate::journal::waits::Change;
use crate::journal::{Error, Settlement, blob, header};
use crate::lifecycle::Stated;

impl RunWriter {
    /// Appends a state entry with `body` as its params, and closes and signs the segment. Await
    /// [`RunWriter::durable`] before anybody is told.
    ///
    /// kv writes that no entry was recorded for are dropped: their call did not happen. What a call that was not
    /// settled had claimed is settled as used: it may have been sent.
    ///
    /// # Errors
    /// As [`RunWriter::call`]; [`Error::NotJson`] when `body` does not serialize.
    pub fn state(&mut self, fuel: u64, time_us: u64, body: &(impl Serialize + Stated)) -> Result<u64, Error> {
        self.state_with(fuel, time_us, body, None)
    }

    pub(super) fn state_with(
        &mut self,
        fuel: u64,
        time_us: u64,
        body: &(impl Serialize + Stated),
        begins: Option<Change>,
    ) -> Result<u64, Error> {
        let json = header::canonical(body)?;
        blob::check_len("a state", &json)?;
        self.settle_trial()?;
        if let Some(intent) = self.unsettled {
            self.settle(intent, Settlement::Used);
        }
        self.kv.drop_from(self.next_entry);
        self.waits.drop_told(self.next_entry);
        let mut list = Vec::new();
        let params = self.part("a state", &json, &mut list)?;
        let (fuel_delta, time) = (fuel.wrapping_sub(self.fuel), time_us.wrapping_sub(self.time_us));
        let (kind, outcome) = (Kind::State, Part::Inline(&[]));
        Raw { kind, function: 0, fuel: fuel_delta, time, params, outcome, extension: None }.encode(&mut self.open.body);
        let state = StateBody::of(params);
        (self.fuel, self.time_us) = (fuel, time_us);
        let entry = self.next_entry;
        self.next_entry += 1;
        self.waits.change = self.waits.on_state(begins);
        self.hand_over(Some((body.state(), state)), false)?;
        Ok(entry)
    }
}
