//! Mail, as it is written and as it is taken by a mail server.
//!
//! `HUB_TEST_SMTP` (`localhost:port`, STARTTLS), `HUB_TEST_SMTP_CA` and `HUB_TEST_MAILDIR` name a real
//! server as `scripts/servers` starts it. Where they are not set, the tests that need it say so and
//! pass. Refusals and silences are played by a small server of our own and always run.

#![allow(clippy::unwrap_used, reason = "what a test does not expect should end it")]

#[path = "mail_smtp/play.rs"]
mod play;
#[path = "mail_smtp/sent.rs"]
mod sent;

use std::{
    num::NonZeroU32,
    path::{Path, PathBuf},
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use play::{Play, sender, settings};
use sent::Mail;
use tokio::net::TcpListener;
use tsunagu::{
    clock::Clock,
    delivery::{
        Failure, Language, Notice, NoticeKind, Reason,
        email::{self, Mailer, Protection, Sender, SmtpSettings},
    },
};

fn setting(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "a test is told where its servers are")]
    let value = std::env::var(name).ok();
    if value.is_none() {
        eprintln!("SKIPPED: {name} is not set");
    }
    value
}

fn notice(to: &str, language: Language) -> Notice {
    Notice {
        to: to.to_owned(),
        kind: NoticeKind::Waiting { count: NonZeroU32::new(12).unwrap() },
        language,
        reference: Some("7K3M-Q9XD".to_owned()),
        hub_address: "https://hub.example".to_owned(),
        message_id: Clock::System.new_id(),
        at: "2026-11-30T00:00:00Z".parse::<Timestamp>().unwrap(),
    }
}

async fn into_folder(notice: &Notice) -> (Result<(), Failure>, Vec<(String, Vec<u8>)>) {
    let folder = tempfile::tempdir().unwrap();
    let mailer = Mailer::folder(sender(), folder.path().to_owned());
    let result = mailer.send(notice).await;
    let files = std::fs::read_dir(folder.path()).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(path).unwrap())
    });
    let files = files.collect();
    (result, files)
}

#[tokio::test]
async fn a_mail_is_written_as_promised_in_both_languages() {
    for (language, subject) in [
        (Language::Japanese, "【つなぐ】新着のお知らせ"),
        (Language::English, "[tsunagu] Something is waiting"),
    ] {
        let notice = notice("madoguchi@hoken.example", language);
        let (result, files) = into_folder(&notice).await;
        assert_eq!(result, Ok(()));
        let [(name, bytes)] = files.as_slice() else { panic!("{} files", files.len()) };
        assert_eq!(*name, format!("{}@mail.hub.example.eml", notice.message_id));
        let mail = Mail::parse(bytes);
        assert_eq!(mail.all("subject"), [subject]);
        assert_eq!(mail.all("to"), ["madoguchi@hoken.example"]);
        assert_eq!(mail.all("from"), ["つなぐ <no-reply@mail.hub.example>"]);
        assert_eq!(mail.all("message-id"), [format!("<{}@mail.hub.example>", notice.message_id)]);
        assert_eq!(mail.all("date"), ["Mon, 30 Nov 2026 00:00:00 +0000"]);
        assert_eq!(mail.all("auto-submitted"), ["auto-generated"]);
        assert_eq!(mail.all("content-type"), ["text/plain; charset=utf-8"]);
        assert_eq!(mail.all("mime-version"), ["1.0"]);
        assert_eq!(mail.headers.len(), 9, "{:?}", mail.headers);
        assert_eq!(mail.body.trim_end(), notice.text().unwrap().trim_end());
    }
}

#[tokio::test]
async fn the_same_job_writes_the_same_bytes_again() {
    let notice = notice("madoguchi@hoken.example", Language::Japanese);
    assert_eq!(into_folder(&notice).await, into_folder(&notice).await);
}

#[tokio::test]
async fn nothing_can_be_brought_into_the_header() {
    for to in [
        "a@b.example\r\nBcc: c@d.example",
        "a@b.example\nSubject: x",
        "a@b.example, c@d.example",
        "a@b.example;c@d.example",
        "\"a\r\nBcc: c@d.example\"@b.example",
        "\"a b\"@c.example",
        "名前 <a@b.example>",
        "a@b.example>\r\nRCPT TO:<c@d.example",
        "a@b.example\0",
        "@b.example",
        "",
    ] {
        let (result, files) = into_folder(&notice(to, Language::English)).await;
        assert_eq!(result, Err(Failure::Never(Reason::Address)), "{to:?}");
        assert!(files.is_empty());
    }
    for from in
        ["つなぐ <a@b.example>\r\nBcc: c@d.example", "a@b.example\nX: y", "a@山田.example", "a", "a@b/../c"]
    {
        assert!(Sender::parse(from).is_err(), "{from:?}");
    }
}

