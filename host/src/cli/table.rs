//! Tables for people: aligned on a terminal, tab-separated elsewhere.

use comfy_table::{ContentArrangement, Table, presets};

use super::caller::{self, Stream};

/// Lays out rows under a heading.
pub fn table(heading: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    if !caller::is_terminal(Stream::Stdout) {
        return rows.map(|row| row.join("\t") + "\n").collect();
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled).set_header(heading);
    for row in rows {
        table.add_row(row);
    }
    format!("{table}\n")
}
