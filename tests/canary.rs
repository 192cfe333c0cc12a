//! Personal data stand where they must, and nowhere else: unique words in every field of every document, a story with
//! refusals and failures played on the real program at its most talkative, and then a search through every byte it
//! left behind.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is the point")]

mod support;

#[path = "canary/cases.rs"]
mod cases;
#[path = "canary/pages.rs"]
mod pages;
#[path = "canary/papers.rs"]
mod papers;
#[path = "canary/stage.rs"]
mod stage;
#[path = "canary/story.rs"]
mod story;
#[path = "canary/words.rs"]
mod words;

use stage::{Left, Stage};
use support::town::{Engine, Exchange};
use words::{ADDRESS, ASCII, NAME, REGISTERED, Scanner};

/// Lists show ids, codes, states and times.
const LISTS: &[&str] = &[
    "/v1/inbox",
    "/v1/legs?",
    "/v1/referrals?",
    "/v1/consents?",
    "/v1/agencies",
    "/v1/services",
    "/v1/incidents?",
    "/v1/disclosure-requests?",
    "/v1/audit",
    "/v1/break-glass?",
    "/v1/cases?",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_personal_is_left_behind() {
    for engine in Engine::BOTH {
        let Some(mut stage) = Stage::new(engine).await else { continue };
        story::play(&stage).await;
        let left = stage.search().await;
        controls(&left, engine);
        let (all, people) = (Scanner::new(&[NAME, ASCII, ADDRESS]), Scanner::new(&[NAME, ASCII]));
        let registered = Scanner::new(&[REGISTERED]);
        all.assert_clean("the log", &left.log);
        registered.assert_clean("the log", &left.log);
        for (name, bytes) in &left.files {
            // A mail names the address it goes to; that is its recipient's own.
            let scanner = if name.contains("mail") { &people } else { &all };
            scanner.assert_clean(name, bytes);
            registered.assert_clean(name, bytes);
        }
        for frame in &left.frames {
            all.assert_clean("a message of the broker", frame);
            registered.assert_clean("a message of the broker", frame);
        }
        for exchange in &left.traffic {
            look_through(&all, exchange);
        }
    }
}

/// What may hold personal data at all: the body of a success that answers one of the parties about one thing.
fn look_through(all: &Scanner, exchange: &Exchange) {
    let Exchange { method, url, reply, .. } = exchange;
    let what = format!("the answer {} to {method} {url}", reply.status);
    for (name, value) in &reply.headers {
        all.assert_clean(&format!("{what}, header {name}"), value.as_bytes());
    }
    let path = url.splitn(4, '/').nth(3).map(|path| format!("/{path}")).unwrap_or_default();
    let list = method == "GET" && LISTS.iter().any(|list| path.starts_with(list));
    // A leg's page shows what its parties wrote to each other, like the document it is made of.
    let public = !path.starts_with("/v1/") && !path.starts_with("/board/legs/");
    // The form to print shows its writer what that writer has just sent.
    let form = method == "POST" && path.starts_with("/v1/consent-forms") && reply.status.is_success();
    // A preview shows its sender what each recipient would see; every other change answers with ids and codes.
    let preview = path == "/v1/referrals" && reply.header("preference-applied") == Some("dry-run");
    if preview {
        assert_eq!(reply.header("cache-control"), Some("no-store"), "{what}");
    }
    if !form && (!reply.status.is_success() || list || public || (method == "POST" && !preview)) {
        all.assert_clean(&what, &reply.body);
    }
}

/// The search sees what is there: names that may be seen are found in every place, and the canaries in the answers
/// that are to hold them.
fn controls(left: &Left, engine: Engine) {
    let public = Scanner::new(&[stage::PUBLIC_NAME]);
    let seen = |what: &str| {
        left.files.iter().any(|(name, bytes)| name.contains(what) && !public.find(bytes).is_empty())
    };
    match engine {
        Engine::Embedded => {
            assert!(seen("ledger.db"), "the ledger's file shows the public name of an agency");
        }
        Engine::Clustered => {
            assert!(seen("pg_dump"), "the dump shows the public name of an agency");
            assert!(left.frames.len() >= 4, "{} messages were taken from the broker", left.frames.len());
            let sealed = left.frames.iter().filter(|frame| frame.len() > 1500).count();
            assert!(sealed >= 1, "a sealed document was among them");
        }
    }
    let log = String::from_utf8_lossy(&left.log);
    assert!(log.contains("DEBUG") || log.contains("answered"), "the log talks: {log}");
    assert!(log.lines().count() > left.traffic.len() / 2, "the log has a line per request");
    assert!(left.files.iter().any(|(name, _)| name.contains("keys")), "the key folder was searched");
    let mails = left.files.iter().filter(|(name, _)| name.contains("mail") && name.ends_with(".eml")).count();
    assert!(mails >= 1, "no mail was written");
    let addressed = Scanner::new(&[ADDRESS]);
    let to = |(name, bytes): &(String, Vec<u8>)| name.ends_with(".eml") && !addressed.find(bytes).is_empty();
    assert!(left.files.iter().any(to), "a mail names its address");
    let people = Scanner::new(&[NAME, ASCII]);
    let shown = left.traffic.iter().filter(|one| !people.find(&one.reply.body).is_empty());
    let paths: Vec<&str> = shown.map(|one| one.url.as_str()).collect();
    for part in [
        "/v1/deliveries/",
        "/v1/legs/",
        "/v1/consents/",
        "/v1/staff",
        "/board/legs/",
        "/v1/disclosure-requests/",
        "/v1/cases/",
        "/v1/consultations/",
    ] {
        assert!(paths.iter().any(|path| path.contains(part)), "no canary reached {part}: {paths:?}");
    }
    let previews = left.traffic.iter().filter(|one| {
        one.reply.header("preference-applied").is_some() && !people.find(&one.reply.body).is_empty()
    });
    assert!(previews.count() >= 2, "no canary reached a preview");
    let refused = left.traffic.iter().filter(|one| !one.reply.status.is_success()).count();
    assert!(refused >= 30, "{refused} refusals were looked through");
}
