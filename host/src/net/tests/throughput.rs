//! What the sender costs beside hyper used directly. Run it by itself, with `--release` and `--nocapture`.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::time::Clock;

const ROUNDS: usize = 20;
const EXCHANGES: usize = 1_000;

/// Serves every connection on a thread of its own, with 1 KiB for each request.
fn serve() -> SocketAddr {
    let (told, listen) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            told.send(listener.local_addr().unwrap()).unwrap();
            let response = ok(&"x".repeat(1024));
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                stream.set_nodelay(true).unwrap();
                let response = response.clone();
                tokio::spawn(async move {
                    let mut room = [0; 4096];
                    // A request of these tests comes in one piece.
                    while stream.read(&mut room).await.is_ok_and(|read| read > 0) {
                        stream.write_all(response.as_bytes()).await.unwrap();
                    }
                });
            }
        });
    });
    listen.recv().unwrap()
}

async fn by_hyper(requests: &mut http1::SendRequest<Full<Bytes>>, host: &str) {
    let request = hyper::Request::get("/").header("host", host).header("accept", "*/*");
    let response = requests.send_request(request.body(Full::default()).unwrap()).await.unwrap();
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes().len(), 1024);
    requests.ready().await.unwrap();
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

#[ignore = "a measurement"]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_exchange_costs_little_more_than_hyper() {
    let address = serve();
    let sender = Sender::new(Options::system(ExtraRoots::default(), Clock::system()));
    let mut request = get(&address.to_string());
    request.headers = vec![("accept".to_owned(), b"*/*".to_vec())];
    let terms = Terms { addresses: named(&["loopback"]), is_repeatable: true, ..terms() };

    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut requests, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let host = address.to_string();

    let (mut direct, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        for _ in 0..EXCHANGES {
            let start = Instant::now();
            by_hyper(&mut requests, &host).await;
            direct.push(start.elapsed());
        }
        for _ in 0..EXCHANGES {
            let start = Instant::now();
            assert_eq!(sender.exchange(&request, &terms).await.unwrap().body.len(), 1024);
            ours.push(start.elapsed());
        }
    }
    let (direct, ours) = (median(direct), median(ours));
    println!("hyper {direct:?}, sender {ours:?}, ratio {:.2}", ours.as_secs_f64() / direct.as_secs_f64());
}
