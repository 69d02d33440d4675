//! Cutting a payload into chunks: where its content says so (FastCDC), and along the borders of a payload before it.
//!
//! A conversation is handed over as a whole with each question, and differs from what was handed over last in a count at its
//! beginning and in what was said since, with a few bytes after it. Content alone would have the chunks at both ends stored
//! anew each time. So what the payloads have in common keeps its chunks, and what is new between gets its own.

use std::ops::Range;
use std::sync::Arc;

use super::check_len;
use crate::digest::Digest;
use crate::journal::error::Error;
use crate::journal::varint;

/// Shortest, usual and longest chunk, in bytes. Part of the format only in that changing them stores known bytes anew.
const CHUNK_MIN: usize = 4 * 1024;
const CHUNK_USUAL: usize = 16 * 1024;
const CHUNK_MAX: usize = 64 * 1024;
/// What is left of a chunk that changed in one place is a chunk of its own from this many bytes on.
const PIECE_MIN: usize = 1024;
/// A payload in more chunks than this, of less than half the shortest on average, is cut anew by its content alone.
const PIECES_MAX: usize = 64;

/// How many payloads a run keeps for the next to be compared with, and their bytes together.
const KEPT_COUNT: usize = 4;
const KEPT_MAX: usize = 8 * 1024 * 1024;

/// A payload with the chunks that it was cut into.
#[derive(Debug, Default)]
pub(in crate::journal) struct Cut {
    payload: Vec<u8>,
    chunks: Vec<Chunk>,
}

#[derive(Clone, Copy, Debug)]
struct Chunk {
    digest: Digest,
    /// Where it ends in the payload.
    end: usize,
}

impl Cut {
    /// Cuts a payload along an earlier one where `plan` says so. What is known is not hashed again.
    fn by(plan: &Plan, payload: &[u8]) -> Self {
        let mut chunks = plan.cut(payload);
        if chunks.len() > PIECES_MAX && payload.len() / chunks.len() < CHUNK_MIN / 2 {
            chunks = Plan::by_content(payload.len()).cut(payload);
        }
        Self { payload: payload.to_vec(), chunks }
    }

    /// Returns the chunks, each with its digest.
    pub fn chunks(&self) -> impl Iterator<Item = (Digest, &[u8])> {
        self.places().map(|(digest, place)| (digest, &self.payload[place]))
    }

    fn places(&self) -> impl Iterator<Item = (Digest, Range<usize>)> {
        let mut start = 0;
        self.chunks.iter().map(move |chunk| (chunk.digest, std::mem::replace(&mut start, chunk.end)..chunk.end))
    }

    /// Appends the list of the chunks to `list`: the payload's length, then their digests.
    pub fn list(&self, list: &mut Vec<u8>) {
        varint::put(list, self.payload.len() as u64);
        self.chunks.iter().for_each(|chunk| list.extend_from_slice(chunk.digest.as_bytes()));
    }
}

/// The payloads that a run cut last, for the next to be cut along one of them. One that was takes that one's place: so a
/// conversation is kept beside what is said of other things meanwhile.
#[derive(Debug, Default)]
pub(in crate::journal) struct Kept(Vec<Arc<Cut>>);

impl Kept {
    /// Cuts a payload along what it has most in common with: one that is kept, or `other`.
    ///
    /// # Errors
    /// [`Error::TooLarge`] above [`super::PAYLOAD_MAX`].
    pub fn cut(&mut self, what: &'static str, payload: &[u8], other: Option<&Arc<Cut>>) -> Result<Arc<Cut>, Error> {
        check_len(what, payload)?;
        let mut best = (Plan::by_content(payload.len()), None);
        let kept = self.0.iter().enumerate().rev().map(|(place, cut)| (Some(place), cut));
        let other = other.filter(|other| !self.0.iter().any(|cut| Arc::ptr_eq(cut, other)));
        for (place, earlier) in kept.chain(other.map(|other| (None, other))) {
            let plan = Plan::along(earlier, payload);
            if plan.is_whole(earlier, payload) {
                let same = earlier.clone();
                self.keep(&same, place);
                return Ok(same);
            }
            if plan.rank() > best.0.rank() {
                best = (plan, place);
            }
        }
        let (plan, place) = best;
        let cut = Arc::new(Cut::by(&plan, payload));
        self.keep(&cut, place);
        Ok(cut)
    }

