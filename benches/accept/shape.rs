//! The rows of one accepted referral, read back from the hub's own database: what the references write.
//!
//! The whole database is read before and after one submission; what is new is the referral. So no list of tables
//! or columns stands here that could drift from the migrations.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{
    AnyConnection, AssertSqlSafe, Column as _, Connection as _, Row as _, ValueRef as _, any::AnyRow,
};

/// One value of a row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cell {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Cell {
    /// Bytes of the value itself, without what a database adds.
    fn size(&self) -> usize {
        match self {
            Self::Null => 0,
            Self::Int(_) => 8,
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
        }
    }
}

/// A table's rows, and the names of its columns in the order of the cells.
#[derive(Clone, Default)]
pub struct Table {
    pub name: String,
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    /// Id and version of every row of a table that has both.
    pub fn versions(&self) -> Vec<(String, i64)> {
        let place = self.columns.iter().position(|column| column == "version").unwrap_or(0);
        let one = |row: &Vec<Cell>| match (&row[0], &row[place]) {
            (Cell::Text(id), Cell::Int(version)) => Some((id.clone(), *version)),
            _ => None,
        };
        self.rows.iter().filter_map(one).collect()
    }
}

/// Every table of a database.
pub type Snapshot = BTreeMap<String, Table>;

/// Reads a whole database. Meant for one that holds little yet.
pub async fn snapshot(url: &str) -> sqlx::Result<Snapshot> {
    let tables = if url.starts_with("sqlite:") {
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name <> '_sqlx_migrations'"
    } else {
        "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = 'public' AND tablename <> '_sqlx_migrations'"
    };
    let mut connection = AnyConnection::connect(url).await?;
    let names: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut connection).await?;
    let mut found = Snapshot::new();
    for name in names {
        let rows =
            sqlx::query(AssertSqlSafe(format!("SELECT * FROM {name}"))).fetch_all(&mut connection).await?;
        let columns = rows.first().map_or_else(Vec::new, |row| {
            row.columns().iter().map(|column| column.name().to_owned()).collect()
        });
        let rows = rows.iter().map(cells).collect::<sqlx::Result<_>>()?;
        found.insert(name.clone(), Table { name, columns, rows });
    }
    connection.close().await?;
    Ok(found)
}

fn cells(row: &AnyRow) -> sqlx::Result<Vec<Cell>> {
    (0..row.len())
        .map(|at| {
            if row.try_get_raw(at)?.is_null() {
                return Ok(Cell::Null);
            }
            let text = row.try_get(at).map(Cell::Text);
            text.or_else(|_| row.try_get(at).map(Cell::Int)).or_else(|_| row.try_get(at).map(Cell::Bytes))
        })
        .collect()
}

/// The rows that one submission added.
#[derive(Clone)]
pub struct Shape {
    pub tables: Vec<Table>,
    /// Ids made for this referral, in order of appearance; every copy needs its own.
    pub fresh: Vec<String>,
    /// The consents it rests on, with their versions.
    pub consents: Vec<(String, i64)>,
    /// What its guarded UPDATE sets in each of them.
    pub touch: String,
}

impl Shape {
    /// What is in `after` and not in `before`.
    ///
    /// # Errors
    /// A row was changed in a way that the references do not know how to repeat.
    pub fn between(before: &Snapshot, after: &Snapshot) -> Result<Self, String> {
        let known: BTreeSet<String> = before.values().flat_map(ids).collect();
        // A guard that changes nothing cannot be seen, and is the least a guard can do.
        let touch = "version = version".to_owned();
        let mut shape = Self { tables: Vec::new(), fresh: Vec::new(), consents: Vec::new(), touch };
        for table in after.values() {
            let old = before.get(&table.name).map_or(&[][..], |table| &table.rows);
            let mut new = Table { rows: Vec::new(), ..table.clone() };
            for row in table.rows.iter().filter(|row| !old.contains(row)) {
                match old.iter().find(|was| was.first() == row.first() && table.name == "consent") {
                    Some(was) => shape.touch = counted(&table.columns, was, row)?,
                    None => new.rows.push(row.clone()),
                }
            }
            for id in ids(&new) {
                if !known.contains(&id) && !shape.fresh.contains(&id) {
                    shape.fresh.push(id);
                }
            }
            if !new.rows.is_empty() {
                shape.tables.push(new);
            }
        }
        let used: BTreeSet<String> = shape.tables.iter().flat_map(ids).collect();
        let consents = after.get("consent").map_or_else(Vec::new, Table::versions);
        shape.consents = consents.into_iter().filter(|(id, _)| used.contains(id)).collect();
        Ok(shape)
    }

    pub fn row_count(&self) -> usize {
        self.tables.iter().map(|table| table.rows.len()).sum()
    }

    /// Bytes of all values, without what a database adds.
    pub fn bytes(&self) -> usize {
        self.tables.iter().flat_map(|table| &table.rows).flatten().map(Cell::size).sum()
    }

    /// Table, number of rows and bytes of their values, the largest first.
    pub fn summary(&self) -> String {
        let bytes = |table: &&Table| table.rows.iter().flatten().map(Cell::size).sum::<usize>();
        let one = |table: &Table| format!("{} {} {}", table.rows.len(), table.name, bytes(&table));
        let mut tables: Vec<&Table> = self.tables.iter().collect();
        tables.sort_by_key(|table| std::cmp::Reverse(bytes(table)));
        tables.into_iter().map(one).collect::<Vec<_>>().join(", ")
    }
}

/// The SET clause of a row in which one number went up by one.
fn counted(columns: &[String], was: &[Cell], row: &[Cell]) -> Result<String, String> {
    let changed: Vec<_> =
        columns.iter().zip(was.iter().zip(row)).filter(|(_, (was, is))| was != is).collect();
    match changed[..] {
        [(column, (Cell::Int(was), Cell::Int(is)))] if *is == was + 1 => {
            Ok(format!("{column} = {column} + 1"))
        }
        _ => Err("a submission changes a consent in a way that the references do not repeat".to_owned()),
    }
}

/// Whether a column stands in a unique key although it holds no id: each copy needs a value of its own there.
pub fn is_unique_digest(table: &str, column: &str) -> bool {
    (table, column) == ("idempotency", "key_hash")
}

/// Whether a number is a time: each copy gets a later one, so that indexes grow as they do in a hub.
pub const fn is_time(number: i64) -> bool {
    number > 1_000_000_000_000_000
}

/// A piece of a text: an id, or what stands between ids.
pub enum Piece<'t> {
    Plain(&'t str),
    Id(&'t str),
}

/// Cuts a text at the UUIDs in it.
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let (mut found, mut rest, mut at) = (Vec::new(), 0, 0);
    while at + 36 <= text.len() {
        if text.is_char_boundary(at) && text.get(at..at + 36).is_some_and(is_uuid) {
            if rest < at {
                found.push(Piece::Plain(&text[rest..at]));
            }
            found.push(Piece::Id(&text[at..at + 36]));
            at += 36;
            rest = at;
        } else {
            at += 1;
        }
    }
    if rest < text.len() {
        found.push(Piece::Plain(&text[rest..]));
    }
    found
}

fn is_uuid(text: &str) -> bool {
    text.bytes().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    })
}

fn ids(table: &Table) -> impl Iterator<Item = String> {
    table
        .rows
        .iter()
        .flatten()
        .flat_map(|cell| match cell {
            Cell::Text(text) => pieces(text),
            _ => Vec::new(),
        })
        .filter_map(|piece| match piece {
            Piece::Id(id) => Some(id.to_owned()),
            Piece::Plain(_) => None,
        })
}
