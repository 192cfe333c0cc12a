//! The whole hub: started, asked, stopped, killed, and started again, in this process and as a process of its own.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is the point")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;
use tsunagu::{
    clock::Clock,
    config::{Config, Secret},
    domain::agency::{AgencyKind, Body},
    hub::{Hub, StartError},
    ledger::{Fence, Ledger, Mode},
    usecases::{
        register::{NewAgency, add_agency},
        schema::Schema,
    },
    vault::{KeyMaking, Vault},
    web::{Access, TABLE},
};

#[path = "hub/refused.rs"]
mod refused;
mod support;

const KEY: &str = "0192f000-0000-7000-8000-000000000001";

/// The configuration of an embedded hub on a free port.
fn embedded(data: &Path) -> Config {
    let mut config = Config::embedded(data).unwrap();
    config.server.listen = "127.0.0.1:0".parse().unwrap();
    config.server.workers = 1;
    config
}

async fn started() -> (TempDir, Hub) {
    let folder = tempfile::tempdir().unwrap();
    let hub = Hub::start(embedded(&folder.path().join("data")), Clock::System).await.unwrap();
    (folder, hub)
}

fn url(hub: &Hub, path: &str) -> String {
    format!("http://{}{path}", hub.address())
}

/// The binary, in one language, on a free port.
fn tsunagu(locale: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tsunagu"));
    command.args(arguments).env("LC_ALL", locale).env("TSUNAGU__SERVER__LISTEN", "127.0.0.1:0");
    command.stdin(Stdio::null());
    command
}

fn run(locale: &str, arguments: &[&str]) -> Output {
    tsunagu(locale, arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// `tsunagu serve` as a process. It is killed when it goes out of sight.
struct Served {
    child: Child,
    address: String,
}

impl Served {
    fn start(data: &Path) -> Self {
        let mut command = tsunagu("C", &["serve", "--data", data.to_str().unwrap()]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().rsplit("http://").next().unwrap().to_owned();
        Self { child, address }
    }

    fn signal(&self, name: &str) {
        let kill = Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(kill.success());
    }

    /// Waits for its end: exit code and log.
    fn ended(mut self) -> (Option<i32>, String) {
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        (self.child.wait().unwrap().code(), log)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _ended_already = self.child.wait();
    }
}

#[tokio::test]
async fn a_hub_starts_stops_and_starts_again_with_the_same_keys() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut keys = Vec::new();
    for _ in 0..3 {
        let hub = Hub::start(embedded(&data), Clock::System).await.unwrap();
        assert_eq!(hub.context().settings.public_url, format!("http://{}", hub.address()));
        keys.push(reqwest::get(url(&hub, "/.well-known/jwks.json")).await.unwrap().text().await.unwrap());
        let address = hub.address();
        let began = Instant::now();
        hub.stop().await;
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
        assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
    }
    assert!(keys.windows(2).all(|pair| pair[0] == pair[1]), "{keys:?}");
}

#[tokio::test]
async fn of_two_hubs_on_one_folder_one_runs() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    for trial in 0..20 {
        let start = || Hub::start(embedded(&data), Clock::System);
        let (one, other) = tokio::join!(start(), start());
        let (Ok(hub), Err(refused)) = (if one.is_ok() { (one, other) } else { (other, one) }) else {
            panic!("trial {trial}: both hubs, or none, run on one folder");
        };
        assert!(matches!(refused, StartError::Running { .. }), "trial {trial}: {refused}");
        hub.stop().await;
    }
}

#[tokio::test]
async fn a_second_process_on_the_same_folder_is_refused() {
    let (folder, hub) = started().await;
    let data = folder.path().join("data");
    let data_text = data.to_str().unwrap();
    for _ in 0..20 {
        let second = run("C", &["serve", "--data", data_text]);
        let said = text(&second.stderr);
        assert_eq!(second.status.code(), Some(1), "{said}");
        assert!(said.contains("another hub is running") && said.contains(data_text), "{said}");
    }
    let said = text(&run("ja_JP.UTF-8", &["migrate", "--data", data_text]).stderr);
    assert!(said.contains("別のハブが動いています"), "{said}");
    assert_eq!(reqwest::get(url(&hub, "/readyz")).await.unwrap().status(), 200, "the first one runs on");
    hub.stop().await;

    let served = Served::start(&data);
    let refused = Hub::start(embedded(&data), Clock::System).await.err().unwrap();
    assert!(matches!(refused, StartError::Running { .. }), "{refused}");
    drop(served);
    // Killed, not stopped: the lock dies with its process.
    Hub::start(embedded(&data), Clock::System).await.unwrap().stop().await;
}

#[tokio::test]
async fn a_hub_does_not_start_in_the_other_mode_or_without_its_keys() {
    let folder = tempfile::tempdir().unwrap();
    let config = embedded(&folder.path().join("data"));
    std::fs::create_dir(&config.hub.data).unwrap();
    let vault = Vault::create(&config.vault.folder, KEY.parse().unwrap(), KeyMaking::Allowed).unwrap();
    let fence = Fence { hub_id: KEY, mode: Mode::Clustered, root_fingerprint: vault.fingerprint() };
    std::fs::set_permissions(&config.hub.data, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    Ledger::migrate(config.ledger.url.expose()).await.unwrap();
    Ledger::claim(config.ledger.url.expose(), &fence, Clock::System.now()).await.unwrap();
    let refused = Hub::start(config.clone(), Clock::System).await.err().unwrap();
    assert!(refused.is_wrong_use() && refused.to_string().contains("clustered"), "{refused}");
    let data = config.hub.data.to_str().unwrap();
    let said = run("ja_JP.UTF-8", &["serve", "--data", data]);
    assert_eq!(said.status.code(), Some(2));
    assert!(text(&said.stderr).contains("この設定のハブでは使えません"), "{}", text(&said.stderr));

    let unready = tsunagu("C", &["serve", "--data", folder.path().join("node").to_str().unwrap()])
        .env("TSUNAGU__HUB__MODE", "clustered")
        .env("TSUNAGU__LEDGER__URL", "postgres://localhost/none")
        .env("TSUNAGU__AMQP__URL", "amqp://localhost")
        .output()
        .unwrap();
    assert_eq!(unready.status.code(), Some(2));
    assert!(text(&unready.stderr).contains("tsunagu keys init"), "{}", text(&unready.stderr));
}

#[tokio::test]
async fn sigterm_lets_a_running_request_finish_and_takes_no_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(&folder.path().join("data"));
    let body = "grant_type=client_credentials&client_id=x&client_secret=himitsu";
    let (first, rest) = body.split_at(20);
    let mut running = TcpStream::connect(&served.address).unwrap();
    running.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let head = format!(
        "POST /v1/token HTTP/1.1\r\nHost: hub\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n{first}",
        body.len()
    );
    running.write_all(head.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    served.signal("-TERM");
    let refused = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        TcpStream::connect(&served.address).is_err()
    });
    assert!(refused, "the hub still takes connections");
    running.write_all(rest.as_bytes()).unwrap();
    let mut answer = String::new();
    let _ended_by_the_hub = running.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 401") && answer.contains("invalid_client"), "{answer}");
    let (code, log) = served.ended();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("the hub has stopped"), "{log}");
    assert!(!log.contains("himitsu"), "{log}");
}

