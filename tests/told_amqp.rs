//! A clustered hub tells an agency over a real RabbitMQ, and the agency's own program takes it from there.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is the point")]

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tsunagu::{
    clock::Clock,
    config::{Config, Secret},
    domain::{
        agency::{AgencyKind, Body},
        delivery::DeliveryState,
        ids::{AgencyId, DeliveryId, LegId, StaffId},
        receipt::ReceiptLevel,
    },
    hub::{Hub, Tools},
    ledger::{Mode, audit::AuditAction, job::JobState},
    transport::Transport,
    usecases::{
        Caller, Command as Asked, Context, consent,
        register::{NewAgency, add_agency, register_staff},
        submit, subscribe,
    },
    vault::{KeyMaking, Vault},
};

mod support;

use support::{
    broker::{OwnBroker, TestVhost},
    database::TestDatabase,
    servers,
};

const KEY: &str = "0192f000-0000-7000-8000-000000000001";
const ALL: [&str; 4] = ["identity", "contact", "needs", "narrative"];

/// A clustered hub of one node, and two agencies.
struct Stage {
    hub: Hub,
    site: Party,
    nursery: Party,
    folder: TempDir,
    _database: TestDatabase,
}

struct Party {
    caller: Caller,
    staff: StaffId,
    secret: String,
}

impl Stage {
    async fn new(amqp: &str) -> Option<Self> {
        let database = TestDatabase::new()?;
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::embedded(&folder.path().join("data")).unwrap();
        config.server.listen = "127.0.0.1:0".parse().unwrap();
        config.server.workers = 1;
        config.hub.mode = Mode::Clustered;
        config.ledger.url = Secret::new(database.url.clone());
        config.amqp.url = Secret::new(amqp.to_owned());
        config.rules.sweep_seconds = 1;
        config.rules.confirm_recipients = false;
        config.rules.release_seconds = 0;
        Vault::create(&config.vault.folder, KEY.parse().unwrap(), KeyMaking::Allowed).unwrap();
        // The nodes of a cluster make no keys of agencies: the operator adds agencies beside them.
        let tools = Tools::open(&config, Clock::System).await.unwrap();
        let site = party(tools.context(), AgencyKind::UserSupportBasic, "coordinator").await;
        let nursery = party(tools.context(), AgencyKind::Nursery, "agency_staff").await;
        tools.close().await;
        let hub = Hub::start(config, Clock::System).await.unwrap();
        Some(Self { hub, site, nursery, folder, _database: database })
    }

    /// Introduces a child to the nursery.
    async fn introduce(&self) -> (DeliveryId, LegId) {
        let (context, site) = (self.hub.context(), &self.site);
        let subjects = json!([{"ref": "child-1", "role": "child", "birth_date": "2023-05"}, {"ref": "mother", "role": "guardian"}]);
        let today =
            context.clock.now().to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::Offset::constant(9))).date();
        let document = json!({
            "recorded_by": site.staff, "purpose": "SHOKAI", "recipients": [self.nursery.id()], "sections": ALL,
            "subjects": subjects,
            "giver": {"subject": "mother", "capacity": "PARENT", "name": {"family": "山辺󠄀"}, "for": ["child-1", "mother"]},
            "custody": {"kind": "sole"}, "one_person_site": true,
            "method": "oral", "read_back": true, "language": "ja", "text_version": "2026-04", "decision": "given",
            "first_day": today, "last_day": today.checked_add(jiff::Span::new().days(60)).unwrap(),
        });
        let command = asked(&context, "POST /v1/consents", document);
        let answer = consent::record(&context, &site.caller, &command).await.unwrap();
        let consent = read(&answer.text, "/id");
        let document = json!({
            "type": "SHOKAI", "urgency": "U1", "written_by": site.staff, "subjects": subjects,
            "content": {
                "identity": [{"subject": "child-1", "name": {"family": "山辺󠄀", "given": "澪"}, "birth_date": "2023-05-01"}],
                "contact": [{"subject": "mother", "phone": "045-000-0000"}],
                "needs": [{"codes": ["RESPITE"]}],
                "narrative": [{"summary": "短時間の預かりを希望", "text": "詳しい経過"}],
            },
            "legs": [{"recipient": self.nursery.id(), "basis": {"code": "CONSENT", "consent": consent}, "sections": ALL}],
        });
        let command = asked(&context, "POST /v1/referrals", document);
        let answer = submit::submit(&context, &site.caller, &command).await.unwrap().text;
        (read(&answer, "/legs/0/delivery").parse().unwrap(), read(&answer, "/legs/0/id").parse().unwrap())
    }

    /// Waits until the doorbell of a delivery is settled so.
    async fn until(&self, delivery: DeliveryId, state: JobState) {
        let settled = async {
            loop {
                let jobs = self.hub.context().ledger.jobs_about(&delivery.to_string()).await.unwrap();
                if jobs.iter().all(|job| job.state == state) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), settled).await.expect("settled");
    }

    async fn until_connected(&self) {
        let Transport::Amqp(amqp) = self.hub.transport() else { panic!("a clustered hub has a broker") };
        tokio::time::timeout(Duration::from_secs(30), amqp.until_connected()).await.expect("connected");
    }

    /// The agency's own program, off this thread: the hub runs on it.
    async fn partner(&self, python: &Path, arguments: &[&str]) -> Vec<Value> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/partner.py");
        let mut command = Command::new(python);
        command.arg(script).args(["--hub", &format!("http://{}", self.hub.address())]);
        command.args([
            "--agency",
            &self.nursery.id().to_string(),
            "--staff",
            &self.nursery.staff.to_string(),
        ]);
        command.args(arguments).env("TSUNAGU_SECRET", &self.nursery.secret);
        let out = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let said = String::from_utf8(out.stdout).unwrap();
        assert!(out.status.success(), "{said}{}", String::from_utf8_lossy(&out.stderr));
        said.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Party {
    fn id(&self) -> AgencyId {
        self.caller.id()
    }
}

