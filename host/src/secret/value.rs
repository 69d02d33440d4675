//! One secret's bytes, and which bytes may be one.

use std::fmt;

use zeroize::Zeroizing;

/// A secret: 8 to 8,192 visible ASCII characters without spaces, erased from memory when dropped.
///
/// It cannot be cloned or serialised, and says nothing of itself when printed. Share it in an `Arc`.
pub struct Secret(Zeroizing<Vec<u8>>);

/// The bytes cannot be a secret. Says nothing of what they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// So few bytes occur by chance in what is not the secret, and taking them out would mutilate it.
    #[error("a secret of {len} bytes is too short: it has at least {}", Secret::LEN_MIN)]
    TooShort {
        /// How many there are.
        len: usize,
    },
    /// More than servers accept in a header.
    #[error("a secret of {len} bytes is too long: it has at most {}", Secret::LEN_MAX)]
    TooLong {
        /// How many there are.
        len: usize,
    },
    /// A space would end the value in places, and begin a second one.
    #[error("a secret holds no spaces, and byte {at} is one")]
    Space {
        /// Where, counted from 1.
        at: usize,
    },
    /// A line break would split a header in two; other characters mean different things to different servers.
    #[error("a secret is visible ASCII text, and byte {at} is not")]
    NotVisible {
        /// Where, counted from 1.
        at: usize,
    },
}

impl Unfit {
    /// Returns what to try.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::TooShort { .. } => {
                "the host removes a secret from every response; text this short would occur there by chance"
            }
            Self::TooLong { .. } => "store the key or token alone, not the file it came in",
            Self::Space { .. } => {
                "store the token alone; what stands before it is `remit secret bind --prefix 'Bearer '`"
            }
            Self::NotVisible { .. } => "encode it first, as the far side expects it: base64, for example",
        }
    }
}

impl Secret {
    /// The fewest bytes of a secret.
    pub const LEN_MIN: usize = 8;

    /// The most bytes of a secret: what servers commonly accept as one header.
    pub const LEN_MAX: usize = 8_192;

    /// Takes bytes as a secret.
    ///
    /// # Errors
    ///
    /// [`Unfit`] for bytes that could not be sent, or not be found again.
    pub fn new(bytes: Zeroizing<Vec<u8>>) -> Result<Self, Unfit> {
        let position = |unfit: fn(&u8) -> bool| bytes.iter().position(unfit).map(|index| index + 1);
        match (bytes.len(), position(|byte| *byte == b' '), position(|byte| !byte.is_ascii_graphic())) {
            (len @ 0..Self::LEN_MIN, ..) => Err(Unfit::TooShort { len }),
            (len, ..) if len > Self::LEN_MAX => Err(Unfit::TooLong { len }),
            (_, Some(at), Some(first)) if at == first => Err(Unfit::Space { at }),
            (_, _, Some(at)) => Err(Unfit::NotVisible { at }),
            _ => Ok(Self(bytes)),
        }
    }

    /// Returns the bytes: to put them into a request, or to look for them in a response, and for nothing else.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    /// Prints `Secret`, and nothing of what it is, not even its length.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Result<Secret, Unfit> {
        Secret::new(Zeroizing::new(text.as_bytes().to_vec()))
    }

    #[test]
    fn what_could_not_be_sent_or_found_again_is_refused() {
        for (text, unfit) in [
            ("", Unfit::TooShort { len: 0 }),
            ("1234567", Unfit::TooShort { len: 7 }),
            ("Bearer token", Unfit::Space { at: 7 }),
            ("token123\n", Unfit::NotVisible { at: 9 }),
            ("a: b\r\nc: d", Unfit::Space { at: 3 }),
            ("token\0 123", Unfit::NotVisible { at: 6 }),
            ("geheimnisvoll\u{e4}", Unfit::NotVisible { at: 14 }),
            (&"x".repeat(8_193), Unfit::TooLong { len: 8_193 }),
        ] {
            assert_eq!(secret(text).unwrap_err(), unfit, "{text:?}");
        }
        for text in ["12345678", "sk-_.~!\"\\/%41", &"x".repeat(8_192)] {
            assert_eq!(secret(text).unwrap().expose(), text.as_bytes());
        }
    }

    #[test]
    fn nothing_of_it_is_printed() {
        assert_eq!(format!("{:?}", secret("hunter2-hunter2").unwrap()), "Secret");
        for text in ["hunter2", "hunter2 hunter2", "hunter2-hunter2\n", &"hunter2".repeat(2_000)] {
            let unfit = secret(text).unwrap_err();
            let printed = format!("{unfit} {unfit:?} {}", unfit.hint());
            assert!(!printed.contains("hunter2"), "{printed}");
        }
    }

    /// Compiles only while `Secret` has neither trait: otherwise it would be ambiguous which of the impls is meant.
    #[test]
    fn it_can_be_neither_cloned_nor_serialised() {
        trait Lacks<Which> {
            fn both() {}
        }
        struct Clones;
        struct Serialises;
        impl<T> Lacks<()> for T {}
        impl<T: Clone> Lacks<Clones> for T {}
        impl<T: serde::Serialize> Lacks<Serialises> for T {}
        <Secret as Lacks<_>>::both();
    }
}
