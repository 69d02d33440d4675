//! `wasi:random`.

use wasip2::random::{insecure, insecure_seed, random};

use crate::say::done;

pub fn sweep() {
    done("wasi:random/random#get-random-bytes", random::get_random_bytes(16));
    done("wasi:random/random#get-random-u64", random::get_random_u64());
    done("wasi:random/insecure#get-insecure-random-bytes", insecure::get_insecure_random_bytes(16));
    done("wasi:random/insecure#get-insecure-random-u64", insecure::get_insecure_random_u64());
    done("wasi:random/insecure-seed#insecure-seed", insecure_seed::insecure_seed());
}
