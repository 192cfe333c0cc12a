//! The program as it runs: a process of its own, agencies added by its commands, its log kept, and everything it
//! wrote gathered at the end.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use lapin::{Connection, ConnectionProperties, options::BasicGetOptions};
use serde_json::json;
use tempfile::TempDir;
use tsunagu::{
    clock::Clock,
    transport::{Line, amqp::queue_name},
};

use super::support::{
    broker::TestVhost,
    database::TestDatabase,
    town::{Agency, Door, Engine, Exchange, Traffic},
};

/// The name of every agency, which the directory shows to all.
pub const PUBLIC_NAME: &str = "鶴見ひろば試験機関";

/// What was left behind.
pub struct Left {
    /// Everything the process said on its standard error.
    pub log: Vec<u8>,
    /// Everything below the data folder, before and after the stop, and what the database gives out.
    pub files: Vec<(String, Vec<u8>)>,
    /// Everything in the broker's queues: headers and bodies.
    pub frames: Vec<Vec<u8>>,
    pub traffic: Vec<Exchange>,
}

pub struct Stage {
    pub traffic: Traffic,
    pub site: Agency,
    pub nursery: Agency,
    pub centre: Agency,
    pub npo: Agency,
    engine: Engine,
    child: Child,
    servers: Option<(TestDatabase, TestVhost)>,
    folder: TempDir,
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _ended_already = self.child.wait();
    }
}

impl Stage {
    pub async fn new(engine: Engine) -> Option<Self> {
        let servers = match engine {
            Engine::Embedded => None,
            Engine::Clustered => Some((TestDatabase::new()?, TestVhost::new()?)),
        };
        let folder = tempfile::tempdir().unwrap();
        let mut environment = vec![
            ("TSUNAGU__HUB__DATA", folder.path().join("data").to_str().unwrap().to_owned()),
            ("TSUNAGU__SERVER__LISTEN", "127.0.0.1:0".to_owned()),
            ("TSUNAGU__SERVER__WORKERS", "2".to_owned()),
            ("TSUNAGU__RULES__CONFIRM_RECIPIENTS", "false".to_owned()),
            ("TSUNAGU__RULES__RELEASE_SECONDS", "0".to_owned()),
            ("TSUNAGU__LOG__LEVEL", "debug".to_owned()),
            ("LC_ALL", "C".to_owned()),
        ];
        if let Some((database, vhost)) = &servers {
            environment.push(("TSUNAGU__HUB__MODE", "clustered".to_owned()));
            environment.push(("TSUNAGU__LEDGER__URL", database.url.clone()));
            environment.push(("TSUNAGU__AMQP__URL", vhost.url.clone()));
            run(&environment, &["keys", "init"]);
        }
        let mut command = program(&environment, &["serve"]);
        let log = File::create(folder.path().join("log")).unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().rsplit("http://").next().unwrap();
        let traffic = Traffic::default();
        let door = Arc::new(Door::new(format!("http://{address}"), Clock::System, traffic.clone()));
        let add = |kind: &str, more: &[&str]| {
            let words = ["agency", "add", "--kind", kind, "--name", PUBLIC_NAME, "--municipality", "14101"];
            let said = run(&environment, &[&words[..], more].concat());
            let value =
                |name: &str| said.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
            Agency::new(Arc::clone(&door), value("client_id="), value("client_secret="))
        };
        let (site, npo) = (add("riyosha_shien_kihon", &["--body", "private"]), add("npo", &[]));
        let (nursery, centre) = (add("hoikusho", &["--body", "private"]), add("kodomo_katei_center", &[]));
        Some(Self { traffic, site, nursery, centre, npo, engine, child, servers, folder })
    }

    pub const fn engine(&self) -> Engine {
        self.engine
    }

