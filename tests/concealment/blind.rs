//! Blind deliveries, told as one story on both engines: a nursery of the city a family fled hands over to a recipient
//! that it never gets to know (domain.md 6, scenario 6; DC-147 and DC-148).

use std::time::Duration;

use serde_json::{Value, json};
use tsunagu::{clock::Clock, domain::agency::AgencyKind, web::Endpoint};

use crate::{
    asker::Asker,
    support::town::{Engine, Reply, TSURUMI, Town, fresh_key},
    words::Scanner,
};

/// Where the family lives now; no other agency of this story stands there.
const NEW_CITY: &str = "122076";
/// Where it fled from.
const OLD_CITY: &str = "011002";
const NAME: &str = "隠里架空園";
const NOBODY: &str = "0192f000-0000-4000-8000-00000000dead";
/// What the nursery calls the family; nobody else knows it by this.
const CASE: &str = "0192f000-0000-7000-8000-0000000000d1";
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Who takes part. The site keeps the family's consent; the stranger may not use what was given to the nursery.
struct Cast {
    site: Asker,
    nursery: Asker,
    stranger: Asker,
    recipient: Asker,
    /// An officer of the nursery, who sees its incidents.
    officer: String,
    consent: String,
}

impl Cast {
    async fn of(town: &Town) -> Self {
        let site = Asker::of(town, TSURUMI, AgencyKind::UserSupportBasic).await;
        let nursery = Asker::of(town, OLD_CITY, AgencyKind::Nursery).await;
        let stranger = Asker::of(town, OLD_CITY, AgencyKind::Nursery).await;
        let agency = town.agency_in(NEW_CITY, AgencyKind::Nursery, NAME).await;
        let staff = agency.hire("agency_staff").await;
        let recipient = Asker::at(agency, staff).await;
        let officer = nursery.agency.hire("privacy_officer").await;
        let mut paper =
            town.consent_paper(&site.staff, &[&recipient.agency], &["identity", "narrative", "address"]);
        paper["purpose"] = json!("IKAN");
        paper["sender"] = json!(nursery.agency.id);
        let consent = site.agency.record_consent(&paper).await.at("/id");
        Self { site, nursery, stranger, recipient, officer, consent }
    }

    /// An address for the nursery, as the site's answer.
    async fn give(&self, until: Option<&str>) -> Value {
        let mut paper =
            json!({"by": self.site.staff, "consent": self.consent, "recipient": self.recipient.agency.id});
        if let Some(until) = until {
            paper["until"] = json!(until);
        }
        self.site.agency.post("/v1/handovers", &paper).await.value()
    }

    fn paper(&self, by: &str, address: &str) -> Value {
        json!({
            "type": "IKAN", "urgency": "U1", "written_by": by, "case": CASE,
            "subjects": [{"ref": "child-1", "role": "child", "birth_date": "2023-05"}],
            "content": {
                "identity": [{"subject": "child-1", "name": {"family": "山辺", "given": "澪"}}],
                "narrative": [{"summary": "人見知りがある", "text": "詳しい経過"}],
            },
            "legs": [{
                "recipient": address, "basis": {"code": "CONSENT"}, "sections": ["identity", "narrative"],
                "requested_action": "引継ぎ",
            }],
        })
    }

