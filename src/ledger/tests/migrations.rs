//! One folder of migrations for both engines, and the list of what stands in clear.

use std::{collections::BTreeSet, fs, path::Path};

use futures_util::future::join_all;
use sqlx::Connection as _;

use super::{Stage, statements::TABLES, stories};
use crate::ledger::{Dialect, Ledger};

stories!(
    columns_are_text_bigint_or_bytea,
    migrating_twice_changes_nothing,
    four_who_migrate_at_once_end_well,
    an_older_hub_meets_a_newer_schema
);

/// (table, column, type in capitals) as the database has them, in their order.
async fn columns(stage: &Stage) -> Vec<(String, String, String)> {
    let sql = match stage.dialect {
        Dialect::Sqlite => {
            "SELECT m.name, c.name, c.type FROM sqlite_master m, pragma_table_info(m.name) c \
             WHERE m.type = 'table' AND m.name NOT LIKE '\\_%' ESCAPE '\\' ORDER BY m.name, c.cid"
        }
        Dialect::Postgres => {
            "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT), UPPER(CAST(data_type AS TEXT)) \
             FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE '\\_%' \
             ORDER BY table_name, ordinal_position"
        }
    };
    let mut connection = stage.connect().await;
    let rows = sqlx::query_as(sql).fetch_all(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    rows
}

async fn columns_are_text_bigint_or_bytea(stage: Stage) {
    Ledger::migrate(&stage.url).await.unwrap();
    let columns = columns(&stage).await;
    for (table, column, kind) in &columns {
        assert!(matches!(kind.as_str(), "TEXT" | "BIGINT" | "BYTEA"), "{table}.{column} is {kind}");
    }
    let stored: BTreeSet<(String, Vec<String>)> = tables(columns).collect();
    let known =
        TABLES.iter().map(|t| (t.name.to_owned(), t.columns.split(", ").map(str::to_owned).collect()));
    assert_eq!(stored, known.collect(), "a row type does not have the columns of its table, in their order");
}

/// Columns gathered by table.
fn tables(columns: Vec<(String, String, String)>) -> impl Iterator<Item = (String, Vec<String>)> {
    let names: BTreeSet<String> = columns.iter().map(|(table, ..)| table.clone()).collect();
    names.into_iter().map(move |name| {
        let own = columns.iter().filter(|(table, ..)| *table == name).map(|(_, column, _)| column.clone());
        (name.clone(), own.collect())
    })
}

async fn migrating_twice_changes_nothing(stage: Stage) {
    Ledger::migrate(&stage.url).await.unwrap();
    let (before, applied) = (columns(&stage).await, stage.count("_sqlx_migrations").await);
    Ledger::migrate(&stage.url).await.unwrap();
    assert_eq!(columns(&stage).await, before);
    assert_eq!(stage.count("_sqlx_migrations").await, applied);
}

async fn four_who_migrate_at_once_end_well(stage: Stage) {
    for done in join_all((0..4).map(|_| Ledger::migrate(&stage.url))).await {
        assert!(done.is_ok(), "{:?}", done.err());
    }
    assert_eq!(tables(columns(&stage).await).count(), TABLES.len());
}

async fn an_older_hub_meets_a_newer_schema(stage: Stage) {
    Ledger::migrate(&stage.url).await.unwrap();
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                 SELECT 9999, 'of a newer hub', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1";
    stage.run(newer).await.unwrap();
    Ledger::migrate(&stage.url).await.unwrap();
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn migrations_go_forward_only() {
    for entry in fs::read_dir(root().join("migrations")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        assert!(name.ends_with(".sql") && !name.contains(".down.") && !name.contains(".up."), "{name}");
        let text = fs::read_to_string(&path).unwrap();
        let code: Vec<&str> = text.lines().map(|line| line.split("--").next().unwrap_or_default()).collect();
        for statement in code.join("\n").split(';').map(str::trim).filter(|text| !text.is_empty()) {
            let forward = ["CREATE TABLE ", "CREATE INDEX ", "CREATE UNIQUE INDEX "].iter();
            let adds = statement.starts_with("ALTER TABLE ") && statement.contains(" ADD COLUMN ");
            assert!(adds || forward.clone().any(|start| statement.starts_with(start)), "{name}: {statement}");
        }
    }
}

/// The rows of the tables in docs/clear-columns.md: (table, column, state).
fn listed() -> Vec<(String, String, String)> {
    let text = fs::read_to_string(root().join("docs/clear-columns.md")).unwrap();
    let (mut table, mut rows) = (String::new(), Vec::new());
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("## ") {
            name.trim_matches('`').clone_into(&mut table);
        }
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        if let [column, state, holds] = cells[..]
            && column.starts_with('`')
        {
            assert!(!holds.is_empty(), "{table}.{column} does not say what it holds");
            rows.push((table.clone(), column.trim_matches('`').to_owned(), state.to_owned()));
        }
    }
    rows
}

#[tokio::test]
async fn the_list_of_clear_columns_is_the_schema() {
    let stage = Stage::sqlite();
    Ledger::migrate(&stage.url).await.unwrap();
    let listed = listed();
    for (table, column, state) in &listed {
        assert!(
            matches!(state.as_str(), "clear" | "sealed" | "digest" | "signed"),
            "{table}.{column}: {state}"
        );
    }
    let described: BTreeSet<(String, String)> =
        listed.iter().map(|(t, c, _)| (t.clone(), c.clone())).collect();
    assert_eq!(described.len(), listed.len(), "a column is described twice");
    let stored: BTreeSet<(String, String)> =
        columns(&stage).await.into_iter().map(|(table, column, _)| (table, column)).collect();
    let missing: Vec<_> = stored.difference(&described).collect();
    let gone: Vec<_> = described.difference(&stored).collect();
    assert!(missing.is_empty() && gone.is_empty(), "not described: {missing:?}\nnot in the schema: {gone:?}");
}
