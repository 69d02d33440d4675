//! What both sides know about a guest's messages: each resource by its handle, and how much they take together.
//!
//! Handles that belong to others (a stream of a body, a pollable of a response to come) count among the others'
//! children; what has children is not dropped, as under wasmtime.

use std::collections::HashMap;
use std::convert::identity;

use wasmtime::component::Resource;

use super::body::{IncomingBody, OutgoingBody, Trailers};
use super::fields::Fields;
use super::request::{Options, OutgoingRequest};
use super::response::{IncomingResponse, OutgoingResponse, ResponseToCome};
use crate::gate::{Halt, Ordinals};
use crate::meter::{Crossed, LimitKind};

/// How many payloads of the greatest size a guest's messages may take together.
const PAYLOADS_MAX: u64 = 4;

/// A guest's messages.
#[derive(Debug, Default)]
pub struct State {
    things: HashMap<u32, Thing>,
    /// Bytes that the things take.
    held: u64,
    held_max: u64,
    /// Handles that were consumed and not yet given back.
    consumed: u32,
    /// Input streams over bodies that are open.
    pub(in crate::capability) inputs: u32,
}

/// One resource of `wasi:http/types`.
#[derive(Debug)]
pub enum Thing {
    /// `fields`.
    Fields(Fields),
    /// `outgoing-request`.
    OutgoingRequest(Box<OutgoingRequest>),
    /// `request-options`.
    Options(Options),
    /// `outgoing-body`, which lasts until its message is sent or dropped.
    OutgoingBody(OutgoingBody),
    /// `future-incoming-response`.
    ResponseToCome(Box<ResponseToCome>),
    /// `incoming-response`.
    IncomingResponse(Box<IncomingResponse>),
    /// `incoming-body`.
    IncomingBody(IncomingBody),
    /// `future-trailers`.
    Trailers(Trailers),
    /// `outgoing-response`.
    OutgoingResponse(OutgoingResponse),
}

/// A kind of thing, which is kept in a box where it is large.
pub(super) trait Kind: Sized {
    /// Wraps the thing.
    fn into_thing(self) -> Thing;
    /// Returns the thing, if it is of this kind.
    fn of(thing: &Thing) -> Option<&Self>;
    /// Returns the thing, if it is of this kind.
    fn of_mut(thing: &mut Thing) -> Option<&mut Self>;
    /// Returns the thing, if it is of this kind.
    fn take(thing: Thing) -> Option<Self>;
}

macro_rules! kind {
    ($case:ident of $type:ty: $wrap:expr, $inner:ident => $unwrapped:expr) => {
        impl Kind for $type {
            fn into_thing(self) -> Thing {
                Thing::$case($wrap(self))
            }
            fn of(thing: &Thing) -> Option<&Self> {
                if let Thing::$case(inner) = thing { Some(inner) } else { None }
            }
            fn of_mut(thing: &mut Thing) -> Option<&mut Self> {
                if let Thing::$case(inner) = thing { Some(inner) } else { None }
            }
            fn take(thing: Thing) -> Option<Self> {
                if let Thing::$case($inner) = thing { Some($unwrapped) } else { None }
            }
        }
    };
}

kind!(Fields of Fields: identity, inner => inner);
kind!(OutgoingRequest of OutgoingRequest: Box::new, inner => *inner);
kind!(Options of Options: identity, inner => inner);
kind!(OutgoingBody of OutgoingBody: identity, inner => inner);
kind!(ResponseToCome of ResponseToCome: Box::new, inner => *inner);
kind!(IncomingResponse of IncomingResponse: Box::new, inner => *inner);
kind!(IncomingBody of IncomingBody: identity, inner => inner);
kind!(Trailers of Trailers: identity, inner => inner);
kind!(OutgoingResponse of OutgoingResponse: identity, inner => inner);

impl Thing {
    /// Returns the bytes that the thing takes.
    fn weight(&self) -> u64 {
        match self {
            Self::Fields(fields) => fields.weight(),
            Self::OutgoingRequest(request) => request.weight(),
            Self::Options(_) => 0,
            Self::OutgoingBody(body) => body.weight(),
            Self::ResponseToCome(response) => response.weight(),
            Self::IncomingResponse(response) => response.weight(),
            Self::IncomingBody(body) => body.weight(),
            Self::Trailers(trailers) => trailers.weight(),
            Self::OutgoingResponse(response) => response.weight(),
        }
    }

    /// Returns the outgoing body that belongs to the thing.
    fn outgoing_body(&self) -> Option<u32> {
        match self {
            Self::OutgoingRequest(request) => request.body,
            Self::ResponseToCome(response) => response.body(),
            Self::OutgoingResponse(response) => response.body,
            _ => None,
        }
    }
}

impl State {
    /// Makes the state at the start of a run with this payload limit.
    pub fn new(payload_max: u64) -> Self {
        Self { held_max: payload_max.saturating_mul(PAYLOADS_MAX), ..Self::default() }
    }

