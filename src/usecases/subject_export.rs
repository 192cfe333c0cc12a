//! What an agency holds about one person: gathered from its referrals, the copies it received, the consents it keeps and
//! the records of who was shown what; then cut to what may be shown (`domain/subject_export.rs`).
//!
//! A new kind of record that speaks of people is added in `Sources::load`, as one more `Origin`.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use serde_json::{Value, json};

use super::{
    ALLOWED, Caller, Context, access_request, jst,
    opened::{OpenedLeg, World, damaged, erased, party},
    read::present,
};
use crate::{
    domain::{
        access_request::{AccessOutcome, Article, Decision, Found, Origin, Record, Requester},
        agency::Body,
        basis::{Basis, Lane},
        consent::day_in_japan,
        content::Content,
        delivery::DeliveryState,
        disclosure::{Event, Opener},
        ids::AccessRequestId,
        mask::Mask,
        problem::Problem,
        receipt::ReceiptLevel,
        referral::ReferralType,
        subject::{Subject, SubjectRef},
        subject_export::{Around, Extent, Nature, Part, PartId, Source},
        veil::Veil,
    },
    ledger::{Scope, audit::AuditAction},
};

/// How many looks at one copy are listed.
const LOOKS: i64 = 200;

/// How the law speaks to this agency.
pub(super) struct Law {
    pub body: Body,
    pub deadline: &'static str,
}

pub(super) fn law(caller: &Caller) -> Law {
    // Who works for a municipality answers by its rules (第66条2項).
    let body = if party(&caller.agency).acts_privately() { Body::Private } else { Body::Public };
    let deadline = match body {
        Body::Public => "個人情報の保護に関する法律 第83条（30日以内。正当な理由があるときは30日まで延長）",
        Body::Private => "個人情報の保護に関する法律 第33条2項（遅滞なく。ハブは30日を数える）",
    };
    Law { body, deadline }
}

/// One record with the person in it, opened.
struct Opened {
    found: Found,
    nature: Nature,
    kind: ReferralType,
    at: Timestamp,
    /// From whom a copy came.
    with: Option<String>,
    content: Content,
    granted: Option<Mask>,
    veil: Option<Veil>,
    /// What was passed on and agreed on, as far as it may be told.
    told: Told,
}

/// What is told beside a content: consents, copies that were sent, and looks.
#[derive(Default)]
struct Told {
    consents: Vec<Value>,
    provided: Vec<Value>,
    looks: Vec<Value>,
}

/// Everything the person was found in.
pub(super) struct Sources(Vec<Opened>);

impl Sources {
    /// Whether a record of the caller's own speaks of this person, and may be looked through.
    pub async fn declares(
        context: &Context,
        caller: &Caller,
        origin: Origin,
        person: &SubjectRef,
    ) -> Result<bool, Problem> {
        let Some((_, world)) = first_leg(context, caller, origin).await? else { return Ok(false) };
        Ok(world.subjects.iter().any(|subject: &Subject| subject.reference == *person))
    }

    pub async fn load(context: &Context, caller: &Caller, record: &Record) -> Result<Self, Problem> {
        let mut sources = Vec::with_capacity(record.found.len());
        for found in &record.found {
            let Some((opened, world)) = first_leg(context, caller, found.origin).await? else { continue };
            sources.push(match found.origin {
                Origin::Referral(_) => written(context, caller, found, &opened, &world).await?,
                Origin::Delivery(_) => received(context, caller, found, &opened, &world).await?,
            });
        }
        Ok(Self(sources))
    }

    /// Every part under a person's decisions.
    pub fn select(&self, requester: Requester, decided: &BTreeMap<PartId, Extent>) -> Vec<Part> {
        self.0.iter().flat_map(|one| one.source().select(requester, decided)).collect()
    }
}

impl Opened {
    fn source(&self) -> Source<'_> {
        Source {
            record: self.found.origin.uuid(),
            person: &self.found.person,
            nature: self.nature,
            veil: self.veil.as_ref(),
            content: &self.content,
            granted: self.granted.as_ref(),
        }
    }

    const fn around(&self) -> Around {
        Around::of(self.nature, self.veil.is_some())
    }
}

/// The first leg of a referral the caller wrote, or the leg of a copy it has opened.
async fn first_leg(
    context: &Context,
    caller: &Caller,
    origin: Origin,
) -> Result<Option<(OpenedLeg, World)>, Problem> {
    let leg = match origin {
        Origin::Referral(id) => match context.ledger.referral(caller.scope(), id).await? {
            Some(row) => context.ledger.legs_of(row.id).await?.into_iter().next(),
            None => None,
        },
        Origin::Delivery(id) => match context.ledger.delivery(caller.scope(), id).await? {
            Some(row) if access_request::was_opened(row.state) => {
                context.ledger.leg(caller.scope(), row.leg).await?
            }
            _ => None,
        },
    };
    let Some(leg) = leg else { return Ok(None) };
    // What was erased is not held.
    if erased(context, &leg).await? {
        return Ok(None);
    }
    let opened = OpenedLeg::of(context, caller.scope(), leg).await?;
    let world = World::load(context, &opened).await?;
    Ok(Some((opened, world)))
}

