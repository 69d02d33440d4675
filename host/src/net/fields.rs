//! Header fields that belong to the connection (RFC 9110, section 7.6.1): neither a guest nor a grant sets them, and a
//! guest does not see them in a response.

use hyper::HeaderMap;
use hyper::header::{self, HeaderName};

/// A list of header fields. Fields of one name stand together and in order.
pub type Fields = Vec<(String, Vec<u8>)>;

/// Whether only the sender sets the field in a request.
pub(super) fn is_ours(name: &HeaderName) -> bool {
    *name == header::HOST || *name == header::CONTENT_LENGTH || is_hop_by_hop(name)
}

/// Whether the field is about the connection rather than the message.
pub(super) fn is_hop_by_hop(name: &HeaderName) -> bool {
    let named = [header::CONNECTION, header::TE, header::TRAILER, header::TRANSFER_ENCODING, header::UPGRADE];
    named.contains(name)
        || ["keep-alive", "http2-settings"].contains(&name.as_str())
        || name.as_str().starts_with("proxy-")
}

/// Returns the bytes of the names and values.
pub(super) fn size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
}

/// Returns the fields that are about the message.
pub(super) fn end_to_end(headers: &HeaderMap) -> Fields {
    let kept = headers.iter().filter(|(name, _)| !is_hop_by_hop(name));
    kept.map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect()
}
