//! What recorded calls did to open files, for a run that is resumed.

use wasmtime_wasi::p2::bindings::sync::filesystem::types::{DescriptorFlags, OpenFlags, PathFlags};

use super::tree::{Open, RenameAt};
use super::{Answer, Own};
use crate::capability::files::{self, Lost};
use crate::capability::{Caps, Derived};
use crate::gate::Restore;

type Again<'a, 'b> = &'a mut Restore<'b, Caps>;

/// Returns the place of an open folder: its mount, and its path from there.
fn place(caps: &Caps, derived: &Derived, handle: &Own) -> Option<(usize, String)> {
    let mount = derived.mount_of(handle.rep())?;
    // What is open already is a mount's root, or the run is live and is told what another did.
    let lost = caps.lost.get(&handle.rep()).map(|lost| lost.path.clone());
    let open = || caps.open.get(&handle.rep()).map(|open| open.place().path().to_owned());
    let path = lost.or_else(open).unwrap_or_default();
    Some((mount, path))
}

fn at(caps: &Caps, derived: &Derived, handle: &Own, path: &str) -> Option<(usize, String)> {
    let (mount, folder) = place(caps, derived, handle)?;
    Some((mount, files::path_below(&folder, path)))
}

pub(super) fn roots(again: Again<'_, '_>, _: &Derived, (): &(), (opened,): &(Vec<(Own, String)>,)) {
    let roots: Vec<_> = again.caps.mounts.directories().map(|(root, _)| root).collect();
    for ((handle, _), root) in opened.iter().zip(roots) {
        again.caps.open.insert(handle.rep(), root);
    }
}

pub(super) fn opened(again: Again<'_, '_>, derived: &Derived, params: &Open, (opened,): &Answer<Own>) {
    let (handle, follow, path, how, flags) = params;
    let (Ok(opened), Some((mount, path))) = (opened, at(again.caps, derived, handle, path)) else { return };
    // Creating and truncating opens for writing, whatever was asked for.
    let writes = how.contains(OpenFlags::CREATE) || how.contains(OpenFlags::TRUNCATE);
    let flags = if writes { *flags | DescriptorFlags::WRITE } else { *flags };
    let identity = again.note.and_then(|note| serde_json::from_str(note).ok());
    let lost = Lost { mount, path, follow: *follow, flags, identity, is_removed: false };
    again.caps.lost.insert(opened.rep(), lost);
}

/// A stream holds the file that it was made of.
pub(super) fn shared(again: Again<'_, '_>, handle: &Own, stream: u32) {
    if let Some(lost) = again.caps.lost.get(&handle.rep()).cloned() {
        again.caps.lost.insert(stream, lost);
    } else if let Some(open) = again.caps.open.get(&handle.rep()).cloned() {
        again.caps.open.insert(stream, open);
    }
}

/// A stream that appends does so at the end that it found.
pub(super) fn appends(again: Again<'_, '_>, handle: &Own, stream: u32) {
    shared(again, handle, stream);
    if let Some(lost) = again.caps.lost.get_mut(&stream) {
        // What was appended and not recorded is looked for.
        lost.flags |= DescriptorFlags::READ;
    }
    if let Some(end) = again.note.and_then(|note| note.parse().ok()) {
        again.caps.appending.insert(stream, end);
    }
}

/// Takes note of bytes written to a file.
pub(in crate::capability::wasi) fn wrote(again: Again<'_, '_>, handle: u32, mount: Option<usize>, bytes: u64) {
    again.caps.changed.insert(handle);
    again.usage.file_bytes_written += bytes;
    if let Some(Some(left)) = mount.and_then(|mount| again.caps.quotas.get_mut(mount)) {
        *left = left.saturating_sub(bytes);
    }
    if let Some(end) = again.caps.appending.get_mut(&handle) {
        *end = again.note.and_then(|note| note.parse::<u64>().ok()).unwrap_or(*end).saturating_add(bytes);
    }
}

pub(super) fn renamed(again: Again<'_, '_>, derived: &Derived, params: &RenameAt, (done,): &Answer<()>) {
    let (old, old_path, new, new_path) = params;
    let (from, to) = (at(again.caps, derived, old, old_path), at(again.caps, derived, new, new_path));
    let (Ok(()), Some(from), Some(to)) = (done, from, to) else { return };
    let (from, to) = ((from.0, from.1.as_str()), (to.0, to.1.as_str()));
    // What was there is gone, also if it is open.
    again.caps.lost.values_mut().for_each(|lost| lost.removed(to));
    again.caps.lost.values_mut().for_each(|lost| lost.renamed(from, to));
}

pub(super) fn removed(again: Again<'_, '_>, derived: &Derived, (handle, path): &(Own, String), (done,): &Answer<()>) {
    if let (Ok(()), Some((mount, path))) = (done, at(again.caps, derived, handle, path)) {
        again.caps.lost.values_mut().for_each(|lost| lost.removed((mount, &path)));
    }
}

/// Returns the folder that a listing was made of.
pub(super) fn listed(again: Again<'_, '_>, derived: &Derived, handle: &Own) -> Option<Lost> {
    let known = again.caps.lost.get(&handle.rep()).cloned();
    let (mount, path) = place(again.caps, derived, handle)?;
    let (follow, flags) = (PathFlags::empty(), DescriptorFlags::READ);
    Some(known.unwrap_or(Lost { mount, path, follow, flags, identity: None, is_removed: false }))
}
