//! The decision cases of `tests/decisions`, by the same decision that every leg gets.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is the point")]

use std::{collections::BTreeSet, fs, path::PathBuf, process::Command};

use tsunagu::{
    domain::{
        basis::docs,
        disclosure::case::{Answer, CaseFile},
        language::Language,
    },
    usecases::decision_case,
};

/// The case files, by name.
fn files() -> Vec<(String, CaseFile)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/decisions");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|e| e == "json")).collect();
    paths.sort();
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let file = decision_case::read(&fs::read(&path).unwrap());
        let file = file.unwrap_or_else(|problem| panic!("{name}: {}", problem.told(Language::English)));
        (name, file)
    };
    paths.into_iter().map(read).collect()
}

#[test]
fn every_case_gets_its_answer() {
    let (mut wrong, mut count) = (Vec::new(), 0);
    for (name, file) in files() {
        for case in &file.cases {
            let decided = case.decide();
            if !case.is_met_by(&decided) {
                let answer = Answer::of(&decided);
                wrong.push(format!("{name} {}: expected {}, got {answer}", case.id, case.expected));
            }
            count += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 80, "only {count} cases were found");
}

#[test]
fn no_two_cases_have_one_id() {
    let mut seen = BTreeSet::new();
    for (name, file) in files() {
        for case in file.cases {
            assert!(seen.insert(case.id.clone()), "{name}: {} is there twice", case.id);
        }
    }
}

/// The command, in one locale, on these files.
fn decide(locale: &str, files: &[PathBuf]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tsunagu"));
    let output = command.env("LC_ALL", locale).args(["decide", "--cases"]).args(files).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// A case file with this text, in a folder that lasts as long as the test.
fn written(folder: &tempfile::TempDir, text: &str) -> PathBuf {
    let path = folder.path().join("cases.json");
    fs::write(&path, text).unwrap();
    path
}

fn small(expected: &str) -> String {
    format!(
        r#"{{"title": "試し", "agencies": [
            {{"name": "拠点", "kind": "kyoten", "contractor_of": "122076"}}, {{"name": "保育所", "kind": "hoikusho"}}],
          "cases": [
            {{"id": "one", "situation": "同意による紹介", "law": "第27条", "sender": "拠点", "recipient": "保育所",
             "asked": ["identity", "health"], "basis": {{"code": "CONSENT"}}, "consent": {{}},
             "expect": {expected}}},
            {{"id": "two", "situation": "根拠なし", "law": "第27条", "sender": "拠点", "recipient": "保育所",
             "asked": ["identity"], "expect": {{"refuse": "NO_BASIS"}}}}]}}"#
    )
}

const MET: &str =
    r#"{"allow": {"identity": "full"}, "withheld": [{"section": "health", "why": "W_NOT_CONSENTED"}]}"#;

#[test]
fn the_command_decides_every_case_of_the_folder() {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/decisions"));
    let count: usize = files().iter().map(|(_, file)| file.cases.len()).sum();
    let paths: Vec<PathBuf> = files().into_iter().map(|(name, _)| folder.join(name)).collect();
    let (code, said, complaints) = decide("ja_JP.UTF-8", &paths);
    assert_eq!((code, complaints.as_str()), (Some(0), ""));
    assert_eq!(said.lines().last().unwrap(), format!("{count} passed, 0 failed"));
}

#[test]
fn each_answer_is_told_with_its_reason_and_article() {
    let folder = tempfile::tempdir().unwrap();
    let path = [written(&folder, &small(MET))];
    let (code, said, _) = decide("ja_JP.UTF-8", &path);
    assert_eq!(code, Some(0), "{said}");
    for part in [
        "✓ one  同意による紹介",
        "許可  CONSENT  個人情報の保護に関する法律 第27条1項・第69条2項1号  2026-04-01",
        "○  氏名・生年月日等: 同意の区分",
        "×  健康・医療: 同意の項目にないため W_NOT_CONSENTED  個人情報の保護に関する法律 第27条1項",
        "✓ two  根拠なし",
        "拒否  NO_BASIS  個人情報の保護に関する法律 第27条1項・第69条",
        "対応  同意、または法律の根拠を一つ選んでください。",
    ] {
        assert!(said.contains(part), "{part} is not in\n{said}");
    }
    let (_, said, _) = decide("C", &path);
    for part in
        ["allowed  CONSENT", "+  identity", "-  health: not among the consented items", "refused  NO_BASIS"]
    {
        assert!(said.contains(part), "{part} is not in\n{said}");
    }
}

