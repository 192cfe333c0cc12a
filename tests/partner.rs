//! The example of an agency's own program (`examples/partner.py`) against a clustered hub: it takes a doorbell,
//! fetches or opens what is sealed, checks every field, acknowledges, and answers.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is the point")]

mod support;

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use serde_json::{Value, json};
use support::{
    cast::Cast,
    ending, servers,
    town::{Agency, Engine, Town},
};

/// The program, run for one agency and one member of its staff.
struct Partner {
    python: PathBuf,
    arguments: Vec<String>,
    secret: String,
}

/// How a run of it ended.
struct Run {
    code: Option<i32>,
    lines: Vec<Value>,
    complaint: String,
}

impl Partner {
    fn new(town: &Town, python: &Path, agency: &Agency, staff: &str) -> Self {
        let arguments = ["--hub", &town.url(""), "--agency", &agency.id, "--staff", staff].map(str::to_owned);
        Self { python: python.to_owned(), arguments: arguments.to_vec(), secret: agency.secret.clone() }
    }

    async fn run(&self, arguments: &[&str]) -> Run {
        let mut command = Command::new(&self.python);
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/partner.py"));
        command.args(&self.arguments).args(arguments).env("TSUNAGU_SECRET", &self.secret);
        let out = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let said = String::from_utf8(out.stdout).unwrap();
        let lines = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        Run { code: out.status.code(), lines, complaint: String::from_utf8(out.stderr).unwrap() }
    }
}

