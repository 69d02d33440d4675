//! The forms in which a secret is looked for, as one automaton.

use std::collections::BTreeSet;

use aho_corasick::automaton::Automaton;
use aho_corasick::nfa::contiguous::NFA;
use aho_corasick::{Anchored, BuildError, MatchKind};
use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD_NO_PAD, URL_SAFE_NO_PAD};

pub(super) use aho_corasick::automaton::StateID;

use super::super::Secret;

/// Every form of every secret. An automaton and not a list, so that looking for all of them takes one step a byte; the
/// compact kind of automaton, because the fast one takes half a kilobyte for each byte of each form.
pub(super) struct Forms {
    automaton: NFA,
    start: StateID,
    len_max: usize,
}

impl Forms {
    pub(super) fn of<'s>(secrets: impl Iterator<Item = &'s Secret>) -> Result<Self, BuildError> {
        let mut forms = BTreeSet::new();
        for secret in secrets {
            add_forms(&mut forms, secret.expose());
            for credential in decoded(secret.expose()) {
                add_forms(&mut forms, &credential);
            }
        }
        let len_max = forms.iter().map(Vec::len).max().unwrap_or_default();
        let automaton = NFA::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .prefilter(false)
            .build(&forms)?;
        let start = automaton.start_state(Anchored::No).expect("an automaton of the standard kind has such a start");
        Ok(Self { automaton, start, len_max })
    }

    /// Returns the state before the first byte.
    pub(super) fn start(&self) -> StateID {
        self.start
    }

    /// Returns the length of the longest form: no state depends on more bytes than that.
    pub(super) fn len_max(&self) -> usize {
        self.len_max
    }

    #[inline]
    pub(super) fn next(&self, state: StateID, byte: u8) -> StateID {
        self.automaton.next_state(Anchored::No, state, byte)
    }

    /// Returns the length of the longest form that ends in this state, if one does.
    #[inline]
    pub(super) fn ending(&self, state: StateID) -> Option<usize> {
        if !self.automaton.is_special(state) || !self.automaton.is_match(state) {
            return None;
        }
        let len = |index| self.automaton.pattern_len(self.automaton.match_pattern(state, index));
        (0..self.automaton.match_len(state)).map(len).max()
    }
}

fn add_forms(forms: &mut BTreeSet<Vec<u8>>, bytes: &[u8]) {
    forms.insert(bytes.to_vec());
    forms.insert(bytes.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect());
    for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
        forms.extend((0..3).map(|before| inner_base64(&engine, bytes, before)));
    }
}

/// Returns the characters that `bytes` alone decide when they are encoded with `before` bytes in front of them.
fn inner_base64(engine: &GeneralPurpose, bytes: &[u8], before: usize) -> Vec<u8> {
    let encoded = engine.encode([&[0; 2][..before], bytes].concat());
    let (first, end) = ((before * 8).div_ceil(6), (before + bytes.len()) * 8 / 6);
    encoded.as_bytes()[first..end].to_vec()
}

/// Returns `user:password` and `password` where `bytes` are the base64 of them.
fn decoded(bytes: &[u8]) -> Vec<Vec<u8>> {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let engine = GeneralPurpose::new(&base64::alphabet::STANDARD, config);
    let is_text = |bytes: &Vec<u8>| bytes.iter().all(u8::is_ascii_graphic);
    let Some(credentials) = engine.decode(bytes).ok().filter(is_text) else { return Vec::new() };
    let Some(colon) = credentials.iter().position(|byte| *byte == b':') else { return Vec::new() };
    let password = credentials[colon + 1..].to_vec();
    [credentials, password].into_iter().filter(|bytes| bytes.len() >= Secret::LEN_MIN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_at_every_alignment_holds_the_inner_characters() {
        let secret = b"hunter2-hunter2";
        for before in 0..9 {
            for after in 0..4 {
                let whole = [&b"<<<<<<<<<"[..before], secret, &b">>>>"[..after]].concat();
                let encoded = STANDARD_NO_PAD.encode(whole);
                let inner = String::from_utf8(inner_base64(&STANDARD_NO_PAD, secret, before % 3)).unwrap();
                assert!(encoded.contains(&inner), "{before} {after}: {inner} in {encoded}");
                assert!(inner.len() >= 18, "at most four bits on either side are not in it: {inner}");
            }
        }
    }

    #[test]
    fn credentials_are_known_decoded() {
        let credentials = STANDARD_NO_PAD.encode("ada:correct-horse");
        assert_eq!(decoded(credentials.as_bytes()), [b"ada:correct-horse".to_vec(), b"correct-horse".to_vec()]);
        assert_eq!(decoded(format!("{credentials}=").as_bytes()).len(), 2);
        for other in ["c2hvcnQ", "hunter2-hunter2", "aGVsbG8gd29ybGQ6IGEgYg", "0123456789abcdef0123456789abcdef"] {
            assert!(decoded(other.as_bytes()).is_empty(), "{other}");
        }
    }
}
