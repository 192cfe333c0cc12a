//! Hides a family: at once, by one person. Shows it again, to anybody: by two.
//!
//! Each step is one version, sealed whole. Its write holds every leg of the case still, so that it and a disclosure
//! exclude each other, and the version says how far each leg had come.

use jiff::Timestamp;
use serde_json::Value;

use super::{
    ALLOWED, Answer, Caller, Command, Context,
    consent::field_problem,
    hand_over,
    idempotency::{Pointer, Prepared, once},
    not_found,
    opened::{damaged, data_key, party},
    protection::{self, mac, slot, step_answer, version},
    refused::refused,
};
use crate::{
    domain::{
        delivery::DeliveryState,
        fault::{Fault, Text},
        ids::{AgencyId, ProtectionId, ReferralId, StaffId},
        problem::{Problem, ProblemKind},
        protection::{
            Standing,
            record::{AskedLift, NotMade, Place, ProtectionState, ProtectionStep, Reached, Record},
            terms::Terms,
        },
        referral::ReferralType,
        refusal::{Refusal, RefusalCode},
        staff::StaffRole,
    },
    ledger::{
        Lane, Scope, Step, Write,
        audit::AuditAction,
        content::DataKeyRow,
        delivery::MoveDelivery,
        leg::LegRow,
        protection::{
            HoldLeg, HoldProtection, MoveProtection, ProtectionRow, ProtectionVersionRow, PutProtection,
        },
    },
    usecases::schema::pointer,
    vault::seal::DataKey,
};

/// What is asked of a protection that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Terms,
    Release,
    Unlock,
    Approve,
}

/// Records who a family is hidden from. It counts from the commit on, also for what waits unread.
///
/// # Errors
/// Faults of the record; a case that is protected already.
pub async fn record(context: &Context, caller: &Caller, command: &Command) -> Result<Answer, Problem> {
    once(context, caller, command, async || prepare_new(context, caller, command).await).await
}

async fn prepare_new(context: &Context, caller: &Caller, command: &Command) -> Result<Prepared, Problem> {
    let (document, now) = (&command.document, context.clock.now());
    let place = place(context, caller, document).await?;
    let terms = terms(context, caller, document).await?;
    let by = caller.staff(context, &document["by"], "/by").await?.id;
    let mac = mac(context, caller.id(), place);
    if !context.ledger.protections_at(&mac, &mac).await?.is_empty() {
        return Err(there_already(place));
    }
    let next = Next::first(context, caller.id(), Record::new(place, terms, by, now))?;
    finish(context, caller, next).await
}

/// Makes a step of a protection the caller keeps, if it has the version that was read.
///
/// # Errors
/// Not found; stale; released already; `APPROVER_REQUIRED` where the second person is missing or no supervisor.
pub async fn step(
    context: &Context,
    caller: &Caller,
    id: ProtectionId,
    from: i64,
    change: Change,
    command: &Command,
) -> Result<Answer, Problem> {
    once(context, caller, command, async || {
        let document = &command.document;
        let row = context.ledger.protection(caller.scope(), id).await?.ok_or_else(not_found)?;
        let staff = caller.staff(context, &document["by"], "/by").await?;
        if row.version != from {
            return Err(Problem::new(ProblemKind::VersionStale));
        }
        let (before, key) = version(context, &row, from).await?;
        let record = make(context, caller, &before, change, document, (staff.id, staff.role)).await?;
        finish(context, caller, Next { row, version: from + 1, record, key, wrapped: None }).await
    })
    .await
}

async fn make(
    context: &Context,
    caller: &Caller,
    before: &Record,
    change: Change,
    document: &Value,
    (by, role): (StaffId, StaffRole),
) -> Result<Record, Problem> {
    let now = context.clock.now();
    let reason = || document["reason"].as_str().unwrap_or_default().to_owned();
    let made = match change {
        Change::Terms => before.change(terms(context, caller, document).await?, by, now),
        Change::Release => before.ask_release(by, reason(), now),
        Change::Unlock => {
            before.ask_unlock(lift(context, caller, before, document).await?, by, reason(), now)
        }
        Change::Approve => before.approve((by, role), now),
    };
    made.map_err(|not_made| match not_made {
        NotMade::Illegal { state, allowed } => Problem::illegal_transition(state, allowed),
        NotMade::Refused(refusal) => refused(context, ProblemKind::Forbidden, caller.id(), &refusal, now),
    })
}

/// Writes a version. What it hides goes on to those to whom the family was handed over.
async fn finish(context: &Context, caller: &Caller, mut next: Next) -> Result<Prepared, Problem> {
    let mut write = Write { lane: Lane::Urgent, ..Write::default() };
    let legs = next.put(context, &mut write).await?;
    let Next { row, version, record, .. } = next;
    let hides = matches!(record.step, ProtectionStep::Recorded | ProtectionStep::Changed);
    if hides && record.state == ProtectionState::Active {
        let from = (caller.id(), record.place);
        hand_over::pass_on(context, caller, from, &record.terms, (record.by, legs), &mut write).await?;
    }
    write.rows.audits.push(caller.audit(context, Some(record.by), AuditAction::Protect, row.id, ALLOWED));
    let text = step_answer(&row, version, &record).to_string();
    Ok(Prepared { pointer: Pointer::Protection { id: row.id, version }, text, write })
}