async fn party(context: &Context, kind: AgencyKind, role: &str) -> Party {
    let new = NewAgency {
        kind,
        name: "試験の機関".to_owned(),
        municipality: "141011".parse().unwrap(),
        corporate_number: None,
        body: kind.body().or(Some(Body::Private)),
        contractor_of: None,
    };
    let (id, secret) = add_agency(context, new).await.unwrap();
    let caller = Caller::of(context.ledger.agency(id).await.unwrap().unwrap());
    let document = json!({"name": "港 はるか", "role": role});
    let answer = register_staff(context, &caller, &asked(context, "POST /v1/staff", document)).await.unwrap();
    let staff = read(&answer.text, "/id").parse().unwrap();
    Party { caller, staff, secret: secret.reveal().to_owned() }
}

fn asked(context: &Context, route: &str, document: Value) -> Asked {
    let key: DeliveryId = context.clock.new_random_id();
    let body = document.to_string().into_bytes();
    Asked { key: key.to_string(), route: route.to_owned(), body, document }
}

fn read(answer: &str, pointer: &str) -> String {
    let answer: Value = serde_json::from_str(answer).unwrap();
    answer
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("{pointer} in {answer}"))
        .to_owned()
}

fn events(said: &[Value]) -> Vec<&str> {
    said.iter().map(|line| line["event"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sealed_document_is_opened_checked_and_acknowledged_by_the_agencys_own_program() {
    let (Some(python), Some(vhost)) = (servers::python(), TestVhost::new()) else { return };
    let Some(stage) = Stage::new(&vhost.url).await else { return };
    let (context, nursery) = (stage.hub.context(), &stage.nursery);
    let key: PathBuf = stage.folder.path().join("private.jwk");
    let kept = stage.folder.path().join("kept");
    std::fs::create_dir(&kept).unwrap();
    let public = stage.partner(&python, &["new-key", "--key", key.to_str().unwrap()]).await.remove(0);
    let wish = json!({"mode": "sealed", "jwk": public});
    let queue = read(&subscribe::set_amqp(&context, &nursery.caller, &wish).await.unwrap(), "/queue");
    assert_eq!(queue, format!("sealed.{}.v1", nursery.id()));

    let (delivery, leg) = stage.introduce().await;
    stage.until(delivery, JobState::Done).await;
    // The broker user of an agency may read its own queues and nothing else.
    let amqp = vhost.agency_user(&nursery.id().to_string());
    let (key, out) = (key.to_str().unwrap(), kept.to_str().unwrap());
    let take = ["take", "--amqp", &amqp, "--key", key, "--out", out, "--answer", "accept"];
    let said = stage.partner(&python, &take).await;
    assert_eq!(events(&said)[..2], ["doorbell", "unsealed"], "{said:?}");
    assert_eq!((said[0]["sealed"].as_bool(), said[1]["leg"].as_str()), (Some(true), Some(&*leg.to_string())));
    assert!(said[1]["fields_verified"].as_u64().unwrap() >= 4, "{said:?}");
    let files: Vec<_> = std::fs::read_dir(out).unwrap().map(|file| file.unwrap().path()).collect();
    let text = std::fs::read_to_string(&files[0]).unwrap();
    assert!(text.contains("澪") && !text.contains("詳しい経過"), "masked, and readable to the agency");

    let scope = nursery.caller.scope();
    let copy = context.ledger.delivery(scope, delivery).await.unwrap().unwrap();
    assert_eq!(copy.state, DeliveryState::Taken);
    let r2 = context.ledger.receipt(scope, &delivery.to_string(), ReceiptLevel::R2).await.unwrap();
    let audits = context.ledger.audit_of(scope, &delivery.to_string(), 10).await.unwrap();
    let disclosed = audits.iter().find(|row| row.action == AuditAction::Disclose).unwrap();
    assert!(Some(disclosed.at) <= r2.map(|row| row.at), "disclosed before it was acknowledged");
    assert_eq!(context.ledger.leg(scope, leg).await.unwrap().unwrap().state.code(), "accepted");
    drop(context);
    stage.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_lost_everything_is_declared_and_rung_again() {
    let (Some(python), Some(broker)) = (servers::python(), OwnBroker::start()) else { return };
    let Some(stage) = Stage::new(&broker.url).await else { return };
    let (context, nursery) = (stage.hub.context(), &stage.nursery);
    stage.until_connected().await;
    subscribe::set_amqp(&context, &nursery.caller, &json!({"mode": "doorbell"})).await.unwrap();
    let (before, _) = stage.introduce().await;
    stage.until(before, JobState::Done).await;
    broker.wipe();
    let (during, _) = stage.introduce().await;
    broker.restart();
    // Both are rung again: one was lost with the broker, the other never taken. The inbox had them all the time.
    stage.until(during, JobState::Done).await;
    let take = ["take", "--amqp", &broker.url, "--count", "2", "--timeout", "20"];
    let said = stage.partner(&python, &take).await;
    let mut rung: Vec<&str> = said
        .iter()
        .filter(|line| line["event"] == "fetched")
        .filter_map(|line| line["delivery"].as_str())
        .collect();
    rung.sort_unstable();
    let mut expected = [before.to_string(), during.to_string()];
    expected.sort_unstable();
    assert_eq!(rung, expected, "{said:?}");
    drop(context);
    stage.hub.stop().await;
}