/// What the agency wrote itself.
async fn written(
    context: &Context,
    caller: &Caller,
    found: &Found,
    first: &OpenedLeg,
    world: &World,
) -> Result<Opened, Problem> {
    let legs = context.ledger.legs_of(first.referral.id).await?;
    let nature = Nature::of(first.referral.kind, legs.iter().map(|leg| leg.basis), &world.header.outline);
    let veil = world.shelter.veil();
    let named = veil.is_none();
    let mut told = Told::default();
    for leg in legs {
        let by_consent = leg.basis.is_some_and(|code| Basis::of(code).lane == Lane::Consent);
        if by_consent && nature == Nature::Ordinary {
            tell(context, OpenedLeg::of(context, caller.scope(), leg).await?, found, named, &mut told)
                .await?;
        }
    }
    Ok(Opened {
        found: found.clone(),
        nature,
        kind: first.referral.kind,
        at: first.referral.created_at,
        with: None,
        content: world.for_selection(context, first, caller.id()).await?,
        granted: None,
        veil,
        told,
    })
}

/// To whom something about the person was passed on under a consent, and which consent that was.
async fn tell(
    context: &Context,
    opened: OpenedLeg,
    found: &Found,
    named: bool,
    told: &mut Told,
) -> Result<(), Problem> {
    let person = Some(found.person.clone());
    let sections: Vec<_> = opened
        .body
        .mask
        .sections()
        .filter(|(_, mask)| mask.subjects.contains(&person))
        .map(|(s, _)| s)
        .collect();
    let delivery = context.ledger.delivery_of(&opened.leg).await?.ok_or_else(damaged)?;
    if sections.is_empty() || delivery.state == DeliveryState::Stopped {
        return Ok(());
    }
    let world = World::load(context, &opened).await?;
    let receipts = context.ledger.receipts(&opened.leg).await?;
    let opened_at = receipts.iter().find(|row| row.level == ReceiptLevel::R3).map(|row| row.at);
    told.provided.push(present(json!({
        "to": named.then_some(&world.recipient.name), "kind": world.recipient.kind.label_ja(),
        "on": day_in_japan(opened.leg.created_at), "sections": sections,
        "opened_on": opened_at.map(day_in_japan),
    })));
    let Some((row, consent)) = &world.consent else { return Ok(()) };
    let known = told.consents.iter().any(|one| one["id"] == json!(row.id));
    if let (false, Some(line)) = (known, consent.line(&found.person)) {
        let events = context.ledger.consent_events(row).await?;
        told.consents.push(present(json!({
            "id": row.id, "on": events.first().map(|event| day_in_japan(event.at)), "decision": line.decision,
            "purpose": consent.purpose, "sections": consent.sections, "first_day": consent.first_day,
            "last_day": consent.last_day, "state": consent.state,
        })));
    }
    Ok(())
}

/// A copy the agency received: what it may see of it now, by the rights of its ordinary staff.
async fn received(
    context: &Context,
    caller: &Caller,
    found: &Found,
    opened: &OpenedLeg,
    world: &World,
) -> Result<Opened, Problem> {
    let leg = &opened.leg;
    let opener = Opener { duty_desk: false, related: false };
    let gone = context.ledger.delivery_of(leg).await?.is_none_or(|row| row.state == DeliveryState::Recalled);
    let granted = match world.decide(opened, Event::Open(opener), context.clock.now()) {
        Ok(decision) if !gone => decision.mask.intersect(&opened.body.mask),
        // What may not be opened any more is not held for the person either.
        _ => Mask::EMPTY,
    };
    let nature = Nature::of(leg.kind, [leg.basis], &world.header.outline);
    let looks = context.ledger.audit_of(Scope::of(caller.id()), &leg.delivery.to_string(), LOOKS).await?;
    let opens = looks.iter().filter(|row| {
        matches!(row.action, AuditAction::Open | AuditAction::BreakGlass) && row.decision == ALLOWED
    });
    Ok(Opened {
        found: found.clone(),
        nature,
        kind: leg.kind,
        at: leg.created_at,
        with: Some(world.sender.name.clone()),
        content: world.for_selection(context, opened, caller.id()).await?,
        granted: Some(granted),
        veil: world.shelter.veil(),
        told: Told {
            looks: opens
                .map(|row| json!({"on": day_in_japan(row.at), "what": row.action.label_ja()}))
                .collect(),
            ..Told::default()
        },
    })
}

