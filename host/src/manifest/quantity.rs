//! Sizes, durations, fuel and counts: read as people write them, and printed as people read them.

use toml::de::DeValue;

use super::section::{Malformed, Node, text, wrong_type};

/// The largest number TOML can write.
pub const NUMBER_MAX: u64 = i64::MAX as u64;

const SIZE_UNITS: [(&str, u64); 7] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("B", 1),
];
const DAY_MS: u64 = 86_400_000;
const DURATION_UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", DAY_MS)];

const SIZE_EXPECTED: &str = "a size such as \"64 MiB\", or a number of bytes";
const DURATION_EXPECTED: &str = "a duration such as \"500ms\", \"30s\", \"5m\", \"2h\" or \"1d\"";

/// Returns the bytes that `"64 MiB"`, `"1.5 GiB"` or `"100"` stand for.
pub fn parse_size(text: &str) -> Result<u64, Malformed> {
    with_unit(text, &SIZE_UNITS, Some(1)).ok_or_else(|| Malformed::new(text, SIZE_EXPECTED))
}

/// Returns the milliseconds that `"500ms"`, `"30s"`, `"5m"`, `"2h"` or `"1d"` stand for.
pub fn parse_duration(text: &str) -> Result<u64, Malformed> {
    with_unit(text, &DURATION_UNITS, None).ok_or_else(|| Malformed::new(text, DURATION_EXPECTED))
}

/// Returns the number of `text` in its unit: digits, at most three decimals, an optional space, the unit.
fn with_unit(text: &str, units: &[(&str, u64)], bare: Option<u64>) -> Option<u64> {
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let unit = unit.strip_prefix(' ').unwrap_or(unit);
    let factor = if unit.is_empty() { bare? } else { units.iter().find(|(name, _)| *name == unit)?.1 };
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || decimals.is_empty() || decimals.len() > 3 {
        return None;
    }
    let thousandths = format!("{decimals:0<3}").parse::<u64>().ok()?.checked_mul(factor)?;
    let value = whole.parse::<u64>().ok()?.checked_mul(factor)?.checked_add(thousandths / 1_000)?;
    (thousandths % 1_000 == 0 || factor % 1_024 == 0).then_some(value).filter(|value| *value <= NUMBER_MAX)
}

/// Reads a size: an integer is bytes, a string has a unit.
pub(super) fn size(node: &Node<'_>) -> Result<u64, Malformed> {
    match node.get_ref() {
        DeValue::String(text) => parse_size(text),
        DeValue::Integer(_) => number(node),
        other => Err(wrong_type(other, SIZE_EXPECTED)),
    }
}

/// Reads a duration in milliseconds. A bare number is refused: its unit would be a guess.
pub(crate) fn duration(node: &Node<'_>) -> Result<u64, Malformed> {
    match node.get_ref() {
        DeValue::String(_) => parse_duration(text(node)?),
        other => Err(wrong_type(other, DURATION_EXPECTED)),
    }
}

/// Reads a whole number that is not negative.
pub(crate) fn number(node: &Node<'_>) -> Result<u64, Malformed> {
    let expected = "a whole number from 0 to 9223372036854775807";
    let DeValue::Integer(integer) = node.get_ref() else {
        return Err(wrong_type(node.get_ref(), expected));
    };
    u64::from_str_radix(integer.as_str(), integer.radix())
        .ok()
        .filter(|value| *value <= NUMBER_MAX)
        .ok_or_else(|| wrong_type(node.get_ref(), expected))
}

/// Returns bytes for people: `64 MiB`, `1.2 MiB`, `17 B`.
pub fn bytes(count: u64) -> String {
    scaled(count, 1_024, &["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"])
}

/// Returns fuel for people: `3.4 M fuel`.
pub fn fuel(units: u64) -> String {
    format!("{} fuel", scaled(units, 1_000, &["", "k", "M", "G", "T", "P", "E"]).trim_end())
}

/// Returns a count for people: `12,345`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(",")
}

/// Returns milliseconds for people: `250ms`, `1.5s`, `5m`, `1m 30s`, `2h`, `3d 2h`.
pub fn duration_ms(ms: u64) -> String {
    let (days, day_hours) = (ms / DAY_MS, ms % DAY_MS / 3_600_000);
    let (hours, minutes, seconds, millis) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60, ms % 1_000);
    match ms {
        0..1_000 => format!("{ms}ms"),
        1_000..60_000 if millis == 0 => format!("{seconds}s"),
        1_000..60_000 => format!("{seconds}.{}s", millis / 100),
        60_000..3_600_000 if seconds == 0 => format!("{minutes}m"),
        60_000..3_600_000 => format!("{minutes}m {seconds}s"),
        // Two days and more, to the hour.
        _ if days > 1 && day_hours == 0 => format!("{days}d"),
        _ if days > 1 => format!("{days}d {day_hours}h"),
        _ if minutes == 0 => format!("{hours}h"),
        _ => format!("{hours}h {minutes}m"),
    }
}

