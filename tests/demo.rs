//! The demo as a visitor runs it: the program plays its scenes, and what it leaves behind is checked from outside.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is the point")]

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;
use tempfile::TempDir;
use tsunagu::{usecases::verify::verify, vault::jws::Jwks};

mod support;

use support::{broker::TestVhost, database::TestDatabase, servers};

/// What the scenes send about people and no file but the ledger may hold.
const PERSONAL: [&str; 6] = ["見本", "第一子", "045-000-000", "あざ", "二語文", "SHOKAI"];
/// Legs of the six scenes.
const LEGS: usize = 7;

fn demo(locale: &str, data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tsunagu"));
    command.arg("demo").args(arguments).arg("--data").arg(data);
    command.env("LC_ALL", locale).env("TSUNAGU__SERVER__LISTEN", "127.0.0.1:0").stdin(Stdio::null());
    command
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("hub");
    (folder, data)
}

/// The files of a folder with this ending, by name.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.extension().is_some_and(|extension| extension == ending));
    found.sort();
    found
}

fn texts(folder: &Path, ending: &str) -> Vec<String> {
    files(folder, ending).iter().map(|path| fs::read_to_string(path).unwrap()).collect()
}

/// Everything a run of the scenes has to leave behind.
fn check(data: &Path) {
    let (receipts, listed) = (texts(&data.join("receipts"), "jws"), texts(&data.join("manifests"), "jws"));
    let jwks: Value = serde_json::from_str(&fs::read_to_string(data.join("jwks.json")).unwrap()).unwrap();
    let statements: Vec<&str> = receipts.iter().map(String::as_str).collect();
    let manifests: Vec<&str> = listed.iter().map(String::as_str).collect();
    let report = verify(&Jwks::parse(&jwks).unwrap(), &statements, &manifests);
    assert!(report.is_sound(), "{:?}", report.faults);
    assert_eq!((report.legs.len(), manifests.len()), (LEGS, LEGS));
    for level in ["R0", "R0-sender", "R1", "R2", "R3", "R4", "closed"] {
        let named = format!("-{level}.jws");
        let many = files(&data.join("receipts"), "jws")
            .iter()
            .filter(|path| path.to_string_lossy().ends_with(&named))
            .count();
        let expected = match level {
            "R2" | "R3" => LEGS - 1,
            "R4" => 4,
            "closed" => 3,
            _ => LEGS,
        };
        assert_eq!(many, expected, "{level}");
    }
    check_by_python(data);
    check_mail(&data.join("mail"));
}

/// The verifier that shares no code with the hub.
fn check_by_python(data: &Path) {
    let Some(python) = servers::python() else { return };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/verify_receipt.py");
    let mut command = Command::new(python);
    command
        .arg(script)
        .arg("--jwks")
        .arg(data.join("jwks.json"))
        .arg("--manifests")
        .arg(data.join("manifests"));
    let output = command.args(files(&data.join("receipts"), "jws")).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
}

/// One desk each, the agreed subject, and nothing about anybody, in plain or encoded form.
fn check_mail(mail: &Path) {
    let letters = texts(mail, "eml");
    assert_eq!(letters.len(), 2, "the two desks on duty, each once");
    let mut desks: Vec<String> = letters
        .iter()
        .map(|letter| {
            let (head, body) = letter.split_once("\r\n\r\n").unwrap();
            let head = head.replace("\r\n ", " ");
            let header = |name: &str| -> Vec<&str> {
                head.lines().filter_map(|line| line.strip_prefix(name)).map(str::trim).collect()
            };
            assert_eq!(encoded_words(header("Subject:")[0]), "【至急】受理をお願いします");
            assert!(header("Cc:").is_empty() && header("Bcc:").is_empty(), "{head}");
            let body = decoded(&head, body);
            for text in [letter, &body] {
                assert!(!PERSONAL.iter().any(|word| text.contains(word)), "{text}");
            }
            assert!(body.contains("http://127.0.0.1:"), "{body}");
            let to = header("To:");
            assert_eq!((to.len(), to[0].matches('@').count()), (1, 1), "{to:?}");
            to[0].trim_matches(['<', '>']).to_owned()
        })
        .collect();
    desks.sort();
    assert_eq!(desks, ["toban@jiso.example", "toban@kodomo-katei.example"]);
}

/// A header of encoded words in UTF-8 and base64 (RFC 2047); blanks between two of them do not count.
fn encoded_words(header: &str) -> String {
    let words = header.split_whitespace().flat_map(|word| {
        let word = word.to_ascii_lowercase().starts_with("=?utf-8?b?").then(|| &word[10..]).unwrap();
        BASE64_STANDARD.decode(word.strip_suffix("?=").unwrap()).unwrap()
    });
    String::from_utf8(words.collect()).unwrap()
}

