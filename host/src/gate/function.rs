//! The functions a guest can call: one table, filled while the capabilities are linked.
//!
//! The table is what `show` renders params and outcomes with, and what the coverage test enumerates.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value as Json;

use super::value::{Mismatch, Value, read, render};

/// What a host call may do outside the run, and so when its entry must be durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Class {
    /// Follows from what is recorded already; re-executed on both sides.
    Pure = 0,
    /// Reads the host: clocks, kv, files.
    ReadLocal = 1,
    /// Changes only what Remit itself keeps: kv, log, output.
    WriteLocal = 2,
    /// Changes a file such that doing it again gives the same file.
    WriteFile = 3,
    /// Changes a directory such that doing it again is refused or lost.
    WriteFileOnce = 4,
    /// Asks something outside the host.
    ReadRemote = 5,
    /// Changes something outside the host, and honours our idempotency key.
    WriteIdempotent = 6,
    /// Changes something outside the host, each time it is sent.
    WriteOnce = 7,
}

impl Class {
    /// Returns the class as the design and `show` write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pure => "pure",
            Self::ReadLocal => "read-local",
            Self::WriteLocal => "write-local",
            Self::WriteFile => "write-file",
            Self::WriteFileOnce => "write-file-once",
            Self::ReadRemote => "read-remote",
            Self::WriteIdempotent => "write-idempotent",
            Self::WriteOnce => "write-once",
        }
    }

    /// Says whether the intent must be on disk before the effect.
    pub const fn needs_intent(self) -> bool {
        matches!(self, Self::WriteFileOnce | Self::WriteIdempotent | Self::WriteOnce)
    }
}

/// One host function.
#[derive(Clone, Debug)]
pub struct Function {
    /// Position in the table.
    pub index: u16,
    /// `wasi:clocks/wall-clock#now`: the interface without its version, `#`, the function.
    pub name: Cow<'static, str>,
    /// The strictest class a call of it can have.
    pub class: Class,
    /// Whether some remit refuses it. What always answers (a clock, a drop) is not governed.
    pub governed: bool,
    /// Whether no guest can import it: the host does it in another function's call.
    pub is_internal: bool,
    params: Shows,
    outcome: Shows,
    reads: Reads,
}

/// Shows the recorded form of a function whose types are known when it is linked.
pub type Render = Arc<dyn Fn(&[u8]) -> Json + Send + Sync>;

/// Reads the shown form of an outcome, for a function whose types are known when it is linked.
pub type Read = Arc<dyn Fn(&Json) -> Result<Vec<u8>, Mismatch> + Send + Sync>;

/// Reads the shown form of an outcome, in place of the recorded one where there is one.
type ReadStatic = fn(&Json, Option<&[u8]>) -> Result<Vec<u8>, Mismatch>;

/// How the shown form of an outcome is read.
#[derive(Clone)]
enum Reads {
    Static(ReadStatic),
    Linked(Read),
}

impl fmt::Debug for Reads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reads")
    }
}

/// How recorded bytes are shown.
#[derive(Clone)]
enum Shows {
    Static(fn(&[u8]) -> Json),
    Linked(Render),
}

impl Shows {
    fn show(&self, bytes: &[u8]) -> Json {
        match self {
            Self::Static(render) => render(bytes),
            Self::Linked(render) => render(bytes),
        }
    }
}

impl fmt::Debug for Shows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shows")
    }
}

/// A function whose name and types come from a plugin's interfaces.
pub struct Linked {
    /// As [`Function::name`].
    pub name: String,
    /// The strictest class a call of it can have.
    pub class: Class,
    /// Whether it is a call that others make of the plugin, and not one that it makes.
    pub is_incoming: bool,
    /// Shows recorded params.
    pub params: Render,
    /// Shows a recorded outcome.
    pub outcome: Render,
    /// Reads what shows an outcome.
    pub reads: Read,
}

impl Function {
    /// Shows recorded params.
    pub fn show_params(&self, bytes: &[u8]) -> Json {
        self.params.show(bytes)
    }

    /// Shows a recorded outcome.
    pub fn show_outcome(&self, bytes: &[u8]) -> Json {
        self.outcome.show(bytes)
    }

    /// Returns the recorded form of an outcome that is given as it is shown, in place of `recorded` or where nothing is.
    ///
    /// # Errors
    /// [`Mismatch`] when it is not of the function's type.
    pub fn read_outcome(&self, json: &Json, recorded: Option<&[u8]>) -> Result<Vec<u8>, Mismatch> {
        match &self.reads {
            Reads::Static(read) => read(json, recorded),
            Reads::Linked(read) => read(json),
        }
    }
}

/// Every function that the linker can satisfy.
#[derive(Clone, Debug, Default)]
pub struct Functions {
    all: Vec<Function>,
    by_name: HashMap<Cow<'static, str>, u16>,
}

impl Functions {
    /// Adds a function with params `P` and outcome `R` and returns its index.
    pub fn add<P: Value, R: Value>(&mut self, name: &'static str, class: Class, governed: bool) -> u16 {
        let index = u16::try_from(self.all.len()).expect("the host links fewer than 65,536 functions");
        let (name, params, outcome) = (Cow::Borrowed(name), Shows::Static(render::<P>), Shows::Static(render::<R>));
        let earlier = self.by_name.insert(name.clone(), index);
        assert!(earlier.is_none(), "{name} is linked twice");
        let reads = Reads::Static(read::<R>);
        self.all.push(Function { index, name, class, governed, is_internal: false, params, outcome, reads });
        index
    }

    /// Adds a function of a plugin's interface and returns its index. Nothing: the name is taken, or there are 65,536
    /// functions.
    pub fn add_linked(&mut self, linked: Linked) -> Option<u16> {
        let index = u16::try_from(self.all.len()).ok()?;
        let Linked { name, class, is_incoming, params, outcome, reads } = linked;
        let name = Cow::Owned(name);
        if self.by_name.contains_key(&name) {
            return None;
        }
        self.by_name.insert(name.clone(), index);
        let (params, outcome) = (Shows::Linked(params), Shows::Linked(outcome));
        let (governed, is_internal) = (!is_incoming, is_incoming);
        let reads = Reads::Linked(reads);
        self.all.push(Function { index, name, class, governed, is_internal, params, outcome, reads });
        Some(index)
    }

    /// Adds a governed function that the host does in another's call, and returns its index.
    pub fn add_internal<P: Value, R: Value>(&mut self, name: &'static str, class: Class) -> u16 {
        let index = self.add::<P, R>(name, class, true);
        self.all[usize::from(index)].is_internal = true;
        index
    }

    /// Returns every function in table order.
    pub fn iter(&self) -> impl Iterator<Item = &Function> {
        self.all.iter()
    }

    /// Returns the function of that name.
    pub fn get(&self, name: &str) -> Option<&Function> {
        self.by_name.get(name).map(|&index| &self.all[usize::from(index)])
    }

    /// Returns the function at an index that [`Functions::add`] gave out.
    pub fn at(&self, index: u16) -> &Function {
        &self.all[usize::from(index)]
    }
}
