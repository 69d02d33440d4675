//! The engine: one wasmtime configuration, its fingerprint, and compiled components out of an authenticated cache.
//!
//! Everything that decides what a guest computes is fixed here, in one [`Config`], whose fingerprint is part of
//! cache keys and run headers: two hosts with the same fingerprint burn the same fuel for the same calls.

pub mod compatible;
pub mod interface;

mod cache;
mod component;
mod growth;

pub use cache::{Cache, CacheStats};
pub use component::{ComponentError, Inspected, World, inspect};
pub use growth::{Growth, HostMemory};

use std::hash::{Hash, Hasher};

use sha2::{Digest as _, Sha256};
use wasmtime::component::Component;
use wasmtime::{Config, Enabled, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

use crate::digest::Digest;

/// The version of wasmtime that this host embeds, from its build.
pub const WASMTIME_VERSION: &str = "48";

/// Fuel after which a running guest lets the host look at time and signals: a millisecond of work, more or less.
pub const FUEL_SLICE: u64 = 10_000_000;

/// The deepest native stack of a guest, in bytes. Deep recursion traps here, at the same depth each time.
const STACK_MAX: usize = 1 << 20;

/// How much the pool reserves, sized from one number.
#[derive(Clone, Copy, Debug)]
pub struct PoolSize {
    /// Runs that may be live at once.
    pub runs: u32,
}

impl Default for PoolSize {
    fn default() -> Self {
        Self { runs: 4 }
    }
}

/// What one pooled run may take at most. Limits of a run lie below these; they leave room for an 18 MiB Python
/// component (many core instances, memories and tables).
mod pool {
    pub const CORE_INSTANCES: u32 = 200;
    pub const MEMORIES: u32 = 16;
    pub const TABLES: u32 = 200;
    pub const TABLE_ELEMENTS: usize = 1 << 20;
    pub const MEMORY_BYTES: usize = 1 << 32;
    pub const INSTANCE_BYTES: usize = 4 << 20;
}

/// The wasmtime engine of this process with the fingerprint of its configuration.
#[derive(Clone)]
pub struct Engine {
    inner: wasmtime::Engine,
    fingerprint: Digest,
}

/// The host's platform cannot run the engine.
#[derive(Debug, thiserror::Error)]
#[error("engine: {0}")]
pub struct EngineError(String);

impl Engine {
    /// Builds the engine with room for `pool.runs` live runs.
    ///
    /// # Errors
    /// [`EngineError`] when the platform refuses the configuration, for example for want of address space.
    pub fn new(pool: PoolSize) -> Result<Self, EngineError> {
        let inner = wasmtime::Engine::new(&config(pool)).map_err(|error| EngineError(format!("{error:#}")))?;
        let fingerprint = fingerprint(&inner);
        Ok(Self { inner, fingerprint })
    }

    /// Returns what stands for wasmtime's version and every setting that changes what a guest computes.
    pub fn fingerprint(&self) -> Digest {
        self.fingerprint
    }

    /// Returns wasmtime's own engine.
    pub fn wasmtime(&self) -> &wasmtime::Engine {
        &self.inner
    }

    /// Compiles a component, however long that takes.
    ///
    /// # Errors
    /// [`ComponentError::Refused`] when the engine does not accept it.
    pub fn compile(&self, bytes: &[u8]) -> Result<Component, ComponentError> {
        Component::new(&self.inner, bytes).map_err(|error| {
            let what = format!("{error:#}");
            match what.contains("pooling allocator") {
                true => ComponentError::TooLarge(what),
                false => ComponentError::Refused(what),
            }
        })
    }
}

/// The one configuration.
fn config(pool: PoolSize) -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .concurrency_support(false)
        .consume_fuel(true)
        .epoch_interruption(false)
        .cranelift_nan_canonicalization(true)
        .cranelift_opt_level(OptLevel::Speed)
        .relaxed_simd_deterministic(true)
        .wasm_memory64(false)
        .wasm_backtrace_max_frames(std::num::NonZeroUsize::new(32))
        .max_wasm_stack(STACK_MAX)
        .async_stack_size(STACK_MAX + (1 << 20))
        .memory_init_cow(true)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pooling(pool)));
    config
}

fn pooling(pool: PoolSize) -> PoolingAllocationConfig {
    let mut pooling = PoolingAllocationConfig::new();
    pooling
        .total_component_instances(pool.runs)
        .total_core_instances(pool.runs * pool::CORE_INSTANCES)
        .total_memories(pool.runs * pool::MEMORIES)
        .total_tables(pool.runs * pool::TABLES)
        .total_stacks(pool.runs)
        .max_core_instances_per_component(pool::CORE_INSTANCES)
        .max_memories_per_component(pool::MEMORIES)
        .max_tables_per_component(pool::TABLES)
        .max_component_instance_size(pool::INSTANCE_BYTES)
        .max_core_instance_size(pool::INSTANCE_BYTES)
        .table_elements(pool::TABLE_ELEMENTS)
        .max_memory_size(pool::MEMORY_BYTES)
        .pagemap_scan(Enabled::Auto);
    pooling
}

/// Hashes what wasmtime itself calls the compatibility of compiled code: its version, target and settings.
fn fingerprint(engine: &wasmtime::Engine) -> Digest {
    let mut hasher = Sha256Hasher(Sha256::new_with_prefix(b"remit engine v1\0"));
    engine.precompile_compatibility_hash().hash(&mut hasher);
    FUEL_SLICE.hash(&mut hasher);
    Digest::from_bytes(hasher.0.finalize().into())
}

/// Feeds what is hashed to SHA-256, because std's hashers have 64 bits and may change.
struct Sha256Hasher(Sha256);

impl Hasher for Sha256Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Not asked for: the digest is taken from the inner hasher.
    fn finish(&self) -> u64 {
        0
    }
}
