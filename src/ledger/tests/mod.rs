//! The ledger's contract, told as stories that both engines must hold.
//!
//! SQLite is always there. PostgreSQL is where `HUB_TEST_PG` says (`scripts/servers start`); without it that
//! half of each story says that it was skipped. Here, and only here, texts of SQL are put together at run
//! time: to look at the database from outside, or to disturb it.

mod arrangements;
mod batches;
mod cases;
mod contention;
mod evidence;
mod fence;
mod hand_overs;
mod interruptions;
mod jobs;
mod migrations;
mod protections;
mod relay;
mod rows;
mod scope;
mod statements;
mod support;
mod values;

use std::{collections::BTreeSet, future::poll_fn, pin::Pin, task::Poll};

use futures_util::future::join_all;
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _};
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::{Committer, Dialect, Done, Ledger, Settings, Write, WriteError, connect};
use support::database::TestDatabase;

/// Makes of each story two tests, `sqlite::…` and `postgres::…`, each with an empty database of its own.
macro_rules! stories {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            use crate::ledger::tests::Stage;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(Stage::sqlite()).await;
            })+
        }
        $crate::ledger::tests::stories_on_postgres!($($name),+);
    };
}

/// Stories of what SQLite does not have: sessions, other committers, a network.
macro_rules! stories_on_postgres {
    ($($name:ident),+ $(,)?) => {
        mod postgres {
            use crate::ledger::tests::Stage;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let Some(stage) = Stage::postgres() else { return };
                super::$name(stage).await;
            })+
        }
    };
}

use {stories, stories_on_postgres};

/// A database of a story's own. It goes when the story ends.
struct Stage {
    url: String,
    dialect: Dialect,
    home: Home,
}

enum Home {
    File(TempDir),
    Server(TestDatabase),
}

impl Stage {
    fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}?mode=rwc", folder.path().join("ledger.sqlite").display());
        Self { url, dialect: Dialect::Sqlite, home: Home::File(folder) }
    }

    fn postgres() -> Option<Self> {
        let database = TestDatabase::new()?;
        Some(Self { url: database.url.clone(), dialect: Dialect::Postgres, home: Home::Server(database) })
    }

    /// What a statement answers, asked from outside. Only PostgreSQL can be asked.
    fn ask(&self, sql: &str) -> String {
        match &self.home {
            Home::Server(database) => database.query(sql),
            Home::File(folder) => panic!("{} is no server", folder.path().display()),
        }
    }

    /// Migrated and opened; the committers are handed over and do not run yet.
    async fn open(&self, committers: usize, waiting: usize) -> (Ledger, Vec<Committer>) {
        Ledger::migrate(&self.url).await.unwrap();
        self.open_at(&self.url, committers, waiting).await
    }

    /// The same database by another address.
    async fn open_at(&self, url: &str, committers: usize, waiting: usize) -> (Ledger, Vec<Committer>) {
        Ledger::open(&Settings { url: url.to_owned(), committers, readers: 4, waiting }).await.unwrap()
    }

    /// Migrated, opened, and its committers at work for as long as the set lives.
    async fn running(&self, committers: usize) -> (Ledger, JoinSet<()>) {
        let (ledger, committers) = self.open(committers, 1024).await;
        (ledger, at_work(committers))
    }

    /// A connection like a committer's.
    async fn connect(&self) -> AnyConnection {
        connect::writer(&self.url, self.dialect).await.unwrap()
    }

    /// Runs statements without looking at what they answer.
    async fn run(&self, sql: &str) -> Result<(), sqlx::Error> {
        let mut connection = self.connect().await;
        let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await;
        connection.close().await?;
        done.map(|_| ())
    }

    /// One number.
    async fn number(&self, sql: &str) -> i64 {
        let mut connection = self.connect().await;
        let query = sqlx::query_scalar(AssertSqlSafe(sql.to_owned()));
        let number = query.fetch_one(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        number
    }

    /// The texts of one column.
    async fn texts(&self, sql: &str) -> BTreeSet<String> {
        let mut connection = self.connect().await;
        let query = sqlx::query_scalar(AssertSqlSafe(sql.to_owned()));
        let texts: Vec<String> = query.fetch_all(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        texts.into_iter().collect()
    }

    async fn count(&self, of: &str) -> i64 {
        self.number(&format!("SELECT COUNT(*) FROM {of}")).await
    }
}

/// Hands writes over in this order while no committer runs, so that they meet in one batch. Await the answers
/// once the committers are at work.
async fn queued(ledger: &Ledger, writes: Vec<Write>) -> Pin<Box<dyn Future<Output = Vec<Verdict>> + '_>> {
    let mut answers =
        Box::pin(join_all(writes.into_iter().map(async |write| verdict(ledger.write(write).await))));
    let mut early = None;
    poll_fn(|context| {
        if let Poll::Ready(all) = answers.as_mut().poll(context) {
            early = Some(all);
        }
        Poll::Ready(())
    })
    .await;
    match early {
        Some(all) => Box::pin(std::future::ready(all)),
        None => answers,
    }
}

type Verdict = Result<(), WriteError>;

/// An answer that can be compared.
fn verdict(answer: Result<Done, WriteError>) -> Verdict {
    answer.map(|_| ())
}

/// Sets committers to work for as long as the set lives.
fn at_work(committers: Vec<Committer>) -> JoinSet<()> {
    committers.into_iter().map(Committer::run).collect()
}
