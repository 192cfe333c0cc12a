//! Every statement is a constant that both engines understand, and that finds its rows by an index.

use std::{collections::BTreeSet, fs, path::Path};

use sqlx::{AnyConnection, AssertSqlSafe, Executor as _, Row as _, SqlSafeStr as _};

use super::{Stage, stories};
use crate::ledger::{Dialect, Ledger, connect::KEPT, values::Row};

macro_rules! files_with_statements {
    ($($file:ident),+) => {
        &[$((stringify!($file), crate::ledger::$file::STATEMENTS)),+]
    };
}

/// The statements of each file, by name.
const FILES: &[(&str, &[(&str, &str)])] = files_with_statements!(
    access_request,
    agency,
    arrangement,
    audit,
    board,
    break_glass,
    case,
    connect,
    consent,
    consultation,
    content,
    delivery,
    erasure,
    fence,
    hand_over,
    holding,
    idempotency,
    incident,
    job,
    keyring,
    leg,
    notice,
    protection,
    receipt,
    referral,
    relation,
    service,
    standing,
    statutory,
    sign_in,
    subscription
);

/// Statements that only one engine understands.
const OF_ONE_ENGINE: &[(&str, Dialect)] = &[
    ("SQLITE_VERSION", Dialect::Sqlite),
    ("TRUNCATE_WAL", Dialect::Sqlite),
    ("POSTGRES_SETTING", Dialect::Postgres),
    ("POSTGRES_COLLATION", Dialect::Postgres),
    ("CLAIM_RINGS_POSTGRES", Dialect::Postgres),
    ("CLAIM_MAIL_POSTGRES", Dialect::Postgres),
];

/// Statements that look at no table of the ledger.
const OF_NO_TABLE: &[&str] = &[
    "SQLITE_VERSION",
    "POSTGRES_SETTING",
    "POSTGRES_COLLATION",
    "PING_TEXT",
    "DATABASE_TIME_TEXT",
    "TRUNCATE_WAL",
];

/// Literals that are no statement of a file: what a macro builds statements from, how a transaction begins, and
/// what an engine is told when it is connected to.
const OTHER_LITERALS: &[(&str, &str)] = &[
    ("values.rs", "INSERT INTO \""),
    ("job.rs", "WITH due AS"),
    ("mod.rs", "BEGIN"),
    ("connect.rs", "PRAGMA"),
    ("connect.rs", "SET TIME ZONE"),
    ("connect.rs", "SET statement_timeout"),
];

