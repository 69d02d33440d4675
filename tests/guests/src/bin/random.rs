//! `random`: random numbers of every kind.
//!
//! | arguments | prints |
//! |---|---|
//! | `bytes COUNT` | as many random bytes, as hexadecimal |
//! | `u64 COUNT` | as many random numbers, one per line |
//! | `insecure COUNT` | as many insecure random bytes, as hexadecimal, and one insecure number |
//! | `seed` | the insecure seed, twice |
//! | `map` | the keyed hash of a constant: what makes a `HashMap`'s order random |
//! | `length COUNT` | how many bytes came when that many were asked for |

use std::hash::{BuildHasher as _, RandomState};

use guests::{arguments, number, usage};
use wasip2::random::{insecure, insecure_seed, random};

fn main() {
    let arguments = arguments();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["bytes", count] => println!("{}", hex(&random::get_random_bytes(number(count)))),
        ["u64", count] => (0..number::<u32>(count)).for_each(|_| println!("{}", random::get_random_u64())),
        ["insecure", count] => {
            println!("{}", hex(&insecure::get_insecure_random_bytes(number(count))));
            println!("{}", insecure::get_insecure_random_u64());
        }
        ["seed"] => println!("{:?} {:?}", insecure_seed::insecure_seed(), insecure_seed::insecure_seed()),
        ["map"] => println!("{:016x}", RandomState::new().hash_one("remit")),
        ["length", count] => println!("{}", random::get_random_bytes(number(count)).len()),
        _ => usage("random bytes|u64|insecure|seed|map|length ..."),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
