//! A town: a real hub on one engine, served over HTTP, and agencies whose systems talk to it.
//!
//! An agency does what its own system would do: it signs in, posts, reads its inbox. What an operator does goes
//! through the use cases of the command line. The clock stands still until the test moves it.

mod agency;
mod browser;
mod papers;
mod reply;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use serde_json::Value;
use sqlx::{AnyConnection, Connection as _, Row as _};
use tempfile::TempDir;
use tsunagu::{
    clock::Clock,
    config::{Config, Secret},
    domain::{
        agency::{AgencyKind, Body},
        ids::AgencyId,
    },
    hub::Hub,
    ledger::Mode,
    usecases::{
        Context,
        register::{NewAgency, add_agency},
    },
    vault::{KeyMaking, Vault},
};

#[allow(unused_imports, reason = "each test binary uses a part of it")]
pub use self::{
    agency::{Agency, Door, fresh_key},
    browser::{Browser, COOKIE, FORM, between, form},
    papers::{ALL_SECTIONS, ORDINARY, form_paper},
    reply::{Exchange, Reply, Traffic, payload},
};
use super::{broker::TestVhost, database::TestDatabase};

/// A ward of Yokohama, where the agencies of the tests stand.
pub const TSURUMI: &str = "141011";
const HUB_ID: u128 = 0x0192_f000_0000_7000_8000_0000_0000_0001;

/// What the hub stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// SQLite, and doorbells within the process.
    Embedded,
    /// PostgreSQL and RabbitMQ.
    Clustered,
}

impl Engine {
    pub const BOTH: [Self; 2] = [Self::Embedded, Self::Clustered];
}

/// The databases and the vhost of a clustered hub; they go with the town.
struct Servers {
    database: TestDatabase,
    vhost: TestVhost,
}

pub struct Town {
    /// `None` only while the hub is stopped.
    hub: Option<Hub>,
    pub clock: Clock,
    pub config: Config,
    /// Every request the agencies made, and every answer they got.
    pub traffic: Traffic,
    door: Arc<Door>,
    servers: Option<Servers>,
    folder: TempDir,
}

impl Town {
    /// A hub on this engine, at the present day. Gives `None`, and says so, where its servers are not there.
    pub async fn on(engine: Engine) -> Option<Self> {
        Self::with(engine, Clock::fixed(Clock::System.now()), |_| {}).await
    }

    /// The embedded hub, which is always there.
    pub async fn embedded() -> Self {
        Self::on(Engine::Embedded).await.expect("an embedded hub needs no servers")
    }

    /// A hub with settings of the test's own.
    pub async fn with(engine: Engine, clock: Clock, adjust: impl FnOnce(&mut Config)) -> Option<Self> {
        let servers = match engine {
            Engine::Embedded => None,
            Engine::Clustered => Some(Servers { database: TestDatabase::new()?, vhost: TestVhost::new()? }),
        };
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::embedded(&folder.path().join("data")).unwrap();
        config.server.listen = "127.0.0.1:0".parse().unwrap();
        config.server.workers = 2;
        // Most stories begin with agencies that never met and go on at once, and are about something else.
        config.rules.confirm_recipients = false;
        config.rules.release_seconds = 0;
        if let Some(Servers { database, vhost }) = &servers {
            config.hub.mode = Mode::Clustered;
            config.ledger.url = Secret::new(database.url.clone());
            config.amqp.url = Secret::new(vhost.url.clone());
            let id = uuid::Uuid::from_u128(HUB_ID);
            Vault::create(&config.vault.folder, id, KeyMaking::Allowed).unwrap();
        }
        adjust(&mut config);
        let hub = Hub::start(config.clone(), clock.clone()).await.unwrap();
        // A hub that is started again is found under the same address.
        config.server.listen = hub.address();
        let traffic = Traffic::default();
        let door = Door::new(format!("http://{}", hub.address()), clock.clone(), traffic.clone());
        Some(Self { hub: Some(hub), clock, config, traffic, door: Arc::new(door), servers, folder })
    }

    pub fn hub(&self) -> &Hub {
        self.hub.as_ref().expect("the hub runs")
    }

    pub fn context(&self) -> Arc<Context> {
        self.hub().context()
    }

    pub fn url(&self, path: &str) -> String {
        self.door.url(path)
    }

    /// A folder of the town's own, for what a test writes.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where the hub keeps its data.
    pub fn data(&self) -> PathBuf {
        self.config.hub.data.clone()
    }

