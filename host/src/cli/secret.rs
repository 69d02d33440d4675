//! `remit secret`: what the operator stores for plugins that never hold it.

use std::io::{self, Read as _};
use std::path::Path;

use serde_json::json;
use zeroize::Zeroizing;

use super::Shell;
use super::args::{self, Json};
use super::caller::{self, Stream};
use super::exit::Exit;
use super::find::{self, Named};
use super::plugin::{Declared, Identity};
use super::report::{Failure, OrFail as _, Result, note, print, print_json};
use super::session::Session;
use super::table::table;
use crate::home::{self, VaultFileError};
use crate::manifest::{Name, Place};
use crate::secret::{self, Binding, Change, Listed, Secret, VaultError};

/// Runs one of the subcommands.
pub(super) fn secret(shell: &Shell, command: &args::Secret) -> Result {
    match command {
        args::Secret::Set(args) => set(shell, &args.name),
        args::Secret::List(args) => list(shell, args),
        args::Secret::Bind(args) => bind(shell, args),
        args::Secret::Unbind(args) => unbind(shell, args),
        args::Secret::Remove(args) => remove(shell, &args.name),
    }
}

fn set(shell: &Shell, name: &Name) -> Result {
    // Read before the home is opened: a person may take their time, and others would wait.
    let value = if caller::is_terminal(Stream::Stdin) { ask(name)? } else { read(caller::stdin())? };
    let secret = Secret::new(value).map_err(|unfit| {
        Failure::from_error(Exit::Usage, unfit).context(format_args!("cannot store {name}")).hint(unfit.hint())
    })?;
    let now = shell.clock().now();
    let change = shell
        .open_home("remit secret set")?
        .change_vault(|vault| -> Result<Change> { Ok(vault.set(name.clone(), secret, now)?) })?;
    match change {
        Change::Replaced => note(format_args!("secret {name} has a new value, and its bindings as before")),
        Change::Added | Change::Unchanged => {
            note(format_args!("stored secret {name}; `remit secret bind {name}` lets a plugin's requests carry it"));
        }
    }
    Ok(Exit::Ok)
}

fn ask(name: &Name) -> Result<Zeroizing<Vec<u8>>> {
    let value = caller::ask_hidden(&format!("value of {name} (not shown): "));
    let value = value.or_fail(Exit::HostFailed, "cannot read from the terminal")?;
    Ok(Zeroizing::new(value.into_bytes()))
}

/// Reads a value up to the end, less one line end, which an editor or `echo` put there.
fn read(input: impl io::Read) -> Result<Zeroizing<Vec<u8>>> {
    // Of a value that is too long, as much as shows that it is. All the room at once: growing would leave copies.
    let room = Secret::LEN_MAX + 3;
    let mut value = Zeroizing::new(Vec::with_capacity(room + 32));
    input.take(room as u64).read_to_end(&mut value).or_fail(Exit::HostFailed, "cannot read standard input")?;
    if value.ends_with(b"\n") {
        value.pop();
        if value.ends_with(b"\r") {
            value.pop();
        }
    }
    Ok(value)
}

fn list(shell: &Shell, args: &Json) -> Result {
    let vault = home::vault(&shell.home_path()?)?;
    if args.json {
        print_json(&vault.list().map(|listed| as_json(&listed)).collect::<Vec<_>>())?;
        return Ok(Exit::Ok);
    }
    if vault.list().next().is_none() {
        note("no secrets yet: store one with `remit secret set NAME`");
        return Ok(Exit::Ok);
    }
    print(table(&["secret", "set (UTC)", "plugin", "to", "in"], vault.list().flat_map(|listed| rows(&listed))))?;
    Ok(Exit::Ok)
}

/// Returns a row for each binding; one without for a secret that is bound to nothing.
fn rows(listed: &Listed<'_>) -> Vec<Vec<String>> {
    let row = |plugin: String, to: String, slot: String| {
        vec![listed.name.to_string(), listed.set.to_string(), plugin, to, slot]
    };
    let bound = |binding: &Binding| row(binding.plugin.clone(), url(&binding.place), slot(binding));
    match listed.bindings {
        [] => vec![row("-".into(), "-".into(), "-".into())],
        bindings => bindings.iter().map(bound).collect(),
    }
}

fn as_json(listed: &Listed<'_>) -> serde_json::Value {
    let binding = |binding: &Binding| {
        json!({
            "plugin": binding.plugin,
            "to": url(&binding.place),
            "slot": binding.slot,
            "prefix": binding.prefix,
        })
    };
    let bindings: Vec<_> = listed.bindings.iter().map(binding).collect();
    json!({ "name": listed.name, "set": listed.set, "bindings": bindings })
}

/// Returns a place as `--to` takes it: without the star behind what everything below begins with.
fn url(place: &Place) -> String {
    let shown = place.to_string();
    let is_folder = place.path.path().ends_with('/');
    shown.strip_suffix('*').filter(|_| is_folder).map(str::to_owned).unwrap_or(shown)
}

fn slot(binding: &Binding) -> String {
    match binding.prefix.as_str() {
        "" => binding.slot.to_string(),
        prefix => format!("{} behind {prefix:?}", binding.slot),
    }
}

