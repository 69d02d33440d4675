//! Names: opening, creating, linking, moving and removing.

use serde::Deserialize as _;
use serde_json::{Value as Json, json};
use wasmtime_wasi::p2::bindings::sync::filesystem::types::{DescriptorFlags, OpenFlags, PathFlags};

use super::{Answer, ErrorCode, Own, asks, at, changes, hold, once, refused, restore};
use crate::capability::files::{self, Once};
use crate::capability::link::{Call, Link};
use crate::capability::{Caps, Derived, Object};
use crate::gate::{Ask, Asked, Class, Halt, Recovered, Turn};
use crate::scope::Access;

pub(super) fn link(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link_open(link)?;
    link_once(link)
}

/// The params of `open-at`: folder, how to follow links, path, how to open, what for.
pub(super) type Open = (Own, PathFlags, String, OpenFlags, DescriptorFlags);

fn link_open(link: &mut Link<'_>) -> wasmtime::Result<()> {
    let call = Call::new(Class::WriteFileOnce, |turn, _, (handle, follow, path, how, what): &Open| {
        match at(turn, handle).and_then(|folder| files::open_at(folder, *follow, path, *how, *what)) {
            Ok(opened) => {
                if let Ok(identity) = opened.identity() {
                    turn.note(json!(identity).to_string());
                }
                Ok((Ok(Own::new_own(hold(turn, opened)?)),))
            }
            Err(code) => Ok((Err(code),)),
        }
    });
    link.durable(
        "wasi:filesystem/types#[method]descriptor.open-at",
        call.governed(judge_open, refused)
            .foreseen(|caps, (handle, _, path, _, _)| look(caps, handle, |dir| Once::Create { dir, path }))
            .restored(restore::opened)
            .recovered(|turn, _, (handle, follow, path, how, what), before| {
                let done = standing(turn, handle, before, |dir| Once::Create { dir, path })?;
                if done != Recovered::Done(()) {
                    return Ok(done.with((Err(ErrorCode::Exist),)));
                }
                let how = *how & !OpenFlags::EXCLUSIVE;
                let opened = at(turn, handle).and_then(|folder| files::open_at(folder, *follow, path, how, *what));
                match opened {
                    Ok(opened) => Ok(Recovered::Done((Ok(Own::new_own(hold(turn, opened)?)),))),
                    Err(_) => Ok(Recovered::InDoubt),
                }
            })
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
fn look<'a>(caps: &'a Caps, handle: &Own, once: impl FnOnce(&'a files::Dir) -> Once<'a>) -> Option<Json> {
    let dir = caps.open.get(&handle.rep())?.dir().ok()?;
    serde_json::to_value(files::before(&once(dir))).ok()
}

/// Looks at both ends of a link or a rename.
fn look_both<'a>(
    caps: &'a Caps,
    old: &Own,
    new: &Own,
    once: impl FnOnce(&'a files::Dir, &'a files::Dir) -> Once<'a>,
) -> Option<Json> {
    let old = caps.open.get(&old.rep())?.dir().ok()?;
    look(caps, new, |new| once(old, new))
}

/// Judges whether a once-only operation was done that had found `before`.
fn standing<'a>(
    turn: &'a Turn<'_, Caps>,
    handle: &Own,
    before: &Json,
    once: impl FnOnce(&'a files::Dir) -> Once<'a>,
) -> Result<Recovered<()>, Halt> {
    let dir = turn.caps.open.get(&handle.rep()).and_then(|folder| folder.dir().ok());
    Ok(judged(dir.map(|dir| once(dir)), before))
}

fn standing_of_both<'a>(
    turn: &'a Turn<'_, Caps>,
    (old, new): (&Own, &Own),
    before: &Json,
    once: impl FnOnce(&'a files::Dir, &'a files::Dir) -> Once<'a>,
) -> Result<Recovered<()>, Halt> {
    let dir = |handle: &Own| turn.caps.open.get(&handle.rep()).and_then(|folder| folder.dir().ok());
    Ok(judged(dir(old).zip(dir(new)).map(|(old, new)| once(old, new)), before))
}

fn judged(once: Option<Once<'_>>, before: &Json) -> Recovered<()> {
    let (Some(once), Ok(before)) = (once, files::Before::deserialize(before)) else { return Recovered::InDoubt };
    match files::standing(&once, &before) {
        files::Standing::Done => Recovered::Done(()),
        files::Standing::NotDone => Recovered::NotDone,
        files::Standing::InDoubt => Recovered::InDoubt,
    }
}

