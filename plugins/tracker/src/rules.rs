//! What callers may give: the limits that `wit/tracker.wit` promises.

use crate::exports::remit_plugins::tracker::issues::{Draft, Error};

/// Bytes in a title.
pub const TITLE_LEN_MAX: usize = 200;
/// Bytes in a body.
pub const BODY_LEN_MAX: usize = 64 << 10;
/// Labels of one issue.
pub const LABELS_MAX: usize = 16;
/// Bytes in a label.
pub const LABEL_LEN_MAX: usize = 50;
/// Bytes in a reference: with what stands before it, it fits a key.
pub const REFERENCE_LEN_MAX: usize = 200;
/// Comments on one issue.
pub const COMMENTS_MAX: usize = 200;
/// Bytes in a comment.
pub const COMMENT_LEN_MAX: usize = 16 << 10;

/// Checks what a draft has, and puts its labels in order.
pub fn check_draft(mut draft: Draft) -> Result<Draft, Error> {
    check_len("a title", &draft.title, 1, TITLE_LEN_MAX)?;
    if draft.title.contains(['\n', '\r']) {
        return Err(invalid("a title is one line"));
    }
    check_len("a body", &draft.body, 0, BODY_LEN_MAX)?;
    draft.reference.iter().try_for_each(|reference| check_reference(reference))?;
    draft.labels.iter().try_for_each(|label| check_label(label))?;
    draft.labels.sort();
    draft.labels.dedup();
    check_count("labels", draft.labels.len(), LABELS_MAX)?;
    Ok(draft)
}

/// Checks a reference by itself.
pub fn check_reference(reference: &str) -> Result<(), Error> {
    check_len("a reference", reference, 1, REFERENCE_LEN_MAX)
}

/// Checks a label by itself.
pub fn check_label(label: &str) -> Result<(), Error> {
    check_len("a label", label, 1, LABEL_LEN_MAX)?;
    match label.contains(char::is_whitespace) {
        true => Err(invalid(format!("a label has no white space: {label:?}"))),
        false => Ok(()),
    }
}

/// Checks a comment by itself.
pub fn check_comment(text: &str) -> Result<(), Error> {
    check_len("a comment", text, 1, COMMENT_LEN_MAX)
}

/// Checks how many of something an issue has.
pub fn check_count(what: &str, count: usize, max: usize) -> Result<(), Error> {
    match count <= max {
        true => Ok(()),
        false => Err(invalid(format!("an issue has at most {max} {what}"))),
    }
}

fn check_len(what: &str, text: &str, min: usize, max: usize) -> Result<(), Error> {
    match text.len() {
        len if (min..=max).contains(&len) => Ok(()),
        len => Err(invalid(format!("{what} has {min} to {max} bytes, and this has {len}"))),
    }
}

fn invalid(message: impl Into<String>) -> Error {
    Error::Invalid(message.into())
}