#[test]
fn an_answer_that_is_not_expected_fails() {
    let folder = tempfile::tempdir().unwrap();
    for wrong in [
        r#"{"refuse": "CONSENT_MISSING"}"#,
        r#"{"allow": {"identity": "full"}}"#,
        r#"{"allow": {"identity": "town"}, "withheld": [{"section": "health", "why": "W_NOT_CONSENTED"}]}"#,
        r#"{"allow": {"identity": "full"}, "withheld": [{"section": "health", "why": "W_NOT_NEEDED"}]}"#,
    ] {
        let (code, said, complaints) = decide("C", &[written(&folder, &small(wrong))]);
        assert_eq!(code, Some(1), "{said}");
        assert_eq!(said.lines().last(), Some("1 passed, 1 failed"));
        assert!(
            said.contains("✗ one") && said.contains("expected") && complaints.contains("1 answers"),
            "{said}"
        );
    }
}

#[test]
fn a_file_that_does_not_read_is_named_with_the_place() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        (small(MET).replace("\"health\"]", "\"healthy\"]"), "/cases/0/asked/1"),
        (small(MET).replace("\"title\"", "\"titel\""), "/title This member is required"),
        (small(r#"{"refuse": "PERHAPS"}"#), "/cases/0/expect/refuse"),
        (small(r#"{}"#), "/cases/0/expect"),
        (small(MET).replace("\"recipient\": \"保育所\"", "\"recipient\": \"幼稚園\""), "/cases/0/recipient"),
        (small(MET).replace("\"id\": \"two\"", "\"id\": \"one\""), "/cases/1/id"),
        (small(MET).replace("122076", "122075"), "/agencies/0/contractor_of"),
        (
            small(MET).replace("\"consent\": {}", "\"about\": {\"health\": [\"aunt\"]}"),
            "/cases/0/about/health",
        ),
        (
            small(MET).replace("\"code\": \"CONSENT\"", "\"code\": \"CONSENT\", \"facility\": \"保育所\""),
            "/cases/0/basis/facility",
        ),
        (small(MET).replacen('}', "", 1), "/agencies/0 The text does not follow"),
        ("# 判定".to_owned(), "line 1, column 1"),
    ];
    for (text, place) in cases {
        let (code, said, complaints) = decide("C", &[written(&folder, &text)]);
        assert_eq!((code, said.as_str()), (Some(2), ""), "{place}: {complaints}");
        assert!(complaints.contains("cases.json") && complaints.contains(place), "{place}: {complaints}");
    }
    let (code, _, complaints) = decide("ja_JP.UTF-8", &[folder.path().join("missing.json")]);
    assert_eq!(code, Some(2));
    assert!(complaints.contains("missing.json を読めません"), "{complaints}");
}

/// The parts of `docs/disclosure.md` that are made from the table of bases.
#[test]
fn the_documentation_is_the_table_of_bases() {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/disclosure.md"));
    let text = fs::read_to_string(&path).unwrap();
    let mut fresh = text.clone();
    for language in [Language::Japanese, Language::English] {
        let begin = format!("<!-- {}: made from the table; a test compares -->\n", language.code());
        let (before, rest) = fresh.split_once(&begin).unwrap();
        let (_, after) = rest.split_once("<!-- end -->").unwrap();
        fresh = format!("{before}{begin}{}<!-- end -->{after}", docs::markdown(language));
    }
    if text != fresh {
        let aside = std::env::temp_dir().join("tsunagu-disclosure.md");
        fs::write(&aside, fresh).unwrap();
        panic!("docs/disclosure.md differs from the table; copy {} over it", aside.display());
    }
}

/// The example that the documentation shows is a case file, and its answer is right.
#[test]
fn the_example_of_the_documentation_passes() {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/disclosure.md")).unwrap();
    let example = text.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    let file = decision_case::read(example.as_bytes()).unwrap();
    assert!(file.cases.iter().all(|case| case.is_met_by(&case.decide())));
}
