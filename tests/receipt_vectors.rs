//! The receipt vectors: made here from fixed keys, kept in `tests/vectors/receipts`, and read by
//! `tsunagu verify` and by `scripts/verify_receipt.py`, which share no code.
//!
//! To change them, change this file and run
//! `cargo test --test receipt_vectors -- --ignored write_the_vectors`.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod receipt_forge;

use std::{collections::BTreeSet, fs, path::PathBuf, process::Command};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tsunagu::{usecases::verify::verify, vault::jws::Jwks};

/// One bundle and what a verifier must find in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Vector {
    pub name: String,
    pub jwks: Value,
    pub receipts: Vec<String>,
    pub manifests: Vec<String>,
    /// The codes of all faults, sorted; `jwks` if the key set itself is refused.
    pub faults: Vec<String>,
    /// For a sound bundle: the levels of each leg, in order (`-` for an event), and the limits of proof.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legs: Option<Value>,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/receipts")
}

fn written(vector: &Vector) -> String {
    serde_json::to_string_pretty(vector).unwrap() + "\n"
}

fn found(vector: &Vector) -> (Vec<String>, Option<Value>) {
    let Ok(jwks) = Jwks::parse(&vector.jwks) else { return (vec!["jwks".into()], None) };
    let texts = |list: &[String]| -> Vec<String> { list.to_vec() };
    let (receipts, manifests) = (texts(&vector.receipts), texts(&vector.manifests));
    let receipts: Vec<&str> = receipts.iter().map(String::as_str).collect();
    let manifests: Vec<&str> = manifests.iter().map(String::as_str).collect();
    let report = verify(&jwks, &receipts, &manifests);
    let codes: BTreeSet<String> = report.faults.iter().map(|fault| fault.code.to_string()).collect();
    let legs = report.legs.iter().map(|leg| {
        let levels: Vec<_> = leg.ladder.iter().map(|r| r.level.map_or("-", |level| level.code())).collect();
        (leg.leg.to_string(), serde_json::json!({"ladder": levels, "not_proved": leg.not_proved}))
    });
    let legs = report.is_sound().then(|| Value::Object(legs.collect()));
    (codes.into_iter().collect(), legs)
}

#[test]
fn the_verifier_finds_exactly_what_each_vector_says() {
    let vectors = receipt_forge::vectors();
    let negative = vectors.iter().filter(|vector| !vector.faults.is_empty()).count();
    assert!(negative >= 60 && vectors.len() - negative >= 6, "{negative} of {}", vectors.len());
    for vector in vectors {
        let (faults, legs) = found(&vector);
        assert_eq!(faults, vector.faults, "{}", vector.name);
        assert_eq!(legs, vector.legs, "{}", vector.name);
    }
}

#[test]
fn the_vectors_on_disk_are_the_ones_made_here() {
    let mut names = BTreeSet::new();
    for vector in receipt_forge::vectors() {
        let path = folder().join(format!("{}.json", vector.name));
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(text, written(&vector), "{}", vector.name);
        names.insert(format!("{}.json", vector.name));
    }
    let there = fs::read_dir(folder()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    assert_eq!(there.collect::<BTreeSet<_>>(), names);
}

#[test]
#[ignore = "writes the vectors anew"]
fn write_the_vectors() {
    fs::create_dir_all(folder()).unwrap();
    for entry in fs::read_dir(folder()).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    for vector in receipt_forge::vectors() {
        fs::write(folder().join(format!("{}.json", vector.name)), written(&vector)).unwrap();
    }
}

#[test]
fn the_python_verifier_finds_the_same() {
    let python = |args: &[&str]| Command::new("python3").args(args).output();
    if !python(&["-c", "import cryptography"]).is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: python3 with the package cryptography is not here");
        return;
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/verify_receipt.py");
    let output = python(&[script, "--vectors", folder().to_str().unwrap()]).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
