//! `bench`: the cheapest host calls, for `cargo xtask bench`, which offers their interface beside our own.
//!
//! | arguments | prints |
//! |---|---|
//! | `nothing COUNT` | nothing, after as many calls without params that return a number |
//! | `permitted COUNT` | nothing, after as many calls of the same kind that the remit is asked about |
//! | `echo COUNT` | nothing, after handing over 64 bytes and getting them back as many times |

use std::hint::black_box;

use guests::{arguments, number, usage};

use self::bench::host::calls;

wit_bindgen::generate!({
    inline: "
        package bench:host@1.0.0;

        interface calls {
            nothing: func() -> u64;
            permitted: func() -> u64;
            echo: func(bytes: list<u8>) -> list<u8>;
        }

        world bench {
            import calls;
        }
    ",
});

const ECHOED: [u8; 64] = [0xa5; 64];

fn main() {
    let arguments = arguments();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["nothing", count] => (0..number(count)).for_each(|_: u64| _ = black_box(calls::nothing())),
        ["permitted", count] => (0..number(count)).for_each(|_: u64| _ = black_box(calls::permitted())),
        ["echo", count] => (0..number(count)).for_each(|_: u64| _ = black_box(calls::echo(&ECHOED))),
        _ => usage("bench nothing|permitted|echo COUNT"),
    }
}