/// A version of a protection, of whichever agency, that is about to be written.
pub(super) struct Next {
    row: ProtectionRow,
    version: i64,
    record: Record,
    key: DataKey,
    /// Where the key is new: the key wrapped for the agency that keeps it.
    wrapped: Option<DataKeyRow>,
}

impl Next {
    /// The first version, under a key of its own.
    fn first(context: &Context, owner: AgencyId, record: Record) -> Result<Self, Problem> {
        let key = context.vault.new_data_key(context.clock.new_id())?;
        let row = ProtectionRow {
            id: context.clock.new_id(),
            owner,
            place: Some(mac(context, owner, record.place)),
            version: 1,
            data_key: key.id(),
            changed_at: record.at,
        };
        let wrapped = context.vault.wrap(&key, owner, record.at)?;
        let wrapped = DataKeyRow { id: key.id(), agency: owner, kek: wrapped.kek_id, wrapped: wrapped.bytes };
        Ok(Self { row, version: 1, record, key, wrapped: Some(wrapped) })
    }

    /// Puts it into a write that holds every leg of the case still: a disclosure comes before it or after it. Gives
    /// these legs.
    async fn put(&mut self, context: &Context, write: &mut Write) -> Result<Vec<LegRow>, Problem> {
        let (row, record) = (&self.row, &mut self.record);
        let legs = legs(context, row.owner, record.place).await?;
        for leg in &legs {
            let delivery = context.ledger.delivery_of(leg).await?.ok_or_else(damaged)?;
            let disclosed = delivery.state == DeliveryState::Opened || delivery.disclosed_at.is_some();
            // That there is a notice about the case is its writer's to know: it is held still here, and not named.
            if leg.kind != ReferralType::Notice {
                record.legs.push(Reached {
                    leg: leg.id,
                    recipient: leg.recipient,
                    seq: leg.head_seq,
                    disclosed,
                });
            }
            // The copy before its leg, in the order in which openings and pushes take them.
            write.steps.push(Step::MoveDelivery(MoveDelivery {
                id: delivery.id,
                from: delivery.state,
                from_disclosed: delivery.disclosed_at,
                to: delivery.state,
                disclosed_at: None,
                at: delivery.changed_at,
            }));
            write.steps.push(Step::HoldLeg(HoldLeg { id: leg.id, seq: leg.head_seq }));
        }
        let (version, at) = (self.version, record.at);
        write.steps.push(match version {
            1 => Step::PutProtection(PutProtection(row.clone())),
            _ => Step::MoveProtection(MoveProtection {
                id: row.id,
                from_version: version - 1,
                place: row.place.filter(|_| record.state == ProtectionState::Active),
                at,
            }),
        });
        write.rows.data_keys.extend(self.wrapped.take());
        let body = serde_json::to_vec(record).map_err(|_| damaged())?;
        let body = self.key.seal(&slot(row, version), &body)?;
        write.rows.protection_versions.push(ProtectionVersionRow { protection: row.id, version, body, at });
        Ok(legs)
    }
}

/// A protection that hides at least what some terms do.
pub(super) enum Stronger {
    /// The one there is: it does already, or does not open and so hides everything.
    Already(ProtectionRow),
    Next(Box<Next>),
}

impl Stronger {
    /// Of an agency's own place: a new record, the next version of the one there is, or that one as it stands.
    pub async fn of(
        context: &Context,
        owner: AgencyId,
        place: Place,
        terms: &Terms,
        by: StaffId,
        at: Timestamp,
    ) -> Result<Self, Problem> {
        let mac = mac(context, owner, place);
        let Some(found) = context.ledger.protections_at(&mac, &mac).await?.pop() else {
            let record = Record::new(place, terms.clone(), by, at);
            return Ok(Self::Next(Box::new(Next::first(context, owner, record)?)));
        };
        let stronger =
            protection::record(context, &found).and_then(|record| record.strengthen(terms, by, at));
        let Some(record) = stronger else { return Ok(Self::Already(found.row)) };
        let row = found.row;
        let key = data_key(context, row.data_key, owner).await?;
        let version = row.version + 1;
        Ok(Self::Next(Box::new(Next { row, version, record, key, wrapped: None })))
    }

    /// Its id, and the version in which it is in force.
    pub fn version(&self) -> (ProtectionId, i64) {
        match self {
            Self::Already(row) => (row.id, row.version),
            Self::Next(next) => (next.row.id, next.version),
        }
    }

