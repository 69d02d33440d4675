//! Reading Rust without a parser: text with its comments and literals blanked, and the questions asked of it.

/// Returns the code with comments and the insides of strings and characters blanked. Lines keep their numbers.
pub fn code(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let len = skipped(rest);
        if len == 0 {
            // A whole word at once: the `r` in `bar"` begins no raw string.
            let word = if is_word(c) { rest.find(|c| !is_word(c)).unwrap_or(rest.len()) } else { c.len_utf8() };
            out.push_str(&rest[..word]);
            rest = &rest[word..];
        } else {
            out.extend(rest[..len].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = &rest[len..];
        }
    }
    out
}

/// Returns the length of the comment or literal that `rest` starts with, 0 if it starts with neither.
fn skipped(rest: &str) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return block_comment(rest);
    }
    if let Some(inside) = rest.strip_prefix('"') {
        return 1 + string(inside);
    }
    if rest.starts_with('\'') {
        return character(rest);
    }
    // b"…", c"…", r"…", br#"…"#
    let prefix = rest.len() - rest.trim_start_matches(['b', 'c', 'r']).len();
    let hashes = rest[prefix..].len() - rest[prefix..].trim_start_matches('#').len();
    let is_raw = rest[..prefix].ends_with('r');
    if prefix == 0 || prefix > 2 || (hashes > 0 && !is_raw) || !rest[prefix + hashes..].starts_with('"') {
        return 0;
    }
    let start = prefix + hashes + 1;
    if !is_raw {
        return start + string(&rest[start..]);
    }
    let close = format!("\"{}", "#".repeat(hashes));
    rest[start..].find(&close).map_or(rest.len(), |at| start + at + close.len())
}

/// Returns the length of a block comment. They nest.
fn block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        let tail = &rest.as_bytes()[at..];
        if tail.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if tail.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// Returns the length of a string's inside and its closing quote.
fn string(inside: &str) -> usize {
    let mut is_escaped = false;
    for (at, byte) in inside.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    inside.len()
}

/// Returns the length of a character literal, 0 for a lifetime.
fn character(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => {
            chars.next();
            rest.find('\n').unwrap_or(rest.len()).min(chars.find(|&(_, c)| c == '\'').map_or(0, |(at, _)| at + 1))
        }
        Some(_) => chars.next().filter(|&(_, c)| c == '\'').map_or(0, |(at, _)| at + 1),
        None => 0,
    }
}

/// Returns the code with its `#[cfg(test)]` modules blanked.
pub fn without_tests(code: &str) -> String {
    let mut out = code.to_owned();
    while let Some(start) = out.find("#[cfg(test)]") {
        let end = start + item_len(&out[start..]);
        let blank: String = out[start..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
        out.replace_range(start..end, &blank);
    }
    out
}

/// Returns the length of the item up to its `;` or the end of its braces, whichever comes first.
fn item_len(code: &str) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in code.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth <= 1 => return at + 1,
            b'}' => depth -= 1,
            b';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    code.len()
}

/// Whether the path is one of a module that holds tests.
pub fn is_test_file(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/")
}

/// Returns the numbers of the lines that hold `phrase`, counted from 1, not as a part of longer words.
pub fn lines_with(code: &str, phrase: &str) -> Vec<usize> {
    let holds = |line: &str| line.match_indices(phrase).any(|(at, _)| stands_alone(line, at, phrase.len()));
    code.lines().enumerate().filter(|(_, line)| holds(line)).map(|(i, _)| i + 1).collect()
}

/// Whether no word goes on across either end of these bytes of the line.
pub fn stands_alone(line: &str, at: usize, len: usize) -> bool {
    !line[..at].ends_with(is_word) && !line[at + len..].starts_with(is_word)
}

/// Whether the character may be a part of a Rust name.
pub fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Returns the name that `mod NAME;` on this line declares.
pub fn declared_module(line: &str) -> Option<&str> {
    let line = line.trim();
    let line = line.strip_prefix("pub(crate) ").or_else(|| line.strip_prefix("pub ")).unwrap_or(line);
    line.strip_prefix("mod ")?.strip_suffix(';').map(str::trim)
}

#[test]
fn comments_and_literals_are_blanked() {
    let check = |text: &str, expected: &str| {
        assert_eq!(code(text).split_whitespace().collect::<Vec<_>>().join(" "), expected, "{text}")
    };
    check("a // redb\nb", "a b");
    check("a /* x /* y */ z */ b", "a b");
    check(r#"f("redb \" redb", b)"#, "f( , b)");
    check(r##"f(r#"redb " redb"#, br"x", b'x')"##, "f( , , b )");
    check(r"match c { '\'' | '\\' | '\u{41}' | '/' => 'a: loop {} }", "match c { | | | => 'a: loop {} }");
    check("fn f<'a>(x: &'a str) { bar!(\"x\") }", "fn f<'a>(x: &'a str) { bar!( ) }");
    check("let \"unended", "let");
    assert_eq!(code("\"a\nb\"\nc").lines().count(), 3);
}

#[test]
fn test_modules_are_blanked() {
    let kept = without_tests("a\n#[cfg(test)]\nmod tests {\n f() { x }\n}\nb\n#[cfg(test)]\nmod t;\nc");
    assert_eq!(kept.split_whitespace().collect::<String>(), "abc");
    assert_eq!(kept.lines().count(), 9);
}

#[test]
fn a_phrase_stands_alone() {
    assert_eq!(lines_with("use redb::X;\nlet redbird = my_redb;\nredb", "redb"), [1, 3]);
    assert_eq!(lines_with("#![forbid(unsafe_code)]", "unsafe"), [] as [usize; 0]);
}

#[test]
fn module_lines_are_read() {
    let names = ["pub mod a;", "  mod b;", "pub(crate) mod c;", "mod d {", "use mod_e;"].map(declared_module);
    assert_eq!(names, [Some("a"), Some("b"), Some("c"), None, None]);
}
