//! Lines that somebody marked as unfinished.

use std::ops::Range;

/// Characters of a line that a finding quotes.
const QUOTE_LEN_MAX: usize = 160;

/// A marked line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Todo {
    /// Counted from 1.
    pub line: usize,
    /// The line, trimmed, and shortened when it is long.
    pub text: String,
}

/// Returns the lines with a marker as a word of its own, upper and lower case told apart. What stands in one of the
/// `quoted` byte ranges, sorted by their start, mentions a marker and does not count.
pub fn find(text: &str, markers: &[String], quoted: &[Range<usize>]) -> Vec<Todo> {
    let mut offset = 0;
    let mut todos = Vec::new();
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if markers.iter().any(|marker| is_marked(line, marker, offset, quoted)) {
            todos.push(Todo { line: index + 1, text: line.trim().chars().take(QUOTE_LEN_MAX).collect() });
        }
        offset += line.len();
    }
    todos
}

fn is_marked(line: &str, marker: &str, offset: usize, quoted: &[Range<usize>]) -> bool {
    line.match_indices(marker).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        let after = line[start + marker.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word) && !is_within(offset + start, quoted)
    })
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn is_within(offset: usize, ranges: &[Range<usize>]) -> bool {
    let started = ranges.partition_point(|range| range.start <= offset);
    started.checked_sub(1).is_some_and(|last| ranges[last].contains(&offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, lines: &[usize]) {
        let markers = ["TODO", "FIXME"].map(str::to_owned);
        let found: Vec<_> = find(text, &markers, &[]).into_iter().map(|todo| todo.line).collect();
        assert_eq!(found, lines, "{text:?}");
    }

    #[test]
    fn a_marker_is_a_word_of_its_own() {
        check("TODO: a\nplain\n- FIXME(b) c\n", &[1, 3]);
        check("TODOS METODO TODO_LIST todo", &[]);
        check("éTODO TODOé", &[]);
        check("a TODOS and a TODO", &[1]);
        check("TODO FIXME", &[1]);
        check("", &[]);
    }

    #[test]
    fn a_quoted_marker_does_not_count() {
        let markers = ["TODO".to_owned()];
        let quoted = [0..3, 8..14];
        assert_eq!(find("`x` say `TODO`\n", &markers, &quoted), []);
        assert_eq!(find("`x` TODO\n", &markers, &quoted).len(), 1);
    }

    #[test]
    fn a_long_line_is_shortened_between_characters() {
        let todos = find(&format!("TODO {}", "é".repeat(500)), &["TODO".to_owned()], &[]);
        assert_eq!(todos[0].text.chars().count(), QUOTE_LEN_MAX);
    }
}
