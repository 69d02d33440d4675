//! Where state lives: `--home` comes before `REMIT_HOME`, and that before the platform's folder.

use crate::binary::{Desk, code};

#[test]
fn the_line_comes_before_the_variable_and_the_platform_last() {
    let desk = Desk::with(&["cli"]);
    let lies = |command: &mut std::process::Command| {
        let output = command.output().expect("remit starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let home: serde_json::Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
        home["home"].as_str().expect("a path").to_owned()
    };
    let named = desk.path("named");
    let line = lies(desk.command(&["home", "--json", "--home", "named"]).env("REMIT_HOME", desk.path("variable")));
    assert_eq!(desk.path("").join(line), named);
    let variable = lies(desk.command(&["home", "--json"]).env("REMIT_HOME", desk.path("variable")));
    assert_eq!(variable, desk.path("variable").to_str().expect("text"));
    // An empty variable is one that is not set.
    for unset in [None, Some("")] {
        let mut command = desk.command(&["home", "--json"]);
        command.env("HOME", desk.path("person")).env("XDG_DATA_HOME", desk.path("person").join("data"));
        match unset {
            None => command.env_remove("REMIT_HOME"),
            Some(empty) => command.env("REMIT_HOME", empty),
        };
        let home = lies(&mut command);
        assert!(home.starts_with(desk.path("person").to_str().expect("text")), "{home}");
    }
}

#[test]
fn a_home_is_made_by_the_first_run() {
    let desk = Desk::with(&["cli"]);
    desk.remit(&["--home", "new/home", "run", "cli.wasm", "--", "args"]).ends(code::OK);
    assert!(desk.path("new/home").is_dir());
    assert_eq!(
        desk.remit(&["--home", "new/home", "runs", "--json"]).ends(code::OK).json().as_array().map(Vec::len),
        Some(1)
    );
}