/// Named for what it is: a process is killed at every moment of its first start, and the next start succeeds.
#[tokio::test]
async fn fault_a_hub_killed_while_it_starts_for_the_first_time_starts_again() {
    for trial in 0..20u64 {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let mut command = tsunagu("C", &["serve", "--data", data.to_str().unwrap()]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(trial * 2));
        child.kill().unwrap();
        child.wait().unwrap();
        match Hub::start(embedded(&data), Clock::System).await {
            Ok(hub) => hub.stop().await,
            Err(error) => panic!("killed after {} ms: {error}", trial * 2),
        }
    }
}

#[test]
fn help_speaks_the_users_language() {
    let japanese = text(&run("ja_JP.UTF-8", &["--help"]).stdout);
    let english = text(&run("C", &["--help"]).stdout);
    assert!(japanese.contains("使い方:") && japanese.contains("ハブを動かす"), "{japanese}");
    assert!(english.contains("Usage:") && english.contains("run the hub"), "{english}");
    for command in ["serve", "migrate", "keys", "agency", "import"] {
        for (locale, word) in [("ja_JP.UTF-8", "この説明を表示する"), ("C", "print this help")] {
            let help = run(locale, &[command, "--help"]);
            assert_eq!(help.status.code(), Some(0));
            assert!(text(&help.stdout).contains(word), "{command}: {}", text(&help.stdout));
        }
    }
    let wrong = run("ja_JP.UTF-8", &["serve", "--dta", "x"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).contains("--dta"), "{}", text(&wrong.stderr));
    assert_eq!(run("C", &[]).status.code(), Some(2));
}

#[test]
fn a_wrong_configuration_is_wrong_use() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tsunagu.toml");
    std::fs::write(&file, "[token]\nseconds = 6000\n").unwrap();
    for (locale, word) in
        [("C", "between 60 and 600"), ("ja_JP.UTF-8", "設定 token.seconds が正しくありません")]
    {
        let refused = run(locale, &["serve", "--config", file.to_str().unwrap()]);
        assert_eq!(refused.status.code(), Some(2));
        assert!(text(&refused.stderr).contains(word), "{}", text(&refused.stderr));
    }
}

