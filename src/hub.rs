//! The composition root: opens everything in order, runs it, and ends it in order.
//!
//! Only this file spawns tasks, so that it can end what it began. A hub that is killed instead of stopped loses
//! nothing it confirmed: what is durable is the ledger's, and the next start takes it up.

pub mod doctor;
mod mail;
mod opening;

use std::{
    fs::File,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use actix_web::dev::ServerHandle;
use tokio::{
    net::TcpSocket,
    sync::{Notify, watch},
    task::JoinSet,
    time::timeout,
};
use uuid::Uuid;

pub use opening::{Opened, StartError, open};

use crate::{
    clock::Clock,
    config::Config,
    domain::ids::AgencyId,
    ledger::{
        self, Ledger, LedgerError, Mode,
        subscription::{Channel, ChannelMode},
    },
    transport::{InProcess, Line, Transport, amqp},
    usecases::{
        Broker, Context, Settings,
        desk::Desk,
        run::{run_dispatch, run_sweep},
        schema::Schema,
    },
    vault::Vault,
    web::server::{self, Connected, Server},
};

/// Doorbells that are kept for a slow listener within the process.
const DOORBELLS: usize = 1024;
/// Connections the system may hold until a worker takes them.
const BACKLOG: u32 = 1024;
/// How long each part may take to end, beyond what requests are given.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running hub. Dropping it ends it at once, like a kill; [`Hub::stop`] ends it well.
pub struct Hub {
    address: SocketAddr,
    context: Arc<Context>,
    transport: Transport,
    desk: Arc<Desk>,
    server: ServerHandle,
    stage: watch::Sender<Stage>,
    parts: Parts,
    /// Released last: only then may another hub open the folder.
    lock: Option<File>,
}

/// The hub's tools without its doors, for a command that does one thing and leaves. A hub may be running meanwhile.
pub struct Tools {
    context: Arc<Context>,
    committers: JoinSet<()>,
}

impl Tools {
    /// # Errors
    /// [`StartError`]; nothing is left running.
    pub async fn open(config: &Config, clock: Clock) -> Result<Self, StartError> {
        let vault = opening::open_beside(config, &clock).await?;
        let (ledger, running) = Ledger::open(&ledger_settings(config)).await?;
        let mut committers = JoinSet::new();
        for committer in running {
            committers.spawn(committer.run());
        }
        let context = context(config, config.server.listen, ledger, vault, clock);
        Ok(Self { context, committers })
    }

    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Waits until what was handed over is written.
    pub async fn close(mut self) {
        drop(self.context);
        end("a committer", &mut self.committers).await;
    }
}

/// The tasks of a hub. Those of one set end together.
struct Parts {
    server: JoinSet<()>,
    workers: JoinSet<()>,
    link: JoinSet<()>,
    committers: JoinSet<()>,
}

/// How far the hub has come. Each part waits for the stage at which it is to end.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Running,
    WorkersEnd,
    LinkEnds,
}

/// A listener to the hub's stage, handed to every part that has to be told.
#[derive(Clone)]
struct Stages(watch::Receiver<Stage>);

impl Stages {
    /// Ready when the hub has come to `stage`, or has gone.
    async fn reach(mut self, stage: Stage) {
        let _reached_or_gone = self.0.wait_for(|now| *now >= stage).await;
    }
}

