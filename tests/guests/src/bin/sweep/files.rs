//! `wasi:filesystem`: every method of a descriptor and of a directory stream, on the mount `.`.

use wasip2::filesystem::{
    preopens,
    types::{Advice, Descriptor, DescriptorFlags, NewTimestamp, OpenFlags, PathFlags},
};

use crate::{
    Names,
    say::{answered, done},
    streams,
};

const FOLLOW: PathFlags = PathFlags::SYMLINK_FOLLOW;

/// Returns a method's full name.
fn on(method: &str) -> String {
    format!("wasi:filesystem/types#[method]descriptor.{method}")
}

pub fn sweep(names: &Names) {
    let mounts = done("wasi:filesystem/preopens#get-directories", preopens::get_directories());
    let Some((root, _)) = mounts.iter().find(|(_, path)| path == ".") else {
        println!("wasi:filesystem/types: not reached: no mount is called .");
        return;
    };
    let opened = root.open_at(FOLLOW, names.file, names.file_open, names.file_flags);
    if let Some(file) = answered(&on("open-at"), opened) {
        contents(&file);
        byte_streams(&file);
        facts(root, &file, names);
    }
    folders(root, names);
    links(root, names);
    answered(&on("unlink-file-at"), root.unlink_file_at(names.file));
    answered(&on("remove-directory-at"), root.remove_directory_at(names.folder));
}

/// Methods that read and change a file.
fn contents(file: &Descriptor) {
    answered(&on("write"), file.write(b"0123456789abcdef", 0));
    answered(&on("read"), file.read(4, 0));
    answered(&on("read"), file.read(4, u64::MAX));
    answered(&on("advise"), file.advise(0, 16, Advice::Sequential));
    answered(&on("set-size"), file.set_size(32));
    answered(&on("set-times"), file.set_times(NewTimestamp::Now, NewTimestamp::NoChange));
    answered(&on("sync-data"), file.sync_data());
    answered(&on("sync"), file.sync());
}

/// Methods that make streams, and every method of those.
fn byte_streams(file: &Descriptor) {
    let source = answered(&on("read-via-stream"), file.read_via_stream(0));
    if let Some(source) = &source {
        streams::read("file", source);
    }
    if let Some(source) = answered(&on("read-via-stream"), file.read_via_stream(u64::MAX)) {
        streams::said(
            "wasi:io/streams#[method]input-stream.blocking-read (far behind the end)",
            source.blocking_read(4),
        );
    }
    for (method, sink) in
        [("write-via-stream", file.write_via_stream(8)), ("append-via-stream", file.append_via_stream())]
    {
        if let (Some(sink), Some(source)) = (answered(&on(method), sink), &source) {
            streams::write("file", &sink, source);
        }
    }
}

/// Methods that tell about a file.
fn facts(root: &Descriptor, file: &Descriptor, names: &Names) {
    answered(&on("get-flags"), file.get_flags());
    answered(&on("get-type"), file.get_type());
    answered(&on("stat"), file.stat());
    answered(&on("stat-at"), root.stat_at(FOLLOW, names.file));
    answered(&on("metadata-hash"), file.metadata_hash());
    answered(&on("metadata-hash-at"), root.metadata_hash_at(FOLLOW, names.file));
    done(&on("is-same-object"), file.is_same_object(root));
    let times = root.set_times_at(FOLLOW, names.file, NewTimestamp::NoChange, NewTimestamp::Now);
    answered(&on("set-times-at"), times);
}

fn folders(root: &Descriptor, names: &Names) {
    answered(&on("create-directory-at"), root.create_directory_at(names.folder));
    let opened = root.open_at(FOLLOW, names.folder, OpenFlags::DIRECTORY, DescriptorFlags::READ);
    drop(answered(&on("open-at"), opened));
    let Some(entries) = answered(&on("read-directory"), root.read_directory()) else { return };
    let name = "wasi:filesystem/types#[method]directory-entry-stream.read-directory-entry";
    while let Some(Some(_)) = answered(name, entries.read_directory_entry()) {}
}

fn links(root: &Descriptor, names: &Names) {
    answered(&on("symlink-at"), root.symlink_at(names.file, "sweep-soft"));
    answered(&on("readlink-at"), root.readlink_at("sweep-soft"));
    answered(&on("link-at"), root.link_at(PathFlags::empty(), names.file, root, "sweep-hard"));
    answered(&on("rename-at"), root.rename_at("sweep-hard", root, "sweep-moved"));
    answered(&on("unlink-file-at"), root.unlink_file_at("sweep-moved"));
    answered(&on("unlink-file-at"), root.unlink_file_at("sweep-soft"));
}
