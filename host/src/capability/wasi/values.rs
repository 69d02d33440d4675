//! Recording WASI's types: the canonical encoding for wasmtime-wasi's bindings, case by case in WIT order.

use serde_json::{Value as Json, json};
use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::clocks::wall_clock::Datetime;
use wasmtime_wasi::p2::bindings::sync::filesystem::types as fs;
use wasmtime_wasi::p2::bindings::sync::io::streams::StreamError;
use wasmtime_wasi::p2::bindings::sync::sockets::{network, tcp, udp};

use crate::capability::bindings::{approval, config, kv, log, signal, timer, tools};
use crate::gate::Value;
use crate::gate::value::{Malformed, Mismatch, case_of, fields_of, put_uint, take_uint};

/// A handle is recorded as its creation ordinal.
impl<T: 'static> Value for Resource<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        put_uint(u64::from(self.rep()), out);
    }

    fn decode(input: &mut &[u8]) -> Result<Self, Malformed> {
        Ok(Self::new_own(u32::decode(input)?))
    }

    fn json(&self) -> Json {
        json!({ "handle": self.rep() })
    }

    fn from_json(json: &Json) -> Result<Self, Mismatch> {
        let handle = case_of(json).filter(|(name, _)| *name == "handle");
        let (_, ordinal) = handle.ok_or_else(|| Mismatch::new("{\"handle\": NUMBER}", json))?;
        u32::from_json(ordinal).map(Self::new_own).map_err(|error| error.under("handle"))
    }

    fn handles(&self, see: &mut impl FnMut(u32)) {
        see(self.rep());
    }
}

/// Turns `WouldBlock` and `WOULD_BLOCK` into `would-block`, as WIT writes it.
pub(in crate::capability) fn kebab(name: &str) -> String {
    let is_constant = !name.contains(|letter: char| letter.is_ascii_lowercase());
    let mut text = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        match letter {
            '_' => text.push('-'),
            _ if letter.is_ascii_uppercase() && !text.is_empty() && !is_constant => {
                text.push('-');
                text.push(letter.to_ascii_lowercase());
            }
            _ => text.push(letter.to_ascii_lowercase()),
        }
    }
    text
}

/// An enum without payloads: one byte, the case's position in WIT.
macro_rules! enumeration {
    ($type:ty { $($case:ident),* $(,)? }) => {
        impl Value for $type {
            fn encode(&self, out: &mut Vec<u8>) {
                const CASES: &[$type] = &[$(<$type>::$case),*];
                let position = CASES.iter().position(|case| case == self).expect("every case is listed");
                out.push(position as u8);
            }

            fn decode(input: &mut &[u8]) -> Result<Self, Malformed> {
                const CASES: &[$type] = &[$(<$type>::$case),*];
                CASES.get(usize::from(u8::decode(input)?)).copied().ok_or(Malformed)
            }

            fn json(&self) -> Json {
                match self { $(Self::$case => json!(kebab(stringify!($case)))),* }
            }

            fn from_json(json: &Json) -> Result<Self, Mismatch> {
                let named = json.as_str().and_then(|name| {
                    $(if name == kebab(stringify!($case)) { return Some(Self::$case); })*
                    None
                });
                named.ok_or_else(|| Mismatch::new(one_of(&[$(stringify!($case)),*]), json))
            }
        }
    };
}

/// Flags: one bit a flag, in WIT order.
macro_rules! flags {
    ($type:ty { $($flag:ident),* $(,)? }) => {
        impl Value for $type {
            fn encode(&self, out: &mut Vec<u8>) {
                const FLAGS: &[$type] = &[$(<$type>::$flag),*];
                let bits = FLAGS.iter().enumerate().filter(|(_, flag)| self.contains(**flag));
                put_uint(bits.fold(0, |bits, (position, _)| bits | 1 << position), out);
            }

            fn decode(input: &mut &[u8]) -> Result<Self, Malformed> {
                const FLAGS: &[$type] = &[$(<$type>::$flag),*];
                let bits = take_uint(input)?;
                if bits >> FLAGS.len() != 0 {
                    return Err(Malformed);
                }
                let set = FLAGS.iter().enumerate().filter(|(position, _)| bits >> position & 1 == 1);
                Ok(set.fold(<$type>::empty(), |flags, (_, flag)| flags | *flag))
            }

            fn json(&self) -> Json {
                let mut names = Vec::new();
                $(if self.contains(<$type>::$flag) { names.push(kebab(stringify!($flag))); })*
                json!(names)
            }

            fn from_json(json: &Json) -> Result<Self, Mismatch> {
                let mut flags = <$type>::empty();
                for name in Vec::<String>::from_json(json)? {
                    flags |= match name {
                        $(name if name == kebab(stringify!($flag)) => <$type>::$flag,)*
                        name => return Err(Mismatch::new(one_of(&[$(stringify!($flag)),*]), &json!(name))),
                    };
                }
                Ok(flags)
            }
        }
    };
}