/// What an officer decides on: record by record and part by part the rule, the ground, and what would be shown at most.
///
/// # Errors
/// Not found for every other agency; forbidden for other roles.
pub async fn preparation(
    context: &Context,
    caller: &Caller,
    id: AccessRequestId,
    staff: Option<&str>,
) -> Result<String, Problem> {
    let (row, record) = access_request::load(context, caller, id, staff).await?;
    let sources = Sources::load(context, caller, &record).await?;
    let law = law(caller);
    let (mut shown, mut withheld) = (false, false);
    let mut records = Vec::new();
    for one in &sources.0 {
        let by_rule = one.source().select(record.requester, &BTreeMap::new());
        let at_most = one.source().at_most(record.requester);
        shown |= by_rule.iter().any(|part| !part.entries.is_empty());
        withheld |= by_rule.iter().any(Part::is_told);
        let part = |(rule, most): (&Part, &Part)| {
            json!({
                "part": rule.id, "section": rule.id.section, "whose": rule.id.whose, "by_rule": rule.extent,
                "at_most": rule.rule.most, "withholds": rule.withholds, "ground": rule.rule.why,
                "law": rule.rule.why.law(law.body), "may_be_told": rule.rule.why.may_be_told(),
                "would_show": most.entries,
            })
        };
        let (referral, delivery) = match one.found.origin {
            Origin::Referral(id) => (Some(id), None),
            Origin::Delivery(id) => (None, Some(id)),
        };
        records.push(present(json!({
            "referral": referral, "delivery": delivery, "person": one.found.person, "nature": one.nature,
            "kind": one.kind, "concealed": one.veil.is_some(), "at": jst(one.at),
            "parts": by_rule.iter().zip(&at_most).map(part).collect::<Vec<_>>(),
        })));
    }
    let fits = AccessOutcome::true_of(shown, withheld);
    Ok(json!({
        "id": id, "version": row.version, "state": record.state, "requester": record.requester,
        "outcomes_by_rule": fits, "records": records,
    })
    .to_string())
}

/// The copy for the requester, made anew of what was decided: what has been hidden since then stays away.
///
/// # Errors
/// Not found for every other agency; forbidden for other roles; not decided yet.
pub async fn export(
    context: &Context,
    caller: &Caller,
    id: AccessRequestId,
    staff: Option<&str>,
) -> Result<Value, Problem> {
    let (_, record) = access_request::load(context, caller, id, staff).await?;
    let Some(decision) = &record.decision else {
        return Err(Problem::illegal_transition(record.state.code(), vec!["decide"]));
    };
    let law = law(caller);
    let mut records: Vec<Value> = Vec::new();
    if decision.outcome.discloses() {
        let sources = Sources::load(context, caller, &record).await?;
        records = sources.0.iter().filter_map(|one| handed_out(one, record.requester, decision)).collect();
    }
    let told = |article: &Article| json!({"ground": article, "label": article.label_ja(), "law": article.law(law.body)});
    Ok(present(json!({
            "v": 1, "request": id, "agency": caller.agency.name, "requester": record.requester,
            "received_on": record.received_on, "decided_on": decision.on, "outcome": decision.outcome,
            "told": decision.told.iter().map(told).collect::<Vec<_>>(), "remedy": remedy(decision.outcome, law.body),
            "notice": NOTICE, "records": records,
    })))
}

/// The same sentence on every copy: it tells nobody whether there is anything.
const NOTICE: &str =
    "法律により、あるかないかをお答えできない情報は、ある場合もない場合も、この写しには載りません。";

/// How somebody who is not content can have it looked at again.
const fn remedy(outcome: AccessOutcome, body: Body) -> Option<&'static str> {
    match (outcome, body) {
        (AccessOutcome::Full, _) => None,
        (_, Body::Public) => Some(
            "この決定に不服があるときは、決定があったことを知った日の翌日から起算して3か月以内に、審査請求をすることができます（行政不服審査法 第18条1項）。",
        ),
        (_, Body::Private) => Some(
            "この回答にご不満があるときは、窓口にお申し出ください。個人情報保護委員会に相談することもできます。",
        ),
    }
}

/// One record, as far as it was decided and may be shown still; nothing of it where nothing is shown.
fn handed_out(one: &Opened, requester: Requester, decision: &Decision) -> Option<Value> {
    let parts = one.source().again(requester, &decision.shown);
    let mut content = serde_json::Map::new();
    for part in parts.into_iter().filter(|part| !part.entries.is_empty()) {
        let section = content.entry(part.id.section.code()).or_insert_with(|| json!([]));
        section.as_array_mut()?.extend(part.entries);
    }
    if content.is_empty() {
        return None;
    }
    let around = one.around();
    let (when, parties) = (around != Around::Nothing, around == Around::Everything);
    let day: Option<Date> = when.then(|| day_in_japan(one.at));
    let told = |list: &[Value]| (when && !list.is_empty()).then(|| list.to_vec());
    Some(present(json!({
        "origin": match one.found.origin { Origin::Referral(_) => "written", Origin::Delivery(_) => "received" },
        "kind": when.then_some(one.kind), "on": day, "from": one.with.as_ref().filter(|_| parties),
        "content": content, "consents": told(&one.told.consents), "provided": told(&one.told.provided),
        "looks": told(&one.told.looks),
    })))
}
