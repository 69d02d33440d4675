//! Changes that an operator makes: each is one transaction of the writer thread, durable when it is answered.

use std::sync::mpsc;

use redb::WriteTransaction;

use super::Core;
use super::error::Error;
use super::message::{Edit, Message};

impl Core {
    /// Makes a change and waits until it is durable. The inner result of `change` is a refusal, and then it must have
    /// changed nothing; an outer error fails the commit. Blocks for one commit.
    pub(super) fn edit<T: Send + 'static>(
        &self,
        change: impl FnOnce(&WriteTransaction) -> Result<Result<T, Error>, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (made, result) = mpsc::sync_channel(1);
        let edit: Edit = Box::new(move |write| {
            Ok(change(write)?.map(|value| {
                // Whoever asked is still there: it waits for the answer.
                let _unheard = made.send(value);
            }))
        });
        self.ask(|reply| Message::Edit(Some(edit), reply))?;
        result.recv().map_err(|_| Error::Closed)
    }
}