    /// Waits until the urgent mail is written; other mail waits for its hour.
    pub async fn until_mailed(&self) {
        let began = Instant::now();
        let mails = || fs::read_dir(self.folder.path().join("data/mail")).map_or(0, Iterator::count);
        while mails() == 0 {
            assert!(began.elapsed() < Duration::from_secs(30), "the urgent mail is written");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until doorbells are rung, which has no sign of its own here.
    pub async fn until_rung(&self) {
        if self.engine == Engine::Clustered {
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
    }

    /// Gathers everything there is, ends the process, and gathers again what it left.
    pub async fn search(&mut self) -> Left {
        for path in ["/openapi.json", "/readyz", "/healthz", "/.well-known/jwks.json", "/metrics", "/"] {
            self.site.send(self.site.stranger("GET", path)).await;
        }
        let data = self.folder.path().join("data");
        let mut files = Vec::new();
        gather(&data, "running", &mut files);
        let frames = self.frames().await;
        let stopped = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(stopped.success() && self.child.wait().unwrap().success());
        gather(&data, "stopped", &mut files);
        if let Some((database, _)) = &self.servers {
            let dump = Command::new("pg_dump").args(["--inserts", &database.url]).output().unwrap();
            assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
            files.push(("pg_dump".to_owned(), dump.stdout));
            let store = super::support::servers::folder().unwrap();
            gather(&store.join("broker"), "broker", &mut files);
            files.push(("postgres.log".to_owned(), fs::read(store.join("postgres.log")).unwrap()));
        }
        let log = fs::read(self.folder.path().join("log")).unwrap();
        Left { log, files, frames, traffic: self.traffic.all() }
    }

    /// Takes every message out of every queue, with all its properties.
    async fn frames(&self) -> Vec<Vec<u8>> {
        let Some((_, vhost)) = &self.servers else { return Vec::new() };
        let connection = Connection::connect(&vhost.url, ConnectionProperties::default()).await.unwrap();
        let mut frames = Vec::new();
        let mut queues = vec!["dead.doorbells.v1".to_owned()];
        for agency in [&self.site, &self.nursery, &self.centre, &self.npo] {
            let id = agency.id.parse().unwrap();
            queues.extend([Line::Inbox, Line::Sealed].map(|line| queue_name(id, line)));
        }
        for queue in queues {
            // To ask for a queue that is not there closes the channel.
            let channel = connection.create_channel().await.unwrap();
            let options = BasicGetOptions { no_ack: true };
            while let Ok(Some(message)) = channel.basic_get(queue.as_str().into(), options).await {
                let delivery = &message.delivery;
                let head = format!("{} {:?} {:?}", queue, delivery.routing_key, delivery.properties);
                frames.push([head.into_bytes(), delivery.data.to_vec()].concat());
            }
        }
        frames
    }
}

fn program(environment: &[(&'static str, String)], arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tsunagu"));
    command.args(arguments).envs(environment.iter().map(|(name, value)| (name, value))).stdin(Stdio::null());
    command
}

/// What a command of the program printed.
fn run(environment: &[(&'static str, String)], arguments: &[&str]) -> String {
    let done = program(environment, arguments).output().unwrap();
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

/// Every file below a folder, with its path and with its name as bytes of their own.
fn gather(folder: &Path, when: &str, files: &mut Vec<(String, Vec<u8>)>) {
    let mut folders: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(bytes) = fs::read(&path) {
                let name = format!("{when}: {}", path.display());
                files.push((format!("the name of {name}"), path.display().to_string().into_bytes()));
                files.push((name, bytes));
            }
        }
    }
}

/// A public key for sealed documents. Nobody opens them here.
pub fn sealing_key() -> serde_json::Value {
    use aws_lc_rs::agreement::{PrivateKey, X25519};
    use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
    let public = PrivateKey::generate(&X25519).unwrap().compute_public_key().unwrap();
    json!({"kty": "OKP", "crv": "X25519", "x": BASE64_URL_SAFE_NO_PAD.encode(public)})
}
