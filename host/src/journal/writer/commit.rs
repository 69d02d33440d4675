//! One commit of the writer thread: what each message changes, and the answers.

use redb::{ReadableTable, WriteTransaction};

use super::super::amounts::{self, Caller};
use super::super::chain::Seal;
use super::super::edge::edge;
use super::super::error::Error;
use super::super::message::{Accept, Append, Claiming, Message, Reply, TakeOver};
use super::super::row::{Extent, Row};
use super::super::run_writer::Told;
use super::super::{approvals, blob, kv, lineage, row, signals, tables, unfinished, waits};
use super::live::{self, Live};
use super::{Writer, remove};
use crate::id::RunId;

/// After this many commits the index is completed, so that recovery reads at most so many.
const UNINDEXED_MAX: u64 = 1024;

impl Writer {
    /// Commits the messages of a group and answers them.
    pub(super) fn commit(&mut self, group: &mut Vec<Message>) {
        self.note_leaving(group);
        let mut answers = Vec::with_capacity(group.len());
        let result = match self.failed.clone() {
            Some(error) => Err(error),
            None => edge(|| self.transact(group, &mut answers)),
        };
        if let Err(error) = &result {
            self.failed = Some(error.clone());
        }
        answers.resize_with(group.len(), || Ok(()));
        for (message, own) in group.drain(..).zip(answers) {
            answer(message, result.clone().and(own));
        }
        self.forget_left();
    }

    fn transact(&mut self, group: &mut [Message], answers: &mut Vec<Result<(), Error>>) -> Result<(), Error> {
        if !group.iter().any(Message::changes) {
            return Ok(());
        }
        let write = self.store.write()?;
        self.touched.clear();
        for message in &mut *group {
            answers.push(self.apply(&write, message)?);
        }
        if !group.iter().zip(&*answers).any(|(message, answer)| message.changes() && answer.is_ok()) {
            return Ok(());
        }
        self.log.finish(&write)?;
        self.settle_states(&write, group, answers)?;
        self.note_indexed(&write)?;
        write.commit()?;
        self.hasty = true;
        self.publish();
        Ok(())
    }

    /// Makes the change of one message. The inner result is what its sender hears: a refusal changes nothing, while an
    /// outer error fails the commit.
    fn apply(&mut self, write: &WriteTransaction, message: &mut Message) -> Result<Result<(), Error>, Error> {
        match message {
            Message::Append(append) => self.append_checked(write, append),
            Message::Accept(accept) => self.accept(write, accept),
            Message::TakeOver(take) => self.take_over(write, take),
            Message::Remove(run, _) => self.remove(write, *run),
            Message::Edit(edit, _) => edit.take().map_or(Ok(Ok(())), |edit| edit(write)),
            Message::Barrier | Message::Leave(..) | Message::Close => Ok(Ok(())),
        }
    }

    fn check(&self, append: &Append) -> Result<(), Error> {
        self.runs.get(&append.run).ok_or(Error::NoSuchRun(append.run))?.check(append)
    }

    fn append_checked(&mut self, write: &WriteTransaction, append: &Append) -> Result<Result<(), Error>, Error> {
        if let Err(refusal) = self.check(append) {
            return Ok(Err(refusal));
        }
        if let Some(Claiming { claims, owner, now, .. }) = &append.claiming {
            let caller = Caller { run: append.run, intent: append.first_entry, owner: *owner, now: *now };
            if let Err(refusal) = amounts::claim(write, &caller, claims)? {
                return Ok(Err(refusal));
            }
        }
        for (intent, settlement) in &append.settlements {
            // A claim that somebody else has decided meanwhile stays as decided.
            let _decided = amounts::settle(write, append.run, *intent, *settlement)?;
        }
        self.append(write, append).map(Ok)
    }