/// A record: its fields, in WIT order.
macro_rules! record {
    ($type:ty { $($field:ident as $name:literal),* $(,)? }) => {
        impl Value for $type {
            fn encode(&self, out: &mut Vec<u8>) {
                $(self.$field.encode(out);)*
            }

            fn decode(input: &mut &[u8]) -> Result<Self, Malformed> {
                Ok(Self { $($field: Value::decode(input)?),* })
            }

            fn json(&self) -> Json {
                json!({ $($name: self.$field.json()),* })
            }

            fn from_json(json: &Json) -> Result<Self, Mismatch> {
                let fields = fields_of(&[$($name),*], json)?;
                Ok(Self { $($field: Value::from_json(&fields[$name]).map_err(|error: Mismatch| error.under($name))?),* })
            }
        }
    };
}

/// A variant: the case's position as a byte, then its payload if it has one.
macro_rules! variant {
    ($type:ty { $($number:literal $case:ident $(($payload:ident))?),* $(,)? }) => {
        impl Value for $type {
            fn encode(&self, out: &mut Vec<u8>) {
                match self {
                    $(Self::$case $(($payload))? => {
                        out.push($number);
                        $($payload.encode(out);)?
                    })*
                }
            }

            fn decode(input: &mut &[u8]) -> Result<Self, Malformed> {
                match u8::decode(input)? {
                    $($number => Ok(Self::$case $(({ let $payload = Value::decode(input)?; $payload }))?),)*
                    _ => Err(Malformed),
                }
            }

            fn json(&self) -> Json {
                match self {
                    $(Self::$case $(($payload))? => {
                        #[allow(unused_mut, unused_assignments, reason = "a case without payload is its name alone")]
                        let mut shown = json!(kebab(stringify!($case)));
                        $(shown = json!({ kebab(stringify!($case)): $payload.json() });)?
                        shown
                    })*
                }
            }

            fn from_json(json: &Json) -> Result<Self, Mismatch> {
                let plain = json.as_str().map(|name| (name, &Json::Null));
                let (name, _payload) = plain.or_else(|| case_of(json)).unwrap_or(("", &Json::Null));
                $(if name == kebab(stringify!($case)) && (plain.is_some() || carries(&[$(stringify!($payload))?])) {
                    $(
                        let $payload = Value::from_json(_payload).map_err(|error: Mismatch| error.under(name))?;
                    )?
                    return Ok(Self::$case $(($payload))?);
                })*
                Err(Mismatch::new(one_of(&[$(stringify!($case)),*]), json))
            }

            fn handles(&self, _see: &mut impl FnMut(u32)) {
                match self {
                    $(Self::$case $(($payload))? => { $($payload.handles(_see);)? })*
                }
            }
        }
    };
}

/// Tells whether a case has a payload, by the names of those it has.
pub(in crate::capability) fn carries(payloads: &[&str]) -> bool {
    !payloads.is_empty()
}

/// Lists the names of cases, as WIT writes them.
pub(in crate::capability) fn one_of(cases: &[&str]) -> String {
    let names: Vec<_> = cases.iter().map(|case| kebab(case)).collect();
    format!("one of {}", names.join(", "))
}

pub(in crate::capability) use {enumeration, record, variant};

record!(Datetime { seconds as "seconds", nanoseconds as "nanoseconds" });
variant!(StreamError { 0 LastOperationFailed(error), 1 Closed });

