//! The host's modules are layers: paragraphs of `mod` lines in `host/src/lib.rs`. A module uses only layers above its own.

use super::source;
use crate::support::{Tree, expect_none, expect_one};

const LIB: &str = "host/src/lib.rs";

/// Layers whose modules do not see each other, unless the comment over them says that they may.
const APART: [&str; 2] = ["rules", "ground"];

/// A paragraph of `mod` lines.
struct Layer {
    heading: String,
    modules: Vec<String>,
}

impl Layer {
    /// The layer's name: the first word of its heading that is not a number.
    fn name(&self) -> &str {
        let mut words = self.heading.split(|c: char| !c.is_alphanumeric());
        words.find(|word| word.starts_with(char::is_alphabetic)).unwrap_or_default()
    }

    fn are_apart(&self) -> bool {
        self.heading.contains("may not see each other")
            || (APART.contains(&self.name()) && !self.heading.contains("may see each other"))
    }
}

fn layers(lib: &str) -> Vec<Layer> {
    let mut layers = Vec::new();
    for paragraph in lib.split("\n\n") {
        let modules: Vec<_> = paragraph.lines().filter_map(source::declared_module).map(str::to_owned).collect();
        let comments = paragraph.lines().filter_map(|line| line.trim().strip_prefix("// "));
        if !modules.is_empty() {
            layers.push(Layer { heading: comments.collect::<Vec<_>>().join(" "), modules });
        }
    }
    layers
}

/// Returns a sentence for each paragraph without a heading and each use that goes down or sideways.
fn faults(tree: &Tree) -> Vec<String> {
    let Some(lib) = tree.text(LIB) else { return vec![format!("{LIB} is missing")] };
    let layers = layers(lib);
    if layers.is_empty() {
        return vec![format!("{LIB} has no `mod` lines, so that there are no layers to hold: add them")];
    }
    let headless = layers.iter().filter(|layer| layer.name().is_empty());
    let mut faults: Vec<_> = headless.map(|layer| headless_fault(&layer.modules)).collect();
    for (path, text) in tree.files_in("host/src/", ".rs") {
        let Some(home) = place(&layers, module_of(path)) else { continue };
        for (line, used) in uses(path, &source::code(text)) {
            let Some(target) = place(&layers, &used) else { continue };
            faults.extend(judge(&layers, home, target).map(|why| format!("{path}:{line} uses `{used}`, {why}")));
        }
    }
    faults
}

fn headless_fault(modules: &[String]) -> String {
    let names = modules.join(", ");
    format!("the layer of {names} in {LIB} has no heading: put a comment over it, such as `// 3 rules: no I/O`")
}

/// Returns why a module at `home` may not use one at `target`, and the way out.
fn judge(layers: &[Layer], home: (usize, usize), target: (usize, usize)) -> Option<String> {
    let here = &layers[home.0];
    if home == target || target.0 < home.0 || (target.0 == home.0 && !here.are_apart()) {
        return None;
    }
    let user = &here.modules[home.1];
    if target.0 > home.0 {
        let there = layers[target.0].name();
        return Some(format!(
            "but `{user}` is in layer {}, above {there} in {LIB}: return what the lower layer needs, write it where it \
             looks, or have it hand down a trait at construction",
            here.name()
        ));
    }
    Some(format!(
        "but the modules of layer {} do not see each other ({LIB}): move what both need to a layer above, or hand it in \
         as an argument",
        here.name()
    ))
}

/// Returns the top-level module that the file belongs to; for `lib.rs` and `main.rs` a name that no layer has.
fn module_of(path: &str) -> &str {
    let path = path.strip_prefix("host/src/").unwrap_or(path);
    let first = path.split('/').next().unwrap_or(path);
    match first.strip_suffix(".rs") {
        Some("lib" | "main") => "",
        Some(name) => name,
        None => first,
    }
}

