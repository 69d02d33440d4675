//! `wasi:sockets`. The host refuses to make a socket or to look up a name, and so nothing has the methods of one.

use wasip2::sockets::{
    instance_network, ip_name_lookup, network::IpAddressFamily, tcp_create_socket, udp_create_socket,
};

use crate::say::{answered, done};

pub fn sweep() {
    let network = done("wasi:sockets/instance-network#instance-network", instance_network::instance_network());
    let name = "wasi:sockets/ip-name-lookup#resolve-addresses";
    answered(name, ip_name_lookup::resolve_addresses(&network, "localhost"));
    for family in [IpAddressFamily::Ipv4, IpAddressFamily::Ipv6] {
        let name = "wasi:sockets/tcp-create-socket#create-tcp-socket";
        answered(name, tcp_create_socket::create_tcp_socket(family));
        let name = "wasi:sockets/udp-create-socket#create-udp-socket";
        answered(name, udp_create_socket::create_udp_socket(family));
    }
}
