//! Ids of issues: the moment of creation and 40 random bits, so that ids sort by age, and runs that create issues at the
//! same moment need not agree on a number.

use std::hash::{BuildHasher as _, RandomState};
use std::time::{SystemTime, UNIX_EPOCH};

/// Digits that read well and sort as bytes: no `i`, `l`, `o`, `u`.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Bits of one digit.
const DIGIT_BITS: u32 = 5;
/// Digits of the time in milliseconds, which last to the year 3084, and of the random part.
const TIME_LEN: usize = 9;
const RANDOM_LEN: usize = 8;

/// Makes an id, such as `1hdq1zk4m-8ya0p3tz`.
pub fn new() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    from_parts(since.as_millis() as u64, RandomState::new().hash_one(since))
}

/// Tells whether a text has the shape of an id, and so may be part of a key.
pub fn is_id(text: &str) -> bool {
    let digits = |part: &str, len| part.len() == len && part.bytes().all(|byte| DIGITS.contains(&byte));
    text.split_once('-').is_some_and(|(time, random)| digits(time, TIME_LEN) && digits(random, RANDOM_LEN))
}

fn from_parts(millis: u64, random: u64) -> String {
    format!("{}-{}", digits(millis, TIME_LEN), digits(random, RANDOM_LEN))
}

/// Writes the low bits of a number, highest digit first.
fn digits(number: u64, len: usize) -> String {
    let digit = |place: usize| (number >> (DIGIT_BITS * place as u32)) as usize % DIGITS.len();
    (0..len).rev().map(|place| char::from(DIGITS[digit(place)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_age_and_differ_within_a_moment() {
        assert_eq!(from_parts(0, 0), "000000000-00000000");
        assert_eq!(from_parts(33, u64::MAX), "000000011-zzzzzzzz");
        assert!(from_parts(1_795_256_000_000, 9) < from_parts(1_795_256_000_001, 0));
        assert_ne!(new(), new());
    }

    #[test]
    fn only_ids_have_their_shape() {
        assert!(is_id(&new()));
        for text in ["", "-", "000000000", "000000000-0000000", "000000000-0000000l", "00000000A-00000000", "x/../y"] {
            assert!(!is_id(text), "{text}");
        }
    }
}
