//! What a page of Markdown says about itself: its links, headings, anchors and unfinished lines.
//!
//! It is read as GitHub reads it. Links inside code do not count, and neither does front matter.

use std::{collections::BTreeSet, mem, ops::Range};

use pulldown_cmark::{BrokenLink, CowStr, Event, LinkType, Options, Parser, Tag, TagEnd};

use crate::{
    slug::Slugs,
    todo::{self, Todo},
};

/// A link or an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The line it starts in, from 1.
    pub line: usize,
    /// Where it leads, as written.
    pub destination: String,
}

/// A heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    /// The line it starts in, from 1.
    pub line: usize,
    /// 1 to 6.
    pub level: usize,
    /// Its text, without markup.
    pub text: String,
}

/// A parsed page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Links and images, in order.
    pub links: Vec<Link>,
    /// `[text][label]` without a definition of `label`: the line, and the label.
    pub undefined: Vec<(usize, String)>,
    /// Headings, in order.
    pub headings: Vec<Heading>,
    /// What a fragment may name: the slugs of the headings, and `id` and `name` in HTML.
    pub anchors: BTreeSet<String>,
    /// Unfinished lines.
    pub todos: Vec<Todo>,
}

/// Parses a page. Any text is one.
pub fn parse(text: &str, todo_markers: &[String]) -> Page {
    let mut undefined = Vec::new();
    let mut reader = Reader::new(text);
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
    let mut note_undefined = |link: BrokenLink<'_>| -> Option<(CowStr<'_>, CowStr<'_>)> {
        // `[label]` alone is as often plain text in brackets.
        if link.link_type == LinkType::Reference {
            undefined.push((link.span.start, link.reference.to_string()));
        }
        None
    };
    for (event, span) in
        Parser::new_with_broken_link_callback(text, options, Some(&mut note_undefined)).into_offset_iter()
    {
        reader.read(event, span);
    }
    reader.quoted.sort_by_key(|range| range.start);
    let todos = todo::find(text, todo_markers, &reader.quoted);
    let lines = &reader.lines;
    let undefined = undefined.into_iter().map(|(offset, label)| (lines.line(offset), label)).collect();
    Page { undefined, todos, ..reader.page }
}

/// Gathers a page from the parser's events.
struct Reader {
    page: Page,
    lines: Lines,
    slugs: Slugs,
    /// The text so far of the heading that is open.
    heading: Option<String>,
    image_depth: usize,
    /// The code spans.
    quoted: Vec<Range<usize>>,
}

impl Reader {
    fn new(text: &str) -> Self {
        Self {
            page: Page::default(),
            lines: Lines::new(text),
            slugs: Slugs::default(),
            heading: None,
            image_depth: 0,
            quoted: Vec::new(),
        }
    }

    fn read(&mut self, event: Event<'_>, span: Range<usize>) {
        match event {
            Event::Start(Tag::Heading { .. }) => self.heading = Some(String::new()),
            Event::End(TagEnd::Heading(level)) => self.end_heading(level as usize, span.start),
            Event::Start(Tag::Link { dest_url, .. }) => self.link(&dest_url, span.start),
            Event::Start(Tag::Image { dest_url, .. }) => {
                self.image_depth += 1;
                self.link(&dest_url, span.start);
            }
            Event::End(TagEnd::Image) => self.image_depth = self.image_depth.saturating_sub(1),
            Event::Code(code) => {
                self.heading_text(&code);
                self.quoted.push(span);
            }
            Event::Text(text) => self.heading_text(&text),
            Event::Html(html) | Event::InlineHtml(html) => self.html(&html, span.start),
            _ => {}
        }
    }

    /// The description of an image is no part of a heading's text.
    fn heading_text(&mut self, text: &str) {
        if let Some(heading) = self.heading.as_mut().filter(|_| self.image_depth == 0) {
            heading.push_str(text);
        }
    }

    fn end_heading(&mut self, level: usize, offset: usize) {
        let text = self.heading.as_mut().map(mem::take).unwrap_or_default().trim().to_owned();
        self.heading = None;
        self.page.anchors.insert(self.slugs.next(&text));
        self.page.headings.push(Heading { line: self.lines.line(offset), level, text });
    }

