//! LEB128 numbers and a cursor over untrusted bytes: what every layout in FORMAT.md is made of.
//!
//! Reading never panics and never reads past the end; it says what was being read when the bytes ran out.

use super::error::Error;

/// The most bytes one number takes.
pub(super) const LEN_MAX: usize = 10;

/// Appends `value` to `buffer`.
pub(super) fn put(buffer: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        buffer.push(value as u8 | 0x80);
        value >>= 7;
    }
    buffer.push(value as u8);
}

/// Appends the length of `bytes` and then `bytes`.
pub(super) fn put_bytes(buffer: &mut Vec<u8>, bytes: &[u8]) {
    put(buffer, bytes.len() as u64);
    buffer.extend_from_slice(bytes);
}

/// Reads from the front of bytes that may be damaged.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
    what: &'static str,
}

impl<'a> Cursor<'a> {
    /// Starts at the front of `bytes`, which are a `what`.
    pub fn new(bytes: &'a [u8], what: &'static str) -> Self {
        Self { rest: bytes, what }
    }

    /// Returns what has not been read.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Says whether everything has been read.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Takes one byte.
    #[inline]
    pub fn byte(&mut self) -> Result<u8, Error> {
        let (&byte, rest) = self.rest.split_first().ok_or_else(|| self.short())?;
        self.rest = rest;
        Ok(byte)
    }

    /// Takes one number.
    #[inline]
    pub fn number(&mut self) -> Result<u64, Error> {
        match self.rest {
            [first, rest @ ..] if *first < 0x80 => {
                self.rest = rest;
                Ok(u64::from(*first))
            }
            _ => self.long_number(),
        }
    }

    fn long_number(&mut self) -> Result<u64, Error> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if (bits << shift) >> shift != bits {
                break;
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Error::damaged(format_args!("{}: a number is longer than 64 bits", self.what)))
    }

    /// Takes `len` bytes.
    #[inline]
    pub fn take(&mut self, len: usize) -> Result<&'a [u8], Error> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or_else(|| self.short())?;
        self.rest = rest;
        Ok(taken)
    }

    /// Takes a length and that many bytes.
    #[inline]
    pub fn bytes(&mut self) -> Result<&'a [u8], Error> {
        let len = self.number()?;
        self.take(usize::try_from(len).map_err(|_| self.short())?)
    }

    /// Takes `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or_else(|| self.short())?;
        self.rest = rest;
        Ok(*taken)
    }

    #[cold]
    fn short(&self) -> Error {
        Error::damaged(format_args!("{} ends too early", self.what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        for value in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX - 1, u64::MAX] {
            let mut bytes = Vec::new();
            put(&mut bytes, value);
            assert!(bytes.len() <= LEN_MAX);
            let mut cursor = Cursor::new(&bytes, "test");
            assert_eq!(cursor.number().unwrap(), value);
            assert!(cursor.is_empty());
            assert!(Cursor::new(&bytes[..bytes.len() - 1], "test").number().is_err());
        }
    }

    #[test]
    fn refuses_more_than_64_bits() {
        assert!(Cursor::new(&[0xff; 11], "test").number().is_err());
        let too_high = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02];
        assert!(Cursor::new(&too_high, "test").number().is_err());
    }
}
