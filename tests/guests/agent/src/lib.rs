//! An agent that does what its input says.
//!
//! | input | ends |
//! |---|---|
//! | `{"do": "echo", "value": JSON}` | with the value |
//! | `{"do": "fail", "kind": KIND, "message": TEXT, "details"?: JSON}` | with that failure; `KIND` as in the WIT |
//! | `{"do": "error", "path": PATH}` | with what `?` makes of a file that cannot be read |
//! | `{"do": "panic", "message": TEXT}` | in a trap, the message logged |
//! | `{"do": "exit", "code": N}` | by `exit` in the middle of `run` |
//! | `{"do": "loop"}` | never |
//! | `{"do": "sleep", "ms": N}` | with the milliseconds slept, at least |
//! | `{"do": "kv-count", "key": KEY}` | with a number, one higher from run to run |
//! | `{"do": "kv-count-then-panic", "key": KEY}` | in a trap, after changing the store |
//! | `{"do": "log", "lines": N}` | with null, after as many lines at info |
//! | `{"do": "large", "bytes": N}` | with a text of that length |
//! | `{"do": "sense"}` | with what clock and randomness gave: `{"now_ms", "random"}` |
//! | `{"do": "calls", "count": N}` | with null, after as many readings of the clock |

use std::{
    fs,
    hash::{BuildHasher as _, RandomState},
    hint, process, thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use remit_sdk::prelude::*;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
enum Task {
    Echo { value: Value },
    Fail { kind: Kind, message: String, details: Option<Value> },
    Error { path: String },
    Panic { message: String },
    Exit { code: i32 },
    Loop,
    Sleep { ms: u64 },
    KvCount { key: String },
    KvCountThenPanic { key: String },
    Log { lines: u64 },
    Large { bytes: usize },
    Sense,
    Calls { count: u64 },
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    InvalidInput,
    Denied,
    Unavailable,
    Internal,
}

agent!(run);

fn run(task: Task) -> Result<Value> {
    match task {
        Task::Echo { value } => Ok(value),
        Task::Fail { kind, message, details } => Err(failure(kind, message, details)),
        Task::Error { path } => Ok(json!(fs::read_to_string(&path).context(&path)?)),
        Task::Panic { message } => panic!("{message}"),
        Task::Exit { code } => process::exit(code),
        Task::Loop => spin(),
        Task::Sleep { ms } => Ok(json!(sleep_ms(ms))),
        Task::KvCount { key } => Ok(json!(count(&key)?)),
        Task::KvCountThenPanic { key } => panic!("counted {}", count(&key)?),
        Task::Log { lines } => Ok(repeat(lines, |n| log::info(format_args!("line {n}")))),
        Task::Large { bytes } => Ok("x".repeat(bytes).into()),
        Task::Sense => Ok(sense()),
        Task::Calls { count } => Ok(repeat(count, |_| _ = hint::black_box(Instant::now()))),
    }
}

fn failure(kind: Kind, message: String, details: Option<Value>) -> Failure {
    let kind = match kind {
        Kind::InvalidInput => FailureKind::InvalidInput,
        Kind::Denied => FailureKind::Denied,
        Kind::Unavailable => FailureKind::Unavailable,
        Kind::Internal => FailureKind::Internal,
    };
    let failure = Failure::new(kind, message);
    details.into_iter().fold(failure, Failure::with_details)
}

fn repeat(count: u64, step: impl FnMut(u64)) -> Value {
    (0..count).for_each(step);
    Value::Null
}

fn spin() -> ! {
    let mut n: u64 = 0;
    loop {
        n = hint::black_box(n.wrapping_add(1));
    }
}

fn sleep_ms(ms: u64) -> u128 {
    let start = Instant::now();
    thread::sleep(Duration::from_millis(ms));
    start.elapsed().as_millis()
}

fn count(key: &str) -> Result<u64> {
    let count = kv::get_json::<u64>(key)?.unwrap_or_default() + 1;
    kv::set_json(key, &count)?;
    Ok(count)
}

fn sense() -> Value {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    json!({ "now_ms": since.as_millis() as u64, "random": RandomState::new().hash_one("remit") })
}
