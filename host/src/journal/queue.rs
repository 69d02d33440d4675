//! The way to the writer thread: a bounded queue that wakes it only for what is worth a commit.
//!
//! Somebody who waits for a message wakes the thread at once. What nobody waits for gathers company first, and those who
//! send it do not pay for a wake-up that would find next to nothing to do.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::error::Error;
use super::message::Message;

/// How many messages may wait before those who send them wait too.
const LEN_MAX: usize = 256;
/// How many of them are worth a commit.
const WORTH_LEN: usize = LEN_MAX / 2;
/// How many bytes of theirs are, before compression.
const WORTH_BYTES: usize = 1024 * 1024;
/// How long a message that nobody waits for may wait for company.
const GATHER: Duration = Duration::from_millis(3);

/// Makes a queue. Dropping the sender lets the receiver come to its end; dropping the receiver refuses what is sent.
pub(super) fn queue() -> (Sender, Receiver) {
    let shared = Arc::<Shared>::default();
    (Sender(shared.clone()), Receiver(shared))
}

/// The end of those who ask the writer thread.
pub(super) struct Sender(Arc<Shared>);

/// The end of the writer thread.
pub(super) struct Receiver(Arc<Shared>);

/// What a receiver that waited has got.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Gathered {
    /// Messages for one commit.
    Some,
    /// Nothing, in all the time that it was to wait.
    Nothing,
    /// The last messages, if any: none will follow.
    Last,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    arrived: Condvar,
    room: Condvar,
}

#[derive(Default)]
struct State {
    messages: VecDeque<Message>,
    bytes: usize,
    /// Whether somebody waits for one of the messages, or wants the thread to finish.
    urgent: bool,
    /// Whether the sender is gone.
    ended: bool,
    /// Whether the receiver is gone.
    refused: bool,
    awaited: Awaited,
    /// How many senders wait for room.
    crowd: usize,
}

/// What the receiver waits for.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Awaited {
    #[default]
    Nothing,
    Anything,
    Worth,
}

impl State {
    fn is_worth(&self) -> bool {
        self.urgent || self.ended || self.bytes >= WORTH_BYTES || self.messages.len() >= WORTH_LEN
    }

    fn is_awaited(&self) -> bool {
        match self.awaited {
            Awaited::Nothing => false,
            Awaited::Anything => true,
            Awaited::Worth => self.is_worth(),
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics between two changes that belong together.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sender {
    /// Puts a message in the queue, once there is room.
    ///
    /// # Errors
    /// [`Error::Closed`] when the writer thread has gone.
    pub fn send(&self, message: Message) -> Result<(), Error> {
        self.send_all([message])
    }

    /// Puts messages in the queue such that one commit holds them all, once there is room.
    ///
    /// # Errors
    /// As [`Sender::send`].
    pub fn send_all(&self, messages: impl IntoIterator<Item = Message>) -> Result<(), Error> {
        let mut state = self.0.lock();
        while state.messages.len() >= LEN_MAX && !state.refused {
            state.crowd += 1;
            state = self.0.room.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.crowd -= 1;
        }
        if state.refused {
            return Err(Error::Closed);
        }
        for message in messages {
            state.bytes += message.size();
            state.urgent |= message.is_urgent();
            state.messages.push_back(message);
        }
        if state.is_awaited() {
            state.awaited = Awaited::Nothing;
            drop(state);
            self.0.arrived.notify_one();
        }
        Ok(())
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.0.lock().ended = true;
        self.0.arrived.notify_one();
    }
}

impl Receiver {
    /// Waits for what is worth a commit and moves everything that is queued then to `group`. Waits no longer than
    /// `patience` for a first message.
    pub fn gather(&self, patience: Option<Duration>, group: &mut Vec<Message>) -> Gathered {
        let mut state = self.first(patience);
        if !state.messages.is_empty() && !state.is_worth() {
            state = self.wait(state, Awaited::Worth, Some(GATHER));
        }
        let crowd = state.crowd;
        let before = group.len();
        group.extend(state.messages.drain(..));
        (state.bytes, state.urgent) = (0, false);
        let ended = state.ended;
        drop(state);
        if crowd > 0 {
            self.0.room.notify_all();
        }
        if let Some(close) = group[before..].iter().position(|message| matches!(message, Message::Close)) {
            group.truncate(before + close);
            return Gathered::Last;
        }
        match group.len() > before {
            true => Gathered::Some,
            false if ended => Gathered::Last,
            false => Gathered::Nothing,
        }
    }

    fn first(&self, patience: Option<Duration>) -> MutexGuard<'_, State> {
        let state = self.0.lock();
        if state.messages.is_empty() && !state.ended { self.wait(state, Awaited::Anything, patience) } else { state }
    }

    /// Waits until a sender finds that what is awaited has come.
    fn wait<'a>(
        &self,
        mut state: MutexGuard<'a, State>,
        awaited: Awaited,
        patience: Option<Duration>,
    ) -> MutexGuard<'a, State> {
        state.awaited = awaited;
        let goes_on = |state: &mut State| state.awaited == awaited && !state.ended;
        let arrived = &self.0.arrived;
        let mut state = match patience {
            None => arrived.wait_while(state, goes_on).unwrap_or_else(PoisonError::into_inner),
            Some(time) => arrived.wait_timeout_while(state, time, goes_on).unwrap_or_else(PoisonError::into_inner).0,
        };
        state.awaited = Awaited::Nothing;
        state
    }
}

