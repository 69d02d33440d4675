//! What follows from a run's header and its record alone, so that the live side and the replay side both have it.

use std::collections::hash_map::{Entry, HashMap};
use std::sync::Arc;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;

use super::wasi;
use crate::digest::Digest;
use crate::gate::Halt;

/// What both sides know.
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
