//! One engine's run: found a hub, read one accepted referral back, then reference and hub in turns.

use std::{cell::RefCell, path::Path, rc::Rc, time::Duration};

use sqlx::{AnyConnection, AssertSqlSafe, Connection as _};
use tsunagu::ledger::Ledger;

use crate::{
    bare_loop,
    client::{self, Connection, Outcome, Plan, Ready},
    hub::{self, CONSENTS, Hub, Place, World},
    machine::{self, Use},
    pgbench::{self, Statements},
    servers::{Servers, psql},
    shape::{Shape, Table, snapshot},
};

/// By then a hub has swept once without and once with its broker. The first time with it, it rings again for
/// everything that waits; that is no part of accepting.
const FIRST_SWEEPS: Duration = Duration::from_secs(35);

/// What every run is made with.
pub struct Bench<'a> {
    pub folder: &'a Path,
    pub plan: Plan,
    pub rounds: u64,
}

/// What one engine's runs said.
pub struct Measured {
    pub engine: &'static str,
    pub version: String,
    /// The budget is a part of the first one.
    pub references: Vec<Reference>,
    pub budget: Budget,
    pub loads: Vec<Load>,
    pub shape: Shape,
    pub body_bytes: usize,
    pub idle_kib: u64,
    pub peak_kib: u64,
    pub disk_per_referral: f64,
}

/// What hub per reference must reach.
#[derive(Clone, Copy)]
pub struct Budget {
    pub now: f64,
    /// In the end.
    pub aim: f64,
    /// What 99 of 100 requests must not exceed in the end, where a budget says so.
    pub p99_ms: Option<f64>,
}

/// A reference: its referrals per second, round by round, and processor seconds per referral of all that took part.
pub struct Reference {
    pub name: &'static str,
    pub per_second: Vec<f64>,
    pub cpu: Vec<f64>,
}

impl Reference {
    const fn new(name: &'static str) -> Self {
        Self { name, per_second: Vec::new(), cpu: Vec::new() }
    }

    fn note(&mut self, per_second: f64, seconds: u64, cpu_seconds: f64) {
        self.per_second.push(per_second);
        self.cpu.push(cpu_seconds / (per_second * seconds as f64));
    }
}

/// One load on the hub, and processor seconds meanwhile.
pub struct Load {
    pub outcome: Outcome,
    /// Hub, database, broker, client; SQLite works within the hub.
    pub cpu: [f64; 4],
}

/// A hub with its agencies and consents, and the load for it.
struct Ground {
    hub: Hub,
    database: String,
    requests: Rc<Vec<Ready>>,
    body_bytes: usize,
    idle_kib: u64,
    shape: Shape,
    consents: Table,
    loads: Vec<Load>,
    before: Stored,
}

/// How much a ledger holds.
struct Stored {
    referrals: i64,
    bytes: i64,
}

type Result<T> = std::result::Result<T, String>;

impl Bench<'_> {
    pub async fn sqlite(&self) -> Result<Measured> {
        let mut ground = Ground::lay(&Place::embedded(self.folder.join("embedded"))).await?;
        let url = format!("sqlite:{}", self.folder.join("reference.db").display());
        Ledger::migrate(&format!("{url}?mode=rwc")).await.map_err(told)?;
        let consents = bare_loop::copy_consents(&url, &ground.consents).await.map_err(told)?;
        let mut reference = Reference::new("bare loop, 128 per commit");
        let seconds = self.plan.duration.as_secs();
        for round in 1..=self.rounds {
            eprintln!("accept: SQLite, round {round}: {}", reference.name);
            let before = machine::alone(std::process::id()).cpu_seconds;
            let rate = bare_loop::run(&url, &ground.shape, &consents, seconds, round).await.map_err(told)?;
            reference.note(rate, seconds, machine::alone(std::process::id()).cpu_seconds - before);
            eprintln!("accept: SQLite, round {round}: hub");
            ground.load(self.plan, round, [0, 0]).await;
        }
        let version = format!("SQLite {}", scalar(&ground.database, "SELECT sqlite_version()").await?);
        ground
            .measured(
                "SQLite, embedded",
                version,
                vec![reference],
                Budget { now: 0.4, aim: 0.6, p99_ms: None },
            )
            .await
    }

    pub async fn postgres(&self) -> Result<Measured> {
        let servers = Servers::start(self.folder.join("servers"))?;
        let (database, url) = (servers.database("hub")?, servers.database("reference")?);
        let place = Place::clustered(self.folder.join("clustered"), database, servers.broker.clone());
        place.run(&["keys", "init"])?;
        let mut ground = Ground::lay(&place).await?;
        Ledger::migrate(&url).await.map_err(told)?;
        psql(&url, &pgbench::consents(&ground.consents, CONSENTS))?;
        let mut references = Vec::new();
        for statements in [Statements::PerTable, Statements::PerRow] {
            let file = self.folder.join(format!("{statements:?}.sql"));
            std::fs::write(&file, pgbench::script(&ground.shape, statements, CONSENTS)).map_err(told)?;
            references.push((file, Reference::new(statements.name())));
        }
        let seconds = self.plan.duration.as_secs();
        // pgbench has ended when this is asked, so it counts among this process's children.
        let used = || {
            machine::tree(servers.postgres_process()).cpu_seconds
                + machine::ended_children(std::process::id())
        };
        eprintln!("accept: PostgreSQL: waiting for the hub's first sweep with a broker");
        tokio::time::sleep_until((ground.hub.started + FIRST_SWEEPS).into()).await;
        for round in 1..=self.rounds {
            for (number, (file, reference)) in references.iter_mut().enumerate() {
                eprintln!("accept: PostgreSQL, round {round}: {}", reference.name);
                servers.settle()?;
                let before = used();
                let rate = pgbench::run(&url, file, seconds, round * 2 + number as u64)?;
                reference.note(rate, seconds, used() - before);
            }
            eprintln!("accept: PostgreSQL, round {round}: hub");
            servers.settle()?;
            ground.load(self.plan, round, [servers.postgres_process(), servers.broker_process()]).await;
        }
        servers.settle()?;
        let references = references.into_iter().map(|(_, reference)| reference).collect();
        let version = format!("PostgreSQL {}", servers.postgres_version()?);
        ground
            .measured(
                "PostgreSQL + RabbitMQ",
                version,
                references,
                Budget { now: 0.6, aim: 1.0, p99_ms: Some(100.0) },
            )
            .await
    }
}

