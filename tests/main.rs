//! Every test that looks at Remit from outside, in one binary, so that they link once.
//!
//! `tidy` holds the repository to its own rules. A capability's tests are in the file of its name.

mod amounts;
mod approval;
mod bad_disk;
mod bad_input;
mod binary;
mod cli;
mod clocks;
mod command_line;
mod config;
mod conformance;
mod connectors;
mod coverage;
mod crashtest;
mod files;
mod fork;
mod harness;
mod http;
mod interrupted;
mod io;
mod kv;
mod lifecycle;
mod limits;
mod log;
mod model;
mod programs;
mod random;
mod replay;
mod resume;
mod secrets;
mod serve;
mod signal;
mod sockets;
mod support;
mod tidy;
mod timer;
mod tools;
mod triage;
mod versions;
