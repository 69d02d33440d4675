//! Entries that do not fit the short form: payloads that are cut into blobs, and extensions.

use std::mem;
use std::sync::Arc;

use super::RunWriter;
use crate::journal::INLINE_MAX;
use crate::journal::blob::{self, Blob, Cut};
use crate::journal::entry::{Part, Raw, Record};
use crate::journal::error::Error;
use crate::journal::extension::EXTENSION_MAX;

impl RunWriter {
    #[cold]
    pub(super) fn encode_long(&mut self, record: &Record<'_>, fuel: u64, time: u64) -> Result<(), Error> {
        let mut extension = mem::take(&mut self.scratch);
        extension.clear();
        if let Some(fields) = record.extension {
            fields.encode(&mut extension);
        }
        if extension.len() > EXTENSION_MAX {
            let (len, max) = (extension.len() as u64, EXTENSION_MAX as u64);
            return Err(Error::TooLarge { what: "the extension of an entry", len, max });
        }
        blob::check_len("params", record.params)?;
        blob::check_len("an outcome", record.outcome)?;
        let (mut params_list, mut outcome_list) = (Vec::new(), Vec::new());
        let params = self.part("params", record.params, &mut params_list)?;
        let outcome = self.part("an outcome", record.outcome, &mut outcome_list)?;
        let function = self.number(record.function);
        let block = record.extension.map(|_| &*extension);
        Raw { kind: record.kind, function, fuel, time, params, outcome, extension: block }.encode(&mut self.open.body);
        self.scratch = extension;
        Ok(())
    }

    /// Cuts a long payload into blobs.
    pub(super) fn part<'a>(
        &mut self,
        what: &'static str,
        bytes: &'a [u8],
        list: &'a mut Vec<u8>,
    ) -> Result<Part<'a>, Error> {
        if bytes.len() <= INLINE_MAX {
            return Ok(Part::Inline(bytes));
        }
        let cut = self.cut(what, bytes)?;
        cut.list(list);
        for (digest, chunk) in cut.chunks() {
            if self.blobs_used.insert(digest) {
                let blob = Blob::with_digest(digest, chunk);
                self.open.blob_bytes += blob.stored_len();
                self.open.blobs.push(blob);
            }
        }
        Ok(Part::Chunked(list))
    }

    /// Cuts a payload along what this run recorded before, or what any run of this process recorded last.
    fn cut(&mut self, what: &'static str, bytes: &[u8]) -> Result<Arc<Cut>, Error> {
        let of_others = self.core.last_cut();
        let cut = self.kept.cut(what, bytes, of_others.as_ref())?;
        self.kept.last().into_iter().for_each(|last| self.core.keep_cut(last));
        Ok(cut)
    }
}
