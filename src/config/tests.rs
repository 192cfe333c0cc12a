//! The defaults work, the examples need only their secrets, and a mistake is told.

use super::*;

#[test]
fn the_documented_defaults_are_a_working_embedded_hub() {
    let config = Config::embedded(Path::new("/tmp/x")).unwrap();
    config.check().unwrap();
    assert_eq!(config.hub.mode, Mode::Embedded);
    assert_eq!(config.vault.folder, Path::new("/tmp/x/keys"));
}

#[test]
fn the_production_example_needs_only_its_secrets() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/production.toml");
    let complaint = Config::load(Some(&path), None).unwrap_err().to_string();
    assert!(complaint.contains("TSUNAGU__LEDGER__URL"), "{complaint}");
}

#[test]
fn a_misspelt_setting_is_not_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tsunagu.toml");
    std::fs::write(&file, "[server]\nlisten_on = \"127.0.0.1:1\"\n").unwrap();
    assert!(Config::load(Some(&file), None).is_err());
}

#[test]
fn the_first_variable_that_says_something_decides_the_language() {
    let language =
        |all: &str, messages: &str, lang: &str| super::language(&[all, messages, lang].map(str::to_owned));
    assert_eq!(language("", "", "ja_JP.UTF-8"), Language::Japanese);
    assert_eq!(language("", "ja", "en_GB.UTF-8"), Language::Japanese);
    assert_eq!(language("C", "ja_JP.UTF-8", "ja_JP.UTF-8"), Language::English);
    assert_eq!(language("", "", ""), Language::English);
}

#[test]
fn a_sender_has_a_domain_with_or_without_a_name() {
    let mut config = Config::embedded(Path::new("/tmp/x")).unwrap();
    assert_eq!(config.mail.domain(), "localhost");
    config.mail.from = "つなぐ <no-reply@hub.example>".to_owned();
    assert_eq!(config.mail.domain(), "hub.example");
}

#[test]
fn an_authority_that_is_not_there_is_not_left_out() {
    let mut config = Config::embedded(Path::new("/tmp/x")).unwrap();
    assert!(config.amqp.authority().unwrap().is_none());
    config.amqp.ca_file = PathBuf::from("/nonexistent.pem");
    assert!(config.amqp.authority().unwrap_err().to_string().contains("amqp.ca_file"));
}

#[test]
fn a_secret_does_not_print() {
    let config = Config::embedded(Path::new("/tmp/x")).unwrap();
    assert!(!format!("{config:?}").contains("sqlite:"));
}

#[test]
fn modes_and_databases_do_not_mix() {
    let mut config = Config::embedded(Path::new("/tmp/x")).unwrap();
    config.hub.mode = Mode::Clustered;
    assert!(config.check().is_err());
    config.ledger.url = Secret::new("postgres://localhost/x".to_owned());
    assert!(config.check().is_err(), "no broker");
    config.amqp.url = Secret::new("amqp://localhost".to_owned());
    config.check().unwrap();
}
