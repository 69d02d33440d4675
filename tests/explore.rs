//! Scratch.
use crate::harness::Scene;
fn show(r: crate::harness::Ran<'_>) {
    println!("==== end {:?} at {:?} calls {}", r.end.outcome, r.end.at, r.calls.len());
    println!("{}", String::from_utf8_lossy(&r.stdout[..r.stdout.len().min(6000)]));
    println!("-- stderr {} -- log {}", r.stderr, r.log);
    for c in r.refused() { println!("REFUSED {} {} {:?}", c.function, c.params, c.refusal); }
    for c in &r.calls { if c.class == "write-file-once" || c.before.is_some() { println!("{} {} {} -> {} before {:?}", c.class, c.function, c.params, c.outcome, c.before); } }
    println!("usage {:?}", r.usage());
    let rep = r.replay();
    println!("REPLAY {:?} {}", rep.verdict, rep.entries);
}
#[test]
fn explore() {
    let s = Scene::new();
    let kv = "[capabilities.kv]\nprefixes = [\"a/\"]\naccess = \"read-write\"\nwhy = \"test\"";
    show(s.command("kv", ["overwrite", "a/x"]).granted(kv).run());
    show(s.command("kv", ["outside", "b/x"]).granted(kv).run());
    show(s.command("kv", ["outside", "b/x"]).run());
    show(s.command("log", ["levels"]).granted("[capabilities.log]\nlevels=[\"warn\"]").run());
    let d = s.dir("d", &[]);
    show(s.command("files", ["every", "/d"]).mounted("d", &d, "read-write").run());
    let e = s.dir("e", &[("a.txt","text"),("sub/","")]);
    show(s.command("files", ["refused", "/e"]).mounted("e", &e, "read").run());
    let f = s.dir("f", &[("a.txt","text"),("sub/","")]);
    show(s.command("files", ["escape", "/f"]).mounted("f", &f, "read-write").run());
    let g = s.dir("g", &[]);
    show(s.command("files", ["across", "/f", "/g"]).mounted("f", &f, "read-write").mounted("g", &g, "read-write").run());
    show(s.command("files", ["across", "/f", "/g"]).mounted("f", &f, "read").mounted("g", &g, "read-write").run());
    show(s.command("sockets", []).run());
    show(s.command("clocks", ["now"]).run());
    show(s.command("clocks", ["resolution"]).run());
    show(s.command("clocks", ["past"]).run());
    show(Scene::ticking().command("clocks", ["sleep", "3"]).run());
    show(s.command("random", ["seed"]).run());
    show(s.command("random", ["insecure", "4"]).run());
    show(s.command("cli", ["env"]).run());
    show(s.command("cli", ["cwd"]).run());
    show(s.command("cli", ["both"]).run());
    show(s.command("cli", ["fail"]).run());
    show(s.command("cli", ["exit", "3"]).run());
    show(s.command("cli", ["exit-with-code", "300"]).run());
    show(s.command("cli", ["terminal"]).run());
    show(s.command("limits", ["polls", "3"]).run());
    show(s.command("limits", ["panic"]).run());
    show(s.command("limits", ["trap"]).run());
    show(s.command("limits", ["abort"]).run());
    show(s.command("limits", ["recursion"]).run());
    show(s.agent("{\"do\":\"sense\"}").run());
    show(s.agent("{\"do\":\"fail\",\"kind\":\"denied\",\"message\":\"no\",\"details\":[1]}").run());
}
