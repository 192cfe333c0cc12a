//! The SQLite reference: one loop that writes the rows of one accepted referral after the other through the same
//! driver, with the same multi-row INSERTs, 128 referrals per commit.

use std::time::{Duration, Instant};

use sqlx::{Any, AnyConnection, Connection as _, any::AnyArguments, query::Query};

use crate::shape::{Cell, Piece, Shape, Table, is_time, is_unique_digest, pieces};

/// Referrals per commit, as in the hub.
const BATCH: usize = 128;
/// Rows per INSERT, as in the hub.
const SIZES: [usize; 3] = [32, 8, 1];
/// What the hub tells its own writing connection.
const SETUP: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
     PRAGMA busy_timeout = 5000; PRAGMA secure_delete = ON; PRAGMA cache_size = -16000;";

type Statement = Query<'static, Any, AnyArguments>;

struct Insert {
    /// One text for each of [`SIZES`]. They live as long as the process.
    texts: [&'static str; 3],
    rows: Vec<Vec<Source>>,
}

/// Where a value comes from.
enum Source {
    Same(Cell),
    Time(i64),
    Digest,
    /// A text with ids of its own: which ones, and what stands between.
    Text(Vec<Part>),
}

enum Part {
    Plain(String),
    Fresh { place: u64, ordered: bool },
    Consent,
}

/// Copies the hub's consents, and returns their ids and versions.
pub async fn copy_consents(url: &str, of_hub: &Table) -> sqlx::Result<Vec<(String, i64)>> {
    let mut connection = AnyConnection::connect(url).await?;
    let insert = insert_text(of_hub, 1);
    for row in &of_hub.rows {
        row.iter().fold(sqlx::query(insert), bind).execute(&mut connection).await?;
    }
    connection.close().await?;
    Ok(of_hub.versions())
}

/// Writes for `seconds`, and returns referrals per second. The database is migrated and holds `consents`; `round` keeps ids of several runs apart.
pub async fn run(
    url: &str,
    shape: &Shape,
    consents: &[(String, i64)],
    seconds: u64,
    round: u64,
) -> sqlx::Result<f64> {
    let touch: &str = format!("UPDATE consent SET {} WHERE id = $1 AND version = $2", shape.touch).leak();
    let inserts: Vec<Insert> = shape.tables.iter().map(|table| Insert::new(shape, table)).collect();
    let mut connection = AnyConnection::connect(url).await?;
    sqlx::raw_sql(SETUP).execute(&mut connection).await?;
    let mut next = round * 100_000_000;
    let (began, first) = (Instant::now(), next);
    while began.elapsed() < Duration::from_secs(seconds) {
        let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
        for number in next..next + BATCH as u64 {
            for _ in &shape.consents {
                let (id, version) = consent(consents, number);
                let held = sqlx::query(touch).bind(id.to_owned()).bind(version).execute(&mut *tx).await?;
                assert_eq!(held.rows_affected(), 1, "the consent is there");
            }
        }
        for insert in &inserts {
            insert.write(&mut tx, next, consents).await?;
        }
        tx.commit().await?;
        next += BATCH as u64;
    }
    let took = began.elapsed().as_secs_f64();
    connection.close().await?;
    Ok((next - first) as f64 / took)
}

/// A multi-row INSERT. It is made once and lives as long as the process.
fn insert_text(table: &Table, rows: usize) -> &'static str {
    let width = table.columns.len();
    let row = |row: usize| {
        let places: Vec<String> = (1..=width).map(|column| format!("${}", row * width + column)).collect();
        format!("({})", places.join(","))
    };
    let rows: Vec<String> = (0..rows).map(row).collect();
    let (name, columns) = (&table.name, table.columns.join(", "));
    format!("INSERT INTO {name} ({columns}) VALUES {} ON CONFLICT DO NOTHING", rows.join(",")).leak()
}

fn bind(to: Statement, cell: &Cell) -> Statement {
    match cell {
        Cell::Null => to.bind(None::<String>),
        Cell::Int(value) => to.bind(*value),
        Cell::Text(text) => to.bind(text.clone()),
        Cell::Bytes(bytes) => to.bind(bytes.clone()),
    }
}