impl Hub {
    /// Starts a hub. When this returns, the hub answers under [`Hub::address`].
    ///
    /// # Errors
    /// [`StartError`]; nothing is left running.
    pub async fn start(config: Config, clock: Clock) -> Result<Self, StartError> {
        // Every TLS connection of this process uses this one provider. It may be there from another hub.
        let _already_there = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let Opened { vault, lock } = open(&config, &clock).await?;
        let (ledger, committers) = Ledger::open(&ledger_settings(&config)).await?;
        let lines = subscribers(&ledger).await?;
        let (transport, driver) = transport(&config, &clock, lines.clone(), vault.hub_id())?;
        let desk = Arc::new(Desk::new(transport.clone(), mail::mailer(&config)?, lines));
        let listener = listen(config.server.listen)?;
        let refused = |source| StartError::Listen { address: config.server.listen, source };
        let address = listener.local_addr().map_err(refused)?;
        Schema::prepare_all();

        let context = context(&config, address, ledger, vault, clock);
        let connected = transport.clone();
        let connected = Connected::new(move || connected.connected());
        let server = server::serve(
            listener,
            &context,
            connected,
            server::Limits {
                workers: config.server.workers,
                shutdown_seconds: config.server.shutdown_seconds,
            },
        );
        let server = server.map_err(refused)?;
        let (stage, stages) = watch::channel(Stage::Running);
        let stages = Stages(stages);
        let mut parts = Parts {
            workers: workers(&context, &desk, Duration::from_secs(config.rules.sweep_seconds), &stages),
            server: JoinSet::new(),
            link: JoinSet::new(),
            committers: JoinSet::new(),
        };
        for committer in committers {
            parts.committers.spawn(committer.run());
        }
        if let Some(driver) = driver {
            parts.link.spawn(driver.run(stages.reach(Stage::LinkEnds)));
        }
        let handle = server.handle();
        parts.server.spawn(run_server(server));
        tracing::info!(%address, mode = %config.hub.mode, hub = %context.vault.hub_id(), "the hub runs");
        Ok(Self { address, context, transport, desk, server: handle, stage, parts, lock })
    }

    /// Where the hub listens; with the real port where port 0 was asked for.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The hub's tools, for the demo and for tests. Let go of them before the hub is stopped: the committers end
    /// only when nobody can give them work any more.
    pub fn context(&self) -> Arc<Context> {
        Arc::clone(&self.context)
    }

    /// By what the hub rings, for tests that listen.
    pub const fn transport(&self) -> &Transport {
        &self.transport
    }

    /// Waits until a part of the hub ends by itself, which none should, and says which.
    pub async fn broken(&mut self) -> &'static str {
        let parts = &mut self.parts;
        tokio::select! {
            Some(_) = parts.server.join_next() => "the HTTP server",
            Some(_) = parts.committers.join_next() => "a committer",
            Some(_) = parts.link.join_next() => "the link to the broker",
            Some(_) = parts.workers.join_next() => "a worker",
            else => "everything",
        }
    }

    /// Ends the hub in order: no new connections, running requests within their time, workers, transport,
    /// committers, and last the lock.
    pub async fn stop(self) {
        let Self { server, stage, mut parts, context, transport, desk, lock, .. } = self;
        tracing::info!("the hub stops; running requests may finish");
        server.stop(true).await;
        end("the HTTP server", &mut parts.server).await;
        stage.send_replace(Stage::WorkersEnd);
        end("a worker", &mut parts.workers).await;
        match desk.clear(&context).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "jobs that were not settled are given back"),
            Err(problem) => {
                tracing::warn!(kind = ?problem.kind, "jobs that were not settled wait until their lease has lapsed");
            }
        }
        stage.send_replace(Stage::LinkEnds);
        end("the link to the broker", &mut parts.link).await;
        drop((context, transport, desk));
        end("a committer", &mut parts.committers).await;
        drop(lock);
        tracing::info!("the hub has stopped");
    }
}

/// The loops that run beside the server. Each ends at [`Stage::WorkersEnd`], after the work in its hands.
fn workers(context: &Arc<Context>, desk: &Arc<Desk>, sweep: Duration, stages: &Stages) -> JoinSet<()> {
    let stop = || stages.clone().reach(Stage::WorkersEnd);
    let mut workers = JoinSet::new();
    workers.spawn(run_dispatch(Arc::clone(context), Arc::clone(desk), stop()));
    workers.spawn(run_sweep(Arc::clone(context), Arc::clone(desk), sweep, stop()));
    workers
}

