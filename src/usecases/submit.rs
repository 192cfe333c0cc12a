//! Accepts a referral: decided for every recipient, sealed, chained, receipted, and in every inbox, in one
//! transaction. The 201 leaves when that transaction is durable.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    ALLOWED, Answer, Caller, Command, Context, approver,
    arrangement::{self, Named},
    consent::{self, field_problem},
    copy::Copy,
    hand_over::{self, Claim},
    idempotency::{Pointer, Prepared, once},
    jst,
    opened::{damaged, party},
    parcel::Parcel,
    preview,
    protection::Shelter,
    refused::refused,
    second_look,
};
use crate::{
    domain::{
        basis::{Lane, to_the_facility},
        consent::ConsentRecord,
        content::Content,
        disclosure::{Decision, Event, Question, decide},
        fault::{Fault, Text},
        hand_over::Flag,
        ids::{AgencyId, ConsentId, ReferralId, StaffId},
        problem::{Problem, ProblemKind},
        receipt::ReceiptLevel,
        refusal::Refusal,
        submission::{AskedLeg, Submission},
    },
    ledger::{
        Lane as WriteLane, Write,
        agency::AgencyRow,
        audit::AuditAction,
        consent::{ConsentRow, UseConsent},
        delivery::DeliveryRow,
        leg::LegRow,
        notice::NoticeReaderRow,
        receipt::ReceiptRow,
        referral::{ReferralEventRow, ReferralRow},
        write::Step,
    },
    usecases::schema::pointer,
    vault::{MacPurpose, sha256},
};

/// Accepts a referral.
///
/// # Errors
/// Faults of the document, or a refused disclosure with its law, its mend and a signature. Nothing is
/// stored then.
pub async fn submit(context: &Context, caller: &Caller, command: &Command) -> Result<Answer, Problem> {
    once(context, caller, command, async || prepare(context, caller, command).await).await
}

async fn prepare(context: &Context, caller: &Caller, command: &Command) -> Result<Prepared, Problem> {
    let (document, now) = (&command.document, context.clock.now());
    let mut submission = read(context, caller, document, now).await?;
    let ground = Ground::read(context, caller, &mut submission).await?;
    let decisions = ground.decide(context, caller, &submission, now)?;
    second_look::ask(context, caller, &submission, &ground).await?;
    let previewed = preview::compare(context, caller, &submission, &decisions);
    let parcel = Parcel::new(context, caller, &submission)?;
    let mut write = Write::default();
    if submission.urgency.is_urgent() || submission.is_notice() {
        write.lane = WriteLane::Urgent;
    }
    parcel.seal(&submission, &document["subjects"], &mut write.rows)?;
    parcel.wrap(context, caller.id(), false, now, &mut write.rows)?;
    for (place, (asked, decision)) in submission.legs.iter().zip(&decisions).enumerate() {
        let copy = Copy {
            context,
            parcel: &parcel,
            submission: &submission,
            asked,
            decision,
            recipient: party(ground.recipient(asked)?),
            consent: ground.consent(asked),
            arrangement: ground.arrangements.of(asked).map(|found| found.id),
            place,
            previewed,
            now,
        };
        parcel.wrap(context, asked.recipient, copy.opens_compartment(), now, &mut write.rows)?;
        copy.make(&mut write)?;
    }
    ground.hold(&submission, &mut write);
    own_chain(context, caller, &submission, &parcel, now, &mut write);
    let reader = |staff: &StaffId| NoticeReaderRow { referral: parcel.id, staff: *staff, named_at: now };
    write.rows.notice_readers.extend(submission.seen_by.iter().map(reader));
    let audit = caller.audit(context, Some(submission.written_by), AuditAction::Submit, parcel.id, ALLOWED);
    write.rows.audits.push(audit);
    let text =
        answer(&write.rows.referrals[0], &write.rows.legs, &write.rows.deliveries, &write.rows.receipts);
    Ok(Prepared { pointer: Pointer::Referral(parcel.id), text, write })
}

/// Reads a submission whose people are the caller's own.
pub(super) async fn read(
    context: &Context,
    caller: &Caller,
    document: &Value,
    now: Timestamp,
) -> Result<Submission, Problem> {
    let submission = Submission::parse(document, now).map_err(field_problem)?;
    caller.staff(context, &document["written_by"], "/written_by").await?;
    if submission.approved_by.is_some() {
        caller.staff(context, &document["approved_by"], "/approved_by").await?;
    }
    for (place, named) in document["seen_by"].as_array().into_iter().flatten().enumerate() {
        caller.staff(context, named, &format!("/seen_by/{place}")).await?;
    }
    Ok(submission)
}

/// What the decisions rest on, read once for all legs.
pub(super) struct Ground {
    recipients: HashMap<AgencyId, AgencyRow>,
    consents: HashMap<ConsentId, (ConsentRow, ConsentRecord)>,
    arrangements: Named,
    approvals: approver::Approvals,
    shelter: Shelter,
    claim: Option<Claim>,
}

