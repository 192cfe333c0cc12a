//! `docs/problems.md` lists every problem the hub answers with; it is written from the catalogue.

use std::{fmt::Write as _, fs, path::PathBuf};

use tsunagu::{
    domain::problem::ProblemKind,
    web::problem::{retry_after, status},
};

const HEAD: &str = "\
# Problems

Every error of the API is an `application/problem+json` document (RFC 9457) with the members `type`, `title`
(Japanese), `title_en`, `status`, `mend` and `mend_en` (what to do), and, where they apply, `detail`, `detail_en`,
`law` (the article that decided), `code` (the code of the decision), `errors` (at most 20 faults, each with a JSON
`pointer`, a `code`, `message` and `message_en`), `state` and `allowed` (the present state and the actions it allows)
`compare` (recipients to look at again, with the public names of organisations) and `signed` (a JWS of the hub). It
never holds personal data: in a `pointer`, a member name that no schema
knows is written `?`.

`type` is stable. Programs compare `type` and `code`; texts may change.

This file is written from the catalogue in `src/domain/problem.rs`:
`cargo test --test problems -- --ignored` writes it anew.

";

fn catalogue() -> String {
    let mut text = HEAD.to_owned();
    for kind in ProblemKind::ALL {
        let (title, mend) = (kind.title(), kind.mend());
        let wait = match retry_after(*kind) {
            Some(seconds) => format!(", `Retry-After: {seconds}`"),
            None => String::new(),
        };
        let status = status(*kind).as_u16();
        let _ = writeln!(text, "## {status} `{}`{wait}\n", kind.urn());
        let _ = writeln!(text, "* {} / {}", title.ja, title.en);
        let _ = writeln!(text, "* {} / {}\n", mend.ja, mend.en);
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/problems.md")
}

#[test]
fn the_documentation_lists_every_problem() {
    let written = fs::read_to_string(file()).unwrap_or_default();
    assert!(
        written == catalogue(),
        "run `cargo test --test problems -- --ignored`, then look at the difference"
    );
}

#[test]
#[ignore = "writes docs/problems.md"]
fn write_the_documentation() {
    fs::write(file(), catalogue()).unwrap();
}