async fn run_server(server: Server) {
    if let Err(error) = server.await {
        tracing::error!(%error, "the HTTP server failed");
    }
}

/// Waits for the end of a set of tasks, and ends it by force if it does not come.
async fn end(what: &'static str, tasks: &mut JoinSet<()>) {
    let all = async { while tasks.join_next().await.is_some() {} };
    if timeout(PATIENCE, all).await.is_err() {
        tracing::warn!(
            what,
            "did not end in time and is cut off; what it had not confirmed is taken up at the next start"
        );
        tasks.shutdown().await;
    }
}

fn context(config: &Config, address: SocketAddr, ledger: Ledger, vault: Vault, clock: Clock) -> Arc<Context> {
    let public_url = match config.hub.public_url.trim_end_matches('/') {
        "" => format!("http://{address}"),
        url => url.to_owned(),
    };
    let settings = Settings {
        body_limit: config.server.body_limit,
        token_seconds: config.token.seconds,
        safety_hours: config.rules.safety_hours,
        daily_acts: config.rules.daily_acts.clone(),
        complaints_desk: config.rules.complaints_desk.clone(),
        confirm_recipients: config.rules.confirm_recipients,
        release_seconds: config.rules.release_seconds,
        retention: config.retention.periods(),
        broker: match config.hub.mode {
            Mode::Embedded => Broker::InProcess,
            Mode::Clustered => Broker::Amqp,
        },
        public_url,
        mail_domain: config.mail.domain().to_owned(),
    };
    Arc::new(Context { ledger, vault, clock, settings, work: Arc::new(Notify::new()) })
}

/// How the configured ledger is opened.
pub fn ledger_settings(config: &Config) -> ledger::Settings {
    ledger::Settings {
        url: config.ledger.url.expose().to_owned(),
        committers: config.ledger.committers,
        readers: config.ledger.readers,
        waiting: config.ledger.waiting,
    }
}

/// In-process, or AMQP with a driver to run. A broker that is away holds nothing up: the driver connects when it can.
fn transport(
    config: &Config,
    clock: &Clock,
    lines: Vec<(AgencyId, Line)>,
    hub: Uuid,
) -> Result<(Transport, Option<amqp::Driver>), StartError> {
    if config.hub.mode == Mode::Embedded {
        return Ok((Transport::InProcess(InProcess::new(DOORBELLS)), None));
    }
    let (amqp, driver) = amqp::open(&broker(config, clock, hub)?, lines)?;
    Ok((Transport::Amqp(amqp), Some(driver)))
}

/// How the configured broker is reached.
fn broker(config: &Config, clock: &Clock, hub: Uuid) -> Result<amqp::Settings, StartError> {
    Ok(amqp::Settings {
        url: amqp::BrokerUrl::parse(config.amqp.url.expose(), false)?,
        private_ca: config.amqp.authority()?,
        hub,
        seed: clock.new_random_id::<Uuid>().as_u64_pair().0,
    })
}

/// Everybody who wants to be told over AMQP, and how.
async fn subscribers(ledger: &Ledger) -> Result<Vec<(AgencyId, Line)>, LedgerError> {
    const PAGE: i64 = 500;
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let page = ledger.subscribers(Channel::Amqp, after, PAGE).await?;
        found.extend(page.iter().map(|row| match row.mode {
            ChannelMode::Sealed => (row.agency, Line::Sealed),
            ChannelMode::Doorbell | ChannelMode::DutyDesk => (row.agency, Line::Inbox),
        }));
        after = page.last().map(|row| row.agency);
        if (page.len() as i64) < PAGE {
            return Ok(found);
        }
    }
}

/// Binds with a backlog of our own choice, which the standard library does not offer.
fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    let bind = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // A hub that was killed a moment ago must be able to come back under its address.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)?.into_std()
    };
    bind().map_err(|source| StartError::Listen { address, source })
}
