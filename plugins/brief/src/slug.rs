//! The anchors that GitHub gives to headings.
//!
//! Its rule, from the `html-pipeline` library: lower case, without anything that is no word character, hyphen or space,
//! and hyphens for spaces. A slug that is taken gets `-1`, `-2` and so on.

use std::collections::BTreeMap;

/// Returns the anchor of a heading's text, were it the only one.
pub fn slug(text: &str) -> String {
    let kept = text.chars().filter(|&c| is_word(c) || c == '-' || c == ' ');
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// Unicode's word characters: letters, marks, decimal digits and connectors. The standard library has no table of marks;
/// those that occur in headings are the combining accents and the selector of emoji style.
fn is_word(c: char) -> bool {
    let is_mark = matches!(c, '\u{300}'..='\u{36f}' | '\u{fe0f}');
    let is_other_number = matches!(c, '²' | '³' | '¹' | '¼'..='¾' | '\u{2070}'..='\u{218b}' | '\u{2460}'..='\u{24ff}');
    is_mark || matches!(c, '_' | '‿' | '⁀') || (c.is_alphanumeric() && !is_other_number)
}

/// The anchors given out on one page so far.
#[derive(Debug, Default)]
pub struct Slugs {
    taken: BTreeMap<String, usize>,
}

impl Slugs {
    /// Returns the anchor of the page's next heading.
    pub fn next(&mut self, text: &str) -> String {
        let first = slug(text);
        let mut slug = first.clone();
        while self.taken.contains_key(&slug) {
            let repeats = self.taken.entry(first.clone()).or_default();
            *repeats += 1;
            slug = format!("{first}-{repeats}");
        }
        self.taken.insert(slug.clone(), 0);
        slug
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_those_of_github() {
        for (text, expected) in [
            ("Hello World", "hello-world"),
            ("What's new in 2.0?", "whats-new-in-20"),
            ("a & b", "a--b"),
            ("snake_case - and--dashes", "snake_case---and--dashes"),
            ("Überblick: Größe", "überblick-größe"),
            ("日本語の見出し", "日本語の見出し"),
            ("🚀 Launch", "-launch"),
            ("x²", "x"),
            ("", ""),
        ] {
            assert_eq!(slug(text), expected, "{text}");
        }
    }

    #[test]
    fn repeated_headings_are_numbered_past_what_is_taken() {
        let mut slugs = Slugs::default();
        let given = ["Usage", "Usage", "Usage-1", "Usage"].map(|text| slugs.next(text));
        assert_eq!(given, ["usage", "usage-1", "usage-1-1", "usage-2"]);
    }
}
