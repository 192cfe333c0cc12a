//! `tsunagu doctor`: a healthy hub, and each thing that can be wrong, found and named with what to do.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is the point")]

mod support;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
};

use support::{
    servers::Smtp,
    town::{Engine, Town},
};
use tsunagu::{
    config::{Config, MailTransport},
    domain::agency::AgencyKind,
    hub::doctor::{Finding, Grade, examine},
    transport::{Line, amqp::queue_name},
};

/// The command as a process; in English, so that a word can be looked for.
fn doctor(data: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tsunagu"));
    command.args(["doctor", "--data"]).arg(data).env("LC_ALL", "C").output().unwrap()
}

fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned()).concat()
}

async fn bad(town: &Town, config: &Config) -> Vec<Finding> {
    let findings = examine(config, &town.clock).await;
    findings.into_iter().filter(|finding| finding.grade() == Grade::Bad).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_healthy_hub_is_found_healthy_running_or_not_and_nothing_is_changed() {
    for engine in Engine::BOTH {
        let Some(mut town) = Town::on(engine).await else { continue };
        town.agency(AgencyKind::Nursery).await;
        let before = town.rows().await;
        for running in [true, false] {
            let findings = examine(&town.config, &town.clock).await;
            let worst = findings.iter().map(Finding::grade).max();
            // Mail into a folder is worth a notice.
            assert_eq!(worst, Some(Grade::Notice), "{engine:?} {findings:#?}");
            let seen =
                findings.iter().any(|finding| matches!(finding, Finding::DataFolder { running: true, .. }));
            assert_eq!(seen, running && engine == Engine::Embedded);
            town.stop().await;
        }
        assert_eq!(town.rows().await, before);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_ends_with_nought_for_a_healthy_hub_alone_and_says_what_to_do() {
    let mut town = Town::embedded().await;
    let data = town.data();
    town.stop().await;
    let healthy = doctor(&data);
    assert_eq!(healthy.status.code(), Some(0), "{}", said(&healthy));
    assert!(said(&healthy).contains("the hub is healthy"), "{}", said(&healthy));

    let nowhere = doctor(&town.folder().join("nowhere"));
    assert_eq!(nowhere.status.code(), Some(1));
    assert!(said(&nowhere).contains("start it with: tsunagu serve"), "{}", said(&nowhere));
    assert!(!town.folder().join("nowhere").exists(), "looking makes nothing");

    fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).unwrap();
    let open = doctor(&data);
    assert_eq!(open.status.code(), Some(1));
    assert!(said(&open).contains("chmod go="), "{}", said(&open));
    fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).unwrap();

    fs::rename(data.join("keys"), town.folder().join("lost")).unwrap();
    let lost = doctor(&data);
    assert_eq!(lost.status.code(), Some(1));
    assert!(said(&lost).contains("restore the key folder"), "{}", said(&lost));
    assert!(!data.join("keys").exists());
    fs::rename(town.folder().join("lost"), data.join("keys")).unwrap();
    assert_eq!(doctor(&data).status.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_clustered_hub_lacks_is_named() {
    let Some(town) = Town::on(Engine::Clustered).await else { return };
    let agency = town.agency(AgencyKind::Nursery).await;
    agency.put("/v1/subscriptions/amqp", &serde_json::json!({"mode": "doorbell"})).await.good();
    let queue = queue_name(agency.id.parse().unwrap(), Line::Inbox);

    let mut elsewhere = town.config.clone();
    let without_vhost = elsewhere.amqp.url.expose().rsplit_once('/').unwrap().0.to_owned();
    elsewhere.amqp.url = tsunagu::config::Secret::new(format!("{without_vhost}/nowhere"));
    let found = bad(&town, &elsewhere).await;
    assert!(matches!(found[..], [Finding::BrokerUnreached(_)]), "{found:#?}");

    let broker = |findings: Vec<Finding>| {
        findings.into_iter().find_map(|finding| match finding {
            Finding::Broker(seen) => Some(seen),
            _ => None,
        })
    };
    // The supervisor declares the queue a moment after the subscription.
    let mut seen = broker(examine(&town.config, &town.clock).await).unwrap();
    for _ in 0..50 {
        if seen.missing.is_empty() {
            break;
        }
        assert_eq!(seen.missing, [queue.as_str()]);
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        seen = broker(examine(&town.config, &town.clock).await).unwrap();
    }
    assert_eq!(seen.waiting, [(queue, 0)]);

    // The agency's key of this month is taken away: nothing can be sealed for it any more.
    let folder = town.config.vault.folder.join("kek");
    for entry in walk(&folder) {
        if entry.to_string_lossy().contains(&agency.id) {
            fs::remove_file(entry).unwrap();
        }
    }
    let found = bad(&town, &town.config).await;
    let [Finding::MonthlyKeys(keys)] = &found[..] else { panic!("{found:#?}") };
    assert_eq!(keys.none, [agency.id.parse().unwrap()]);
}

/// Every file below a folder.
fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(walk(&path)) } else { files.push(path) }
    }
    files
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_server_is_signed_in_to_and_one_that_is_away_is_found() {
    let Some(smtp) = Smtp::from_env() else { return };
    let town = Town::embedded().await;
    let mut config = town.config.clone();
    config.mail.transport = MailTransport::Smtp;
    (config.mail.smtp_host, config.mail.smtp_port) = (smtp.host.clone(), smtp.port);
    config.mail.ca_file = smtp.ca.clone();
    assert!(bad(&town, &config).await.is_empty());
    let findings = examine(&config, &town.clock).await;
    assert!(findings.iter().all(|finding| finding.grade() == Grade::Good), "{findings:#?}");
    // A certificate nobody vouches for, and a port where nobody listens.
    let mut untrusted = config.clone();
    untrusted.mail.ca_file = "".into();
    config.mail.smtp_port = 1;
    for config in [untrusted, config] {
        let found = bad(&town, &config).await;
        assert!(matches!(found[..], [Finding::MailRefused(_)]), "{found:#?}");
    }
}

#[test]
fn figures_are_graded_by_what_they_mean() {
    use jiff::SignedDuration as Duration;
    let gib = 1u64 << 30;
    let clock = |seconds| Finding::Clock { ahead: Duration::from_secs(seconds) };
    let work = |dead, seconds| Finding::Work { dead, late: Duration::from_secs(seconds) };
    for (finding, grade) in [
        (Finding::Disk { free: gib - 1, whole: 2 * gib }, Grade::Bad),
        (Finding::Disk { free: 5 * gib, whole: 100 * gib }, Grade::Notice),
        (Finding::Disk { free: 50 * gib, whole: 100 * gib }, Grade::Good),
        (clock(-6), Grade::Bad),
        (clock(3), Grade::Notice),
        (clock(-1), Grade::Good),
        (work(0, 301), Grade::Bad),
        (work(1, 0), Grade::Notice),
        (work(0, 300), Grade::Good),
        (Finding::Schema { to_apply: 1, unknown: 0 }, Grade::Notice),
        (Finding::Schema { to_apply: 0, unknown: 0 }, Grade::Good),
    ] {
        assert_eq!(finding.grade(), grade, "{finding:?}");
    }
}