impl Ground {
    /// Founds the agencies, starts the hub, records staff and consents, and submits one referral to read it back.
    async fn lay(place: &Place) -> Result<Self> {
        eprintln!("accept: agencies, hub, {CONSENTS} consents");
        let mut world = World::found(place)?;
        let hub = Hub::start(place)?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let idle_kib = machine::tree(hub.process_id()).resident_kib;
        world.settle(&hub).await?;
        let (requests, body_bytes) = world.requests(&hub).await?;
        let before = snapshot(&place.database).await.map_err(told)?;
        let mut connection = Connection::open(hub.address).await.map_err(told)?;
        hub::ask(&mut connection, &requests[0], u64::MAX, 0).await?;
        let after = snapshot(&place.database).await.map_err(told)?;
        Ok(Self {
            shape: Shape::between(&before, &after)?,
            consents: after.get("consent").cloned().unwrap_or_default(),
            before: stored(&place.database).await?,
            database: place.database.clone(),
            requests: Rc::new(requests),
            loads: Vec::new(),
            hub,
            body_bytes,
            idle_kib,
        })
    }

    /// One load; `servers` are the processes of database and broker.
    async fn load(&mut self, plan: Plan, round: u64, servers: [u32; 2]) {
        let processes = [self.hub.process_id(), servers[0], servers[1], std::process::id()];
        // This process and its children are no tree of their own: the hub is one of its children.
        let used = || {
            let own = machine::alone(processes[3]);
            let [hub, database, broker] = [0, 1, 2].map(|place| machine::tree(processes[place]));
            [hub, database, broker, own].map(|Use { cpu_seconds, .. }| cpu_seconds)
        };
        let readings = RefCell::new(Vec::new());
        let requests = Rc::clone(&self.requests);
        let outcome =
            client::load(self.hub.address, requests, plan, round, || readings.borrow_mut().push(used()))
                .await;
        let mut cpu = [0.0; 4];
        if let [first, last] = readings.into_inner()[..] {
            cpu = std::array::from_fn(|place| last[place] - first[place]);
        }
        self.loads.push(Load { outcome, cpu });
    }

    async fn measured(
        self,
        engine: &'static str,
        version: String,
        references: Vec<Reference>,
        budget: Budget,
    ) -> Result<Measured> {
        let after = stored(&self.database).await?;
        let new = after.referrals - self.before.referrals;
        let accepted: u64 = self.loads.iter().map(|load| load.outcome.accepted).sum();
        if i64::try_from(accepted) != Ok(new) {
            return Err(format!("{accepted} referrals were answered with 201, but {new} are stored"));
        }
        Ok(Measured {
            disk_per_referral: (after.bytes - self.before.bytes) as f64 / new.max(1) as f64,
            peak_kib: machine::peak_resident_kib(self.hub.process_id()),
            idle_kib: self.idle_kib,
            loads: self.loads,
            shape: self.shape,
            body_bytes: self.body_bytes,
            engine,
            version,
            references,
            budget,
        })
    }
}

async fn stored(url: &str) -> Result<Stored> {
    let bytes = if url.starts_with("sqlite:") {
        "SELECT CAST(page_count * page_size AS TEXT) FROM pragma_page_count(), pragma_page_size()"
    } else {
        "SELECT CAST(pg_database_size(current_database()) AS TEXT)"
    };
    let number = |text: String| text.parse().map_err(told);
    Ok(Stored {
        referrals: number(scalar(url, "SELECT CAST(COUNT(*) AS TEXT) FROM referral").await?)?,
        bytes: number(scalar(url, bytes).await?)?,
    })
}

async fn scalar(url: &str, statement: &str) -> Result<String> {
    let mut connection = AnyConnection::connect(url).await.map_err(told)?;
    let value = sqlx::query_scalar(AssertSqlSafe(statement.to_owned())).fetch_one(&mut connection).await;
    connection.close().await.map_err(told)?;
    value.map_err(told)
}

fn told(error: impl std::fmt::Display) -> String {
    error.to_string()
}
