//! The decision cases of `tests/decisions`, by the same decision that every leg gets.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is the point")]

use std::{collections::BTreeSet, fs, path::PathBuf};

use tsunagu::{
    domain::{
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
