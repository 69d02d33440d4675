//! The figures as one Markdown table, to read and to keep.

use std::fmt::Write as _;

use super::harness::{Ratio, Target};

/// Returns a table with a row for each figure.
pub fn markdown(ratios: &[Ratio]) -> String {
    let mut text = String::from("| figure | target | median | min | max | |\n|---|---:|---:|---:|---:|---|\n");
    for ratio in ratios {
        let target = match ratio.target {
            Target::AtLeast(least) => format!("≥ {}", number(least)),
            Target::AtMost(most) => format!("≤ {}", number(most)),
            Target::Shown => String::new(),
        };
        let [median, min, max] = [ratio.median, ratio.min, ratio.max].map(number);
        let holds = match (ratio.target, ratio.holds()) {
            (Target::Shown, _) => "",
            (_, true) => "holds",
            (_, false) => "**missed**",
        };
        let _ = writeln!(text, "| {} | {target} | {median} | {min} | {max} | {holds} |", ratio.name);
    }
    text
}

/// Writes a figure with the digits that mean something: two decimals for ratios, none for large counts.
fn number(figure: f64) -> String {
    if figure.abs() < 100.0 {
        return format!("{figure:.2}");
    }
    let digits = format!("{figure:.0}");
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits.as_str()), |digits| ("-", digits));
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    format!("{sign}{}", groups.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_whether_its_target_holds() {
        let ratio = |name: &str, target, figure| Ratio::of(name, target, &[figure]).unwrap();
        let rows = [
            ratio("recorded call / bare", Target::AtMost(2.5), 1.875),
            ratio("replayed calls/s", Target::AtLeast(3e6), 1_234_567.8),
            ratio("beside it", Target::Shown, 3.0),
        ];
        let expected = "| figure | target | median | min | max | |\n\
            |---|---:|---:|---:|---:|---|\n\
            | recorded call / bare | ≤ 2.50 | 1.88 | 1.88 | 1.88 | holds |\n\
            | replayed calls/s | ≥ 3,000,000 | 1,234,568 | 1,234,568 | 1,234,568 | **missed** |\n\
            | beside it |  | 3.00 | 3.00 | 3.00 |  |\n";
        assert_eq!(markdown(&rows), expected);
    }
}
