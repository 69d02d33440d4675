//! A disk that forgets: what was not synced when the power failed is gone, or there in part, in any order.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use redb::StorageBackend;

/// What a disk writes at once, in bytes.
const SECTOR: usize = 512;

/// A disk; clones are the same one.
#[derive(Clone, Debug, Default)]
pub struct Disk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// What is read.
    seen: Vec<u8>,
    /// What is there whatever happens.
    synced: Vec<u8>,
    /// What has been asked for since.
    pending: Vec<Change>,
    /// How many writes, new lengths and syncs there have been.
    steps: usize,
    /// The step at which the power fails.
    fails_at: Option<usize>,
    is_dead: bool,
}

#[derive(Clone, Debug)]
enum Change {
    Len(u64),
    Write(u64, Vec<u8>),
}

impl Change {
    fn apply(&self, image: &mut Vec<u8>) {
        match self {
            Self::Len(len) => image.resize(*len as usize, 0),
            Self::Write(at, bytes) => {
                let at = *at as usize;
                image.resize(image.len().max(at + bytes.len()), 0);
                image[at..at + bytes.len()].copy_from_slice(bytes);
            }
        }
    }

    /// Returns what there is of a write of which only the bytes that `is_kept` names have arrived.
    fn torn(&self, mut is_kept: impl FnMut(usize) -> bool) -> Vec<Self> {
        let Self::Write(at, bytes) = self else { return Vec::new() };
        let kept = (0..bytes.len()).filter(|place| is_kept(*place));
        kept.map(|place| Self::Write(at + place as u64, vec![bytes[place]])).collect()
    }
}

/// What the disk made of what was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Nothing of it arrived.
    All,
    /// Everything did, also the write during which the power failed.
    Nothing,
    /// All but the end of the last write, from a byte on.
    EndOfLast,
    /// All but the end of the last write, from a sector on.
    SectorsOfLast,
    /// What came first did, and the beginning of one write more.
    Tail,
    /// Any of the writes did.
    AnyWrites,
    /// Any of the sectors did.
    AnySectors,
}

impl Loss {
    pub const ALL: [Self; 7] =
        [Self::All, Self::Nothing, Self::EndOfLast, Self::SectorsOfLast, Self::Tail, Self::AnyWrites, Self::AnySectors];
}

impl Disk {
    /// Returns a copy of this disk whose power fails at a step from now.
    pub fn failing_at(&self, step: usize) -> Self {
        let synced = self.lock().synced.clone();
        let state = State { seen: synced.clone(), synced, fails_at: Some(step), ..State::default() };
        Self(Arc::new(Mutex::new(state)))
    }

    /// Whether the power has failed.
    pub fn is_dead(&self) -> bool {
        self.lock().is_dead
    }

    /// Returns a disk with what this one holds when it is switched on again. `draw` returns numbers below its argument.
    pub fn again(&self, loss: Loss, draw: &mut impl FnMut(usize) -> usize) -> Self {
        let state = self.lock();
        let mut image = state.synced.clone();
        for change in survivors(&state.pending, loss, draw) {
            change.apply(&mut image);
        }
        Self(Arc::new(Mutex::new(State { seen: image.clone(), synced: image, ..State::default() })))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Counts a step, and fails at the one at which the power does. `change` is on its way by then.
    fn step(&self, change: Option<Change>) -> io::Result<()> {
        let mut state = self.lock();
        state.alive()?;
        state.steps += 1;
        state.is_dead = state.fails_at == Some(state.steps);
        let is_sync = change.is_none();
        if let Some(change) = change {
            change.apply(&mut state.seen);
            state.pending.push(change);
        }
        state.alive()?;
        if is_sync {
            state.synced = state.seen.clone();
            state.pending.clear();
        }
        Ok(())
    }
}

fn survivors(pending: &[Change], loss: Loss, draw: &mut impl FnMut(usize) -> usize) -> Vec<Change> {
    let Some((last, before)) = pending.split_last() else { return Vec::new() };
    let len = |change: &Change| if let Change::Write(_, bytes) = change { bytes.len() } else { 0 };
    let mut cut_last = |unit: usize| {
        let cut = draw(len(last) / unit + 1) * unit;
        [before, &last.torn(|place| place < cut)].concat()
    };
    match loss {
        Loss::All => Vec::new(),
        Loss::Nothing => pending.to_vec(),
        Loss::EndOfLast => cut_last(1),
        Loss::SectorsOfLast => cut_last(SECTOR),
        Loss::Tail => {
            let at = draw(pending.len());
            let cut = draw(len(&pending[at]) + 1);
            [&pending[..at], &pending[at].torn(|place| place < cut)].concat()
        }
        Loss::AnyWrites => pending.iter().filter(|_| draw(2) == 0).cloned().collect(),
        Loss::AnySectors => pending.iter().flat_map(|change| any_sectors(change, draw)).collect(),
    }
}

fn any_sectors(change: &Change, draw: &mut impl FnMut(usize) -> usize) -> Vec<Change> {
    match change {
        Change::Len(_) => vec![change.clone()],
        Change::Write(_, bytes) => {
            let kept: Vec<_> = bytes.chunks(SECTOR).map(|_| draw(2) == 0).collect();
            change.torn(|place| kept[place / SECTOR])
        }
    }
}

impl State {
    fn alive(&self) -> io::Result<()> {
        if self.is_dead { Err(io::Error::other("the power has failed")) } else { Ok(()) }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        let state = self.lock();
        state.alive()?;
        Ok(state.seen.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.lock();
        state.alive()?;
        let at = offset as usize;
        let bytes = state.seen.get(at..at + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.step(Some(Change::Len(len)))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.step(None)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.step(Some(Change::Write(offset, data.to_vec())))
    }
}
