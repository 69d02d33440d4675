//! Bodies: `outgoing-body`, which gathers what the guest writes; `incoming-body`, read from what is recorded; and the
//! trailers after it. All of it is computed on both sides.

use wasmtime::component::Resource;
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, DynPollable};

use super::fields::{self, Fields};
use super::types::ErrorCode;
use crate::capability::link::Link;
use crate::capability::wasi::io;
use crate::capability::{Derived, Input, Object, Output};
use crate::gate::{Halt, Ordinals};

pub(super) type Outgoing = Resource<OutgoingBody>;
pub(super) type Incoming = Resource<IncomingBody>;
pub(super) type TrailersHandle = Resource<Trailers>;

/// A body while the guest writes it, and until its message is sent.
#[derive(Debug)]
pub struct OutgoingBody {
    bytes: Vec<u8>,
    /// How many bytes the guest wrote, those included that were too many.
    written: u64,
    /// The length that the headers declare.
    declared: Option<u64>,
    has_stream: bool,
    stage: Stage,
    /// Whether its message was sent without it, or is gone.
    is_disowned: bool,
}

/// How far a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The guest may write to it.
    Open,
    /// It is whole.
    Finished,
    /// The guest let it go before it was whole.
    Abandoned,
}

impl OutgoingBody {
    /// Makes an empty body that is to have the declared length.
    pub(super) fn new(declared: Option<u64>) -> Self {
        let (bytes, stage) = (Vec::new(), Stage::Open);
        Self { bytes, written: 0, declared, has_stream: false, stage, is_disowned: false }
    }

    /// Returns how far it is.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// Returns what was written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    pub(super) fn weight(&self) -> u64 {
        self.bytes.len() as u64
    }

    pub(super) fn abandon(&mut self) {
        self.stage = Stage::Abandoned;
    }

    pub(super) fn disown(&mut self) {
        self.is_disowned = true;
    }

    /// Whether nobody can come back to it.
    pub(super) fn is_orphan(&self) -> bool {
        self.is_disowned && self.stage != Stage::Open
    }

    /// Says whether `more` bytes may be written: nothing when they may, else what the guest hears.
    fn refusal(&self, more: u64) -> Option<Refusal> {
        let written = self.written.saturating_add(more);
        match self.declared {
            _ if self.is_disowned => Some(Refusal::Closed),
            Some(declared) if written > declared => {
                Some(Refusal::Failed(ErrorCode::HttpRequestBodySize(Some(written))))
            }
            _ => None,
        }
    }

    fn finish(&mut self, trailers: Option<&Fields>) -> Result<(), ErrorCode> {
        self.stage = Stage::Abandoned;
        if self.declared.is_some_and(|declared| declared != self.written) {
            return Err(ErrorCode::HttpRequestBodySize(Some(self.written)));
        }
        if trailers.is_some_and(|trailers| !trailers.all().is_empty()) {
            return Err(ErrorCode::InternalError(Some("this host sends no trailers".into())));
        }
        self.stage = Stage::Finished;
        Ok(())
    }
}

/// Why a body takes no bytes.
pub(in crate::capability::wasi) enum Refusal {
    /// Nobody will send it.
    Closed,
    /// The bytes do not belong there.
    Failed(ErrorCode),
}

/// Checks that bytes may be written to a body: its own rules, and how much a guest's messages may take.
///
/// # Errors
/// [`Halt::Limit`] when they take too much.
pub(in crate::capability::wasi) fn check_write(
    derived: &Derived,
    body: u32,
    more: u64,
) -> Result<Option<Refusal>, Halt> {
    derived.http.room_for(more)?;
    Ok(derived.http.get::<OutgoingBody>(body)?.refusal(more))
}

/// Appends what the guest wrote, which was checked before; bytes that were refused are counted and not kept.
pub(in crate::capability::wasi) fn wrote(derived: &mut Derived, body: u32, bytes: &[u8], is_accepted: bool) {
    // The check came first, live as well as when the call was recorded; what there is to fail has failed there.
    let _ = derived.http.change(body, |body: &mut OutgoingBody| {
        body.written = body.written.saturating_add(bytes.len() as u64);
        if is_accepted {
            body.bytes.extend_from_slice(bytes);
        }
        Ok(())
    });
}

/// A body that came from outside.
#[derive(Debug)]
pub struct IncomingBody {
    bytes: Vec<u8>,
    read: usize,
    has_stream: bool,
    trailers: Fields,
}

impl IncomingBody {
    /// Wraps what is recorded.
    pub(super) fn new(bytes: Vec<u8>, trailers: Fields) -> Self {
        Self { bytes, read: 0, has_stream: false, trailers }
    }

    pub(super) fn weight(&self) -> u64 {
        self.bytes.len() as u64 + self.trailers.weight()
    }
}