    fn append(&mut self, write: &WriteTransaction, append: &Append) -> Result<(), Error> {
        let Some(live) = self.runs.get_mut(&append.run) else { return Ok(()) };
        append.blobs.iter().try_for_each(|blob| blob.put(write))?;
        if !append.kv.is_empty() {
            kv::apply(write, &append.kv)?;
        }
        let (run, entries) = (append.run, append.first_entry + append.count);
        if !append.told.is_empty() {
            forget_told(write, run, &append.told)?;
        }
        if let Some(change) = &append.waits {
            waits::apply(write, run, change)?;
        }
        let sign = |head: &_| Seal::new(&self.signer, self.key, run, entries, head);
        let seal: Option<&dyn Fn(&_) -> Seal> = if append.state.is_some() { Some(&sign) } else { None };
        let position = live.position(append);
        let head = self.builder.build(&position, &append.definitions, &append.body, &live.head, seal);
        let commit = self.log.add(write, self.builder.segment())?;
        if live.advance(append, commit, head, self.builder.segment().len() as u64) {
            live.tail.write(write, append.run)?;
        }
        self.touched.push(append.run);
        Ok(())
    }

    fn accept(&mut self, write: &WriteTransaction, accept: &Accept) -> Result<Result<(), Error>, Error> {
        let mut runs = write.open_table(tables::RUNS)?;
        if runs.get(accept.run.as_bytes())?.is_some() {
            return Ok(Err(Error::Live(accept.run)));
        }
        if let Some(gone) = blob::gone(write, &accept.blobs)? {
            return Ok(Err(Error::NoSuchBlob(gone)));
        }
        if let Some(Err(taken)) = accept.key.as_ref().map(|key| key.take(write, accept.run)).transpose()? {
            return Ok(Err(taken));
        }
        if let Some(parent) = accept.parent {
            if runs.get(parent.as_bytes())?.is_none() {
                return Ok(Err(Error::NoSuchRun(parent)));
            }
            write.open_table(tables::FORKS)?.insert(&lineage::key(parent, accept.run), ())?;
        }
        accept.blobs.iter().try_for_each(|blob| blob.put(write))?;
        let Accept { entries, fuel, .. } = *accept;
        let extent = Extent { entries, segments: 0, fuel, bytes: accept.header.stored_len() };
        let blobs = accept.blobs.iter().map(|blob| blob.digest).collect();
        let row = Row { epoch: 1, extent, blobs, state: None, header: accept.header.clone() };
        runs.insert(accept.run.as_bytes(), &*row.encode(accept.run))?;
        unfinished::accepted(write, &accept.listed)?;
        self.runs.insert(accept.run, Live::accepted(extent, accept.first_head, accept.progress.clone()));
        Ok(Ok(()))
    }

    /// Fences the owner there is and makes the sender the owner, if it has seen the run's last entry.
    fn take_over(&mut self, write: &WriteTransaction, take: &TakeOver) -> Result<Result<(), Error>, Error> {
        let row = match row::load(&write.open_table(tables::RUNS)?, take.run) {
            Ok(row) => row,
            Err(error) => return Ok(Err(error)),
        };
        let before = self.runs.get(&take.run);
        let entries = before.map_or(take.extent.entries, |live| live.extent.entries);
        let fenced = Error::Fenced {
            run: take.run,
            epoch: row.epoch + 1,
            entry: entries,
            claimed_epoch: take.epoch,
            claimed_entry: take.extent.entries,
        };
        if entries != take.extent.entries || row.epoch + 1 != take.epoch {
            return Ok(Err(fenced));
        }
        live::update_row(write, take.run, |row| row.epoch = take.epoch)?;
        let mut owned = Live::taken_over(take);
        if let Some(before) = self.runs.remove(&take.run) {
            before.progress.fail(fenced);
            owned = before.handed_to(take);
        }
        self.runs.insert(take.run, owned);
        Ok(Ok(()))
    }

    fn remove(&mut self, write: &WriteTransaction, run: RunId) -> Result<Result<(), Error>, Error> {
        if let Some(fork) = lineage::fork_of(&write.open_table(tables::FORKS)?, run)? {
            return Ok(Err(Error::HasFork { run, fork }));
        }
        if let Some(live) = self.runs.get_mut(&run) {
            if !live.left {
                return Ok(Err(Error::Live(run)));
            }
            live.settle(write, run, None)?;
        }
        let removed = remove::remove(write, run)?;
        if removed.is_ok() {
            // What its writer sends yet comes too late.
            self.runs.remove(&run);
        }
        Ok(removed)
    }

