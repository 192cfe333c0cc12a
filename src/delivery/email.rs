//! Mail: one notice, one recipient, one neutral subject. `lettre` is spoken here and nowhere else.
//!
//! The pool is our own and holds connections, not a transport: lettre's pool takes a connection back
//! when a send is given up half-way, and the next mail would read the answers of the one before.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use lettre::{
    Address, Message,
    message::{
        Mailbox, SinglePart,
        header::{Header, HeaderName, HeaderValue},
    },
    transport::smtp::{
        Error,
        authentication::{Credentials, Mechanism},
        client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters},
        extension::ClientId,
    },
};
use tokio::{io::AsyncWriteExt, time::timeout};

use super::{Failure, Notice, Reason};

/// How long a whole send may take, from connecting to the server's last word.
pub const DEADLINE: Duration = Duration::from_secs(60);
/// How long a kept connection may take to show that it lives.
const ALIVE: Duration = Duration::from_secs(3);
/// How many idle connections are kept.
const KEPT: usize = 4;

/// Why the settings of mail were refused. They hold a password and are not repeated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSettings {
    #[error("the sender is no mail address with an ASCII domain; write つなぐ <no-reply@hub.example>")]
    Sender,
    #[error("an unencrypted connection to the mail server is only possible on this machine (localhost)")]
    Unencrypted,
    #[error("the mail server's certificate authority holds no readable PEM certificate")]
    Authority,
    #[error("TLS can't be set up for the mail server: {0}")]
    Tls(String),
}

/// How the connection to the mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// STARTTLS, required: without it nothing is sent, neither a password nor a mail. Port 587.
    StartTls,
    /// TLS from the first byte (RFC 8314). Port 465.
    Tls,
    /// None at all; only for a relay on this machine. Port 25.
    Plain,
}

/// The mail server and how to sign in.
#[derive(Clone)]
pub struct SmtpSettings {
    pub host: String,
    /// The usual port of the protection, if not given.
    pub port: Option<u16>,
    pub protection: Protection,
    /// PEM certificates of a private authority. If given, it alone is trusted.
    pub private_ca: Option<String>,
    /// User and password.
    pub account: Option<(String, String)>,
    /// [`DEADLINE`], unless there is a reason.
    pub deadline: Duration,
}

impl fmt::Debug for SmtpSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpSettings")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("protection", &self.protection)
            .finish_non_exhaustive()
    }
}

/// Who mails are from; its domain is also that of message ids.
#[derive(Clone, Debug)]
pub struct Sender(Mailbox);

impl Sender {
    /// Reads `つなぐ <no-reply@hub.example>` or a bare address.
    ///
    /// # Errors
    ///
    /// [`BadSettings::Sender`].
    pub fn parse(text: &str) -> Result<Self, BadSettings> {
        let mailbox: Mailbox = text.parse().map_err(|_| BadSettings::Sender)?;
        // The domain names files and ids, and is told to the mail server as our name.
        let named = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-';
        if !mailbox.email.domain().bytes().all(named) || text.contains(char::is_control) {
            return Err(BadSettings::Sender);
        }
        Ok(Self(mailbox))
    }

    fn domain(&self) -> &str {
        self.0.email.domain()
    }
}

/// How mail leaves the hub. The set is closed, and silence is the harmless member.
#[derive(Debug)]
pub enum Mailer {
    Smtp(Smtp),
    /// Writes each mail as `<message id>.eml`: for trying things out, and for networks whose mail
    /// is carried by other hands.
    Folder(Folder),
    /// Sends nothing and says that it has.
    Silent,
}

/// Mails into a folder.
#[derive(Debug)]
pub struct Folder {
    sender: Sender,
    folder: PathBuf,
}

/// Mails to a server.
pub struct Smtp {
    sender: Sender,
    settings: SmtpSettings,
    tls: Option<TlsParameters>,
    idle: Mutex<Vec<AsyncSmtpConnection>>,
}

impl Mailer {
    /// # Errors
    ///
    /// [`BadSettings`]; nothing is connected yet.
    pub fn smtp(sender: Sender, settings: SmtpSettings) -> Result<Self, BadSettings> {
        let tls = match settings.protection {
            Protection::Plain if !is_here(&settings.host) => return Err(BadSettings::Unencrypted),
            Protection::Plain => None,
            Protection::StartTls | Protection::Tls => Some(tls(&settings)?),
        };
        Ok(Self::Smtp(Smtp { sender, settings, tls, idle: Mutex::default() }))
    }

