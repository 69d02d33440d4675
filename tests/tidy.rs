//! The repository held to its own rules, by reading its text.
//!
//! Each rule is a function from a tree of files to sentences about what breaks it, and each sentence says the way out.
//! It is run on the repository, and on a made-up tree that breaks it, so that a rule which can no longer fail is noticed.

mod crates;
mod five_places;
mod forgotten;
mod house;
mod layers;
mod source;
