//! The only reader of configuration and environment: typed, validated, secrets redacted.

use std::{
    collections::BTreeMap,
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::{
    domain::{consent::custody::DailyActs, language::Language, referral::ReferralType, retention::Periods},
    ledger::Mode,
};

/// The documented defaults, which every other source overrides.
const DEFAULTS: &str = include_str!("../config/tsunagu.toml");

/// A secret of the configuration: it can be used, and it cannot be printed.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The secret itself. Hand it to the library that needs it, never to a log.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// Everything a hub is told before it starts.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub hub: Hub,
    pub server: Server,
    pub ledger: Ledger,
    pub vault: Vault,
    pub amqp: Amqp,
    pub mail: Mail,
    pub token: Token,
    pub rules: Rules,
    pub retention: Retention,
    pub log: Log,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hub {
    pub mode: Mode,
    pub data: PathBuf,
    pub public_url: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    pub listen: SocketAddr,
    pub workers: usize,
    pub body_limit: usize,
    pub shutdown_seconds: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ledger {
    pub url: Secret,
    pub committers: usize,
    pub readers: u32,
    pub waiting: usize,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vault {
    pub folder: PathBuf,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Amqp {
    pub url: Secret,
    pub ca_file: PathBuf,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    pub transport: MailTransport,
    pub from: String,
    pub smtp_host: String,
    pub smtp_port: u16,
    pub smtp_tls: SmtpTls,
    pub smtp_username: String,
    pub smtp_password: Secret,
    pub ca_file: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailTransport {
    Folder,
    Smtp,
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmtpTls {
    StartTls,
    Implicit,
    Plain,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    pub seconds: u32,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    pub safety_hours: u32,
    pub daily_acts: DailyActs,
    pub complaints_desk: String,
    pub confirm_recipients: bool,
    pub release_seconds: u32,
    pub sweep_seconds: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    pub record_years: u16,
    pub record_years_by_type: BTreeMap<String, u16>,
}

impl Retention {
    /// As the rules take it. Types are told apart without regard to case: the configuration writes them small.
    pub fn periods(&self) -> Periods {
        let of_type = ReferralType::ALL.iter().filter_map(|kind| {
            let found =
                self.record_years_by_type.iter().find(|(code, _)| kind.code().eq_ignore_ascii_case(code));
            found.map(|(_, years)| (*kind, *years))
        });
        Periods { years: self.record_years, of_type: of_type.collect() }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    pub format: LogFormat,
    pub level: LogLevel,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
}

impl LogLevel {
    /// As filters of the log write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("the configuration cannot be read: {0}")]
    Unreadable(#[from] config::ConfigError),
    #[error("{setting}: {why}")]
    Wrong { setting: &'static str, why: String },
    #[error("{setting}: {path} cannot be read: {source}; give the path of a PEM file, or leave it empty")]
    Authority { setting: &'static str, path: PathBuf, source: std::io::Error },
}

impl Mail {
    /// The domain of the sender's address; it also names messages.
    pub fn domain(&self) -> &str {
        self.from.rsplit_once('@').map_or("localhost", |(_, domain)| domain.trim_end_matches('>'))
    }

    /// The private certificate authority of the mail server; see [`Amqp::authority`].
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn authority(&self) -> Result<Option<String>, ConfigError> {
        authority("mail.ca_file", &self.ca_file)
    }
}

impl Amqp {
    /// The private certificate authority, as PEM text; `None` where the machine's own list is to be used.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn authority(&self) -> Result<Option<String>, ConfigError> {
        authority("amqp.ca_file", &self.ca_file)
    }
}

fn authority(setting: &'static str, path: &Path) -> Result<Option<String>, ConfigError> {
    if path.as_os_str().is_empty() {
        return Ok(None);
    }
    let refuse = |source| ConfigError::Authority { setting, path: path.to_owned(), source };
    std::fs::read_to_string(path).map(Some).map_err(refuse)
}

/// The user's language, by the locale's variables in the order POSIX gives them: the first that is not empty decides.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
pub fn user_language() -> Language {
    language(&["LC_ALL", "LC_MESSAGES", "LANG"].map(|name| std::env::var(name).unwrap_or_default()))
}

/// Whether the user wants no colours on any terminal (<https://no-color.org>).
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
pub fn colour_refused() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// Where this machine keeps what nobody needs for long.
pub fn temporary_folder() -> PathBuf {
    std::env::temp_dir()
}

fn language(variables: &[String; 3]) -> Language {
    match variables.iter().find(|value| !value.is_empty()) {
        Some(locale) if locale.starts_with("ja") => Language::Japanese,
        _ => Language::English,
    }
}

impl Config {
    /// Reads the defaults, then `file`, then the environment (`TSUNAGU__SECTION__KEY`), then `data`.
    ///
    /// # Errors
    /// A source cannot be read, a setting is unknown, or the settings contradict each other.
    pub fn load(file: Option<&Path>, data: Option<&Path>) -> Result<Self, ConfigError> {
        let config = Self::read(file, data)?;
        config.check()?;
        Ok(config)
    }

    /// Reads the same sources without checking what they say together: for commands that need a part of
    /// them, such as the making of keys on a machine that knows no database.
    ///
    /// # Errors
    /// A source cannot be read, or a setting is unknown.
    pub fn read(file: Option<&Path>, data: Option<&Path>) -> Result<Self, ConfigError> {
        let mut sources =
            config::Config::builder().add_source(config::File::from_str(DEFAULTS, config::FileFormat::Toml));
        if let Some(file) = file {
            sources = sources.add_source(config::File::from(file).format(config::FileFormat::Toml));
        }
        let environment = config::Environment::with_prefix("TSUNAGU").prefix_separator("__").separator("__");
        let mut config: Self = sources.add_source(environment).build()?.try_deserialize()?;
        if let Some(data) = data {
            config.hub.data = data.to_owned();
        }
        config.fill();
        Ok(config)
    }

    /// The defaults alone, for a data folder: what `demo` and the tests start from.
    ///
    /// # Errors
    /// None in a release whose defaults were tested.
    pub fn embedded(data: &Path) -> Result<Self, ConfigError> {
        let defaults = config::File::from_str(DEFAULTS, config::FileFormat::Toml);
        let mut config: Self = config::Config::builder().add_source(defaults).build()?.try_deserialize()?;
        config.hub.data = data.to_owned();
        config.fill();
        Ok(config)
    }

    /// Settings left empty take their place under the data folder.
    fn fill(&mut self) {
        if self.vault.folder.as_os_str().is_empty() {
            self.vault.folder = self.hub.data.join("keys");
        }
        if self.ledger.url.expose().is_empty() && self.hub.mode == Mode::Embedded {
            let path = self.hub.data.join("ledger.db");
            self.ledger.url = Secret::new(format!("sqlite:{}?mode=rwc", path.display()));
        }
    }

    /// Checks what the settings say together.
    ///
    /// # Errors
    /// Names the setting that is wrong and what to do.
    pub fn check(&self) -> Result<(), ConfigError> {
        let wrong = |setting, why: &str| Err(ConfigError::Wrong { setting, why: why.to_owned() });
        let url = self.ledger.url.expose();
        match self.hub.mode {
            Mode::Embedded if !url.starts_with("sqlite:") => {
                return wrong("ledger.url", "embedded mode keeps its ledger in SQLite; leave it empty");
            }
            Mode::Clustered if !url.starts_with("postgres") => {
                return wrong(
                    "ledger.url",
                    "clustered mode needs a postgres:// URL; set TSUNAGU__LEDGER__URL",
                );
            }
            Mode::Clustered if self.amqp.url.expose().is_empty() => {
                return wrong("amqp.url", "clustered mode needs RabbitMQ; set TSUNAGU__AMQP__URL");
            }
            Mode::Embedded if !self.amqp.url.expose().is_empty() => {
                return wrong("amqp.url", "embedded mode has no broker; leave it empty");
            }
            Mode::Embedded | Mode::Clustered => {}
        }
        if !(60..=600).contains(&self.token.seconds) {
            return wrong("token.seconds", "a token lives between 60 and 600 seconds");
        }
        if !(1..=48).contains(&self.rules.safety_hours) {
            return wrong("rules.safety_hours", "the safety check is due within 1 to 48 hours");
        }
        if !(1..=300).contains(&self.rules.sweep_seconds) {
            return wrong("rules.sweep_seconds", "the hub sweeps every 1 to 300 seconds");
        }
        if self.rules.release_seconds > 3600 {
            return wrong(
                "rules.release_seconds",
                "a referral is held back for at most 3600 seconds; 0 for none",
            );
        }
        let known =
            |code: &String| ReferralType::ALL.iter().any(|kind| kind.code().eq_ignore_ascii_case(code));
        if !self.retention.record_years_by_type.keys().all(known) {
            return wrong(
                "retention.record_years_by_type",
                "names a type of referral that there is not; the codes are `type` in schemas/common.json",
            );
        }
        if self.ledger.waiting == 0 || self.ledger.readers == 0 {
            return wrong("ledger", "waiting and readers must be at least 1");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
