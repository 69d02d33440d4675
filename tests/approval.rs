//! `remit:plugin/approval`: a person is asked, decides once, and the run is told.

use std::time::Duration;

use remit::digest::Digest;
use remit::journal::{Error, Proposal, Ruling};
use remit::lifecycle::Wait;
use remit::manifest::Grant;
use remit::meter::LimitKind;
use remit::scope::Remit;
use serde_json::{Value as Json, json};

use crate::binary::{Desk, code};
use crate::harness::{NOW, Ran, Scene, component};

const ASK: &str = "remit:plugin/approval#ask";

const GRANTED: &str = "[capabilities.approval]\nwhy = \"test\"";

const MINUTE: Duration = Duration::from_secs(60);

fn run(scene: &Scene, arguments: &[&str]) -> Ran {
    scene.command("approval", arguments.iter().copied()).granted(GRANTED).run()
}

/// Returns the one proposal there is, which is that of this run.
#[track_caller]
fn asked(scene: &Scene, ran: &Ran) -> Proposal {
    let [proposal] = scene.journal().proposals().expect("they can be read").try_into().expect("there is one");
    let Wait::Approval { entry, proposal: digest, .. } = ran.waits() else { panic!("it asks") };
    assert_eq!((proposal.run, proposal.entry, proposal.digest), (ran.id, entry, digest));
    proposal
}

fn ruling(scene: &Scene, why: Option<&str>) -> Ruling {
    let (at, is_approved) = (scene.clock().now(), why.is_none());
    Ruling { at, by: "local:ada".into(), is_approved, why: why.map(str::to_owned) }
}

fn rule(scene: &Scene, proposals: &[&Proposal], why: Option<&str>) -> Result<(), Error> {
    let named = proposals.iter().map(|proposal| (proposal.run, proposal.entry)).collect();
    scene.journal().rule(named, ruling(scene, why))
}

fn is_due(scene: &Scene, ran: &Ran) -> bool {
    scene.journal().due(scene.clock().now(), 10).expect("the journal can be read").contains(&ran.id)
}

#[test]
fn a_run_that_asks_is_suspended_until_a_person_decides() {
    let scene = Scene::new();
    let ran = run(&scene, &["ask", "one", "two"]).ended_in(ASK).replayed();
    let one = asked(&scene, &ran);
    let said = (one.title.as_str(), one.intent.as_str(), one.details.as_str(), one.function.as_str(), one.asked);
    assert_eq!(said, ("one", "a test", "{\"what\":\"one\"}", ASK, NOW));

    // It waits on; neither its record nor the proposal changes.
    let entries = ran.entries();
    let ran = ran.resumed();
    assert_eq!((ran.entries(), &asked(&scene, &ran)), (entries, &one));
    assert!(!is_due(&scene, &ran));

    rule(&scene, &[&one], None).expect("it is open");
    assert!(is_due(&scene, &ran));
    let ran = ran.resumed();
    assert_eq!(ran.text(), "approved\n");
    let ran = ran.replayed();
    let two = asked(&scene, &ran);
    assert_ne!((two.digest, two.entry), (one.digest, one.entry));
    rule(&scene, &[&two], Some("too much")).expect("it is open");
    let ran = ran.resumed().printed("denied: too much\n").replayed();
    let outcomes: Vec<Json> = ran.calls_of(ASK).iter().map(|call| call.outcome[0]["ok"].clone()).collect();
    assert_eq!(outcomes, [json!("approved"), json!({ "denied": "too much" })]);
    assert!(scene.journal().proposals().expect("they can be read").is_empty(), "what was told is gone");
}

#[test]
fn what_nobody_decides_in_time_is_denied_unless_the_proposal_says_otherwise() {
    let scene = Scene::new();
    for (default, printed) in [("deny", "expired, approved: false\n"), ("approve", "expired, approved: true\n")] {
        let ran = run(&scene, &["within", "60000", default]);
        let proposal = asked(&scene, &ran);
        scene.clock().advance(MINUTE);
        assert!(is_due(&scene, &ran));
        let late = rule(&scene, &[&proposal], None);
        assert!(matches!(late, Err(Error::NotOpen { why: "has expired", .. })), "{late:?}");
        ran.resumed().printed(printed).replayed();
        run(&scene, &["within", "0", default]).printed(printed).replayed();
    }
    // Decided in time, and told after it: the decision counts.
    let ran = run(&scene, &["within", "60000", "approve"]);
    rule(&scene, &[&asked(&scene, &ran)], Some("no")).expect("it is open");
    scene.clock().advance(2 * MINUTE);
    ran.resumed().printed("denied: no\n").replayed();
}

