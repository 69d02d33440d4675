//! What can be told of files and folders without reading them, and their times.

use std::time::SystemTime;

use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::sync::filesystem::types::{
    Advice, DescriptorFlags, DescriptorStat, DescriptorType, MetadataHashValue, NewTimestamp, PathFlags,
};
use wasmtime_wasi::p2::bindings::sync::io::streams::Error as IoError;

use super::{Answer, Own, at, changes, reads, repeatable};
use crate::capability::files::{self, Descriptor};
use crate::capability::link::{Call, Link};
use crate::capability::{Caps, FailureCode};
use crate::gate::{Class, Halt, Turn};

pub(super) fn link(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link_looks(link)?;
    link_times(link)
}

fn link_looks(link: &mut Link<'_>) -> wasmtime::Result<()> {
    reads(
        link,
        "wasi:filesystem/types#[method]descriptor.advise",
        |turn, _, (handle, offset, len, advice): &(Own, u64, u64, Advice)| {
            Ok((at(turn, handle).and_then(|descriptor| files::advise(descriptor, *offset, *len, *advice)),))
        },
    )?;
    reads(link, "wasi:filesystem/types#[method]descriptor.get-flags", |turn, _, (handle,): &(Own,)| {
        Ok((at(turn, handle).map(Descriptor::get_flags),)) as Result<Answer<DescriptorFlags>, Halt>
    })?;
    reads(link, "wasi:filesystem/types#[method]descriptor.get-type", |turn, _, (handle,): &(Own,)| {
        Ok((at(turn, handle).map(Descriptor::get_type),)) as Result<Answer<DescriptorType>, Halt>
    })?;
    reads(link, "wasi:filesystem/types#[method]descriptor.stat", |turn, _, (handle,): &(Own,)| {
        Ok((at(turn, handle).and_then(files::stat),)) as Result<Answer<DescriptorStat>, Halt>
    })?;
    reads(
        link,
        "wasi:filesystem/types#[method]descriptor.stat-at",
        |turn, _, (handle, flags, path): &(Own, PathFlags, String)| {
            Ok((at(turn, handle).and_then(|descriptor| files::stat_at(descriptor, *flags, path)),))
        },
    )?;
    reads(link, "wasi:filesystem/types#[method]descriptor.readlink-at", |turn, _, (handle, path): &(Own, String)| {
        Ok((at(turn, handle).and_then(|descriptor| files::readlink_at(descriptor, path)),))
    })?;
    reads(link, "wasi:filesystem/types#[method]descriptor.metadata-hash", |turn, _, (handle,): &(Own,)| {
        Ok((at(turn, handle).and_then(files::metadata_hash),)) as Result<Answer<MetadataHashValue>, Halt>
    })?;
    reads(
        link,
        "wasi:filesystem/types#[method]descriptor.metadata-hash-at",
        |turn, _, (handle, flags, path): &(Own, PathFlags, String)| {
            Ok((at(turn, handle).and_then(|descriptor| files::metadata_hash_at(descriptor, *flags, path)),))
        },
    )?;
    link.sync(
        "wasi:filesystem/types#[method]descriptor.is-same-object",
        Call::new(Class::ReadLocal, |turn, _, (one, other): &(Own, Own)| {
            let same = at(turn, one).and_then(|one| one.is_same_object(at(turn, other)?));
            Ok((same.unwrap_or(false),))
        }),
    )?;
    link.sync(
        "wasi:filesystem/types#filesystem-error-code",
        Call::new(Class::ReadLocal, |turn, _, (error,): &(Resource<IoError>,)| {
            Ok((turn.caps.errors.get(&error.rep()).and_then(|failure| match failure.code {
                FailureCode::File(code) => Some(code),
                FailureCode::Http(_) => None,
            }),))
        }),
    )
}

fn now(turn: &Turn<'_, Caps>) -> SystemTime {
    SystemTime::UNIX_EPOCH + turn.clock.wall()
}

fn link_times(link: &mut Link<'_>) -> wasmtime::Result<()> {
    let call = changes(
        Class::WriteFile,
        repeatable,
        |turn, _, (handle, accessed, modified): &(Own, NewTimestamp, NewTimestamp)| {
            Ok((at(turn, handle).and_then(|descriptor| files::set_times(descriptor, *accessed, *modified, now(turn))),))
        },
    );
    link.durable("wasi:filesystem/types#[method]descriptor.set-times", call)?;
    let call = changes(
        Class::WriteFile,
        repeatable,
        |turn, _, (handle, follow, path, accessed, modified): &(Own, PathFlags, String, NewTimestamp, NewTimestamp)| {
            let folder = at(turn, handle);
            Ok((folder.and_then(|folder| files::set_times_at(folder, *follow, path, *accessed, *modified, now(turn))),))
        },
    );
    link.durable("wasi:filesystem/types#[method]descriptor.set-times-at", call)
}