    fn link(&mut self, destination: &str, offset: usize) {
        self.page.links.push(Link { line: self.lines.line(offset), destination: destination.to_owned() });
    }

    fn html(&mut self, html: &str, offset: usize) {
        for (at, name, value) in attributes(html) {
            match name {
                "id" | "name" => drop(self.page.anchors.insert(value.to_owned())),
                "href" | "src" => self.link(value, offset + at),
                _ => {}
            }
        }
    }
}

/// Returns the quoted attributes in a piece of HTML: offset, name, value. Comments hold none.
fn attributes(html: &str) -> impl Iterator<Item = (usize, &str, &str)> {
    let is_comment = html.starts_with("<!--");
    html.match_indices('=').filter(move |_| !is_comment).filter_map(|(equals, _)| {
        let before = html[..equals].trim_end();
        let start = before.rfind(|c: char| c.is_whitespace() || c == '"' || c == '\'').map_or(0, |space| space + 1);
        let after = html[equals + 1..].trim_start();
        let quote = after.chars().next().filter(|&c| c == '"' || c == '\'')?;
        let (value, _) = after[1..].split_once(quote)?;
        Some((start, &before[start..], value))
    })
}

/// Finds the line of an offset.
struct Lines {
    starts: Vec<usize>,
}

impl Lines {
    fn new(text: &str) -> Self {
        Self { starts: text.match_indices('\n').map(|(at, _)| at + 1).collect() }
    }

    fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|&start| start <= offset) + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(text: &str) -> Page {
        parse(text, &["TODO".to_owned()])
    }

    #[track_caller]
    fn check_links(text: &str, expected: &[(usize, &str)]) {
        let page = page(text);
        let links: Vec<_> = page.links.iter().map(|link| (link.line, link.destination.as_str())).collect();
        assert_eq!(links, expected, "{text}");
    }

    #[test]
    fn links_of_every_form_are_found() {
        check_links("[a](b.md)\n\n![i](i.png \"t\")", &[(1, "b.md"), (3, "i.png")]);
        check_links("[a][r] and [r][] and [r]\n\n[r]: x.md", &[(1, "x.md"), (1, "x.md"), (1, "x.md")]);
        check_links("<https://example.org>", &[(1, "https://example.org")]);
        check_links("[![i](i.png)](b.md)", &[(1, "b.md"), (1, "i.png")]);
        check_links("text\n<p>\n<a href=\"b.md\"><img alt='' src = 'i.png'></a>\n</p>", &[(3, "b.md"), (3, "i.png")]);
        check_links("| a |\n|---|\n| [x](y.md) |\n", &[(3, "y.md")]);
    }

    #[test]
    fn code_comments_and_front_matter_hold_no_links() {
        check_links("`[a](b.md)`\n\n```\n[a](b.md)\n```\n\n    [a](b.md)\n", &[]);
        check_links("<!-- <a href=\"b.md\"> -->\n", &[]);
        check_links("---\nlink: \"[a](b.md)\"\n---\n", &[]);
    }

    #[test]
    fn an_undefined_label_is_noted_only_where_a_link_is_meant() {
        assert_eq!(page("x\n\n[text][gone] [plain]").undefined, [(3, "gone".to_owned())]);
    }

    #[test]
    fn headings_have_level_line_and_plain_text() {
        let page = page("# A *b* `c`\n\nSetext [d](e)\n---\n\n## ![alt](i.png) f\n");
        let headings: Vec<_> = page.headings.iter().map(|h| (h.line, h.level, h.text.as_str())).collect();
        assert_eq!(headings, [(1, 1, "A b c"), (3, 2, "Setext d"), (6, 2, "f")]);
    }

    #[test]
    fn anchors_are_slugs_and_ids() {
        let page = page("# A\n# A\n<a name=\"n\"></a>\n\n<div id='d'>\n");
        assert_eq!(page.anchors.iter().map(String::as_str).collect::<Vec<_>>(), ["a", "a-1", "d", "n"]);
    }

    #[test]
    fn a_marker_in_a_code_span_is_a_mention() {
        let page = page("Write `TODO` here.\n\nTODO: really\n");
        assert_eq!(page.todos.iter().map(|todo| todo.line).collect::<Vec<_>>(), [3]);
    }
}
