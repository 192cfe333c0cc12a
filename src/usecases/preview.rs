//! Shows a sender what each recipient would see, before anything is sent: the very documents, the decisions and what
//! they withhold, and what differs from the last sending. Nothing is written but that the sender looked.

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Caller, Context,
    opened::{OpenedLeg, World, erased},
    second_look,
    submit::{self, Ground},
};
use crate::{
    domain::{
        basis::Basis,
        difference::difference,
        disclosure::{Decision, Ground as Rests},
        document::{Head, document},
        ids::{AgencyId, LegId},
        leg_facts,
        mask::{Detail, Withheld},
        problem::Problem,
        refusal::Refusal,
        release::Sending,
        second_look::Doubt,
        section::Section,
        submission::{AskedLeg, Submission},
    },
    ledger::{Write, WriteError, audit::AuditAction, leg::LegRow, referral::ReferralRow},
    vault::MacPurpose,
};

/// How many referrals of a case are looked through for the last one to a recipient.
const REFERRALS_OF_A_CASE: i64 = 50;

/// Shows what a submission would do. A refused leg does not hide the others.
///
/// # Errors
/// Faults of the document, as for a submission.
pub async fn preview(context: &Context, caller: &Caller, document: &Value) -> Result<String, Problem> {
    let now = context.clock.now();
    let mut submission = submit::read(context, caller, document, now).await?;
    let ground = Ground::read(context, caller, &mut submission).await?;
    let decided = ground.decide_each(caller, &submission, now)?;
    let doubts = second_look::doubts(context, caller, &submission, &ground).await?;
    let earlier = earlier(context, caller, &submission).await?;
    let (mut legs, mut audited) = (Vec::new(), Write::default());
    for (place, (asked, decided)) in submission.legs.iter().zip(&decided).enumerate() {
        let last = last_sent(context, caller, &earlier, asked.recipient).await?;
        let recipient = ground.recipient(asked)?;
        let mut leg = json!({
            "recipient": recipient.id, "name": recipient.name, "kind": recipient.kind,
            "municipality": recipient.municipality.as_str(),
            "warnings": doubts.iter().filter(|one| one.leg == place).collect::<Vec<_>>(),
        });
        let (subject, decision) = match decided {
            Ok(decision) => {
                let shown = unsent(caller, &submission, asked, decision);
                if let Some(last) = &last {
                    leg["compared_with"] = compared(context, caller, last, &shown).await?;
                }
                allowed(&mut leg, decision, shown);
                if let Some(until) = held_until(context, &submission, asked, decision) {
                    leg["release_at"] = json!(super::jst(until));
                }
                (last.map_or_else(|| recipient.id.to_string(), |leg| leg.id.to_string()), super::ALLOWED)
            }
            Err(refusal) => {
                leg["refusal"] = refused(refusal);
                (recipient.id.to_string(), refusal.code.code())
            }
        };
        let staff = Some(submission.written_by);
        // Where a notice is about to go is for nobody to read in the audit of the agency that gives it.
        let subject = if submission.is_notice() { submission.written_by.to_string() } else { subject };
        audited.rows.audits.push(caller.audit(context, staff, AuditAction::Preview, subject, decision));
        legs.push(leg);
    }
    let problems = obstacles(context, caller, &submission, doubts).await?;
    let all: Option<Vec<&Decision>> = decided.iter().map(|one| one.as_ref().ok()).collect();
    let mut view = json!({
        "type": submission.kind, "urgency": submission.urgency, "sender": caller.id(), "legs": legs,
        "ready": all.is_some() && problems.is_empty(), "problems": problems,
    });
    if let Some(decisions) = all {
        view["token"] = token(context, caller, &submission, decisions.into_iter()).into();
    }
    // That somebody looked is durable before anything is shown.
    context.ledger.write(audited).await?;
    Ok(view.to_string())
}

/// How a submission compares with the preview whose token it carries.
pub(super) fn compare(
    context: &Context,
    caller: &Caller,
    submission: &Submission,
    decisions: &[Decision],
) -> leg_facts::Preview {
    match &submission.preview {
        None => leg_facts::Preview::NotTaken,
        Some(seen) if *seen == token(context, caller, submission, decisions.iter()) => {
            leg_facts::Preview::Same
        }
        Some(_) => leg_facts::Preview::Differs,
    }
}

/// A keyed hash of every document that would leave, and of whom it would leave for. It says nothing to anybody and
/// gives no right: it is compared with itself, and an attacker who has one has seen the preview.
fn token<'a>(
    context: &Context,
    caller: &Caller,
    submission: &Submission,
    decisions: impl Iterator<Item = &'a Decision>,
) -> String {
    let asked = submission.legs.iter().zip(decisions);
    let documents: Vec<Value> = asked.map(|(asked, one)| unsent(caller, submission, asked, one)).collect();
    context.vault.mac(MacPurpose::Preview, Value::Array(documents).to_string().as_bytes()).to_string()
}

/// The document a recipient would get, by the one function that makes it. The ids of leg and delivery are given at
/// the sending, so it has none.
fn unsent(caller: &Caller, submission: &Submission, asked: &AskedLeg, decision: &Decision) -> Value {
    let head = Head {
        leg: LegId::from(Uuid::nil()),
        delivery: Uuid::nil().into(),
        kind: submission.kind,
        urgency: submission.urgency,
        sender: caller.id(),
        recipient: asked.recipient,
        requested_action: asked.requested_action.as_deref(),
        reply_by: asked.reply_by,
        resources: submission.resources.as_ref(),
    };
    let mut document = document(&head, &submission.subjects, &submission.content, decision);
    if let Some(members) = document.as_object_mut() {
        members.remove("leg");
        members.remove("delivery");
    }
    document
}

