//! Collects what the hub signed, leaves it in the folder, and checks it with the public keys alone.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::{
    super::{Said, Stopped},
    board::Row,
    stage::Stage,
};
use crate::{
    usecases::verify::verify,
    vault::jws::{Jwks, Typ, verify_jws},
};

/// How long a doorbell or a mail may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);
pub(super) const GLANCE: Duration = Duration::from_millis(100);

/// How much was found, and what is wrong with it.
pub(super) struct Checked {
    pub statements: usize,
    pub manifests: usize,
    pub mails: usize,
    /// What is not as it should be; empty if all is.
    pub complaints: Vec<Said>,
}

/// What was collected of all legs.
#[derive(Default)]
struct Collected {
    statements: Vec<String>,
    manifests: Vec<String>,
}

/// Fetches every statement over the API, writes it down and checks everything.
///
/// # Errors
/// The hub does not give what it must, or the folder cannot be written.
pub(super) async fn check(stage: &mut Stage) -> Result<Checked, Stopped> {
    let mut complaints = Vec::new();
    for row in 0..stage.board.rows.len() {
        stage.refresh(row).await?;
    }
    stage.listen().await?;
    for row in stage.board.rows.iter().filter(|row| row.rung.is_none()) {
        complaints.push(Said::new(
            format!("宛先 {} の着信通知が鳴りませんでした。", row.leg),
            format!("the doorbell of leg {} was not rung", row.leg),
        ));
    }
    let jwks = stage.api.public("/.well-known/jwks.json").await?.text;
    write(&stage.data.join("jwks.json"), &jwks)?;
    let collected = collect(stage, &mut complaints).await?;
    signatures(stage, &jwks, &collected, &mut complaints);
    for row in stage.board.rows.iter().filter(|row| !row.is_as_expected()) {
        let (leg, state, expected) = (row.leg, row.state, row.expected.0);
        complaints.push(Said::new(
            format!("場面{}の宛先 {leg} は「{state}」です（「{expected}」のはずでした）。", row.scene),
            format!(
                "scene {}: leg {leg} is {state} on the rungs {:?}, not {expected}",
                row.scene,
                row.ladder.keys()
            ),
        ));
    }
    let Mail { letters: mails, missing } = wait_for_mail(stage).await?;
    if missing > 0 {
        complaints.push(Said::new(
            format!("至急のメールが{missing}件届いていません。"),
            format!("{missing} urgent mails have not been written"),
        ));
    }
    let Collected { statements, manifests } = collected;
    Ok(Checked { statements: statements.len(), manifests: manifests.len(), mails, complaints })
}

/// Both parties' evidence of every leg. They have to agree but for the sender's own copy of R0.
async fn collect(stage: &Stage, complaints: &mut Vec<Said>) -> Result<Collected, Stopped> {
    let (receipts, manifests) = (folder(&stage.data, "receipts")?, folder(&stage.data, "manifests")?);
    let mut collected = Collected::default();
    for row in &stage.board.rows {
        let leg = row.leg;
        let mut own = stage.evidence(row.sender, Some(&row.writer), leg).await?;
        let theirs = stage.evidence(row.recipient, None, leg).await?;
        let sender_copy = own.as_object_mut().and_then(|own| own.remove("sender_copy"));
        if own != theirs {
            complaints.push(Said::new(
                format!("宛先 {leg} の受領証が、差出機関と宛先機関で違います。"),
                format!("leg {leg}: the parties were given different receipts"),
            ));
        }
        let levels = own["receipts"].as_array().into_iter().flatten();
        let mut named: Vec<(String, &Value)> =
            levels.map(|one| (one["level"].as_str().unwrap_or_default().to_owned(), &one["jws"])).collect();
        let events = own["events"].as_array().into_iter().flatten().enumerate();
        named.extend(events.map(|(place, jws)| (format!("event{}", place + 1), jws)));
        named.extend(sender_copy.iter().map(|jws| ("R0-sender".to_owned(), jws)));
        for (name, jws) in named {
            let jws = jws.as_str().unwrap_or_default();
            write(&receipts.join(format!("{leg}-{name}.jws")), jws)?;
            collected.statements.push(jws.to_owned());
        }
        if let Some(manifest) = own["manifest"].as_str() {
            write(&manifests.join(format!("{leg}.jws")), manifest)?;
            collected.manifests.push(manifest.to_owned());
        }
    }
    Ok(collected)
}

