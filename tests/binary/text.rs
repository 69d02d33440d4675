//! Text as it would read on any machine and on any day.

use super::Desk;

/// Returns the text with this desk's folders, run ids, digests and times replaced by words.
pub fn without_places(desk: &Desk, text: &str) -> String {
    let home = desk.home();
    let work = desk.path("");
    let text = text.replace(&home.display().to_string(), "HOME");
    let text = text.replace(work.display().to_string().trim_end_matches('/'), "WORK");
    text.split_inclusive(|c: char| !c.is_ascii_hexdigit()).map(word).collect()
}

/// Returns a word with its end, or what it stands for where it is a run's id or a digest.
fn word(word: &str) -> String {
    let hex = word.trim_end_matches(|c: char| !c.is_ascii_hexdigit());
    match hex.len() {
        32 => word.replace(hex, "RUN"),
        64 => word.replace(hex, "DIGEST"),
        _ => word.to_owned(),
    }
}
