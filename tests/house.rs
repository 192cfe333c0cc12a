//! The drawing of the house, held to the source text: which floor may name what. Every violation is listed with its
//! file, its line and the reason of the rule.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is the point")]

use std::{
    fs,
    path::{Path, PathBuf},
};

#[path = "house/rules.rs"]
mod rules;
#[path = "house/source.rs"]
mod source;

use rules::{DOMAIN_CRATES, EMPTY_NAMES, LONGEST_FILE, NEVER_NAMES, ONLY, ONLY_TEXT};

#[test]
fn the_house_stands_as_drawn() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let broken = violations(root);
    assert!(broken.is_empty(), "{} house rules broken:\n{}", broken.len(), broken.join("\n"));
}

/// Every broken rule below `root/src`, one line each.
fn violations(root: &Path) -> Vec<String> {
    let dependencies = dependencies(&fs::read_to_string(root.join("Cargo.toml")).unwrap());
    let mut files = Vec::new();
    rust_files(&root.join("src"), &mut files);
    files.sort();
    let mut broken = Vec::new();
    for file in &files {
        let name = file.strip_prefix(root.join("src")).unwrap().to_str().unwrap().replace('\\', "/");
        check_file(&name, &fs::read_to_string(file).unwrap(), &dependencies, &mut broken);
    }
    broken
}

fn check_file(name: &str, text: &str, dependencies: &[String], broken: &mut Vec<String>) {
    let mut report = |line: usize, what: &str, why: &str| {
        broken.push(format!("src/{name}:{line}: {what}: {why}"));
    };
    let lines = text.lines().count();
    if lines > LONGEST_FILE {
        report(lines, &format!("{lines} lines"), "a file above 400 lines is two files; cut it by noun");
    }
    let code = source::without_test_modules(&source::without_comments_and_texts(text));
    for rule in ONLY_TEXT.iter().filter(|rule| !in_place(name, rule.places)) {
        for (number, line) in code.lines().enumerate() {
            for needle in rule.names.iter().filter(|needle| line.contains(**needle)) {
                report(number + 1, needle, rule.why);
            }
        }
    }
    for (number, line) in code.lines().enumerate() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let module = words.windows(2).find(|pair| pair[0] == "mod").map(|pair| pair[1]);
        if let Some(module) = module.map(|name| name.trim_end_matches([';', '{']))
            && EMPTY_NAMES.contains(&module)
        {
            report(number + 1, &format!("mod {module}"), "a module is named for what is in it");
        }
    }
    let module = module_of(name);
    let floor = module.get(1).map_or("", String::as_str);
    for mention in source::mentions(&code, &module) {
        let path = mention.path.as_str();
        for rule in ONLY.iter().filter(|rule| !in_place(name, rule.places)) {
            if rule.names.iter().any(|start| begins(path, start)) {
                report(mention.line, path, rule.why);
            }
        }
        let forbidden = NEVER_NAMES.iter().filter(|(from, _)| *from == floor).flat_map(|(_, to)| *to);
        for to in forbidden.filter(|to| begins(path, &format!("crate::{to}"))) {
            report(mention.line, path, &format!("no arrow leads from {floor} to {to}"));
        }
        let root = path.split("::").next().unwrap_or_default();
        if floor == "domain"
            && path.contains("::")
            && dependencies.iter().any(|known| known == root)
            && !DOMAIN_CRATES.contains(&root)
        {
            report(mention.line, path, "pure rules import only what has no I/O, time or chance");
        }
    }
}

/// `web/api/referrals.rs` → `crate::web::api::referrals`.
fn module_of(name: &str) -> Vec<String> {
    let path = name.trim_end_matches(".rs").trim_end_matches("/mod");
    let parts = path.split('/').filter(|part| !matches!(*part, "lib" | "main")).map(str::to_owned);
    std::iter::once("crate".to_owned()).chain(parts).collect()
}

fn in_place(name: &str, places: &[&str]) -> bool {
    places.iter().any(|place| name.starts_with(place))
}