/// Checks every statement as somebody would who trusts nothing but the published keys.
fn signatures(stage: &Stage, jwks: &str, collected: &Collected, complaints: &mut Vec<Said>) {
    let keys = serde_json::from_str::<Value>(jwks).ok().and_then(|set| Jwks::parse(&set).ok());
    let Some(keys) = keys else {
        complaints.push(Said::new(
            "公開鍵の一覧（jwks.json）を読めません。",
            "the key set (jwks.json) cannot be read",
        ));
        return;
    };
    let statements: Vec<&str> = collected.statements.iter().map(String::as_str).collect();
    let manifests: Vec<&str> = collected.manifests.iter().map(String::as_str).collect();
    let report = verify(&keys, &statements, &manifests);
    for fault in &report.faults {
        complaints.push(Said::new(
            format!("受領証の検証に失敗しました: {}（{:?}）", fault.code.label_ja(), fault.item),
            format!("a receipt does not verify: {} ({:?})", fault.code.label_en(), fault.item),
        ));
    }
    let proved: BTreeSet<_> = report.legs.iter().map(|leg| leg.leg).collect();
    for row in stage.board.rows.iter().filter(|row| !proved.contains(&row.leg)) {
        complaints.push(Said::new(
            format!("宛先 {} の受領証がありません。", row.leg),
            format!("leg {} has no receipts", row.leg),
        ));
    }
    let unsigned = stage.refusals.iter().filter(|jws| verify_jws(&keys, jws, Typ::Refusal).is_err()).count();
    if stage.refusals.is_empty() || unsigned > 0 {
        complaints.push(Said::new("署名つきの拒否を検証できません。", "a signed refusal does not verify"));
    }
}

/// The mail that has been written.
pub(super) struct Mail {
    pub letters: usize,
    /// Desks on duty that were given a notice and have no urgent mail.
    pub missing: usize,
}

/// Waits until every desk on duty that was given a notice has its urgent mail.
///
/// # Errors
/// The mail folder cannot be read.
pub(super) async fn wait_for_mail(stage: &Stage) -> Result<Mail, Stopped> {
    let desk =
        |row: &Row| stage.cast.get(row.recipient).role.mail.filter(|mail| mail.duty_desk && row.is_notice());
    let desks: BTreeSet<&str> = stage.board.rows.iter().filter_map(desk).map(|mail| mail.address).collect();
    let until = Instant::now() + PATIENCE;
    loop {
        let letters = letters(&stage.data.join("mail"))?;
        let missing =
            desks.iter().filter(|desk| !letters.iter().any(|letter| letter.contains(**desk))).count();
        if missing == 0 || Instant::now() >= until {
            return Ok(Mail { letters: letters.len(), missing });
        }
        sleep(GLANCE).await;
    }
}

/// Every mail in the folder.
fn letters(mail: &Path) -> Result<Vec<String>, Stopped> {
    let mut letters = Vec::new();
    let entries = match fs::read_dir(mail) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(letters),
        Err(error) => return Err(unwritable(mail, &error)),
    };
    for entry in entries {
        let path = entry.map_err(|error| unwritable(mail, &error))?.path();
        if path.extension().is_some_and(|extension| extension == "eml") {
            letters.push(fs::read_to_string(&path).map_err(|error| unwritable(&path, &error))?);
        }
    }
    Ok(letters)
}

fn folder(data: &Path, name: &str) -> Result<PathBuf, Stopped> {
    let path = data.join(name);
    fs::create_dir_all(&path).map_err(|error| unwritable(&path, &error))?;
    Ok(path)
}

fn write(path: &Path, text: &str) -> Result<(), Stopped> {
    fs::write(path, text).map_err(|error| unwritable(path, &error))
}

pub(super) fn unwritable(path: &Path, error: &io::Error) -> Stopped {
    let path = path.display();
    Stopped::failed(Said::new(
        format!("{path} を使えません: {error}\n所有者・権限・空き容量を確かめてください。"),
        format!("{path} cannot be used: {error}; check its owner, its rights and the disk"),
    ))
}
