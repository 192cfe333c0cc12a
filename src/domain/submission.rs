//! A referral as it is submitted, read once at the door and trusted inside.

use std::{collections::BTreeSet, str::FromStr};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    basis::{Basis, BasisCode, FACILITY, Facts, Items, Lane},
    consent::day_in_japan,
    content::Content,
    field_error::FieldError,
    field_rules,
    ids::{AgencyId, ArrangementId, CaseId, ConsentId, StaffId},
    person_name::NameText,
    referral::{ReferralType, Urgency},
    relation::Relation,
    second_look::Confirm,
    section::Sections,
    subject::Subject,
};

/// A referral that has passed its schema and contradicts neither itself nor the calendar.
#[derive(Clone, Debug)]
pub struct Submission {
    pub kind: ReferralType,
    pub urgency: Urgency,
    /// What the consent must be for; the type itself where nothing else is said.
    pub purpose: ReferralType,
    pub written_by: StaffId,
    pub approved_by: Option<StaffId>,
    /// Those of the writer's colleagues who may see a notice too.
    pub seen_by: BTreeSet<StaffId>,
    pub source_ref: Option<String>,
    pub case: Option<CaseId>,
    /// When a notice was given by telephone, if it was.
    pub called_at: Option<Timestamp>,
    /// The token of a preview: what is sent must be what was seen.
    pub preview: Option<String>,
    pub subjects: Vec<Subject>,
    pub content: Content,
    /// The capacity query of a referral without personal data.
    pub resources: Option<Value>,
    pub legs: Vec<AskedLeg>,
}

/// One recipient, as asked for.
#[derive(Clone, Debug)]
pub struct AskedLeg {
    pub recipient: AgencyId,
    /// As the sender wrote it: whether it is a basis at all is the decision's to say.
    pub basis: Option<String>,
    pub consent: Option<ConsentId>,
    /// The council, contract, joint use or purpose that the basis rests on.
    pub arrangement: Option<ArrangementId>,
    pub facts: Facts,
    pub sections: Sections,
    pub needed: Sections,
    pub address_needed_because: Option<String>,
    pub requested_action: Option<String>,
    pub reply_by: Option<Timestamp>,
    /// What the sender has looked at again.
    pub confirmed: Vec<Confirm>,
    /// Who works there and is related to the case.
    pub related: Vec<Named>,
}

/// Somebody at the recipient, by id where the sender knows it, by name where not.
#[derive(Clone, Debug, Deserialize)]
pub struct Named {
    pub staff: Option<StaffId>,
    pub name: Option<NameText>,
    pub kana: Option<NameText>,
    pub relation: Relation,
}

impl AskedLeg {
    /// The lane of the basis named, if it is one.
    pub fn lane(&self) -> Option<Lane> {
        let code: BasisCode = self.basis.as_deref()?.parse().ok()?;
        Some(Basis::of(code).lane)
    }
}

#[derive(Deserialize)]
struct WireLeg {
    recipient: AgencyId,
    #[serde(default)]
    basis: Map<String, Value>,
    #[serde(default)]
    sections: Sections,
    needed: Option<Sections>,
    address_needed_because: Option<String>,
    requested_action: Option<String>,
    reply_by: Option<Timestamp>,
    #[serde(default)]
    confirmed: Vec<Confirm>,
    #[serde(default)]
    related: Vec<Named>,
}

#[derive(Deserialize)]
struct Wire {
    #[serde(rename = "type")]
    kind: ReferralType,
    urgency: Urgency,
    purpose: Option<ReferralType>,
    written_by: StaffId,
    approved_by: Option<StaffId>,
    #[serde(default)]
    seen_by: BTreeSet<StaffId>,
    source_ref: Option<String>,
    case: Option<CaseId>,
    called_at: Option<Timestamp>,
    preview: Option<String>,
    resources: Option<Value>,
    legs: Vec<WireLeg>,
}