    /// Returns the payload that was cut last, of those that are kept.
    pub fn last(&self) -> Option<&Arc<Cut>> {
        self.0.last()
    }

    /// Keeps a payload in place of another, and no more than there is room for.
    fn keep(&mut self, cut: &Arc<Cut>, place: Option<usize>) {
        if cut.payload.len() > KEPT_MAX {
            return;
        }
        if let Some(place) = place {
            self.0.remove(place);
        }
        self.0.push(cut.clone());
        while self.0.len() > KEPT_COUNT || self.0.iter().map(|cut| cut.payload.len()).sum::<usize>() > KEPT_MAX {
            self.0.remove(0);
        }
    }
}

/// How a payload is to be cut.
#[derive(Default)]
struct Plan {
    pieces: Vec<Piece>,
    /// How many of its bytes are in chunks that are known.
    known: usize,
    /// How many are in pieces that begin or end where the earlier payload says.
    aligned: usize,
}

struct Piece {
    /// Where it ends in the payload.
    end: usize,
    kind: Kind,
}

enum Kind {
    /// A chunk of the earlier payload.
    Known(Digest),
    /// A chunk, and new.
    Chunk,
    /// To be cut by its content.
    Content,
}

impl Plan {
    fn by_content(len: usize) -> Self {
        let mut plan = Self::default();
        plan.add(len, Kind::Content);
        plan
    }

    /// Plans to cut a payload along the borders of an earlier one: from the beginning up to where something was added or
    /// taken away, and from the end back to there.
    fn along(earlier: &Cut, payload: &[u8]) -> Self {
        let mut plan = Self::default();
        let mut at = 0;
        let mut places = earlier.places().peekable();
        while let Some((digest, place)) = places.next() {
            let (old, new) = (&earlier.payload[place], &payload[at..]);
            if new.starts_with(old) {
                at += old.len();
                plan.add(at, Kind::Known(digest));
                continue;
            }
            let after = places.peek().map(|(_, place)| &earlier.payload[place.clone()]);
            let Some(changed) = changed_in_place(old, after, new) else {
                let same = common_prefix(old, new);
                if same >= PIECE_MIN {
                    at += same;
                    plan.add(at, Kind::Chunk);
                }
                break;
            };
            plan.add(at + changed, Kind::Chunk);
            at += old.len();
            plan.add(at, Kind::Chunk);
        }
        plan.end_as(earlier, at, payload);
        plan
    }

    /// Plans what follows `at`, where both payloads have been the same length so far: what is new, then what both end with.
    fn end_as(&mut self, earlier: &Cut, at: usize, payload: &[u8]) {
        let old = earlier.payload.get(at..).unwrap_or_default();
        let same = common_suffix(old, &payload[at..]);
        self.add(payload.len() - same, Kind::Content);
        let ends = earlier.payload.len() - same;
        for (digest, Range { start, end }) in earlier.places().filter(|(_, place)| place.end > ends) {
            let kind = if start >= ends { Kind::Known(digest) } else { Kind::Chunk };
            self.add(payload.len() - (earlier.payload.len() - end), kind);
        }
    }

    /// Tells whether it is the earlier payload again.
    fn is_whole(&self, earlier: &Cut, payload: &[u8]) -> bool {
        self.known == payload.len() && self.pieces.len() == earlier.chunks.len()
    }

    /// Returns by what one plan is better than another.
    fn rank(&self) -> (usize, usize) {
        (self.known, self.aligned)
    }

