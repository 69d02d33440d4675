//! A command that another process's host does: what goes over the connection once it is upgraded.
//!
//! ```text
//! u8   kind
//! u32  length of what follows, big-endian
//! ```
//!
//! The client begins with the command; then both send as they have something. The host's last frame is the exit code.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};

/// The protocol that a connection is upgraded to.
pub const PROTOCOL: &str = "remit-command";

/// The field that says which version asks, and which answers: both have to be the same.
pub const VERSION_FIELD: &str = "remit-version";

/// Bytes in a frame.
const LEN_MAX: usize = 1 << 20;

/// Bytes of input or output in a frame that is sent.
const CHUNK_LEN: usize = 64 * 1024;

/// The command that a client has done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// The command line, the program's name first; each as the system's bytes.
    pub arguments: Vec<Vec<u8>>,
    /// The client's folder, as the system's bytes.
    pub folder: Vec<u8>,
    /// Who the client acts for.
    pub principal: String,
    /// Whether each is a terminal.
    pub terminals: Streams,
    /// Whether each shows colours.
    pub colors: Streams,
}

/// Something for each standard stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Streams {
    /// Standard input.
    pub stdin: bool,
    /// Standard output.
    pub stdout: bool,
    /// Standard error.
    pub stderr: bool,
}

/// What a client sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FromClient {
    /// The command: first, and once.
    Command(Box<Command>),
    /// Some of its standard input, which the host wanted; nothing is its end.
    Input(Vec<u8>),
    /// What was typed where it was not shown.
    Answer(Vec<u8>),
    /// Somebody wants it to stop.
    Interrupt,
}

/// What a host sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FromHost {
    /// For standard output.
    Stdout(Vec<u8>),
    /// For standard error.
    Stderr(Vec<u8>),
    /// It wants some of the standard input. The client answers: it reads nothing that nobody wants.
    Input,
    /// Have somebody type something that is not shown. The client answers.
    Prompt(String),
    /// It has ended with this code.
    Exit(u8),
    /// It does the command: before this, nothing was done.
    Begun,
    /// This host does not do such commands: another may, when this one has ended.
    Later,
}

impl FromClient {
    /// Sends it.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn send(&self, to: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Command(command) => write(to, 0, &serde_json::to_vec(command)?),
            Self::Input(bytes) => write(to, 1, bytes),
            Self::Answer(bytes) => write(to, 2, bytes),
            Self::Interrupt => write(to, 3, &[]),
        }
    }

    /// Receives the next.
    ///
    /// # Errors
    /// When the connection is gone, or it is none.
    pub fn receive(from: &mut impl Read) -> io::Result<Self> {
        match read(from)? {
            (0, bytes) => Ok(Self::Command(serde_json::from_slice(&bytes)?)),
            (1, bytes) => Ok(Self::Input(bytes)),
            (2, bytes) => Ok(Self::Answer(bytes)),
            (3, bytes) if bytes.is_empty() => Ok(Self::Interrupt),
            (kind, _) => Err(unknown(kind)),
        }
    }
}

impl FromHost {
    /// Sends it, in several frames where it is long.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn send(&self, to: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Stdout(bytes) => bytes.chunks(CHUNK_LEN).try_for_each(|chunk| write(to, 0, chunk)),
            Self::Stderr(bytes) => bytes.chunks(CHUNK_LEN).try_for_each(|chunk| write(to, 1, chunk)),
            Self::Prompt(text) => write(to, 2, text.as_bytes()),
            Self::Exit(code) => write(to, 3, &[*code]),
            Self::Later => write(to, 4, &[]),
            Self::Input => write(to, 5, &[]),
            Self::Begun => write(to, 6, &[]),
        }
    }

    /// Receives the next.
    ///
    /// # Errors
    /// When the connection is gone, or it is none.
    pub fn receive(from: &mut impl Read) -> io::Result<Self> {
        match read(from)? {
            (0, bytes) => Ok(Self::Stdout(bytes)),
            (1, bytes) => Ok(Self::Stderr(bytes)),
            (2, bytes) => Ok(Self::Prompt(String::from_utf8_lossy(&bytes).into_owned())),
            (3, bytes) if bytes.len() == 1 => Ok(Self::Exit(bytes[0])),
            (4, _) => Ok(Self::Later),
            (5, _) => Ok(Self::Input),
            (6, _) => Ok(Self::Begun),
            (kind, _) => Err(unknown(kind)),
        }
    }
}

fn unknown(kind: u8) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("there is no frame {kind}"))
}

fn write(to: &mut impl Write, kind: u8, bytes: &[u8]) -> io::Result<()> {
    let len = u32::try_from(bytes.len()).ok().filter(|len| *len as usize <= LEN_MAX);
    let len = len.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the frame is too long"))?;
    // In one piece: two writers take turns by frames.
    let frame = [&[kind][..], &len.to_be_bytes(), bytes].concat();
    to.write_all(&frame)?;
    to.flush()
}

fn read(from: &mut impl Read) -> io::Result<(u8, Vec<u8>)> {
    let mut head = [0; 5];
    from.read_exact(&mut head)?;
    let [kind, len @ ..] = head;
    let len = u32::from_be_bytes(len) as usize;
    if len > LEN_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the frame is too long"));
    }
    let mut bytes = vec![0; len];
    from.read_exact(&mut bytes)?;
    Ok((kind, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_back_and_others_are_refused() {
        let (arguments, folder) = (vec![b"remit".to_vec(), vec![255, 0]], b"/x".to_vec());
        let (terminals, colors) = (Streams { stdin: true, ..Streams::default() }, Streams::default());
        let command = Command { arguments, folder, principal: "local:a".into(), terminals, colors };
        for frame in [
            FromClient::Command(Box::new(command)),
            FromClient::Input(vec![0; 100]),
            FromClient::Answer(Vec::new()),
            FromClient::Interrupt,
        ] {
            let mut bytes = Vec::new();
            frame.send(&mut bytes).unwrap();
            assert_eq!(FromClient::receive(&mut &*bytes).unwrap(), frame);
            assert!(FromClient::receive(&mut &bytes[..bytes.len() - 1]).is_err());
        }
        for frame in [FromHost::Stdout(vec![1]), FromHost::Prompt("é".into()), FromHost::Exit(250), FromHost::Later] {
            let mut bytes = Vec::new();
            frame.send(&mut bytes).unwrap();
            assert_eq!(FromHost::receive(&mut &*bytes).unwrap(), frame);
        }
        for bytes in
            [&[9, 0, 0, 0, 0][..], &[0, 255, 255, 255, 255], &[3, 0, 0, 0, 2, 1, 1], &[0, 0, 0, 0, 1, b'{'], &[]]
        {
            assert!(
                FromClient::receive(&mut &*bytes).is_err()
                    && FromHost::receive(&mut &bytes[..bytes.len().min(4)]).is_err()
            );
        }
    }

    #[test]
    fn what_is_long_goes_in_pieces() {
        let mut bytes = Vec::new();
        FromHost::Stdout(vec![7; 3 * CHUNK_LEN + 1]).send(&mut bytes).unwrap();
        let (mut rest, mut len) = (&*bytes, 0);
        while let Ok(FromHost::Stdout(chunk)) = FromHost::receive(&mut rest) {
            len += chunk.len();
        }
        assert_eq!(len, 3 * CHUNK_LEN + 1);
    }
}
