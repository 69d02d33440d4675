//! `wasi:sockets`: linked, because every toolchain's guests import it, and always refusing. No remit of this version
//! holds a socket, so none is ever created and the methods below it are there for the linker alone.

use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::sync::sockets::network::{ErrorCode, IpAddress, IpAddressFamily, IpSocketAddress};
use wasmtime_wasi::p2::bindings::sync::sockets::tcp::ShutdownType;
use wasmtime_wasi::p2::bindings::sync::sockets::udp::{IncomingDatagram, OutgoingDatagram};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, DynPollable};

use crate::capability::link::{Call, Link, Params, Returns};
use crate::gate::{Ask, Asked, Class, Halt, Value};

/// Stands for a network. There is one, it is handed out to anybody, and nothing can be done with it.
pub enum Network {}
/// Stands for a TCP socket.
pub enum TcpSocket {}
/// Stands for a UDP socket.
pub enum UdpSocket {}
/// Stands for the receiving half of a UDP socket.
pub enum IncomingDatagramStream {}
/// Stands for the sending half of a UDP socket.
pub enum OutgoingDatagramStream {}
/// Stands for the answers to a name lookup.
pub enum ResolveAddressStream {}

type Net = Resource<Network>;
type Tcp = Resource<TcpSocket>;
type Udp = Resource<UdpSocket>;
type Incoming = Resource<IncomingDatagramStream>;
type Outgoing = Resource<OutgoingDatagramStream>;
type Answers = Resource<ResolveAddressStream>;
type In = Resource<DynInputStream>;
type Out = Resource<DynOutputStream>;
type Poll = Resource<DynPollable>;

pub(super) fn link(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link_network(link)?;
    link_tcp(link)?;
    link_udp(link)
}

/// Links a function that no remit allows.
fn refuses<P, T>(link: &mut Link<'_>, name: &'static str) -> wasmtime::Result<()>
where
    P: Params,
    T: Value,
    (Result<T, ErrorCode>,): Returns,
{
    let call =
        Call::<P, (Result<T, ErrorCode>,)>::new(Class::ReadRemote, |_, _, _| Ok((Err(ErrorCode::AccessDenied),)));
    link.sync(
        name,
        call.governed(
            |_, _| Asked { ask: Ask::Never("sockets"), class: Class::ReadRemote },
            |_| (Err(ErrorCode::AccessDenied),),
        ),
    )
}

/// Links a function that needs a socket and cannot fail by its type: no guest holds a socket to call it with.
fn never<P: Params, R: Returns>(link: &mut Link<'_>, name: &'static str) -> wasmtime::Result<()> {
    link.pure::<P, R>(name, |_, _, _| Err(Halt::Misuse("there are no sockets".into())))
}

type Resolved = (Result<Answers, ErrorCode>,);

/// What a guest hears that may not look names up; wasmtime has no `access-denied` here.
fn unresolved() -> Resolved {
    (Err(ErrorCode::PermanentResolverFailure),)
}

fn link_network(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link.resource::<Network>("wasi:sockets/network#[drop]network")?;
    link.pure("wasi:sockets/instance-network#instance-network", |_, ordinals, _: &()| {
        Ok((Net::new_own(ordinals.create()?),))
    })?;
    link.resource::<ResolveAddressStream>("wasi:sockets/ip-name-lookup#[drop]resolve-address-stream")?;
    let lookup = Call::<(Net, String), Resolved>::new(Class::ReadRemote, |_, _, _| Ok(unresolved()));
    let lookup =
        lookup.governed(|_, _| Asked { ask: Ask::Never("sockets"), class: Class::ReadRemote }, |_| unresolved());
    link.sync("wasi:sockets/ip-name-lookup#resolve-addresses", lookup)?;
    refuses::<(Answers,), Option<IpAddress>>(
        link,
        "wasi:sockets/ip-name-lookup#[method]resolve-address-stream.resolve-next-address",
    )?;
    never::<(Answers,), (Poll,)>(link, "wasi:sockets/ip-name-lookup#[method]resolve-address-stream.subscribe")
}