    /// Settles the runs whose state changed in this commit.
    fn settle_states(
        &mut self,
        write: &WriteTransaction,
        group: &mut [Message],
        answers: &[Result<(), Error>],
    ) -> Result<(), Error> {
        for (message, answer) in group.iter_mut().zip(answers) {
            let Message::Append(append) = message else { continue };
            let Some(state) = append.state.take().filter(|_| answer.is_ok()) else { continue };
            if let Some(live) = self.runs.get_mut(&append.run) {
                live.settle(write, append.run, Some(state))?;
            }
        }
        Ok(())
    }

    /// Completes the index when that is due, and says in the file how far it is complete.
    fn note_indexed(&mut self, write: &WriteTransaction) -> Result<(), Error> {
        if self.log.unindexed() == 0 {
            return Ok(());
        }
        if self.log.unindexed() >= UNINDEXED_MAX {
            self.settle_runs(write)?;
        }
        if self.runs.values().all(Live::is_settled) {
            write.open_table(tables::META)?.insert(tables::INDEXED, self.log.next())?;
            self.log.indexed();
        }
        Ok(())
    }

    fn settle_runs(&mut self, write: &WriteTransaction) -> Result<(), Error> {
        let mut unsettled = self.runs.iter_mut().filter(|(_, live)| !live.is_settled());
        unsettled.try_for_each(|(run, live)| live.settle(write, *run, None))
    }

    /// Completes the index in a commit of its own; a `quick` one makes recovery after a crash quick.
    pub(super) fn settle_all(&mut self, quick: bool) -> Result<(), Error> {
        let mut write = self.store.write()?;
        write.set_quick_repair(quick);
        self.settle_runs(&write)?;
        write.open_table(tables::META)?.insert(tables::INDEXED, self.log.next())?;
        write.commit()?;
        self.log.indexed();
        self.forget_left();
        Ok(())
    }

    /// Tells readers what the commit added.
    fn publish(&mut self) {
        let mut published = self.store.published();
        for run in &self.touched {
            if let Some(live) = self.runs.get(run) {
                live.publish(published.entry(*run).or_default());
            }
        }
    }

    fn note_leaving(&mut self, group: &[Message]) {
        for message in group {
            let Message::Leave(run, epoch) = message else { continue };
            if let Some(live) = self.runs.get_mut(run).filter(|live| live.epoch == *epoch) {
                live.left = true;
            }
        }
    }

    /// Forgets the runs whose owners have gone, once index and row say all of them.
    fn forget_left(&mut self) {
        if !self.runs.values().any(Live::is_over) {
            return;
        }
        let mut published = self.store.published();
        self.runs.retain(|run, live| {
            let keep = !live.is_over();
            if !keep {
                published.remove(run);
            }
            keep
        });
    }
}

/// Forgets what a run was told of.
fn forget_told(write: &WriteTransaction, run: RunId, told: &[Told]) -> Result<(), Error> {
    told.iter().try_for_each(|told| match told {
        Told::Signal(key) => signals::forget(write, key),
        Told::Decision(entry) => approvals::forget(write, run, *entry),
    })
}

/// Tells the sender of a message what became of it.
fn answer(message: Message, answer: Result<(), Error>) {
    match message {
        Message::Append(mut append) => {
            let (entries, buffer) = (append.first_entry + append.count, std::mem::take(&mut append.body));
            match &answer {
                Ok(()) => append.promise.keep(entries, buffer),
                Err(refusal) if append.claiming.is_some() && refusal.refuses_claim() => append.promise.release(buffer),
                Err(error) => append.promise.fail(error.clone()),
            }
            if let Some(claiming) = append.claiming {
                claiming.question.answer(answer);
            }
        }
        Message::Accept(accept) => reply(&accept.reply, answer),
        Message::TakeOver(take) => reply(&take.reply, answer),
        Message::Remove(_, to) | Message::Edit(_, to) => reply(&to, answer),
        Message::Barrier | Message::Leave(..) | Message::Close => {}
    }
}

/// Answers somebody who may have stopped waiting.
fn reply(to: &Reply, answer: Result<(), Error>) {
    let _gone = to.send(answer);
}