#[test]
fn an_operator_makes_a_clusters_keys_once_and_months_ahead() {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    let run = |arguments: &[&str]| {
        let mut command = tsunagu("C", arguments);
        command.env("TSUNAGU__HUB__MODE", "clustered").env("TSUNAGU__VAULT__FOLDER", &keys);
        command.output().unwrap()
    };
    let made = run(&["keys", "init"]);
    assert!(made.status.success() && text(&made.stdout).contains("fingerprint: "), "{}", text(&made.stderr));
    let again = run(&["keys", "init"]);
    assert_eq!(again.status.code(), Some(2));
    assert!(text(&again.stderr).contains("already holds a root key"), "{}", text(&again.stderr));
    let months = run(&["keys", "agency", KEY, "--months", "2"]);
    assert!(text(&months.stdout).contains(": 3 made"), "{}{}", text(&months.stdout), text(&months.stderr));
    assert!(text(&run(&["keys", "agency", KEY, "--months", "2"]).stdout).contains(": 0 made"));
    assert_eq!(std::fs::read_dir(keys.join("kek").join(KEY)).unwrap().count(), 3);
    let embedded =
        tsunagu("C", &["keys", "init", "--data", folder.path().to_str().unwrap()]).output().unwrap();
    assert_eq!(embedded.status.code(), Some(2), "an embedded hub makes its own");
}

#[tokio::test]
async fn everybody_may_ask_how_the_hub_is_and_nothing_may_be_kept() {
    let (_folder, hub) = started().await;
    for (path, schema) in [
        ("/healthz", Some(Schema::Health)),
        ("/readyz", Some(Schema::Health)),
        ("/openapi.json", None),
        ("/.well-known/jwks.json", None),
        ("/nowhere", Some(Schema::Problem)),
    ] {
        let answer = reqwest::get(url(&hub, path)).await.unwrap();
        assert_eq!(answer.status().as_u16(), if path == "/nowhere" { 404 } else { 200 }, "{path}");
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ] {
            assert_eq!(answer.headers()[name], value, "{path}");
        }
        assert_eq!(answer.headers()["x-request-id"].len(), 36, "{path}");
        let body: Value = answer.json().await.unwrap();
        assert_eq!(schema.map_or(Ok(()), |schema| schema.check(&body)), Ok(()), "{path}");
        match path {
            "/readyz" => assert_eq!(body["status"], "ok", "{body}"),
            "/openapi.json" => assert!(
                TABLE.iter().all(|row| body["paths"][row.path].is_object() == (row.access != Access::Page))
            ),
            "/.well-known/jwks.json" => assert_eq!(body["keys"].as_array().unwrap().len(), 2),
            _ => {}
        }
    }
    hub.stop().await;
}

#[tokio::test]
async fn a_method_that_a_path_has_not_is_told_those_it_has() {
    let (_folder, hub) = started().await;
    let client = reqwest::Client::new();
    for (method, path, allowed) in [
        ("DELETE", "/healthz", "GET"),
        ("GET", "/v1/token", "POST"),
        ("PATCH", "/v1/staff", "POST, GET"),
        ("YAMADA", "/v1/agencies/x", "GET"),
    ] {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let answer = client.request(method, url(&hub, path)).send().await.unwrap();
        assert_eq!(answer.status(), 405, "{path}");
        let mut found: Vec<_> = answer.headers()["allow"].to_str().unwrap().split(", ").collect();
        let mut allowed: Vec<_> = allowed.split(", ").collect();
        found.sort_unstable();
        allowed.sort_unstable();
        assert_eq!(found, allowed, "{path}");
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["type"], "urn:tsunagu:problem:method-not-allowed");
    }
    hub.stop().await;
}