/// The text of a mail.
fn decoded(head: &str, body: &str) -> String {
    let encoding =
        head.lines().find_map(|line| line.strip_prefix("Content-Transfer-Encoding:")).map(str::trim);
    match encoding {
        Some("base64") => {
            let packed: String = body.split_whitespace().collect();
            String::from_utf8(BASE64_STANDARD.decode(packed).unwrap()).unwrap()
        }
        Some("quoted-printable") => {
            let joined = body.replace("=\r\n", "");
            let mut bytes = Vec::new();
            let mut rest = joined.as_bytes();
            while let Some((first, after)) = rest.split_first() {
                let hex = after.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
                match (*first, hex.and_then(|pair| u8::from_str_radix(pair, 16).ok())) {
                    (b'=', Some(byte)) => {
                        bytes.push(byte);
                        rest = &after[2..];
                    }
                    (byte, _) => {
                        bytes.push(byte);
                        rest = after;
                    }
                }
            }
            String::from_utf8(bytes).unwrap()
        }
        _ => body.to_owned(),
    }
}

#[test]
fn the_scenes_are_played_once_and_leave_evidence_that_holds() {
    let (_folder, data) = folder();
    let output = demo("ja_JP.UTF-8", &data, &["--once"]).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let told = String::from_utf8(output.stdout.clone()).unwrap();
    for words in
        ["3690行、1230施設", "CONSENT_PARTY", "CONSENT_WITHDRAWN", "すべて一致", "受付当番", "安全確認"]
    {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert!(!told.contains('\u{1b}'), "no terminal, no escapes");
    assert!(!told.contains("client_secret"), "nobody is invited");
    check(&data);
    // The folder is a hub's now, and a second demo would not be a fresh one.
    let again = demo("C", &data, &["--once"]).output().unwrap();
    assert_eq!(again.status.code(), Some(2));
    assert!(said(&again).contains("already holds a hub"), "{}", said(&again));
}

#[test]
fn the_same_scenes_are_played_on_postgresql_and_rabbitmq() {
    let (Some(database), Some(vhost)) = (TestDatabase::new(), TestVhost::new()) else { return };
    let (_folder, data) = folder();
    let arguments = ["--once", "--clustered", "--database-url", &database.url, "--amqp-url", &vhost.url];
    let output = demo("C.UTF-8", &data, &arguments).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let told = String::from_utf8(output.stdout.clone()).unwrap();
    let table = told.rsplit_once("----\n").unwrap().1.lines().take(LEGS);
    assert_eq!(table.filter(|line| line.contains(" AMQP ok ")).count(), LEGS, "{told}");
    check(&data);
    let rung = database.query("SELECT COUNT(*) FROM job WHERE kind = 'doorbell.waiting' AND reason = 'rung'");
    assert_eq!(rung, LEGS.to_string());
    assert!(!data.join("ledger.db").exists());
}

#[test]
fn a_cluster_without_its_servers_says_what_to_give() {
    let (_folder, data) = folder();
    let output = demo("C", &data, &["--once", "--clustered"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("postgres://"), "{}", said(&output));
    let output = demo("C", &data, &["--once", "--amqp-url", "amqp://127.0.0.1"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
}

/// A demo that keeps serving; ended by force if the test fails.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _may_have_ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

#[test]
fn a_visitor_can_paste_the_five_commands_and_stop_the_hub() {
    let (_folder, data) = folder();
    let mut command = demo("C.UTF-8", &data, &[]);
    let mut serving = Serving(command.stdout(Stdio::piped()).spawn().unwrap());
    let mut told = Vec::new();
    for line in BufReader::new(serving.0.stdout.take().unwrap()).lines() {
        told.push(line.unwrap());
        if told.last().unwrap().contains("Ctrl-C") {
            break;
        }
    }
    let text = told.join("\n");
    assert_eq!(
        told.iter().filter(|line| line.contains("client_secret=")).count(),
        3,
        "two agencies, one command: {text}"
    );
    let commands: Vec<&str> = told
        .iter()
        .map(String::as_str)
        .filter(|line| line.starts_with("TOKEN=") || line.starts_with("curl "))
        .collect();
    assert_eq!(commands.len(), 5, "{text}");
    // One shell, as a visitor has one: the token of the first command is used by the others.
    let script = commands.join("\necho; echo ---\n");
    let output = Command::new("bash").args(["-c", &script]).output().unwrap();
    let answers = said(&output);
    let parts: Vec<&str> = answers.split("---").map(str::trim).collect();
    assert_eq!(parts.len(), 5, "{answers}");
    assert_eq!(parts[0], "", "the token is kept, not shown");
    let inbox: Value = serde_json::from_str(parts[1]).unwrap();
    assert_eq!(inbox["items"].as_array().unwrap().len(), 1, "{inbox}");
    let opened: Value = serde_json::from_str(parts[2]).unwrap();
    assert_eq!(opened["document"]["content"]["identity"][0]["name"]["family"], "見本", "{opened}");
    let accepted: Value = serde_json::from_str(parts[3]).unwrap();
    assert_eq!((&accepted["state"], &accepted["level"]), (&"accepted".into(), &"R4".into()), "{accepted}");
    assert!(parts[4].contains("\"receipts\"") && parts[4].contains("Ed25519"), "{}", parts[4]);
    let ended = Command::new("kill").args(["-TERM", &serving.0.id().to_string()]).status().unwrap();
    assert!(ended.success());
    assert!(serving.0.wait().unwrap().success());
}