    /// The folder must exist.
    pub const fn folder(sender: Sender, folder: PathBuf) -> Self {
        Self::Folder(Folder { sender, folder })
    }

    /// Sends one mail. A mail whose sending is given up by dropping the future may have been sent;
    /// its message id stays the same when it is tried again.
    ///
    /// # Errors
    ///
    /// [`Failure::Later`] where the server says 4xx or can't be spoken to, [`Failure::Never`] where
    /// it says 5xx of this mail or where there can be no such mail.
    pub async fn send(&self, notice: &Notice) -> Result<(), Failure> {
        match self {
            Self::Smtp(smtp) => smtp.send(notice).await,
            Self::Folder(folder) => folder.send(notice).await,
            Self::Silent => Ok(()),
        }
    }

    /// Looks whether mail would leave, without sending any: a server is signed in to, a folder must be there.
    ///
    /// # Errors
    ///
    /// What a mail sent now would meet.
    pub async fn examine(&self) -> Result<(), Reason> {
        match self {
            Self::Smtp(smtp) => smtp.examine().await,
            Self::Folder(Folder { folder, .. }) => {
                let there = tokio::fs::metadata(folder).await;
                there.map(|_| ()).map_err(|error| Reason::Folder(error.kind()))
            }
            Self::Silent => Ok(()),
        }
    }
}

/// The mail as it is sent, and its message id without brackets.
fn message(sender: &Sender, notice: &Notice) -> Result<(Message, String), Failure> {
    // An address and no mailbox: neither a second recipient nor a name can be in it.
    let to: Address = notice.to.parse().map_err(|_| Failure::Never(Reason::Address))?;
    if notice.to.contains(|c: char| c.is_control() || c.is_whitespace()) {
        return Err(Failure::Never(Reason::Address));
    }
    let text = notice.text().map_err(|bad| Failure::Never(bad.into()))?;
    let id = format!("{}@{}", notice.message_id.as_hyphenated(), sender.domain());
    let message = Message::builder()
        .message_id(Some(format!("<{id}>")))
        .date(SystemTime::from(notice.at))
        .from(sender.0.clone())
        .to(Mailbox::new(None, to))
        .subject(notice.subject())
        .header(AutoSubmitted)
        // A part, not a bare body: only this way lettre writes MIME-Version, without which a
        // reader need not decode the text.
        .singlepart(SinglePart::plain(text))
        // What is left is a missing sender or recipient.
        .map_err(|_| Failure::Never(Reason::Address))?;
    Ok((message, id))
}

/// Keeps holiday answers away (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

impl Folder {
    async fn send(&self, notice: &Notice) -> Result<(), Failure> {
        let (message, id) = message(&self.sender, notice)?;
        let written = write_whole(&self.folder, &id, &message.formatted()).await;
        written.map_err(|error| Failure::Later(Reason::Folder(error.kind())))
    }
}

/// Writes under another name first: whoever watches the folder sees whole mails only.
async fn write_whole(folder: &Path, id: &str, bytes: &[u8]) -> std::io::Result<()> {
    let part = folder.join(format!(".{id}.part"));
    let mut file = tokio::fs::File::create(&part).await?;
    file.write_all(bytes).await?;
    file.sync_all().await?;
    tokio::fs::rename(part, folder.join(format!("{id}.eml"))).await
}

impl Smtp {
    async fn send(&self, notice: &Notice) -> Result<(), Failure> {
        let (message, _) = message(&self.sender, notice)?;
        let deadline = self.settings.deadline;
        match timeout(deadline, self.deliver(&message)).await {
            Ok(result) => result,
            // The connection was dropped with the future and is not kept.
            Err(_) => Err(Failure::Later(Reason::TooSlow(deadline.as_secs()))),
        }
    }

    async fn examine(&self) -> Result<(), Reason> {
        let deadline = self.settings.deadline;
        let connected = timeout(deadline, self.connect()).await;
        let connected = connected.map_err(|_| Reason::TooSlow(deadline.as_secs()))?;
        let mut connection = connected.map_err(|error| before_mail(&error))?;
        let _in_good_order = timeout(ALIVE, connection.quit()).await;
        Ok(())
    }

