//! Which addresses an exchange may reach: those of the public Internet, and the special ones that its grant names.
//!
//! The ranges are those of the IANA special-purpose address registries (RFC 6890). An IPv6 address that carries an IPv4
//! address is judged by both: the form has to be named, and the address within it allowed.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use crate::manifest::{Addresses, Block};

/// Why an address is not one of the public Internet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Special {
    /// No address, which systems take for themselves.
    Unspecified,
    /// This host.
    Loopback,
    /// A private network: IPv4, or unique local IPv6.
    Private,
    /// A provider's network between it and its customers.
    Shared,
    /// This link.
    LinkLocal,
    /// Where clouds hand out credentials of the machine.
    Metadata,
    /// Many hosts.
    Multicast,
    /// All hosts of this link.
    Broadcast,
    /// Examples in documents.
    Documentation,
    /// Measurements of network devices.
    Benchmarking,
    /// Protocols' own purposes, former purposes (site-local), or nobody's yet.
    Reserved,
    /// An IPv4 address in IPv6 clothes: mapped, compatible, NAT64, 6to4, Teredo.
    Embedding,
}

impl Special {
    fn words(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::Loopback => "loopback",
            Self::Private => "private",
            Self::Shared => "shared (carrier-grade NAT)",
            Self::LinkLocal => "link-local",
            Self::Metadata => "a cloud's metadata service",
            Self::Multicast => "multicast",
            Self::Broadcast => "broadcast",
            Self::Documentation => "for documentation",
            Self::Benchmarking => "for benchmarking",
            Self::Reserved => "reserved",
            Self::Embedding => "an IPv4 address written as IPv6",
        }
    }
}

impl fmt::Display for Special {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

/// An address that the grant does not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prohibited {
    /// The address, or the IPv4 address within it.
    pub address: IpAddr,
    /// What is special about it.
    pub special: Special,
}

/// Answers whether an exchange may reach the address, where the grant names these special ones.
///
/// A metadata service is named only by a block of its own (`169.254.169.254/32`), and unspecified, multicast and
/// broadcast addresses by nothing.
///
/// # Errors
///
/// What is special about the address and not named.
pub fn check(address: IpAddr, named: &Addresses) -> Result<(), Prohibited> {
    if let Some(special) = special(address)
        && !is_named(address, special, named)
    {
        return Err(Prohibited { address, special });
    }
    let IpAddr::V6(outer) = address else { return Ok(()) };
    embedded(outer).into_iter().flatten().try_for_each(|inner| check(inner.into(), named))
}

/// A mapped address (`::ffff:a.b.c.d`) is named by what names the IPv4 address.
fn is_named(address: IpAddr, special: Special, named: &Addresses) -> bool {
    match special {
        Special::Unspecified | Special::Multicast | Special::Broadcast => false,
        Special::Metadata => named.blocks().contains(&Block::of(address)),
        _ => named.contains(address),
    }
}

/// Returns what is special about the address; nothing for one of the public Internet.
pub fn special(address: IpAddr) -> Option<Special> {
    if METADATA.contains(&address) {
        return Some(Special::Metadata);
    }
    match address {
        IpAddr::V4(address) => V4.iter().find(|(network, _)| network.contains(&address)).map(|(_, special)| *special),
        IpAddr::V6(address) => {
            let known = V6.iter().find(|(network, _)| network.contains(&address)).map(|(_, special)| *special);
            known.or_else(|| (!GLOBAL_UNICAST.contains(&address)).then_some(Special::Reserved))
        }
    }
}

