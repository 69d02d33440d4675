//! An exchange by HTTP on loopback, one at a time: a guest's, through gate and sender and recorded, over the same by
//! hyper used directly. One server answers both.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, mpsc};
use std::thread;

use anyhow::Result;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use remit::capability::wasi::http::{Network, Secrets, Through};
use remit::manifest::Grant;
use remit::net::{ExtraRoots, Options, Partition, Sender};
use remit::scope::Remit;
use remit::time::Clock;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};

use super::calls::above_none;
use super::harness::{Ratio, Target, compare, seconds};
use super::scene::Scene;
use crate::guests;

const ROUNDS: usize = 7;
/// Exchanges of each side in a round.
const EXCHANGES: u64 = 2_000;
/// Bytes of each answer.
const ANSWER: usize = 1_024;

/// The time of a guest's recorded GET over that of hyper's.
pub fn get() -> Result<Vec<Ratio>> {
    guests::run()?;
    let folder = tempfile::tempdir()?;
    let scene = Scene::at(folder.path())?;
    let guest = scene.guest("http")?;
    let server = serve()?;
    let (url, remit, network) = (format!("http://{server}/"), remit(server)?, network());
    let recorded = |count: &str| {
        let arguments = ["many", &url, count];
        Ok(scene.record_reaching(&guest, &arguments, remit.clone(), network.clone())?.1)
    };
    let mut direct = Direct::to(server)?;
    let name = "recorded GET of 1 KiB on loopback / hyper directly";
    let ratio = compare(
        name,
        Target::AtMost(1.5),
        ROUNDS,
        || above_none(EXCHANGES, recorded),
        || seconds(|| direct.get(EXCHANGES)),
    )?;
    Ok(vec![ratio])
}

/// What a guest needs to reach the server.
fn remit(server: SocketAddr) -> Result<Remit> {
    let entry = format!("methods = [\"GET\"]\nurl = \"http://{server}/\"\naddresses = [\"loopback\"]\n");
    Ok(Remit::from_grant(&Grant::parse("the benchmark", &format!("[[capabilities.http]]\n{entry}"))?))
}

fn network() -> Arc<dyn Network> {
    let sender = Arc::new(Sender::new(Options::system(ExtraRoots::default(), Clock::system())));
    Arc::new(Through { sender, partition: Partition::new([7; 32]), secrets: Secrets::default() })
}

/// One connection by hyper, and the runtime that moves its bytes.
struct Direct {
    runtime: Runtime,
    requests: SendRequest<Full<Bytes>>,
    host: String,
}

impl Direct {
    fn to(server: SocketAddr) -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let requests = runtime.block_on(async {
            let stream = TcpStream::connect(server).await?;
            stream.set_nodelay(true)?;
            let (requests, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
            tokio::spawn(connection);
            anyhow::Ok(requests)
        })?;
        Ok(Self { runtime, requests, host: server.to_string() })
    }

    fn get(&mut self, count: u64) -> Result<()> {
        let Self { runtime, requests, host } = self;
        runtime.block_on(async {
            for _ in 0..count {
                let request = hyper::Request::get("/").header("host", host.as_str()).header("x-from", "guest");
                requests.ready().await?;
                let response = requests.send_request(request.body(Full::default())?).await?;
                let body = response.into_body().collect().await?.to_bytes();
                anyhow::ensure!(body.len() == ANSWER, "{} bytes came", body.len());
            }
            Ok(())
        })
    }
}

/// Starts a server on a thread of its own, which ends with the process.
fn serve() -> Result<SocketAddr> {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || -> Result<()> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            tell.send(listener.local_addr()?)?;
            loop {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                // A connection that breaks is its client's to notice.
                tokio::spawn(async move { drop(serve_one(stream).await) });
            }
        })
    });
    Ok(told.recv()?)
}

async fn serve_one(stream: TcpStream) -> hyper::Result<()> {
    static BODY: [u8; ANSWER] = [b'x'; ANSWER];
    let answer = |_: hyper::Request<Incoming>| async {
        Ok::<_, Infallible>(hyper::Response::new(Full::new(Bytes::from_static(&BODY))))
    };
    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer)).await
}
