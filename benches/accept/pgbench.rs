//! The PostgreSQL reference: `pgbench -M prepared` writing the rows of one accepted referral per transaction.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use crate::shape::{Cell, Piece, Shape, Table, is_time, is_unique_digest, pieces};

pub const CLIENTS: u32 = 16;

/// How the rows of one table reach the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statements {
    /// One INSERT for each row.
    PerRow,
    /// One INSERT for all rows of a table, as the hub does it.
    PerTable,
}

impl Statements {
    pub const fn name(self) -> &'static str {
        match self {
            Self::PerRow => "pgbench, an INSERT per row",
            Self::PerTable => "pgbench, an INSERT per table",
        }
    }
}

/// Fills the reference's database with consents like the hub's, under ids that the script can make.
pub fn consents(of_hub: &Table, count: usize) -> String {
    let mut values: Vec<String> = of_hub.rows.first().into_iter().flatten().map(plain).collect();
    if let Some(id) = values.first_mut() {
        *id = "md5(number::text)::uuid::text".to_owned();
    }
    format!(
        "INSERT INTO consent ({}) SELECT {} FROM generate_series(1, {count}) number; ANALYZE consent",
        of_hub.columns.join(", "),
        values.join(", ")
    )
}

/// The transaction as a pgbench script. `:n` counts within a client; with the client's number it makes ids that
/// are unique and grow as time-ordered ids do. `consents` are rows whose ids are `md5(number)` as a UUID.
pub fn script(shape: &Shape, statements: Statements, consents: usize) -> String {
    let mut text = format!("\\set n :n + 1\n\\set c random(1, {consents})\nBEGIN;\n");
    for (_, version) in &shape.consents {
        let _ = writeln!(
            text,
            "UPDATE consent SET {} WHERE id = {CONSENT} AND version = {version};",
            shape.touch
        );
    }
    for table in &shape.tables {
        let row = |cells: &Vec<Cell>| {
            let values: Vec<String> = cells
                .iter()
                .zip(&table.columns)
                .map(|(cell, column)| value(shape, cell, is_unique_digest(&table.name, column)))
                .collect();
            format!("({})", values.join(", "))
        };
        let rows: Vec<String> = table.rows.iter().map(row).collect();
        let together = match statements {
            Statements::PerRow => 1,
            Statements::PerTable => rows.len(),
        };
        for rows in rows.chunks(together) {
            let (name, columns) = (&table.name, table.columns.join(", "));
            let _ = writeln!(
                text,
                "INSERT INTO {name} ({columns}) VALUES {} ON CONFLICT DO NOTHING;",
                rows.join(", ")
            );
        }
    }
    text.push_str("COMMIT;\n");
    text
}

const CONSENT: &str = "md5((:c)::text)::uuid::text";

fn value(shape: &Shape, cell: &Cell, unique: bool) -> String {
    match cell {
        Cell::Int(number) if is_time(*number) => format!("{number} + (:n)::bigint"),
        Cell::Bytes(bytes) if unique => {
            assert_eq!(bytes.len(), 32, "a unique digest of another length");
            "sha256(convert_to((:n)::text || '-' || (:client_id)::text, 'UTF8'))".to_owned()
        }
        Cell::Text(text) => text_value(shape, text),
        other => plain(other),
    }
}

/// A value as it stands.
fn plain(cell: &Cell) -> String {
    match cell {
        Cell::Null => "NULL".to_owned(),
        Cell::Int(number) => number.to_string(),
        Cell::Text(text) => literal(text),
        Cell::Bytes(bytes) => {
            let hex = bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}");
                hex
            });
            format!("'\\x{hex}'::bytea")
        }
    }
}

fn text_value(shape: &Shape, text: &str) -> String {
    let part = |piece: Piece<'_>| match piece {
        Piece::Plain(text) => literal(text),
        Piece::Id(id) if shape.consents.iter().any(|(consent, _)| consent == id) => CONSENT.to_owned(),
        Piece::Id(id) => match shape.fresh.iter().position(|fresh| fresh == id) {
            Some(place) => fresh_id(id, place),
            None => literal(id),
        },
    };
    let parts: Vec<String> = pieces(text).into_iter().map(part).collect();
    if parts.is_empty() { "''".to_owned() } else { parts.join(" || ") }
}

/// An id of the same version: time-ordered ones grow, random ones are spread.
fn fresh_id(id: &str, place: usize) -> String {
    if id.as_bytes()[14] == b'7' {
        format!(
            "lpad(to_hex((:n)::bigint), 8, '0') || '-0000-7{place:03x}-8000-' || lpad((:client_id)::text, 12, '0')"
        )
    } else {
        format!("md5((:n)::text || '-{place}-' || (:client_id)::text)::uuid::text")
    }
}

/// A literal in which pgbench sees no variable: it would take a colon for the start of one.
fn literal(text: &str) -> String {
    let mut out = String::from("E'");
    for letter in text.chars() {
        match letter {
            ':' => out.push_str("\\x3a"),
            '\\' => out.push_str("\\\\"),
            '\'' => out.push_str("''"),
            other => out.push(other),
        }
    }
    out.push('\'');
    out
}

/// Runs the script for `seconds` and returns transactions per second. `run` keeps the ids of several runs apart.
pub fn run(url: &str, script: &Path, seconds: u64, run: u64) -> Result<f64, String> {
    let done = Command::new(program("pgbench"))
        .args(["-n", "-M", "prepared", "-j", "2", "-c", &CLIENTS.to_string(), "-T", &seconds.to_string()])
        .args(["-D", &format!("n={}", run * 10_000_000), "-f"])
        .args([script.as_os_str(), url.as_ref()])
        .output()
        .map_err(|e| format!("pgbench does not start: {e}"))?;
    let said = String::from_utf8_lossy(&done.stdout);
    let number = |start: &str| {
        let word = said.lines().find_map(|line| line.strip_prefix(start))?.split_whitespace().next()?;
        word.parse::<f64>().ok()
    };
    match (done.status.success(), number("number of failed transactions: "), number("tps = ")) {
        (true, Some(0.0), Some(rate)) => Ok(rate),
        _ => Err(format!("pgbench: {said}{}", String::from_utf8_lossy(&done.stderr))),
    }
}

/// The program of the newest PostgreSQL that Debian installed, or the one on the path.
pub fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| {
            Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin").join(name)))
        })
        .filter(|(_, path)| path.exists())
        .collect();
    found.sort();
    found.pop().map_or_else(|| PathBuf::from(name), |(_, path)| path)
}
