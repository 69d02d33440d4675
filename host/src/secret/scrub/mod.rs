//! Taking secrets out of what the far side answers, before anybody can keep it.
//!
//! A [`Scrubber`] knows the secrets that went out with a request. It finds each of them in headers, bodies and error
//! text, whatever the chunks they come in: as it is, in another case, as base64 (both alphabets, padded or not, at
//! every alignment, so also within something longer), and as hexadecimal digits; each of these also with any of its
//! characters escaped as in a URL, in JSON, in JSON after a URL, or in HTML, and broken over lines. A secret that is the
//! base64 of `user:password`, as the header for basic authentication has it, is also found decoded.
//!
//! What is found becomes [`MARKER`], which has another length. Of base64 that goes on before or behind, at most four
//! bits of the secret's first and last byte remain. A body out of which something was taken is shorter or longer than
//! its `content-length` said, and its digest is another: who hands it on has to say the new length.
//!
//! It is no defence against a far side that *wants* to pass the secret on, and reverses it first: the operator trusts
//! the destination with it. Compressed bodies have to be decompressed before.

mod cursor;
mod escape;
mod forms;
mod reading;
mod search;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::sync::Arc;

use super::Secret;
use forms::Forms;
use search::Search;

/// What stands where a secret stood. Secrets hold no spaces, so that none can come about at its edges.
pub const MARKER: &[u8] = b" [redacted] ";

/// The secrets are too many to look for.
#[derive(Debug, thiserror::Error)]
#[error("cannot look for so many secrets: {0}")]
pub struct TooMany(#[from] aho_corasick::BuildError);

/// Finds some secrets. Made once for a set of secrets (tens of microseconds each) and cloned cheaply; holds what the
/// secrets can be computed from, so that it is as secret as they are.
#[derive(Clone)]
pub struct Scrubber(Option<Arc<Forms>>);

impl Scrubber {
    /// Returns what finds `secrets`. Without any it finds nothing and costs nothing.
    ///
    /// # Errors
    ///
    /// [`TooMany`] when they have gigabytes.
    pub fn new<'s>(secrets: impl IntoIterator<Item = &'s Secret>) -> Result<Self, TooMany> {
        let mut secrets = secrets.into_iter().peekable();
        match secrets.peek() {
            Some(_) => Ok(Self(Some(Arc::new(Forms::of(secrets)?)))),
            None => Ok(Self(None)),
        }
    }

    /// Returns `bytes` without the secrets; as they are where there is none in them.
    pub fn bytes<'b>(&self, bytes: &'b [u8]) -> Cow<'b, [u8]> {
        let Some(forms) = &self.0 else { return Cow::Borrowed(bytes) };
        let mut search = Search::new(Arc::clone(forms));
        search.feed(bytes);
        search.end();
        if !search.has_found() {
            return Cow::Borrowed(bytes);
        }
        let mut clean = Vec::with_capacity(bytes.len());
        search.release(bytes, &mut clean);
        Cow::Owned(clean)
    }

    /// Returns `text` without the secrets; as it is where there is none in it.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.bytes(text.as_bytes()) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            Cow::Owned(clean) => Cow::Owned(String::from_utf8_lossy(&clean).into_owned()),
        }
    }

    /// Tells whether there is a secret in `bytes`: for places that cannot hold [`MARKER`], such as a header's name.
    pub fn finds_in(&self, bytes: &[u8]) -> bool {
        matches!(self.bytes(bytes), Cow::Owned(_))
    }

    /// Returns what scrubs a body that comes in chunks.
    pub fn stream(&self) -> Stream {
        Stream { search: self.0.clone().map(Search::new), held: Vec::new() }
    }
}

impl std::fmt::Debug for Scrubber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scrubber")
    }
}

/// Scrubs one body in one pass.
///
/// It holds back what may be the beginning of a secret: some multiple of the longest secret's length, until
/// [`Stream::end`].
pub struct Stream {
    search: Option<Search>,
    held: Vec<u8>,
}

impl Stream {
    /// Takes the next chunk, and appends to `clean` what surely belongs to no secret.
    pub fn push(&mut self, chunk: &[u8], clean: &mut Vec<u8>) {
        let Some(search) = &mut self.search else { return clean.extend_from_slice(chunk) };
        search.feed(chunk);
        self.held.extend_from_slice(chunk);
        let released = search.release(&self.held, clean);
        self.held.drain(..released);
    }

    /// Appends the rest to `clean`, and tells whether anything was taken out of the whole.
    pub fn end(mut self, clean: &mut Vec<u8>) -> bool {
        let Some(search) = &mut self.search else { return false };
        search.end();
        search.release(&self.held, clean);
        search.has_found()
    }
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stream")
    }
}
