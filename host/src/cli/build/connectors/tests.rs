//! What a plugin gets for the interfaces that it requests, and from where.

use std::path::PathBuf;

use super::*;

const TRACKER: &str = "package acme:tracker@1.2.0;
interface types { record issue { title: string, labels: list<string> } }
/// What a caller reads.
interface issues {
    use types.{issue};
    variant error { not-found(u64) }
    get: func(id: u64) -> result<issue, error>;
}
interface admin { reset: func(); }
world tracker { import admin; export issues; }
";

/// A folder for a connector and a plugin that requests interfaces, and a home that is not there.
struct Desk(tempfile::TempDir);

impl Desk {
    fn requesting(interfaces: &[&str]) -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        let request = |name: &&str| format!("[capabilities.connectors.\"{name}\"]\nwhy = \"to see\"\n");
        let requests: String = interfaces.iter().map(request).collect();
        let plugin = "[plugin]\nname = \"x\"\nversion = \"0.1.0\"\nkind = \"agent\"\n";
        desk.write("plugin/remit.toml", &format!("{plugin}{requests}"));
        desk
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        fs::create_dir_all(self.path(path).parent().unwrap()).unwrap();
        fs::write(self.path(path), text).unwrap();
    }

    fn written(&self, connectors: &[&str]) -> Result<String> {
        let connectors = connectors.iter().map(|path| self.path(path)).collect();
        let args = Build { plugin: self.path("plugin"), connectors };
        write(&Shell::at(&self.path("home")), &args, &Declared::read(&args.plugin)?)?;
        Ok(fs::read_to_string(self.path("plugin/connectors.wit")).unwrap_or_default())
    }

    #[track_caller]
    fn refused(&self, connectors: &[&str], parts: &[&str]) {
        let failure = self.written(connectors).unwrap_err();
        assert_eq!(failure.exit(), Exit::PluginUnfit);
        let text = failure.to_string();
        assert!(parts.iter().all(|part| text.contains(part)), "{text}");
    }
}

#[test]
fn only_what_a_caller_needs_is_written() {
    let desk = Desk::requesting(&["acme:tracker/issues@1.2.0"]);
    desk.write("tracker/wit/tracker.wit", TRACKER);
    let text = desk.written(&["tracker"]).unwrap();
    for part in
        ["  import acme:tracker/issues@1.2.0;\n", "package acme:tracker@1.2.0 {", "record issue", "/// What a caller"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("admin") && !text.contains("world tracker"), "{text}");
    assert!(!desk.path("home").exists(), "nothing was to be found in a home");
}

#[test]
fn what_was_written_is_kept_until_another_folder_is_named() {
    let desk = Desk::requesting(&["acme:tracker/issues@1.2.0"]);
    desk.write("tracker/wit/tracker.wit", TRACKER);
    let text = desk.written(&["tracker"]).unwrap();
    desk.write("tracker/wit/tracker.wit", &TRACKER.replace("u64", "u32"));
    assert_eq!(desk.written(&[]).unwrap(), text);
    assert_eq!(desk.written(&["tracker"]).unwrap(), text.replace("u64", "u32"));
}

#[test]
fn a_manifest_that_requests_nothing_has_no_file() {
    let desk = Desk::requesting(&[]);
    desk.write("tracker/wit/tracker.wit", TRACKER);
    assert_eq!(desk.written(&["tracker"]).unwrap(), "");
}

#[test]
fn an_interface_that_is_nowhere_is_named_with_what_to_do() {
    let desk = Desk::requesting(&["acme:tracker/issues@1.3.0"]);
    desk.refused(&[], &["installed exports acme:tracker/issues@1.3.0", "`remit install DIR`", "--connector DIR"]);
    desk.write("tracker/wit/tracker.wit", TRACKER);
    desk.refused(
        &["tracker"],
        &["no connector here has acme:tracker/issues@1.3.0", "request acme:tracker/issues@1.2.0"],
    );
    let desk = Desk::requesting(&["acme:tracker/admin@1.2.0"]);
    desk.write("tracker/wit/tracker.wit", TRACKER);
    desk.refused(&["tracker"], &["acme:tracker/admin@1.2.0"]);
}

#[test]
fn wit_that_cannot_be_read_is_named() {
    let desk = Desk::requesting(&["acme:tracker/issues@1.2.0"]);
    desk.write("tracker/wit/tracker.wit", "package acme:tracker@1.2.0;\ninterface issues { get: func( }\n");
    desk.refused(&["tracker"], &["tracker.wit:2"]);
    desk.write("plugin/connectors.wit", "rubbish");
    desk.refused(&[], &["connectors.wit", "remove connectors.wit"]);
}

/// The file of the example is what a build writes, so that the example does not drift from the connector.
#[test]
fn the_example_has_the_wit_of_the_connector_that_it_calls() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let name = "remit-plugins:tracker/issues@1.0.0";
    let text = file(&[name], &[given(&repository.join("plugins/tracker")).unwrap()], Path::new(".")).unwrap();
    let there = fs::read_to_string(repository.join("examples/triage").join(FILE)).unwrap();
    assert_eq!(there, text, "write it anew: remit build examples/triage --connector plugins/tracker");
}
