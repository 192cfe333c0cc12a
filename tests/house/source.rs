//! Reads Rust source just far enough for the house rules: comments, texts and test modules are blanked, and every
//! path is written out in full, so that `use crate::{ledger, domain::ids}` cannot hide what it names.

/// The source with comments, string and character literals replaced by blanks; line breaks stay where they were.
pub fn without_comments_and_texts(source: &str) -> String {
    let bytes: Vec<char> = source.chars().collect();
    let mut out = String::with_capacity(source.len());
    let mut at = 0;
    let blank = |out: &mut String, part: &[char]| {
        out.extend(part.iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
    };
    while at < bytes.len() {
        let rest = &bytes[at..];
        let word_before = at > 0 && (bytes[at - 1].is_alphanumeric() || bytes[at - 1] == '_');
        let length = if rest.starts_with(&['/', '/']) {
            rest.iter().position(|c| *c == '\n').unwrap_or(rest.len())
        } else if rest.starts_with(&['/', '*']) {
            block_comment(rest)
        } else if let Some(length) = (!word_before).then(|| raw_text(rest)).flatten() {
            length
        } else if rest[0] == '"' {
            quoted(rest, '"')
        } else if rest[0] == '\'' && is_character(rest) {
            quoted(rest, '\'')
        } else {
            out.push(rest[0]);
            at += 1;
            continue;
        };
        blank(&mut out, &rest[..length]);
        at += length;
    }
    out
}

fn block_comment(rest: &[char]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with(&['/', '*']) {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(&['*', '/']) {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += 1;
        }
    }
    at
}

/// The length of `r"…"`, `r#"…"#`, `br"…"` and so on, if one starts here.
fn raw_text(rest: &[char]) -> Option<usize> {
    let r = usize::from(matches!(rest.first(), Some('b' | 'c')));
    if rest.get(r) != Some(&'r') {
        return None;
    }
    let hashes = rest[r + 1..].iter().take_while(|c| **c == '#').count();
    let open = r + 1 + hashes;
    if rest.get(open) != Some(&'"') {
        return None;
    }
    let close =
        |at: &usize| rest[*at] == '"' && rest[at + 1..].iter().take_while(|c| **c == '#').count() >= hashes;
    let end = (open + 1..rest.len()).find(close)?;
    Some(end + 1 + hashes)
}

fn quoted(rest: &[char], quote: char) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != quote {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// Whether this quote opens a character (`'a'`, `'\n'`) rather than a lifetime (`'a`).
fn is_character(rest: &[char]) -> bool {
    rest.get(1) == Some(&'\\') || rest.get(2) == Some(&'\'')
}

/// Blanks each `#[cfg(test)] mod … { … }`: tests beside the code may do what the code may not.
pub fn without_test_modules(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut out = code.to_owned();
    while let Some(start) = out.find(MARK) {
        let after = &out[start..];
        let end = match (after.find('{'), after.find(';')) {
            (Some(open), semicolon) if semicolon.is_none_or(|s| open < s) => {
                let mut depth = 0_i32;
                let closing = after[open..].char_indices().find(|(_, c)| {
                    depth += i32::from(*c == '{') - i32::from(*c == '}');
                    depth == 0
                });
                closing.map_or(out.len(), |(at, _)| start + open + at + 1)
            }
            (_, Some(semicolon)) => start + semicolon + 1,
            _ => out.len(),
        };
        let blanked: String = out[start..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
        out.replace_range(start..end, &blanked);
    }
    out
}

/// A path as the code names it, written out, and the line it stands on (from 1).
#[derive(Debug, PartialEq)]
pub struct Mention {
    pub line: usize,
    pub path: String,
}

/// Every path in the code. `module` is the file's own module (`["crate", "web", "caller"]`), against which `self`
/// and `super` are resolved; `tsunagu` (the library as the program names it) counts as `crate`.
pub fn mentions(code: &str, module: &[String]) -> Vec<Mention> {
    let tokens = tokens(code);
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at].1 == "use" {
            at = use_tree(&tokens, at + 1, "", &mut found);
        } else if is_word(tokens[at].1) {
            let (line, mut path) = (tokens[at].0, tokens[at].1.to_owned());
            while at + 2 < tokens.len() && tokens[at + 1].1 == "::" && is_word(tokens[at + 2].1) {
                path = format!("{path}::{}", tokens[at + 2].1);
                at += 2;
            }
            found.push(Mention { line, path });
            at += 1;
        } else {
            at += 1;
        }
    }
    for mention in &mut found {
        mention.path = absolute(&mention.path, module);
    }
    found
}

/// Reads one branch of a `use` tree from `at`; gives back where it ends.
fn use_tree(tokens: &[(usize, &str)], mut at: usize, before: &str, found: &mut Vec<Mention>) -> usize {
    let mut path = before.to_owned();
    while let Some((line, token)) = tokens.get(at).copied() {
        match token {
            "{" => {
                at += 1;
                while tokens.get(at).is_some_and(|(_, t)| *t != "}") {
                    at = use_tree(tokens, at, &path, found);
                    at += usize::from(tokens.get(at).is_some_and(|(_, t)| *t == ","));
                }
                return at + 1;
            }
            "as" => at += 2,
            "::" => at += 1,
            word if is_word(word) || word == "*" => {
                path = if path.is_empty() { word.to_owned() } else { format!("{path}::{word}") };
                at += 1;
                if tokens.get(at).is_none_or(|(_, t)| *t != "::") {
                    found.push(Mention { line, path: path.clone() });
                }
            }
            _ => break,
        }
    }
    at
}

fn absolute(path: &str, module: &[String]) -> String {
    let mut base = module.to_vec();
    let mut relative = false;
    let mut rest = path.split("::").peekable();
    while let Some(word @ ("self" | "super")) = rest.peek().copied() {
        relative = true;
        if word == "super" {
            base.pop();
        }
        rest.next();
    }
    let rest: Vec<&str> = rest.collect();
    match (relative, rest.first()) {
        (true, _) => base.iter().map(String::as_str).chain(rest).collect::<Vec<_>>().join("::"),
        (false, Some(&"tsunagu")) => format!("crate{}", &path["tsunagu".len()..]),
        (false, _) => path.to_owned(),
    }
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphanumeric() || c == '_')
}

/// Words, `::` and single marks, each with its line.
fn tokens(code: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (number, line) in code.lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let word = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
            let length = match word {
                0 if rest.starts_with("::") => 2,
                0 => first.len_utf8(),
                word => word,
            };
            found.push((number + 1, &rest[..length]));
            rest = rest[length..].trim_start();
        }
    }
    found
}
