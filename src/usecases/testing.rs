//! A hub without doors, for tests: a real SQLite ledger with its committer and a vault, in a folder of its own.

use std::{ops::Deref, sync::Arc};

use serde_json::Value;
use tempfile::TempDir;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{
    Broker, Caller, Command, Context, Settings,
    register::{NewAgency, add_agency, register_staff},
};
use crate::{
    clock::Clock,
    domain::{
        agency::{AgencyKind, Body},
        consent::custody::DailyActs,
        ids::{AgencyId, StaffId},
        retention::Periods,
        staff::StaffRole,
    },
    ledger::{self, Ledger},
    vault::{KeyMaking, Vault},
};

/// A ward of Yokohama, where most agencies of the tests stand.
pub const TSURUMI: &str = "141011";
/// When a test begins: a Sunday morning in Japan.
const BEGINNING: &str = "2026-11-22T10:00:00+09:00";

/// The context of use cases with everything it stands on. Use it like a [`Context`].
pub struct TestHub {
    context: Arc<Context>,
    /// Ended, with what they were doing, when the hub is dropped.
    committers: JoinSet<()>,
    _folder: TempDir,
}

impl Deref for TestHub {
    type Target = Context;

    fn deref(&self) -> &Context {
        &self.context
    }
}

/// An embedded hub, freshly made, whose clock stands still.
pub async fn hub() -> TestHub {
    hub_with(Broker::InProcess).await
}

/// The same with another broker in its settings; nothing is connected to.
pub async fn hub_with(broker: Broker) -> TestHub {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}?mode=rwc", folder.path().join("ledger.db").display());
    Ledger::migrate(&url).await.unwrap();
    let settings = ledger::Settings { url, committers: 1, readers: 2, waiting: 64 };
    let (ledger, committers) = Ledger::open(&settings).await.unwrap();
    let mut running = JoinSet::new();
    for committer in committers {
        running.spawn(committer.run());
    }
    let vault = Vault::create(&folder.path().join("keys"), Uuid::from_u128(7), KeyMaking::Allowed).unwrap();
    let settings = Settings {
        body_limit: 1 << 20,
        token_seconds: 600,
        safety_hours: 48,
        daily_acts: DailyActs::default(),
        complaints_desk: String::new(),
        confirm_recipients: false,
        release_seconds: 0,
        retention: Periods { years: 5, of_type: Vec::new() },
        broker,
        public_url: "http://127.0.0.1:8080".to_owned(),
        mail_domain: "tsunagu.example".to_owned(),
    };
    let clock = Clock::fixed(BEGINNING.parse().unwrap());
    let context = Context { ledger, vault, clock, settings, work: Arc::default() };
    TestHub { context: Arc::new(context), committers: running, _folder: folder }
}

impl TestHub {
    /// The context as the server shares it.
    pub fn shared(&self) -> Arc<Context> {
        Arc::clone(&self.context)
    }

    /// Ends the committers: from now on the ledger can be read and takes no write.
    pub async fn stop_writing(&mut self) {
        self.committers.shutdown().await;
    }

    /// An agency of this kind in Tsurumi, as a caller.
    pub async fn agency(&self, kind: AgencyKind) -> Caller {
        let new = NewAgency {
            kind,
            name: format!("試験の{}", kind.label_ja()),
            municipality: TSURUMI.parse().unwrap(),
            corporate_number: None,
            body: kind.body().or(Some(Body::Private)),
            contractor_of: None,
        };
        let (id, _) = add_agency(self, new).await.unwrap();
        self.caller(id).await
    }

    /// A registered agency as a caller, with its row as it is now.
    pub async fn caller(&self, id: AgencyId) -> Caller {
        Caller::of(self.ledger.agency(id).await.unwrap().unwrap())
    }

    /// A member of the agency's staff.
    pub async fn staff(&self, caller: &Caller, role: StaffRole) -> StaffId {
        let document = serde_json::json!({ "name": "港 はるか", "role": role });
        let key = self.clock.new_id::<Uuid>().to_string();
        let answer = register_staff(self, caller, &command(&key, "POST /v1/staff", document)).await.unwrap();
        let answer: Value = serde_json::from_str(&answer.text).unwrap();
        answer["id"].as_str().unwrap().parse().unwrap()
    }

    /// An access token of the agency.
    pub fn token(&self, caller: &Caller) -> String {
        self.vault.issue_token(caller.id(), self.clock.new_id(), self.clock.now(), 600)
    }
}

/// A change asked for under an idempotency key.
pub fn command(key: &str, route: &str, document: Value) -> Command {
    Command {
        key: key.to_owned(),
        route: route.to_owned(),
        body: document.to_string().into_bytes(),
        document,
    }
}

/// The sheets of Yokohama's nurseries for February 2026: free places, waiting, attending.
pub fn yokohama_sheets() -> Vec<Vec<u8>> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data/yokohama");
    let sheet = |name| std::fs::read(folder.join(format!("2026-02_{name}.csv"))).unwrap();
    ["ukeire", "machi", "nyusho"].map(sheet).to_vec()
}
