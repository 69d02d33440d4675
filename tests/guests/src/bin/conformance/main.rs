//! `conformance`: what a plain command sees of its host, in every corner, one line each. A test runs it under wasmtime's
//! own WASI and under Remit and compares all that comes out, so it prints nothing that differs from run to run.
//!
//! Folders and files are made below `.`, which is writable.
//!
//! | arguments | shows |
//! |---|---|
//! | `open` | a matrix of ways to open, on things of every kind |
//! | `contents` | seeking, appending, holes, lengths, large files |
//! | `tree` | folders, renames, links, removal |
//! | `facts` | metadata, times, canonical paths, listings |
//! | `names` | paths of odd forms |
//! | `arguments ...` | arguments, environment, working directory |
//! | `stdin`, `lines`, `stdin-raw` | standard input: all of it, by lines, through `wasi:io` |
//! | `large-output` | more than a MiB to standard output, at once and in pieces |
//! | `absent` | what WASI has not: processes, threads, names of hosts, connections |
//! | `clocks`, `randomness` | properties that hold on any host |
//! | `streams`, `polls`, `descriptors`, `links` | the interfaces themselves |
//! | `misuse CASE` | what a host answers with a trap |

mod descriptors;
mod misuse;
mod program;
mod std_contents;
mod std_facts;
mod std_open;
mod std_tree;
mod streams;
mod tell;

use guests::{arguments, usage};

fn main() {
    let arguments = arguments();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["open"] => std_open::open(),
        ["contents"] => std_contents::contents(),
        ["tree"] => std_tree::tree(),
        ["facts"] => std_facts::facts(),
        ["names"] => std_facts::names(),
        ["arguments", ..] => program::arguments(),
        ["stdin"] => program::stdin(),
        ["lines"] => program::lines(),
        ["stdin-raw"] => streams::stdin(),
        ["large-output"] => program::large_output(),
        ["absent"] => program::absent(),
        ["clocks"] => program::clocks(),
        ["randomness"] => program::randomness(),
        ["streams"] => streams::files(),
        ["polls"] => streams::polls(),
        ["descriptors"] => descriptors::descriptors(),
        ["links"] => descriptors::links(),
        ["misuse", case] => misuse::misuse(case),
        _ => usage("conformance open|contents|tree|facts|names|arguments|stdin|lines|... (see the source)"),
    }
}