    /// Adds a piece, unless it is empty.
    fn add(&mut self, end: usize, kind: Kind) {
        let start = self.pieces.last().map_or(0, |piece| piece.end);
        if end > start {
            match kind {
                Kind::Known(_) => (self.known, self.aligned) = (self.known + end - start, self.aligned + end - start),
                Kind::Chunk => self.aligned += end - start,
                Kind::Content => {}
            }
            self.pieces.push(Piece { end, kind });
        }
    }

    fn cut(&self, payload: &[u8]) -> Vec<Chunk> {
        let (mut chunks, mut start) = (Vec::with_capacity(self.pieces.len()), 0);
        for Piece { end, kind } in &self.pieces {
            match kind {
                Kind::Known(digest) => chunks.push(Chunk { digest: *digest, end: *end }),
                Kind::Chunk => chunks.push(Chunk { digest: Digest::of(&payload[start..*end]), end: *end }),
                Kind::Content => chunks.extend(by_content(payload, start..*end)),
            }
            start = *end;
        }
        chunks
    }
}

fn by_content(payload: &[u8], place: Range<usize>) -> impl Iterator<Item = Chunk> {
    let begun = place.start;
    let chunks = fastcdc::v2020::FastCDC::new(&payload[place], CHUNK_MIN, CHUNK_USUAL, CHUNK_MAX);
    chunks.map(move |chunk| {
        let start = begun + chunk.offset;
        let end = start + chunk.length;
        Chunk { digest: Digest::of(&payload[start..end]), end }
    })
}

/// Returns up to where a chunk changed, if the payload goes on as it was at the same place: for long enough in the chunk, or
/// with the chunk `after` it.
fn changed_in_place(old: &[u8], after: Option<&[u8]>, new: &[u8]) -> Option<usize> {
    let (changed, rest) = new.split_at_checked(old.len())?;
    let same = common_suffix(old, changed);
    let goes_on = after.is_some_and(|after| rest.starts_with(after));
    match same {
        PIECE_MIN.. => Some(old.len() - same),
        _ => goes_on.then_some(old.len()),
    }
}

/// Bytes that are compared at a time.
const COMPARED: usize = 512;

fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    let blocks = a.chunks_exact(COMPARED).zip(b.chunks_exact(COMPARED)).take_while(|(a, b)| a == b).count();
    let begun = blocks * COMPARED;
    begun + a[begun..].iter().zip(&b[begun..]).take_while(|(a, b)| a == b).count()
}

