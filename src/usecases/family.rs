//! The family's own view: who holds what about one person, why, until when, and what became of it. Read by a named
//! member of the sending agency's staff, for the person who sits there.

use jiff::civil::Date;
use serde::Serialize;

use super::{
    ALLOWED, Caller, Context, audited, holding, not_found,
    opened::{OpenedLeg, World, damaged, erased},
    protection::Shelter,
};
use crate::{
    domain::{
        agency::AgencyKind,
        basis_state::ConsentState,
        consent::{ConsentRecord, day_in_japan},
        document::render,
        family_view::{
            CopyStands, Decider, FamilyAnswer, Held, Places, TakeHome, can_be_one_person, held, is_told, told,
        },
        fault::Text,
        holding::{HoldingCause, HoldingState},
        ids::{CaseId, ConsentId, ReferralId},
        problem::{Problem, ProblemKind},
        protection::Standing,
        receipt::ReceiptLevel,
        referral::ReferralType,
        section::Section,
        subject::{Subject, SubjectRef, SubjectRole},
    },
    ledger::{audit::AuditAction, consent::ConsentRow, leg::LegRow},
};

/// Whose copies are asked for: all of a case, or those of one referral.
#[derive(Clone, Copy, Debug)]
pub enum FamilyOf {
    Case(CaseId),
    Referral(ReferralId),
}

/// What is asked for, and for whom.
pub struct Asked {
    pub of: FamilyOf,
    /// The person who sits there, by the handle the referrals use.
    pub viewer: SubjectRef,
    pub take_home: Option<TakeHome>,
    pub places: Places,
}

/// What a person of the family is told. It holds no value of any field.
#[derive(Serialize)]
pub struct FamilyView {
    pub viewer: SubjectRef,
    pub as_of: Date,
    /// The family is protected, and nobody has said yet whether the paper may be taken home: nothing is told before.
    pub ask_take_home: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub take_home: Option<TakeHome>,
    pub places: Places,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub desk: Option<String>,
    pub holders: Vec<Holder>,
}

/// One agency that was sent a copy.
#[derive(Serialize)]
pub struct Holder {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub kind: AgencyKind,
    pub purpose: ReferralType,
    pub sent_on: Date,
    pub people: Vec<Person>,
    pub consent: Agreed,
    pub copy: CopyStands,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opened_on: Option<Date>,
    pub answer: FamilyAnswer,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disposal: Option<Disposed>,
}

/// What was sent about one person, or about the household as a whole, and who decided it.
#[derive(Serialize)]
pub struct Person {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<SubjectRef>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<SubjectRole>,
    pub decided_by: Decider,
    pub sections: Vec<Sent>,
}

#[derive(Serialize)]
pub struct Sent {
    pub section: Section,
    pub fields: Vec<String>,
}

/// The consent a copy rests on.
#[derive(Serialize)]
pub struct Agreed {
    pub id: ConsentId,
    pub given_on: Date,
    pub first_day: Date,
    pub last_day: Date,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withdrawn_on: Option<Date>,
}

/// What became of a copy that was asked back.
#[derive(Serialize)]
pub struct Disposed {
    pub cause: HoldingCause,
    pub state: HoldingState,
    pub asked_on: Date,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub article: Option<String>,
}

/// What a person of a family is told of its copies. The look is on record before anything leaves.
///
/// # Errors
/// Not found where there is nothing to tell: no such case here, nothing of this person, or nothing by consent. These are
/// one answer, or a family would learn from it of what was passed on by law.
pub async fn view(
    context: &Context,
    caller: &Caller,
    asked: &Asked,
    staff: Option<&str>,
) -> Result<FamilyView, Problem> {
    let (legs, subject) = match asked.of {
        FamilyOf::Case(id) => {
            (context.ledger.legs_of_case(caller.scope(), id).await?, format!("family-of-case:{id}"))
        }
        FamilyOf::Referral(id) => {
            let own = context.ledger.referral(caller.scope(), id).await?.ok_or_else(not_found)?;
            (context.ledger.legs_of(own.id).await?, format!("family-of-referral:{id}"))
        }
    };
    let mut gathered = Gathered { holders: Vec::new(), birth_dates: Vec::new(), shelters: Vec::new() };
    for leg in legs.into_iter().filter(|leg| is_told(leg.basis)) {
        gathered.add(context, caller, asked, leg).await?;
    }
    let Gathered { mut holders, birth_dates, shelters } = gathered;
    if holders.is_empty() {
        return Err(not_found());
    }
    let reader = caller.staff_of_header(context, staff).await?;
    let dates: Vec<&str> = birth_dates.iter().map(String::as_str).collect();
    if !can_be_one_person(&dates) {
        return Err(two_people());
    }
    let protected = shelters.iter().any(|one| !matches!(one.standing(), Standing::Unprotected));
    let readable = !shelters.iter().any(|one| matches!(one.standing(), Standing::Unreadable));
    let places = match (protected, readable && asked.places == Places::Shown) {
        (true, false) => Places::LeftOut,
        _ => Places::Shown,
    };
    let ask_take_home = protected && asked.take_home.is_none();
    if ask_take_home {
        holders.clear();
    }
    if places == Places::LeftOut {
        holders.iter_mut().for_each(Holder::leave_out_places);
    }
    let shown = |text: &str| (places == Places::Shown).then(|| text.to_owned());
    let desk = Some(context.settings.complaints_desk.trim()).filter(|desk| !desk.is_empty());
    let audit = caller.audit(context, Some(reader.id), AuditAction::Read, subject, ALLOWED);
    audited(context, audit).await?;
    Ok(FamilyView {
        viewer: asked.viewer.clone(),
        as_of: day_in_japan(context.clock.now()),
        ask_take_home,
        take_home: asked.take_home.filter(|_| protected),
        places,
        sender: shown(&caller.agency.name),
        desk: shown(desk.unwrap_or(&caller.agency.name)),
        holders,
    })
}

