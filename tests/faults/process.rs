//! `tsunagu serve` as a process that can be killed.

use std::{
    fs::{File, OpenOptions},
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use tsunagu::{config::Config, ledger::Mode};

use crate::dice::Dice;

/// A running hub. It is killed when it goes out of sight.
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts the program with these settings and waits until it listens.
    pub fn start(config: &Config, log: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tsunagu"));
        command.args(["serve", "--data"]).arg(&config.hub.data).env("LC_ALL", "C").stdin(Stdio::null());
        for (name, value) in [
            ("SERVER__LISTEN", config.server.listen.to_string()),
            ("SERVER__WORKERS", config.server.workers.to_string()),
            ("RULES__CONFIRM_RECIPIENTS", config.rules.confirm_recipients.to_string()),
            ("RULES__RELEASE_SECONDS", config.rules.release_seconds.to_string()),
            ("RULES__SWEEP_SECONDS", config.rules.sweep_seconds.to_string()),
        ] {
            command.env(format!("TSUNAGU__{name}"), value);
        }
        if config.hub.mode == Mode::Clustered {
            command.env("TSUNAGU__HUB__MODE", "clustered");
            command.env("TSUNAGU__LEDGER__URL", config.ledger.url.expose());
            command.env("TSUNAGU__AMQP__URL", config.amqp.url.expose());
            command.env("TSUNAGU__VAULT__FOLDER", &config.vault.folder);
        }
        let file: File = OpenOptions::new().create(true).append(true).open(log).unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(file).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let started = Self { child, log: log.to_owned() };
        assert!(line.contains("listens on"), "the hub did not start: {line}{}", started.said());
        started
    }

    /// SIGKILL, and its end is waited for.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The log of this process and of those before it.
    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _ended_already = self.child.wait();
    }
}

/// An address that stays free while the hub is away: its port is below those that outgoing connections are given.
pub fn address(dice: &mut Dice) -> SocketAddr {
    loop {
        let address = SocketAddr::from(([127, 0, 0, 1], dice.between(20_000, 32_000) as u16));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}