impl Drop for Receiver {
    /// Drops what is queued: whoever waits for it hears that.
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.refused = true;
        let left = std::mem::take(&mut state.messages);
        drop(state);
        self.0.room.notify_all();
        drop(left);
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::id::RunId;
    use crate::time::Timestamp;

    fn idle(number: u64) -> Message {
        Message::Leave(RunId::new(Timestamp::from_micros(number)), number)
    }

    fn numbers(group: &[Message]) -> Vec<u64> {
        let number = |message: &Message| if let Message::Leave(_, number) = message { *number } else { u64::MAX };
        group.iter().map(number).collect()
    }

    #[test]
    fn what_somebody_waits_for_comes_with_all_that_was_sent_before() {
        let (sender, receiver) = queue();
        for message in [idle(1), idle(2), Message::Barrier] {
            sender.send(message).unwrap();
        }
        let mut group = Vec::new();
        assert_eq!(receiver.gather(None, &mut group), Gathered::Some);
        assert_eq!(numbers(&group), [1, 2, u64::MAX]);
        assert_eq!(receiver.gather(Some(Duration::ZERO), &mut group), Gathered::Nothing);
    }

    #[test]
    fn only_what_somebody_waits_for_is_worth_a_commit_by_itself() {
        let (sender, receiver) = queue();
        let is_worth = || receiver.0.lock().is_worth();
        sender.send(idle(1)).unwrap();
        assert!(!is_worth());
        sender.send(Message::Barrier).unwrap();
        assert!(is_worth());
        receiver.gather(None, &mut Vec::new());
        assert!(!is_worth(), "what was taken does not count");
        (0..WORTH_LEN as u64).for_each(|number| sender.send(idle(number)).unwrap());
        assert!(is_worth(), "many are");
    }

    #[test]
    fn what_nobody_waits_for_comes_by_itself() {
        let (sender, receiver) = queue();
        sender.send(idle(1)).unwrap();
        let mut group = Vec::new();
        assert_eq!(receiver.gather(None, &mut group), Gathered::Some);
        assert_eq!(numbers(&group), [1]);
    }

    #[test]
    fn a_waiting_receiver_is_woken() {
        let (sender, receiver) = queue();
        let gathered = thread::spawn(move || {
            let mut group = Vec::new();
            (receiver.gather(None, &mut group), numbers(&group))
        });
        sender.send(Message::Barrier).unwrap();
        assert_eq!(gathered.join().unwrap(), (Gathered::Some, vec![u64::MAX]));
    }

    #[test]
    fn a_full_queue_makes_senders_wait_and_loses_nothing() {
        const SENT: u64 = 20 * LEN_MAX as u64;
        let (sender, receiver) = queue();
        let sending = thread::spawn(move || (0..SENT).try_for_each(|number| sender.send(idle(number))));
        while receiver.0.lock().crowd == 0 && !sending.is_finished() {
            thread::yield_now();
        }
        assert_eq!(receiver.0.lock().messages.len(), LEN_MAX, "the sender waits for room");
        let mut group = Vec::new();
        while receiver.gather(None, &mut group) != Gathered::Last {}
        assert!(sending.join().unwrap().is_ok());
        assert_eq!(numbers(&group), (0..SENT).collect::<Vec<_>>());
    }

    #[test]
    fn nothing_follows_a_close() {
        let (sender, receiver) = queue();
        for message in [idle(1), Message::Close, idle(2)] {
            sender.send(message).unwrap();
        }
        let mut group = Vec::new();
        assert_eq!(receiver.gather(None, &mut group), Gathered::Last);
        assert_eq!(numbers(&group), [1]);
    }

    #[test]
    fn a_queue_whose_receiver_has_gone_refuses() {
        let (sender, receiver) = queue();
        let filled = (0..LEN_MAX as u64).try_for_each(|number| sender.send(idle(number)));
        assert!(filled.is_ok());
        let waiting = thread::spawn(move || sender.send(Message::Barrier));
        drop(receiver);
        assert!(matches!(waiting.join().unwrap(), Err(Error::Closed)));
    }
}
