//! How mail leaves this hub, as it is configured.

use super::opening::{StartError, private_folder};
use crate::{
    config::{Config, MailTransport, SmtpTls},
    delivery::email::{DEADLINE, Mailer, Protection, Sender, SmtpSettings},
};

/// The configured mailer. Nothing is connected yet.
pub(super) fn mailer(config: &Config) -> Result<Mailer, StartError> {
    let mail = &config.mail;
    let sender = Sender::parse(&mail.from)?;
    match mail.transport {
        MailTransport::None => Ok(Mailer::Silent),
        MailTransport::Folder => {
            let folder = config.hub.data.join("mail");
            private_folder(&folder)?;
            Ok(Mailer::folder(sender, folder))
        }
        MailTransport::Smtp => {
            let account = (mail.smtp_username.clone(), mail.smtp_password.expose().to_owned());
            let settings = SmtpSettings {
                host: mail.smtp_host.clone(),
                port: Some(mail.smtp_port),
                protection: match mail.smtp_tls {
                    SmtpTls::StartTls => Protection::StartTls,
                    SmtpTls::Implicit => Protection::Tls,
                    SmtpTls::Plain => Protection::Plain,
                },
                private_ca: mail.authority()?,
                account: Some(account).filter(|(user, _)| !user.is_empty()),
                deadline: DEADLINE,
            };
            Ok(Mailer::smtp(sender, settings)?)
        }
    }
}