/// Reads at most `len` bytes of a body that came from outside, and moves on. Nothing at its end.
pub(in crate::capability::wasi) fn read(derived: &mut Derived, body: u32, len: u64) -> Result<Option<Vec<u8>>, Halt> {
    let body = derived.http.get_mut::<IncomingBody>(body)?;
    let rest = body.bytes.get(body.read..).unwrap_or_default();
    if rest.is_empty() {
        return Ok(None);
    }
    let part = rest[..rest.len().min(usize::try_from(len).unwrap_or(usize::MAX))].to_vec();
    body.read += part.len();
    Ok(Some(part))
}

/// Returns what a read of at most `len` bytes would give.
pub(in crate::capability::wasi) fn peek(derived: &Derived, body: u32, len: u64) -> Result<&[u8], Halt> {
    let body = derived.http.get::<IncomingBody>(body)?;
    let rest = body.bytes.get(body.read..).unwrap_or_default();
    Ok(&rest[..rest.len().min(usize::try_from(len).unwrap_or(usize::MAX))])
}

/// The fields after a body that came from outside.
#[derive(Debug)]
pub struct Trailers(Option<Fields>);

impl Trailers {
    pub(super) fn weight(&self) -> u64 {
        self.0.as_ref().map_or(0, Fields::weight)
    }
}

pub(super) fn link(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link.resource::<OutgoingBody>("wasi:http/types#[drop]outgoing-body")?;
    link.resource::<IncomingBody>("wasi:http/types#[drop]incoming-body")?;
    link.resource::<Trailers>("wasi:http/types#[drop]future-trailers")?;
    link_outgoing(link)?;
    link_incoming(link)?;
    link_trailers(link)
}

fn link_outgoing(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link.pure(
        "wasi:http/types#[method]outgoing-body.write",
        |derived, ordinals, (body,): &(Outgoing,)| -> Result<(Result<Resource<DynOutputStream>, ()>,), Halt> {
            let (of, outgoing) = (body.rep(), derived.http.get_mut::<OutgoingBody>(body.rep())?);
            if std::mem::replace(&mut outgoing.has_stream, true) {
                return Ok((Err(()),));
            }
            let stream = child(derived, ordinals, of, Object::Output(Output::Body { of }))?;
            Ok((Ok(Resource::new_own(stream)),))
        },
    )?;
    link.pure(
        "wasi:http/types#[static]outgoing-body.finish",
        |derived, _, (body, trailers): &(Outgoing, Option<fields::Handle>)| {
            let trailers = trailers.as_ref().map(|trailers| derived.http.consume::<Fields>(trailers.rep()));
            let trailers = trailers.transpose()?;
            derived.check_childless(body.rep())?;
            Ok((derived.http.finish(body.rep(), |body| body.finish(trailers.as_ref()))?,))
        },
    )
}

/// Makes a stream of a body.
fn child(derived: &mut Derived, ordinals: &mut Ordinals, of: u32, stream: Object) -> Result<u32, Halt> {
    let ordinal = ordinals.create()?;
    derived.adopt(of, ordinal, stream);
    Ok(ordinal)
}

fn link_incoming(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link.pure(
        "wasi:http/types#[method]incoming-body.stream",
        |derived, ordinals, (body,): &(Incoming,)| -> Result<(Result<Resource<DynInputStream>, ()>,), Halt> {
            let (of, incoming) = (body.rep(), derived.http.get_mut::<IncomingBody>(body.rep())?);
            if std::mem::replace(&mut incoming.has_stream, true) {
                return Ok((Err(()),));
            }
            let stream = child(derived, ordinals, of, Object::Input(Input::Body { of }))?;
            derived.http.inputs += 1;
            Ok((Ok(Resource::new_own(stream)),))
        },
    )?;
    link.pure("wasi:http/types#[static]incoming-body.finish", |derived, ordinals, (body,): &(Incoming,)| {
        derived.check_childless(body.rep())?;
        let trailers = derived.http.consume::<IncomingBody>(body.rep())?.trailers;
        Ok((derived.http.create(ordinals, Trailers(Some(trailers)))?,))
    })
}

type GotTrailers = (Option<Result<Result<Option<fields::Handle>, ErrorCode>, ()>>,);

fn link_trailers(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link.pure(
        "wasi:http/types#[method]future-trailers.subscribe",
        |derived, ordinals, (trailers,): &(TrailersHandle,)| -> Result<(Resource<DynPollable>,), Halt> {
            io::subscribe(derived, ordinals, trailers.rep())
        },
    )?;
    link.pure(
        "wasi:http/types#[method]future-trailers.get",
        |derived, ordinals, (trailers,): &(TrailersHandle,)| -> Result<GotTrailers, Halt> {
            let taken = derived.http.change(trailers.rep(), |trailers: &mut Trailers| Ok(trailers.0.take()))?;
            let Some(fields) = taken else { return Ok((Some(Err(())),)) };
            if fields.all().is_empty() {
                return Ok((Some(Ok(Ok(None))),));
            }
            Ok((Some(Ok(Ok(Some(derived.http.create(ordinals, fields)?)))),))
        },
    )
}