#[tokio::test]
async fn a_folder_that_is_not_there_may_come_back() {
    let mailer = Mailer::folder(sender(), PathBuf::from("/nonexistent/mail"));
    let result = mailer.send(&notice("a@b.example", Language::English)).await;
    assert_eq!(result, Err(Failure::Later(Reason::Folder(std::io::ErrorKind::NotFound))));
}

#[tokio::test]
async fn what_a_server_answers_decides_whether_to_try_again() {
    let later = |reason| Err(Failure::Later(reason));
    type Script = &'static [(&'static str, &'static str)];
    let cases: [(Script, Result<(), Failure>); 13] = [
        (&[], Ok(())),
        (&[("RCPT", "450 busy")], later(Reason::Refused(450))),
        (&[("RCPT", "550 no such mailbox")], Err(Failure::Never(Reason::Refused(550)))),
        (&[("MAIL", "451 try later")], later(Reason::Refused(451))),
        (&[("DATA", "554 no")], Err(Failure::Never(Reason::Refused(554)))),
        (&[("DOT", "552 too big")], Err(Failure::Never(Reason::Refused(552)))),
        (&[("DOT", "421 going down")], later(Reason::Refused(421))),
        (&[("DOT", "drop")], later(Reason::Broken)),
        // Before the mail is spoken of, nothing is the recipient's fault.
        (&[("GREETING", "554 not you")], later(Reason::Refused(554))),
        (&[("EHLO", "550 no")], later(Reason::Refused(550))),
        (&[("MAIL", "530 sign in first")], later(Reason::SignIn(530))),
        (&[("GREETING", "drop")], later(Reason::Unreachable)),
        (&[("GREETING", "nonsense")], later(Reason::Unreachable)),
    ];
    for (answers, expected) in cases {
        let mailer = Play::answering(answers).mailer(|_| {}).await;
        let result = mailer.send(&notice("madoguchi@hoken.example", Language::Japanese)).await;
        assert_eq!(result, expected, "{answers:?}");
        let said = format!("{result:?}");
        assert!(!said.contains("madoguchi"), "{said}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_not_told_of_the_recipient() {
    let account = |settings: &mut SmtpSettings| settings.account = Some(("hub".into(), "hunter2".into()));
    let play = Play::answering(&[("AUTH", "535 wrong")]);
    let mailer = play.mailer(account).await;
    let result = mailer.send(&notice("a@b.example", Language::English)).await;
    assert_eq!(result, Err(Failure::Later(Reason::SignIn(535))));
    assert!(!format!("{mailer:?}").contains("hunter2"));
    let mailer = Play::default().mailer(account).await;
    assert_eq!(mailer.send(&notice("a@b.example", Language::English)).await, Ok(()));
}

#[tokio::test]
async fn a_server_that_falls_silent_is_left_at_the_deadline() {
    for verb in ["GREETING", "EHLO", "RCPT", "DATA", "DOT"] {
        let mailer = Play::answering(&[(verb, "hang")]).mailer(|_| {}).await;
        let began = Instant::now();
        let result = mailer.send(&notice("a@b.example", Language::English)).await;
        assert_eq!(result, Err(Failure::Later(Reason::TooSlow(2))), "{verb}");
        assert!(began.elapsed() < Duration::from_secs(4), "{verb}");
    }
}

#[tokio::test]
async fn connections_are_kept_and_one_given_up_is_not() {
    let play = Play::default();
    let mailer = play.mailer(|_| {}).await;
    for _ in 0..5 {
        assert_eq!(mailer.send(&notice("a@b.example", Language::English)).await, Ok(()));
    }
    assert_eq!(play.connections.load(Ordering::SeqCst), 1);
    assert_eq!(play.mails.load(Ordering::SeqCst), 5);

    // Given up in the middle: were the connection kept, the next mail would read its answers.
    for micros in [100, 500, 1000, 2000] {
        let late = notice("late@b.example", Language::English);
        let _given_up = tokio::time::timeout(Duration::from_micros(micros), mailer.send(&late)).await;
        let before = play.mails.load(Ordering::SeqCst);
        assert_eq!(mailer.send(&notice("a@b.example", Language::English)).await, Ok(()));
        assert!(play.mails.load(Ordering::SeqCst) > before);
    }
}

#[tokio::test]
async fn a_refused_connection_is_tried_again() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let mailer = Mailer::smtp(sender(), settings(free)).unwrap();
    let result = mailer.send(&notice("a@b.example", Language::English)).await;
    assert_eq!(result, Err(Failure::Later(Reason::Unreachable)));
}

#[tokio::test]
async fn without_starttls_neither_password_nor_mail_is_sent() {
    let play = Play::default();
    let mailer = play
        .mailer(|settings| {
            settings.protection = Protection::StartTls;
            settings.account = Some(("hub".to_owned(), "hunter2".to_owned()));
        })
        .await;
    let result = mailer.send(&notice("a@b.example", Language::English)).await;
    assert_eq!(result, Err(Failure::Later(Reason::Unreachable)));
    assert_eq!(play.mails.load(Ordering::SeqCst), 0);
}

#[test]
fn settings_that_would_leak_are_refused() {
    for host in ["mail.example", "10.0.0.25", "localhost.example"] {
        let settings = SmtpSettings { host: host.to_owned(), ..settings(25) };
        assert_eq!(Mailer::smtp(sender(), settings).unwrap_err(), email::BadSettings::Unencrypted, "{host}");
    }
    let settings = SmtpSettings {
        protection: Protection::StartTls,
        private_ca: Some("no certificate".to_owned()),
        account: Some(("hub".to_owned(), "hunter2".to_owned())),
        ..settings(25)
    };
    assert!(!format!("{settings:?}").contains("hunter2"));
    assert_eq!(Mailer::smtp(sender(), settings).unwrap_err(), email::BadSettings::Authority);
}

/// A mailer for the real server, and where the server keeps what it takes.
fn real() -> Option<(SmtpSettings, PathBuf)> {
    let address = setting("HUB_TEST_SMTP")?;
    let (ca, folder) = (setting("HUB_TEST_SMTP_CA")?, setting("HUB_TEST_MAILDIR")?);
    let (host, port) = address.rsplit_once(':').unwrap();
    let settings = SmtpSettings {
        host: host.to_owned(),
        port: Some(port.parse().unwrap()),
        protection: Protection::StartTls,
        private_ca: Some(std::fs::read_to_string(ca).unwrap()),
        account: None,
        deadline: email::DEADLINE,
    };
    Some((settings, folder.into()))
}

/// The mails with this message id that the real server has taken, with their envelopes.
fn taken(folder: &Path, id: &str) -> Vec<(Mail, serde_json::Value)> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files
        .filter(|path| path.extension().is_some_and(|extension| extension == "eml"))
        .map(|path| (std::fs::read(&path).unwrap(), path.with_extension("json")))
        .filter(|(mail, _)| String::from_utf8_lossy(mail).contains(id))
        .map(|(mail, facts)| {
            (Mail::parse(&mail), serde_json::from_slice(&std::fs::read(facts).unwrap()).unwrap())
        })
        .collect()
}

