//! `sockets`: what a guest meets that wants the network. Every step prints `STEP: ok` or `STEP: KIND`.
//!
//! | arguments | steps |
//! |---|---|
//! | (none) | connect to and listen on a TCP port, bind a UDP socket, look up a name |

use std::net::{TcpListener, TcpStream, ToSocketAddrs as _, UdpSocket};

use guests::step;

fn main() {
    step("tcp connect", TcpStream::connect("127.0.0.1:1"));
    step("tcp connect v6", TcpStream::connect("[::1]:1"));
    step("tcp listen", TcpListener::bind("127.0.0.1:0"));
    step("udp bind", UdpSocket::bind("127.0.0.1:0"));
    step("lookup", ("localhost", 80).to_socket_addrs().map(Iterator::count));
}
