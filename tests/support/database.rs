//! A PostgreSQL database of a test's own, as the hub wants it: UTF-8, C collation.

use std::process::Command;

use super::servers::{self, unique_name};

/// Made empty; dropped, with whoever is still connected, when the value goes.
pub struct TestDatabase {
    /// `postgres://user:password@127.0.0.1:port/name`
    pub url: String,
    admin_url: String,
    name: String,
}

impl TestDatabase {
    /// Gives `None`, and says so, if there is no PostgreSQL.
    pub fn new() -> Option<Self> {
        let admin_url = servers::postgres()?;
        let name = unique_name();
        psql(
            &admin_url,
            &format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"),
        );
        let (server, _) = admin_url.rsplit_once('/').expect("HUB_TEST_PG names a database");
        Some(Self { url: format!("{server}/{name}"), admin_url, name })
    }

    /// What a statement answers: rows by lines, columns by `|`. For looking at the hub's tables from outside.
    pub fn query(&self, sql: &str) -> String {
        psql(&self.url, sql)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        if std::thread::panicking() {
            // The test has failed already; a second panic here would hide why.
            let _ = Command::new("psql").args(["-X", "-q", "-d", &self.admin_url, "-c", &sql]).output();
        } else {
            psql(&self.admin_url, &sql);
        }
    }
}

fn psql(url: &str, sql: &str) -> String {
    let out = Command::new("psql")
        .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", sql])
        .output()
        .expect("psql runs");
    assert!(out.status.success(), "psql: {}\nin: {sql}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).expect("psql prints UTF-8").trim_end().to_owned()
}
