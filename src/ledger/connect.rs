//! Opening connections: what each engine is told when it is connected to, and what it must already be.

use std::time::Duration;

use sqlx::{
    AnyConnection, AnyPool, Connection as _, Executor as _,
    any::{AnyConnectOptions, AnyPoolOptions},
};

use super::{Dialect, error::LedgerError, text::statements};

const SQLITE_WRITER: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
     PRAGMA busy_timeout = 5000; PRAGMA secure_delete = ON; PRAGMA cache_size = -16000;";
const SQLITE_READER: &str = "PRAGMA query_only = ON; PRAGMA busy_timeout = 5000; PRAGMA cache_size = -8000;";
const POSTGRES: &str = "SET TIME ZONE 'UTC'; SET statement_timeout = '30s'; \
     SET idle_in_transaction_session_timeout = '5s'; SET lock_timeout = '10s';";

const PATIENT: &str =
    "SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0;";

/// The oldest SQLite without the WAL-reset race (sqlite.org/wal.html#walresetbug).
const SQLITE_FLOOR: (u32, u32, u32) = (3, 51, 3);

statements! {
    SQLITE_VERSION = ["SELECT sqlite_version()"];
    POSTGRES_SETTING = ["SELECT current_setting($1)"];
    POSTGRES_COLLATION = ["SELECT CAST(datcollate AS TEXT) FROM pg_database WHERE datname = current_database()"];
}

/// sqlx keeps the hundred statements used last per connection, and prepares others anew. On PostgreSQL that is a round
/// trip, so there is room for all of them. SQLite prepares within the process, and its URL knows no such setting: what
/// the accept path uses all the time stays prepared, what a supervisor does twice a day may be prepared twice.
pub(super) const KEPT: usize = 400;

fn with_room(url: &str, dialect: Dialect) -> String {
    let sign = if url.contains('?') { '&' } else { '?' };
    match dialect {
        Dialect::Postgres => format!("{url}{sign}statement-cache-capacity={KEPT}"),
        Dialect::Sqlite => url.to_owned(),
    }
}

/// The committer's own connection. Every use of a database begins with one, so the drivers are announced here.
pub(super) async fn writer(url: &str, dialect: Dialect) -> Result<AnyConnection, sqlx::Error> {
    sqlx::any::install_default_drivers();
    let mut connection = AnyConnection::connect(&with_room(url, dialect)).await?;
    let setup = match dialect {
        Dialect::Sqlite => SQLITE_WRITER,
        Dialect::Postgres => POSTGRES,
    };
    sqlx::raw_sql(setup).execute(&mut connection).await?;
    Ok(connection)
}

/// Lifts the limits on how long a statement may take: a migration takes as long as it needs.
pub(super) async fn take_time(on: &mut AnyConnection, dialect: Dialect) -> Result<(), sqlx::Error> {
    if dialect == Dialect::Postgres {
        sqlx::raw_sql(PATIENT).execute(on).await?;
    }
    Ok(())
}

/// The pool of autocommit reads.
pub(super) async fn readers(url: &str, dialect: Dialect, size: u32) -> Result<AnyPool, sqlx::Error> {
    let setup = match dialect {
        Dialect::Sqlite => SQLITE_READER,
        Dialect::Postgres => POSTGRES,
    };
    let options: AnyConnectOptions = with_room(url, dialect).parse()?;
    AnyPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(Duration::from_secs(5))
        // A connection that is dead shows when it is used; asking first would double every read.
        .test_before_acquire(false)
        .after_connect(move |connection, _| {
            Box::pin(async move {
                connection.execute(sqlx::raw_sql(setup)).await?;
                Ok(())
            })
        })
        .connect_with(options)
        .await
}

/// Refuses a database that could lose or corrupt what it confirmed (reliability floors).
pub(super) async fn check_floors(on: &mut AnyConnection, dialect: Dialect) -> Result<(), LedgerError> {
    match dialect {
        Dialect::Sqlite => {
            let version: String = sqlx::query_scalar(SQLITE_VERSION).fetch_one(on).await?;
            check_sqlite(&version)
        }
        Dialect::Postgres => {
            for setting in ["fsync", "full_page_writes", "synchronous_commit", "data_sync_retry"] {
                let value: String =
                    sqlx::query_scalar(POSTGRES_SETTING).bind(setting).fetch_one(&mut *on).await?;
                check_setting(setting, &value)?;
            }
            let collation: String = sqlx::query_scalar(POSTGRES_COLLATION).fetch_one(on).await?;
            check_collation(&collation)
        }
    }
}

fn check_sqlite(version: &str) -> Result<(), LedgerError> {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    if (next(), next(), next()) >= SQLITE_FLOOR {
        return Ok(());
    }
    Err(LedgerError::Refused(format!(
        "SQLite {version} can lose commits in WAL mode; this hub needs 3.51.3 or newer"
    )))
}

fn check_setting(setting: &str, value: &str) -> Result<(), LedgerError> {
    let good = match setting {
        "data_sync_retry" => value == "off",
        "synchronous_commit" => !matches!(value, "off" | "local"),
        _ => value == "on",
    };
    if good {
        return Ok(());
    }
    Err(LedgerError::Refused(format!(
        "PostgreSQL runs with {setting} = {value}, so a confirmed referral could be lost; \
         correct it in postgresql.conf and start the hub again"
    )))
}

fn check_collation(collation: &str) -> Result<(), LedgerError> {
    if matches!(collation, "C" | "POSIX") {
        return Ok(());
    }
    Err(LedgerError::Refused(format!(
        "the database has the collation {collation}; its indexes would break when the C library is upgraded. \
         Create it with: CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_sqlite_with_the_wal_reset_race_is_refused() {
        assert!(check_sqlite("3.51.3").is_ok());
        assert!(check_sqlite("3.53.0").is_ok());
        assert!(check_sqlite("4.0").is_ok());
        assert!(check_sqlite("3.51.2").is_err());
        assert!(check_sqlite("3.9.99").is_err());
    }

    #[test]
    fn a_postgresql_that_may_forget_is_refused() {
        assert!(check_setting("fsync", "on").is_ok());
        assert!(check_setting("fsync", "off").is_err());
        assert!(check_setting("synchronous_commit", "remote_apply").is_ok());
        assert!(check_setting("synchronous_commit", "off").is_err());
        assert!(check_setting("data_sync_retry", "on").is_err());
        assert!(check_collation("C").is_ok());
        assert!(check_collation("ja_JP.UTF-8").is_err());
    }
}
