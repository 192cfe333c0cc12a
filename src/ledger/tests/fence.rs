//! One database, one hub: what belongs to another is refused before anything is read or written.

use super::{Stage, rows, stories, stories_on_postgres};
use crate::ledger::{Dialect, Fence, Ledger, LedgerError, Mode, Settings};

stories!(a_database_belongs_to_one_hub, hubs_that_start_together_agree, a_newer_schema_is_refused);

const OURS: Fence<'static> = Fence { hub_id: "hub-1", mode: Mode::Embedded, root_fingerprint: "aa11" };

async fn claim(stage: &Stage, fence: &Fence<'_>) -> Result<(), String> {
    match Ledger::claim(&stage.url, fence, rows::at(0)).await {
        Ok(()) => Ok(()),
        Err(LedgerError::Refused(why)) => Err(why),
        Err(error) => panic!("{error}"),
    }
}

async fn a_database_belongs_to_one_hub(stage: Stage) {
    Ledger::migrate(&stage.url).await.unwrap();
    assert_eq!(claim(&stage, &OURS).await, Ok(()));
    assert_eq!(claim(&stage, &OURS).await, Ok(()), "a restart");
    let others = [
        (Fence { mode: Mode::Clustered, ..OURS }, "clustered"),
        (Fence { root_fingerprint: "bb22", ..OURS }, "root key"),
        (Fence { hub_id: "hub-2", ..OURS }, "different hubs"),
    ];
    for (other, why) in others {
        let refused = claim(&stage, &other).await.unwrap_err();
        assert!(refused.contains(why), "{refused}");
    }
    assert_eq!(claim(&stage, &OURS).await, Ok(()), "who was refused changed nothing");
    assert_eq!(stage.count("hub").await, 1);
}

async fn hubs_that_start_together_agree(stage: Stage) {
    Ledger::migrate(&stage.url).await.unwrap();
    let names: Vec<String> = (0..8).map(|n| format!("hub-{n}")).collect();
    let fences: Vec<Fence> = names.iter().map(|name| Fence { hub_id: name, ..OURS }).collect();
    let claims = futures_util::future::join_all(fences.iter().map(|fence| claim(&stage, fence))).await;
    assert_eq!(claims.iter().filter(|claim| claim.is_ok()).count(), 1, "{claims:?}");
}

async fn a_newer_schema_is_refused(stage: Stage) {
    Ledger::migrate(&stage.url).await.unwrap();
    claim(&stage, &OURS).await.unwrap();
    stage.run("UPDATE hub SET min_reader = min_reader + 1").await.unwrap();
    let refused = claim(&stage, &OURS).await.unwrap_err();
    assert!(refused.contains("newer"), "{refused}");
    stage.run("UPDATE hub SET min_reader = 0").await.unwrap();
    assert_eq!(claim(&stage, &OURS).await, Ok(()), "an older schema can be read");
}

#[tokio::test]
async fn what_is_no_ledger_is_refused() {
    let memory = [
        "sqlite::memory:",
        "sqlite://:memory:?cache=shared",
        "sqlite:x?mode=memory",
        "sqlite:",
        "sqlite://?a=b",
    ];
    let strangers = ["mysql://h/d", "postgre://h/d", "", "/tmp/x"];
    for url in memory.into_iter().chain(strangers) {
        let settings = Settings { url: url.to_owned(), committers: 1, readers: 1, waiting: 1 };
        let opened = Ledger::open(&settings).await.map(|_| ());
        let claimed = Ledger::claim(url, &OURS, rows::at(0)).await;
        for refused in [opened, Ledger::migrate(url).await, claimed] {
            assert!(matches!(refused, Err(LedgerError::Refused(_))), "{url}: {refused:?}");
        }
    }
}

/// Opening what is not there must not make a new, empty ledger.
#[tokio::test]
async fn a_file_that_is_not_there_is_not_opened() {
    let stage = Stage::sqlite();
    let url = stage.url.replace("?mode=rwc", "");
    let settings = Settings { url, committers: 1, readers: 1, waiting: 1 };
    assert!(matches!(Ledger::open(&settings).await, Err(LedgerError::Unavailable(_))));
}

mod floors {
    use super::*;

    stories_on_postgres!(a_database_that_sorts_by_a_language_is_refused);

    async fn a_database_that_sorts_by_a_language_is_refused(stage: Stage) {
        let name = format!("{}_utf", stage.ask("SELECT current_database()"));
        let made = "TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'";
        stage.ask(&format!("CREATE DATABASE {name} {made}"));
        let (server, _) = stage.url.rsplit_once('/').unwrap();
        let refused = Ledger::migrate(&format!("{server}/{name}")).await;
        stage.ask(&format!("DROP DATABASE {name}"));
        assert_eq!(stage.dialect, Dialect::Postgres);
        assert!(
            matches!(&refused, Err(LedgerError::Refused(why)) if why.contains("collation")),
            "{refused:?}"
        );
    }
}