impl Submission {
    /// Reads the body of `POST /v1/referrals` that has passed its schema.
    ///
    /// # Errors
    /// Every fault found, as pointers into the body.
    pub fn parse(value: &Value, now: Timestamp) -> Result<Self, Vec<FieldError>> {
        let wire = Wire::deserialize(value).map_err(|_| vec![unreadable()])?;
        let today = day_in_japan(now);
        let mut faults = field_rules::faults(value.get("content").unwrap_or(&Value::Null));
        let subjects =
            Subject::parse_all(&value["subjects"], "/subjects", today).unwrap_or_else(|mut found| {
                faults.append(&mut found);
                Vec::new()
            });
        let empty = Value::Object(Map::new());
        let content = match Content::parse(value.get("content").unwrap_or(&empty), &subjects, today) {
            Ok(content) => content,
            Err(mut found) => {
                faults.append(&mut found);
                Content::default()
            }
        };
        let (mut legs, mut recipients) = (Vec::with_capacity(wire.legs.len()), BTreeSet::new());
        for (place, leg) in wire.legs.into_iter().enumerate() {
            if !recipients.insert(leg.recipient) {
                faults.push(recipient_twice(place));
            }
            if leg.reply_by.is_some_and(|by| by <= now) {
                faults.push(in_the_past(place));
            }
            match asked(leg) {
                Ok(leg) => legs.push(leg),
                Err(name) => faults.push(bad_reference(place, name)),
            }
        }
        faults.extend(notice_faults(wire.kind, &legs));
        if wire.kind != ReferralType::Notice && !wire.seen_by.is_empty() {
            faults.push(seen_by_all());
        }
        if wire.kind == ReferralType::HandOver {
            faults.extend(hand_over_faults(wire.case, legs.len()));
        }
        if wire.called_at.is_some_and(|at| at > now) {
            faults.push(not_called_yet());
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Self {
            kind: wire.kind,
            urgency: wire.urgency,
            purpose: wire.purpose.unwrap_or(wire.kind),
            written_by: wire.written_by,
            approved_by: wire.approved_by,
            seen_by: wire.seen_by.into_iter().filter(|staff| *staff != wire.written_by).collect(),
            source_ref: wire.source_ref,
            case: wire.case,
            called_at: wire.called_at,
            preview: wire.preview,
            subjects,
            content,
            resources: wire.resources,
            legs,
        })
    }

    /// Whether this is a 通告: its basis says so, not its type.
    pub fn is_notice(&self) -> bool {
        self.legs.iter().any(|leg| leg.lane() == Some(Lane::Notice))
    }

    /// Whether this tells of the staff of that agency: then nothing of it goes there, by no leg.
    pub fn is_about(&self, agency: AgencyId) -> bool {
        self.legs.iter().any(|leg| leg.facts.agency(FACILITY.name) == Some(agency))
    }
}

/// Reads one leg; what the basis holds beside its code and its references are facts.
///
/// # Errors
/// The name of a reference that is no id.
fn asked(leg: WireLeg) -> Result<AskedLeg, &'static str> {
    let mut facts = leg.basis;
    let code = facts.remove("code").and_then(|code| code.as_str().map(str::to_owned));
    let consent = reference(&mut facts, "consent")?;
    let arrangement = reference(&mut facts, "arrangement")?;
    let needed = leg.needed.unwrap_or_else(|| {
        // A sender that does not say what is needed means what it asked for, but where the law lets pass what is
        // needed and no more: there somebody says so.
        if passes_what_is_needed(code.as_deref()) { Sections::NONE } else { leg.sections }
    });
    Ok(AskedLeg {
        recipient: leg.recipient,
        basis: code,
        consent,
        arrangement,
        facts: Facts::new(facts),
        sections: leg.sections,
        needed,
        address_needed_because: leg.address_needed_because,
        requested_action: leg.requested_action,
        reply_by: leg.reply_by,
        confirmed: leg.confirmed,
        related: leg.related,
    })
}

