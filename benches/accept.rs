//! How many referrals a hub accepts per second at its API, on both engines, beside a bare reference that writes
//! the same rows without a hub. Everything in one run on one machine, in turns, so that the ratios hold where the
//! figures do not.
//!
//! `cargo bench --bench accept -- --help`

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for a person at a terminal")]

#[path = "accept/bare_loop.rs"]
mod bare_loop;
#[path = "accept/client.rs"]
mod client;
#[path = "accept/documents.rs"]
mod documents;
#[path = "accept/engine.rs"]
mod engine;
#[path = "accept/hub.rs"]
mod hub;
#[path = "accept/machine.rs"]
mod machine;
#[path = "accept/pgbench.rs"]
mod pgbench;
#[path = "accept/report.rs"]
mod report;
#[path = "accept/servers.rs"]
mod servers;
#[path = "accept/shape.rs"]
mod shape;

use std::{process::ExitCode, time::Duration};

use clap::{Parser, ValueEnum};

use client::Plan;
use engine::Bench;

/// Accepted referrals per second at the API, beside bare references writing the same rows.
#[derive(Parser)]
#[command(name = "accept")]
struct Arguments {
    /// Which engines to measure
    #[arg(long, value_enum, default_value_t = Engines::Both)]
    engine: Engines,
    /// Seconds of each measured run
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Seconds of load before each measured run of a hub
    #[arg(long, default_value_t = 3)]
    warm_up: u64,
    /// How often reference and hub take turns
    #[arg(long, default_value_t = 4)]
    rounds: u64,
    /// Keep-alive connections of the load
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// The date to print
    #[arg(long)]
    date: Option<String>,
    /// End with 1 if a budget is missed
    #[arg(long)]
    check: bool,
    /// Given by cargo; of no meaning here
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Engines {
    Sqlite,
    Postgres,
    Both,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    sqlx::any::install_default_drivers();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ran = runtime.map_err(|e| e.to_string()).and_then(|runtime| runtime.block_on(run(&arguments)));
    match ran {
        Ok(met) if met || !arguments.check => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(error) => {
            eprintln!("accept: {error}");
            ExitCode::from(2)
        }
    }
}

/// Measures and prints; tells whether every budget was met.
async fn run(arguments: &Arguments) -> Result<bool, String> {
    let folder = tempfile::Builder::new().prefix("tsunagu-accept-").tempdir().map_err(|e| e.to_string())?;
    let bench = Bench {
        folder: folder.path(),
        plan: Plan {
            connections: arguments.connections,
            warm_up: Duration::from_secs(arguments.warm_up),
            duration: Duration::from_secs(arguments.seconds),
        },
        rounds: arguments.rounds,
    };
    let mut results = Vec::new();
    if arguments.engine != Engines::Postgres {
        results.push(bench.sqlite().await?);
    }
    if arguments.engine != Engines::Sqlite {
        results.push(bench.postgres().await?);
    }
    println!("{}", report::head(folder.path(), arguments.date.as_deref(), &bench, &results));
    println!("{}", report::table(&results));
    let (lines, met) = report::budgets(&results);
    println!("{lines}");
    Ok(met)
}