impl Ground {
    /// Reads it, and draws the veil of a protected family over what is said.
    pub async fn read(
        context: &Context,
        caller: &Caller,
        submission: &mut Submission,
    ) -> Result<Self, Problem> {
        let ids: Vec<AgencyId> = submission.legs.iter().map(|leg| leg.recipient).collect();
        let rows = context.ledger.agencies_by_id(&ids).await?;
        let recipients: HashMap<_, _> =
            rows.into_iter().filter(|row| row.active == 1).map(|row| (row.id, row)).collect();
        let strangers = submission.legs.iter().enumerate();
        let faults: Vec<Fault> = strangers
            .filter(|(_, leg)| !recipients.contains_key(&leg.recipient) || leg.recipient == caller.id())
            .map(|(place, _)| unknown_recipient(place))
            .collect();
        if !faults.is_empty() {
            return Err(Problem::schema_violation(faults));
        }
        let wanted: BTreeSet<ConsentId> = submission.legs.iter().filter_map(|leg| leg.consent).collect();
        let mut consents = HashMap::new();
        for id in wanted {
            // A foreign consent and a missing one are the same: there is none.
            if let Some(found) = consent::load(context, caller.scope(), id).await? {
                consents.insert(id, found);
            }
        }
        let arrangements = arrangement::named(context, caller, submission).await?;
        let approvals = approver::approvals(context, caller, submission).await?;
        let shelter = Shelter::of(context, caller.id(), submission.case, None).await?;
        if let Some(veil) = shelter.veil() {
            submission.content.draw(veil, &Content::default());
        }
        let claim = hand_over::claim(context, caller, submission).await?;
        Ok(Self { recipients, consents, arrangements, approvals, shelter, claim })
    }

    /// The consent a leg rests on. What is attached to a notice is ignored: its withdrawal ends no notice.
    fn consent(&self, asked: &AskedLeg) -> Option<&ConsentRow> {
        let id = asked.consent.filter(|_| asked.lane() != Some(Lane::Notice))?;
        self.consents.get(&id).map(|(row, _)| row)
    }

    pub fn recipient(&self, asked: &AskedLeg) -> Result<&AgencyRow, Problem> {
        self.recipients.get(&asked.recipient).ok_or_else(damaged)
    }

    /// Decides every leg. One refused leg refuses the whole: what was asked for is sent as it was asked, or
    /// the sender is told what to change.
    fn decide(
        &self,
        context: &Context,
        caller: &Caller,
        submission: &Submission,
        now: Timestamp,
    ) -> Result<Vec<Decision>, Problem> {
        let mut decisions = Vec::with_capacity(submission.legs.len());
        for (place, decided) in self.decide_each(caller, submission, now)?.into_iter().enumerate() {
            decisions.push(decided.map_err(|refusal| {
                refused(context, ProblemKind::DisclosureRefused, caller.id(), &refusal, now)
                    .faults([refused_leg(place, &refusal)])
            })?);
        }
        Ok(decisions)
    }

    /// Decides every leg for itself.
    pub fn decide_each(
        &self,
        caller: &Caller,
        submission: &Submission,
        now: Timestamp,
    ) -> Result<Vec<Result<Decision, Refusal>>, Problem> {
        let outline = submission.content.outline();
        let mut decided = Vec::with_capacity(submission.legs.len());
        for asked in &submission.legs {
            let question = Question {
                event: Event::Send,
                at: now,
                sent_at: now,
                kind: submission.kind,
                purpose: submission.purpose,
                case: submission.case,
                sender: party(&caller.agency),
                recipient: party(self.recipient(asked)?),
                asked: asked.sections,
                needed: asked.needed,
                address_needed_because: asked.address_needed_because.as_deref(),
                outline: &outline,
                subjects: &submission.subjects,
                basis: asked.basis.as_deref(),
                facts: &asked.facts,
                consent: asked.consent.and_then(|id| self.consents.get(&id)).map(|(_, record)| record),
                arrangement: self.arrangements.of(asked),
                protection: self.shelter.standing(),
                flag: Flag::Waiting,
                recalled: false,
                written_by: submission.written_by,
                approved_by: self.approvals.of(asked),
                second_person: true,
            };
            if submission.is_about(asked.recipient) {
                decided.push(Err(to_the_facility(asked.basis.as_deref())));
                continue;
            }
            decided.push(decide(&question).map_err(|refusal| approver::explained(asked, refusal)));
        }
        Ok(decided)
    }

    /// Uses the consents that were decided on. Withdrawn meanwhile, the write is stale and decided anew; a withdrawal
    /// that has not seen this submission is stale in its turn.
    fn hold(&self, submission: &Submission, write: &mut Write) {
        let rests_on = |id: &ConsentId| {
            submission.legs.iter().filter_map(|leg| self.consent(leg)).any(|row| row.id == *id)
        };
        for (id, (row, _)) in self.consents.iter().filter(|(id, _)| rests_on(id)) {
            write.steps.push(Step::UseConsent(UseConsent { id: *id, version: row.version }));
        }
        self.arrangements.hold(write);
        if let Some(claim) = &self.claim {
            claim.take(write);
        }
        self.shelter.hold(write);
    }
}