    /// Whatever is wrong with an address, the answer is that of one that never was.
    async fn refused_alike(&self, town: &Town) {
        let by = &self.nursery.staff;
        let unknown = self.nursery.agency.submit(&self.paper(by, NOBODY)).await;
        assert_eq!(unknown.problem(), "schema-violation");
        let alike = |reply: Reply, what: &str| {
            assert_eq!((reply.code(), reply.json()), (unknown.code(), unknown.json()), "{what}");
        };
        let short = self.give(Some(&town.time(30))).await;
        let (address, revoked) = (text(&short["address"]), self.give(None).await);
        let foreign = self.stranger.agency.submit(&self.paper(&self.stranger.staff, address)).await;
        alike(foreign, "given to somebody else");
        let path = format!("/v1/handovers/{}/revoke", text(&revoked["id"]));
        let by_site = json!({"by": self.site.staff});
        self.site.agency.post_at(1, &path, &by_site).await.good();
        assert_eq!(self.site.agency.post_at(2, &path, &by_site).await.problem(), "illegal-transition");
        alike(self.nursery.agency.submit(&self.paper(by, text(&revoked["address"]))).await, "revoked");
        town.advance(Duration::from_secs(1801));
        alike(self.nursery.agency.submit(&self.paper(by, address)).await, "its time is over");
        alike(self.nursery.agency.preview(&self.paper(by, address)).await, "looked at beforehand");
        // What is wrong with the paper itself is told to whom the address was given, and to nobody else.
        let given = text(&self.give(None).await["address"]).to_owned();
        for (name, value) in [
            ("/legs/0/basis", json!({"code": "CONSENT", "consent": self.consent})),
            ("/legs/0/basis", json!({"code": "PUB_69_2_3"})),
            ("/legs/0/sections", json!(["identity", "address"])),
            ("/legs/0/reply_by", json!(town.time(600))),
            ("/type", json!("SHOKAI")),
        ] {
            let (mut ours, mut theirs) = (self.paper(by, &given), self.paper(&self.stranger.staff, &given));
            for paper in [&mut ours, &mut theirs] {
                put(paper, name, value.clone());
            }
            let told = self.nursery.agency.submit(&ours).await.json();
            assert_eq!(told["errors"][0]["code"], "handover_address", "{name}: {told}");
            let told = self.stranger.agency.submit(&theirs).await.json();
            assert_eq!(told["errors"][0]["code"], "recipient_unknown", "{name}: {told}");
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

fn put(paper: &mut Value, pointer: &str, value: Value) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    paper.pointer_mut(parent).unwrap()[name] = value;
}

/// All that the nursery can get, but for what anybody reads in the public directory.
async fn all(asker: &Asker, ids: &[String]) -> Vec<(&'static str, String, Reply)> {
    let public = [Endpoint::Agencies, Endpoint::Agency, Endpoint::Services, Endpoint::Service];
    let answers = asker.everything(ids).await.into_iter();
    answers
        .filter(|(row, ..)| !public.contains(&row.endpoint))
        .map(|(row, path, reply)| (row.method, path, reply))
        .collect()
}

/// What is read, as far as it can change by what others do: what the nursery itself looked at is in its own record.
fn read(answers: &[(&'static str, String, Reply)]) -> Vec<(String, u16, String)> {
    let own_looks = |path: &str| path.contains("/accesses") || path.starts_with("/v1/audit");
    let reads = answers
        .iter()
        .filter(|(method, path, _)| *method == "GET" && path.starts_with("/v1/") && !own_looks(path));
    reads.map(|(_, path, reply)| (path.clone(), reply.code(), reply.text().to_owned())).collect()
}

/// Nothing the nursery gets names the recipient, its place, its staff, its ids or a moment at which it did something.
struct Silence {
    words: Vec<String>,
    ids: Vec<String>,
}

impl Silence {
    async fn holds(&self, asker: &Asker, when: &str) -> Vec<(&'static str, String, Reply)> {
        asker.sign_in().await;
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        let scanner = Scanner::new(&words);
        let answers = all(asker, &self.ids).await;
        for (method, path, reply) in &answers {
            scanner.assert_clean(&format!("{when}: {method} {path}"), &reply.body);
            for value in reply.headers.values() {
                scanner.assert_clean(&format!("{when}: a header of {method} {path}"), value.as_bytes());
            }
        }
        assert!(answers.len() > 150, "{} answers were looked through", answers.len());
        answers
    }

    fn clean(&self, what: &str, reply: &Reply) {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        Scanner::new(&words).assert_clean(what, &reply.body);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blind_delivery_tells_its_sender_that_it_arrived_and_nothing_else() {
    for engine in Engine::BOTH {
        let clock = Clock::fixed(Clock::System.now());
        let town = Town::with(engine, clock, |config| config.rules.sweep_seconds = 1).await;
        let Some(mut town) = town else { continue };
        let cast = Cast::of(&town).await;
        cast.refused_alike(&town).await;
        told(&town, &cast).await;
        town.stop().await;
    }
}

async fn told(town: &Town, cast: &Cast) {
    let Cast { nursery, recipient, site, .. } = cast;
    let given = cast.give(None).await;
    let (handover, address) = (text(&given["id"]).to_owned(), text(&given["address"]).to_owned());
    let paper = cast.paper(&nursery.staff, &address);
    let mut silence = Silence {
        words: vec![
            recipient.agency.id.clone(),
            recipient.staff.clone(),
            cast.consent.clone(),
            handover.clone(),
            NAME.to_owned(),
            format!("\"{NEW_CITY}\""),
        ],
        ids: Vec::new(),
    };
    let preview = nursery.agency.preview(&paper).await.good();
    silence.clean("the preview", &preview);
    assert_eq!(preview.json()["legs"][0]["document"]["recipient"], json!(address));
    let key = fresh_key();
    let sent = nursery.agency.submit_under(&key, &paper).await.good();
    silence.clean("the answer", &sent);
    assert_eq!(sent.json()["legs"].as_array().map(Vec::len), Some(1), "{}", sent.text());
    assert_eq!(nursery.agency.submit_under(&key, &paper).await.body, sent.body, "the same, for ever");
    assert_eq!(nursery.agency.submit(&paper).await.json()["errors"][0]["code"], "recipient_unknown", "used");
    let leg = sent.at("/legs/0/id");

    // The recipient opens it as it would any other, and is told who wrote it.
    let waiting = recipient.agency.inbox("waiting").await.remove(0);
    let (delivery, back) = (text(&waiting["delivery"]).to_owned(), text(&waiting["leg"]).to_owned());
    silence.words.extend([delivery.clone(), back.clone()]);
    silence.ids = [&cast.consent, &handover, &recipient.agency.id, &back, &delivery, &address]
        .map(String::clone)
        .to_vec();
    silence.ids.extend([sent.at("/id"), sent.at("/legs/0/delivery"), leg.clone()]);
    let before = silence.holds(nursery, "while it waits").await;
    town.advance(Duration::from_secs(3 * 3600 + 17 * 60 + 41));
    recipient.agency.ack(&delivery).await.good();
    town.advance(Duration::from_secs(2 * 3600 + 31 * 60 + 29));
    let opened = recipient.agency.open(&delivery, &recipient.staff).await.value();
    assert_eq!(opened["document"]["sender"], json!(nursery.agency.id));
    assert_eq!(opened["document"]["content"]["narrative"], json!([{"summary": "人見知りがある"}]));
    assert_eq!(recipient.agency.leg(&back).await["sender"], json!(nursery.agency.id));
    let able = recipient.agency.available(&back, &recipient.staff).await;
    assert!(able.contains(&"accept".to_owned()) && !able.contains(&"ask".to_owned()), "{able:?}");
    let question = json!({"by": recipient.staff, "question": "いつから通えますか"});
    assert_eq!(recipient.agency.act(&back, "ask", &question).await.problem(), "illegal-transition");
    let moments = recipient.agency.leg(&back).await["ladder"].clone();
    silence.words.extend(moments.as_array().unwrap()[2..].iter().map(|rung| text(&rung["at"]).to_owned()));
    let after = silence.holds(nursery, "once it was taken and opened").await;
    assert_eq!(read(&after), read(&before), "what the recipient does shows nowhere");

    // A week after the sending, counted from nothing else, the sender learns that it was taken.
    town.advance(7 * DAY);
    let shown = arrived(nursery, &leg).await;
    assert_eq!(nursery.agency.ladder(&leg).await, ["R0", "R1", "R2"]);
    assert_eq!(shown["available_actions"], json!(["recall"]));
    assert_eq!(recipient.agency.ladder(&back).await, ["R0", "R1", "R2", "R3"]);
    verified_by_others(town, nursery, &leg).await;
    let delivered = silence.holds(nursery, "once it is shown as delivered").await;
    seen_where_it_stands(&delivered, &address);

    // DC-148: whatever comes after that, a later look finds what stood there.
    town.advance(DAY + Duration::from_secs(7 * 3600 + 13));
    recipient.agency.act(&back, "accept", &json!({"by": recipient.staff})).await.good();
    recipient.agency.act(&back, "note", &json!({"by": recipient.staff, "note": NAME})).await.good();
    let seen = site.agency.get(&format!("/v1/handovers/{handover}")).await.value();
    assert_eq!((&seen["state"], &seen["sent"]["state"]), (&json!("delivered"), &json!("accepted")), "{seen}");
    let later = silence.holds(nursery, "once it was answered").await;
    assert_eq!(read(&later), read(&delivered), "a later look finds what stood there");

    recalled(cast, &silence, &leg, (back.as_str(), delivery.as_str())).await;
    let paths = ["/v1/handovers?limit=50", "/v1/provision-records?side=provided&format=csv"];
    for path in paths {
        let reply = nursery.agency.get(path).await.good();
        assert!(!path.contains("csv") || reply.text().contains("引継ぎ先は秘匿"), "{}", reply.text());
    }
}

/// The search would see a name: the address, which stands where the recipient would, is found by it in every output.
fn seen_where_it_stands(answers: &[(&'static str, String, Reply)], address: &str) {
    let scanner = Scanner::new(&[address]);
    for output in [
        "/v1/referrals",
        "/v1/referrals/",
        "/v1/legs?side=sender&state=received",
        "/v1/legs/",
        "/v1/receipts/",
        "/v1/provision-records?side=provided",
    ] {
        let found = |(_, path, reply): &&(&str, String, Reply)| {
            path.starts_with(output) && !scanner.find(&reply.body).is_empty()
        };
        assert!(answers.iter().any(|one| found(&one)), "the address does not stand in {output}");
    }
    let board = answers.iter().find(|(_, path, _)| path == "/board").unwrap();
    assert!(board.2.text().contains("引継ぎ先は秘匿"), "{}", board.2.text());
}

/// The sender's leg, once the hub's sweep has moved it.
async fn arrived(nursery: &Asker, leg: &str) -> Value {
    for _ in 0..200 {
        let view = nursery.agency.leg(leg).await;
        if view["state"] == "received" {
            return view;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the sender was never told");
}

/// A recall reaches the copy, tells the sender nothing of it, and counts as read.
async fn recalled(cast: &Cast, silence: &Silence, leg: &str, (back, delivery): (&str, &str)) {
    let Cast { site, nursery, recipient, .. } = cast;
    let recall = json!({"by": nursery.staff, "reason": "WRONG_CHILD"});
    let path = format!("/v1/legs/{leg}/actions/recall");
    let version = nursery.agency.leg(leg).await["version"].as_i64().unwrap();
    let rehearsed = nursery.agency.rehearse_at(version, &path, &recall).await.good();
    silence.clean("a recall that is tried out", &rehearsed);
    let done = nursery.agency.act(leg, "recall", &recall).await.good();
    silence.clean("a recall", &done);
    assert_eq!(
        (&done.json()["never_opened"], &done.json()["incident"]["exposure"]),
        (&json!(false), &json!("blind"))
    );
    let report = format!("/v1/incidents/{}/report", text(&done.json()["incident"]["id"]));
    let request = nursery.agency.request("GET", &report).await.header("tsunagu-staff", &cast.officer);
    let report = nursery.agency.send(request).await.good();
    silence.clean("the draft of a report", &report);
    assert!(report.text().contains("読まれたものとして扱う"), "{}", report.text());
    assert_eq!(recipient.agency.open(delivery, &recipient.staff).await.problem(), "opening-refused");
    assert_eq!(recipient.agency.leg(back).await["disposal"]["cause"], "recall");
    let disposal = json!({"by": recipient.staff, "disposal": "destroyed"});
    recipient.agency.act(back, "confirm_disposal", &disposal).await.good();
    assert_eq!(site.agency.get("/v1/handovers").await.value()["items"][0]["state"], "delivered");
    silence.holds(nursery, "once it was recalled and destroyed").await;
}

/// The sender's receipts verify with the program and with the script that shares no code with it.
async fn verified_by_others(town: &Town, nursery: &Asker, leg: &str) {
    let evidence = nursery.agency.evidence(leg).await;
    let (receipts, manifests) = (town.folder().join("receipts"), town.folder().join("manifests"));
    let keys = town.folder().join("jwks.json");
    std::fs::write(&keys, town.jwks().await.to_string()).unwrap();
    let signed = evidence["receipts"].as_array().unwrap().iter().map(|one| text(&one["jws"]));
    for (folder, texts) in [
        (&receipts, signed.chain([text(&evidence["sender_copy"])]).collect::<Vec<_>>()),
        (&manifests, vec![text(&evidence["manifest"])]),
    ] {
        std::fs::create_dir_all(folder).unwrap();
        for (number, jws) in texts.into_iter().enumerate() {
            std::fs::write(folder.join(format!("{number}.jws")), jws).unwrap();
        }
    }
    let files: Vec<_> = std::fs::read_dir(&receipts).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 4);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/verify_receipt.py");
    for (program, first) in [(env!("CARGO_BIN_EXE_tsunagu"), "verify"), ("python3", script)] {
        let mut command = std::process::Command::new(program);
        command.arg(first).arg("--jwks").arg(&keys).arg("--manifests").arg(&manifests).args(&files);
        let output = command.output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&said));
    }
}
