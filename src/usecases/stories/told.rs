//! How agencies are told: the desk of the dispatcher beside the town, with a transport and a mail folder that can be
//! looked into.

use std::{sync::Arc, time::Duration};

use super::*;
use crate::{
    delivery::email::{Mailer, Sender},
    domain::doorbell::DoorbellKind,
    ledger::job::{JobRow, JobState},
    transport::{Body, Outcome, Reason, Ring, Transport, scripted::Scripted},
    usecases::{
        Broker,
        desk::Desk,
        dispatch::drain,
        job::Dispatched,
        subscribe::{set_amqp, set_mail},
        testing::hub_with,
    },
    vault::jwe::TestKey,
};

mod emergency;
mod mailed;
mod rung;
mod sealed;
mod swept;

const HOUR: Duration = Duration::from_secs(3600);
const ALL: &[&str] = &["identity", "contact", "needs", "narrative"];

/// A town whose hub has a broker.
struct Told {
    town: Town,
    desk: Desk,
    script: Scripted,
    mails: tempfile::TempDir,
}

impl Told {
    async fn new() -> Self {
        let town = Town::around(hub_with(Broker::Amqp).await).await;
        let (script, mails) = (Scripted::default(), tempfile::tempdir().unwrap());
        let sender = Sender::parse("つなぐ <no-reply@tsunagu.example>").unwrap();
        let mailer = Mailer::folder(sender, mails.path().to_owned());
        let desk = Desk::new(Transport::Scripted(script.clone()), mailer, []);
        Self { town, desk, script, mails }
    }

    async fn nursery(&self) -> (Caller, StaffId) {
        self.town.party(AgencyKind::Nursery, StaffRole::AgencyStaff).await
    }

    /// A nursery that asked for this over AMQP.
    async fn subscriber(&self, wish: Value) -> (Caller, StaffId) {
        let party = self.nursery().await;
        set_amqp(&self.town.hub, &party.0, &wish).await.unwrap();
        self.drain().await;
        party
    }

    /// Introduces a family to an agency; gives back the ids of the delivery and of the leg.
    async fn introduce(&self, to: &Caller) -> (String, String) {
        let consent = self.town.consent(&[to], ALL).await;
        let answer = self.town.submit(self.town.introduction(&[to], consent)).await.unwrap();
        (id(&answer, "/legs/0/delivery"), id(&answer, "/legs/0/id"))
    }

    async fn drain(&self) -> Dispatched {
        drain(&self.town.hub, &self.desk).await.unwrap()
    }

    fn wait(&self, how_long: Duration) {
        self.town.hub.clock.advance(how_long);
    }

    /// The one job about a delivery or leg.
    async fn job(&self, subject: &str) -> JobRow {
        let mut jobs = self.town.hub.ledger.jobs_about(subject).await.unwrap();
        assert_eq!(jobs.len(), 1, "{:?}", jobs.iter().map(|job| job.kind).collect::<Vec<_>>());
        jobs.remove(0)
    }

    async fn stands(&self, subject: &str) -> (JobState, Option<String>) {
        let job = self.job(subject).await;
        (job.state, job.reason)
    }

    fn will(&self, outcomes: impl IntoIterator<Item = Outcome>) {
        self.script.script().outcomes.extend(outcomes);
    }

    /// Mails sent so far: subject and text, decoded, oldest name first.
    fn mails(&self) -> Vec<Mail> {
        let mut files: Vec<_> =
            std::fs::read_dir(self.mails.path()).unwrap().map(|f| f.unwrap().path()).collect();
        files.sort();
        files.iter().map(|file| Mail::read(&std::fs::read_to_string(file).unwrap())).collect()
    }
}

/// A mail as it was written into the folder.
#[derive(Debug)]
struct Mail {
    raw: String,
    text: String,
}

impl Mail {
    fn read(raw: &str) -> Self {
        let (headers, body) = raw.split_once("\r\n\r\n").unwrap();
        let text = match headers.contains("Content-Transfer-Encoding: base64") {
            true => base64(&body.replace("\r\n", "")),
            false => body.to_owned(),
        };
        Self { raw: raw.to_owned(), text }
    }

    /// The decoded subject.
    fn subject(&self) -> String {
        let start = self.raw.split("Subject: ").nth(1).unwrap();
        let end = start.find("\r\n").into_iter().chain(start.match_indices("\r\n").map(|(at, _)| at));
        let end = end.filter(|at| !start[at + 2..].starts_with(' ')).min().unwrap();
        let words = start[..end].replace("\r\n ", " ");
        words
            .split(' ')
            .map(|word| base64(word.trim_start_matches("=?utf-8?b?").trim_end_matches("?=")))
            .collect()
    }
}

/// Base 64 to text, written out: the crate's decoder is the vault's.
fn base64(text: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut held, mut bytes) = (0u32, 0, Vec::new());
    for digit in text.bytes().filter(|byte| *byte != b'=') {
        let value = ALPHABET.iter().position(|known| *known == digit).unwrap();
        (bits, held) = (bits << 6 | value as u32, held + 6);
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    String::from_utf8(bytes).unwrap()
}

fn doorbells(rings: &[Ring]) -> Vec<(DoorbellKind, String)> {
    rings.iter().map(|ring| (ring.doorbell.kind, ring.doorbell.subject.to_string())).collect()
}

fn done(reason: &str) -> (JobState, Option<String>) {
    (JobState::Done, Some(reason.to_owned()))
}