    pub fn database(&self) -> Option<&TestDatabase> {
        self.servers.as_ref().map(|servers| &servers.database)
    }

    pub fn vhost(&self) -> Option<&TestVhost> {
        self.servers.as_ref().map(|servers| &servers.vhost)
    }

    /// Moves the town's clock; agencies sign in again when their tokens have run out.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Stops the hub well and starts it again on what it left.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.hub = Some(Hub::start(self.config.clone(), self.clock.clone()).await.unwrap());
    }

    /// Stops the hub well. The ledger and the folder stay until the town goes.
    pub async fn stop(&mut self) {
        if let Some(hub) = self.hub.take() {
            hub.stop().await;
        }
    }

    /// Registers an agency in Tsurumi, as `tsunagu agency add` does. Its system signs in at its first request.
    pub async fn agency(&self, kind: AgencyKind) -> Agency {
        self.agency_named(kind, &format!("試験の{}", kind.label_ja())).await
    }

    pub async fn agency_named(&self, kind: AgencyKind, name: &str) -> Agency {
        self.agency_in(TSURUMI, kind, name).await
    }

    /// An agency that stands in another municipality.
    pub async fn agency_in(&self, municipality: &str, kind: AgencyKind, name: &str) -> Agency {
        let new = NewAgency {
            kind,
            name: name.to_owned(),
            municipality: municipality.parse().unwrap(),
            corporate_number: None,
            body: kind.body().or(Some(Body::Private)),
            contractor_of: None,
        };
        let (id, secret) = add_agency(&self.operator(), new).await.unwrap();
        Agency::new(Arc::clone(&self.door), id.to_string(), secret.reveal().to_owned())
    }

    /// The hub's tools in the hands of its operator, whose commands make an agency's keys.
    fn operator(&self) -> Context {
        let hub = self.context();
        let vault = Vault::open(&self.config.vault.folder, KeyMaking::Allowed).unwrap();
        let (ledger, settings) = (hub.ledger.clone(), hub.settings.clone());
        Context { ledger, vault, clock: self.clock.clone(), settings, work: Arc::clone(&hub.work) }
    }

    /// An access token of an agency with `seconds` of its life behind it, however long ago that makes it.
    pub fn token_of_age(&self, agency: &Agency, seconds: i64) -> String {
        let (context, id) = (self.context(), agency.id.parse::<AgencyId>().unwrap());
        let issued = context.clock.now() - jiff::SignedDuration::from_secs(seconds);
        context.vault.issue_token(id, context.clock.new_id(), issued, 600)
    }

    /// The hub's public keys, as anybody gets them.
    pub async fn jwks(&self) -> Value {
        reqwest::get(self.url("/.well-known/jwks.json")).await.unwrap().json().await.unwrap()
    }

    /// Rows per table of the ledger, read beside the hub. Equal before and after: nothing was stored between. What a
    /// process says of its keys, every so often and by itself, is left out.
    pub async fn rows(&self) -> BTreeMap<String, i64> {
        let mut ledger = self.ledger().await;
        let mut counts = BTreeMap::new();
        for table in tables().into_iter().filter(|table| table != "node") {
            let row =
                sqlx::query(constant(format!("SELECT COUNT(*) FROM {table}"))).fetch_one(&mut ledger).await;
            counts.insert(table, row.unwrap().get::<i64, _>(0));
        }
        ledger.close().await.unwrap();
        counts
    }

    /// Does in the ledger what an operator would do by hand, where the hub has no command for it.
    pub async fn by_hand(&self, sql: String) {
        let mut ledger = self.ledger().await;
        sqlx::query(constant(sql)).execute(&mut ledger).await.unwrap();
        ledger.close().await.unwrap();
    }

    async fn ledger(&self) -> AnyConnection {
        sqlx::any::install_default_drivers();
        AnyConnection::connect(self.config.ledger.url.expose()).await.unwrap()
    }
}

fn constant(sql: String) -> sqlx::AssertSqlSafe<String> {
    sqlx::AssertSqlSafe(sql)
}

/// The tables of the ledger, from its migrations.
pub fn tables() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut tables = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let names = text.lines().filter_map(|line| line.strip_prefix("CREATE TABLE "));
        tables.extend(names.map(|rest| rest.trim_end_matches(" (").to_owned()));
    }
    assert!(tables.len() > 15, "the migrations are read: {tables:?}");
    tables
}
