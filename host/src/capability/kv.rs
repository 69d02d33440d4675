//! `remit:plugin/kv`: small values that outlive a run, per plugin identity. A write commits in the same transaction
//! as the entry that caused it; a run sees its own pending writes, other runs only what is committed.

use super::Caps;
use super::bindings::kv::Error;
use super::link::{Call, Link};
use crate::gate::{Ask, Asked, Class, Halt, Turn};
use crate::meter::LimitKind;
use crate::scope::Access;

/// The longest key in bytes. It keeps a guest from moving values into keys, where no value limit would count them.
const KEY_LEN_MAX: usize = 1024;

/// The most keys one listing returns, whatever the guest asks for.
const KEYS_MAX: u32 = 1000;

type Get = Result<Option<Vec<u8>>, Error>;
type Done = Result<(), Error>;
type Keys = Result<Vec<String>, Error>;

pub(super) fn link(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link.sync(
        "remit:plugin/kv#get",
        Call::new(Class::ReadLocal, |turn, _, (key,): &(String,)| Ok((get(turn, key)?,)))
            .governed(|_, (key,)| reads(key), |_| (Get::Err(Error::Denied),)),
    )?;
    link.sync(
        "remit:plugin/kv#set",
        Call::new(Class::WriteLocal, |turn, _, (key, value): &(String, Vec<u8>)| Ok((set(turn, key, value)?,)))
            .governed(|_, (key, _)| writes(key), |_| (Done::Err(Error::Denied),))
            .restored(|again, _, (key, value), (done,)| {
                if done.is_ok() {
                    again.kv.kv_again(key, Some(value));
                }
            }),
    )?;
    link.sync(
        "remit:plugin/kv#delete",
        Call::new(Class::WriteLocal, |turn, _, (key,): &(String,)| Ok((delete(turn, key)?,)))
            .governed(|_, (key,)| writes(key), |_| (Done::Err(Error::Denied),))
            .restored(|again, _, (key,), (done,)| {
                if done.is_ok() {
                    again.kv.kv_again(key, None);
                }
            }),
    )?;
    link.sync(
        "remit:plugin/kv#keys",
        Call::new(Class::ReadLocal, |turn, _, (prefix, after, max): &(String, Option<String>, u32)| {
            Ok((keys(turn, prefix, after.as_deref(), *max)?,))
        })
        .governed(|_, (prefix, _, _)| reads(prefix), |_| (Keys::Err(Error::Denied),)),
    )
}

fn reads(key: &str) -> Asked<'_> {
    Asked { ask: Ask::Key(key, Access::Read), class: Class::ReadLocal }
}

fn writes(key: &str) -> Asked<'_> {
    Asked { ask: Ask::Key(key, Access::ReadWrite), class: Class::WriteLocal }
}

fn is_key(key: &str) -> bool {
    (1..=KEY_LEN_MAX).contains(&key.len())
}

fn get(turn: &mut Turn<'_, Caps>, key: &str) -> Result<Get, Halt> {
    if !is_key(key) {
        return Ok(Err(Error::InvalidKey));
    }
    Ok(Ok(turn.kv.kv_get(key)?))
}

fn set(turn: &mut Turn<'_, Caps>, key: &str, value: &[u8]) -> Result<Done, Halt> {
    if !is_key(key) {
        return Ok(Err(Error::InvalidKey));
    }
    let (value_len, limits) = (value.len() as u64, turn.limits);
    limits.check(LimitKind::KvValue, value_len)?;
    let key_len = key.len() as u64;
    let replaced = turn.kv.kv_get(key)?.map_or(0, |old| old.len() as u64 + key_len);
    let total = turn.kv.kv_total()?.saturating_sub(replaced) + key_len + value_len;
    limits.check(LimitKind::KvTotal, total)?;
    turn.kv.kv_set(key, value)?;
    turn.usage.kv_bytes = total;
    Ok(Ok(()))
}

fn delete(turn: &mut Turn<'_, Caps>, key: &str) -> Result<Done, Halt> {
    if !is_key(key) {
        return Ok(Err(Error::InvalidKey));
    }
    turn.kv.kv_delete(key)?;
    Ok(Ok(()))
}

fn keys(turn: &mut Turn<'_, Caps>, prefix: &str, after: Option<&str>, max: u32) -> Result<Keys, Halt> {
    if prefix.len() > KEY_LEN_MAX {
        return Ok(Err(Error::InvalidKey));
    }
    Ok(Ok(turn.kv.kv_keys(prefix, after, max.min(KEYS_MAX))?))
}
