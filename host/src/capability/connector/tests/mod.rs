//! The forms of a value against each other, and calls through both ends of a link.

mod encoding;
mod linked;
