//! With the system's own resolver and TCP, on loopback.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::time::Clock;

#[tokio::test]
async fn the_systems_parts_work_together() {
    let sender = Sender::new(Options::system(ExtraRoots::default(), Clock::system()));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let request = get(&format!("localhost:{}", listener.local_addr().unwrap().port()));

    let failure = sender.exchange(&request, &terms()).await.unwrap_err();
    assert_eq!(failure.error.code(), "destination-IP-prohibited");

    // Where `localhost` is ::1 first, nobody listens there, and the next address is tried.
    let terms = Terms { addresses: named(&["loopback"]), ..terms() };
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let read = stream.read(&mut [0; 4096]).await.unwrap();
        stream.write_all(ok("hi").as_bytes()).await.unwrap();
        (stream, read)
    };
    let (response, (_stream, read)) = tokio::join!(sender.exchange(&request, &terms), serve);
    assert_eq!(&response.unwrap().body[..], b"hi");
    assert!(read > 0);
}

#[tokio::test]
async fn a_port_where_nobody_listens_refuses() {
    let sender = Sender::new(Options::system(ExtraRoots::default(), Clock::system()));
    let port = TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap().port();
    let terms = Terms { addresses: named(&["127.0.0.1/32"]), ..terms() };
    let failure = sender.exchange(&get(&format!("127.0.0.1:{port}")), &terms).await.unwrap_err();
    let expected = format!("http://127.0.0.1:{port}: connection to 127.0.0.1 refused");
    assert_eq!((failure.to_string(), failure.blame(), failure.is_sent), (expected, Blame::Server, false));
}
