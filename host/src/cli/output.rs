//! What a run shows: its output while it runs, and how it ended.

use serde_json::{Value as Json, json};

use super::caller::{self, Stream};
use super::outcome::{self, exit_of, tell};
use super::report::{Result, print_bytes, print_json};
use super::session::Session;
use crate::engine::World;
use crate::gate::{End, Outcome, OutputStream};
use crate::id::RunId;

/// Where a guest's output goes while it runs: a command's stdout is the result; everything else is for people.
pub struct Output {
    world: World,
    json: bool,
    stdout: Vec<u8>,
    unread: bool,
}

impl Output {
    /// Begins to show what a guest of this world writes; as JSON at the end, where that is asked for.
    pub fn new(world: World, json: bool) -> Self {
        Self { world, json, stdout: Vec::new(), unread: false }
    }

    /// Shows some of it.
    pub fn show(&mut self, stream: OutputStream, bytes: &[u8]) {
        match stream {
            OutputStream::Stdout if self.json => self.stdout.extend_from_slice(bytes),
            OutputStream::Stdout if self.world == World::Command => {
                self.unread |= caller::write(Stream::Stdout, bytes).is_err();
            }
            // What a guest writes for people must not drive their terminal.
            _ if caller::is_terminal(Stream::Stderr) => {
                let text = String::from_utf8_lossy(bytes);
                let safe: String = text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
                let _unread = caller::write(Stream::Stderr, safe.as_bytes());
            }
            _ => {
                let _unread = caller::write(Stream::Stderr, bytes);
            }
        }
    }

    /// Shows how the run ended or is parked, and returns how the process ends.
    pub fn conclude(self, session: &Session, id: RunId, end: &End) -> Result {
        if self.json {
            let mut report = outcome::json(id, end);
            if self.world == World::Command {
                report["stdout"] = text_or_bytes(&self.stdout);
            }
            print_json(&report)?;
        } else if let Outcome::Succeeded { result: Some(result) } = &end.outcome {
            print_bytes(pretty(result).as_bytes())?;
        }
        tell(session, id, end)?;
        Ok(exit_of(&end.outcome))
    }
}

fn text_or_bytes(bytes: &[u8]) -> Json {
    match std::str::from_utf8(bytes) {
        Ok(text) => json!(text),
        Err(_) => json!({ "bytes": bytes }),
    }
}

/// Shows an agent's result: indented on a terminal, as it is otherwise.
fn pretty(result: &str) -> String {
    if caller::is_terminal(Stream::Stdout)
        && let Ok(value) = serde_json::from_str::<Json>(result)
    {
        return format!("{value:#}\n");
    }
    format!("{result}\n")
}
