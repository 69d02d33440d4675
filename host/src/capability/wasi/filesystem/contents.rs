//! What files hold: reading, writing, their streams, their size, and getting it all to the disk.

use wasmtime::component::Resource;
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream};

use super::{Answer, ErrorCode, Own, asks, at, changes, hold, reads, refused, repeatable, restore};
use crate::capability::files::{self, Descriptor};
use crate::capability::link::{Call, Link};
use crate::capability::{Caps, Derived, Input, Object, Output};
use crate::gate::{Class, Halt, Restore, Turn};
use crate::meter::LimitKind;
use crate::scope::Access;

/// What one `read` returns at most, whatever the guest asks for; as wasmtime.
const READ_MAX: usize = 64 << 10;

type In = Resource<DynInputStream>;
type Out = Resource<DynOutputStream>;

pub(super) fn link(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link_streams(link)?;
    link_contents(link)?;
    link_size(link)?;
    link_sync(link)
}

fn link_streams(link: &mut Link<'_>) -> wasmtime::Result<()> {
    let call = Call::new(Class::ReadLocal, |turn, _, (handle, _): &(Own, u64)| {
        let opened = at(turn, handle).and_then(|descriptor| descriptor.readable().map(|_| descriptor.clone()));
        Ok((stream(turn, opened)?.map(In::new_own),))
    });
    link.sync(
        "wasi:filesystem/types#[method]descriptor.read-via-stream",
        super::reading(call).restored(|again, _, (handle, _), (opened,)| hold_again(again, handle, opened)).applied(
            |derived, (_, offset), (opened,): &Answer<In>| {
                if let Ok(stream) = opened {
                    derived.objects.insert(stream.rep(), Object::Input(Input::File { offset: *offset }));
                }
            },
        ),
    )?;
    let call = Call::new(Class::ReadLocal, |turn, _, (handle, _): &(Own, u64)| Ok((write_stream(turn, handle)?,)));
    link.sync(
        "wasi:filesystem/types#[method]descriptor.write-via-stream",
        call.governed(|derived, params| asks(derived, &params.0, Access::ReadWrite, Class::ReadLocal), refused)
            .restored(|again, _, (handle, _), (opened,)| hold_again(again, handle, opened))
            .applied(|derived, (handle, offset), (opened,)| writes_at(derived, handle, opened, Some(*offset))),
    )?;
    let call = Call::new(Class::ReadLocal, |turn, _, (handle,): &(Own,)| {
        if let Ok(end) = at(turn, handle).and_then(|descriptor| files::end(descriptor.writable()?)) {
            turn.note(end.to_string());
        }
        Ok((write_stream(turn, handle)?,))
    });
    link.sync(
        "wasi:filesystem/types#[method]descriptor.append-via-stream",
        call.governed(|derived, params| asks(derived, &params.0, Access::ReadWrite, Class::ReadLocal), refused)
            .restored(|again, _, (handle,), (opened,)| {
                if let Ok(stream) = opened {
                    restore::appends(again, handle, stream.rep());
                }
            })
            .applied(|derived, (handle,), (opened,)| writes_at(derived, handle, opened, None)),
    )
}

fn hold_again<T: 'static>(again: &mut Restore<'_, Caps>, handle: &Own, opened: &Result<Resource<T>, ErrorCode>) {
    if let Ok(stream) = opened {
        restore::shared(again, handle, stream.rep());
    }
}

fn write_stream(turn: &mut Turn<'_, Caps>, handle: &Own) -> Result<Result<Out, ErrorCode>, Halt> {
    let opened = at(turn, handle).and_then(|descriptor| descriptor.writable().map(|_| descriptor.clone()));
    Ok(stream(turn, opened)?.map(Out::new_own))
}

fn stream(turn: &mut Turn<'_, Caps>, opened: Result<Descriptor, ErrorCode>) -> Result<Result<u32, ErrorCode>, Halt> {
    opened.map_or_else(|code| Ok(Err(code)), |descriptor| hold(turn, descriptor).map(Ok))
}

