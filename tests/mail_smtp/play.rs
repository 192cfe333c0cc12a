//! A mail server that does what a test needs: refuses, breaks off, falls silent.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};
use tsunagu::delivery::email::{Mailer, Protection, Sender, SmtpSettings};

pub fn sender() -> Sender {
    Sender::parse("つなぐ <no-reply@mail.hub.example>").unwrap()
}

pub fn settings(port: u16) -> SmtpSettings {
    SmtpSettings {
        host: "127.0.0.1".to_owned(),
        port: Some(port),
        protection: Protection::Plain,
        private_ca: None,
        account: None,
        deadline: Duration::from_secs(2),
    }
}

/// A mail server that follows a script: what it answers to each verb instead of saying yes.
#[derive(Clone, Default)]
pub struct Play {
    answers: Vec<(&'static str, &'static str)>,
    pub connections: Arc<AtomicUsize>,
    pub mails: Arc<AtomicUsize>,
}

impl Play {
    pub fn answering(answers: &[(&'static str, &'static str)]) -> Self {
        Self { answers: answers.to_vec(), ..Self::default() }
    }

    /// Starts the server and makes a mailer for it.
    pub async fn mailer(&self, change: impl FnOnce(&mut SmtpSettings)) -> Mailer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut settings = settings(listener.local_addr().unwrap().port());
        let play = self.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                play.connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(play.clone().serve(socket));
            }
        });
        change(&mut settings);
        Mailer::smtp(sender(), settings).unwrap()
    }

    fn answer(&self, verb: &str, usual: &'static str) -> &'static str {
        self.answers.iter().find(|(known, _)| *known == verb).map_or(usual, |(_, answer)| *answer)
    }

    /// Speaks until the script says `drop` (close) or `hang` (say nothing more).
    async fn serve(self, socket: TcpStream) {
        let (read, mut write) = socket.into_split();
        let mut lines = BufReader::new(read).lines();
        let mut verb = "GREETING".to_owned();
        loop {
            let usual = match verb.as_str() {
                "GREETING" => "220 play",
                "EHLO" => "250-play\r\n250 AUTH PLAIN",
                "DATA" => "354 go on",
                "QUIT" => "221 bye",
                "AUTH" => "235 welcome",
                _ => "250 yes",
            };
            let answer = self.answer(&verb, usual);
            match answer {
                "drop" => return,
                "hang" => std::future::pending().await,
                answer => write.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap(),
            }
            if answer.starts_with("354") {
                while lines.next_line().await.unwrap().unwrap() != "." {}
                self.mails.fetch_add(1, Ordering::SeqCst);
                verb = "DOT".to_owned();
                continue;
            }
            let Ok(Some(line)) = lines.next_line().await else { return };
            verb = line.split([' ', ':']).next().unwrap().to_uppercase();
        }
    }
}
