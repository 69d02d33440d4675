//! `wasi:filesystem` over the file layer in `files`: what each call asks of the remit, its class, and its place.
//!
//! Reading is `read-local`. A change that can be done again (a write at an offset, a new size, times) is
//! `write-file`; one that cannot (create, link, rename, remove) is `write-file-once` and leaves an intent with what
//! was there before.

mod contents;
mod facts;
mod listing;
mod restore;
mod tree;

use wasmtime::component::Resource;

pub use wasmtime_wasi::p2::bindings::sync::filesystem::types::{DirectoryEntry, ErrorCode};

pub(super) use self::contents::spend;
pub use self::listing::{Listing, LostListing};
pub(super) use self::restore::wrote;
use crate::capability::files::Descriptor;
use crate::capability::link::{Call, Link, Params, Perform, Returns};
use crate::capability::{Caps, Derived, Object};
use crate::gate::{Ask, Asked, Class, Halt, Turn, Value};
use crate::scope::Access;

type Own = Resource<Descriptor>;
type Answer<T> = (Result<T, ErrorCode>,);

pub(super) fn link(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link.resource::<Descriptor>("wasi:filesystem/types#[drop]descriptor")?;
    link_preopens(link)?;
    contents::link(link)?;
    facts::link(link)?;
    listing::link(link)?;
    tree::link(link)
}

fn link_preopens(link: &mut Link<'_>) -> wasmtime::Result<()> {
    let call = Call::new(Class::ReadLocal, |turn, _, _: &()| {
        let mounts: Vec<_> = turn.caps.mounts.directories().map(|(root, path)| (root, path.to_owned())).collect();
        let mut opened = Vec::with_capacity(mounts.len());
        for (root, path) in mounts {
            opened.push((Own::new_own(hold(turn, root)?), path));
        }
        Ok((opened,))
    });
    link.sync(
        "wasi:filesystem/preopens#get-directories",
        call.restored(restore::roots).applied(|derived, (), (opened,): &(Vec<(Own, String)>,)| {
            for (mount, (handle, _)) in opened.iter().enumerate() {
                derived.objects.insert(handle.rep(), Object::Descriptor { mount });
            }
        }),
    )
}

/// Keeps an open file or folder under a new handle.
fn hold(turn: &mut Turn<'_, Caps>, descriptor: Descriptor) -> Result<u32, Halt> {
    let ordinal = turn.ordinals.create()?;
    turn.caps.open.insert(ordinal, descriptor);
    Ok(ordinal)
}

/// A call whose first param is a descriptor.
trait OnDescriptor {
    /// Returns the descriptor.
    fn descriptor(&self) -> &Own;
}

macro_rules! on_descriptor {
    ($($param:ident),*) => {
        impl<$($param),*> OnDescriptor for (Own, $($param,)*) {
            fn descriptor(&self) -> &Own {
                &self.0
            }
        }
    };
}

on_descriptor!();
on_descriptor!(A);
on_descriptor!(A, B);
on_descriptor!(A, B, C);
on_descriptor!(A, B, C, D);

fn at<'a>(turn: &'a Turn<'_, Caps>, handle: &Own) -> Result<&'a Descriptor, ErrorCode> {
    turn.caps.open.get(&handle.rep()).ok_or(ErrorCode::BadDescriptor)
}

fn asks<'a>(derived: &Derived, handle: &Own, access: Access, class: Class) -> Asked<'a> {
    let ask = derived.mount_of(handle.rep()).map_or(Ask::Nothing, |mount| Ask::Mount(mount, access));
    Asked { ask, class }
}

fn refused<P, T>(_: &P) -> Answer<T> {
    (Err(ErrorCode::NotPermitted),)
}

/// Links a call that looks and changes nothing.
fn reads<P, T>(link: &mut Link<'_>, name: &'static str, perform: Perform<P, Answer<T>>) -> wasmtime::Result<()>
where
    P: Params + OnDescriptor,
    T: Value,
    Answer<T>: Returns,
{
    link.sync(name, reading(Call::new(Class::ReadLocal, perform)))
}

/// Has a call ask to read what the descriptor is of.
fn reading<P: OnDescriptor, T>(call: Call<P, Answer<T>>) -> Call<P, Answer<T>> {
    call.governed(|derived, params| asks(derived, params.descriptor(), Access::Read, Class::ReadLocal), refused)
}

/// Returns a call that changes something under the descriptor's mount.
fn changes<P, T>(
    class: Class,
    judge: for<'a> fn(&'a Derived, &'a P) -> Asked<'a>,
    perform: Perform<P, Answer<T>>,
) -> Call<P, Answer<T>> {
    Call::new(class, perform).governed(judge, refused)
}

fn repeatable<'a, P: OnDescriptor>(derived: &'a Derived, params: &'a P) -> Asked<'a> {
    asks(derived, params.descriptor(), Access::ReadWrite, Class::WriteFile)
}

fn once<'a, P: OnDescriptor>(derived: &'a Derived, params: &'a P) -> Asked<'a> {
    asks(derived, params.descriptor(), Access::ReadWrite, Class::WriteFileOnce)
}