fn common_suffix(a: &[u8], b: &[u8]) -> usize {
    let blocks = a.rchunks_exact(COMPARED).zip(b.rchunks_exact(COMPARED)).take_while(|(a, b)| a == b).count();
    let ended = blocks * COMPARED;
    let (a, b) = (&a[..a.len() - ended], &b[..b.len() - ended]);
    ended + a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// Bytes that look random, so that their chunks are of usual lengths.
    fn bytes(len: usize, seed: u64) -> Vec<u8> {
        let next = |state: &mut u64, _| {
            *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            Some((*state >> 56) as u8)
        };
        (0..len).scan(seed, next).collect()
    }

    fn cut(payload: &[u8], earlier: &Arc<Cut>) -> Arc<Cut> {
        Kept::default().cut("params", payload, Some(earlier)).unwrap()
    }

    fn fresh(payload: &[u8]) -> Arc<Cut> {
        Kept::default().cut("params", payload, None).unwrap()
    }

    #[track_caller]
    fn is_whole(cut: &Cut, payload: &[u8]) {
        let mut joined = Vec::new();
        for (digest, chunk) in cut.chunks() {
            assert_eq!(digest, Digest::of(chunk));
            assert!(!chunk.is_empty() && chunk.len() <= CHUNK_MAX, "a chunk of {} bytes", chunk.len());
            joined.extend_from_slice(chunk);
        }
        assert!(joined == payload);
    }

    /// Returns the bytes that these payloads take, each chunk counted once.
    fn stored(cuts: &[Arc<Cut>]) -> usize {
        let chunks = cuts.iter().flat_map(|cut| cut.chunks());
        chunks.map(|(digest, chunk)| (digest, chunk.len())).collect::<BTreeMap<_, _>>().values().sum()
    }

    #[test]
    fn a_conversation_is_stored_about_once() {
        let conversation = |count: u8| {
            let said = (0..count).flat_map(|at| bytes(2_000 + usize::from(at) * 17, u64::from(at)));
            [&[7, count][..], &said.collect::<Vec<_>>(), b"tools and the rest".as_slice()].concat()
        };
        let (mut kept, mut cuts) = (Kept::default(), Vec::new());
        for count in 1..120 {
            let payload = conversation(count);
            cuts.push(kept.cut("params", &payload, None).unwrap());
            is_whole(cuts.last().unwrap(), &payload);
            // What is said of other things meanwhile is not what the next is compared with.
            (0..u64::from(count % 4))
                .for_each(|other| drop(kept.cut("params", &bytes(5_000, 1_000 + other), None).unwrap()));
        }
        let (stored, said) = (stored(&cuts), conversation(119).len());
        assert!(stored < said + said / 20, "{stored} bytes for {said}");
    }

    #[test]
    fn the_same_again_is_not_looked_at_twice() {
        let whole = bytes(300_000, 7);
        let earlier = fresh(&whole);
        assert!(Arc::ptr_eq(&earlier, &cut(&whole, &earlier)));
    }

    #[test]
    fn one_byte_that_changed_leaves_the_rest() {
        let mut payload = bytes(300_000, 7);
        let earlier = fresh(&payload);
        payload[100_000] ^= 1;
        let changed = cut(&payload, &earlier);
        is_whole(&changed, &payload);
        let before = stored(std::slice::from_ref(&earlier));
        assert!(stored(&[earlier, changed]) <= before + CHUNK_MAX);
    }

    #[test]
    fn what_was_put_in_the_middle_leaves_both_sides() {
        let whole = bytes(300_000, 7);
        let earlier = fresh(&whole);
        let longer = [&whole[..150_000], &bytes(10, 8), &whole[150_000..]].concat();
        let (long, short) = (cut(&longer, &earlier), cut(&whole[..150_000], &earlier));
        is_whole(&long, &longer);
        is_whole(&short, &whole[..150_000]);
        assert!(stored(&[earlier, long, short]) <= whole.len() + 2 * CHUNK_MAX);
    }

    #[test]
    fn what_fell_to_pieces_is_cut_anew() {
        let mut payload = bytes(100_000, 7);
        let mut last = fresh(&payload);
        for at in (0..payload.len()).step_by(1_300) {
            payload[at] ^= 1;
            last = cut(&payload, &last);
            is_whole(&last, &payload);
            assert!(last.chunks.len() <= PIECES_MAX.max(2 * payload.len() / CHUNK_MIN), "{} chunks", last.chunks.len());
        }
    }

    proptest! {
        #[test]
        fn any_payload_is_whole_after_any_other(
            (len, at, gone, come) in (0usize..90_000, 0usize..90_000, 0usize..20_000, 0usize..20_000),
            flips in proptest::collection::vec(0usize..90_000, 0..4),
        ) {
            let before = bytes(len, 3);
            let (at, gone) = (at.min(len), gone.min(len - at.min(len)));
            let mut after = [&before[..at], &bytes(come, 4), &before[at + gone..]].concat();
            flips.iter().for_each(|flip| after.get_mut(*flip).into_iter().for_each(|byte| *byte ^= 0x55));
            let earlier = fresh(&before);
            is_whole(&earlier, &before);
            let known = cut(&after, &earlier);
            is_whole(&known, &after);
            is_whole(&cut(&before, &known), &before);
        }
    }
}
