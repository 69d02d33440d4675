//! What guests can reach: one file per WIT interface, each a page of lines that name a function, its class and its
//! work. Whatever a component imports of them is linked; what the remit does not hold is refused at the call.

pub mod approval;
pub mod bindings;
pub mod config;
pub mod connector;
mod derived;
pub mod files;
pub mod kv;
pub mod link;
pub mod log;
pub mod model;
pub mod signal;
pub mod timer;
pub mod tools;
pub mod wasi;

use std::collections::HashMap;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::Linker;

pub use self::derived::{Derived, Input, Object, Output, Start};
use self::link::Link;
use crate::engine::Engine;
use crate::gate::{Class, Functions, Gate};
use crate::journal::FunctionDef;

/// The interfaces that this host links, with the newest version of each package.
pub const VERSIONS: &[(&str, &str)] = &[
    ("remit:plugin", "1.0.0"),
    ("wasi:io", "0.2.12"),
    ("wasi:clocks", "0.2.12"),
    ("wasi:random", "0.2.12"),
    ("wasi:cli", "0.2.12"),
    ("wasi:filesystem", "0.2.12"),
    ("wasi:sockets", "0.2.12"),
    ("wasi:http", "0.2.12"),
];

/// The version of `remit:plugin` that this host speaks.
pub const WIT_VERSION: &str = VERSIONS[0].1;

/// What a store holds for one guest.
pub struct Guest {
    /// The one way from the guest to anything.
    pub gate: Gate<Caps, Derived>,
    /// Fuel that the run began with.
    pub fuel_max: u64,
    /// The function in which the guest waits, if it does.
    pub waiting_in: Option<u16>,
    /// Memory and table growth, held to the limits.
    pub growth: crate::engine::Growth,
}

/// What only a live run has.
#[derive(Default)]
pub struct Caps {
    /// The mounts of the run.
    pub mounts: files::Mounts,
    /// Open files and folders by handle.
    pub open: HashMap<u32, files::Descriptor>,
    /// What was open, by handle, of a run that is resumed: until it goes live.
    pub lost: HashMap<u32, files::Lost>,
    /// Where streams append next, of a run that was resumed, until it is sure that what is there is not its own.
    pub appending: HashMap<u32, u64>,
    /// Listings that were being read, of a run that is resumed: until it goes live.
    pub lost_listings: HashMap<u32, wasi::filesystem::LostListing>,
    /// Handles through which a file was changed that is not synced yet.
    pub changed: HashSet<u32>,
    /// Why a file that the guest closed did not get to the disk.
    pub unsynced: Option<wasi::filesystem::ErrorCode>,
    /// Bytes that may still be written under each mount, where its scope has a quota.
    pub quotas: Vec<Option<u64>>,
    /// Folder listings being read, by handle.
    pub listings: HashMap<u32, wasi::filesystem::Listing>,
    /// Errors that a stream handed to the guest, by handle.
    pub errors: HashMap<u32, StreamFailure>,
    /// When pollables become ready, counted from the run's start. What is not listed is ready.
    pub deadlines: HashMap<u32, Duration>,
    /// The way out to the network, where the host has one.
    pub network: Option<Arc<dyn wasi::http::Network>>,
    /// Who answers for each tier of models, where the run may ask one.
    pub models: Option<Arc<model::Models>>,
    /// The way to connectors, where the remit has some.
    pub connectors: Option<Arc<dyn connector::route::Route>>,
    /// What of theirs can be called as a tool, once it was asked for.
    pub tools: Option<Arc<tools::Tools>>,
    /// What the operator set for the plugin, granted or not.
    pub values: config::Values,
    /// Whether files are opened again to be read, whatever they were opened for: of a fork that has no effects.
    pub is_disarmed: bool,
}

/// Why a stream operation failed.
#[derive(Clone, Debug)]
pub struct StreamFailure {
    /// For people.
    pub message: String,
    /// For the function that asks for the code.
    pub code: FailureCode,
}