fn writes_at(derived: &mut Derived, handle: &Own, opened: &Result<Out, ErrorCode>, offset: Option<u64>) {
    if let (Ok(stream), Some(mount)) = (opened, derived.mount_of(handle.rep())) {
        derived.objects.insert(stream.rep(), Object::Output(Output::File { mount, offset }));
    }
}

fn link_contents(link: &mut Link<'_>) -> wasmtime::Result<()> {
    reads(
        link,
        "wasi:filesystem/types#[method]descriptor.read",
        |turn, _, (handle, len, offset): &(Own, u64, u64)| {
            let read = at(turn, handle).and_then(|descriptor| files::read(descriptor, *len, *offset, READ_MAX));
            turn.usage.file_bytes_read += read.as_ref().map_or(0, |(bytes, _)| bytes.len() as u64);
            Ok((read,))
        },
    )?;
    let call = changes(Class::WriteFile, repeatable, |turn, derived, (handle, bytes, offset): &(Own, Vec<u8>, u64)| {
        let mount = derived.mount_of(handle.rep());
        if let Err(code) = spend(turn, mount, bytes.len() as u64)? {
            return Ok((Err(code),));
        }
        turn.caps.changed.insert(handle.rep());
        Ok((at(turn, handle).and_then(|descriptor| files::write(descriptor, bytes, *offset)),))
    });
    let call = call.restored(|again, derived, (handle, bytes, _), (done,)| {
        if done.is_ok() {
            restore::wrote(again, handle.rep(), derived.mount_of(handle.rep()), bytes.len() as u64);
        }
    });
    link.durable("wasi:filesystem/types#[method]descriptor.write", call)
}

/// Counts bytes that a call is about to write against the mount's quota and the run's limit.
///
/// # Errors
/// [`Halt::Limit`] when the run has written more than it may; the inner error when the mount's quota is used up.
pub(in crate::capability::wasi) fn spend(
    turn: &mut Turn<'_, Caps>,
    mount: Option<usize>,
    bytes: u64,
) -> Result<Result<(), ErrorCode>, Halt> {
    let written = turn.usage.file_bytes_written.saturating_add(bytes);
    turn.limits.check(LimitKind::FileWrites, written)?;
    if let Some(quota) = mount.and_then(|mount| turn.caps.quotas.get_mut(mount)) {
        match quota.map(|left| left.checked_sub(bytes)) {
            None => {}
            Some(None) => return Ok(Err(ErrorCode::Quota)),
            Some(left) => *quota = left,
        }
    }
    turn.usage.file_bytes_written = written;
    Ok(Ok(()))
}

fn link_size(link: &mut Link<'_>) -> wasmtime::Result<()> {
    let call = changes(Class::WriteFile, repeatable, |turn, derived, (handle, size): &(Own, u64)| {
        let grown = at(turn, handle).and_then(|descriptor| files::growth(descriptor.writable()?, *size));
        let spent = match grown {
            Ok(grown) => spend(turn, derived.mount_of(handle.rep()), grown)?,
            Err(code) => Err(code),
        };
        if let Err(code) = spent {
            return Ok((Err(code),));
        }
        turn.caps.changed.insert(handle.rep());
        Ok((at(turn, handle).and_then(|descriptor| files::set_size(descriptor, *size)).map(drop),))
    });
    let call = call.restored(|again, derived, (handle, _), (done,)| {
        if done.is_ok() {
            restore::wrote(again, handle.rep(), derived.mount_of(handle.rep()), 0);
        }
    });
    link.durable("wasi:filesystem/types#[method]descriptor.set-size", call)
}

/// Syncing changes nothing that a guest sees, in a read-only mount neither.
fn link_sync(link: &mut Link<'_>) -> wasmtime::Result<()> {
    reads(link, "wasi:filesystem/types#[method]descriptor.sync", |turn, _, (handle,): &(Own,)| {
        Ok((at(turn, handle).and_then(files::sync),))
    })?;
    reads(link, "wasi:filesystem/types#[method]descriptor.sync-data", |turn, _, (handle,): &(Own,)| {
        Ok((at(turn, handle).and_then(files::sync_data),))
    })
}