    async fn deliver(&self, message: &Message) -> Result<(), Failure> {
        let mut connection = match self.idle_connection().await {
            Some(connection) => connection,
            // Until the mail itself is spoken of, no refusal is the recipient's: a wrong password
            // must not tell every desk that its address is dead.
            None => self.connect().await.map_err(|error| Failure::Later(before_mail(&error)))?,
        };
        connection.send(message.envelope(), &message.formatted()).await.map_err(|error| of_mail(&error))?;
        let mut idle = self.idle();
        if idle.len() < KEPT {
            idle.push(connection);
        }
        Ok(())
    }

    fn idle(&self) -> MutexGuard<'_, Vec<AsyncSmtpConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A kept connection that still answers.
    async fn idle_connection(&self) -> Option<AsyncSmtpConnection> {
        loop {
            let mut connection = self.idle().pop()?;
            if timeout(ALIVE, connection.test_connected()).await == Ok(true) {
                return Some(connection);
            }
        }
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Error> {
        let SmtpSettings { host, port, protection, account, deadline, .. } = &self.settings;
        let usual = match protection {
            Protection::StartTls => 587,
            Protection::Tls => 465,
            Protection::Plain => 25,
        };
        // Our mail domain, not the machine's name: that would go into every mail's trace.
        let hello = ClientId::Domain(self.sender.domain().to_owned());
        let at_once = if *protection == Protection::Tls { self.tls.clone() } else { None };
        let server = (host.as_str(), port.unwrap_or(usual));
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(server, Some(*deadline), &hello, at_once, None).await?;
        if let (Protection::StartTls, Some(tls)) = (protection, &self.tls) {
            // Fails if the server does not offer it.
            connection.starttls(tls.clone(), &hello).await?;
        }
        if let Some((user, password)) = account {
            let credentials = Credentials::new(user.clone(), password.clone());
            connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await?;
        }
        Ok(connection)
    }
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Smtp").field("settings", &self.settings).finish_non_exhaustive()
    }
}

fn code(error: &Error) -> Option<u16> {
    error.status().and_then(|code| code.to_string().parse().ok())
}

/// Reply codes that speak of signing in (RFC 4954): the hub's own trouble at any moment.
const SIGN_IN: [u16; 5] = [454, 530, 534, 535, 538];

fn before_mail(error: &Error) -> Reason {
    match code(error) {
        Some(code) if SIGN_IN.contains(&code) => Reason::SignIn(code),
        Some(code) => Reason::Refused(code),
        None => Reason::Unreachable,
    }
}

fn of_mail(error: &Error) -> Failure {
    match code(error) {
        Some(code) if SIGN_IN.contains(&code) => Failure::Later(Reason::SignIn(code)),
        // 421 ends the connection and says nothing of the mail; it is a 4xx like the others.
        Some(code) if error.is_permanent() => Failure::Never(Reason::Refused(code)),
        Some(code) => Failure::Later(Reason::Refused(code)),
        // An address beyond ASCII and a server without SMTPUTF8.
        None if error.is_client() => Failure::Never(Reason::Unable),
        None => Failure::Later(Reason::Broken),
    }
}

fn is_here(host: &str) -> bool {
    match host.trim_matches(['[', ']']).parse::<std::net::IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host == "localhost",
    }
}

fn tls(settings: &SmtpSettings) -> Result<TlsParameters, BadSettings> {
    let mut builder = TlsParameters::builder(settings.host.clone());
    if let Some(pem) = &settings.private_ca {
        let authority = Certificate::from_pem(pem.as_bytes()).map_err(|_| BadSettings::Authority)?;
        if !pem.contains("-----BEGIN CERTIFICATE-----") {
            return Err(BadSettings::Authority);
        }
        builder = builder.certificate_store(CertificateStore::None).add_root_certificate(authority);
    }
    builder.build().map_err(|error| BadSettings::Tls(error.to_string()))
}

#[cfg(test)]
mod tests {
    use lettre::Address;
    use proptest::prelude::*;

    use crate::domain::mail_address::MailAddress;

    proptest! {
        /// An address taken at the door must not fail when the mail is built, hours later, with nobody there to mend it.
        #[test]
        fn whatever_address_is_taken_a_mail_can_be_written_to(
            text in "[a-zA-Z0-9!#.'+_~-]{1,66}@[a-zA-Z0-9.-]{1,40}\\.[a-z0-9]{1,4}"
        ) {
            if let Ok(address) = text.parse::<MailAddress>() {
                prop_assert!(address.as_str().parse::<Address>().is_ok(), "{text}");
            }
        }
    }
}
