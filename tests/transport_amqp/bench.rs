//! What the tests of the AMQP transport share: the hub's side, an independent witness, a proxy.

use std::time::Duration;

use jiff::Timestamp;
use lapin::{
    BasicProperties, Connection, ConnectionProperties,
    message::BasicGetMessage,
    options::{BasicGetOptions, QueueDeleteOptions},
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::{RwLock, RwLockReadGuard, RwLockWriteGuard, oneshot},
    task::JoinHandle,
};
use tsunagu::{
    clock::Clock,
    domain::{
        doorbell::{Doorbell, DoorbellKind},
        ids::AgencyId,
    },
    transport::{
        Line, Ring,
        amqp::{self, Amqp, BrokerUrl, Settings},
    },
};
use uuid::Uuid;

pub const HUB: Uuid = Uuid::from_u128(0x0190_e0c4_7a7b_7cc3_8f00_ffff_ffff_ffff);

pub fn setting(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "a test is told where its servers are")]
    let value = std::env::var(name).ok();
    if value.is_none() {
        eprintln!("SKIPPED: {name} is not set");
    }
    value
}

/// Some tests kill the broker or count threads; they run alone, the others together.
static TOGETHER: RwLock<()> = RwLock::const_new(());

/// The broker's URL, for a test that minds no company.
pub async fn broker() -> Option<(String, RwLockReadGuard<'static, ()>)> {
    Some((setting("HUB_TEST_AMQP")?, TOGETHER.read().await))
}

/// The broker's URL, for a test that has to be alone.
pub async fn broker_alone() -> Option<(String, RwLockWriteGuard<'static, ()>)> {
    Some((setting("HUB_TEST_AMQP")?, TOGETHER.write().await))
}

/// Calls `scripts/servers` for the servers it has started; false where it has started none.
pub fn servers(command: &str, arguments: &[&str]) -> bool {
    let Some(folder) = setting("HUB_TEST_SERVERS") else { return false };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/servers");
    let status =
        std::process::Command::new("python3").args([script, command, &folder]).args(arguments).status();
    assert!(status.unwrap().success(), "scripts/servers {command}");
    true
}

pub fn settings(url: &str) -> Settings {
    let url = BrokerUrl::parse(url, false).unwrap();
    Settings { url, private_ca: None, hub: HUB, seed: 7 }
}

/// A transport whose driver runs until it is closed.
pub struct Running {
    pub amqp: Amqp,
    stop: oneshot::Sender<()>,
    driver: JoinHandle<()>,
}

impl Running {
    pub fn start(url: &str, subscribers: &[(AgencyId, Line)]) -> Self {
        Self::with(&settings(url), subscribers)
    }

    pub fn with(settings: &Settings, subscribers: &[(AgencyId, Line)]) -> Self {
        let (amqp, driver) = amqp::open(settings, subscribers.iter().copied()).unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let driver = tokio::spawn(driver.run(async move {
            let _stopped = stopped.await;
        }));
        Self { amqp, stop, driver }
    }

    pub async fn linked(url: &str, subscribers: &[(AgencyId, Line)]) -> Self {
        let running = Self::start(url, subscribers);
        within(20, running.amqp.until_connected()).await;
        running
    }

    pub async fn close(self) {
        self.stop.send(()).unwrap();
        within(5, self.driver).await.unwrap();
    }
}

pub async fn within<T>(seconds: u64, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(seconds), future).await.expect("took too long")
}

/// The same broker, spoken to without the code under test.
pub struct Witness {
    _connection: Connection,
    pub channel: lapin::Channel,
}

impl Witness {
    pub async fn new(url: &str) -> Self {
        let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        Self { _connection: connection, channel }
    }

    pub async fn get(&self, queue: &str) -> Option<BasicGetMessage> {
        self.channel.basic_get(queue.into(), BasicGetOptions { no_ack: true }).await.unwrap()
    }

    pub async fn delete(&self, queues: &[String]) {
        for queue in queues {
            self.channel.queue_delete(queue.as_str().into(), QueueDeleteOptions::default()).await.unwrap();
        }
    }
}

pub fn agency() -> AgencyId {
    Clock::System.new_id()
}

pub fn ring(to: AgencyId) -> Ring {
    Ring::empty(Doorbell {
        id: Clock::System.new_id(),
        to,
        kind: DoorbellKind::DeliveryWaiting,
        subject: Clock::System.new_random_id(),
        time: Timestamp::UNIX_EPOCH,
    })
}

pub fn headers(properties: &BasicProperties) -> Vec<(String, String)> {
    // A quorum queue adds how often it has handed the message out.
    let table = properties.headers().as_ref().unwrap().inner().iter();
    let ours = table.filter(|(name, _)| name.as_str() != "x-delivery-count");
    ours.map(|(name, value)| (name.to_string(), value.as_long_string().unwrap().to_string())).collect()
}

/// A proxy that can be told to fall silent and to speak again.
pub struct Proxy {
    pub url: String,
    pub silent: tokio::sync::watch::Sender<bool>,
}

impl Proxy {
    pub async fn before(url: &str) -> Self {
        let (user, rest) = url.rsplit_once('@').unwrap();
        let (host, vhost) = rest.split_once('/').unwrap_or((rest, "%2f"));
        let host = host.to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let silent = tokio::sync::watch::Sender::new(false);
        let watch = silent.subscribe();
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let (host, mut watch) = (host.clone(), watch.clone());
                tokio::spawn(async move {
                    if !*watch.borrow() {
                        let mut far = TcpStream::connect(host).await.unwrap();
                        tokio::select! {
                            _ = copy_bidirectional(&mut near, &mut far) => return,
                            _ = watch.wait_for(|silent| *silent) => {}
                        }
                    }
                    // The connection stays open and nothing passes any more.
                    let _again = watch.wait_for(|silent| !*silent).await;
                });
            }
        });
        Self { url: format!("{user}@127.0.0.1:{port}/{vhost}"), silent }
    }
}

/// Every connection of lapin has a thread of this name.
pub fn threads() -> usize {
    let names = std::fs::read_dir("/proc/self/task").unwrap();
    let names = names.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|name| name.starts_with("lapin")).count()
}
