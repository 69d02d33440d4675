//! Every test that looks at Remit from outside, in one binary, so that they link once.
//!
//! `tidy` holds the repository to its own rules. A capability's tests are in the file of its name.

mod binary;
mod command_line;
mod explore;
mod harness;
mod support;
mod tidy;
