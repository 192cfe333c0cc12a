//! The documentation names things that are there: files, tests, endpoints, modules, settings.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is the point")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use tsunagu::web::TABLE;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

/// Every file below `folder` whose name ends so.
fn files(folder: &str, end: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_str().unwrap().ends_with(end) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// README.md and what stands in docs/, each with its place.
fn documents() -> Vec<(PathBuf, String)> {
    let mut paths = files("docs", ".md");
    paths.push(root().join("README.md"));
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

/// What stands between `open` and `close`, wherever it does on one line.
fn between<'a>(text: &'a str, open: &str, close: &str) -> Vec<&'a str> {
    let pieces = text.split(open).skip(1);
    pieces.filter_map(|piece| piece.split_once(close)).map(|(inner, _)| inner).collect()
}

/// The spans set as code, outside blocks.
fn code_spans(text: &str) -> Vec<&str> {
    let outside = text.split("```").step_by(2);
    outside.flat_map(|part| part.lines().flat_map(|line| line.split('`').skip(1).step_by(2))).collect()
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

#[test]
fn every_link_leads_to_a_file() {
    let mut seen = 0;
    for (path, text) in documents() {
        for target in between(&text, "](", ")") {
            if target.starts_with("https://") || target.starts_with('#') {
                continue;
            }
            let file = path.parent().unwrap().join(target.split('#').next().unwrap());
            assert!(file.exists(), "{}: ({target}) leads nowhere", path.display());
            seen += 1;
        }
    }
    assert!(seen > 20, "only {seen} links were found: is the search right?");
}

#[test]
fn every_path_that_is_named_is_there() {
    let floors = ["cli", "domain", "hub", "ledger", "transport", "delivery", "usecases", "vault", "web"];
    let mut seen = 0;
    for (path, text) in documents() {
        for span in code_spans(&text) {
            let name = span.split([' ', '*', '<', '?']).next().unwrap();
            let first = name.split('/').next().unwrap();
            let file = match first {
                "src" | "tests" | "scripts" | "docs" | "schemas" | "migrations" | "examples" | "config" => {
                    root().join(name)
                }
                _ if floors.contains(&first) && name.contains('/') => root().join("src").join(name),
                _ => continue,
            };
            // A pattern or a place-holder is cut where it begins, and may end within a name.
            let whole = name.len() == span.len() || span[name.len()..].starts_with(' ');
            let there = if whole { file.exists() } else { file.parent().unwrap().exists() };
            assert!(there, "{}: `{span}` is not there", path.display());
            seen += 1;
        }
    }
    assert!(seen > 60, "only {seen} paths were found: is the search right?");
}

/// What must never happen is held by tests, and the list names them.
#[test]
fn the_tests_that_the_architecture_names_are_there() {
    let mut code = String::new();
    for path in files("src", ".rs").into_iter().chain(files("tests", ".rs")) {
        code.push_str(&fs::read_to_string(path).unwrap());
    }
    let text = read("docs/architecture.md");
    let list = text.split("## What must never happen").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows: Vec<&str> = list.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert!(rows.len() > 20, "only {} rows", rows.len());
    for row in rows {
        let noticed = row.trim_end_matches('|').rsplit('|').next().unwrap();
        let names: Vec<&str> = noticed.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty() || noticed.contains("no test"), "nothing notices: {row}");
        for name in names {
            assert!(
                is_word(name) && code.contains(&format!("fn {name}(")),
                "no test is called {name}: {row}"
            );
        }
    }
}

/// The way to call the API that the documentation shows is the API's.
#[test]
fn every_endpoint_that_is_shown_is_in_the_table() {
    let parts = |path: &str| -> Vec<String> { path.split('/').map(str::to_owned).collect() };
    let is_there = |method: Option<&str>, path: &str| {
        let asked = parts(path);
        TABLE.iter().any(|row| {
            let known = parts(row.path);
            let same = |(one, other): (&String, &String)| one == other || one.starts_with('{');
            let fits = known.len() == asked.len() && known.iter().zip(&asked).all(same);
            fits && method.is_none_or(|method| method == row.method)
        })
    };
    let mut seen = BTreeSet::new();
    for (path, text) in documents() {
        let spans = code_spans(&text);
        let named = spans.iter().filter_map(|span| span.split_once(' ')).filter(|(method, path)| {
            ["GET", "POST", "PUT", "DELETE"].contains(method) && path.starts_with('/')
        });
        let called = between(&text, "$HUB/", "\"").into_iter().map(|path| (None, format!("/{path}")));
        let all = named.map(|(method, path)| (Some(method), path.to_owned())).chain(called);
        for (method, asked) in all {
            let asked = asked.split('?').next().unwrap();
            assert!(is_there(method, asked), "{}: {method:?} {asked} is no endpoint", path.display());
            seen.insert(asked.to_owned());
        }
    }
    assert!(seen.len() > 15, "{seen:?}");
}

#[test]
fn a_newcomer_is_led_to_every_module_of_the_rules() {
    let text = read("src/domain/mod.rs");
    let (head, modules) = text.split_once("\npub mod ").unwrap();
    let modules = format!("pub mod {modules}");
    let names = between(&modules, "pub mod ", ";");
    assert!(names.len() > 40);
    for name in names {
        let count = head.matches(&format!("[`{name}`]")).count();
        assert_eq!(count, 1, "{name} stands {count} times in the reading order");
    }
}

#[test]
fn every_decision_says_why_what_and_what_follows() {
    for path in files("docs/decisions", ".md") {
        let text = fs::read_to_string(&path).unwrap();
        for part in ["**Context.** ", "**Decision.** ", "**Consequences.** "] {
            assert_eq!(text.matches(part).count(), 1, "{}: {part}", path.display());
        }
        let number = path.file_name().unwrap().to_str().unwrap().get(..4).unwrap().to_owned();
        assert!(text.starts_with(&format!("# {number} ")), "{}", path.display());
        assert!(text.lines().count() < 60, "{} is more than a page", path.display());
    }
}

/// Settings that the documentation names by their environment variable are settings.
#[test]
fn every_environment_variable_that_is_named_is_a_setting() {
    let defaults: toml_like::Settings = toml_like::read(&read("config/tsunagu.toml"));
    for (path, text) in documents() {
        for rest in text.split("TSUNAGU__").skip(1) {
            let name: String =
                rest.chars().take_while(|c| c.is_ascii_uppercase() || *c == '_').collect::<String>();
            let setting = name.to_lowercase().replacen("__", ".", 1);
            assert!(defaults.contains(&setting), "{}: {setting} is no setting", path.display());
        }
    }
}

/// As much of TOML as the defaults use: sections, and a key per line.
mod toml_like {
    use std::collections::BTreeSet;

    pub type Settings = BTreeSet<String>;

    pub fn read(text: &str) -> Settings {
        let (mut found, mut section) = (Settings::new(), "");
        for line in text.lines() {
            if let Some(name) = line.strip_prefix('[') {
                section = name.trim_end_matches(']');
            } else if let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) {
                found.insert(format!("{section}.{key}"));
            }
        }
        found
    }
}