/// When the recipient would see it, if not at once.
fn held_until(
    context: &Context,
    submission: &Submission,
    asked: &AskedLeg,
    decision: &Decision,
) -> Option<Timestamp> {
    let basis = decision.basis.as_ref().map(|ground| ground.code);
    let sending = Sending {
        kind: submission.kind,
        urgency: submission.urgency,
        basis,
        sent_at: context.clock.now(),
        reply_by: asked.reply_by,
    };
    sending.held_until(context.settings.release_seconds)
}

/// What is told of a leg that may go.
fn allowed(leg: &mut Value, decision: &Decision, document: Value) {
    leg["document"] = document;
    leg["withheld"] = decision.withheld.iter().map(withheld).collect();
    let sealed = decision.mask.sections().filter(|(_, granted)| granted.detail == Detail::Sealed);
    leg["sealed"] = sealed.map(|(section, _)| json!(section)).collect();
    if let Some(ground) = &decision.basis {
        let basis = Basis::of(ground.code);
        leg["basis"] = json!({
            "code": ground.code, "label": ground.code.label_ja(), "label_en": ground.code.label_en(),
            "law": basis.law, "rule_version": basis.rule_version,
        });
        if let Some(reference) = &ground.reference {
            leg["basis"]["ref"] = json!(reference);
        }
    }
}

fn withheld(one: &Withheld) -> Value {
    let mut told = json!({
        "section": one.section, "why": one.why, "label": one.why.label_ja(), "label_en": one.why.label_en(),
    });
    if let Some(subject) = &one.subject {
        told["subject"] = json!(subject);
    }
    told
}

fn refused(refusal: &Refusal) -> Value {
    let mut told = json!({
        "code": refusal.code.code(), "label": refusal.code.label_ja(), "label_en": refusal.code.label_en(),
        "detail": refusal.detail.ja, "detail_en": refusal.detail.en,
        "mend": refusal.mend.ja, "mend_en": refusal.mend.en,
    });
    if !refusal.law.is_empty() {
        told["law"] = json!(refusal.law);
    }
    told
}

/// What else a submission of this document would be refused for.
async fn obstacles(
    context: &Context,
    caller: &Caller,
    submission: &Submission,
    doubts: Vec<Doubt>,
) -> Result<Vec<Problem>, Problem> {
    let mut found = Vec::new();
    let open = second_look::unconfirmed(submission, doubts);
    if context.settings.confirm_recipients && !open.is_empty() {
        found.push(second_look::needed(open));
    }
    if of_source(context, caller, submission).await?.is_some() {
        found.push(WriteError::Duplicate("referrals").into());
    }
    Ok(found)
}

/// The sender's earlier referrals that this one goes on from: those of its case or, without a case, the one with the
/// same reference.
async fn earlier(
    context: &Context,
    caller: &Caller,
    submission: &Submission,
) -> Result<Vec<ReferralRow>, Problem> {
    Ok(match submission.case {
        Some(case) => context.ledger.referrals_of_case(caller.scope(), case, REFERRALS_OF_A_CASE).await?,
        None => of_source(context, caller, submission).await?.into_iter().collect(),
    })
}

async fn of_source(
    context: &Context,
    caller: &Caller,
    submission: &Submission,
) -> Result<Option<ReferralRow>, Problem> {
    let Some(reference) = &submission.source_ref else { return Ok(None) };
    let mac = context.vault.mac(MacPurpose::SourceReference, reference.as_bytes());
    Ok(context.ledger.referral_of_source(caller.scope(), mac).await?)
}

/// The last leg of these referrals that a recipient got.
async fn last_sent(
    context: &Context,
    caller: &Caller,
    earlier: &[ReferralRow],
    recipient: AgencyId,
) -> Result<Option<LegRow>, Problem> {
    for referral in earlier.iter().filter(|referral| referral.owner == caller.id()) {
        let legs = context.ledger.legs_of(referral.id).await?;
        let Some(leg) = legs.into_iter().find(|leg| leg.recipient == recipient) else { continue };
        if erased(context, &leg).await? {
            continue;
        }
        let copy = context.ledger.delivery_of(&leg).await?;
        // What the recipient never saw, or does not see yet, it did not get.
        if copy.is_some_and(|copy| copy.state.visible()) {
            return Ok(Some(leg));
        }
    }
    Ok(None)
}

/// What differs between the document a recipient got and the one it would get now.
async fn compared(
    context: &Context,
    caller: &Caller,
    last: &LegRow,
    shown: &Value,
) -> Result<Value, Problem> {
    let opened = OpenedLeg::of(context, caller.scope(), last.clone()).await?;
    let world = World::load(context, &opened).await?;
    let before = as_it_was_sent(context, caller, &opened, &world).await?;
    let mut told = serde_json::to_value(difference(&before, shown)).map_err(|_| super::opened::damaged())?;
    told["leg"] = json!(last.id);
    told["sent_at"] = json!(super::jst(last.created_at));
    Ok(told)
}

/// The document of an earlier leg under the mask of its sending. The notifier went sealed and stays so: its key is
/// the desk's alone.
async fn as_it_was_sent(
    context: &Context,
    caller: &Caller,
    opened: &OpenedLeg,
    world: &World,
) -> Result<Value, Problem> {
    let mask = opened.body.mask.clone().without(Section::Notifier);
    let reference = opened.body.basis.as_ref().and_then(|basis| basis.reference.clone());
    let basis = opened.leg.basis.map(|code| Rests { code, reference });
    let decision = Decision { mask, withheld: Vec::new(), basis };
    let (document, _) = super::open::document_for(context, caller.id(), opened, world, &decision).await?;
    Ok(document)
}
