//! Listings of folders: read at once when they are asked for, handed out one entry at a time.

use std::vec::IntoIter;

use wasmtime::component::Resource;

use super::{DirectoryEntry, ErrorCode, Own, at, reads};
use crate::capability::Caps;
use crate::capability::files;
use crate::capability::link::{Call, Link};
use crate::gate::{Class, Turn};

/// The most entries that all open listings of a run were made with. It bounds the host's memory for a guest that
/// lists a large folder again and again: 80 MiB, if every name is as long as names get.
const ENTRIES_MAX: usize = 1 << 18;

/// A listing being read.
pub struct Listing {
    rest: IntoIter<Result<DirectoryEntry, ErrorCode>>,
    /// Entries it was made with. Its memory is held until it is dropped, however far it was read.
    size: usize,
}

type Entries = Resource<Listing>;

pub(super) fn link(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link.resource::<Listing>("wasi:filesystem/types#[drop]directory-entry-stream")?;
    reads(link, "wasi:filesystem/types#[method]descriptor.read-directory", |turn, _, (handle,): &(Own,)| {
        match list(turn, handle) {
            Ok(listing) => {
                let ordinal = turn.ordinals.create()?;
                turn.caps.listings.insert(ordinal, listing);
                Ok((Ok(Entries::new_own(ordinal)),))
            }
            Err(code) => Ok((Err(code),)),
        }
    })?;
    link.sync(
        "wasi:filesystem/types#[method]directory-entry-stream.read-directory-entry",
        Call::new(Class::ReadLocal, |turn, _, (listing,): &(Entries,)| {
            let next = turn.caps.listings.get_mut(&listing.rep()).and_then(|listing| listing.rest.next());
            Ok((next.transpose(),))
        }),
    )
}

/// Lists a folder, if there is room for it beside the open listings.
fn list(turn: &Turn<'_, Caps>, handle: &Own) -> Result<Listing, ErrorCode> {
    let open: usize = turn.caps.listings.values().map(|listing| listing.size).sum();
    let entries = files::read_directory(at(turn, handle)?, ENTRIES_MAX.saturating_sub(open))?;
    Ok(Listing { size: entries.len(), rest: entries.into_iter() })
}