/// The referral's row and the first link of the chain that only its owner sees.
fn own_chain(
    context: &Context,
    caller: &Caller,
    submission: &Submission,
    parcel: &Parcel,
    now: Timestamp,
    write: &mut Write,
) {
    use crate::domain::chain::{Chain, Link};
    let heads: Vec<Value> =
        write.rows.legs.iter().map(|leg| json!({"leg": leg.id, "head": leg.head_hash})).collect();
    let body = Value::Array(heads).to_string().into_bytes();
    let link = Link {
        chain: Chain::Own(parcel.id),
        prev: None,
        seq: 1,
        kind: "submit",
        commit: None,
        ciphertext: Some(sha256(&body)),
        hlc: u64::try_from(now.as_microsecond()).unwrap_or_default(),
        key_id: &context.vault.receipt_kid(),
    };
    let hash = sha256(&link.preimage());
    write.rows.referral_events.push(ReferralEventRow {
        referral: parcel.id,
        seq: 1,
        kind: "submit".to_owned(),
        body,
        prev_hash: None,
        hash,
        at: now,
    });
    let mac = |text: &String| context.vault.mac(MacPurpose::SourceReference, text.as_bytes());
    write.rows.referrals.push(ReferralRow {
        id: parcel.id,
        owner: caller.id(),
        kind: submission.kind,
        urgency: submission.urgency,
        // A reference that is taken would tell the writer's colleagues that there is a notice.
        source_mac: submission.source_ref.as_ref().filter(|_| !submission.is_notice()).map(mac),
        case_id: submission.case,
        written_by: submission.written_by,
        data_key: parcel.key.id(),
        compartment_key: parcel.compartment.as_ref().map(crate::vault::seal::DataKey::id),
        head_seq: 1,
        head_hash: hash,
        created_at: now,
    });
}

/// Which leg of the submission was refused.
fn refused_leg(place: usize, refusal: &Refusal) -> Fault {
    Fault {
        pointer: pointer(&format!("/legs/{place}/basis")),
        code: refusal.code.code(),
        message: Text::new(refusal.code.label_ja(), refusal.code.label_en()),
    }
}

fn unknown_recipient(place: usize) -> Fault {
    Fault {
        pointer: pointer(&format!("/legs/{place}/recipient")),
        code: "recipient_unknown",
        message: Text::new(
            "宛先の機関が登録されていないか、利用を停止しています。機関の一覧から選んでください。",
            "No such active agency, or your own; choose a recipient from the directory.",
        ),
    }
}

/// The answer to a submission: the referral, its legs as they began, and their first receipts. It is made of
/// what never changes, so it is the same for ever: an R1 that came later, at the release, is not among them.
fn answer(
    referral: &ReferralRow,
    legs: &[LegRow],
    deliveries: &[DeliveryRow],
    receipts: &[ReceiptRow],
) -> String {
    let leg = |leg: &LegRow| {
        let first = |receipt: &&ReceiptRow| {
            let level = matches!(receipt.level, ReceiptLevel::R0 | ReceiptLevel::R1);
            receipt.leg == leg.id && level && receipt.at == leg.created_at
        };
        let mine = receipts.iter().filter(first);
        let texts: Vec<&str> =
            mine.flat_map(|r| r.sender_jws.as_deref().into_iter().chain([r.jws.as_str()])).collect();
        let mut told = json!({
            "id": leg.id, "version": 1, "state": "requested", "sender": leg.sender,
            "recipient": leg.recipient, "delivery": leg.delivery, "receipts": texts,
        });
        if let Some(at) = deliveries.iter().find(|row| row.id == leg.delivery).and_then(|row| row.release_at)
        {
            told["release_at"] = json!(jst(at));
        }
        told
    };
    json!({
        "id": referral.id, "type": referral.kind, "urgency": referral.urgency, "sender": referral.owner,
        "created_at": jst(referral.created_at), "legs": legs.iter().map(leg).collect::<Vec<_>>(),
    })
    .to_string()
}

/// The answer again, from what was stored with it.
pub(super) async fn answer_again(
    context: &Context,
    caller: &Caller,
    id: ReferralId,
) -> Result<String, Problem> {
    let referral = context.ledger.submitted(caller.scope(), id).await?.ok_or_else(damaged)?;
    let legs = context.ledger.legs_of(id).await?;
    let (mut deliveries, mut receipts) = (Vec::new(), Vec::new());
    for leg in &legs {
        deliveries.extend(context.ledger.delivery_of(leg).await?);
        receipts.extend(context.ledger.receipts(leg).await?);
    }
    Ok(answer(&referral, &legs, &deliveries, &receipts))
}
