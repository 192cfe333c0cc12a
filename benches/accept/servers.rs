//! The private servers of one run: PostgreSQL and RabbitMQ as `scripts/servers` starts them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// Ended, with all they hold, when this goes out of scope.
pub struct Servers {
    folder: PathBuf,
    /// URL of PostgreSQL's first database.
    postgres: String,
    /// URL of the broker's vhost.
    pub broker: String,
}

impl Servers {
    pub fn start(folder: PathBuf) -> Result<Self, String> {
        let printed = script(&["start".as_ref(), "--only".as_ref(), "postgres,broker".as_ref(), &folder])?;
        let value = |name: &str| {
            let line = printed.lines().find_map(|line| line.strip_prefix(&format!("export {name}=")));
            line.map(|text| text.trim_matches('\'').to_owned())
                .ok_or_else(|| format!("no {name} in {printed}"))
        };
        Ok(Self { postgres: value("HUB_TEST_PG")?, broker: value("HUB_TEST_AMQP")?, folder })
    }

    /// Makes an empty database and returns its URL.
    pub fn database(&self, name: &str) -> Result<String, String> {
        psql(&self.postgres, &format!("CREATE DATABASE {name}"))?;
        let (server, _) = self.postgres.rsplit_once('/').ok_or("PostgreSQL's URL names no database")?;
        Ok(format!("{server}/{name}"))
    }

    /// Writes everything to its place, so that no run pays for what another one left.
    pub fn settle(&self) -> Result<(), String> {
        psql(&self.postgres, "CHECKPOINT").map(drop)
    }

    pub fn postgres_version(&self) -> Result<String, String> {
        psql(&self.postgres, "SHOW server_version")
    }

    pub fn postgres_process(&self) -> u32 {
        process_id(&self.folder.join("postgres.pid"))
    }

    pub fn broker_process(&self) -> u32 {
        process_id(&self.folder.join("broker.pid"))
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        let _told_on_stderr = script(&["stop".as_ref(), &self.folder]);
    }
}

/// What a statement answers: rows by lines.
pub fn psql(url: &str, statement: &str) -> Result<String, String> {
    let mut command = Command::new("psql");
    command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", statement]);
    said(&command.output().map_err(|e| format!("psql does not start: {e}"))?)
}

fn script(arguments: &[&Path]) -> Result<String, String> {
    let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/servers"));
    said(&command.args(arguments).output().map_err(|e| format!("scripts/servers does not start: {e}"))?)
}

fn said(done: &Output) -> Result<String, String> {
    if done.status.success() {
        return Ok(String::from_utf8_lossy(&done.stdout).trim_end().to_owned());
    }
    Err(String::from_utf8_lossy(&done.stderr).into_owned())
}

fn process_id(file: &Path) -> u32 {
    fs::read_to_string(file).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}
