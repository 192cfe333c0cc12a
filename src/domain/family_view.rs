//! The family's own view: which of the copies that were sent one person of a family is told about, and how much.
//!
//! Only what was sent by consent is there. Every basis in law and every 通告 is left out before anything else is looked
//! at, so that nothing of the rest depends on them. Within a copy a person sees what concerns that person, and the
//! children that person decided for; what another adult consented to for himself stays that adult's.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use super::{
    basis::{Basis, BasisCode, Lane},
    consent::{Capacity, ConsentRecord},
    delivery::DeliveryState,
    leg::LegState,
    mask::Mask,
    section::Section,
    subject::{Subject, SubjectRef, SubjectRole, compatible_birth_dates},
};
use crate::code_list;

code_list! {
    /// Whether a protected family may take the paper home: asked before anything is printed.
    TakeHome, "answer whether the paper may be taken home" {
        Safe = "safe", "持ち帰っても安全", "safe to take home";
        Unsafe = "unsafe", "持ち帰らない", "not to be taken home";
    }
}

code_list! {
    /// Whether names that tell of a place stand on a protected family's paper.
    Places, "places on the paper" {
        LeftOut = "left_out", "場所のわかる名前を載せない", "names that tell of a place are left out";
        Shown = "shown", "機関の名前を載せる", "agencies are named";
    }
}

code_list! {
    /// Where a copy is, as a family reads it.
    CopyStands, "where a copy is, for the family" {
        NotYet = "not_yet", "まだ届けていません", "not delivered yet";
        Unopened = "unopened", "届いています。まだ開かれていません", "delivered, not opened yet";
        Opened = "opened", "開かれました", "opened";
        /// Nobody can open it any more.
        Shut = "shut", "もう開けません", "can no longer be opened";
        Undelivered = "undelivered", "届けられませんでした", "could not be delivered";
    }
}

code_list! {
    /// What was answered, as a family reads it.
    FamilyAnswer, "answer, for the family" {
        None = "none", "返事はまだありません", "no answer yet";
        Asked = "asked", "この窓口に質問が来ています", "a question was asked back";
        Accepted = "accepted", "引き受けるという返事がありました", "it was accepted";
        Waiting = "waiting", "空きを待つという返事がありました", "on a waiting list";
        Paused = "paused", "いまは休止しています", "paused for now";
        Declined = "declined", "引き受けられないという返事がありました", "it was declined";
        Forwarded = "forwarded", "ほかの機関へ引き継ぐという返事がありました", "to be passed on to another agency";
        Ended = "ended", "終わりました", "it has ended";
        Cancelled = "cancelled", "取り消しました", "it was cancelled";
        Withdrawn = "withdrawn", "同意の取りやめにより終わりました", "it ended when the consent was taken back";
        Silent = "silent", "返事がないまま終わりました", "it ended without an answer";
        Mistaken = "mistaken", "誤って送ったため、取り消しました", "it was sent by mistake and taken back";
    }
}

impl CopyStands {
    /// Nothing where nobody at the recipient ever saw that there was anything.
    pub const fn of(state: DeliveryState) -> Option<Self> {
        Some(match state {
            DeliveryState::Held => Self::NotYet,
            DeliveryState::Waiting | DeliveryState::Taken => Self::Unopened,
            DeliveryState::Opened => Self::Opened,
            DeliveryState::Recalled => Self::Shut,
            DeliveryState::Undeliverable => Self::Undelivered,
            DeliveryState::Stopped => return None,
        })
    }
}

impl From<LegState> for FamilyAnswer {
    fn from(state: LegState) -> Self {
        use LegState as S;
        match state {
            S::Draft | S::AwaitingBasis | S::Requested | S::Received => Self::None,
            S::InfoRequested => Self::Asked,
            S::Accepted | S::Scheduled | S::InProgress => Self::Accepted,
            S::Waitlisted => Self::Waiting,
            S::OnHold => Self::Paused,
            S::Declined => Self::Declined,
            S::Forwarded => Self::Forwarded,
            S::Completed | S::Discontinued => Self::Ended,
            S::CancelRequested | S::Cancelled => Self::Cancelled,
            S::Withdrawn => Self::Withdrawn,
            S::Expired => Self::Silent,
            S::EnteredInError => Self::Mistaken,
        }
    }
}

