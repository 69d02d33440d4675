//! `durable`: runs that are killed and resumed. Each leaves something behind by which a test sees what was done, and how
//! often.
//!
//! | arguments | does, and prints |
//! |---|---|
//! | `log FOLDER COUNT` | appends as many numbered lines to `log.txt`, one file handle for all, counting in kv beside; then the count |
//! | `random FOLDER COUNT` | writes as many files named and filled by chance and the clock; then the sum of their bytes |
//! | `nap MILLISECONDS` | sleeps, with a line before and one after |
//! | `sends URL COUNT` | that many PUT, POST and GET each; a line for each answer |
//! | `program FOLDER STEP...` | each step in turn, and a line for what came of it; see [`step`] |

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    path::Path,
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use guests::{arguments, number, usage};
use remit_sdk::{http, kv, log};

fn main() {
    let arguments = arguments();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["log", folder, count] => append(folder.as_ref(), number(count)),
        ["random", folder, count] => random(folder.as_ref(), number(count)),
        ["nap", milliseconds] => {
            println!("before");
            thread::sleep(Duration::from_millis(number(milliseconds)));
            println!("after");
        }
        ["sends", url, count] => (0..number(count)).for_each(|at: u32| sends(url, at)),
        ["program", folder, ref steps @ ..] => steps.iter().for_each(|words| step(folder.as_ref(), words)),
        _ => usage("durable log|random|nap|sends|program ..."),
    }
}

/// Does what a word says, with what follows it after colons.
fn step(folder: &Path, words: &str) {
    match words.split(':').collect::<Vec<_>>()[..] {
        ["set", key, value] => println!("{:?}", kv::set(key, value.as_bytes())),
        ["get", key] => println!("{:?}", kv::get(key)),
        ["delete", key] => println!("{:?}", kv::delete(key)),
        ["keys"] => println!("{:?}", kv::keys("").collect::<Vec<_>>()),
        ["chance"] => println!("{}", getrandom()),
        ["now"] => println!("{:?}", SystemTime::now()),
        ["nap"] => thread::sleep(Duration::from_millis(1)),
        ["log", text] => log::info(text),
        ["write", file, text] => println!("{:?}", fs::write(folder.join(file), text)),
        ["append", file, text] => {
            let opened = OpenOptions::new().append(true).create(true).open(folder.join(file));
            println!("{:?}", opened.and_then(|mut file| file.write_all(text.as_bytes())));
        }
        ["folder", name] => println!("{:?}", fs::create_dir(folder.join(name)).map_err(|error| error.kind())),
        _ => usage("set|get|delete|keys|chance|now|nap|log|write|append|folder"),
    }
}

fn append(folder: &Path, count: u32) {
    let mut file = OpenOptions::new().append(true).create(true).open(folder.join("log.txt")).expect("it opens");
    for line in 0..count {
        writeln!(file, "line {line}").expect("it is written");
        let counted: u32 = kv::get("count").expect("kv").map_or(0, |bytes| number(&String::from_utf8_lossy(&bytes)));
        kv::set("count", (counted + 1).to_string().as_bytes()).expect("kv");
    }
    println!("{}", String::from_utf8_lossy(&kv::get("count").expect("kv").unwrap_or_default()));
}

fn random(folder: &Path, count: u32) {
    let mut sum = 0_u64;
    for at in 0..count {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let chance = getrandom();
        let text = format!("{now} {chance}\n").repeat(1 + (chance % 7) as usize);
        fs::write(folder.join(format!("{at}-{:04x}", chance & 0xffff)), &text).expect("it is written");
        sum += text.bytes().map(u64::from).sum::<u64>();
    }
    println!("{sum}");
}

fn getrandom() -> u64 {
    use std::hash::{BuildHasher as _, Hasher as _, RandomState};
    RandomState::new().build_hasher().finish()
}

fn sends(url: &str, at: u32) {
    for method in ["PUT", "POST", "GET"] {
        let request = match method {
            "PUT" => http::put(format!("{url}/{at}")),
            "POST" => http::post(format!("{url}/{at}")),
            _ => http::get(format!("{url}/{at}")),
        };
        match request.body(format!("{method} {at}")).send() {
            Ok(response) => println!("{method} {at}: {}", response.status()),
            Err(error) => println!("{method} {at}: {error}"),
        }
    }
}
