//! Watching grants for their end, from within the process that changes them.

use std::sync::Arc;

use super::super::error::Error;
use super::super::store::Store;
use super::super::{Journal, tables};
use super::{Generation, GrantId, StoredGrant, rows};

/// Some grants, and the count of changes at which they were last read. While no grant of the home changes, looking
/// whether one of these has ended takes one load.
pub struct Watch {
    store: Arc<Store>,
    generation: Generation,
    seen: u64,
    grants: Vec<GrantId>,
}

impl Journal {
    /// Begins to watch grants, and returns them as they are now, in the same order.
    ///
    /// # Errors
    /// As [`Watch::look`].
    pub fn watch(&self, grants: Vec<GrantId>) -> Result<(Watch, Vec<StoredGrant>), Error> {
        let (store, generation) = (self.0.store.clone(), self.grants_generation());
        let mut watch = Watch { store, generation, seen: 0, grants };
        let now = watch.look()?;
        Ok((watch, now))
    }
}

impl Watch {
    /// Tells whether a grant of the home, if not one of these, may have changed since they were last read. It tells so
    /// before the command that changes one has returned.
    #[inline]
    pub fn has_changed(&self) -> bool {
        self.generation.now() != self.seen
    }

    /// Reads the grants again, in their order.
    ///
    /// # Errors
    /// [`Error::NoSuchGrant`]; what keeps the file from being read; a damaged row.
    pub fn look(&mut self) -> Result<Vec<StoredGrant>, Error> {
        // First the count: a change while this reads is looked at once more.
        self.seen = self.generation.now();
        self.store.reading(|read| {
            let Some(table) = tables::if_there(read, tables::GRANTS)? else {
                return self.grants.first().map_or(Ok(Vec::new()), |id| Err(Error::NoSuchGrant(*id)));
            };
            self.grants.iter().map(|id| rows::load(&table, *id)?).collect()
        })
    }
}
