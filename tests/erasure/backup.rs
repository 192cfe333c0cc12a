//! A ledger is restored from a backup that is older than an erasure: of a thousand words none comes back, neither
//! through the hub nor by trying every key there is on every wrap.

use std::{fs, path::Path, time::Duration};

use serde_json::json;
use tsunagu::{
    domain::ids::AgencyId,
    ledger::{content::DataKeyRow, keyring::Place},
    usecases::keyring::Keyring,
    vault::{KeyMaking, Vault, seal::Slot},
};

use super::{
    exchange::{move_all, operator, retire},
    retention::{Officers, seven_years_pass},
};
use crate::support::{
    cast::Cast,
    town::{Agency, Town, tables},
};

const REFERRALS: usize = 25;
/// In each of them.
const WORDS: usize = 40;

struct Written {
    referral: String,
    leg: String,
    delivery: String,
}

fn word(referral: usize, number: usize) -> String {
    format!("カナリア{referral:02}{number:02}")
}

/// A thousand words in twenty-five referrals, each cancelled.
async fn write(cast: &Cast, town: &Town) -> Vec<Written> {
    let consent = cast.consent(town, &[&cast.nursery]).await;
    let mut written = Vec::new();
    for referral in 0..REFERRALS {
        let mut paper = town.introduction(&cast.writer, &consent, &[&cast.nursery]);
        let words: Vec<String> = (0..WORDS).map(|number| word(referral, number)).collect();
        paper["content"]["narrative"][0]["text"] = json!(words.join("、"));
        let sent = cast.site.submit(&paper).await;
        let one = Written {
            referral: sent.at("/id"),
            leg: sent.at("/legs/0/id"),
            delivery: sent.at("/legs/0/delivery"),
        };
        written.push(one);
    }
    written
}

/// The ledger as it is now, laid aside.
enum Backup {
    File(std::path::PathBuf),
    /// A second schema of the same database.
    Schema,
}

impl Backup {
    async fn take(town: &Town) -> Self {
        let Some(database) = town.database() else {
            let file = town.folder().join("backup.db");
            town.by_hand(format!("VACUUM INTO '{}'", file.display())).await;
            return Self::File(file);
        };
        database.query("CREATE SCHEMA backup");
        for table in tables() {
            database.query(&format!("CREATE TABLE backup.{table} AS TABLE public.{table}"));
        }
        Self::Schema
    }

    /// Puts it in the ledger's place. The hub does not run.
    fn restore(&self, town: &Town) {
        match self {
            Self::File(file) => {
                for end in ["-wal", "-shm"] {
                    let _not_there = fs::remove_file(town.data().join(format!("ledger.db{end}")));
                }
                fs::copy(file, town.data().join("ledger.db")).unwrap();
            }
            Self::Schema => {
                let database = town.database().unwrap();
                let tables: Vec<String> = tables()
                    .into_iter()
                    .filter(|table| !["agency", "staff", "hub"].contains(&table.as_str()))
                    .collect();
                let rows = |table: &String| {
                    format!("TRUNCATE public.{table}; INSERT INTO public.{table} TABLE backup.{table};")
                };
                database.query(&format!("BEGIN; {} COMMIT", tables.iter().map(rows).collect::<String>()));
            }
        }
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// How many of the words are found by trying every key of this key store on every one of these wraps, and every data
/// key that opens on every section. The store's shred list is left out: the search takes no notice of it.
fn recovered(folder: &Path, wraps: &[DataKeyRow], sealed: &[(String, AgencyId, Vec<u8>)]) -> usize {
    let aside = tempfile::tempdir().unwrap();
    let store = aside.path().join("keys");
    copy_folder(folder, &store);
    let _no_list = fs::remove_dir_all(store.join("shred"));
    let vault = Vault::open(&store, KeyMaking::Forbidden).unwrap();
    let keys = vault.all_keks().unwrap();
    let mut texts = String::new();
    for wrap in wraps {
        for (agency, month) in
            keys.iter().flat_map(|(agency, months)| months.iter().map(move |m| (*agency, m)))
        {
            let Ok(key) = vault.unwrap(wrap.id, agency, month, &wrap.wrapped) else { continue };
            for (referral, owner, bytes) in sealed {
                let object = referral.parse().unwrap();
                let slot = Slot { table: "content", owner: *owner, object, part: "narrative", seq: 1 };
                if let Ok(plain) = key.open(&slot, bytes) {
                    texts.push_str(&String::from_utf8(plain).unwrap());
                }
            }
        }
    }
    let words = (0..REFERRALS).flat_map(|referral| (0..WORDS).map(move |number| word(referral, number)));
    words.filter(|word| texts.contains(word)).count()
}

pub async fn a_restored_ledger_brings_nothing_back(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    let officers = Officers::of(site).await;
    let written = write(&cast, town).await;
    for one in &written {
        site.act(&one.leg, "cancel", &json!({"by": writer})).await.good();
    }
    seven_years_pass(town).await;
    let keys = town.config.vault.folder.clone();
    let then = town.folder().join("keys-then");
    copy_folder(&keys, &then);
    let backup = Backup::take(town).await;

    // What an attacker has: every wrap and every sealed section of the backup.
    let hub = town.context();
    let wraps = hub.ledger.old_wraps("999999", &Place::default(), 1000).await.unwrap();
    let owner: AgencyId = site.id.parse().unwrap();
    let mut sealed = Vec::new();
    for one in &written {
        let parts = hub.ledger.content(one.referral.parse().unwrap()).await.unwrap();
        let part = parts.into_iter().find(|part| part.part == "narrative").unwrap();
        sealed.push((one.referral.clone(), owner, part.sealed));
    }
    drop(hub);
    assert_eq!(recovered(&then, &wraps, &sealed), REFERRALS * WORDS, "the search finds what can be found");

    for one in &written {
        officers.erase(site, &one.referral).await.good();
    }
    if town.database().is_none() {
        let log = fs::metadata(town.data().join("ledger.db-wal")).map_or(0, |file| file.len());
        println!("the log beside the ledger holds {log} bytes");
    }

    // The backup comes back under the present key store: the shred list is applied before the hub opens.
    town.stop().await;
    backup.restore(town);
    town.restart().await;
    let hub = town.context();
    let left = hub.ledger.old_wraps("999999", &Place::default(), 1000).await.unwrap();
    assert_eq!(left.len(), wraps.len() - 2 * REFERRALS, "no wrap of what was erased is there");
    for one in &written {
        let (read, opened) = (site.referral(&one.referral).await, nursery.open(&one.delivery, clerk).await);
        assert_eq!((read.code(), opened.code()), (410, 410), "{}", read.text());
        assert_eq!(nursery.ladder(&one.leg).await, ["R0", "R1", "closed"]);
        let view = officers.retention(site, &one.referral).await;
        assert!(view["erased"]["at"].is_string(), "{view}");
    }
    assert_eq!(officers.erase(site, &written[0].referral).await.code(), 410);

    // The keys of that time are retired: the backup alone opens nothing, whatever is tried.
    town.advance(Duration::from_secs(40 * 24 * 3600));
    let operator = operator(town);
    move_all(&operator).await;
    let mut keyring = Keyring::new(&hub);
    keyring.refresh(&hub).await.unwrap();
    let fates = retire(&operator).await;
    assert!(
        !fates.is_empty() && fates.iter().all(|fate| *fate == tsunagu::usecases::rewrap::Fate::Retired),
        "{fates:?}"
    );
    assert_eq!(recovered(&keys, &wraps, &sealed), 0);
    drop((hub, operator));
    cast.everybody()
}