/// The code of a failed stream operation, by what the stream is of.
#[derive(Clone, Debug)]
pub enum FailureCode {
    /// For `filesystem-error-code`.
    File(wasi::filesystem::ErrorCode),
    /// For `http-error-code`.
    Http(wasi::http::ErrorCode),
}

impl Caps {
    /// Has the disk keep what files were given, before a result is shown.
    ///
    /// # Errors
    /// What the first failing file says.
    pub fn sync_changed_files(&mut self) -> Result<(), wasi::filesystem::ErrorCode> {
        let changed = self.changed.drain();
        changed.filter_map(|ordinal| self.open.get(&ordinal)).try_for_each(files::sync_data)?;
        self.unsynced.take().map_or(Ok(()), Err)
    }

    /// Opens what a run had open that is resumed.
    ///
    /// # Errors
    /// What is not as it was.
    pub fn awaken(&mut self, _: &Derived) -> Result<(), String> {
        self.open_lost()
    }

    /// As [`Caps::awaken`].
    ///
    /// # Errors
    /// What is not as it was.
    pub fn open_lost(&mut self) -> Result<(), String> {
        for (ordinal, lost) in std::mem::take(&mut self.lost) {
            let lost = if self.is_disarmed { lost.to_read() } else { lost };
            self.open.insert(ordinal, lost.find(&self.mounts)?);
        }
        for (ordinal, lost) in std::mem::take(&mut self.lost_listings) {
            self.listings.insert(ordinal, lost.find(&self.mounts)?);
        }
        Ok(())
    }

    /// Tells whether a disarmed fork that calls the function is told what its parent was: what has an effect, what opens
    /// a file for one, and what a person or another program said.
    pub fn is_told(function: &FunctionDef) -> bool {
        let opens = ["descriptor.write-via-stream", "descriptor.append-via-stream"];
        let asks = ["remit:plugin/approval#", "remit:plugin/signal#"];
        function.class >= Class::WriteFile as u8
            || opens.iter().any(|name| function.name.ends_with(name))
            || asks.iter().any(|interface| function.name.starts_with(interface))
    }

    /// Forgets what a dropped handle stood for. A file that was changed goes to the disk first.
    pub fn close(&mut self, ordinal: u32) {
        if let Some(descriptor) = self.open.remove(&ordinal)
            && self.changed.remove(&ordinal)
            && let Err(code) = files::sync_data(&descriptor)
        {
            self.unsynced = Some(code);
        }
        self.lost.remove(&ordinal);
        self.appending.remove(&ordinal);
        self.listings.remove(&ordinal);
        self.lost_listings.remove(&ordinal);
        self.errors.remove(&ordinal);
        self.deadlines.remove(&ordinal);
    }
}

/// Links what a component imports and returns the linker, with the table of everything that this host can satisfy.
///
/// # Errors
/// Only when two capabilities define one name, which is a defect of this host.
pub fn link(engine: &Engine, offer: Offer, imports: &[String]) -> wasmtime::Result<(Linker<Guest>, Functions)> {
    let mut linker = Linker::new(engine.wasmtime());
    let mut functions = Functions::default();
    let wanted = imports.iter().filter_map(|import| import.split('@').next()).collect();
    let mut link = Link { linker: &mut linker, functions: &mut functions, versions: offer.versions, wanted };
    approval::link(&mut link)?;
    config::link(&mut link)?;
    kv::link(&mut link)?;
    log::link(&mut link)?;
    model::link(&mut link)?;
    signal::link(&mut link)?;
    timer::link(&mut link)?;
    tools::link(&mut link)?;
    wasi::link(&mut link)?;
    (offer.more)(&mut link)?;
    Ok((linker, functions))
}

/// What a host offers to guests: Remit's interfaces, and whatever its embedder adds through the same gate.
#[derive(Clone, Copy)]
pub struct Offer {
    /// Every package with its newest version.
    pub versions: &'static [(&'static str, &'static str)],
    /// Links what is not Remit's own.
    pub more: fn(&mut Link<'_>) -> wasmtime::Result<()>,
}

impl Default for Offer {
    /// Returns just Remit's interfaces.
    fn default() -> Self {
        Self { versions: VERSIONS, more: |_| Ok(()) }
    }
}
