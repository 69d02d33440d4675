//! What no guest can do, with the reason for each.

const NO_SOCKET: &str = "no remit of this version holds a socket, so the call is refused";
const NO_SOCKET_TO_CALL: &str = "no socket is ever created, so no guest holds one to call this with";
const NO_TERMINAL: &str = "no guest is given a terminal, so there is none to drop";
const READABLE: &str = "whatever is mounted may be read, and no handle leads elsewhere";
const NO_STREAM: &str = "a stream to a file is made only where the file may be written; the refusal comes there";

/// Functions that no run is allowed, or can call.
pub const NEVER_ALLOWED: &[(&str, &str)] = &[];

/// Governed functions that no run is refused.
pub const NEVER_REFUSED: &[(&str, &str)] = &[];