struct Gathered {
    holders: Vec<Holder>,
    birth_dates: Vec<String>,
    shelters: Vec<Shelter>,
}

impl Gathered {
    /// Adds one copy, if anything in it is this person's to know.
    async fn add(
        &mut self,
        context: &Context,
        caller: &Caller,
        asked: &Asked,
        leg: LegRow,
    ) -> Result<(), Problem> {
        // Nobody holds anything of it that opens.
        if erased(context, &leg).await? {
            return Ok(());
        }
        let opened = OpenedLeg::of(context, caller.scope(), leg).await?;
        let world = World::load(context, &opened).await?;
        let Some((row, consent)) = &world.consent else { return Err(damaged()) };
        let mask = told(&asked.viewer, &opened.body.mask, consent, &world.subjects);
        let delivery = context.ledger.delivery_of(&opened.leg).await?.ok_or_else(damaged)?;
        let (false, Some(copy)) = (mask.is_empty(), CopyStands::of(delivery.state)) else { return Ok(()) };
        let content = world.content(context, &opened, caller.id(), &mask).await?;
        let parts = held(&render(&content, &mask));
        if parts.is_empty() {
            return Ok(());
        }
        let receipts = context.ledger.receipts(&opened.leg).await?;
        let opened_at = receipts.iter().find(|row| row.level == ReceiptLevel::R3).map(|row| row.at);
        self.holders.push(Holder {
            name: Some(world.recipient.name.clone()),
            kind: world.recipient.kind,
            purpose: world.header.purpose,
            sent_on: day_in_japan(opened.leg.created_at),
            people: people(&asked.viewer, consent, &world.subjects, parts),
            consent: agreed(context, row, consent).await?,
            copy,
            opened_on: opened_at.map(day_in_japan),
            answer: opened.leg.state.into(),
            disposal: disposed(context, &opened).await?,
        });
        let known = |subject: &&Subject| subject.reference == asked.viewer;
        let viewer = world.subjects.iter().chain(&consent.subjects).filter(known);
        self.birth_dates.extend(viewer.filter_map(|subject| subject.birth_date.clone()));
        self.shelters.push(world.shelter);
        Ok(())
    }
}

impl Holder {
    /// The name of an agency tells where a family is, and so may what an agency wrote.
    fn leave_out_places(&mut self) {
        self.name = None;
        if let Some(disposal) = &mut self.disposal {
            disposal.article = None;
        }
    }
}

fn people(
    viewer: &SubjectRef,
    consent: &ConsentRecord,
    subjects: &[Subject],
    parts: Vec<Held>,
) -> Vec<Person> {
    let mut people: Vec<Person> = Vec::new();
    for Held { person, section, fields } in parts {
        let sent = Sent { section, fields: fields.into_iter().collect() };
        match people.iter_mut().find(|one| one.subject == person) {
            Some(one) => one.sections.push(sent),
            None => people.push(Person {
                role: subjects.iter().find(|one| Some(&one.reference) == person.as_ref()).map(|one| one.role),
                decided_by: Decider::of(viewer, consent, person.as_ref()),
                subject: person,
                sections: vec![sent],
            }),
        }
    }
    people
}

async fn agreed(context: &Context, row: &ConsentRow, consent: &ConsentRecord) -> Result<Agreed, Problem> {
    let events = context.ledger.consent_events(row).await?;
    let given = events.first().ok_or_else(damaged)?.at;
    let withdrawn = events.iter().find(|event| event.state == ConsentState::Withdrawn).map(|event| event.at);
    Ok(Agreed {
        id: row.id,
        given_on: day_in_japan(given),
        first_day: consent.first_day,
        last_day: consent.last_day,
        withdrawn_on: withdrawn.map(day_in_japan),
    })
}

async fn disposed(context: &Context, opened: &OpenedLeg) -> Result<Option<Disposed>, Problem> {
    let Some(row) = context.ledger.holding_of(opened.leg.id).await? else { return Ok(None) };
    let seen = holding::seen(context, opened, &row).await?;
    Ok(Some(Disposed {
        cause: row.cause,
        state: row.state.as_of(row.due_at, context.clock.now()),
        asked_on: day_in_japan(row.asked_at),
        article: seen["article"].as_str().map(str::to_owned),
    }))
}

fn two_people() -> Problem {
    Problem::new(ProblemKind::BadQuery).detail(Text::new(
        "この相談ケースでは、同じ符号が別の人に使われています（生年月日が合いません）。紹介・連絡ごとの画面を使ってください。",
        "In this case one handle is used for two people: their birth dates differ. Use the view of each referral.",
    ))
}
