//! `connector`: calls `test:tracker/issues`, which the guest `guest_connector` exports.
//!
//! | arguments | prints |
//! |---|---|
//! | `create TITLE LABEL...` | the issue's number, or the problem |
//! | `join TEXT NUMBER` | what came back |
//! | `count TIMES` | how many calls were answered, one per line |
//! | `reverse BYTES` | the length of what came back, after checking it |
//! | `sum COUNT` | the sum of that many ones |
//! | `flood COUNT` | how many numbers came back |
//! | `misbehave HOW` | what came back |
//! | `misbehave-twice HOW HOW` | what came back of the second |
//! | `joins COUNT` | nothing, after as many calls with a number and a short text |
//! | `lens COUNT` | nothing, after as many calls with 1 MiB |
//! | `new-lens COUNT` | the same, with something new in each page of it each time |
//! | `write-between FILE` | `ok` after a call, writing the file, and another call |

use std::{fs, hint::black_box};

use guests::{arguments, number, usage};

use self::test::tracker::issues::{self, Issue, Level, Rights};

wit_bindgen::generate!({ path: "connector/wit", world: "caller" });

fn main() {
    let arguments = arguments();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["create", title, ref labels @ ..] => println!("{:?}", issues::create(&issue(title, labels))),
        ["join", text, count] => println!("{}", issues::join(text, number(count))),
        ["count", times] => (0..number(times)).for_each(|_: u32| println!("{}", issues::count())),
        ["reverse", bytes] => reverse(number(bytes)),
        ["sum", count] => println!("{}", issues::sum(&vec![1; number(count)])),
        ["flood", count] => println!("{}", issues::flood(number(count)).len()),
        ["joins", count] => (0..number(count)).for_each(|at: u32| _ = black_box(issues::join("a short text", at))),
        ["lens", count] => {
            let bytes = vec![0xa5; 1 << 20];
            (0..number(count)).for_each(|_: u32| _ = black_box(issues::len(&bytes)));
        }
        ["new-lens", count] => {
            let mut bytes = vec![0xa5_u8; 1 << 20];
            (0..number(count)).for_each(|_: u32| {
                bytes.iter_mut().step_by(1 << 12).for_each(|byte| *byte = byte.wrapping_add(1));
                black_box(issues::len(&bytes));
            });
        }
        ["misbehave-twice", first, how] => {
            black_box(issues::misbehave(first));
            println!("{}", issues::misbehave(how));
        }
        ["misbehave", how] => println!("{}", issues::misbehave(how)),
        ["write-between", file] => {
            fs::write(file, issues::join("line ", 1)).expect("the file can be written");
            println!("ok {}", issues::count());
        }
        _ => usage(
            "connector create|join|count|reverse|sum|flood|joins|lens|new-lens|misbehave|misbehave-twice|\
             write-between ...",
        ),
    }
}

fn issue(title: &str, labels: &[&str]) -> Issue {
    let labels = labels.iter().map(|label| (*label).to_owned()).collect();
    Issue { title: title.to_owned(), labels, level: Level::High, rights: Rights::READ, due: Some(-1), weight: 0.5 }
}

fn reverse(len: usize) {
    let bytes: Vec<u8> = (0..len).map(|at| at as u8).collect();
    let mut back = issues::reverse(&bytes);
    back.reverse();
    assert_eq!(back, bytes, "the bytes come back in reverse");
    println!("{}", back.len());
}