/// Returns bytes exactly, as a manifest writes them: `"64 MiB"` where it divides, otherwise the number.
pub fn exact_size(count: u64) -> String {
    [("GiB", 30), ("MiB", 20), ("KiB", 10)]
        .iter()
        .find(|(_, shift)| count > 0 && count.trailing_zeros() >= *shift)
        .map_or(count.to_string(), |(unit, shift)| format!("\"{} {unit}\"", count >> shift))
}

/// Returns milliseconds exactly, as a manifest writes them: `"30s"`.
pub fn exact_duration(ms: u64) -> String {
    DURATION_UNITS
        .iter()
        .rev()
        .find(|(_, factor)| ms > 0 && ms.is_multiple_of(*factor))
        .map_or(format!("\"{ms}ms\""), |(unit, factor)| format!("\"{}{unit}\"", ms / factor))
}

/// Returns `count` in the largest unit in which it is at least one, with one decimal below ten unless it is zero.
fn scaled(count: u64, step: u64, units: &[&str]) -> String {
    let (mut unit, mut size) = (0, 1);
    while unit + 1 < units.len() && count / size >= step {
        size *= step;
        unit += 1;
    }
    let (whole, tenths) = (count / size, (u128::from(count % size) * 10 / u128::from(size)) as u64);
    match tenths {
        1.. if whole < 100 => format!("{whole}.{tenths} {}", units[unit]),
        _ => format!("{whole} {}", units[unit]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_sizes() {
        for (text, bytes) in [
            ("0", Some(0)),
            ("100", Some(100)),
            ("1 B", Some(1)),
            ("64 MiB", Some(64 << 20)),
            ("64MiB", Some(64 << 20)),
            ("1.5 GiB", Some(3 << 29)),
            ("2 kB", Some(2_000)),
            ("1.25 MB", Some(1_250_000)),
            ("8589934591 GiB", Some(8_589_934_591 << 30)),
            ("8589934592 GiB", None),
            ("99999999999999999999 B", None),
            ("1.5 B", None),
            ("1.0001 MiB", None),
            ("64  MiB", None),
            ("64 mib", None),
            ("64 MiB ", None),
            ("-1 MiB", None),
            ("1e3 MiB", None),
            (".5 MiB", None),
            ("5. MiB", None),
            ("1.2.3 MiB", None),
            ("MiB", None),
            ("", None),
            ("∞", None),
            ("６４ MiB", None),
        ] {
            assert_eq!(parse_size(text).ok(), bytes, "{text}");
        }
    }

    #[test]
    fn reads_durations() {
        for (text, ms) in [
            ("500ms", Some(500)),
            ("30s", Some(30_000)),
            ("1.5s", Some(1_500)),
            ("5 m", Some(300_000)),
            ("2h", Some(7_200_000)),
            ("1d", Some(86_400_000)),
            ("30", None),
            ("1w", None),
            ("1h30m", None),
            ("0.0001s", None),
            ("-1s", None),
        ] {
            assert_eq!(parse_duration(text).ok(), ms, "{text}");
        }
    }

    #[test]
    fn prints_what_people_read() {
        for (printed, expected) in [
            (bytes(0), "0 B"),
            (bytes(1_023), "1023 B"),
            (bytes(1_258_291), "1.1 MiB"),
            (bytes(64 << 20), "64 MiB"),
            (bytes(u64::MAX), "15.9 EiB"),
            (fuel(12), "12 fuel"),
            (fuel(3_412_345), "3.4 M fuel"),
            (fuel(100_000_000_000), "100 G fuel"),
            (count(0), "0"),
            (count(999), "999"),
            (count(1_234_567), "1,234,567"),
            (duration_ms(250), "250ms"),
            (duration_ms(1_500), "1.5s"),
            (duration_ms(90_000), "1m 30s"),
            (duration_ms(7_200_000), "2h"),
            (duration_ms(86_400_000), "24h"),
            (duration_ms(50 * 3_600_000), "2d 2h"),
            (duration_ms(30 * 86_400_000), "30d"),
            (exact_duration(30 * 86_400_000), "\"30d\""),
            (exact_size(64 << 20), "\"64 MiB\""),
            (exact_size(1_000), "1000"),
            (exact_size(0), "0"),
            (exact_duration(90_000), "\"90s\""),
            (exact_duration(0), "\"0ms\""),
        ] {
            assert_eq!(printed, expected);
        }
    }

    #[test]
    fn what_is_written_exactly_is_read_back() {
        for value in [0, 1, 1_000, 1_024, 3 << 20, (3 << 20) + 1, 5 << 30, NUMBER_MAX] {
            assert_eq!(parse_size(exact_size(value).trim_matches('"')).ok(), Some(value));
            assert_eq!(parse_duration(exact_duration(value).trim_matches('"')).ok(), Some(value));
        }
    }
}
