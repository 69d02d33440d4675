//! Server-sent events, as the HTML standard defines them (section 9.2.6), read from a body that is here in full.
//!
//! An event counts once the empty line behind it has come: what was cut off is not an event.

use super::error::ModelError;

/// One event: what a stream of answers is made of.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Event {
    /// Its `event:` field; empty if it has none.
    pub name: String,
    /// Its `data:` lines, joined with line feeds.
    pub data: String,
}

/// Returns the body as text: a stream of events is UTF-8.
pub(super) fn text(body: &[u8]) -> Result<&str, ModelError> {
    std::str::from_utf8(body).map_err(|error| match error.error_len() {
        None => ModelError::truncated(),
        Some(_) => ModelError::unreadable("it is not UTF-8"),
    })
}

/// Returns the events of a body that have some data.
pub(super) fn events(body: &str) -> Vec<Event> {
    let body = body.strip_prefix('\u{feff}').unwrap_or(body);
    let mut events = Vec::new();
    let (mut name, mut data) = (String::new(), None::<String>);
    for line in lines(body) {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "" if line.is_empty() => {
                let name = std::mem::take(&mut name);
                events.extend(data.take().map(|data| Event { name, data }));
            }
            "event" => name = value.to_owned(),
            "data" => data = Some(data.map_or_else(|| value.to_owned(), |before| format!("{before}\n{value}"))),
            // A comment, or `id` and `retry`, which are for clients that connect again.
            _ => {}
        }
    }
    events
}

/// Returns the lines that are ended: by LF, CR, or both.
fn lines(body: &str) -> impl Iterator<Item = &str> {
    let mut rest = body;
    std::iter::from_fn(move || {
        let end = rest.find(['\n', '\r'])?;
        let line = &rest[..end];
        let break_len = if rest[end..].starts_with("\r\n") { 2 } else { 1 };
        rest = &rest[end + break_len..];
        Some(line)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, expected: &[(&str, &str)]) {
        let found = events(body);
        let found: Vec<_> = found.iter().map(|event| (event.name.as_str(), event.data.as_str())).collect();
        assert_eq!(found, expected, "{body:?}");
    }

    #[test]
    fn events_are_read_as_the_standard_says() {
        check("data: a\n\ndata:b\r\n\r\nevent: x\rdata: c\r\r", &[("", "a"), ("", "b"), ("x", "c")]);
        check("\u{feff}: hello\n\nid: 7\ndata: a\ndata\ndata:  b\n\n", &[("", "a\n\n b")]);
        check("event: ping\n\ndata: a\n\n", &[("", "a")]);
        check("data:\n\n", &[("", "")]);
    }

    #[test]
    fn what_is_cut_off_is_no_event() {
        check("data: a\n\ndata: b\n", &[("", "a")]);
        check("data: a\n\ndata: b", &[("", "a")]);
        check("", &[]);
    }
}
