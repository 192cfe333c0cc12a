//! Where the private servers are, from the environment that `scripts/servers start` prints.
//!
//! Without them a test skips its part and says so. `scripts/test` sets `HUB_TEST_REQUIRE`, and then a missing server
//! is a failure: no half of the suite can go missing unnoticed.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

/// The mail sink: it takes mail over STARTTLS only. See `scripts/smtp_sink.py` for what it keeps and refuses.
pub struct Smtp {
    pub host: String,
    pub port: u16,
    /// PEM file of the authority that signed its certificate.
    pub ca: PathBuf,
    /// One `.eml` (raw) and one `.json` (envelope) per message; shared by all tests, so look for your own recipient.
    pub mail: PathBuf,
}

impl Smtp {
    /// Gives `None`, and says so, if there is no mail sink.
    pub fn from_env() -> Option<Self> {
        let address = variable("HUB_TEST_SMTP")?;
        let (host, port) = address.rsplit_once(':').expect("HUB_TEST_SMTP is host:port");
        Some(Self {
            host: host.to_owned(),
            port: port.parse().expect("HUB_TEST_SMTP is host:port"),
            ca: variable("HUB_TEST_SMTP_CA")?.into(),
            mail: variable("HUB_TEST_MAILDIR")?.into(),
        })
    }
}

/// URL of the PostgreSQL maintenance database; `None`, and a line about it, if there is none.
pub fn postgres() -> Option<String> {
    variable("HUB_TEST_PG")
}

/// URL of the broker's first vhost as the hub's own user; `None`, and a line about it, if there is none.
pub fn amqp() -> Option<String> {
    variable("HUB_TEST_AMQP")
}

/// A Python that has the packages of `scripts/requirements.txt`; `None`, and a line about it, if there is none.
pub fn python() -> Option<PathBuf> {
    variable("HUB_TEST_PYTHON").map(PathBuf::from)
}

/// The folder of the running servers, as `scripts/servers` wants it.
pub fn folder() -> Option<PathBuf> {
    variable("HUB_TEST_SERVERS").map(PathBuf::from)
}

/// Runs `scripts/servers` and gives back what it printed. A failure ends the test with the program's own words.
pub fn command(arguments: &[&str]) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/servers");
    let out = Command::new(script).args(arguments).output().expect("scripts/servers runs");
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "scripts/servers {}: {said}", arguments[0]);
    String::from_utf8(out.stdout).expect("scripts/servers prints UTF-8")
}

#[expect(clippy::disallowed_methods, reason = "tests learn from the environment where their servers are")]
fn variable(name: &str) -> Option<String> {
    let value = std::env::var(name).ok().filter(|value| !value.is_empty());
    if value.is_none() {
        let thread = std::thread::current();
        let test = thread.name().unwrap_or("a test");
        assert!(
            std::env::var("HUB_TEST_REQUIRE").is_err(),
            "{test} needs {name}, and this run must skip nothing"
        );
        eprintln!(
            "SKIPPED (a part of) {test}: {name} is not set. Run scripts/test, or export what `scripts/servers start` prints."
        );
    }
    value
}

/// A name no other test of this run has, for a database, a vhost or a folder: `t<process>_<number>`.
pub fn unique_name() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!("t{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed))
}
