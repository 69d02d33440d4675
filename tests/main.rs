//! Every test that looks at Remit from outside, in one binary, so that they link once.
//!
//! `tidy` holds the repository to its own rules. A capability's tests are in the file of its name.

mod support;
mod tidy;