/// Whether a family is told of what rests on this basis at all.
pub fn is_told(basis: Option<BasisCode>) -> bool {
    basis.is_some_and(|code| Basis::of(code).lane == Lane::Consent)
}

/// Whose parts of a copy this person is told about; `None` in the set stands for the household as a whole.
pub fn concerned(
    viewer: &SubjectRef,
    consent: &ConsentRecord,
    people: &[Subject],
) -> BTreeSet<Option<SubjectRef>> {
    let people = if people.is_empty() { &consent.subjects } else { people };
    let told = |person: &&Subject| {
        let decided =
            || consent.line(&person.reference).is_some_and(|line| line.giver.as_ref() == Some(viewer));
        person.reference == *viewer || (person.role == SubjectRole::Child && decided())
    };
    let mut told: BTreeSet<_> =
        people.iter().filter(told).map(|person| Some(person.reference.clone())).collect();
    // What speaks of all of them is for whoever gave the consent in the main.
    if consent.giver.subject.as_ref() == Some(viewer) {
        told.insert(None);
    }
    told
}

/// Who decided about a line, as its reader is told. Nobody is named: a reader knows himself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decider {
    Viewer,
    Capacity(Capacity),
}

impl Decider {
    pub fn of(viewer: &SubjectRef, consent: &ConsentRecord, person: Option<&SubjectRef>) -> Self {
        let line = person.and_then(|person| consent.line(person));
        let (giver, capacity) = match &line {
            Some(line) => (line.giver.as_ref(), line.capacity),
            None => (consent.giver.subject.as_ref(), consent.giver.capacity),
        };
        if giver == Some(viewer) { Self::Viewer } else { Self::Capacity(capacity) }
    }
}

/// One person's part of one section: the names of the fields that were sent, and none of their values.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Held {
    pub person: Option<SubjectRef>,
    pub section: Section,
    pub fields: BTreeSet<String>,
}

/// What a rendered content holds, person by person, in the order of the list of sections.
pub fn held(rendered: &Value) -> Vec<Held> {
    let mut all: Vec<Held> = Vec::new();
    for section in Section::ALL {
        for entry in rendered[section.code()].as_array().into_iter().flatten() {
            let person: Option<SubjectRef> = entry["subject"].as_str().and_then(|text| text.parse().ok());
            let fields = entry.as_object().into_iter().flatten().map(|(name, _)| name.clone());
            let fields = fields.filter(|name| name != "subject" && name != "concealed");
            match all.iter_mut().find(|one| one.section == *section && one.person == person) {
                Some(one) => one.fields.extend(fields),
                None => all.push(Held { person, section: *section, fields: fields.collect() }),
            }
        }
    }
    all.sort_by(|one, other| (&one.person, one.section).cmp(&(&other.person, other.section)));
    all
}

/// What was sent of one copy, as far as this person is told of it; the empty mask where it is not for this person.
pub fn told(viewer: &SubjectRef, sent: &Mask, consent: &ConsentRecord, people: &[Subject]) -> Mask {
    sent.clone().only(&concerned(viewer, consent, people))
}

