//! The hub under test: the real program with its own folder, its own port and its own agencies.

use std::{
    collections::HashMap,
    fs::File,
    io,
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use tsunagu::{clock::Clock, domain::consent::day_in_japan};

use crate::{
    client::{Connection, Ready},
    documents,
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_tsunagu");
/// Agencies that send, and agencies that receive.
const SENDERS: usize = 4;
const RECIPIENTS: usize = 12;
/// Different consents; each referral rests on one of them.
pub const CONSENTS: usize = 400;
const PATIENCE: Duration = Duration::from_secs(60);

/// On which engine a hub runs, and where.
pub struct Place {
    pub folder: PathBuf,
    /// What the hub is told besides its defaults.
    pub settings: Vec<(&'static str, String)>,
    /// The URL of its database.
    pub database: String,
}

impl Place {
    pub fn embedded(folder: PathBuf) -> Self {
        let database = format!("sqlite:{}", folder.join("ledger.db").display());
        Self { folder, settings: Vec::new(), database }
    }

    pub fn clustered(folder: PathBuf, database: String, broker: String) -> Self {
        let settings = vec![
            ("TSUNAGU__HUB__MODE", "clustered".to_owned()),
            ("TSUNAGU__LEDGER__URL", database.clone()),
            ("TSUNAGU__AMQP__URL", broker),
            ("TSUNAGU__MAIL__TRANSPORT", "none".to_owned()),
            ("TSUNAGU__VAULT__FOLDER", folder.join("keys").display().to_string()),
        ];
        Self { folder, settings, database }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.arg("--data").arg(&self.folder).args(arguments).envs(self.settings.iter().cloned());
        command.env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
        command
    }

    /// Runs a command of the program and gives back what it printed.
    pub fn run(&self, arguments: &[&str]) -> Result<String, String> {
        let done = self.command(arguments).output().map_err(|e| format!("{PROGRAM} does not start: {e}"))?;
        if done.status.success() {
            return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
        }
        Err(format!("tsunagu {}: {}", arguments.join(" "), String::from_utf8_lossy(&done.stderr)))
    }
}

/// An agency as its own system knows it.
struct Agency {
    id: String,
    secret: String,
}

/// The agencies of the load, registered with the program's own commands.
pub struct World {
    agencies: Vec<Agency>,
    /// One member of staff for each sender.
    staff: Vec<String>,
    /// Sender (its place), recipients, consent.
    cases: Vec<(usize, [String; 2], String)>,
}

/// A running hub, ended when it goes out of scope.
pub struct Hub {
    child: Child,
    pub address: SocketAddr,
    pub started: Instant,
}

impl Hub {
    /// Starts the hub and waits until it is ready to accept referrals.
    pub fn start(place: &Place) -> Result<Self, String> {
        let address = free_address().map_err(|e| e.to_string())?;
        let log = place.folder.with_extension("log");
        let file = File::create(&log).map_err(|e| format!("{}: {e}", log.display()))?;
        let mut command = place.command(&["serve"]);
        command.env("TSUNAGU__SERVER__LISTEN", address.to_string()).stdout(Stdio::null()).stderr(file);
        let child = command.spawn().map_err(|e| format!("{PROGRAM} does not start: {e}"))?;
        let mut hub = Self { child, address, started: Instant::now() };
        let end = Instant::now() + PATIENCE;
        while !ready(address) {
            if Instant::now() > end || hub.child.try_wait().is_ok_and(|ended| ended.is_some()) {
                let said = std::fs::read_to_string(&log).unwrap_or_default();
                return Err(format!("the hub was not ready: {said}"));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(hub)
    }

    pub fn process_id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        let pid = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status().is_ok_and(|status| status.success());
        if !asked {
            let _gone_already = self.child.kill();
        }
        let _ended = self.child.wait();
    }
}

fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind(("127.0.0.1", 0))?.local_addr()
}

fn ready(address: SocketAddr) -> bool {
    use std::io::{Read as _, Write as _};
    let ask = || -> io::Result<String> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: hub\r\nconnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

impl World {
    /// Registers the agencies with the program's own command.
    pub fn found(place: &Place) -> Result<Self, String> {
        let mut agencies = Vec::with_capacity(SENDERS + RECIPIENTS);
        for number in 1..=SENDERS + RECIPIENTS {
            let name = format!("試験センター{number}");
            let kind = ["--kind", "kodomo_katei_center", "--municipality", "141011"];
            let said = place.run(&[&["agency", "add", "--name", &name], kind.as_slice()].concat())?;
            let facts: HashMap<_, _> = said.lines().filter_map(|line| line.split_once('=')).collect();
            let fact =
                |name| facts.get(name).map(|text| (*text).to_owned()).ok_or(format!("no {name} in {said}"));
            agencies.push(Agency { id: fact("client_id")?, secret: fact("client_secret")? });
        }
        Ok(Self { agencies, staff: Vec::new(), cases: Vec::new() })
    }

    /// Registers staff and records the consents through the API.
    pub async fn settle(&mut self, hub: &Hub) -> Result<(), String> {
        let tokens = self.tokens(hub).await?;
        let mut connection = Connection::open(hub.address).await.map_err(|e| e.to_string())?;
        let today = day_in_japan(Clock::System.now());
        for (number, token) in tokens.iter().enumerate() {
            let body = serde_json::json!({"name": "試験 職員", "role": "coordinator"}).to_string();
            let made = ask(&mut connection, &Ready::post("/v1/staff", token, &body), 1, number).await?;
            self.staff.push(id(&made)?);
        }
        for number in 0..CONSENTS {
            let sender = number % SENDERS;
            let recipient =
                |offset: usize| self.agencies[SENDERS + (number + offset) % RECIPIENTS].id.clone();
            let recipients = [recipient(0), recipient(5)];
            let names: Vec<&str> = recipients.iter().map(String::as_str).collect();
            let body = documents::consent(&self.staff[sender], &names, today).to_string();
            let ready = Ready::post("/v1/consents", &tokens[sender], &body);
            let made = ask(&mut connection, &ready, 2, number).await?;
            self.cases.push((sender, recipients, id(&made)?));
        }
        Ok(())
    }

    /// One referral for each consent, ready to be sent; and the length of one body.
    pub async fn requests(&self, hub: &Hub) -> Result<(Vec<Ready>, usize), String> {
        let tokens = self.tokens(hub).await?;
        let mut length = 0;
        let one = |(sender, recipients, consent): &(usize, [String; 2], String)| {
            let names: Vec<&str> = recipients.iter().map(String::as_str).collect();
            let body = documents::referral(&self.staff[*sender], consent, &names).to_string();
            length = body.len();
            Ready::post("/v1/referrals", &tokens[*sender], &body)
        };
        let requests = self.cases.iter().map(one).collect();
        Ok((requests, length))
    }

    /// Access tokens of the senders, good for ten minutes.
    async fn tokens(&self, hub: &Hub) -> Result<Vec<String>, String> {
        let mut connection = Connection::open(hub.address).await.map_err(|e| e.to_string())?;
        let mut tokens = Vec::with_capacity(SENDERS);
        for agency in &self.agencies[..SENDERS] {
            let form = format!(
                "grant_type=client_credentials&client_id={}&client_secret={}",
                agency.id, agency.secret
            );
            let ready = Ready::plain("POST", "/v1/token", "application/x-www-form-urlencoded", &form);
            let answer = ask(&mut connection, &ready, 0, 0).await?;
            let token = answer["access_token"].as_str().ok_or("the hub gave no token")?;
            tokens.push(token.to_owned());
        }
        Ok(tokens)
    }
}

/// Sends one request that must succeed.
pub async fn ask(
    connection: &mut Connection,
    ready: &Ready,
    lane: u64,
    number: usize,
) -> Result<Value, String> {
    let (status, body) = connection.ask(ready, lane, number as u64).await.map_err(|e| e.to_string())?;
    if !(200..300).contains(&status) {
        return Err(format!("the hub answered {status}: {body}"));
    }
    serde_json::from_str(&body).map_err(|e| e.to_string())
}

fn id(answer: &Value) -> Result<String, String> {
    answer["id"].as_str().map(str::to_owned).ok_or_else(|| format!("no id in {answer}"))
}
