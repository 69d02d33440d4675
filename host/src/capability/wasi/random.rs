//! `wasi:random`: the run's seeded generator. The bytes follow from the seed in the run's header, so they are not
//! recorded; the insecure interfaces draw from a second stream, so that their use does not shift the secure one.

use chacha20::ChaCha20Rng;
use chacha20::rand_core::Rng;

use crate::capability::link::Link;
use crate::gate::Halt;
use crate::meter::{Crossed, LimitKind};

pub(super) fn link(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link.pure("wasi:random/random#get-random-bytes", |derived, _, &(len,): &(u64,)| {
        Ok((bytes(&mut derived.random, len, derived.payload_max)?,))
    })?;
    link.pure("wasi:random/random#get-random-u64", |derived, _, _: &()| Ok((derived.random.next_u64(),)))?;
    link.pure("wasi:random/insecure#get-insecure-random-bytes", |derived, _, &(len,): &(u64,)| {
        Ok((bytes(&mut derived.insecure_random, len, derived.payload_max)?,))
    })?;
    link.pure("wasi:random/insecure#get-insecure-random-u64", |derived, _, _: &()| {
        Ok((derived.insecure_random.next_u64(),))
    })?;
    link.pure("wasi:random/insecure-seed#insecure-seed", |derived, _, _: &()| {
        Ok(((derived.insecure_random.next_u64(), derived.insecure_random.next_u64()),))
    })
}

/// Draws bytes. The payload limit stops a guest from having the host make 2^64 of them.
fn bytes(random: &mut ChaCha20Rng, len: u64, max: u64) -> Result<Vec<u8>, Halt> {
    if len > max {
        return Err(Crossed { limit: LimitKind::Payload, max, wanted: len }.into());
    }
    let mut bytes = vec![0; len as usize];
    random.fill_bytes(&mut bytes);
    Ok(bytes)
}
