//! Sets of addresses that are not on the public network, and that a grant may open.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::super::section::Malformed;
use super::host::by_text;

/// The blocks that have a word of their own in a declaration.
const WORDS: [(&str, &[&str]); 3] = [
    ("loopback", &["127.0.0.0/8", "::1/128"]),
    ("private", &["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"]),
    ("link-local", &["169.254.0.0/16", "fe80::/10"]),
];

/// An aligned block of addresses, as `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Block {
    first: IpAddr,
    bits: u8,
}
by_text!(Block);

impl Block {
    /// Returns the block of one address.
    pub fn of(address: IpAddr) -> Self {
        let first = address.to_canonical();
        Self { first, bits: width(first) }
    }

    fn covers(&self, other: &Self) -> bool {
        self.bits <= other.bits && self.first.is_ipv4() == other.first.is_ipv4() && {
            masked(other.first, self.bits) == self.first
        }
    }

    /// Returns the block twice as large, when `other` is its other half.
    fn joined(&self, other: &Self) -> Option<Self> {
        let bits = self.bits.checked_sub(1)?;
        let sibling = self.bits == other.bits && self.first.is_ipv4() == other.first.is_ipv4() && self != other;
        let first = masked(self.first, bits);
        (sibling && first == masked(other.first, bits)).then_some(Self { first, bits })
    }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// Returns the address with all but its first `bits` cleared.
fn masked(address: IpAddr, bits: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & mask))
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask))
        }
    }
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.bits)
    }
}

impl FromStr for Block {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let wrong = Malformed::new(text, "\"loopback\", \"private\", \"link-local\" or a block such as \"10.0.0.0/8\"");
        let Some((address, bits)) = text.split_once('/') else { return Err(wrong) };
        let canonical = !bits.starts_with(['0', '+']) || bits == "0";
        let (Ok(address), Ok(bits)) = (address.parse::<IpAddr>(), bits.parse::<u8>()) else { return Err(wrong) };
        if !canonical || bits > width(address) {
            return Err(wrong);
        }
        if address.to_canonical() != address {
            return Err(wrong.hint("write the IPv4 block"));
        }
        let first = masked(address, bits);
        if first != address {
            return Err(wrong.hint(format!("write \"{first}/{bits}\"")));
        }
        Ok(Self { first, bits })
    }
}

/// A set of addresses, as the fewest blocks: sorted, disjoint, no two of them one larger block.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Addresses(Vec<Block>);

impl Addresses {
    /// Returns the set of every address.
    pub fn every() -> Self {
        let block = |first| Block { first, bits: 0 };
        Self(vec![block(Ipv4Addr::UNSPECIFIED.into()), block(Ipv6Addr::UNSPECIFIED.into())])
    }

    /// Returns the addresses of this machine.
    pub fn loopback() -> Self {
        of_word("loopback").unwrap_or_default()
    }

    /// Returns every address that a word of a declaration stands for.
    pub fn special() -> Self {
        let sets = WORDS.iter().filter_map(|(word, _)| of_word(word));
        sets.fold(Self::default(), |all, set| all.with(&set))
    }

    /// Returns the addresses of all the blocks.
    pub fn new(mut blocks: Vec<Block>) -> Self {
        blocks.sort();
        let mut kept: Vec<Block> = Vec::with_capacity(blocks.len());
        // Sorted, a block follows directly what covers it, and the second half of a block follows the first.
        for mut block in blocks {
            while let Some(last) = kept.last() {
                if last.covers(&block) {
                    block = *last;
                } else if let Some(joined) = last.joined(&block) {
                    block = joined;
                } else {
                    break;
                }
                kept.pop();
            }
            kept.push(block);
        }
        Self(kept)
    }

    /// Returns the blocks.
    pub fn blocks(&self) -> &[Block] {
        &self.0
    }