#[tokio::test]
async fn a_real_server_takes_the_mail_over_tls_for_one_recipient() {
    let Some((settings, folder)) = real() else { return };
    let mailer = Mailer::smtp(sender(), settings).unwrap();
    let urgent = Notice { kind: NoticeKind::Urgent, ..notice("toban@jiso.example", Language::Japanese) };
    // Twice, as after an answer that was lost.
    assert_eq!(mailer.send(&urgent).await, Ok(()));
    assert_eq!(mailer.send(&urgent).await, Ok(()));
    let mails = taken(&folder, &urgent.message_id.to_string());
    assert_eq!(mails.len(), 2);
    for (mail, facts) in mails {
        assert_eq!(facts["to"], serde_json::json!(["toban@jiso.example"]));
        assert_eq!(facts["from"], "no-reply@mail.hub.example");
        assert_eq!(facts["tls"], true);
        assert_eq!(facts["helo"], "mail.hub.example");
        assert_eq!(mail.all("subject"), ["【至急】受理をお願いします"]);
        assert_eq!(mail.all("to"), ["toban@jiso.example"]);
        assert_eq!(mail.all("message-id"), [format!("<{}@mail.hub.example>", urgent.message_id)]);
        assert_eq!(mail.body.trim_end(), urgent.text().unwrap().trim_end());
    }
}

#[tokio::test]
async fn a_real_server_refuses_for_now_and_for_good() {
    let Some((settings, _)) = real() else { return };
    let mailer = Mailer::smtp(sender(), settings).unwrap();
    let result = mailer.send(&notice("later@hoken.example", Language::English)).await;
    assert_eq!(result, Err(Failure::Later(Reason::Refused(450))));
    let result = mailer.send(&notice("gone@hoken.example", Language::English)).await;
    assert_eq!(result, Err(Failure::Never(Reason::Refused(550))));
    // A refusal is no fault of the mailer.
    assert_eq!(mailer.send(&notice("madoguchi@hoken.example", Language::English)).await, Ok(()));
}

#[tokio::test]
async fn an_authority_that_is_not_known_is_not_trusted() {
    let Some((mut settings, folder)) = real() else { return };
    settings.private_ca = None;
    let stranger = notice("a@b.example", Language::English);
    // Where the machine trusts nobody at all, TLS can't even be set up.
    if let Ok(mailer) = Mailer::smtp(sender(), settings) {
        assert_eq!(mailer.send(&stranger).await, Err(Failure::Later(Reason::Unreachable)));
    }
    assert!(taken(&folder, &stranger.message_id.to_string()).is_empty());
}