/// Whether everybody who goes by one handle in the referrals of a case can be one person. Where not, a page would show
/// somebody what is another's.
pub fn can_be_one_person(birth_dates: &[&str]) -> bool {
    birth_dates.iter().enumerate().all(|(place, one)| {
        birth_dates.iter().skip(place + 1).all(|other| compatible_birth_dates(one, other))
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::domain::{
        content::Content,
        document::render,
        ids::{AgencyId, ConsentId},
        mask::{Detail, tests::mask},
    };

    fn subject(text: &str) -> SubjectRef {
        text.parse().unwrap()
    }

    /// A mother consents for herself and her child, the father for himself.
    fn consent() -> ConsentRecord {
        let body = json!({
            "purpose": "SHOKAI", "recipients": [uuid::Uuid::from_u128(2)],
            "sections": ["identity", "health", "narrative"],
            "subjects": [
                {"ref": "child-1", "role": "child", "birth_date": "2023-05"},
                {"ref": "mother", "role": "guardian"}, {"ref": "father", "role": "guardian"},
            ],
            "giver": {"subject": "mother", "capacity": "PARENT", "for": ["child-1", "mother"]},
            "custody": {"kind": "sole"},
            "lines": [{"subject": "father", "giver": {"subject": "father"}, "capacity": "SELF"}],
            "method": "paper", "text_version": "2026-04", "decision": "given", "language": "ja",
            "first_day": "2026-09-01", "last_day": "2026-11-30",
        });
        let (id, sender) =
            (ConsentId::new(uuid::Uuid::from_u128(9)), AgencyId::new(uuid::Uuid::from_u128(1)));
        ConsentRecord::parse(&body, id, sender, date(2026, 9, 1)).unwrap()
    }

    #[test]
    fn a_basis_in_law_and_a_notice_are_never_told() {
        for code in BasisCode::ALL {
            let told = matches!(code, BasisCode::Consent | BasisCode::Placement);
            assert_eq!(is_told(Some(*code)), told, "{code}");
        }
        assert!(!is_told(None), "where nothing about a person goes, nobody holds anything");
    }

    #[test]
    fn each_sees_what_concerns_oneself_and_the_children_one_decided_for() {
        let consent = consent();
        let of = |viewer: &str| concerned(&subject(viewer), &consent, &consent.subjects);
        let some = |text: &str| Some(subject(text));
        assert_eq!(of("mother"), [None, some("child-1"), some("mother")].into());
        assert_eq!(
            of("father"),
            [some("father")].into(),
            "nothing the mother decided, not even for the child"
        );
        assert_eq!(of("child-1"), [some("child-1")].into());
        assert_eq!(of("grandmother"), [].into());
        let by = |viewer: &str, person: Option<&str>| {
            Decider::of(&subject(viewer), &consent, person.map(subject).as_ref())
        };
        assert_eq!(by("mother", Some("child-1")), Decider::Viewer);
        assert_eq!(by("child-1", Some("child-1")), Decider::Capacity(Capacity::Parent));
        assert_eq!(by("mother", None), Decider::Viewer);
    }

    #[test]
    fn what_was_sent_is_named_and_not_shown() {
        let content = json!({
            "identity": [{"subject": "mother", "name": {"family": "山辺"}}, {"subject": "mother", "sex": "female"}],
            "health": [{"subject": "father", "summary": "通院", "text": "詳しい病歴"}],
            "narrative": [{"text": "経過"}],
        });
        let consent = consent();
        let content = Content::parse(&content, &consent.subjects, date(2026, 9, 1)).unwrap();
        let mut sent = Mask::default();
        sent.grant(Section::Identity, Some(subject("mother")), Detail::Full);
        sent.grant(Section::Health, Some(subject("father")), Detail::Summary);
        sent.grant(Section::Narrative, None, Detail::Full);
        let shown = |viewer: &str| {
            held(&render(&content, &told(&subject(viewer), &sent, &consent, &consent.subjects)))
        };
        let fields = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let household = Held { person: None, section: Section::Narrative, fields: fields(&["text"]) };
        let own = Held {
            person: Some(subject("mother")),
            section: Section::Identity,
            fields: fields(&["name", "sex"]),
        };
        assert_eq!(shown("mother"), [household, own]);
        let his =
            Held { person: Some(subject("father")), section: Section::Health, fields: fields(&["summary"]) };
        assert_eq!(shown("father"), [his], "the summary alone was sent");
        let text = format!("{:?}", shown("mother"));
        assert!(!text.contains("山辺") && !text.contains("経過"));
    }

    #[test]
    fn two_people_under_one_handle_are_not_taken_for_one() {
        assert!(can_be_one_person(&["2023", "2023-05", "2023-05-01"]));
        assert!(!can_be_one_person(&["2023", "2023-05", "2021-05-01"]));
    }

    proptest! {
        /// Whatever was sent, nobody is told of more than was sent, nor of another adult's part.
        #[test]
        fn nobody_is_told_of_more_than_was_sent(sent in mask(), viewer in proptest::sample::select(vec!["mother", "father", "child-1"])) {
            let consent = consent();
            let shown = told(&subject(viewer), &sent, &consent, &consent.subjects);
            prop_assert!(shown.is_within(&sent));
            for (_, section) in shown.sections() {
                for person in section.subjects.iter().flatten() {
                    let other = if viewer == "mother" { "father" } else { "mother" };
                    prop_assert_ne!(person.as_str(), other);
                }
            }
        }
    }
}