/// Takes the reference to a record of the basis out of its facts, if there is one.
fn reference<T: FromStr>(
    facts: &mut Map<String, Value>,
    name: &'static str,
) -> Result<Option<T>, &'static str> {
    match facts.remove(name) {
        Some(value) => value.as_str().and_then(|text| text.parse().ok()).map(Some).ok_or(name),
        None => Ok(None),
    }
}

fn passes_what_is_needed(basis: Option<&str>) -> bool {
    let code: Option<BasisCode> = basis.and_then(|code| code.parse().ok());
    code.is_some_and(|code| Basis::of(code).items == Items::Needed)
}

/// A notice names the article it rests on, in every leg: nothing else may travel beside it.
fn notice_faults(kind: ReferralType, legs: &[AskedLeg]) -> Vec<FieldError> {
    let wrong = |leg: &AskedLeg| match leg.lane() {
        Some(lane) => (kind == ReferralType::Notice) != (lane == Lane::Notice),
        None => false,
    };
    let places = legs.iter().enumerate().filter(|(_, leg)| wrong(leg));
    places
        .map(|(place, _)| {
            FieldError::new(
                format!("/legs/{place}/basis/code"),
                "notice_basis",
                "通告（TSUKOKU）の根拠は TSUKOKU_… です。通告の根拠は、ほかの種別には使えません。",
                "A notice (TSUKOKU) rests on a TSUKOKU_… basis, and no other type does.",
            )
        })
        .collect()
}

/// One family goes to one agency: two recipients could both accept it. Its case is what is handed over.
fn hand_over_faults(case: Option<CaseId>, recipients: usize) -> Vec<FieldError> {
    let one_recipient = FieldError::new(
        "/legs",
        "one_hand_over",
        "移管（IKAN）の宛先は一つだけです。責任を負う機関が二つにならないように、宛先を一つにしてください。",
        "A hand-over (IKAN) has one recipient, or two agencies could become responsible; keep one leg.",
    );
    let its_case = FieldError::new(
        "/case",
        "required",
        "移管（IKAN）では、引き継ぐ相談ケース（case）を書いてください。",
        "A hand-over (IKAN) names the case that is handed over.",
    );
    (recipients > 1).then_some(one_recipient).into_iter().chain(case.is_none().then_some(its_case)).collect()
}

fn unreadable() -> FieldError {
    FieldError::new(
        "",
        "unreadable",
        "書式に合わない項目があります。",
        "A member does not follow the schema.",
    )
}

fn recipient_twice(place: usize) -> FieldError {
    FieldError::new(
        format!("/legs/{place}/recipient"),
        "recipient_twice",
        "同じ機関が二度、宛先になっています。一つにまとめてください。",
        "This agency is a recipient twice; keep one leg.",
    )
}

fn seen_by_all() -> FieldError {
    FieldError::new(
        "/seen_by",
        "notice_only",
        "見られる職員を限るのは通告（TSUKOKU）だけです。ほかの紹介・連絡は、自機関の職員がだれでも見られます。",
        "Only a notice (TSUKOKU) is for named colleagues; everything else is seen by the whole agency.",
    )
}

fn in_the_past(place: usize) -> FieldError {
    FieldError::new(
        format!("/legs/{place}/reply_by"),
        "impossible_date",
        "返事の期限が過ぎています。これからの日時にしてください。",
        "The time to reply by has passed; give one that is to come.",
    )
}

fn bad_reference(place: usize, name: &str) -> FieldError {
    FieldError::new(
        format!("/legs/{place}/basis/{name}"),
        "reference_id",
        "同意・取決めのIDを、登録時に返された形のまま書いてください。",
        "Give the id of the consent or arrangement as it was returned.",
    )
}

fn not_called_yet() -> FieldError {
    FieldError::new(
        "/called_at",
        "impossible_date",
        "電話を受けた日時が、今より後になっています。",
        "The time of the telephone call is still to come.",
    )
}

#[cfg(test)]
mod tests;