    /// Tells whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells whether `address` is in the set. An IPv4 address in its IPv6 form counts as the IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        let one = Block::of(address);
        self.0.iter().any(|block| block.covers(&one))
    }

    /// Tells whether every address of `narrower` is in the set.
    pub fn covers(&self, narrower: &Self) -> bool {
        narrower.0.iter().all(|theirs| self.0.iter().any(|ours| ours.covers(theirs)))
    }

    /// Returns the addresses that are in both.
    pub fn intersect(&self, other: &Self) -> Self {
        let within = |wide: &Self, narrow: &Self| -> Vec<Block> {
            narrow.0.iter().filter(|block| wide.0.iter().any(|wide| wide.covers(block))).copied().collect()
        };
        Self::new([within(self, other), within(other, self)].concat())
    }

    /// Returns the set with `more` in it.
    pub fn with(&self, more: &Self) -> Self {
        Self::new([self.0.as_slice(), &more.0].concat())
    }

    /// Returns the set as a declaration writes it: words first, then the blocks that no word says.
    pub fn words(&self) -> Vec<String> {
        let sets = WORDS.iter().filter_map(|(word, _)| Some((*word, of_word(word)?)));
        let said: Vec<(&str, Self)> =
            sets.filter(|(_, set)| set.0.iter().all(|block| self.0.contains(block))).collect();
        let rest = self.0.iter().filter(|block| !said.iter().any(|(_, set)| set.0.contains(block)));
        said.iter().map(|(word, _)| (*word).to_owned()).chain(rest.map(ToString::to_string)).collect()
    }
}

/// Returns the set that a word stands for.
fn of_word(word: &str) -> Option<Addresses> {
    let (_, blocks) = WORDS.iter().find(|(known, _)| *known == word)?;
    blocks.iter().map(|block| block.parse().ok()).collect::<Option<Vec<Block>>>().map(Addresses::new)
}

impl FromStr for Addresses {
    type Err = Malformed;

    /// Reads one element of a declaration: a word or a block.
    fn from_str(text: &str) -> Result<Self, Malformed> {
        of_word(text).map_or_else(|| Ok(Self(vec![text.parse()?])), Ok)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(elements: &[&str]) -> Addresses {
        elements.iter().fold(Addresses::default(), |set, text| set.with(&text.parse().unwrap()))
    }

    #[test]
    fn a_set_is_the_fewest_blocks() {
        assert_eq!(set(&["10.0.0.0/9", "10.128.0.0/9", "10.1.0.0/16"]), set(&["10.0.0.0/8"]));
        assert_eq!(set(&["0.0.0.0/1", "128.0.0.0/1", "::/1", "8000::/1"]), Addresses::every());
        assert_eq!(set(&["10.0.0.0/10", "10.64.0.0/10", "10.128.0.0/10"]).blocks().len(), 2);
        assert_eq!(
            set(&["private", "loopback", "198.51.100.0/24"]).words(),
            ["loopback", "private", "198.51.100.0/24"]
        );
        assert_eq!(set(&["10.0.0.0/8"]).words(), ["10.0.0.0/8"]);
        let shown: Vec<String> = Addresses::every().words();
        assert_eq!(shown, ["0.0.0.0/0", "::/0"]);
        let read: Vec<&str> = shown.iter().map(String::as_str).collect();
        assert_eq!(set(&read), Addresses::every());
    }

    #[test]
    fn an_address_is_in_a_set_whichever_way_it_is_written() {
        let loopback = set(&["loopback"]);
        for (address, inside) in [
            ("127.0.0.1", true),
            ("127.255.255.255", true),
            ("128.0.0.0", false),
            ("::1", true),
            ("::2", false),
            ("::ffff:127.0.0.1", true),
        ] {
            assert_eq!(loopback.contains(address.parse().unwrap()), inside, "{address}");
        }
        assert!(!set(&["0.0.0.0/0"]).contains("::1".parse().unwrap()));
        assert_eq!(
            set(&["10.0.0.0/8", "::1/128"]).intersect(&set(&["10.1.0.0/16", "::/0"])).words(),
            ["10.1.0.0/16", "::1/128"]
        );
    }

    #[test]
    fn only_aligned_blocks_are_blocks() {
        for bad in [
            "",
            "10.0.0.0",
            "10.0.0.1/8",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/08",
            "10.0.0.0/+8",
            "010.0.0.0/8",
            "::ffff:10.0.0.0/104",
            "public",
            "Loopback",
            "10/8",
        ] {
            assert!(bad.parse::<Addresses>().is_err(), "{bad}");
        }
        assert_eq!("10.0.0.1/8".parse::<Block>().unwrap_err().hint.as_deref(), Some("write \"10.0.0.0/8\""));
    }
}
