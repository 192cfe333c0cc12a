//! What we build on, held to a few promises on every run: one crypto provider, free licences, a bounded number.
//! `deny.toml` says the same to cargo-deny, which is not on every machine.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is the point")]

use std::{collections::BTreeMap, process::Command};

const NEVER: &[&str] = &["ring", "openssl", "openssl-sys", "native-tls", "rsa"];
/// Two versions of one of these would be two worlds that do not know each other.
const ONCE: &[&str] = &["rustls", "tokio", "sqlx-core", "reqwest", "actix-web"];
const MOST_CRATES: usize = 460;

/// Package name and version → licence, of all that is compiled into the program or to build it.
fn tree() -> BTreeMap<String, String> {
    let arguments = [
        "tree",
        "--locked",
        "--offline",
        "--edges",
        "normal,build",
        "--prefix",
        "none",
        "--format",
        "{p}|{l}",
    ];
    let out = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(out.status.success(), "cargo tree: {}", String::from_utf8_lossy(&out.stderr));
    let text = String::from_utf8(out.stdout).unwrap();
    let rows = text.lines().filter_map(|line| line.split_once('|'));
    let rows = rows.map(|(package, licence)| {
        let name: Vec<&str> = package.split(' ').take(2).collect();
        (name.join(" "), licence.trim_end_matches(" (*)").to_owned())
    });
    rows.collect()
}

/// The quoted texts of the list `name = […]` in deny.toml.
fn denied_list(start: &str) -> Vec<String> {
    let text = include_str!("../deny.toml");
    let list =
        text.split_once(start).and_then(|(_, rest)| rest.split_once("\n]")).expect("the list is there").0;
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn no_second_crypto_library_is_compiled() {
    let tree = tree();
    let name = |package: &str| package.split(' ').next().unwrap_or_default().to_owned();
    let bad: Vec<&String> = tree.keys().filter(|package| NEVER.contains(&name(package).as_str())).collect();
    assert!(bad.is_empty(), "compiled in spite of the ban: {bad:?}; `cargo tree -i NAME` says who wants it");
    for once in ONCE {
        let versions: Vec<&String> = tree.keys().filter(|package| name(package) == *once).collect();
        assert_eq!(versions.len(), 1, "{once} has to be there in one version: {versions:?}");
    }
    let banned = denied_list("deny = [");
    assert!(
        NEVER.iter().all(|name| banned.iter().any(|entry| entry == name)),
        "deny.toml bans less: {banned:?}"
    );
}

#[test]
fn fewer_crates_than_promised() {
    let count = tree().len();
    assert!(
        (100..MOST_CRATES).contains(&count),
        "{count} crates are compiled; the promise is under {MOST_CRATES}"
    );
}

#[test]
fn every_licence_is_on_the_list() {
    let allowed = denied_list("allow = [");
    let bad: Vec<String> = tree()
        .into_iter()
        .filter(|(_, licence)| !satisfied(licence, &allowed))
        .map(|(package, licence)| format!("{package}: {licence:?}"))
        .collect();
    assert!(bad.is_empty(), "licences outside deny.toml's list:\n{}", bad.join("\n"));
}

#[test]
fn licence_expressions_are_read_rightly() {
    let allowed = ["MIT".to_owned(), "ISC".to_owned(), "Apache-2.0 WITH LLVM-exception".to_owned()];
    let cases = [
        ("MIT", true),
        ("GPL-3.0-only", false),
        ("", false),
        ("MIT OR GPL-3.0-only", true),
        ("MIT/GPL-2.0", true),
        ("MIT AND GPL-3.0-only", false),
        ("(MIT OR GPL-3.0-only) AND ISC", true),
        ("ISC AND (GPL-2.0-only OR AGPL-3.0-only)", false),
        ("GPL-2.0-only OR MIT AND ISC", true),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("Apache-2.0", false),
    ];
    for (licence, expected) in cases {
        assert_eq!(satisfied(licence, &allowed), expected, "{licence:?}");
    }
}

/// Whether an SPDX expression can be met with the allowed licences. AND binds closer than OR; `/` is an old OR.
fn satisfied(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let met = any_of(&words, &mut at, allowed);
    met && at == words.len()
}

fn any_of(words: &[&str], at: &mut usize, allowed: &[String]) -> bool {
    let mut met = all_of(words, at, allowed);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        met |= all_of(words, at, allowed);
    }
    met
}

fn all_of(words: &[&str], at: &mut usize, allowed: &[String]) -> bool {
    let mut met = one_of(words, at, allowed);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        met &= one_of(words, at, allowed);
    }
    met
}

fn one_of(words: &[&str], at: &mut usize, allowed: &[String]) -> bool {
    let Some(word) = words.get(*at) else { return false };
    *at += 1;
    if *word == "(" {
        let met = any_of(words, at, allowed);
        let closed = words.get(*at) == Some(&")");
        *at += 1;
        return met && closed;
    }
    let mut licence = (*word).to_owned();
    if words.get(*at) == Some(&"WITH") {
        licence = format!("{word} WITH {}", words.get(*at + 1).unwrap_or(&""));
        *at += 2;
    }
    allowed.contains(&licence)
}
