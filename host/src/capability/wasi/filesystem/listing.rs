//! Listings of folders: read at once when they are asked for, handed out one entry at a time.

use std::vec::IntoIter;

use wasmtime::component::Resource;

use super::{Answer, DirectoryEntry, ErrorCode, Own, at, reading, restore};
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

/// A listing that was being read.
pub struct LostListing {
    folder: files::Lost,
    /// The last name that was handed out.
    after: Option<String>,
}

impl LostListing {
    /// Lists the folder again, from where the guest had come to. Listings are in the order of the names.
    ///
    /// # Errors
    /// What is not as it was.
    pub fn find(&self, mounts: &files::Mounts) -> Result<Listing, String> {
        let folder = self.folder.find(mounts)?;
        let mut entries = files::read_directory(&folder, ENTRIES_MAX).map_err(|code| code.message().to_owned())?;
        let size = entries.len();
        let is_new = |entry: &Result<DirectoryEntry, ErrorCode>| match (entry, &self.after) {
            (Ok(entry), Some(after)) => entry.name > *after,
            _ => true,
        };
        entries.retain(is_new);
        Ok(Listing { size, rest: entries.into_iter() })
    }
}

type Entries = Resource<Listing>;

pub(super) fn link(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link.resource::<Listing>("wasi:filesystem/types#[drop]directory-entry-stream")?;
    let call = Call::new(Class::ReadLocal, |turn, _, (handle,): &(Own,)| match list(turn, handle) {
        Ok(listing) => {
            let ordinal = turn.ordinals.create()?;
            turn.caps.listings.insert(ordinal, listing);
            Ok((Ok(Entries::new_own(ordinal)),))
        }
        Err(code) => Ok((Err(code),)),
    });
    let call = call.restored(|again, derived, (handle,), (opened,): &Answer<Entries>| {
        if let (Ok(listing), Some(folder)) = (opened, restore::listed(again, derived, handle)) {
            again.caps.lost_listings.insert(listing.rep(), LostListing { folder, after: None });
        }
    });
    link.sync("wasi:filesystem/types#[method]descriptor.read-directory", reading(call))?;
    let call = Call::new(Class::ReadLocal, |turn, _, (listing,): &(Entries,)| {
        let next = turn.caps.listings.get_mut(&listing.rep()).and_then(|listing| listing.rest.next());
        Ok((next.transpose(),))
    });
    link.sync(
        "wasi:filesystem/types#[method]directory-entry-stream.read-directory-entry",
        call.restored(|again, _, (listing,), (next,): &Answer<Option<DirectoryEntry>>| {
            if let (Some(lost), Ok(Some(entry))) = (again.caps.lost_listings.get_mut(&listing.rep()), next) {
                lost.after = Some(entry.name.clone());
            }
        }),
    )
}

/// Lists a folder, if there is room for it beside the open listings.
fn list(turn: &Turn<'_, Caps>, handle: &Own) -> Result<Listing, ErrorCode> {
    let open: usize = turn.caps.listings.values().map(|listing| listing.size).sum();
    let entries = files::read_directory(at(turn, handle)?, ENTRIES_MAX.saturating_sub(open))?;
    Ok(Listing { size: entries.len(), rest: entries.into_iter() })
}
