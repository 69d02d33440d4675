//! wasmtime's own filesystem, answering the same script.

use std::path::Path;

use wasmtime::component::{Resource, ResourceTable};
use wasmtime_wasi::filesystem::{Descriptor, FsPerms, WasiFilesystemCtxView, WasiFilesystemView};
use wasmtime_wasi::p2::FsResult;
use wasmtime_wasi::p2::bindings::filesystem::preopens::Host as _;
use wasmtime_wasi::p2::bindings::sync::filesystem::types::{
    Advice, ErrorCode, HostDescriptor, HostDirectoryEntryStream,
};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use super::super::Access;
use super::world::{Call, World, pair, show, show_stat};

pub struct Theirs {
    state: State,
    open: Vec<u32>,
}

struct State {
    ctx: WasiCtx,
    table: ResourceTable,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.ctx, table: &mut self.table }
    }
}

impl Theirs {
    pub fn new(root: &Path, access: Access) -> Self {
        let perms = if access == Access::ReadWrite { FsPerms::ReadWrite } else { FsPerms::ReadOnly };
        let mut builder = WasiCtx::builder();
        builder.allow_blocking_current_thread(true).preopened_dir(root, ".", perms).expect("folder opens");
        let mut state = State { ctx: builder.build(), table: ResourceTable::new() };
        let directories = state.filesystem().get_directories().expect("directories are listed");
        let open = directories.iter().map(|(directory, _)| directory.rep()).collect();
        Self { state, open }
    }

    fn list(&mut self, dir: Resource<Descriptor>) -> Result<Vec<String>, ErrorCode> {
        let mut view = self.state.filesystem();
        let stream = plain(view.read_directory(dir))?.rep();
        let mut entries = Vec::new();
        loop {
            match plain(view.read_directory_entry(Resource::new_borrow(stream))) {
                Ok(None) => break,
                Ok(Some(entry)) => entries.push((entry.name.clone(), show(Ok((entry.name, entry.type_))))),
                Err(error) => entries.push((String::new(), show::<()>(Err(error)))),
            }
        }
        entries.sort();
        Ok(entries.into_iter().map(|(_, shown)| shown).collect())
    }
}

fn plain<T>(result: FsResult<T>) -> Result<T, ErrorCode> {
    result.map_err(|error| error.downcast().expect("not a trap").into())
}

impl World for Theirs {
    fn answer(&mut self, call: &Call) -> String {
        if let Call::ReadDirectory(dir) = call {
            let dir = Resource::new_borrow(self.open[*dir]);
            return show(self.list(dir));
        }
        let open = self.open.clone();
        let fd = |index: &usize| Resource::<Descriptor>::new_borrow(open[*index]);
        let mut view: WasiFilesystemCtxView<'_> = self.state.filesystem();
        match call.clone() {
            Call::ReadDirectory(_) => unreachable!("answered above"),
            Call::Open(dir, path_flags, path, open_flags, flags) => {
                let opened = plain(view.open_at(fd(&dir), path_flags, path, open_flags, flags));
                show(opened.map(|descriptor| self.open.push(descriptor.rep())))
            }
            Call::GetFlags(one) => show(plain(view.get_flags(fd(&one)))),
            Call::GetType(one) => show(plain(view.get_type(fd(&one)))),
            Call::Stat(one) => show_stat(plain(view.stat(fd(&one)))),
            Call::StatAt(dir, flags, path) => show_stat(plain(view.stat_at(fd(&dir), flags, path))),
            Call::SetTimes(one, accessed, modified) => show(plain(view.set_times(fd(&one), accessed, modified))),
            Call::SetTimesAt(dir, flags, path, accessed, modified) => {
                show(plain(view.set_times_at(fd(&dir), flags, path, accessed, modified)))
            }
            Call::Read(one, len, offset) => show(plain(HostDescriptor::read(&mut view, fd(&one), len, offset))),
            Call::Write(one, bytes, offset) => show(plain(HostDescriptor::write(&mut view, fd(&one), bytes, offset))),
            Call::SetSize(one, size) => show(plain(view.set_size(fd(&one), size))),
            Call::CreateDirectory(dir, path) => show(plain(view.create_directory_at(fd(&dir), path))),
            Call::RemoveDirectory(dir, path) => show(plain(view.remove_directory_at(fd(&dir), path))),
            Call::Unlink(dir, path) => show(plain(view.unlink_file_at(fd(&dir), path))),
            Call::Symlink(dir, target, path) => show(plain(view.symlink_at(fd(&dir), target, path))),
            Call::Readlink(dir, path) => show(plain(view.readlink_at(fd(&dir), path))),
            Call::Link(old, flags, old_path, new, new_path) => {
                show(plain(view.link_at(fd(&old), flags, old_path, fd(&new), new_path)))
            }
            Call::Rename(old, old_path, new, new_path) => {
                show(plain(view.rename_at(fd(&old), old_path, fd(&new), new_path)))
            }
            Call::Advise(one, offset, len) => show(plain(view.advise(fd(&one), offset, len, Advice::Normal))),
            Call::Sync(one) => show(plain(view.sync(fd(&one)))),
            Call::SyncData(one) => show(plain(view.sync_data(fd(&one)))),
            Call::SameObject(one, other) => {
                show(Ok(view.is_same_object(fd(&one), fd(&other)).expect("objects are compared")))
            }
            Call::SameHash(one, dir, flags, path) => {
                let own = plain(view.metadata_hash(fd(&one))).expect("an open object has a hash");
                show(plain(view.metadata_hash_at(fd(&dir), flags, path)).map(|hash| pair(hash) == pair(own)))
            }
            Call::ReadViaStream(one) => show(plain(view.read_via_stream(fd(&one), 0)).map(drop)),
            Call::WriteViaStream(one) => show(plain(view.write_via_stream(fd(&one), 0)).map(drop)),
            Call::AppendViaStream(one) => show(plain(view.append_via_stream(fd(&one))).map(drop)),
        }
    }
}