/// Returns the IPv4 addresses that a packet to this address may end up at.
fn embedded(address: Ipv6Addr) -> [Option<Ipv4Addr>; 4] {
    let at = |bytes: [usize; 4]| Some(Ipv4Addr::from(bytes.map(|i| address.octets()[i])));
    let last = at([12, 13, 14, 15]);
    let is_in = |networks: &[Ipv6Net]| networks.iter().any(|network| network.contains(&address));
    if address.is_unspecified() || address.is_loopback() {
        [None; 4]
    } else if is_in(&[MAPPED, COMPATIBLE, TRANSLATED, NAT64]) {
        [last, None, None, None]
    } else if is_in(&[NAT64_LOCAL]) {
        // The length of the translator's prefix is not known, so the address is read in each way of RFC 6052,
        // section 2.2. 0.0.0.0/8, which is what padding reads as, leads nowhere through a translator.
        let ways = [at([6, 7, 9, 10]), at([7, 9, 10, 11]), at([9, 10, 11, 12]), last];
        ways.map(|way| way.filter(|inner| inner.octets()[0] != 0))
    } else if is_in(&[SIX_TO_FOUR]) {
        [at([2, 3, 4, 5]), None, None, None]
    } else if is_in(&[TEREDO]) {
        // The server, and the client with its bits inverted (RFC 4380, section 4).
        [at([4, 5, 6, 7]), last.map(|inverted| !inverted), None, None]
    } else if matches!(address.segments()[4..6], [0 | 0x200, 0x5efe]) {
        // ISATAP, under any prefix (RFC 5214, section 6.1).
        [last, None, None, None]
    } else {
        [None; 4]
    }
}

const GLOBAL_UNICAST: Ipv6Net = v6(0x2000, 0, 0, 3);
const MAPPED: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96);
const TRANSLATED: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, 0, 0), 96);
const COMPATIBLE: Ipv6Net = v6(0, 0, 0, 96);
const NAT64: Ipv6Net = v6(0x64, 0xff9b, 0, 96);
const NAT64_LOCAL: Ipv6Net = v6(0x64, 0xff9b, 1, 48);
const TEREDO: Ipv6Net = v6(0x2001, 0, 0, 32);
const SIX_TO_FOUR: Ipv6Net = v6(0x2002, 0, 0, 16);

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(a: u16, b: u16, c: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), prefix)
}

/// Metadata, credential and host services of the large clouds. Some lie in ranges that are otherwise plain.
const METADATA: &[IpAddr] = &[
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 23)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)),
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
];

/// The first that holds an address counts.
const V4: &[(Ipv4Net, Special)] = &[
    (v4(0, 0, 0, 0, 32), Special::Unspecified),
    (v4(0, 0, 0, 0, 8), Special::Reserved),
    (v4(10, 0, 0, 0, 8), Special::Private),
    (v4(100, 64, 0, 0, 10), Special::Shared),
    (v4(127, 0, 0, 0, 8), Special::Loopback),
    (v4(169, 254, 0, 0, 16), Special::LinkLocal),
    (v4(172, 16, 0, 0, 12), Special::Private),
    (v4(192, 0, 0, 0, 24), Special::Reserved),
    (v4(192, 0, 2, 0, 24), Special::Documentation),
    (v4(192, 88, 99, 0, 24), Special::Reserved),
    (v4(192, 168, 0, 0, 16), Special::Private),
    (v4(198, 18, 0, 0, 15), Special::Benchmarking),
    (v4(198, 51, 100, 0, 24), Special::Documentation),
    (v4(203, 0, 113, 0, 24), Special::Documentation),
    (v4(224, 0, 0, 0, 4), Special::Multicast),
    (v4(255, 255, 255, 255, 32), Special::Broadcast),
    (v4(240, 0, 0, 0, 4), Special::Reserved),
];

/// The first that holds an address counts; what is not [`GLOBAL_UNICAST`] is reserved.
const V6: &[(Ipv6Net, Special)] = &[
    (Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 128), Special::Unspecified),
    (Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128), Special::Loopback),
    (MAPPED, Special::Embedding),
    (COMPATIBLE, Special::Embedding),
    (TRANSLATED, Special::Embedding),
    (NAT64, Special::Embedding),
    (NAT64_LOCAL, Special::Embedding),
    (TEREDO, Special::Embedding),
    (SIX_TO_FOUR, Special::Embedding),
    (v6(0x2001, 2, 0, 48), Special::Benchmarking),
    (v6(0x2001, 0xdb8, 0, 32), Special::Documentation),
    (v6(0x2001, 0, 0, 23), Special::Reserved),
    (v6(0x3fff, 0, 0, 20), Special::Documentation),
    (v6(0xfc00, 0, 0, 7), Special::Private),
    (v6(0xfe80, 0, 0, 10), Special::LinkLocal),
    (v6(0xfec0, 0, 0, 10), Special::Reserved),
    (v6(0xff00, 0, 0, 8), Special::Multicast),
];
