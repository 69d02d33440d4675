//! The fields an entry has only sometimes. Each is a field id, a length and bytes, so that fields can come without a
//! change of format: a reader skips ids it does not know.

use super::error::Error;
use super::varint::{self, Cursor};

/// The most bytes the extension of one entry may take.
pub const EXTENSION_MAX: usize = 64 * 1024;

const ATTEMPT: u64 = 1;
const ANSWERS: u64 = 2;
const GRANT: u64 = 3;
const DENIAL: u64 = 4;
const CAUSE: u64 = 5;
const LABELS: u64 = 6;
const USAGE: u64 = 7;
const BEFORE: u64 = 8;
const CLASS: u64 = 9;

/// The fields an entry has only sometimes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extension {
    /// Which attempt at the same call this is, from 1.
    pub attempt: Option<u64>,
    /// The number of the intent this outcome answers.
    pub answers: Option<u64>,
    /// The grant that authorised the call.
    pub grant: Option<String>,
    /// Why the call was refused.
    pub denial: Option<String>,
    /// The entry, here or in another run, because of which this one exists.
    pub cause: Option<String>,
    /// Labels of the data.
    pub labels: Option<String>,
    /// What the call used, as JSON.
    pub usage: Option<String>,
    /// What a call found in place or where it went, as JSON: for whoever resumes the run.
    pub before: Option<String>,
    /// The class of this call, by the number that functions are defined with, where it is another than its function's.
    pub class: Option<u64>,
}

impl Extension {
    /// Appends the fields that are set to `block`.
    pub(super) fn encode(&self, block: &mut Vec<u8>) {
        for (field, value) in [(ATTEMPT, self.attempt), (ANSWERS, self.answers), (CLASS, self.class)] {
            if let Some(value) = value {
                let mut bytes = Vec::with_capacity(varint::LEN_MAX);
                varint::put(&mut bytes, value);
                varint::put(block, field);
                varint::put_bytes(block, &bytes);
            }
        }
        for (field, text) in self.texts() {
            if let Some(text) = text {
                varint::put(block, field);
                varint::put_bytes(block, text.as_bytes());
            }
        }
    }

    fn texts(&self) -> [(u64, Option<&String>); 6] {
        [
            (GRANT, self.grant.as_ref()),
            (DENIAL, self.denial.as_ref()),
            (CAUSE, self.cause.as_ref()),
            (LABELS, self.labels.as_ref()),
            (USAGE, self.usage.as_ref()),
            (BEFORE, self.before.as_ref()),
        ]
    }

    /// Reads a block, skipping fields of newer versions.
    pub(super) fn decode(block: &[u8]) -> Result<Self, Error> {
        let mut extension = Self::default();
        let mut cursor = Cursor::new(block, "an extension");
        while !cursor.is_empty() {
            let (field, value) = (cursor.number()?, cursor.bytes()?);
            match field {
                ATTEMPT => extension.attempt = Some(Cursor::new(value, "an attempt").number()?),
                ANSWERS => extension.answers = Some(Cursor::new(value, "an answered intent").number()?),
                GRANT => extension.grant = Some(text(value)?),
                DENIAL => extension.denial = Some(text(value)?),
                CAUSE => extension.cause = Some(text(value)?),
                LABELS => extension.labels = Some(text(value)?),
                USAGE => extension.usage = Some(text(value)?),
                BEFORE => extension.before = Some(text(value)?),
                CLASS => extension.class = Some(Cursor::new(value, "a class").number()?),
                _ => {}
            }
        }
        Ok(extension)
    }
}

fn text(bytes: &[u8]) -> Result<String, Error> {
    String::from_utf8(bytes.to_vec()).map_err(|_| Error::damaged("an extension holds text that is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_back_and_unknown_ones_are_skipped() {
        let extension = Extension {
            attempt: Some(3),
            answers: Some(1 << 40),
            denial: Some("no".into()),
            before: Some("{}".into()),
            class: Some(6),
            ..Extension::default()
        };
        let mut block = Vec::new();
        varint::put(&mut block, 99);
        varint::put_bytes(&mut block, b"from the future");
        extension.encode(&mut block);
        assert_eq!(Extension::decode(&block).unwrap(), extension);
        assert!(Extension::decode(&block[..block.len() - 1]).is_err());
    }
}
