//! Checks receipts offline: texts in, report out. Needs the hub's public keys and nothing else.
//!
//! `scripts/verify_receipt.py` does the same with no shared code; both are held to `tests/vectors/receipts`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    domain::{
        chain::Hash,
        hand_over::Responsible,
        ids::{AgencyId, LegId, StaffId},
        leg::{LegState, may_lead},
        mask,
        proof::{FaultCode, NotProved},
        receipt::{self, Attested, CopyFor, Manifest, Receipt, ReceiptLevel, Step},
        section::Section,
    },
    vault::{
        jws::{Jwks, JwsFault, Typ, verify_jws},
        sha256,
    },
};

impl From<JwsFault> for FaultCode {
    fn from(fault: JwsFault) -> Self {
        match fault {
            JwsFault::Form => Self::Form,
            JwsFault::Header => Self::Header,
            JwsFault::Algorithm => Self::Algorithm,
            JwsFault::Type => Self::Type,
            JwsFault::UnknownKey => Self::UnknownKey,
            JwsFault::Signature => Self::Signature,
            JwsFault::Payload => Self::Payload,
            JwsFault::KeyId => Self::KeyId,
        }
    }
}

/// Which of the given texts a fault is about, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    Statement(usize),
    Manifest(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Fault {
    pub code: FaultCode,
    pub item: Item,
}

/// One statement of a leg that links back to R0.
#[derive(Clone, Debug, Serialize)]
pub struct Rung {
    /// None for a signed event.
    pub level: Option<ReceiptLevel>,
    pub from: Option<String>,
    pub to: String,
    pub seq: u64,
    pub at: Timestamp,
    pub staff: Option<StaffId>,
    pub attested: Attested,
}

#[derive(Clone, Debug, Serialize)]
pub struct LegReport {
    pub leg: LegId,
    pub sender: AgencyId,
    pub recipient: AgencyId,
    pub ladder: Vec<Rung>,
    pub not_proved: Vec<NotProved>,
}

/// The outcome. The bundle is sound if there is no fault.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    pub legs: Vec<LegReport>,
    pub faults: Vec<Fault>,
}

impl Report {
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }

    fn fault(&mut self, code: impl Into<FaultCode>, item: Item) {
        self.faults.push(Fault { code: code.into(), item });
    }
}

/// A statement whose signature holds.
struct Statement {
    item: Item,
    hash: Hash,
    hub_id: Uuid,
    level: Option<ReceiptLevel>,
    step: Step,
    payload: Value,
}

/// A manifest whose signature holds and whose form is right.
struct Listed {
    item: Item,
    hash: Hash,
    manifest: Manifest,
}

/// Checks receipts and events of one or several legs against a hub's keys. The texts may come in any order; a
/// text given twice counts once.
pub fn verify(jwks: &Jwks, statements: &[&str], manifests: &[&str]) -> Report {
    let mut report = Report::default();
    let mut legs: BTreeMap<LegId, Vec<Statement>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for (index, text) in statements.iter().enumerate().filter(|(_, text)| seen.insert(**text)) {
        let item = Item::Statement(index);
        match read_statement(jwks, text, item) {
            Ok(statement) => legs.entry(statement.step.leg).or_default().push(statement),
            Err(code) => report.fault(code, item),
        }
    }
    let mut listed = Vec::new();
    for (index, text) in manifests.iter().enumerate().filter(|(_, text)| seen.insert(**text)) {
        let item = Item::Manifest(index);
        match read_manifest(jwks, text) {
            Ok(manifest) => listed.push(Listed { item, hash: sha256(text.as_bytes()), manifest }),
            Err(code) => report.fault(code, item),
        }
    }
    for one in &listed {
        check_manifest(one, legs.get(&one.manifest.leg).map_or(&[], Vec::as_slice), &mut report);
    }
    for (leg, statements) in &legs {
        check_leg(*leg, statements, &listed, &mut report);
    }
    report.faults.sort_unstable();
    report.faults.dedup();
    report
}

fn read_statement(jwks: &Jwks, text: &str, item: Item) -> Result<Statement, FaultCode> {
    #[derive(Deserialize)]
    struct Stamp {
        v: u8,
        hub_id: Uuid,
    }
    let (payload, is_receipt) = match verify_jws(jwks, text, Typ::Receipt) {
        Ok(payload) => (payload, true),
        Err(JwsFault::Type) => (verify_jws(jwks, text, Typ::Event)?, false),
        Err(fault) => return Err(fault.into()),
    };
    let claims = |_| FaultCode::Claims;
    let stamp = Stamp::deserialize(&payload).map_err(claims)?;
    let (level, step) = if is_receipt {
        let receipt = Receipt::deserialize(&payload).map_err(claims)?;
        (Some(receipt.level), receipt.step)
    } else {
        (None, Step::deserialize(&payload).map_err(claims)?)
    };
    let impossible = level.is_none() && payload.get("level").is_some();
    if stamp.v != 1 || impossible || payload.get("never_opened").is_some_and(|said| *said != true) {
        return Err(FaultCode::Claims);
    }
    let fits = match step.copy {
        CopyFor::Shared => payload.get("withheld").is_none() && payload.get("referral").is_none(),
        CopyFor::Sender { .. } => level == Some(ReceiptLevel::R0),
    };
    if !fits {
        return Err(FaultCode::Copy);
    }
    Ok(Statement { item, hash: sha256(text.as_bytes()), hub_id: stamp.hub_id, level, step, payload })
}