fn link_once(link: &mut Link<'_>) -> wasmtime::Result<()> {
    let call = changes(Class::WriteFileOnce, once, |turn, _, (handle, path): &(Own, String)| {
        Ok((at(turn, handle).and_then(|folder| files::create_directory_at(folder, path)),))
    });
    let call = call
        .foreseen(|caps, (handle, path)| look(caps, handle, |dir| Once::CreateDirectory { dir, path }))
        .recovered(|turn, _, (handle, path), before| {
            Ok(standing(turn, handle, before, |dir| Once::CreateDirectory { dir, path })?.with((Ok(()),)))
        });
    link.durable("wasi:filesystem/types#[method]descriptor.create-directory-at", call)?;
    let call = changes(Class::WriteFileOnce, once, |turn, _, (handle, path): &(Own, String)| {
        Ok((at(turn, handle).and_then(|folder| files::remove_directory_at(folder, path)),))
    });
    let call = call
        .foreseen(|caps, (handle, path)| look(caps, handle, |dir| Once::RemoveDirectory { dir, path }))
        .restored(restore::removed)
        .recovered(|turn, _, (handle, path), before| {
            Ok(standing(turn, handle, before, |dir| Once::RemoveDirectory { dir, path })?.with((Ok(()),)))
        });
    link.durable("wasi:filesystem/types#[method]descriptor.remove-directory-at", call)?;
    let call = changes(Class::WriteFileOnce, once, |turn, _, (handle, path): &(Own, String)| {
        Ok((at(turn, handle).and_then(|folder| files::unlink_file_at(folder, path)),))
    });
    let call = call
        .foreseen(|caps, (handle, path)| look(caps, handle, |dir| Once::Unlink { dir, path }))
        .restored(restore::removed)
        .recovered(|turn, _, (handle, path), before| {
            Ok(standing(turn, handle, before, |dir| Once::Unlink { dir, path })?.with((Ok(()),)))
        });
    link.durable("wasi:filesystem/types#[method]descriptor.unlink-file-at", call)?;
    let call = changes(Class::WriteFileOnce, once, |turn, _, (handle, target, path): &(Own, String, String)| {
        Ok((at(turn, handle).and_then(|folder| files::symlink_at(folder, target, path)),))
    });
    let call = call
        .foreseen(|caps, (handle, target, path)| look(caps, handle, |dir| Once::Symlink { dir, target, path }))
        .recovered(|turn, _, (handle, target, path), before| {
            Ok(standing(turn, handle, before, |dir| Once::Symlink { dir, target, path })?.with((Ok(()),)))
        });
    link.durable("wasi:filesystem/types#[method]descriptor.symlink-at", call)?;
    link_moves(link)
}

/// The params of `link-at`: old folder, how to follow links, old path, new folder, new path.
type LinkAt = (Own, PathFlags, String, Own, String);
/// The params of `rename-at`: old folder, old path, new folder, new path.
pub(super) type RenameAt = (Own, String, Own, String);

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
    let call = call
        .foreseen(|caps, (old, _, old_path, new, new_path)| {
            look_both(caps, old, new, |old, new| Once::Link { old, old_path, new, new_path })
        })
        .recovered(|turn, _, (old, _, old_path, new, new_path), before| {
            let once = |old, new| Once::Link { old, old_path, new, new_path };
            Ok(standing_of_both(turn, (old, new), before, once)?.with((Ok(()),)))
        });
    link.durable("wasi:filesystem/types#[method]descriptor.link-at", call)?;
    let call = changes(
        Class::WriteFileOnce,
        |derived, (old, _, new, _)| both(derived, old, new),
        |turn, _, (old, old_path, new, new_path): &RenameAt| {
            Ok((at(turn, old).and_then(|from| files::rename_at(from, old_path, at(turn, new)?, new_path)),))
        },
    );
    let call = call
        .foreseen(|caps, (old, old_path, new, new_path)| {
            look_both(caps, old, new, |old, new| Once::Rename { old, old_path, new, new_path })
        })
        .restored(restore::renamed)
        .recovered(|turn, _, (old, old_path, new, new_path), before| {
            let once = |old, new| Once::Rename { old, old_path, new, new_path };
            Ok(standing_of_both(turn, (old, new), before, once)?.with((Ok(()),)))
        });
    link.durable("wasi:filesystem/types#[method]descriptor.rename-at", call)
}

/// A call that changes two folders asks for both.
fn both<'a>(derived: &Derived, old: &Own, new: &Own) -> Asked<'a> {
    let mounts = derived.mount_of(old.rep()).zip(derived.mount_of(new.rep()));
    let ask = mounts.map_or(Ask::Nothing, |(old, new)| Ask::Mounts([old, new], Access::ReadWrite));
    Asked { ask, class: Class::WriteFileOnce }
}