#[tokio::test]
async fn a_token_is_got_by_form_or_basic_and_a_body_beyond_the_limit_is_refused() {
    let (_folder, hub) = started().await;
    let new = NewAgency {
        kind: AgencyKind::Npo,
        name: "試験".to_owned(),
        municipality: "141011".parse().unwrap(),
        corporate_number: None,
        body: Some(Body::Private),
        contractor_of: None,
    };
    let (id, secret) = add_agency(&hub.context(), new).await.unwrap();
    let client = reqwest::Client::new();
    let form =
        [("grant_type", "client_credentials")].map(|(name, value)| format!("{name}={value}")).join("&");
    let post = |body: String| {
        let media = "application/x-www-form-urlencoded";
        client.post(url(&hub, "/v1/token")).header("content-type", media).body(body)
    };
    let by_form =
        post(format!("{form}&client_id={id}&client_secret={}", secret.reveal())).send().await.unwrap();
    assert_eq!(by_form.status(), 200);
    assert_eq!(by_form.headers()["pragma"], "no-cache");
    let by_basic = post(form.clone()).basic_auth(id, Some(secret.reveal())).send().await.unwrap();
    let token: Value = by_basic.json().await.unwrap();
    assert_eq!(Schema::Token.check(&token), Ok(()));

    let wrong = post(form.clone()).basic_auth(id, Some("wrong")).send().await.unwrap();
    assert_eq!(wrong.status(), 401);
    assert!(wrong.headers()["www-authenticate"].to_str().unwrap().starts_with("Basic "));
    assert_eq!(wrong.json::<Value>().await.unwrap()["error"], "invalid_client");
    for (body, error) in [
        ("", "invalid_request"),
        ("grant_type=password", "unsupported_grant_type"),
        ("grant_type=client_credentials&grant_type=client_credentials", "invalid_request"),
        ("grant_type=client_credentials&scope=all", "invalid_scope"),
    ] {
        let refused = post(body.to_owned()).send().await.unwrap();
        assert_eq!(refused.status(), 400, "{body}");
        assert_eq!(refused.json::<Value>().await.unwrap()["error"], error, "{body}");
    }

    let bearer = token["access_token"].as_str().unwrap();
    let large = "x".repeat(hub.context().settings.body_limit + 1);
    let referral = client.post(url(&hub, "/v1/referrals")).header("content-type", "application/json");
    let referral = referral.header("idempotency-key", "k").bearer_auth(bearer).body(large.clone());
    for request in [referral, post(large)] {
        let refused = request.send().await.unwrap();
        assert_eq!(refused.status(), 413);
        assert_eq!(refused.json::<Value>().await.unwrap()["type"], "urn:tsunagu:problem:too-large");
    }
    hub.stop().await;
}

#[tokio::test]
async fn an_agency_is_added_beside_a_running_hub_and_the_log_keeps_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let served = Served::start(&data);
    let words =
        ["agency", "add", "--kind", "npo", "--name", "試験", "--municipality", "14101", "--body", "private"];
    let added = run("C", &[&words[..], &["--data", data.to_str().unwrap()]].concat());
    assert!(added.status.success(), "{}", text(&added.stderr));
    let said = text(&added.stdout);
    let value = |name: &str| said.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
    let (id, secret) = (value("client_id="), value("client_secret="));
    let client = reqwest::Client::new();
    let token = client
        .post(format!("http://{}/v1/token", served.address))
        .header("content-type", "application/x-www-form-urlencoded")
        .body("grant_type=client_credentials")
        .basic_auth(id, Some(&secret));
    let token: Value = token.send().await.unwrap().json().await.unwrap();
    let token = token["access_token"].as_str().unwrap().to_owned();
    let asked = client.get(format!("http://{}/v1/agencies?himitsu=himitsu", served.address));
    assert_eq!(asked.bearer_auth(&token).send().await.unwrap().status(), 400);
    served.signal("-INT");
    let (code, log) = served.ended();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("route=\"/v1/agencies\" status=400"), "{log}");
    for hidden in [secret.as_str(), token.as_str(), "himitsu"] {
        assert!(!log.contains(hidden), "{log}");
    }
}

#[tokio::test]
async fn a_clustered_hub_starts_beside_another_and_accepts_before_its_broker_is_there() {
    let Some(database) = support::database::TestDatabase::new() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut config = embedded(&folder.path().join("data"));
    config.hub.mode = Mode::Clustered;
    config.ledger.url = Secret::new(database.url.clone());
    config.amqp.url = Secret::new("amqp://nobody:nothing@127.0.0.1:1/none".to_owned());
    let refused = Hub::start(config.clone(), Clock::System).await.err().unwrap();
    assert!(matches!(refused, StartError::NoKeys { .. }), "{refused}");
    Vault::create(&config.vault.folder, KEY.parse().unwrap(), KeyMaking::Allowed).unwrap();
    let (one, other) =
        tokio::join!(Hub::start(config.clone(), Clock::System), Hub::start(config.clone(), Clock::System));
    for hub in [one.unwrap(), other.unwrap()] {
        let ready = reqwest::get(url(&hub, "/readyz")).await.unwrap();
        assert_eq!(ready.status(), 200);
        assert_eq!(ready.json::<Value>().await.unwrap()["status"], "degraded");
        hub.stop().await;
    }
    let Some(vhost) = support::broker::TestVhost::new() else { return };
    config.amqp.url = Secret::new(vhost.url.clone());
    let hub = Hub::start(config, Clock::System).await.unwrap();
    let linked = async {
        while reqwest::get(url(&hub, "/readyz")).await.unwrap().json::<Value>().await.unwrap()["status"]
            != "ok"
        {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), linked).await.expect("the broker is there");
    hub.stop().await;
}
