//! What one decision costs, basis by basis: the cases of `tests/decisions`, decided again and again. A decision is
//! made at every reading, so the budget is 50 µs each.
//!
//! `cargo bench --bench decide`

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a program for a person at a terminal")]

use std::{collections::BTreeMap, fs, hint::black_box, process::ExitCode, time::Instant};

use tsunagu::{
    domain::{disclosure::case::Case, language::Language},
    usecases::decision_case,
};

/// Decisions per case and round. The best of some rounds is told: the others were disturbed.
const ROUND: u32 = 2_000;
const ROUNDS: u32 = 7;
const BUDGET_US: f64 = 50.0;

fn main() -> ExitCode {
    let mut bases: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for case in cases() {
        let basis = case.situation.basis.clone().unwrap_or_else(|| "(none)".to_owned());
        bases.entry(basis).or_default().push(micros(&case));
    }
    println!("{:<20} {:>5} {:>9} {:>9}", "basis", "cases", "mean µs", "max µs");
    let mut worst: f64 = 0.0;
    for (basis, all) in &bases {
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        let max = all.iter().copied().fold(0.0, f64::max);
        worst = worst.max(max);
        println!("{basis:<20} {:>5} {mean:>9.2} {max:>9.2}", all.len());
    }
    println!("dearest case {worst:.2} µs, budget {BUDGET_US} µs");
    if worst <= BUDGET_US { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn cases() -> Vec<Case> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/decisions");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let read = |path| {
        let file = decision_case::read(&fs::read(path).unwrap());
        file.unwrap_or_else(|problem| panic!("{}", problem.told(Language::English))).cases
    };
    paths.filter(|path| path.extension().is_some_and(|e| e == "json")).flat_map(read).collect()
}

/// The microseconds of one decision of this case.
fn micros(case: &Case) -> f64 {
    let round = || {
        let begun = Instant::now();
        for _ in 0..ROUND {
            let _answer = black_box(black_box(case).decide());
        }
        begun.elapsed().as_secs_f64() * 1e6 / f64::from(ROUND)
    };
    (0..ROUNDS).map(|_| round()).fold(f64::INFINITY, f64::min)
}