/// A table as its row type knows it: its name, its columns, its three INSERTs.
pub struct Table {
    pub name: &'static str,
    pub columns: &'static str,
    inserts: [&'static str; 3],
}

const fn table<T: Row>(columns: &'static str) -> Table {
    Table { name: T::TABLE, columns, inserts: [T::INSERT.one, T::INSERT.eight, T::INSERT.thirty_two] }
}

macro_rules! tables {
    ($($file:ident::$row:ident),+ $(,)?) => {
        /// Every table of the ledger.
        pub const TABLES: &[Table] =
            &[$(table::<crate::ledger::$file::$row>(crate::ledger::$file::$row::COLUMNS)),+];
    };
}

tables!(
    access_request::AccessRequestRow,
    access_request::AccessRequestVersionRow,
    agency::AgencyRow,
    agency::NameKeyRow,
    agency::StaffRow,
    arrangement::ArrangementRow,
    arrangement::ArrangementEventRow,
    arrangement::ArrangementMemberRow,
    arrangement::ArrangementCaseRow,
    audit::AuditRow,
    break_glass::BreakGlassRow,
    case::CaseRow,
    case::CaseVersionRow,
    case::CasePlanRow,
    case::CaseEntryRow,
    case::CaseConsentRow,
    consent::ConsentRow,
    consent::ConsentEventRow,
    consultation::ConsultationRow,
    content::ContentRow,
    content::DataKeyRow,
    delivery::DeliveryRow,
    erasure::ErasureRow,
    erasure::HoldRow,
    erasure::ShredRow,
    fence::FenceRow,
    hand_over::HandOverRow,
    holding::HoldingRow,
    idempotency::IdempotencyRow,
    incident::IncidentRow,
    job::JobRow,
    keyring::NodeRow,
    keyring::RetiredKekRow,
    leg::LegRow,
    leg::LegEventRow,
    leg::ManifestRow,
    notice::NoticeReaderRow,
    protection::ProtectionRow,
    protection::ProtectionVersionRow,
    receipt::ReceiptRow,
    referral::ReferralRow,
    referral::ReferralEventRow,
    relation::RelationRow,
    service::ServiceRow,
    statutory::StatutoryRow,
    sign_in::SignInRow,
    sign_in::SessionRow,
    subscription::SubscriptionRow,
);

/// (file, name, text) of every statement this engine understands.
fn statements(dialect: Dialect) -> Vec<(&'static str, &'static str, &'static str)> {
    let all =
        FILES.iter().flat_map(|(file, list)| list.iter().map(move |(name, text)| (*file, *name, *text)));
    let other = |name| OF_ONE_ENGINE.iter().any(|(only, engine)| *only == name && *engine != dialect);
    all.filter(|(_, name, _)| !other(*name)).collect()
}

stories!(
    every_statement_prepares,
    what_one_connection_runs_stays_prepared,
    every_statement_finds_its_rows_by_an_index
);

async fn every_statement_prepares(stage: Stage) {
    Ledger::migrate(&stage.url).await.unwrap();
    let mut connection = stage.connect().await;
    for (file, name, text) in statements(stage.dialect) {
        let prepared = (&mut connection).prepare(text.into_sql_str()).await;
        assert!(prepared.is_ok(), "{file}::{name}: {:?}\n{text}", prepared.err());
    }
    for table in TABLES {
        for text in table.inserts {
            let prepared = (&mut connection).prepare(text.into_sql_str()).await;
            assert!(prepared.is_ok(), "{}: {:?}\n{text}", table.name, prepared.err());
        }
    }
    let nonsense = (&mut connection).prepare("SELECT nothing FROM leg".into_sql_str()).await;
    assert!(nonsense.is_err(), "a column that is not there would not be noticed");
}

/// One statement more than a connection keeps, and it would be prepared anew at every turn.
async fn what_one_connection_runs_stays_prepared(stage: Stage) {
    Ledger::migrate(&stage.url).await.unwrap();
    let all: Vec<&str> = statements(stage.dialect).into_iter().map(|(_, _, text)| text).collect();
    let (reads, steps): (Vec<&str>, Vec<&str>) = all.into_iter().partition(|text| text.starts_with("SELECT"));
    let writes = steps.into_iter().chain(TABLES.iter().flat_map(|table| table.inserts)).collect();
    for (who, texts) in [("a reader", reads), ("the committer", writes)] {
        let texts: BTreeSet<&str> = texts.into_iter().collect();
        assert!(texts.len() <= KEPT, "{who} runs {} statements", texts.len());
        if stage.dialect == Dialect::Postgres {
            let mut connection = stage.connect().await;
            for text in &texts {
                (&mut connection).prepare(text.into_sql_str()).await.unwrap();
            }
            let kept = sqlx::raw_sql("SELECT COUNT(*) FROM pg_prepared_statements");
            let kept: i64 = kept.fetch_one(&mut connection).await.unwrap().get(0);
            assert_eq!(kept, texts.len() as i64, "{who} does not keep its statements");
        }
    }
}

async fn every_statement_finds_its_rows_by_an_index(stage: Stage) {
    Ledger::migrate(&stage.url).await.unwrap();
    let mut connection = stage.connect().await;
    let mut scans = Vec::new();
    for (file, name, text) in statements(stage.dialect) {
        if OF_NO_TABLE.contains(&name) || text.starts_with("INSERT") {
            continue;
        }
        let plan = match stage.dialect {
            Dialect::Sqlite => sqlite_plan(&mut connection, text).await,
            Dialect::Postgres => postgres_plan(&mut connection, text).await,
        };
        if !plan.indexed {
            scans.push(format!("{file}::{name}: {text}\n{}", plan.text));
        }
    }
    assert!(scans.is_empty(), "a full scan in:\n{}", scans.join("\n\n"));
    let scan = "SELECT id FROM leg WHERE commitment = $1";
    let plan = match stage.dialect {
        Dialect::Sqlite => sqlite_plan(&mut connection, scan).await,
        Dialect::Postgres => postgres_plan(&mut connection, scan).await,
    };
    assert!(!plan.indexed, "a full scan would not be noticed: {}", plan.text);
}

struct Plan {
    text: String,
    indexed: bool,
}

async fn sqlite_plan(connection: &mut AnyConnection, text: &str) -> Plan {
    let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {text}"));
    let rows = sqlx::query(explain).fetch_all(connection).await.unwrap();
    let lines: Vec<String> = rows.iter().map(|row| row.get::<String, _>(3)).collect();
    // The claimed jobs themselves are few: the claim limits them.
    let scan = |line: &String| line.starts_with("SCAN ") && line != "SCAN due";
    Plan { indexed: !lines.iter().any(scan), text: lines.join("\n") }
}

/// The plan for any values, on a planner that scans a whole table only if it cannot do otherwise.
async fn postgres_plan(connection: &mut AnyConnection, text: &str) -> Plan {
    let places = (1..).take_while(|n| text.contains(&format!("${n}"))).count();
    let values = if places == 0 { String::new() } else { format!("({})", vec!["NULL"; places].join(", ")) };
    let setup = format!(
        "SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan; DEALLOCATE ALL; PREPARE it AS {text}"
    );
    sqlx::raw_sql(AssertSqlSafe(setup)).execute(&mut *connection).await.unwrap();
    let explain = AssertSqlSafe(format!("EXPLAIN EXECUTE it{values}"));
    let rows = sqlx::raw_sql(explain).fetch_all(connection).await.unwrap();
    let lines: Vec<String> = rows.iter().map(|row| row.get::<String, _>(0)).collect();
    let with = |word: &str| lines.iter().filter(|line| line.contains(word)).count();
    // An index read from end to end has no condition.
    let indexed =
        with("Seq Scan") == 0 && with("Index Scan") + with("Index Only Scan") == with("Index Cond:");
    Plan { indexed, text: lines.join("\n") }
}

fn sources() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ledger");
    let files =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let named = files.map(|path| {
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned();
        (path.file_name().unwrap().to_str().unwrap().to_owned(), code)
    });
    named.collect()
}

