//! `cli`: arguments, environment, standard streams and exit codes.
//!
//! | arguments | does |
//! |---|---|
//! | `args ...` | prints its arguments, `args` included, one per line |
//! | `env` | prints the environment, `NAME=VALUE` per line, in order |
//! | `cwd` | prints the initial working directory, or `none` |
//! | `cat` | copies standard input to standard output |
//! | `flood BYTES` | writes that many bytes to standard output |
//! | `stderr LINES` | writes `line N` that often to standard error |
//! | `both` | writes to both in turn: `out 1`, `err 1`, `out 2`, `err 2` |
//! | `raw HEX` | writes these bytes to standard output, which need be no UTF-8 |
//! | `terminal` | prints for stdin, stdout, stderr whether each is a terminal |
//! | `exit CODE` | ends with `std::process::exit` |
//! | `exit-with-code CODE` | ends with `wasi:cli/exit#exit-with-code` |
//! | `exit-in-middle CODE` | prints `before`, ends, and would print `after` |
//! | `fail` | returns an error from `main` |

use std::{
    env,
    io::{self, IsTerminal as _, Read as _, Write as _},
    process::{self, ExitCode},
};

use guests::{arguments, number, usage};
use wasip2::cli::{environment, exit};

fn main() -> io::Result<ExitCode> {
    let arguments = arguments();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["args", ..] => arguments.iter().for_each(|argument| println!("{argument}")),
        ["env"] => print_environment(),
        ["cwd"] => println!("{}", environment::initial_cwd().unwrap_or_else(|| "none".to_owned())),
        ["cat"] => drop(io::copy(&mut io::stdin().lock(), &mut io::stdout().lock())?),
        ["flood", bytes] => drop(io::copy(&mut io::repeat(b'x').take(number(bytes)), &mut io::stdout().lock())?),
        ["stderr", lines] => (1..=number::<u32>(lines)).for_each(|n| eprintln!("line {n}")),
        ["both"] => both()?,
        ["raw", hex] => io::stdout().write_all(&bytes(hex))?,
        ["terminal"] => terminal(),
        ["exit", code] => process::exit(number(code)),
        ["exit-with-code", code] => exit::exit_with_code(number(code)),
        ["exit-in-middle", code] => exit_in_middle(number(code)),
        ["fail"] => return Err(io::Error::other("main failed")),
        _ => usage("cli args|env|cwd|cat|flood|stderr|both|raw|terminal|exit|exit-with-code|exit-in-middle|fail ..."),
    }
    Ok(ExitCode::SUCCESS)
}

fn print_environment() {
    let mut variables: Vec<_> = env::vars().collect();
    variables.sort();
    variables.iter().for_each(|(name, value)| println!("{name}={value}"));
}

fn both() -> io::Result<()> {
    for n in 1..=2 {
        println!("out {n}");
        io::stdout().flush()?;
        eprintln!("err {n}");
    }
    Ok(())
}

fn bytes(hex: &str) -> Vec<u8> {
    let byte = |n| u8::from_str_radix(hex.get(n..n + 2).unwrap_or_default(), 16).unwrap_or_default();
    (0..hex.len()).step_by(2).map(byte).collect()
}

fn terminal() {
    println!("{} {} {}", io::stdin().is_terminal(), io::stdout().is_terminal(), io::stderr().is_terminal());
}

fn exit_in_middle(code: i32) {
    println!("before");
    if code >= 0 {
        process::exit(code);
    }
    println!("after");
}