#[test]
fn several_are_decided_together_or_none() {
    let scene = Scene::new();
    let [one, two] = [(); 2].map(|()| run(&scene, &["ask", "same"]));
    let proposals = scene.journal().proposals().expect("they can be read");
    let digests: Vec<Digest> = proposals.iter().map(|proposal| proposal.digest).collect();
    assert_ne!(digests[0], digests[1], "the same words of another run are another proposal");
    let gone = Proposal { entry: 99, ..proposals[0].clone() };
    let refused = rule(&scene, &[&proposals[0], &gone], None);
    assert!(matches!(refused, Err(Error::NotOpen { entry: 99, why: "is not there", .. })), "{refused:?}");
    assert_eq!(scene.journal().proposals().expect("they can be read"), proposals, "nothing was decided");
    rule(&scene, &[&proposals[0], &proposals[1]], None).expect("both are open");
    let again = rule(&scene, &[&proposals[1]], Some("no"));
    assert!(matches!(again, Err(Error::NotOpen { why: "was decided already", .. })), "{again:?}");
    one.resumed().printed("approved\n").replayed();
    scene.journal().remove(two.id).expect("nobody writes it");
    assert!(scene.journal().proposals().expect("they can be read").is_empty());
    assert_eq!(scene.journal().next_due().expect("it can be read"), None);
}

#[test]
fn asking_is_refused_without_a_grant_and_the_guest_reads_on() {
    let ran = Scene::new().command("approval", ["ask", "one"]).run();
    let ran = ran.printed("error: the remit does not allow asking a person\n").replayed();
    let grant = ran.refused_once(ASK, "approval is not granted").expect("a grant would allow it");
    assert_eq!(grant, "[capabilities.approval]\n");
    Remit::from_grant(&Grant::parse("grant.toml", &grant).expect("the suggestion is a grant"));
}

#[test]
fn what_is_no_proposal_is_an_error_that_the_guest_reads_and_nobody_is_asked() {
    let scene = Scene::new();
    let check = |title: &str, intent: &str, details: &str, says: &str| {
        let ran = run(&scene, &["raw", title, intent, details]).succeeded().replayed();
        assert!(ran.text().starts_with(&format!("error: {says}")), "{:.200}", ran.text());
    };
    let title = "the title is not one line of 1 to 200 bytes";
    for wrong in ["", "a\nb", "a\u{1b}[2J", &"t".repeat(201)] {
        check(wrong, "", "{}", title);
    }
    check("t", &"i".repeat(4_097), "{}", "the intent has 4097 bytes");
    check("t", "", &format!("\"{}\"", "d".repeat(65_535)), "the details have 65537 bytes");
    for wrong in ["", "{", "1 2", &"[".repeat(1_000)] {
        check("t", "", wrong, "the details are not JSON");
    }
    assert!(scene.journal().proposals().expect("they can be read").is_empty());
    let largest = format!("\"{}\"", "d".repeat(65_534));
    let ran = run(&scene, &["raw", &"t".repeat(200), &"i".repeat(4_096), &largest]);
    assert_eq!(asked(&scene, &ran).details, largest);
}

#[test]
fn asking_is_metered_by_what_is_asked_and_told() {
    let use_of = |why: &str| {
        let scene = Scene::new();
        let ran = run(&scene, &["ask", "one"]);
        rule(&scene, &[&asked(&scene, &ran)], Some(why)).expect("it is open");
        ran.resumed().succeeded().replayed().usage()
    };
    let (short, long) = (use_of("no"), use_of(&format!("no{}", "!".repeat(100))));
    assert_eq!(long.calls, short.calls);
    assert_eq!((long.bytes_in - short.bytes_in, long.bytes_out - short.bytes_out), (100, 100));
    let play = Scene::new().command("approval", ["ask", "one"]).granted(GRANTED).limit(LimitKind::Payload, 20);
    play.run().ended_in(ASK).limited_by(LimitKind::Payload);
}

const MANIFEST: &str = r#"
[plugin]
name = "asker"
version = "0.1.0"
kind = "command"

