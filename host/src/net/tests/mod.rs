//! The sender against servers that misbehave, on loopback or in memory, with a table for a resolver and a dialler that
//! counts.

mod addresses;
mod deadlines;
mod hostile;
mod late;
mod mutated;
mod pace;
mod requests;
mod reuse;
mod secure;
mod system;
mod throughput;
mod world;

use super::*;
use crate::manifest::Addresses;
use crate::scope::HttpTarget;

use self::world::{Step, World};

const PARTITION: Partition = Partition::new([7; 32]);

fn request_by(method: &str, scheme: &str, authority: &str, path: &str) -> Request {
    let target = HttpTarget::parse(method, scheme, authority, path).unwrap();
    Request { target, headers: Fields::new(), body: Bytes::new() }
}

fn get(authority: &str) -> Request {
    request_by("GET", "http", authority, "/")
}

fn post(authority: &str, body: &'static str) -> Request {
    Request { body: Bytes::from_static(body.as_bytes()), ..request_by("POST", "http", authority, "/") }
}

/// Returns addresses as a grant names them.
fn named(elements: &[&str]) -> Addresses {
    elements.iter().fold(Addresses::default(), |set, text| set.with(&text.parse().unwrap()))
}

fn terms() -> Terms {
    Terms::new(PARTITION)
}

/// Returns a response of status 200 with this body.
fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}