impl Run {
    /// What it did, if it did it well and told nothing of the family.
    #[track_caller]
    fn events(&self) -> Vec<&str> {
        assert_eq!(self.code, Some(0), "{:?} {}", self.lines, self.complaint);
        let said = format!("{:?}{}", self.lines, self.complaint);
        assert!(!["山辺", "澪", "045-000-0000"].iter().any(|hidden| said.contains(hidden)), "{said}");
        self.lines.iter().map(|line| line["event"].as_str().unwrap()).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clustered_deliveries_are_taken_by_doorbell_checked_and_answered() {
    let Some(python) = servers::python() else { return };
    let Some(mut town) = Town::on(Engine::Clustered).await else { return };
    let cast = Cast::of(&town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    nursery.put("/v1/subscriptions/amqp", &json!({"mode": "doorbell"})).await.good();
    let amqp = town.vhost().unwrap().agency_user(&nursery.id);
    let partner = Partner::new(&town, &python, nursery, clerk);
    let kept = town.folder().join("kept");
    let seen = town.folder().join("seen");
    let take = |more: &[&'static str]| {
        let fixed =
            ["take", "--amqp", &amqp, "--out", kept.to_str().unwrap(), "--seen", seen.to_str().unwrap()];
        fixed
            .into_iter()
            .map(str::to_owned)
            .chain(more.iter().map(|one| (*one).to_owned()))
            .collect::<Vec<_>>()
    };
    let run = async |more: &[&'static str]| {
        let arguments = take(more);
        partner.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).await
    };

    let (accepted, delivery) = cast.send_nursery(&town).await;
    let said = run(&["--answer", "accept"]).await;
    assert_eq!(said.events(), ["doorbell", "fetched", "acknowledged", "answered"]);
    assert_eq!((&said.lines[0]["delivery"], &said.lines[0]["sealed"]), (&json!(delivery), &json!(false)));
    assert!(said.lines[1]["fields_verified"].as_u64().unwrap() >= 4, "{:?}", said.lines);
    let document = std::fs::read_to_string(kept.join(format!("{delivery}.json"))).unwrap();
    assert!(
        document.contains("澪") && !document.contains("詳しい経過"),
        "masked, and readable to the agency"
    );
    assert_eq!(site.ladder(&accepted).await, ["R0", "R1", "R2", "R3", "R4"]);

    let (declined, _) = cast.send_nursery(&town).await;
    let said = run(&["--answer", "decline", "--reason", "CAPACITY"]).await;
    assert_eq!(said.events(), ["doorbell", "fetched", "acknowledged", "answered"]);
    let answer = &site.leg(&declined).await["answer"];
    assert_eq!((&answer["reason"], &answer["action"]), (&json!("CAPACITY"), &json!("decline")));

    // A copy that was acknowledged, written about, opened and answered is fetched again: events stand between
    // its receipts, and nothing is answered twice.
    let (noted, copy) = cast.send_nursery(&town).await;
    // Nobody is rung for what was taken before the hub got to it.
    ending::everybody_is_told_within(Duration::from_secs(20), town.config.ledger.url.expose()).await;
    nursery.ack(&copy).await.good();
    site.act(&noted, "note", &json!({"by": writer, "note": "午後に電話します"})).await.good();
    assert_eq!(partner.run(&["fetch", &copy]).await.events(), ["fetched", "acknowledged"]);
    nursery.act(&noted, "accept", &json!({"by": clerk})).await.good();
    nursery.act(&noted, "complete", &json!({"by": clerk, "outcome": "BOOKED"})).await.good();
    let said = run(&["--answer", "accept"]).await;
    let events: Vec<&str> = said.events().into_iter().filter(|event| *event != "changed").collect();
    assert_eq!(events, ["doorbell", "fetched", "acknowledged", "not to be answered"]);
    assert_eq!(site.leg(&noted).await["state"], "completed");

    let nothing = run(&["--timeout", "1"]).await;
    assert_eq!((nothing.code, &nothing.lines.last().unwrap()["event"]), (Some(4), &json!("nothing")));
    let foreign = Partner::new(&town, &python, &cast.family, &cast.carer).run(&["fetch", &copy]).await;
    assert_eq!(foreign.code, Some(1), "{}", foreign.complaint);
    assert!(foreign.complaint.contains("404"), "{}", foreign.complaint);
    ending::holds(&town, &cast.everybody()).await;
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clustered_documents_sealed_for_the_agencys_key_are_opened_with_it_alone() {
    let Some(python) = servers::python() else { return };
    let Some(mut town) = Town::on(Engine::Clustered).await else { return };
    let cast = Cast::of(&town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    let amqp = town.vhost().unwrap().agency_user(&nursery.id);
    let partner = Partner::new(&town, &python, nursery, clerk);
    let files: Vec<String> =
        ["own.jwk", "other.jwk"].iter().map(|name| town.folder().join(name).display().to_string()).collect();
    let own = partner.run(&["new-key", "--key", &files[0]]).await.lines.remove(0);
    assert!(own.get("d").is_none(), "the private half stays here");
    partner.run(&["new-key", "--key", &files[1]]).await;
    let put = nursery.put("/v1/subscriptions/amqp", &json!({"mode": "sealed", "jwk": own})).await.value();
    assert_eq!(put["queue"], format!("sealed.{}.v1", nursery.id));

    let (leg, delivery) = cast.send_nursery(&town).await;
    ending::everybody_is_told(town.config.ledger.url.expose()).await;
    // Published is not taken: only the recipient's own word makes an R2. But it cannot be called back any more.
    assert_eq!(site.ladder(&leg).await, ["R0", "R1"]);
    let wrong = partner.run(&["take", "--amqp", &amqp, "--key", &files[1]]).await;
    assert_eq!(wrong.code, Some(3), "{:?} {}", wrong.lines, wrong.complaint);
    assert_eq!(site.ladder(&leg).await, ["R0", "R1"]);

    let (second, copy) = cast.send_nursery(&town).await;
    let said = partner.run(&["take", "--amqp", &amqp, "--key", &files[0], "--answer", "accept"]).await;
    assert_eq!(said.events(), ["doorbell", "unsealed", "acknowledged", "answered"]);
    assert_eq!(
        (&said.lines[0]["sealed"], &said.lines[0]["delivery"], &said.lines[1]["leg"]),
        (&json!(true), &json!(copy), &json!(second))
    );
    assert_eq!(
        site.ladder(&second).await,
        ["R0", "R1", "R2", "R4"],
        "taken and answered; nobody opened it here"
    );

    let gone = site.act(&leg, "cancel", &json!({"by": writer})).await.value();
    assert_eq!(gone["state"], "cancel_requested", "a copy that is out is not taken back, only asked back");
    assert_eq!(nursery.inbox("waiting").await[0]["delivery"], delivery.as_str());
    ending::holds(&town, &cast.everybody()).await;
    town.stop().await;
}