[capabilities.approval]
why = "to be told whether it may"
"#;

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("asker/remit.toml", MANIFEST);
    desk.write("asker/asker.wasm", component("approval"));
    desk
}

const RUN: [&str; 3] = ["run", "asker", "--allow-requested"];

#[test]
fn an_operator_is_shown_what_is_asked_and_decides_from_another_command() {
    let desk = desk();
    let said = desk.remit(&[&RUN[..], &["--", "ask", "pay", "pay more"]].concat()).ends(code::WAITING);
    said.says(&["suspended for approval ", "`remit approvals` shows what it asks"]);
    desk.last_is_whole();
    let listed = desk.remit(&["approvals"]).ends(code::OK).stdout;
    assert!(listed.contains("pay\n  asked ") && listed.contains("{\"what\":\"pay\"}"), "{listed}");
    let open = desk.json(&["approvals", "--json"]);
    let id = open[0]["id"].as_str().expect("an id").to_owned();
    assert_eq!((&open[0]["details"], &open[0]["plugin"]), (&json!({ "what": "pay" }), &json!("asker")));
    assert!(open[0]["digest"].as_str().is_some_and(|digest| digest.starts_with(&id)));

    desk.remit(&["approve", "ffffffffffff"]).fails(code::USAGE, &["nothing that", "remit approvals"]);
    desk.remit(&["deny", &id]).ends(code::USAGE).says(&["--why"]);
    desk.remit(&["approve", &id, "ffffffffffff"]).fails(code::USAGE, &["nothing that"]);
    desk.remit(&["approve", &id[..6]]).ends(code::OK).says(&["approved ", "pay: `remit resume "]);
    desk.remit(&["deny", &id, "--why", "no"]).fails(code::USAGE, &["nothing that"]);
    let said = desk.remit(&["resume", "last"]).ends(code::WAITING);
    assert_eq!(said.stdout, "approved\n");

    let id = desk.json(&["approvals", "--json"])[0]["id"].as_str().expect("an id").to_owned();
    desk.remit(&["deny", &id, "--why", "too\u{7} much"]).ends(code::OK);
    assert_eq!(desk.remit(&["resume", "last"]).ends(code::OK).stdout, "denied: too\u{7} much\n");
    desk.last_is_whole();
    let calls = desk.json(&["show", "last", "--json", "--calls"]);
    let told = calls["calls"].as_array().expect("calls").iter().filter(|call| call["kind"] == "outcome");
    let by: Vec<&Json> = told.map(|call| &call["before"]["by"]).collect();
    assert!(by.len() == 2 && by.iter().all(|by| by.as_str().is_some_and(|by| by.starts_with("local:"))), "{by:?}");
    desk.remit(&["approvals"]).ends(code::OK).says(&["nobody asks for anything"]);
}

/// Killed anywhere, before it is suspended or after it was decided, a run asks once and is told once.
#[test]
fn a_proposal_is_made_and_told_once_wherever_the_host_dies() {
    for entry in 0..10_usize {
        let (desk, at, death) = (desk(), entry.to_string(), [&[][..], &["--crash-suddenly"]][entry % 2]);
        let crash = [&["--crash-after", &at], death].concat();
        let crashed = desk.start(&[&RUN[..], &crash, &["--", "ask", "pay"]].concat()).ended();
        if crashed.is_none() {
            desk.remit(&["resume", "last"]).ends(code::WAITING);
        }
        let open = desk.json(&["approvals", "--json"]);
        assert_eq!(open.as_array().map(Vec::len), Some(1), "killed at {entry}: {open}");
        desk.remit(&["approve", open[0]["id"].as_str().expect("an id")]).ends(code::OK);
        let crashed = desk.start(&[&["resume", "last"][..], &crash].concat()).ended();
        if crashed.is_none() {
            desk.remit(&["resume", "last"]).ends(code::OK);
        }
        assert_eq!(desk.json(&["approvals", "--json"]), json!([]), "killed at {entry}");
        let calls = desk.json(&["show", "last", "--json", "--calls"]);
        let calls = calls["calls"].as_array().expect("calls").iter();
        let told: Vec<&Json> =
            calls.filter(|call| call["kind"] == "outcome").map(|call| &call["outcome"][0]["ok"]).collect();
        assert_eq!(told, [&json!("approved")], "killed at {entry}");
        desk.last_is_whole();
    }
}
