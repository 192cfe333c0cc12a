//! `tsunagu verify`: checks receipts offline. It needs neither hub nor account, only the published keys.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use super::{Console, Said, Stopped};
use crate::{
    domain::language::Language,
    usecases::verify::{Item, LegReport, Report, Rung, verify},
    vault::jws::Jwks,
};

/// 受領証を、ハブにつながずに検証する / verify receipts offline
#[derive(clap::Args)]
pub(super) struct Args {
    /// ハブの公開鍵（/.well-known/jwks.json を、あらかじめ保存したもの） / the hub's public keys, kept from /.well-known/jwks.json
    #[arg(long, value_name = "FILE")]
    jwks: PathBuf,
    /// 目録（マニフェスト、*.jws）のあるフォルダ / the folder of manifests (*.jws)
    #[arg(long, value_name = "DIR")]
    manifests: Option<PathBuf>,
    /// 受領証・署名された記録（*.jws）、またはそのフォルダ / receipts and signed events (*.jws), or folders of them
    #[arg(required = true, value_name = "FILE")]
    receipts: Vec<PathBuf>,
}

pub(super) async fn run(args: Args, console: &Console) -> Result<(), Stopped> {
    let jwks = read(&args.jwks)?;
    let keys = serde_json::from_str(&jwks).ok().and_then(|value| Jwks::parse(&value).ok());
    let keys = keys.ok_or_else(|| unreadable(&args.jwks, "not a JWKS of Ed25519 keys"))?;
    let statements = texts(&args.receipts)?;
    let manifests = texts(&args.manifests.into_iter().collect::<Vec<_>>())?;
    let report = verify(&keys, &borrowed(&statements), &borrowed(&manifests));
    for leg in &report.legs {
        print_leg(leg, console.language);
    }
    print_faults(&report, &statements, &manifests, console.language);
    let (legs, faults) = (report.legs.len(), report.faults.len());
    console.say(&Said::new(
        format!("宛先 {legs} 件、受領証 {} 通、誤り {faults} 件", statements.len()),
        format!("{legs} legs, {} receipts, {faults} faults", statements.len()),
    ));
    if report.is_sound() && !report.legs.is_empty() {
        return Ok(());
    }
    Err(Stopped::failed(Said::new(
        "検証できませんでした。この受領証を証拠として使わないでください。",
        "the receipts do not hold; do not use them as evidence",
    )))
}

/// A text and the file it came from.
struct Source {
    path: PathBuf,
    text: String,
}

fn borrowed(sources: &[Source]) -> Vec<&str> {
    sources.iter().map(|source| source.text.as_str()).collect()
}

/// The files named, and the `*.jws` of the folders named, in order of their names.
fn texts(paths: &[PathBuf]) -> Result<Vec<Source>, Stopped> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let listed = fs::read_dir(path).map_err(|error| unreadable(path, &error.to_string()))?;
            let mut found: Vec<PathBuf> = listed
                .filter_map(|entry| Some(entry.ok()?.path()))
                .filter(|file| file.extension().is_some_and(|extension| extension == "jws"))
                .collect();
            found.sort();
            files.extend(found);
        } else {
            files.push(path.clone());
        }
    }
    files.into_iter().map(|path| Ok(Source { text: read(&path)?, path })).collect()
}

fn read(path: &Path) -> Result<String, Stopped> {
    let text = fs::read_to_string(path).map_err(|error| unreadable(path, &error.to_string()))?;
    Ok(text.trim_end().to_owned())
}

fn unreadable(path: &Path, why: &str) -> Stopped {
    let path = path.display();
    Stopped::wrong(Said::new(format!("{path} を読めません: {why}"), format!("cannot read {path}: {why}")))
}

fn print_leg(leg: &LegReport, language: Language) {
    let mut out = std::io::stdout().lock();
    // That nobody reads is no reason to stop.
    let _nobody = writeln!(out, "{}  {} → {}", leg.leg, leg.sender, leg.recipient);
    for Rung { level, to, at, attested, .. } in &leg.ladder {
        let level = level.map_or("·", |level| level.code());
        let attested = match language {
            Language::Japanese => attested.label_ja(),
            Language::English => attested.label_en(),
        };
        let at = at.display_with_offset(jiff::tz::Offset::constant(9));
        let _nobody = writeln!(out, "  {level:<6} {at}  {to}  ({attested})");
    }
    for limit in &leg.not_proved {
        let _nobody = match language {
            Language::Japanese => writeln!(out, "  証明しないこと: {}", limit.label_ja()),
            Language::English => writeln!(out, "  not proved: {}", limit.label_en()),
        };
    }
}

fn print_faults(report: &Report, statements: &[Source], manifests: &[Source], language: Language) {
    let mut out = std::io::stdout().lock();
    for fault in &report.faults {
        let source = match fault.item {
            Item::Statement(place) => statements.get(place),
            Item::Manifest(place) => manifests.get(place),
        };
        let path = source.map_or_else(String::new, |source| source.path.display().to_string());
        let why = match language {
            Language::Japanese => fault.code.label_ja(),
            Language::English => fault.code.label_en(),
        };
        let _nobody = writeln!(out, "✗ {path}: {} ({})", why, fault.code);
    }
}
