//! The nearest known word to one that was mistyped.

/// Words longer than this are not compared: the cost grows with the product of the lengths.
const WORD_LEN_MAX: usize = 64;

/// Returns the known word that `word` was probably meant to be: one within a third of its length in edits.
pub(super) fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let typed: Vec<char> = word.chars().take(WORD_LEN_MAX + 1).collect();
    if typed.len() > WORD_LEN_MAX {
        return None;
    }
    let edits_max = (typed.len() / 3).max(1);
    known
        .iter()
        .map(|candidate| (edits(&typed, candidate), *candidate))
        .filter(|(edits, _)| *edits <= edits_max)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Returns how many characters are inserted, removed, changed or swapped with their neighbour from one to the other
/// (the optimal string alignment distance).
fn edits(from: &[char], to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut cost = vec![vec![0; to.len() + 1]; from.len() + 1];
    for i in 0..=from.len() {
        for j in 0..=to.len() {
            if i == 0 || j == 0 {
                cost[i][j] = i + j;
                continue;
            }
            let changed = cost[i - 1][j - 1] + usize::from(from[i - 1] != to[j - 1]);
            cost[i][j] = changed.min(cost[i - 1][j] + 1).min(cost[i][j - 1] + 1);
            if i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1] {
                cost[i][j] = cost[i][j].min(cost[i - 2][j - 2] + 1);
            }
        }
    }
    cost[from.len()][to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_word_that_was_meant() {
        let known = ["name", "version", "kind", "wall-time", "kv"];
        for (typed, meant) in [
            ("nmae", Some("name")),
            ("nam", Some("name")),
            ("names", Some("name")),
            ("verison", Some("version")),
            ("wall_time", Some("wall-time")),
            ("Kind", Some("kind")),
            ("k", Some("kv")),
            ("", None),
            ("colour", None),
        ] {
            assert_eq!(nearest(typed, &known), meant, "{typed}");
        }
        assert_eq!(nearest(&"n".repeat(100_000), &known), None);
    }
}
