//! A program's surroundings: arguments, standard streams, clocks, and what WASI has not.

use std::{
    collections::HashSet,
    env,
    hash::{BuildHasher as _, RandomState},
    io::{self, BufRead as _, Read as _, Write as _},
    net::{TcpListener, TcpStream, ToSocketAddrs as _, UdpSocket},
    process::{self, Command},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use crate::tell::{tell, told};

pub fn arguments() {
    println!("{:?}", env::args().collect::<Vec<_>>());
    println!("{:?}", env::vars_os().collect::<Vec<_>>());
    println!("{:?}", env::var("HOME"));
    tell("current_dir", env::current_dir());
    told("current_exe", env::current_exe());
    told("set_current_dir", env::set_current_dir("sub"));
}

pub fn stdin() {
    let mut bytes = Vec::new();
    tell("read to the end", io::stdin().read_to_end(&mut bytes));
    let sum = bytes.iter().fold(0_u32, |sum, byte| sum.rotate_left(3) ^ u32::from(*byte));
    println!("{} {sum}", bytes.len());
    tell("read again", io::stdin().read(&mut [0; 8]));
    tell("read nothing", io::stdin().read(&mut []));
}

pub fn lines() {
    for (number, line) in io::stdin().lock().lines().enumerate() {
        println!("{number} {line:?}");
        eprintln!("{number}");
    }
}

pub fn large_output() {
    let line = "0123456789abcdef\n".repeat(128 * 1024);
    let mut out = io::stdout().lock();
    tell("at once", out.write_all(line.as_bytes()));
    for piece in line.as_bytes().chunks(7_777) {
        out.write_all(piece).expect("output is taken");
    }
    for number in 0..10_000 {
        writeln!(out, "{number}").expect("output is taken");
    }
    tell("flush", out.flush());
    tell("to stderr", io::stderr().write_all(line.as_bytes()));
}

pub fn absent() {
    told("spawn a process", Command::new("true").status());
    told("spawn a thread", thread::Builder::new().spawn(|| ()));
    println!("parallelism {:?}", thread::available_parallelism().map_err(|error| error.kind()));
    println!("id {}", process::id() == process::id());
    let localhost = "127.0.0.1:1";
    told("connect", TcpStream::connect(localhost));
    let address = localhost.parse().expect("an address");
    told("connect for a while", TcpStream::connect_timeout(&address, Duration::from_millis(10)));
    told("connect v6", TcpStream::connect("[::1]:1"));
    told("listen", TcpListener::bind("127.0.0.1:0"));
    told("bind", UdpSocket::bind("127.0.0.1:0"));
    told("bind v6", UdpSocket::bind("[::1]:0"));
    told("look a name up", ("localhost", 1).to_socket_addrs());
    told("look another name up", "remit.invalid:80".to_socket_addrs());
    told("connect to a name", TcpStream::connect("localhost:1"));
}

pub fn clocks() {
    let (first, since) = (Instant::now(), SystemTime::now());
    thread::sleep(Duration::from_millis(20));
    println!("{}", first.elapsed() >= Duration::from_millis(20));
    thread::sleep(Duration::ZERO);
    println!("{}", (0..1_000).map(|_| Instant::now()).is_sorted());
    println!("{}", since.duration_since(UNIX_EPOCH).is_ok_and(|since| since > Duration::from_secs(1_700_000_000)));
    println!("{}", SystemTime::now() >= since);
}

pub fn randomness() {
    let hashes: HashSet<u64> = (0..1_000_u32).map(|n| RandomState::new().hash_one(n)).collect();
    println!("{}", hashes.len());
    let drawn: HashSet<u64> = (0..1_000).map(|_| wasip2::random::random::get_random_u64()).collect();
    println!("{}", drawn.len());
    for length in [0, 1, 7, 4_096, 1 << 20] {
        let bytes = wasip2::random::random::get_random_bytes(length);
        println!("{length} {} {}", bytes.len(), bytes.iter().collect::<HashSet<_>>().len().min(200));
        println!("{}", wasip2::random::insecure::get_insecure_random_bytes(length).len());
    }
}