fn read_manifest(jwks: &Jwks, text: &str) -> Result<Manifest, FaultCode> {
    let payload = verify_jws(jwks, text, Typ::Manifest)?;
    let manifest: Manifest = serde_json::from_value(payload).map_err(|_| FaultCode::Manifest)?;
    let sorted = manifest.fields.is_sorted_by(|a, b| a.path < b.path);
    if manifest.v == 1 && sorted { Ok(manifest) } else { Err(FaultCode::Manifest) }
}

/// A manifest must be named by a receipt of its leg, and list only fields of the sections sent.
fn check_manifest(listed: &Listed, statements: &[Statement], report: &mut Report) {
    let mut naming = statements.iter().filter(|s| s.step.manifest == Some(listed.hash)).peekable();
    if naming.peek().is_none() {
        report.fault(FaultCode::ManifestDiffers, listed.item);
    }
    for statement in naming {
        let sent = |path: &str| {
            let section = path.split('/').nth(1).and_then(|name| name.parse::<Section>().ok());
            section.is_some_and(|section| statement.step.sections.contains(section))
        };
        if !listed.manifest.fields.iter().all(|field| sent(&field.path)) {
            report.fault(FaultCode::ManifestSection, statement.item);
        }
    }
}

fn check_leg(leg: LegId, statements: &[Statement], listed: &[Listed], report: &mut Report) {
    let (shared, own): (Vec<_>, Vec<_>) =
        statements.iter().partition(|s| matches!(s.step.copy, CopyFor::Shared));
    let chain = walk(&shared, report);
    for (before, after) in chain.iter().zip(chain.iter().skip(1)) {
        check_pair(before, after, report);
    }
    check_levels(&chain, report);
    check_responsible(&chain, report);
    if let Some(first) = chain.first() {
        let change = &first.step.state;
        if change.from.as_deref().is_some_and(|from| !legal(from, &change.to)) {
            report.fault(FaultCode::Transition, first.item);
        }
    }
    for copy in &own {
        check_sender_copy(copy, chain.first().copied(), report);
    }
    let head = statements.first().map(|s| (s.step.sender, s.step.recipient));
    if let Some((sender, recipient)) = head {
        let not_proved = limits(&chain, !own.is_empty(), listed);
        let ladder = chain.iter().map(|s| rung(s)).collect();
        report.legs.push(LegReport { leg, sender, recipient, ladder, not_proved });
    }
}

/// Follows the statements from R0 on; what cannot be reached does not link back.
fn walk<'a>(shared: &[&'a Statement], report: &mut Report) -> Vec<&'a Statement> {
    let mut next: HashMap<Hash, Vec<&Statement>> = HashMap::new();
    let mut starts = Vec::new();
    for statement in shared {
        match (statement.step.prev, statement.level) {
            (None, Some(ReceiptLevel::R0)) => starts.push(*statement),
            (Some(prev), level) if level != Some(ReceiptLevel::R0) => {
                next.entry(prev).or_default().push(statement);
            }
            _ => report.fault(FaultCode::Previous, statement.item),
        }
    }
    if starts.is_empty() {
        for statement in shared {
            report.fault(FaultCode::NoStart, statement.item);
        }
    }
    let mut chain: Vec<&Statement> = Vec::with_capacity(shared.len());
    let mut followers = starts;
    while let Some(first) = followers.first().copied() {
        for other in &followers[1..] {
            report.fault(FaultCode::Fork, other.item);
        }
        chain.push(first);
        followers = next.remove(&first.hash).unwrap_or_default();
    }
    for statement in next.into_values().flatten() {
        report.fault(FaultCode::Previous, statement.item);
    }
    chain
}

/// Whether the leg's own table leads from one state to the other.
fn legal(from: &str, to: &str) -> bool {
    match (from.parse(), to.parse()) {
        (Ok(from), Ok(to)) => may_lead(from, to),
        _ => false,
    }
}

