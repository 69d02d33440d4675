//! Undoing escapes one character at a time, and knowing where in the source each came from.

/// One character of the text without escapes, and the source bytes that stand for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unit {
    pub(super) byte: u8,
    /// Where it begins in the source.
    pub(super) from: u64,
    /// Where it ends.
    pub(super) to: u64,
}

/// A way to escape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    /// `%41`, as in URLs and forms.
    Percent,
    /// `\u0041`, `\/`, as in JSON.
    Json,
    /// `&amp;`, `&#65;`, as in HTML and XML.
    Html,
}

/// Undoes the escapes of one syntax. What only looks like one passes as it is.
#[derive(Clone, Debug)]
pub(super) struct Unescape {
    syntax: Syntax,
    /// The beginning of what may be an escape.
    held: Vec<Unit>,
}

/// Bytes of the longest escape.
const LEN_MAX: usize = 10;

impl Syntax {
    /// Returns the character that begins an escape.
    #[inline]
    pub(super) const fn introducer(self) -> u8 {
        match self {
            Self::Percent => b'%',
            Self::Json => b'\\',
            Self::Html => b'&',
        }
    }
}

impl Unescape {
    pub(super) fn new(syntax: Syntax) -> Self {
        Self { syntax, held: Vec::new() }
    }

    /// Tells whether nothing is held.
    pub(super) fn is_idle(&self) -> bool {
        self.held.is_empty()
    }

    /// Takes the next character and hands on those that are certain.
    pub(super) fn feed(&mut self, unit: Unit, next: &mut dyn FnMut(Unit)) {
        if self.held.is_empty() && !self.begins_with(unit.byte) {
            return next(unit);
        }
        self.held.push(unit);
        match self.read() {
            Read::Incomplete => {}
            Read::Escape(byte) => {
                next(Unit { byte, from: self.held[0].from, to: unit.to });
                self.held.clear();
            }
            Read::Literal => {
                // Only the last one can introduce another escape: the others are letters, digits and `#`.
                self.held.pop();
                self.flush(next);
                self.feed(unit, next);
            }
        }
    }

    /// Hands on what was held: no escape came of it.
    pub(super) fn flush(&mut self, next: &mut dyn FnMut(Unit)) {
        self.held.drain(..).for_each(next);
    }

    /// Tells whether an escape can begin with this character.
    pub(super) fn begins_with(&self, byte: u8) -> bool {
        self.syntax.introducer() == byte
    }

    fn read(&self) -> Read {
        let mut bytes = [0; LEN_MAX];
        let held = self.held.len().min(bytes.len());
        bytes.iter_mut().zip(&self.held).for_each(|(byte, unit)| *byte = unit.byte);
        match (self.syntax, &bytes[1..held]) {
            (_, []) => Read::Incomplete,
            (Syntax::Percent, digits) => read_digits(digits, 2),
            (Syntax::Json, [b'u', digits @ ..]) => read_digits(digits, 4),
            (Syntax::Json, [b'n', ..]) => Read::Escape(b'\n'),
            (Syntax::Json, [b'r', ..]) => Read::Escape(b'\r'),
            (Syntax::Json, [b't' | b'b' | b'f', ..]) => Read::Escape(b' '),
            (Syntax::Json, [byte @ (b'"' | b'\\' | b'/'), ..]) => Read::Escape(*byte),
            (Syntax::Json, _) => Read::Literal,
            (Syntax::Html, [reference @ .., b';']) => read_reference(reference),
            (Syntax::Html, [.., last]) if last.is_ascii_alphanumeric() || *last == b'#' => match held {
                LEN_MAX => Read::Literal,
                _ => Read::Incomplete,
            },
            (Syntax::Html, _) => Read::Literal,
        }
    }
}

enum Read {
    /// More has to come.
    Incomplete,
    /// An escape of this character.
    Escape(u8),
    /// None: the last character does not fit.
    Literal,
}

/// Reads hexadecimal digits, `len` of them. What is not ASCII becomes a byte that no form holds.
fn read_digits(digits: &[u8], len: usize) -> Read {
    let mut number = 0_u32;
    for &byte in digits {
        match char::from(byte).to_digit(16) {
            Some(digit) => number = number << 4 | digit,
            None => return Read::Literal,
        }
    }
    match digits.len() == len {
        true => Read::Escape(u8::try_from(number).unwrap_or(0xff)),
        false => Read::Incomplete,
    }
}

/// Reads what stands between `&` and `;`: the names for what HTML itself uses, or a number.
fn read_reference(reference: &[u8]) -> Read {
    let text = String::from_utf8_lossy(reference).to_ascii_lowercase();
    let number = match text.strip_prefix('#').map(|number| (number, number.strip_prefix('x'))) {
        Some((_, Some(digits))) => u32::from_str_radix(digits, 16).ok(),
        Some((digits, None)) => digits.parse().ok(),
        None => {
            let named = [("amp", '&'), ("lt", '<'), ("gt", '>'), ("quot", '"'), ("apos", '\'')];
            named.iter().find(|(name, _)| *name == text).map(|(_, c)| u32::from(*c))
        }
    };
    number.map_or(Read::Literal, |number| Read::Escape(u8::try_from(number).unwrap_or(0xff)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unescaped(syntax: Syntax, text: &str) -> String {
        let (mut unescape, mut units) = (Unescape::new(syntax), Vec::new());
        for (at, byte) in (0..).zip(text.bytes()) {
            unescape.feed(Unit { byte, from: at, to: at + 1 }, &mut |unit| units.push(unit));
        }
        unescape.flush(&mut |unit| units.push(unit));
        let ends: Vec<u64> = units.iter().map(|unit| unit.to).collect();
        let begins: Vec<u64> = units.iter().map(|unit| unit.from).collect();
        assert_eq!(ends[..ends.len() - 1], begins[1..], "the units cover the source: {text}");
        units.into_iter().map(|unit| char::from(unit.byte)).collect()
    }

    #[test]
    fn escapes_are_undone_and_what_looks_like_one_is_not() {
        for (text, expected) in [
            ("a%41%2fb", "aA/b"),
            ("%4", "%4"),
            ("%%41", "%A"),
            ("%4%41", "%4A"),
            ("%4g%zz%", "%4g%zz%"),
            ("%25%34%31", "%41"),
        ] {
            assert_eq!(unescaped(Syntax::Percent, text), expected, "{text}");
        }
        for (text, expected) in [
            (r"a\u0041\/b", "aA/b"),
            (r#"\"\\u0041"#, r#""\u0041"#),
            (r"\u00\u0041", r"\u00A"),
            (r"\u004", r"\u004"),
            (r"\x\", r"\x\"),
            (r"\u20acx", "\u{ff}x"),
            (r"\n", "\n"),
        ] {
            assert_eq!(unescaped(Syntax::Json, text), expected, "{text}");
        }
        for (text, expected) in [
            ("a&amp;&LT;&#65;&#x041;", "a&<AA"),
            ("&&amp;amp;", "&&amp;"),
            ("&nbsp;&#;&;&#x;", "&nbsp;&#;&;&#x;"),
            ("&#8364;", "\u{ff}"),
            ("&#0000000065;", "&#0000000065;"),
            ("a & b &am", "a & b &am"),
        ] {
            assert_eq!(unescaped(Syntax::Html, text), expected, "{text}");
        }
    }
}