    /// What is new in it, and where.
    pub fn news(&self) -> Option<(Place, Terms)> {
        match self {
            Self::Already(_) => None,
            Self::Next(next) => Some((next.record.place, next.record.terms.clone())),
        }
    }

    /// Puts it into a write, or asks there that it stands as it was read. Gives the legs on which it bears anew.
    pub async fn put(self, context: &Context, write: &mut Write) -> Result<Vec<LegRow>, Problem> {
        match self {
            Self::Next(mut next) => next.put(context, write).await,
            Self::Already(row) => {
                let place = row.place.ok_or_else(damaged)?;
                let version = Some(row.version);
                write.steps.push(Step::HoldProtection(HoldProtection { place, version }));
                Ok(Vec::new())
            }
        }
    }
}

/// All legs that a protection of this place bears on.
async fn legs(context: &Context, owner: AgencyId, place: Place) -> Result<Vec<LegRow>, Problem> {
    let mut legs = match place {
        Place::Case(case) => context.ledger.legs_of_case(Scope::of(owner), case).await?,
        Place::Referral(referral) => context.ledger.legs_of(referral).await?,
    };
    // One order for everybody who holds several, so that two rarely wait for each other crosswise.
    legs.sort_unstable_by_key(|leg| leg.id);
    Ok(legs)
}

/// What is to be protected: a case, or a referral of the caller's own.
async fn place(context: &Context, caller: &Caller, document: &Value) -> Result<Place, Problem> {
    let text = |name: &str| document[name].as_str();
    match (text("case"), text("referral")) {
        (Some(case), None) => Ok(Place::Case(case.parse()?)),
        (None, Some(referral)) => {
            let id: ReferralId = referral.parse()?;
            let own = context.ledger.referral(caller.scope(), id).await?;
            own.map(|row| Place::Referral(row.id)).ok_or_else(|| {
                fault(
                    "/referral",
                    "referral_unknown",
                    Text::new(
                        "自機関の紹介・連絡のIDを書いてください。",
                        "Name a referral of your own agency.",
                    ),
                )
            })
        }
        _ => Err(fault(
            "/case",
            "place",
            Text::new(
                "case か referral の、どちらか一方を書いてください。",
                "Name either a case or a referral.",
            ),
        )),
    }
}

/// The terms, whose agencies exist and whose confirmation is the word of the caller's own staff. A misspelt id would
/// protect from nobody.
async fn terms(context: &Context, caller: &Caller, document: &Value) -> Result<Terms, Problem> {
    let terms = Terms::parse(document).map_err(field_problem)?;
    if terms.texts_confirmed_by.is_some() {
        caller.staff(context, &document["texts_confirmed_by"], "/texts_confirmed_by").await?;
    }
    let named = terms.agencies();
    for some in named.chunks(16) {
        let ids: Vec<AgencyId> = some.iter().map(|(_, id)| *id).collect();
        let known = context.ledger.agencies_by_id(&ids).await?;
        if let Some((at, _)) = some.iter().find(|(_, id)| !known.iter().any(|row| row.id == *id)) {
            return Err(unknown_agency(at));
        }
    }
    Ok(terms)
}

/// A lift for somebody who exists and is not blocked: to those a family flees nothing is ever opened.
async fn lift(
    context: &Context,
    caller: &Caller,
    before: &Record,
    document: &Value,
) -> Result<AskedLift, Problem> {
    let id: AgencyId = document["recipient"].as_str().unwrap_or_default().parse()?;
    let agency = context.ledger.agency(id).await?.ok_or_else(|| unknown_agency("/recipient"))?;
    let protection = before.protection();
    if protection.as_ref().is_some_and(|p| Standing::Protected(p).blocks(&party(&agency))) {
        let refusal = Refusal::new(RefusalCode::RecipientBlocked, "");
        let now = context.clock.now();
        return Err(refused(context, ProblemKind::DisclosureRefused, caller.id(), &refusal, now));
    }
    Ok(AskedLift {
        recipient: id,
        purpose: document["purpose"].as_str().unwrap_or_default().parse()?,
        minutes: u8::try_from(document["minutes"].as_u64().unwrap_or_default()).unwrap_or(u8::MAX),
    })
}

fn unknown_agency(at: &str) -> Problem {
    let text = Text::new("登録されている機関のIDを書いてください。", "Name a registered agency.");
    fault(at, "agency_unknown", text)
}

fn there_already(place: Place) -> Problem {
    let at = match place {
        Place::Case(_) => "/case",
        Place::Referral(_) => "/referral",
    };
    let message = Text::new(
        "すでに秘匿の記録があります。その記録を変更してください。",
        "It is protected already: change the record there is.",
    );
    Problem::new(ProblemKind::AlreadyThere).faults([Fault {
        pointer: pointer(at),
        code: "protected",
        message,
    }])
}

fn fault(at: &str, code: &'static str, message: Text) -> Problem {
    Problem::schema_violation(vec![Fault { pointer: pointer(at), code, message }])
}
