//! `wasi:filesystem` over the file layer in `files`: what each call asks of the remit, its class, and its place.
//!
//! Reading is `read-local`. A change that can be done again (a write at an offset, a new size, times) is
//! `write-file`; one that cannot (create, link, rename, remove) is `write-file-once` and leaves an intent with what
//! was there before.

use std::time::SystemTime;

use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::sync::filesystem::types::{
    Advice, DescriptorFlags, DescriptorStat, DescriptorType, MetadataHashValue, NewTimestamp, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::bindings::sync::io::streams::Error as IoError;
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream};

pub use wasmtime_wasi::p2::bindings::sync::filesystem::types::{DirectoryEntry, ErrorCode};

use crate::capability::files::{self, Descriptor, Once};
use crate::capability::link::{Call, Link, Params, Perform, Returns};
use crate::capability::{Caps, Derived, Input, Object, Output};
use crate::gate::{Ask, Asked, Class, Halt, Turn, Value};
use crate::scope::Access;

/// What one `read` returns at most, whatever the guest asks for; as wasmtime.
const READ_MAX: usize = 64 << 10;

/// The most entries of one folder that a listing holds. It bounds the host's memory for a guest's `read-directory`.
const ENTRIES_MAX: usize = 100_000;

/// Stands for a listing being read.
pub enum Listing {}

type Own = Resource<Descriptor>;
type Entries = Resource<Listing>;
type In = Resource<DynInputStream>;
type Out = Resource<DynOutputStream>;
type Answer<T> = (Result<T, ErrorCode>,);