fn consent(consents: &[(String, i64)], number: u64) -> (&str, i64) {
    let (id, version) = &consents[number as usize % consents.len()];
    (id, *version)
}

impl Insert {
    fn new(shape: &Shape, table: &Table) -> Self {
        let source = |(cell, column): (&Cell, &String)| match cell {
            Cell::Int(number) if is_time(*number) => Source::Time(*number),
            Cell::Bytes(_) if is_unique_digest(&table.name, column) => Source::Digest,
            Cell::Text(text) => Source::text(shape, text),
            other => Source::Same(other.clone()),
        };
        let rows =
            table.rows.iter().map(|row| row.iter().zip(&table.columns).map(source).collect()).collect();
        Self { texts: SIZES.map(|size| insert_text(table, size)), rows }
    }

    /// The rows of one batch, in statements of 32, 8 and 1.
    async fn write(
        &self,
        on: &mut AnyConnection,
        first: u64,
        consents: &[(String, i64)],
    ) -> sqlx::Result<()> {
        let all: Vec<(u64, &Vec<Source>)> = (first..first + BATCH as u64)
            .flat_map(|number| self.rows.iter().map(move |row| (number, row)))
            .collect();
        let mut rest = all.as_slice();
        while !rest.is_empty() {
            let (text, size) =
                self.texts.iter().zip(SIZES).find(|(_, size)| *size <= rest.len()).expect("1 fits");
            let (now, later) = rest.split_at(size);
            let statement =
                now.iter().flat_map(|(number, row)| row.iter().map(move |source| (*number, source)));
            let statement =
                statement.fold(sqlx::query(*text), |to, (number, source)| source.bind(to, number, consents));
            assert_eq!(statement.execute(&mut *on).await?.rows_affected(), size as u64, "every row is new");
            rest = later;
        }
        Ok(())
    }
}

impl Source {
    fn text(shape: &Shape, text: &str) -> Self {
        let part = |piece: Piece<'_>| match piece {
            Piece::Plain(text) => Part::Plain(text.to_owned()),
            Piece::Id(id) if shape.consents.iter().any(|(consent, _)| consent == id) => Part::Consent,
            Piece::Id(id) => match shape.fresh.iter().position(|fresh| fresh == id) {
                Some(place) => Part::Fresh { place: place as u64, ordered: id.as_bytes()[14] == b'7' },
                None => Part::Plain(id.to_owned()),
            },
        };
        let parts: Vec<Part> = pieces(text).into_iter().map(part).collect();
        if parts.iter().all(|part| matches!(part, Part::Plain(_))) {
            return Self::Same(Cell::Text(text.to_owned()));
        }
        Self::Text(parts)
    }

    fn bind(&self, to: Statement, number: u64, consents: &[(String, i64)]) -> Statement {
        match self {
            Self::Same(cell) => bind(to, cell),
            Self::Time(at) => to.bind(at + i64::try_from(number).unwrap_or(0)),
            Self::Digest => to.bind((0..4).flat_map(|i| mixed(number, i).to_be_bytes()).collect::<Vec<u8>>()),
            Self::Text(parts) => {
                to.bind(parts.iter().map(|part| part.text(number, consents)).collect::<String>())
            }
        }
    }
}

impl Part {
    fn text(&self, number: u64, consents: &[(String, i64)]) -> String {
        match self {
            Self::Plain(text) => text.clone(),
            Self::Consent => consent(consents, number).0.to_owned(),
            Self::Fresh { place, ordered: true } => {
                format!("{number:08x}-0000-7{place:03x}-8000-000000000000")
            }
            Self::Fresh { place, ordered: false } => {
                let (high, low) = (mixed(number, *place), mixed(number, place + 1_000));
                uuid::Uuid::from_u64_pair(high, low).to_string()
            }
        }
    }
}

/// Bits without order, the same for the same input (splitmix64).
fn mixed(number: u64, place: u64) -> u64 {
    let mut z =
        (number << 12 | place).wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}
