//! What guests can reach: one file per WIT interface, each a page of lines that name a function, its class and its
//! work. Whatever a component imports of them is linked; what the remit does not hold is refused at the call.

pub mod approval;
pub mod bindings;
pub mod config;
pub mod connector;
pub mod files;
pub mod kv;
pub mod link;
pub mod log;
pub mod model;
pub mod signal;
pub mod timer;
pub mod tools;
pub mod wasi;

use std::collections::HashSet;
use std::collections::hash_map::{Entry, HashMap};
use std::sync::Arc;
use std::time::Duration;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use wasmtime::component::Linker;

use self::link::Link;
use crate::digest::Digest;
use crate::engine::Engine;
use crate::gate::{Class, Functions, Gate, Halt};
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

/// What both sides know: it follows from the run's header and the record alone.
pub struct Derived {
    /// What each handle is.
    pub objects: HashMap<u32, Object>,
    /// How many handles each handle has that belong to it: pollables of what they wait for, streams of their body.
    pub children: HashMap<u32, u32>,
    /// Messages of `wasi:http`.
    pub http: wasi::http::State,
    /// The run's seeded generator.
    pub random: ChaCha20Rng,
    /// A second stream of the same seed for the insecure interfaces.
    pub insecure_random: ChaCha20Rng,
    /// The command's arguments, its name first.
    pub arguments: Vec<String>,
    /// What the guest reads on its standard input.
    pub stdin: Arc<[u8]>,
    /// How much of it was read.
    pub stdin_at: usize,
    /// Guest paths of the mounts, in mount order.
    pub preopens: Vec<String>,
    /// The configuration values that the remit grants, in order.
    pub config_keys: Vec<String>,
    /// The most bytes of one call's params, and of its outcome.
    pub payload_max: u64,
}

/// What a handle is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object {
    /// A stream to read.
    Input(Input),
    /// A stream to write.
    Output(Output),
    /// What waits for a stream, or for what is to come.
    Pollable {
        /// Its handle.
        of: u32,
    },
    /// An open file or folder below a mount.
    Descriptor {
        /// Index of the mount.
        mount: usize,
    },
}

/// Where an input stream reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// The run's input.
    Stdin,
    /// An open file at an offset.
    File {
        /// The next byte.
        offset: u64,
    },
    /// A body that came from outside.
    Body {
        /// Its handle.
        of: u32,
    },
    /// A file's stream that came to the end once, or failed. It stays so, even if the file grows.
    Closed,
}

/// Where an output stream writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// An open file.
    File {
        /// Index of its mount.
        mount: usize,
        /// The next byte; `None` appends.
        offset: Option<u64>,
    },
    /// A body on its way out.
    Body {
        /// Its handle.
        of: u32,
    },
    /// A body's stream that failed.
    ClosedBody {
        /// The body's handle.
        of: u32,
    },
    /// A stream that failed.
    Closed,
}

impl Object {
    /// Returns the handle that this one belongs to.
    fn parent(&self) -> Option<u32> {
        match self {
            Self::Pollable { of }
            | Self::Input(Input::Body { of })
            | Self::Output(Output::Body { of } | Output::ClosedBody { of }) => Some(*of),
            _ => None,
        }
    }
}

/// What a guest is started with.
pub struct Start {
    /// The run's seed.
    pub seed: [u8; 32],
    /// A command's arguments, its name first.
    pub arguments: Vec<String>,
    /// A command's standard input.
    pub stdin: Arc<[u8]>,
    /// Guest paths of the mounts, in mount order.
    pub preopens: Vec<String>,
    /// The configuration values that the remit grants, in order.
    pub config_keys: Vec<String>,
    /// The most bytes of one call's params, and of its outcome.
    pub payload_max: u64,
}

impl Derived {
    /// Derives the state at the start of a run.
    pub fn new(start: Start) -> Self {
        let insecure = Digest::of_parts(&[b"remit insecure random v1\0", &start.seed]);
        Self {
            objects: HashMap::new(),
            children: HashMap::new(),
            http: wasi::http::State::new(start.payload_max),
            random: ChaCha20Rng::from_seed(start.seed),
            insecure_random: ChaCha20Rng::from_seed(*insecure.as_bytes()),
            arguments: start.arguments,
            stdin: start.stdin,
            stdin_at: 0,
            preopens: start.preopens,
            config_keys: start.config_keys,
            payload_max: start.payload_max,
        }
    }

    /// Takes note of a new handle that belongs to another.
    pub fn adopt(&mut self, parent: u32, ordinal: u32, object: Object) {
        self.objects.insert(ordinal, object);
        *self.children.entry(parent).or_default() += 1;
    }

    /// Takes note that a handle was dropped.
    ///
    /// # Errors
    /// [`Halt::Misuse`] for a handle that others belong to, as WASI prescribes.
    pub fn forget(&mut self, ordinal: u32) -> Result<(), Halt> {
        self.check_childless(ordinal)?;
        self.http.forget(ordinal);
        let Some(object) = self.objects.remove(&ordinal) else { return Ok(()) };
        if matches!(object, Object::Input(Input::Body { .. })) {
            self.http.inputs -= 1;
        }
        if let Some(parent) = object.parent()
            && let Entry::Occupied(mut children) = self.children.entry(parent)
        {
            *children.get_mut() -= 1;
            if *children.get() == 0 {
                children.remove();
            }
        }
        Ok(())
    }

    /// Checks that nothing the guest holds belongs to this handle.
    ///
    /// # Errors
    /// [`Halt::Misuse`] when something does.
    pub fn check_childless(&self, ordinal: u32) -> Result<(), Halt> {
        match self.children.contains_key(&ordinal) {
            true => Err(Halt::Misuse("a resource is dropped before the pollables and streams that are its own".into())),
            false => Ok(()),
        }
    }

    /// Returns the mount of an open file or folder.
    pub fn mount_of(&self, ordinal: u32) -> Option<usize> {
        match self.objects.get(&ordinal) {
            Some(Object::Descriptor { mount }) => Some(*mount),
            _ => None,
        }
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
