//! What was measured, as Markdown for `docs/performance.md`.

use std::{fmt::Write as _, path::Path, process::Command};

use crate::{
    engine::{Bench, Budget, Load, Measured, Reference},
    machine, pgbench,
};

/// Aims for both engines.
const DISK_BYTES: f64 = 15_000.0;
const IDLE_KIB: u64 = 60 * 1024;
const PEAK_KIB: u64 = 256 * 1024;

/// Machine, date, versions and command.
pub fn head(folder: &Path, date: Option<&str>, bench: &Bench<'_>, results: &[Measured]) -> String {
    let command: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let today = || machine::said(Command::new("date").arg("+%Y-%m-%d"));
    let date = date.map_or_else(today, str::to_owned);
    let versions: Vec<&str> = results.iter().map(|result| result.version.as_str()).collect();
    let mut text = format!(
        "* Machine: {}\n* Date: {date}\n* Versions: tsunagu {}, {}, {}\n* Command: `cargo bench --bench accept -- {}`\n",
        machine::describe(folder),
        env!("CARGO_PKG_VERSION"),
        versions.join(", "),
        machine::said(Command::new(pgbench::program("pgbench")).arg("--version")),
        command.join(" ")
    );
    let plan = bench.plan;
    let _ = writeln!(
        text,
        "* Load: {} keep-alive connections, {} s after {} s of warm-up, {} rounds in turns with the reference; {} byte \
         bodies",
        plan.connections,
        plan.duration.as_secs(),
        plan.warm_up.as_secs(),
        bench.rounds,
        results.first().map_or(0, |result| result.body_bytes),
    );
    for result in results {
        let (rows, bytes) = (result.shape.row_count(), result.shape.bytes());
        let _ = writeln!(
            text,
            "* {}: one accepted referral is {rows} rows with {bytes} bytes of values ({}), and {} guarded consent",
            result.engine,
            result.shape.summary(),
            result.shape.consents.len()
        );
    }
    text
}

/// One line per figure, one column per engine.
pub fn table(results: &[Measured]) -> String {
    let engines: Vec<&str> = results.iter().map(|result| result.engine).collect();
    let mut text = format!("| | {} |\n|---|{}\n", engines.join(" | "), "---|".repeat(results.len()));
    for (name, figure) in FIGURES {
        let values: Vec<String> = results.iter().map(figure).collect();
        let _ = writeln!(text, "| {name} | {} |", values.join(" | "));
    }
    text
}

type Figure = fn(&Measured) -> String;

const FIGURES: [(&str, Figure); 15] = [
    ("reference, referrals per second, by round", references),
    ("hub, accepted per second, by round", |m| {
        list(&m.loads, |load| format!("{:.0}", load.outcome.per_second()))
    }),
    ("hub ÷ reference, median of the rounds", ratios),
    ("p50 by round, ms", |m| list(&m.loads, |load| format!("{:.1}", load.outcome.quantile_ms(0.5)))),
    ("p99 by round, ms", |m| list(&m.loads, |load| format!("{:.1}", load.outcome.quantile_ms(0.99)))),
    ("answers other than 201", |m| m.loads.iter().map(|load| load.outcome.errors).sum::<u64>().to_string()),
    ("reference, ms of processor time per referral", |m| {
        let ms = m.references.first().map_or(&[][..], |first| &first.cpu);
        ms.iter().map(|seconds| format!("{:.2}", seconds * 1000.0)).collect::<Vec<_>>().join(", ")
    }),
    ("hub's run, the same: hub", |m| cpu(m, 0)),
    ("… database", |m| cpu(m, 1)),
    ("… broker", |m| cpu(m, 2)),
    ("… load client", |m| cpu(m, 3)),
    ("reference ÷ hub in processor time", |m| {
        let reference = m.references.first().map_or(0.0, |first| mean(&first.cpu)) * 1000.0;
        let hub: Vec<f64> =
            m.loads.iter().map(|load| (0..4).map(|place| milliseconds(load, place)).sum()).collect();
        format!("{:.2}", reference / mean(&hub))
    }),
    ("disk per accepted referral, bytes", |m| format!("{:.0}", m.disk_per_referral)),
    ("hub's resident memory idle, MiB", |m| (m.idle_kib / 1024).to_string()),
    ("hub's resident memory, peak, MiB", |m| (m.peak_kib / 1024).to_string()),
];

