//! Which version of an interface answers: installed connectors, called through the real binary.

use crate::binary::{Desk, Said, code};

/// Returns a connector that exports `test:pick/which` in these versions; each says the number beside it.
fn exporting(versions: &[(&str, u32)]) -> Vec<u8> {
    let export = |(at, (version, number)): (usize, &(&str, u32))| {
        format!(
            "(core module $code{at} (func (export \"f\") (result i32) (i32.const {number})))\n\
             (core instance $core{at} (instantiate $code{at}))\n\
             (func $f{at} (result u32) (canon lift (core func $core{at} \"f\")))\n\
             (instance $i{at} (export \"version\" (func $f{at})))\n\
             (export \"test:pick/which@{version}\" (instance $i{at}))\n"
        )
    };
    let exports: String = versions.iter().enumerate().map(export).collect();
    wat::parse_str(format!("(component {exports})")).expect("the text is right")
}

/// Returns a command that imports one version, with these params, and succeeds if it is answered with the number.
fn importing(version: &str, params: &str, number: u32) -> Vec<u8> {
    let (core, given) = if params.is_empty() { ("", "") } else { ("(param i32)", "(i32.const 0)") };
    let text = format!(
        r#"(component
  (import "test:pick/which@{version}" (instance $i (export "version" (func {params} (result u32)))))
  (core func $version (canon lower (func $i "version")))
  (core module $code
    (import "i" "version" (func $version {core} (result i32)))
    (func (export "run") (result i32) (i32.ne (call $version {given}) (i32.const {number}))))
  (core instance $main (instantiate $code (with "i" (instance (export "version" (func $version))))))
  (func $run (result (result)) (canon lift (core func $main "run")))
  (instance (export "wasi:cli/run@0.2.0") (export "run" (func $run))))"#
    );
    wat::parse_str(text).expect("the text is right")
}

/// Writes a plugin into a folder of its name.
fn plugin(desk: &Desk, name: &str, kind: &str, request: &str, component: Vec<u8>) {
    let head = format!("[plugin]\nname = \"{name}\"\nversion = \"1.0.0\"\nkind = \"{kind}\"\n");
    desk.write(&format!("{name}/remit.toml"), head + request);
    desk.write(&format!("{name}/{name}.wasm"), component);
}

fn install(desk: &Desk, name: &str, versions: &[(&str, u32)]) {
    plugin(desk, name, "connector", "", exporting(versions));
    desk.remit(&["install", name]).ends(code::OK);
}

/// Runs a caller of one version that expects this number.
fn call(desk: &Desk, version: &str, params: &str, number: u32) -> Said {
    let request = format!("[capabilities.connectors.\"test:pick/which@{version}\"]\nwhy = \"to ask\"\n");
    plugin(desk, "caller", "command", &request, importing(version, params, number));
    desk.remit(&["run", "caller", "--allow-requested"])
}

const FOUR: [(&str, u32); 4] = [("1.0.0", 100), ("1.4.0", 140), ("1.2.0", 120), ("2.0.0", 200)];

#[test]
fn the_highest_version_that_serves_answers() {
    let desk = Desk::new();
    install(&desk, "pick", &FOUR);
    for (version, number) in [("1.0.0", 140), ("1.4.0", 140), ("2.0.0", 200)] {
        call(&desk, version, "", number).ends(code::OK);
    }
    desk.last_is_whole();
    // It would have failed with another number.
    call(&desk, "1.1.0", "", 120).ends(code::AGENT_FAILED);
    // A newer release of the same plugin takes the earlier one's place.
    install(&desk, "pick", &[("1.5.0", 150), ("1.0.0", 100)]);
    call(&desk, "1.1.0", "", 150).ends(code::OK);
}

/// Of two connectors of which one is too old, there is nothing to choose; of two that serve, a person chooses.
#[test]
fn a_connector_that_is_too_old_is_no_choice() {
    let desk = Desk::new();
    install(&desk, "old", &[("1.0.0", 100)]);
    install(&desk, "new", &[("1.4.0", 140)]);
    call(&desk, "1.1.0", "", 140).ends(code::OK);
    call(&desk, "1.0.0", "", 140).fails(code::PLUGIN_UNFIT, &["2 installed connectors export", "old (", "new ("]);
}

#[test]
fn a_version_or_a_type_that_does_not_fit_is_refused_with_the_difference() {
    let desk = Desk::new();
    install(&desk, "pick", &FOUR);
    let exports = ["pick exports test:pick/which@1.0.0", "pick exports test:pick/which@2.0.0", "which does not serve"];
    for version in ["1.4.1", "2.1.0", "3.0.0"] {
        call(&desk, version, "", 0).fails(code::PLUGIN_UNFIT, &exports);
    }
    let parts = ["pick does not fit", "`version` of test:pick/which@1.2.0", "the import has", "the export has"];
    call(&desk, "1.2.0", "(param \"n\" u32)", 0).fails(code::PLUGIN_UNFIT, &parts);
    assert_eq!(desk.runs(), 0, "nothing was started");
}