fn check_pair(before: &Statement, after: &Statement, report: &mut Report) {
    let (old, new) = (&before.step, &after.step);
    let (was, is) = (&old.state, &new.state);
    let parties = |s: &Statement| (s.hub_id, s.step.sender, s.step.recipient);
    let changed = is.from.as_deref() != Some(&*is.to);
    let follows = is.seq == was.seq.saturating_add(1) || (is.seq == was.seq && !changed);
    let checks = [
        (FaultCode::Parties, parties(before) == parties(after)),
        (FaultCode::Time, old.at <= new.at),
        // Two receipts of one operation share a number: the first carries the change of state.
        (FaultCode::Sequence, follows),
        (FaultCode::Link, is.seq != was.seq || old.link == new.link),
        (FaultCode::State, is.from.as_deref() == Some(&*was.to)),
        (FaultCode::Transition, !changed || is.from.as_deref().is_none_or(|from| legal(from, &is.to))),
    ];
    for (code, _) in checks.into_iter().filter(|(_, holds)| !holds) {
        report.fault(code, after.item);
    }
}

/// Each level stands once for its delivery, or for the leg, and R3 only after R2.
fn check_levels(chain: &[&Statement], report: &mut Report) {
    let mut seen = BTreeSet::new();
    for statement in chain {
        let Some(level) = statement.level else { continue };
        let delivery = match level {
            ReceiptLevel::R0 | ReceiptLevel::R1 | ReceiptLevel::R2 | ReceiptLevel::R3 => {
                statement.step.delivery
            }
            ReceiptLevel::R4 | ReceiptLevel::Closed => None,
        };
        let without_taking = level == ReceiptLevel::R3 && !seen.contains(&(ReceiptLevel::R2, delivery));
        if !seen.insert((level, delivery)) || without_taking {
            report.fault(FaultCode::Level, statement.item);
        }
    }
    if chain.iter().any(|statement| statement.level == Some(ReceiptLevel::R3)) {
        for statement in chain.iter().filter(|statement| statement.step.never_opened.is_some()) {
            report.fault(FaultCode::NeverOpened, statement.item);
        }
    }
}

/// Of a hand-over each step says who is responsible, and it is who it is in the state that the step leaves.
fn check_responsible(chain: &[&Statement], report: &mut Report) {
    let hands_over = chain.first().is_some_and(|first| first.step.responsible.is_some());
    for statement in chain {
        let Step { state, sender, recipient, .. } = &statement.step;
        let in_state = |state: LegState| Responsible::of(state).among(*sender, *recipient);
        // An unknown state is a fault of its own.
        let due = state.to.parse().ok().map(in_state).filter(|_| hands_over);
        if statement.step.responsible != due && !(hands_over && due.is_none()) {
            report.fault(FaultCode::Responsible, statement.item);
        }
    }
}

fn check_sender_copy(copy: &Statement, shared: Option<&Statement>, report: &mut Report) {
    let CopyFor::Sender { withheld, .. } = &copy.step.copy else { return };
    // In place of a concealed address its section was sent with a sentence of the hub.
    let stood_in = |w: &receipt::Withheld| w.why == mask::Why::Concealed.code();
    let whole = withheld.iter().filter(|w| w.subject.is_none() && !stood_in(w));
    if whole.into_iter().any(|w| copy.step.sections.contains(w.section)) {
        report.fault(FaultCode::Withheld, copy.item);
    }
    let Some(shared) = shared else {
        report.fault(FaultCode::NoStart, copy.item);
        return;
    };
    if common(&copy.payload) != common(&shared.payload) {
        report.fault(FaultCode::CopyDiffers, copy.item);
    }
}

/// What the two copies of R0 have in common.
fn common(payload: &Value) -> BTreeMap<&String, &Value> {
    const OWN: [&str; 4] = ["copy", "receipt_id", "referral", "withheld"];
    payload.as_object().into_iter().flatten().filter(|(name, _)| !OWN.contains(&name.as_str())).collect()
}

fn rung(statement: &Statement) -> Rung {
    let Step { state, at, by, .. } = &statement.step;
    Rung {
        level: statement.level,
        from: state.from.as_deref().map(str::to_owned),
        to: state.to.clone().into_owned(),
        seq: state.seq,
        at: *at,
        staff: by.staff,
        attested: by.attested,
    }
}

fn limits(chain: &[&Statement], has_sender_copy: bool, listed: &[Listed]) -> Vec<NotProved> {
    let at = |level| chain.iter().find(|s| s.level == Some(level));
    let opened = at(ReceiptLevel::R3);
    let given = |hash: Hash| listed.iter().any(|one| one.hash == hash);
    let holds = |limit: NotProved| match limit {
        NotProved::Fields => !chain.iter().filter_map(|s| s.step.manifest).all(given),
        NotProved::Withheld => !has_sender_copy,
        NotProved::Opened => opened.is_none(),
        NotProved::Reader => opened.is_some_and(|s| s.step.by.attested != Attested::AgencyKey),
        NotProved::Answered => at(ReceiptLevel::R4).is_none(),
        NotProved::Understanding
        | NotProved::Content
        | NotProved::Later
        | NotProved::Time
        | NotProved::History => true,
    };
    NotProved::ALL.iter().copied().filter(|limit| holds(*limit)).collect()
}
