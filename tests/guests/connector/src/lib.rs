//! A connector that exports `test:tracker/issues`. What each function does stands in `wit/tracker.wit`.

use std::{
    fs::File,
    hint,
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use remit_sdk::{http, kv, log};

use self::exports::test::tracker::issues::{Guest, Issue, Problem};

wit_bindgen::generate!({ path: "wit", world: "connector" });

struct Tracker;

export!(Tracker);

/// How many labels an issue may have.
const LABELS_MAX: usize = 3;

static COUNT: AtomicU32 = AtomicU32::new(0);

impl Guest for Tracker {
    fn create(issue: Issue) -> Result<u32, Problem> {
        match issue {
            Issue { title, .. } if title.is_empty() => Err(Problem::NoTitle),
            Issue { labels, .. } if labels.len() > LABELS_MAX => Err(Problem::TooMany(labels.len() as u32)),
            Issue { title, .. } => {
                let number = Self::count();
                kv::set(&format!("issue/{number}"), title.as_bytes()).expect("kv is granted");
                Ok(number)
            }
        }
    }

    fn count() -> u32 {
        COUNT.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn join(text: String, number: u32) -> String {
        format!("{text}{number}")
    }

    fn reverse(mut bytes: Vec<u8>) -> Vec<u8> {
        bytes.reverse();
        bytes
    }

    fn len(bytes: Vec<u8>) -> u32 {
        bytes.len() as u32
    }

    fn sum(numbers: Vec<u32>) -> u64 {
        numbers.into_iter().map(u64::from).sum()
    }

    fn flood(count: u32) -> Vec<u32> {
        (0..count).collect()
    }

    fn misbehave(how: String) -> String {
        match how.as_str() {
            "trap" => panic!("as it was told"),
            "loop" => loop {
                hint::spin_loop();
            },
            "sleep" => thread::sleep(Duration::from_secs(3600)),
            "kv" => return kv::set("elsewhere", b"1").map_or_else(|error| error.to_string(), |()| "kept".into()),
            "log" => log::info("something happened"),
            _ => visible(&how),
        }
        how
    }
}

/// The file that it was told to open.
static OPEN: Mutex<Option<File>> = Mutex::new(None);

/// Does something that shows outside.
fn visible(how: &str) {
    let words: Vec<_> = how.split(' ').collect();
    match words[..] {
        ["get", url] => drop(http::get(url).send()),
        ["post", url] => drop(http::post(url).send()),
        ["open", file] => {
            let file = File::create(file).expect("the file can be created");
            *OPEN.lock().expect("nobody panicked with it") = Some(file);
        }
        // One call of the host, which looks at nothing first.
        ["resize", url] => {
            let open = OPEN.lock().expect("nobody panicked with it");
            open.as_ref().expect("a file is open").set_len(7).expect("the file can be changed");
            drop(http::get(url).send());
        }
        _ => {}
    }
}
