//! When a server wants to be asked again: `Retry-After` (RFC 9110, section 10.2.3).

use std::time::{Duration, UNIX_EPOCH};

use hyper::header::{HeaderMap, RETRY_AFTER};

/// Returns how long from `now`, the wall time since the Unix epoch, the server wants not to be asked: seconds or a date.
/// What is neither says nothing; a date that is past says zero.
pub(super) fn read(headers: &HeaderMap, now: Duration) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // Only a number too large to count fails here.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(UNIX_EPOCH).unwrap_or_default().saturating_sub(now))
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    #[test]
    fn seconds_and_dates_are_read() {
        let check = |text: &'static [u8], expected: Option<u64>| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_bytes(text).unwrap());
            let now = Duration::from_secs(784_111_700);
            assert_eq!(read(&headers, now), expected.map(Duration::from_secs), "{}", text.escape_ascii());
        };
        check(b"0", Some(0));
        check(b" 120 ", Some(120));
        check(b"99999999999999999999999999", Some(u64::MAX));
        check(b"Sun, 06 Nov 1994 08:49:37 GMT", Some(77));
        check(b"Sunday, 06-Nov-94 08:49:37 GMT", Some(77));
        check(b"Sun Nov  6 08:49:37 1994", Some(77));
        check(b"Sun, 06 Nov 1988 08:49:37 GMT", Some(0));
        for text in [&b""[..], b"-1", b"+1", b"1.5", b"1 s", b"soon", b"\xff"] {
            check(text, None);
        }
        assert_eq!(read(&HeaderMap::new(), Duration::ZERO), None);
    }
}
