//! The live side of incoming calls.

use super::{Live, check_recorded};
use crate::gate::{Class, Halt};
use crate::journal::{Extension, Kind, Record};
use crate::meter::LimitKind;

impl<C> Live<C> {
    /// Records what came in.
    pub(in crate::gate) fn enter(&mut self, index: u16, fuel: u64, params: &[u8], cause: String) -> Result<(), Halt> {
        self.usage.bytes_in += params.len() as u64;
        // What the caller asks cannot be had again. It is on disk before the next visible act.
        self.undurable_inputs = true;
        let extension = Extension { cause: Some(cause), ..Extension::default() };
        self.pass(index, fuel, params, Some(&extension))
    }

    /// Records what goes back.
    pub(in crate::gate) fn leave(&mut self, index: u16, fuel: u64, result: &[u8]) -> Result<(), Halt> {
        self.usage.bytes_out += result.len() as u64;
        self.pass(index, fuel, result, None)
    }

    fn pass(&mut self, index: u16, fuel: u64, params: &[u8], extension: Option<&Extension>) -> Result<(), Halt> {
        self.limits.check(LimitKind::Payload, params.len() as u64)?;
        check_recorded(&self.limits, &self.usage)?;
        let time_us = self.stamp(Class::Pure);
        let function = self.interned[usize::from(index)];
        let record = Record { kind: Kind::Call, function, fuel, time_us, params, outcome: &[], extension };
        self.journal.borrow_mut().call(&record)?;
        self.recorded()
    }
}