    /// Keeps a new thing and returns its handle.
    ///
    /// # Errors
    /// [`Halt::Limit`] when the guest holds as many handles, or as many bytes, as its limits allow.
    pub(super) fn create<T: Kind>(&mut self, ordinals: &mut Ordinals, thing: T) -> Result<Resource<T>, Halt> {
        for _ in 0..std::mem::take(&mut self.consumed) {
            ordinals.release();
        }
        let thing = thing.into_thing();
        self.room_for(thing.weight())?;
        let ordinal = ordinals.create()?;
        self.put(ordinal, thing);
        Ok(Resource::new_own(ordinal))
    }

    /// Keeps a thing under a handle that is there. What it takes has been counted before, or bounded.
    pub(super) fn keep<T: Kind>(&mut self, ordinal: u32, thing: T) {
        self.put(ordinal, thing.into_thing());
    }

    fn put(&mut self, ordinal: u32, thing: Thing) {
        self.held += thing.weight();
        self.things.insert(ordinal, thing);
    }

    /// Checks that `more` bytes may be kept.
    ///
    /// # Errors
    /// [`Halt::Limit`] when the guest holds too much. The limit stops a guest from having its host keep for it what
    /// does not fit in its own memory.
    pub(super) fn room_for(&self, more: u64) -> Result<(), Halt> {
        let wanted = self.held.saturating_add(more);
        if wanted <= self.held_max {
            return Ok(());
        }
        Err(Crossed { limit: LimitKind::Payload, max: self.held_max, wanted }.into())
    }

    /// Returns how many more bytes may be kept.
    pub(super) fn room(&self) -> u64 {
        self.held_max.saturating_sub(self.held)
    }

    /// Returns the thing of a handle.
    ///
    /// # Errors
    /// [`Halt::Misuse`] never, for a handle that the engine has checked.
    pub(super) fn get<T: Kind>(&self, ordinal: u32) -> Result<&T, Halt> {
        self.things.get(&ordinal).and_then(T::of).ok_or_else(no_such_thing)
    }

    /// Returns the thing of a handle, to be changed such that it takes as much as before.
    ///
    /// # Errors
    /// As for [`State::get`].
    pub(super) fn get_mut<T: Kind>(&mut self, ordinal: u32) -> Result<&mut T, Halt> {
        self.things.get_mut(&ordinal).and_then(T::of_mut).ok_or_else(no_such_thing)
    }

    /// Changes a thing, and counts what it takes then.
    ///
    /// # Errors
    /// Those of `change`, and [`Halt::Limit`] when the guest holds too much then.
    pub(super) fn change<T: Kind, R>(
        &mut self,
        ordinal: u32,
        change: impl FnOnce(&mut T) -> Result<R, Halt>,
    ) -> Result<R, Halt> {
        let thing = self.things.get_mut(&ordinal).ok_or_else(no_such_thing)?;
        let before = thing.weight();
        let changed = change(T::of_mut(thing).ok_or_else(no_such_thing)?)?;
        self.held = self.held - before + thing.weight();
        self.room_for(0)?;
        Ok(changed)
    }

    /// Takes a thing whose handle the guest gives away.
    ///
    /// # Errors
    /// As for [`State::get`].
    pub(super) fn consume<T: Kind>(&mut self, ordinal: u32) -> Result<T, Halt> {
        self.consumed += 1;
        self.take(ordinal)
    }

    /// Takes a thing whose handle stays, or is gone already.
    pub(super) fn take<T: Kind>(&mut self, ordinal: u32) -> Result<T, Halt> {
        let thing = self.things.remove(&ordinal).ok_or_else(no_such_thing)?;
        self.held -= thing.weight();
        T::take(thing).ok_or_else(no_such_thing)
    }

    /// Finishes an outgoing body, whose handle the guest gives away.
    pub(super) fn finish<R>(&mut self, body: u32, finish: impl FnOnce(&mut OutgoingBody) -> R) -> Result<R, Halt> {
        let finished = finish(self.get_mut(body)?);
        self.consumed += 1;
        self.forget_orphan(body);
        Ok(finished)
    }

    /// Forgets what a dropped handle stood for.
    pub(in crate::capability) fn forget(&mut self, ordinal: u32) {
        if let Some(Thing::OutgoingBody(body)) = self.things.get_mut(&ordinal) {
            body.abandon();
            return self.forget_orphan(ordinal);
        }
        let Some(thing) = self.things.remove(&ordinal) else { return };
        self.held -= thing.weight();
        if let Some(body) = thing.outgoing_body() {
            self.disown(body);
        }
    }

    /// Takes note that the message of an outgoing body is gone, or is sent.
    pub(super) fn disown(&mut self, body: u32) {
        if let Some(Thing::OutgoingBody(body)) = self.things.get_mut(&body) {
            body.disown();
        }
        self.forget_orphan(body);
    }

    fn forget_orphan(&mut self, ordinal: u32) {
        if self.get::<OutgoingBody>(ordinal).is_ok_and(OutgoingBody::is_orphan) {
            // It is of this kind, so taking it does not fail.
            let _ = self.take::<OutgoingBody>(ordinal);
        }
    }
}

#[cold]
fn no_such_thing() -> Halt {
    Halt::Misuse("the handle is of another kind".into())
}