fn link_tcp(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link.resource::<TcpSocket>("wasi:sockets/tcp#[drop]tcp-socket")?;
    refuses::<(IpAddressFamily,), Tcp>(link, "wasi:sockets/tcp-create-socket#create-tcp-socket")?;
    refuses::<(Tcp, Net, IpSocketAddress), ()>(link, "wasi:sockets/tcp#[method]tcp-socket.start-bind")?;
    refuses::<(Tcp,), ()>(link, "wasi:sockets/tcp#[method]tcp-socket.finish-bind")?;
    refuses::<(Tcp, Net, IpSocketAddress), ()>(link, "wasi:sockets/tcp#[method]tcp-socket.start-connect")?;
    refuses::<(Tcp,), (In, Out)>(link, "wasi:sockets/tcp#[method]tcp-socket.finish-connect")?;
    refuses::<(Tcp,), ()>(link, "wasi:sockets/tcp#[method]tcp-socket.start-listen")?;
    refuses::<(Tcp,), ()>(link, "wasi:sockets/tcp#[method]tcp-socket.finish-listen")?;
    refuses::<(Tcp,), (Tcp, In, Out)>(link, "wasi:sockets/tcp#[method]tcp-socket.accept")?;
    refuses::<(Tcp,), IpSocketAddress>(link, "wasi:sockets/tcp#[method]tcp-socket.local-address")?;
    refuses::<(Tcp,), IpSocketAddress>(link, "wasi:sockets/tcp#[method]tcp-socket.remote-address")?;
    refuses::<(Tcp, u64), ()>(link, "wasi:sockets/tcp#[method]tcp-socket.set-listen-backlog-size")?;
    refuses::<(Tcp,), bool>(link, "wasi:sockets/tcp#[method]tcp-socket.keep-alive-enabled")?;
    refuses::<(Tcp, bool), ()>(link, "wasi:sockets/tcp#[method]tcp-socket.set-keep-alive-enabled")?;
    refuses::<(Tcp,), u64>(link, "wasi:sockets/tcp#[method]tcp-socket.keep-alive-idle-time")?;
    refuses::<(Tcp, u64), ()>(link, "wasi:sockets/tcp#[method]tcp-socket.set-keep-alive-idle-time")?;
    refuses::<(Tcp,), u64>(link, "wasi:sockets/tcp#[method]tcp-socket.keep-alive-interval")?;
    refuses::<(Tcp, u64), ()>(link, "wasi:sockets/tcp#[method]tcp-socket.set-keep-alive-interval")?;
    refuses::<(Tcp,), u32>(link, "wasi:sockets/tcp#[method]tcp-socket.keep-alive-count")?;
    refuses::<(Tcp, u32), ()>(link, "wasi:sockets/tcp#[method]tcp-socket.set-keep-alive-count")?;
    refuses::<(Tcp,), u8>(link, "wasi:sockets/tcp#[method]tcp-socket.hop-limit")?;
    refuses::<(Tcp, u8), ()>(link, "wasi:sockets/tcp#[method]tcp-socket.set-hop-limit")?;
    refuses::<(Tcp,), u64>(link, "wasi:sockets/tcp#[method]tcp-socket.receive-buffer-size")?;
    refuses::<(Tcp, u64), ()>(link, "wasi:sockets/tcp#[method]tcp-socket.set-receive-buffer-size")?;
    refuses::<(Tcp,), u64>(link, "wasi:sockets/tcp#[method]tcp-socket.send-buffer-size")?;
    refuses::<(Tcp, u64), ()>(link, "wasi:sockets/tcp#[method]tcp-socket.set-send-buffer-size")?;
    refuses::<(Tcp, ShutdownType), ()>(link, "wasi:sockets/tcp#[method]tcp-socket.shutdown")?;
    never::<(Tcp,), (bool,)>(link, "wasi:sockets/tcp#[method]tcp-socket.is-listening")?;
    never::<(Tcp,), (IpAddressFamily,)>(link, "wasi:sockets/tcp#[method]tcp-socket.address-family")?;
    never::<(Tcp,), (Poll,)>(link, "wasi:sockets/tcp#[method]tcp-socket.subscribe")
}

fn link_udp(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link.resource::<UdpSocket>("wasi:sockets/udp#[drop]udp-socket")?;
    link.resource::<IncomingDatagramStream>("wasi:sockets/udp#[drop]incoming-datagram-stream")?;
    link.resource::<OutgoingDatagramStream>("wasi:sockets/udp#[drop]outgoing-datagram-stream")?;
    refuses::<(IpAddressFamily,), Udp>(link, "wasi:sockets/udp-create-socket#create-udp-socket")?;
    refuses::<(Udp, Net, IpSocketAddress), ()>(link, "wasi:sockets/udp#[method]udp-socket.start-bind")?;
    refuses::<(Udp,), ()>(link, "wasi:sockets/udp#[method]udp-socket.finish-bind")?;
    refuses::<(Udp, Option<IpSocketAddress>), (Incoming, Outgoing)>(
        link,
        "wasi:sockets/udp#[method]udp-socket.stream",
    )?;
    refuses::<(Udp,), IpSocketAddress>(link, "wasi:sockets/udp#[method]udp-socket.local-address")?;
    refuses::<(Udp,), IpSocketAddress>(link, "wasi:sockets/udp#[method]udp-socket.remote-address")?;
    refuses::<(Udp,), u8>(link, "wasi:sockets/udp#[method]udp-socket.unicast-hop-limit")?;
    refuses::<(Udp, u8), ()>(link, "wasi:sockets/udp#[method]udp-socket.set-unicast-hop-limit")?;
    refuses::<(Udp,), u64>(link, "wasi:sockets/udp#[method]udp-socket.receive-buffer-size")?;
    refuses::<(Udp, u64), ()>(link, "wasi:sockets/udp#[method]udp-socket.set-receive-buffer-size")?;
    refuses::<(Udp,), u64>(link, "wasi:sockets/udp#[method]udp-socket.send-buffer-size")?;
    refuses::<(Udp, u64), ()>(link, "wasi:sockets/udp#[method]udp-socket.set-send-buffer-size")?;
    never::<(Udp,), (IpAddressFamily,)>(link, "wasi:sockets/udp#[method]udp-socket.address-family")?;
    never::<(Udp,), (Poll,)>(link, "wasi:sockets/udp#[method]udp-socket.subscribe")?;
    refuses::<(Incoming, u64), Vec<IncomingDatagram>>(
        link,
        "wasi:sockets/udp#[method]incoming-datagram-stream.receive",
    )?;
    never::<(Incoming,), (Poll,)>(link, "wasi:sockets/udp#[method]incoming-datagram-stream.subscribe")?;
    refuses::<(Outgoing,), u64>(link, "wasi:sockets/udp#[method]outgoing-datagram-stream.check-send")?;
    refuses::<(Outgoing, Vec<OutgoingDatagram>), u64>(link, "wasi:sockets/udp#[method]outgoing-datagram-stream.send")?;
    never::<(Outgoing,), (Poll,)>(link, "wasi:sockets/udp#[method]outgoing-datagram-stream.subscribe")
}