#[test]
fn every_file_with_statements_is_tried() {
    let written: BTreeSet<String> = sources()
        .into_iter()
        .filter(|(_, code)| code.contains("\nstatements! {"))
        .map(|(name, _)| name.trim_end_matches(".rs").to_owned())
        .collect();
    assert_eq!(written, FILES.iter().map(|(file, _)| (*file).to_owned()).collect());
    let declared: usize = sources().iter().map(|(_, code)| code.matches("\ntable! {").count()).sum();
    assert_eq!(declared, TABLES.len());
}

#[test]
fn no_sql_stands_outside_the_statements() {
    let words = [
        "SELECT",
        "INSERT",
        "UPDATE",
        "DELETE",
        "WITH",
        "CREATE",
        "ALTER",
        "DROP",
        "BEGIN",
        "COMMIT",
        "ROLLBACK",
        "SAVEPOINT",
        "PRAGMA",
        "SET",
        "EXPLAIN",
    ];
    let mut found = Vec::new();
    for (name, code) in sources() {
        assert!(
            !code.contains("AssertSqlSafe") && !code.contains("QueryBuilder"),
            "{name} builds SQL at run time"
        );
        let code = without_statements(&code);
        for (at, _) in code.match_indices('"') {
            let literal = &code[at + 1..];
            let word = literal.split(|c: char| !c.is_ascii_uppercase()).next().unwrap_or_default();
            let allowed =
                OTHER_LITERALS.iter().any(|(file, start)| *file == name && literal.starts_with(start));
            if words.contains(&word) && !allowed {
                found.push(format!("{name}: {}", literal.lines().next().unwrap_or_default()));
            }
        }
    }
    assert!(found.is_empty(), "SQL outside `statements!`:\n{}", found.join("\n"));
}

/// The code without what stands between `statements! {` and the brace that closes it.
fn without_statements(code: &str) -> String {
    let mut parts = code.split("\nstatements! {");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |sum, part| sum + part.split_once("\n}\n").map_or("", |(_, rest)| rest))
}

/// Every column that names a data key has been given its fate: what is erased with a referral, and what is not.
#[test]
fn every_sealed_table_is_on_the_list() {
    let named = |table: &Table| {
        let columns = table.columns.split(", ").filter(|column| {
            *column == "data_key" || column.ends_with("_key") && !matches!(*column, "name_key" | "data_key")
        });
        columns.map(|column| (table.name, column.to_owned())).collect::<Vec<_>>()
    };
    // A list of keys that are no more seals nothing.
    let written: BTreeSet<_> = TABLES.iter().flat_map(named).filter(|(table, _)| *table != "shred").collect();
    let listed: BTreeSet<_> = crate::ledger::keyring::SEALED
        .iter()
        .map(|(table, column, _)| (*table, (*column).to_owned()))
        .collect();
    assert_eq!(
        written, listed,
        "put the new column into SEALED, and what goes with a referral into erase.rs `keys`"
    );
}