fn list(loads: &[Load], figure: impl Fn(&Load) -> String) -> String {
    loads.iter().map(figure).collect::<Vec<_>>().join(", ")
}

fn references(result: &Measured) -> String {
    let one = |reference: &Reference| {
        let rates: Vec<String> = reference.per_second.iter().map(|rate| format!("{rate:.0}")).collect();
        format!("{} ({})", rates.join(", "), reference.name)
    };
    result.references.iter().map(one).collect::<Vec<_>>().join("; ")
}

fn ratios(result: &Measured) -> String {
    let one = |reference: &Reference| format!("{:.2} ({})", ratio(result, reference), reference.name);
    result.references.iter().map(one).collect::<Vec<_>>().join("; ")
}

fn cpu(result: &Measured, place: usize) -> String {
    list(&result.loads, |load| format!("{:.2}", milliseconds(load, place)))
}

fn milliseconds(load: &Load, place: usize) -> f64 {
    load.cpu[place] * 1000.0 / load.outcome.latencies.len().max(1) as f64
}

/// The median over the rounds: in each, hub and reference ran one right after the other.
fn ratio(result: &Measured, reference: &Reference) -> f64 {
    let rounds = result.loads.iter().zip(&reference.per_second);
    let mut ratios: Vec<f64> = rounds.map(|(load, bare)| load.outcome.per_second() / bare).collect();
    ratios.sort_by(f64::total_cmp);
    let (low, high) = (ratios.get(ratios.len().saturating_sub(1) / 2), ratios.get(ratios.len() / 2));
    low.zip(high).map_or(0.0, |(low, high)| f64::midpoint(*low, *high))
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// A line of the verdict.
struct Line {
    engine: &'static str,
    met: bool,
    /// Whether a miss fails a run with `--check`. The others are where this has to go.
    counts: bool,
    text: String,
}

/// Each budget and whether it was met; and whether all were that count today.
pub fn budgets(results: &[Measured]) -> (String, bool) {
    let lines: Vec<Line> = results.iter().flat_map(lines).collect();
    let mut text = String::new();
    for Line { engine, met, counts, text: what } in &lines {
        let verdict = match (met, counts) {
            (true, _) => "met",
            (false, true) => "MISSED",
            (false, false) => "not yet",
        };
        let _ = writeln!(text, "{verdict:<8} {engine}: {what}");
    }
    let errors =
        results.iter().flat_map(|result| &result.loads).filter_map(|load| load.outcome.first_error.as_ref());
    for error in errors {
        let _ = writeln!(text, "         an answer other than 201: {error}");
    }
    (text, lines.iter().all(|line| line.met || !line.counts))
}

fn lines(result: &Measured) -> Vec<Line> {
    let line = |met, counts, text| Line { engine: result.engine, met, counts, text };
    let ratio = result.references.first().map_or(0.0, |first| ratio(result, first));
    let errors: u64 = result.loads.iter().map(|load| load.outcome.errors).sum();
    let Budget { now, aim, p99_ms } = result.budget;
    let mut lines = vec![
        line(errors == 0, true, format!("{errors} answers other than 201, none allowed")),
        line(ratio >= now, true, format!("hub ÷ reference {ratio:.2}, at least {now}")),
        line(ratio >= aim, false, format!("hub ÷ reference {ratio:.2}, in the end at least {aim}")),
    ];
    if let Some(most) = p99_ms {
        let p99 = result.loads.iter().map(|load| load.outcome.quantile_ms(0.99)).fold(0.0, f64::max);
        lines.push(line(p99 <= most, false, format!("p99 {p99:.1} ms, in the end at most {most} ms")));
    }
    let disk = result.disk_per_referral;
    lines.push(line(
        disk <= DISK_BYTES,
        false,
        format!("{disk:.0} bytes of disk per referral, at most {DISK_BYTES}"),
    ));
    for (when, found, most) in
        [("idle", result.idle_kib, IDLE_KIB), ("at full load", result.peak_kib, PEAK_KIB)]
    {
        let text = format!("resident memory {when} {} MiB, at most {} MiB", found / 1024, most / 1024);
        lines.push(line(found <= most, false, text));
    }
    lines
}