enumeration!(fs::ErrorCode {
    Access,
    WouldBlock,
    Already,
    BadDescriptor,
    Busy,
    Deadlock,
    Quota,
    Exist,
    FileTooLarge,
    IllegalByteSequence,
    InProgress,
    Interrupted,
    Invalid,
    Io,
    IsDirectory,
    Loop,
    TooManyLinks,
    MessageSize,
    NameTooLong,
    NoDevice,
    NoEntry,
    NoLock,
    InsufficientMemory,
    InsufficientSpace,
    NotDirectory,
    NotEmpty,
    NotRecoverable,
    Unsupported,
    NoTty,
    NoSuchDevice,
    Overflow,
    NotPermitted,
    Pipe,
    ReadOnly,
    InvalidSeek,
    TextFileBusy,
    CrossDevice,
});
enumeration!(fs::DescriptorType {
    Unknown,
    BlockDevice,
    CharacterDevice,
    Directory,
    Fifo,
    SymbolicLink,
    RegularFile,
    Socket,
});
enumeration!(fs::Advice { Normal, Sequential, Random, WillNeed, DontNeed, NoReuse });
flags!(fs::DescriptorFlags {
    READ,
    WRITE,
    FILE_INTEGRITY_SYNC,
    DATA_INTEGRITY_SYNC,
    REQUESTED_WRITE_SYNC,
    MUTATE_DIRECTORY,
});
flags!(fs::PathFlags { SYMLINK_FOLLOW });
flags!(fs::OpenFlags { CREATE, DIRECTORY, EXCLUSIVE, TRUNCATE });
variant!(fs::NewTimestamp { 0 NoChange, 1 Now, 2 Timestamp(time) });
record!(fs::DirectoryEntry { type_ as "type", name as "name" });
record!(fs::MetadataHashValue { lower as "lower", upper as "upper" });
record!(fs::DescriptorStat {
    type_ as "type",
    link_count as "link-count",
    size as "size",
    data_access_timestamp as "data-access-timestamp",
    data_modification_timestamp as "data-modification-timestamp",
    status_change_timestamp as "status-change-timestamp",
});

enumeration!(network::ErrorCode {
    Unknown,
    AccessDenied,
    NotSupported,
    InvalidArgument,
    OutOfMemory,
    Timeout,
    ConcurrencyConflict,
    NotInProgress,
    WouldBlock,
    InvalidState,
    NewSocketLimit,
    AddressNotBindable,
    AddressInUse,
    RemoteUnreachable,
    ConnectionRefused,
    ConnectionReset,
    ConnectionAborted,
    DatagramTooLarge,
    NameUnresolvable,
    TemporaryResolverFailure,
    PermanentResolverFailure,
});
enumeration!(network::IpAddressFamily { Ipv4, Ipv6 });
enumeration!(tcp::ShutdownType { Receive, Send, Both });
variant!(network::IpAddress { 0 Ipv4(address), 1 Ipv6(address) });
record!(network::Ipv4SocketAddress { port as "port", address as "address" });
record!(network::Ipv6SocketAddress {
    port as "port", flow_info as "flow-info", address as "address", scope_id as "scope-id",
});
variant!(network::IpSocketAddress { 0 Ipv4(address), 1 Ipv6(address) });
record!(udp::IncomingDatagram { data as "data", remote_address as "remote-address" });
record!(udp::OutgoingDatagram { data as "data", remote_address as "remote-address" });

variant!(config::Value { 0 Text(text), 1 Integer(number), 2 Float(number), 3 Boolean(is_set) });
enumeration!(config::Error { Denied });
enumeration!(kv::Error { Denied, InvalidKey });
record!(tools::Tool {
    name as "name", description as "description", parameters as "parameters", digest as "digest",
});
variant!(tools::Error {
    0 Denied,
    1 Unknown(message),
    2 Changed(digest),
    3 InvalidArguments(message),
    4 Returned(json),
    5 Failed(message),
    6 TooLarge(message),
});
enumeration!(approval::DefaultAnswer { Deny, Approve });
record!(approval::Proposal {
    title as "title", intent as "intent", details as "details", expires as "expires", default as "default",
});
variant!(approval::Decision { 0 Approved, 1 Denied(why), 2 Expired(default) });
variant!(approval::Error { 0 Denied, 1 CannotWait, 2 Invalid(message) });
enumeration!(timer::Error { Denied });
enumeration!(signal::Error { Denied, CannotWait });
enumeration!(log::Level { Trace, Debug, Info, Warn, Error });