fn begins(path: &str, start: &str) -> bool {
    path.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// The names under `[dependencies]`, as code spells them.
fn dependencies(manifest: &str) -> Vec<String> {
    let manifest = format!("\n{manifest}");
    let table = manifest.split("\n[").find(|part| part.starts_with("dependencies]")).unwrap_or_default();
    let names = table.lines().filter_map(|line| line.split_once(" = ")).map(|(name, _)| name.trim());
    names.map(|name| name.replace('-', "_")).collect()
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

/// The rules themselves on trial: each of these small sins has to be found, at its line.
#[test]
fn every_rule_catches_its_violation() {
    let sins: &[(&str, usize, &str, &str)] = &[
        ("web/api/list.rs", 2, "use std::fmt;\nuse sqlx::query;\n", "ledger/ alone"),
        (
            "usecases/ring.rs",
            1,
            "fn f() { let c = lapin::Connection::connect(); }\n",
            "transport/amqp.rs alone",
        ),
        ("transport/in_process.rs", 1, "use lettre::Message;\n", "delivery/email.rs alone"),
        ("usecases/submit.rs", 1, "use aws_lc_rs::digest;\n", "stay in vault/"),
        ("web/caller.rs", 1, "use jsonwebtoken::{decode, Validation};\n", "stay in vault/"),
        ("usecases/sign_in.rs", 1, "use argon2::Argon2;\n", "vault/password.rs alone"),
        ("web/api/leg.rs", 1, "use askama::Template;\n", "web/pages alone"),
        ("transport/amqp.rs", 1, "async fn f() { reqwest::get(\"x\").await }\n", "calls out"),
        ("usecases/open.rs", 1, "use actix_web::HttpRequest;\n", "HTTP is spoken"),
        ("web/api/inbox.rs", 1, "use actix_web::{web, http::StatusCode};\n", "status codes"),
        ("web/api/inbox.rs", 2, "\nfn f() { HttpResponse::NotFound().finish() }\n", "is a Problem"),
        ("ledger/referral.rs", 1, "async fn f(p: Pool) { p.begin().await }\n", "owns a transaction"),
        ("usecases/sweep.rs", 1, "fn f() { tokio::spawn(async {}); }\n", "only hub.rs spawns"),
        ("delivery/email.rs", 1, "use std::{env, fmt};\n", "reads the environment"),
        ("usecases/answer.rs", 1, "fn f() { let now = jiff::Timestamp::now(); }\n", "reads the time"),
        ("ledger/job.rs", 1, "fn f() { println!(\"x\"); }\n", "only commands print"),
        ("ledger/job.rs", 1, "fn f() { unsafe { g() } }\n", "never"),
        ("domain/basis.rs", 1, "use tokio::sync::Mutex;\n", "no I/O"),
        ("domain/basis.rs", 1, "use crate::clock::Clock;\n", "from domain to clock"),
        (
            "transport/amqp.rs",
            1,
            "use crate::{domain::ids::LegId, ledger::Ledger};\n",
            "from transport to ledger",
        ),
        ("transport/amqp.rs", 1, "use super::super::delivery::email;\n", "from transport to delivery"),
        (
            "delivery/webhook.rs",
            1,
            "fn f(t: &crate::transport::Transport) {}\n",
            "from delivery to transport",
        ),
        ("ledger/leg.rs", 1, "use crate::usecases;\n", "from ledger to usecases"),
        ("web/api/legs.rs", 1, "use crate::transport as t;\n", "from web to transport"),
        ("usecases/mod.rs", 2, "pub mod submit;\npub mod utils;\n", "named for what is in it"),
    ];
    for (name, line, text, why) in sins {
        let found = violations(house(&[(name, text)]).path());
        let place = format!("src/{name}:{line}: ");
        assert!(
            found.iter().any(|one| one.starts_with(&place) && one.contains(why)),
            "not caught: {name}: {text}\nfound instead: {found:?}"
        );
    }
    let long = "// a line\n".repeat(LONGEST_FILE + 1);
    let found = violations(house(&[("domain/long.rs", &long)]).path());
    assert!(found.iter().any(|one| one.contains("401 lines")), "{found:?}");
}

#[test]
fn what_is_allowed_is_not_reported() {
    let sound = house(&[
        ("ledger/committer.rs", "use sqlx::Any;\nasync fn f(p: P) { p.begin_with(\"BEGIN\").await }\n"),
        ("transport/amqp.rs", "use lapin::Connection;\nuse crate::domain::ids::LegId;\n"),
        ("vault/sign.rs", "use aws_lc_rs::signature;\nuse super::keys::Key;\n"),
        (
            "main.rs",
            "fn main() { let _ = rustls::crypto::aws_lc_rs::default_provider(); println!(\"hello\"); }\n",
        ),
        ("hub.rs", "fn f() { tokio::spawn(async {}); }\nuse actix_web::HttpServer;\n"),
        (
            "domain/basis.rs",
            "//! No sqlx here, nor tokio::spawn.\nuse serde::Serialize;\n/* lapin::x /* nested */ */\n\
             const A: &str = \"sqlx::query \\\" lettre::x\";\nconst B: &str = r#\"println!(\"x\")\"#;\n\
             const C: char = '\"'; fn f<'a>(x: &'a str) {}\n\
             #[cfg(test)]\nmod tests { use proptest::prelude::*; fn g() { println!(\"{}\", '{'); tokio::spawn(f); } }\n",
        ),
    ]);
    assert_eq!(violations(sound.path()), Vec::<String>::new());
}

/// A made-up house with these files below `src/`.
fn house(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("Cargo.toml"), "[dependencies]\nserde = \"1\"\ntokio = \"1\"\n").unwrap();
    for (name, text) in files {
        let path = folder.path().join("src").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}