fn place(layers: &[Layer], module: &str) -> Option<(usize, usize)> {
    let position = |layer: &Layer| layer.modules.iter().position(|name| name == module);
    layers.iter().enumerate().find_map(|(i, layer)| position(layer).map(|j| (i, j)))
}

/// Returns the top-level names the code reaches through `crate::`, or through as many `super::` as lead there, with
/// their lines.
fn uses(path: &str, code: &str) -> Vec<(usize, String)> {
    let ascent = "super::".repeat(depth(path));
    let mut found = Vec::new();
    for start in ["crate::", &ascent] {
        for (at, _) in code.match_indices(start) {
            let is_longer = code[..at].ends_with("super::") || code[..at].ends_with(source::is_word);
            if !is_longer {
                let line = code[..at].matches('\n').count() + 1;
                found.extend(first_names(&code[at + start.len()..]).into_iter().map(|name| (line, name)));
            }
        }
    }
    found
}

/// Returns how many modules lie between the file and the crate's root, its own included.
fn depth(path: &str) -> usize {
    let path = path.strip_prefix("host/src/").unwrap_or(path);
    let path = path.strip_suffix("/mod.rs").unwrap_or(path);
    path.split('/').count()
}

/// Returns the name that a path begins with, or those that the branches of `{a::b, c}` begin with.
fn first_names(path: &str) -> Vec<String> {
    let name = |text: &str| text.trim_start().chars().take_while(|&c| source::is_word(c)).collect::<String>();
    let Some(group) = path.strip_prefix('{') else { return vec![name(path)] };
    let mut names = vec![name(group)];
    let mut depth = 1;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => break,
            '}' => depth -= 1,
            ',' if depth == 1 => names.push(name(&group[at + 1..])),
            _ => {}
        }
    }
    names
}

#[test]
fn modules_use_only_layers_above_their_own() {
    expect_none(&faults(&Tree::of_repository()));
}

const MADE_UP: &str = "//! X.\n\n// 1 words\npub mod digest;\npub mod id;\n\n// 3 rules: pure\npub mod meter;\nmod scope;\n\n\
                       // 5 gate: one path\npub mod gate;\n";

fn check(path: &str, text: &str) -> Vec<String> {
    faults(&Tree::of(&[(LIB, MADE_UP), (path, text)]))
}

#[test]
fn what_goes_up_is_free() {
    expect_none(&check("host/src/gate/live.rs", "use crate::{digest, scope::{Remit, Access}};\nuse super::meter;"));
    expect_none(&check("host/src/id.rs", "use crate::digest::Digest; // crate::gate is not used"));
    expect_none(&check("host/src/main.rs", "use crate::gate;"));
    expect_none(&check("host/src/gate.rs", "use crate::gate::live; use crate::Unknown;"));
}

#[test]
fn what_goes_down_is_named() {
    let parts = ["host/src/meter.rs:2 uses `gate`", "`meter` is in layer rules, above gate", "hand down a trait"];
    expect_one(&check("host/src/meter.rs", "\nuse crate::{digest, gate::{Live, live}};"), &parts);
}

#[test]
fn a_way_around_through_super_is_found() {
    expect_one(&check("host/src/meter.rs", "use super::gate::Live;"), &["`gate`"]);
    expect_one(&check("host/src/meter/limit.rs", "use super::super::gate::Live;"), &["`gate`"]);
    expect_none(&check("host/src/meter/limit.rs", "use super::gate::Live;"));
}

#[test]
fn rules_do_not_see_each_other_unless_told() {
    let sideways = ("host/src/scope.rs", "use crate::meter::Limits;");
    expect_one(&check(sideways.0, sideways.1), &["uses `meter`", "layer rules do not see each other"]);
    let told = MADE_UP.replace("pure", "pure; they may see each other");
    expect_none(&faults(&Tree::of(&[(LIB, &told), sideways])));
}

#[test]
fn a_layer_has_a_heading() {
    expect_one(&faults(&Tree::of(&[(LIB, "//! X.\n\nmod digest;\n")])), &["the layer of digest", "has no heading"]);
}