fn bind(shell: &Shell, args: &args::SecretBind) -> Result {
    let binding = Binding {
        plugin: identity(shell, &args.plugin)?,
        place: args.to.clone(),
        slot: args.slot.slot().clone(),
        prefix: args.prefix.clone(),
    };
    let (name, shown) = (&args.name, format!("{}, {}", url(&binding.place), slot(&binding)));
    let plugin = binding.plugin.clone();
    shell.open_home("remit secret bind")?.change_vault(|vault| -> Result<Change> { Ok(vault.bind(name, binding)?) })?;
    note(format_args!("{name} goes with requests of {plugin} to {shown}"));
    if !args.to.path.path().ends_with('/') {
        note("that is one path alone: end it with / for everything below");
    }
    if secret::is_exposed(&args.to) {
        note("careful: this is plain HTTP to another machine, and whoever carries the bytes reads the secret");
    }
    Ok(Exit::Ok)
}

fn unbind(shell: &Shell, args: &args::SecretUnbind) -> Result {
    let (name, plugin) = (&args.name, identity(shell, &args.plugin)?);
    let home = shell.open_home("remit secret unbind")?;
    let ended = home.change_vault(|vault| -> Result<usize> { Ok(vault.unbind(name, &plugin, args.to.as_ref())?) })?;
    let bindings = if ended == 1 { "binding" } else { "bindings" };
    note(format_args!("{name} goes with no such request of {plugin} any more: {ended} {bindings} ended"));
    Ok(Exit::Ok)
}

fn remove(shell: &Shell, name: &Name) -> Result {
    let home = shell.open_home("remit secret remove")?;
    home.change_vault(|vault| -> Result<()> { Ok(vault.remove(name)?) })?;
    note(format_args!("removed secret {name}"));
    Ok(Exit::Ok)
}

/// Returns the identity of the plugin that is named: by its identity, by its folder, built or not, by its file, or by the
/// name that it is installed under. A path that exists wins.
fn identity(shell: &Shell, plugin: &Path) -> Result<String> {
    if let Some(identity) = declared(plugin)? {
        return Ok(identity);
    }
    match Named::read(shell, plugin)? {
        Named::OnDisk(plugin) => Ok(plugin.identity.to_string()),
        Named::Installed(name) => {
            let session = Session::open(shell, "remit secret")?;
            let identity = find::installed(session.journal(), &name)?.newest.identity;
            session.close()?;
            Ok(identity)
        }
    }
}

/// Returns the identity that needs no component: one that is written out, or a folder's.
fn declared(plugin: &Path) -> Result<Option<String>> {
    let text = plugin.to_string_lossy();
    if text.starts_with("folder:") || text.starts_with("file:") {
        return Ok(Some(text.into_owned()));
    }
    if !caller::path(plugin).is_dir() {
        return Ok(None);
    }
    let Declared { folder, manifest, .. } = Declared::read(plugin)?;
    Ok(Some(Identity::Folder { folder, name: manifest.name }.to_string()))
}

impl From<VaultError> for Failure {
    fn from(error: VaultError) -> Self {
        let hint = match &error {
            VaultError::NoSuchSecret(name) => {
                format!("`remit secret list` lists them; `remit secret set {name}` stores it")
            }
            VaultError::NotBound { .. } => "`remit secret list` shows what is bound to what".to_owned(),
            VaultError::Taken { secret, binding } => {
                let (plugin, to) = (&binding.plugin, url(&binding.place));
                format!("end that first: `remit secret unbind {secret} --plugin '{plugin}' --to {to}`")
            }
            VaultError::TooManySecrets => "remove one that nothing uses: `remit secret remove NAME`".to_owned(),
            VaultError::TooManyBindings(name) => {
                format!("end those that nothing uses: `remit secret unbind {name} --plugin PLUGIN`")
            }
        };
        Self::from_error(Exit::Usage, error).hint(hint)
    }
}

impl From<VaultFileError> for Failure {
    fn from(error: VaultFileError) -> Self {
        let hint = error.hint();
        match error {
            VaultFileError::Home(error) => error.into(),
            error => Self::from_error(Exit::HostFailed, error).hint(hint),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_end_belongs_to_the_shell() {
        for (input, value) in [
            ("token-123", "token-123"),
            ("token-123\n", "token-123"),
            ("token-123\r\n", "token-123"),
            ("token-123\n\n", "token-123\n"),
            ("token-123\r", "token-123\r"),
            ("", ""),
        ] {
            assert_eq!(read(input.as_bytes()).unwrap().as_slice(), value.as_bytes(), "{input:?}");
        }
        let endless = read(io::repeat(b'x')).unwrap();
        assert!(endless.len() > Secret::LEN_MAX && Secret::new(endless).is_err());
    }

    #[test]
    fn a_place_is_shown_as_it_is_given() {
        for text in ["https://x.example/", "https://x.example/v1/", "https://x.example/v1", "https://x.example/v1/*"] {
            assert_eq!(url(&text.parse().unwrap()), text);
        }
    }

    #[test]
    fn a_plugin_that_is_not_built_is_named_by_folder_or_identity() {
        let folder = tempfile::tempdir().unwrap();
        let manifest = "[plugin]\nname = \"crm\"\nversion = \"0.1.0\"\nkind = \"connector\"\n";
        std::fs::write(folder.path().join("remit.toml"), manifest).unwrap();
        let printed = declared(folder.path()).unwrap().unwrap();
        assert!(printed.starts_with("folder:") && printed.ends_with("#crm"), "{printed}");
        assert_eq!(declared(Path::new(&printed)).unwrap(), Some(printed));
        assert_eq!(declared(&folder.path().join("none.wasm")).unwrap(), None);
    }
}