pub(super) fn link(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link.resource::<Descriptor>("wasi:filesystem/types#[drop]descriptor")?;
    link.resource::<Listing>("wasi:filesystem/types#[drop]directory-entry-stream")?;
    link_preopens(link)?;
    link_streams(link)?;
    link_contents(link)?;
    link_looks(link)?;
    link_listing(link)?;
    link_open(link)?;
    link_repeatable(link)?;
    link_once(link)
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
        call.applied(|derived, (), (opened,): &(Vec<(Own, String)>,)| {
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
    let call = Call::new(Class::ReadLocal, perform);
    link.sync(
        name,
        call.governed(|derived, params| asks(derived, params.descriptor(), Access::Read, Class::ReadLocal), refused),
    )
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

fn link_streams(link: &mut Link<'_>) -> wasmtime::Result<()> {
    let call = Call::new(Class::ReadLocal, |turn, _, (handle, _): &(Own, u64)| {
        let opened = at(turn, handle).and_then(|descriptor| descriptor.readable().map(|_| descriptor.clone()));
        Ok((stream(turn, opened)?.map(In::new_own),))
    });
    link.sync(
        "wasi:filesystem/types#[method]descriptor.read-via-stream",
        call.governed(|derived, params| asks(derived, &params.0, Access::Read, Class::ReadLocal), refused).applied(
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
            .applied(|derived, (handle, offset), (opened,)| writes_at(derived, handle, opened, Some(*offset))),
    )?;
    let call = Call::new(Class::ReadLocal, |turn, _, (handle,): &(Own,)| Ok((write_stream(turn, handle)?,)));
    link.sync(
        "wasi:filesystem/types#[method]descriptor.append-via-stream",
        call.governed(|derived, params| asks(derived, &params.0, Access::ReadWrite, Class::ReadLocal), refused)
            .applied(|derived, (handle,), (opened,)| writes_at(derived, handle, opened, None)),
    )
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
    link.durable("wasi:filesystem/types#[method]descriptor.write", call)
}

/// Counts bytes that a call is about to write against the mount's quota and the run's limit.
///
/// # Errors
/// [`Halt::Limit`] when the run has written more than it may; the inner error when the mount's quota is used up.
pub(super) fn spend(
    turn: &mut Turn<'_, Caps>,
    mount: Option<usize>,
    bytes: u64,
) -> Result<Result<(), ErrorCode>, Halt> {
    let written = turn.usage.file_bytes_written.saturating_add(bytes);
    turn.limits.check(crate::meter::LimitKind::FileWrites, written)?;
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

fn link_looks(link: &mut Link<'_>) -> wasmtime::Result<()> {
    reads(
        link,
        "wasi:filesystem/types#[method]descriptor.advise",
        |turn, _, (handle, offset, len, advice): &(Own, u64, u64, Advice)| {
            Ok((at(turn, handle).and_then(|descriptor| files::advise(descriptor, *offset, *len, *advice)),))
        },
    )?;
    reads(link, "wasi:filesystem/types#[method]descriptor.get-flags", |turn, _, (handle,): &(Own,)| {
        Ok((at(turn, handle).map(Descriptor::get_flags),)) as Result<Answer<DescriptorFlags>, Halt>
    })?;
    reads(link, "wasi:filesystem/types#[method]descriptor.get-type", |turn, _, (handle,): &(Own,)| {
        Ok((at(turn, handle).map(Descriptor::get_type),)) as Result<Answer<DescriptorType>, Halt>
    })?;
    reads(link, "wasi:filesystem/types#[method]descriptor.stat", |turn, _, (handle,): &(Own,)| {
        Ok((at(turn, handle).and_then(files::stat),)) as Result<Answer<DescriptorStat>, Halt>
    })?;
    reads(
        link,
        "wasi:filesystem/types#[method]descriptor.stat-at",
        |turn, _, (handle, flags, path): &(Own, PathFlags, String)| {
            Ok((at(turn, handle).and_then(|descriptor| files::stat_at(descriptor, *flags, path)),))
        },
    )?;
    reads(link, "wasi:filesystem/types#[method]descriptor.readlink-at", |turn, _, (handle, path): &(Own, String)| {
        Ok((at(turn, handle).and_then(|descriptor| files::readlink_at(descriptor, path)),))
    })?;
    reads(link, "wasi:filesystem/types#[method]descriptor.metadata-hash", |turn, _, (handle,): &(Own,)| {
        Ok((at(turn, handle).and_then(files::metadata_hash),)) as Result<Answer<MetadataHashValue>, Halt>
    })?;
    reads(
        link,
        "wasi:filesystem/types#[method]descriptor.metadata-hash-at",
        |turn, _, (handle, flags, path): &(Own, PathFlags, String)| {
            Ok((at(turn, handle).and_then(|descriptor| files::metadata_hash_at(descriptor, *flags, path)),))
        },
    )?;
    link.sync(
        "wasi:filesystem/types#[method]descriptor.is-same-object",
        Call::new(Class::ReadLocal, |turn, _, (one, other): &(Own, Own)| {
            let same = at(turn, one).and_then(|one| one.is_same_object(at(turn, other)?));
            Ok((same.unwrap_or(false),))
        }),
    )?;
    link.sync(
        "wasi:filesystem/types#filesystem-error-code",
        Call::new(Class::ReadLocal, |turn, _, (error,): &(Resource<IoError>,)| {
            Ok((turn.caps.errors.get(&error.rep()).map(|failure| failure.code),))
        }),
    )
}

fn link_listing(link: &mut Link<'_>) -> wasmtime::Result<()> {
    reads(link, "wasi:filesystem/types#[method]descriptor.read-directory", |turn, _, (handle,): &(Own,)| {
        let listed = match at(turn, handle).and_then(|descriptor| files::read_directory(descriptor, ENTRIES_MAX)) {
            Ok(listed) => listed,
            Err(code) => return Ok((Err(code),)),
        };
        let ordinal = turn.ordinals.create()?;
        turn.caps.listings.insert(ordinal, listed.into_iter());
        Ok((Ok(Entries::new_own(ordinal)),))
    })?;
    link.sync(
        "wasi:filesystem/types#[method]directory-entry-stream.read-directory-entry",
        Call::new(Class::ReadLocal, |turn, _, (listing,): &(Entries,)| {
            let next = turn.caps.listings.get_mut(&listing.rep()).and_then(Iterator::next);
            Ok((next.transpose(),))
        }),
    )
}

/// The params of `open-at`: folder, how to follow links, path, how to open, what for.
type Open = (Own, PathFlags, String, OpenFlags, DescriptorFlags);

fn link_open(link: &mut Link<'_>) -> wasmtime::Result<()> {
    let call = Call::new(Class::WriteFileOnce, |turn, _, (handle, follow, path, how, what): &Open| {
        match at(turn, handle).and_then(|folder| files::open_at(folder, *follow, path, *how, *what)) {
            Ok(opened) => Ok((Ok(Own::new_own(hold(turn, opened)?)),)),
            Err(code) => Ok((Err(code),)),
        }
    });
    link.durable(
        "wasi:filesystem/types#[method]descriptor.open-at",
        call.governed(judge_open, refused)
            .foreseen(|caps, (handle, _, path, _, _)| look(caps, handle, |dir| Once::Create { dir, path }))
            .applied(|derived, (handle, ..), (opened,): &Answer<Own>| {
                if let (Ok(opened), Some(mount)) = (opened, derived.mount_of(handle.rep())) {
                    derived.objects.insert(opened.rep(), Object::Descriptor { mount });
                }
            }),
    )
}

/// Opening to read is a look; creating or truncating is a change that can be repeated; creating what must not be
/// there yet is not.
fn judge_open<'a>(derived: &'a Derived, (handle, _, _, how, what): &'a Open) -> Asked<'a> {
    let class = if how.contains(OpenFlags::CREATE) && how.contains(OpenFlags::EXCLUSIVE) {
        Class::WriteFileOnce
    } else if how.contains(OpenFlags::CREATE) || how.contains(OpenFlags::TRUNCATE) {
        Class::WriteFile
    } else {
        Class::ReadLocal
    };
    let access = match class == Class::ReadLocal && !what.contains(DescriptorFlags::WRITE) {
        true => Access::Read,
        false => Access::ReadWrite,
    };
    asks(derived, handle, access, class)
}

/// Looks at what a once-only operation is about to change, for its intent.
fn look<'a>(caps: &'a Caps, handle: &Own, once: impl FnOnce(&'a files::Dir) -> Once<'a>) -> Option<serde_json::Value> {
    let dir = caps.open.get(&handle.rep())?.dir().ok()?;
    serde_json::to_value(files::before(&once(dir))).ok()
}

/// Looks at both ends of a link or a rename.
fn look_both<'a>(
    caps: &'a Caps,
    old: &Own,
    new: &Own,
    once: impl FnOnce(&'a files::Dir, &'a files::Dir) -> Once<'a>,
) -> Option<serde_json::Value> {
    let old = caps.open.get(&old.rep())?.dir().ok()?;
    look(caps, new, |new| once(old, new))
}

fn now(turn: &Turn<'_, Caps>) -> SystemTime {
    SystemTime::UNIX_EPOCH + turn.clock.wall()
}

fn link_repeatable(link: &mut Link<'_>) -> wasmtime::Result<()> {
    let call = changes(Class::WriteFile, repeatable, |turn, derived, (handle, size): &(Own, u64)| {
        let grown = at(turn, handle).and_then(|descriptor| files::growth(descriptor.writable()?, *size));
        if let Ok(grown) = grown
            && let Err(code) = spend(turn, derived.mount_of(handle.rep()), grown)?
        {
            return Ok((Err(code),));
        }
        turn.caps.changed.insert(handle.rep());
        Ok((at(turn, handle).and_then(|descriptor| files::set_size(descriptor, *size)).map(drop),))
    });
    link.durable("wasi:filesystem/types#[method]descriptor.set-size", call)?;
    let call = changes(
        Class::WriteFile,
        repeatable,
        |turn, _, (handle, accessed, modified): &(Own, NewTimestamp, NewTimestamp)| {
            Ok((at(turn, handle).and_then(|descriptor| files::set_times(descriptor, *accessed, *modified, now(turn))),))
        },
    );
    link.durable("wasi:filesystem/types#[method]descriptor.set-times", call)?;
    let call = changes(
        Class::WriteFile,
        repeatable,
        |turn, _, (handle, follow, path, accessed, modified): &(Own, PathFlags, String, NewTimestamp, NewTimestamp)| {
            let folder = at(turn, handle);
            Ok((folder.and_then(|folder| files::set_times_at(folder, *follow, path, *accessed, *modified, now(turn))),))
        },
    );
    link.durable("wasi:filesystem/types#[method]descriptor.set-times-at", call)?;
    link_sync(link)
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

fn link_once(link: &mut Link<'_>) -> wasmtime::Result<()> {
    let call = changes(Class::WriteFileOnce, once, |turn, _, (handle, path): &(Own, String)| {
        Ok((at(turn, handle).and_then(|folder| files::create_directory_at(folder, path)),))
    });
    let call = call.foreseen(|caps, (handle, path)| look(caps, handle, |dir| Once::CreateDirectory { dir, path }));
    link.durable("wasi:filesystem/types#[method]descriptor.create-directory-at", call)?;
    let call = changes(Class::WriteFileOnce, once, |turn, _, (handle, path): &(Own, String)| {
        Ok((at(turn, handle).and_then(|folder| files::remove_directory_at(folder, path)),))
    });
    let call = call.foreseen(|caps, (handle, path)| look(caps, handle, |dir| Once::RemoveDirectory { dir, path }));
    link.durable("wasi:filesystem/types#[method]descriptor.remove-directory-at", call)?;
    let call = changes(Class::WriteFileOnce, once, |turn, _, (handle, path): &(Own, String)| {
        Ok((at(turn, handle).and_then(|folder| files::unlink_file_at(folder, path)),))
    });
    let call = call.foreseen(|caps, (handle, path)| look(caps, handle, |dir| Once::Unlink { dir, path }));
    link.durable("wasi:filesystem/types#[method]descriptor.unlink-file-at", call)?;
    let call = changes(Class::WriteFileOnce, once, |turn, _, (handle, target, path): &(Own, String, String)| {
        Ok((at(turn, handle).and_then(|folder| files::symlink_at(folder, target, path)),))
    });
    let call =
        call.foreseen(|caps, (handle, target, path)| look(caps, handle, |dir| Once::Symlink { dir, target, path }));
    link.durable("wasi:filesystem/types#[method]descriptor.symlink-at", call)?;
    link_moves(link)
}

/// The params of `link-at`: old folder, how to follow links, old path, new folder, new path.
type LinkAt = (Own, PathFlags, String, Own, String);
/// The params of `rename-at`: old folder, old path, new folder, new path.
type RenameAt = (Own, String, Own, String);

fn link_moves(link: &mut Link<'_>) -> wasmtime::Result<()> {
    let call = changes(
        Class::WriteFileOnce,
        |derived, (old, _, _, new, _)| both(derived, old, new),
        |turn, _, (old, follow, old_path, new, new_path): &LinkAt| {
            let linked =
                at(turn, old).and_then(|from| files::link_at(from, *follow, old_path, at(turn, new)?, new_path));
            Ok((linked,))
        },
    );
    let call = call.foreseen(|caps, (old, _, old_path, new, new_path)| {
        look_both(caps, old, new, |old, new| Once::Link { old, old_path, new, new_path })
    });
    link.durable("wasi:filesystem/types#[method]descriptor.link-at", call)?;
    let call = changes(
        Class::WriteFileOnce,
        |derived, (old, _, new, _)| both(derived, old, new),
        |turn, _, (old, old_path, new, new_path): &RenameAt| {
            Ok((at(turn, old).and_then(|from| files::rename_at(from, old_path, at(turn, new)?, new_path)),))
        },
    );
    let call = call.foreseen(|caps, (old, old_path, new, new_path)| {
        look_both(caps, old, new, |old, new| Once::Rename { old, old_path, new, new_path })
    });
    link.durable("wasi:filesystem/types#[method]descriptor.rename-at", call)
}

/// A call that changes two folders asks for both.
fn both<'a>(derived: &Derived, old: &Own, new: &Own) -> Asked<'a> {
    let mounts = derived.mount_of(old.rep()).zip(derived.mount_of(new.rep()));
    let ask = mounts.map_or(Ask::Nothing, |(old, new)| Ask::Mounts([old, new], Access::ReadWrite));
    Asked { ask, class: Class::WriteFileOnce }
}
