//! Memory and table growth of one store, held to the run's limits.
//!
//! Crossing a limit traps, so that the run ends and says why; `memory.grow` answers -1 only where the module itself
//! declares a maximum. A host that cannot give memory traps too, because replay could not repeat its refusal.

use wasmtime::ResourceLimiter;

use crate::meter::{Crossed, LimitKind, Limits};

/// The limiter of one store.
pub struct Growth {
    limits: Limits,
    memory_peak: u64,
}

/// The host could not give a guest memory that its limits allow.
#[derive(Debug, thiserror::Error)]
#[error("the host has no memory for the guest: {0}")]
pub struct HostMemory(String);

impl Growth {
    /// Makes the limiter of a run.
    pub fn new(limits: Limits) -> Self {
        Self { limits, memory_peak: 0 }
    }

    /// Returns the limits of the run.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Returns the most bytes that one memory has had.
    pub fn memory_peak(&self) -> u64 {
        self.memory_peak
    }

    fn check(&self, limit: LimitKind, wanted: usize) -> Result<(), Crossed> {
        self.limits.check(limit, wanted as u64)
    }

    fn count(&self, limit: LimitKind) -> usize {
        usize::try_from(self.limits[limit]).unwrap_or(usize::MAX)
    }
}

impl ResourceLimiter for Growth {
    fn memory_growing(&mut self, _: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.check(LimitKind::Memory, desired)?;
        self.memory_peak = self.memory_peak.max(desired as u64);
        Ok(true)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        // Also told of growth beyond the memory's own type, which is the module's affair and answers -1.
        match error.to_string().contains("memory type's limits") {
            true => Ok(()),
            false => Err(HostMemory(format!("{error:#}")).into()),
        }
    }

    fn table_growing(&mut self, _: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.check(LimitKind::Tables, desired)?;
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.count(LimitKind::Instances)
    }

    fn tables(&self) -> usize {
        self.count(LimitKind::TableCount)
    }

    fn memories(&self) -> usize {
        self.count(LimitKind::Memories)
    }
}
