//! A request by a person, or for one, to see what an agency holds about that person (開示請求).
//!
//! A public body answers by 個人情報の保護に関する法律 第76条 and following within thirty days (第83条), anybody else by
//! 第33条 without delay; the hub counts thirty days for both. The day of the request does not count (民法 第140条).

use std::collections::BTreeMap;

use jiff::{Span, Timestamp, civil::Date, tz::Offset};
use serde::{Deserialize, Serialize};

use super::{
    agency::Body,
    ids::{DeliveryId, ReferralId, StaffId},
    subject::SubjectRef,
    subject_export::{Decided, Extent, PartId},
};
use crate::code_list;

/// Days within which it is decided, and by which this may be put off once.
const DAYS: i32 = 30;

code_list! {
    /// In whose name somebody asks.
    Requester, "requester of a disclosure" {
        Oneself = "SELF", "本人", "the person";
        Parent = "PARENT", "法定代理人（親権者）", "legal representative: parent with parental authority";
        MinorsGuardian = "GUARDIAN_OF_MINOR", "法定代理人（未成年後見人）", "legal representative: guardian of a minor";
        AdultsGuardian = "GUARDIAN_OF_ADULT", "法定代理人（成年後見人）", "legal representative: guardian of an adult";
        Agent = "AGENT", "任意代理人（委任による）", "an agent the person has appointed";
    }
}

impl Requester {
    /// Whether somebody else asks for the person. Then what may harm the person is measured by the person
    /// (第78条1項1号), and nobody but a person can tell.
    pub const fn represents(self) -> bool {
        !matches!(self, Self::Oneself)
    }
}

code_list! {
    /// How it was made sure who asks.
    IdentityCheck, "check of a requester's identity" {
        PhotoCard = "photo_card", "顔写真のある公的な証明書", "an official document with a photograph";
        TwoPapers = "two_papers", "顔写真のない公的な書類二点", "two official papers without a photograph";
        ByPost = "by_post", "郵送：証明書の写しと住民票の写し", "by post: a copy of the document and a residence record";
    }
}

code_list! {
    /// What shows that somebody may ask for another.
    Authority, "proof of a representative's authority" {
        FamilyRegister = "family_register", "戸籍謄本（戸籍全部事項証明書）", "an extract of the family register";
        CourtRecord = "court_record", "審判書・登記事項証明書", "a record of the court or the register of guardians";
        PowerOfAttorney = "power_of_attorney", "委任状と印鑑登録証明書等", "a power of attorney with a proof of the seal";
    }
}

code_list! {
    /// Where a request stands.
    AccessState, "state of a disclosure request" {
        Received = "received", "受付", "received";
        /// Everything that is held about the person has been looked for.
        Prepared = "prepared", "調査済み", "prepared";
        Decided = "decided", "決定済み", "decided";
        Given = "given", "通知・開示済み", "given";
    }
}

code_list! {
    /// What a version of a request was made by.
    AccessStep, "step of a disclosure request" {
        Receive = "receive", "受け付ける", "receive";
        Extend = "extend", "期限を延長する", "extend";
        Prepare = "prepare", "調査の結果を記録する", "prepare";
        Decide = "decide", "決定する", "decide";
        Give = "give", "通知し、写しを渡す", "give";
    }
}

/// From where a step leads where.
pub const TRANSITIONS: &[(AccessState, AccessStep, AccessState)] = &[
    (AccessState::Received, AccessStep::Extend, AccessState::Received),
    (AccessState::Received, AccessStep::Prepare, AccessState::Prepared),
    (AccessState::Prepared, AccessStep::Extend, AccessState::Prepared),
    // What was overlooked is added until it is decided.
    (AccessState::Prepared, AccessStep::Prepare, AccessState::Prepared),
    (AccessState::Prepared, AccessStep::Decide, AccessState::Decided),
    // A decision that was not given yet can be mended.
    (AccessState::Decided, AccessStep::Decide, AccessState::Decided),
    (AccessState::Decided, AccessStep::Give, AccessState::Given),
];

code_list! {
    /// How a request was decided.
    AccessOutcome, "outcome of a disclosure request" {
        Full = "full", "全部を開示する", "disclosed in full";
        Partial = "partial", "一部を開示する", "disclosed in part";
        Refused = "refused", "開示しない", "refused";
        NotHeld = "not_held", "保有していないため開示しない", "not held";
        /// Said of whatever was asked for in such a way that even a yes or a no would tell.
        ExistenceNotAnswered = "existence_not_answered", "あるかないかをお答えできないため開示しない", "neither confirmed nor denied";
    }
}

impl AccessOutcome {
    /// The outcomes that are true of a selection. What must not even be known to be there counts as if it were not.
    pub const fn true_of(shown: bool, withheld: bool) -> &'static [Self] {
        match (shown, withheld) {
            (true, false) => &[Self::Full],
            (true, true) => &[Self::Partial],
            (false, true) => &[Self::Refused],
            (false, false) => &[Self::NotHeld, Self::ExistenceNotAnswered],
        }
    }

    /// Whether anything is handed out.
    pub const fn discloses(self) -> bool {
        matches!(self, Self::Full | Self::Partial)
    }
}

code_list! {
    /// Why something is withheld. [`Article::law`] names the article, by who answers.
    Article, "ground of withholding" {
        Harm = "harm", "本人の生命・健康・生活・財産を害するおそれ", "it may harm the person";
        ThirdPerson = "third_person", "ほかの人に関する情報", "about another person";
        Task = "task", "事務・業務の適正な実施に支障があるおそれ", "it would hinder the task";
        Notifier = "notifier", "通告した人を特定させるおそれ", "it may tell who gave notice";
        Existence = "existence", "あるかないかを答えるだけで不開示情報を明かすことになる", "even whether it is there may not be told";
        Concealed = "concealed", "住所等の秘匿", "a place is concealed";
    }
}

impl Article {
    pub const fn law(self, body: Body) -> &'static str {
        match (self, body) {
            (Self::Harm, Body::Public) => "個人情報の保護に関する法律 第78条1項1号",
            (Self::ThirdPerson, Body::Public) => "個人情報の保護に関する法律 第78条1項2号",
            (Self::Task, Body::Public) => "個人情報の保護に関する法律 第78条1項7号",
            (Self::Existence, Body::Public) => "個人情報の保護に関する法律 第81条",
            (Self::Concealed, Body::Public) => "個人情報の保護に関する法律 第78条1項1号・2号",
            (Self::Harm | Self::ThirdPerson | Self::Concealed, Body::Private) => {
                "個人情報の保護に関する法律 第33条2項1号"
            }
            (Self::Task, Body::Private) => "個人情報の保護に関する法律 第33条2項2号",
            (Self::Existence, Body::Private) => "個人情報の保護に関する法律 第16条4項、同法施行令 第5条",
            (Self::Notifier, _) => "児童虐待の防止等に関する法律 第7条",
        }
    }

    /// Whether the requester may be told of it: the others betray what they protect.
    pub const fn may_be_told(self) -> bool {
        matches!(self, Self::Harm | Self::ThirdPerson | Self::Task)
    }
}

/// A record in which the person was found, and by which handle.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Found {
    pub origin: Origin,
    pub person: SubjectRef,
}

/// A referral of the agency's own, or a copy it received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    Referral(ReferralId),
    Delivery(DeliveryId),
}

impl Origin {
    pub const fn uuid(self) -> uuid::Uuid {
        match self {
            Self::Referral(id) => id.uuid(),
            Self::Delivery(id) => id.uuid(),
        }
    }
}

/// What was decided, by a person.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    pub outcome: AccessOutcome,
    /// The grounds the requester is told.
    pub told: Vec<Article>,
    /// Part by part what differs from the rule, and why.
    pub parts: Vec<Decided>,
    /// What is handed out. It may shrink after the decision, and never grows.
    pub shown: BTreeMap<PartId, Extent>,
    pub on: Date,
}

/// One version of a request; sealed whole. It holds a name, so it has no `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub requester: Requester,
    pub identity: IdentityCheck,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<Authority>,
    /// Whose data is asked for, by whom, and what: in the words of the written request.
    pub subject: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wording: Option<String>,
    pub received_on: Date,
    pub due_on: Date,
    /// Why the deadline was extended, once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extended_because: Option<String>,
    #[serde(default)]
    pub found: Vec<Found>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_on: Option<Date>,
    pub state: AccessState,
    pub step: AccessStep,
    pub by: StaffId,
    pub at: Timestamp,
}

/// A step that is not possible in this state, and those that are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Illegal {
    pub state: AccessState,
    pub allowed: Vec<&'static str>,
}

impl Record {
    /// The next version, as a step makes it. What the step brings is put in by the caller.
    ///
    /// # Errors
    /// The step is not possible now; an extension, once it was extended or the deadline is over.
    pub fn next(&self, step: AccessStep, by: StaffId, at: Timestamp) -> Result<Self, Illegal> {
        let rows = || TRANSITIONS.iter().filter(|(from, ..)| *from == self.state);
        let possible = |one: AccessStep| {
            one != AccessStep::Extend || (self.extended_because.is_none() && !self.is_late(at))
        };
        let row = rows().find(|(_, one, _)| *one == step && possible(step));
        match row {
            Some((.., to)) => Ok(Self { state: *to, step, by, at, ..self.clone() }),
            None => Err(Illegal {
                state: self.state,
                allowed: rows().filter(|(_, one, _)| possible(*one)).map(|(_, one, _)| one.code()).collect(),
            }),
        }
    }

    /// The moment the last day for the decision ends in Japan.
    pub fn due_at(&self) -> Timestamp {
        let next = self.due_on.tomorrow().unwrap_or(self.due_on);
        Offset::constant(9).to_timestamp(next.at(0, 0, 0, 0)).unwrap_or(Timestamp::MAX)
    }

    /// Whether its deadline is over and it is not decided.
    pub fn is_late(&self, at: Timestamp) -> bool {
        matches!(self.state, AccessState::Received | AccessState::Prepared) && at >= self.due_at()
    }
}

/// The last day for the decision on what was asked for on this day.
pub fn due_on(received_on: Date) -> Date {
    received_on.checked_add(Span::new().days(DAYS)).unwrap_or(Date::MAX)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use uuid::Uuid;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn record() -> Record {
        Record {
            requester: Requester::Parent,
            identity: IdentityCheck::PhotoCard,
            authority: Some(Authority::FamilyRegister),
            subject: "山辺 澪".to_owned(),
            asked_by: Some("山辺 花".to_owned()),
            wording: None,
            received_on: date(2026, 10, 1),
            due_on: due_on(date(2026, 10, 1)),
            extended_because: None,
            found: Vec::new(),
            decision: None,
            given_on: None,
            state: AccessState::Received,
            step: AccessStep::Receive,
            by: StaffId::new(Uuid::from_u128(1)),
            at: at("2026-10-01T10:00:00+09:00"),
        }
    }

    fn step(record: &Record, step: AccessStep, when: &str) -> Result<Record, Illegal> {
        record.next(step, StaffId::new(Uuid::from_u128(2)), at(when))
    }

    #[test]
    fn the_day_of_the_request_does_not_count() {
        assert_eq!(due_on(date(2026, 10, 1)), date(2026, 10, 31));
        let record = record();
        assert!(!record.is_late(at("2026-10-31T23:59:59+09:00")), "the last day is whole");
        assert!(record.is_late(at("2026-11-01T00:00:00+09:00")));
    }

    #[test]
    fn it_is_extended_once_and_in_time() {
        let extended = step(&record(), AccessStep::Extend, "2026-10-31T12:00:00+09:00").ok().unwrap();
        let extended = Record { extended_because: Some("大量".to_owned()), ..extended };
        assert!(step(&extended, AccessStep::Extend, "2026-10-31T13:00:00+09:00").is_err());
        let late = step(&record(), AccessStep::Extend, "2026-11-01T00:00:00+09:00").err().unwrap();
        assert_eq!((late.state, late.allowed), (AccessState::Received, vec!["prepare"]));
    }

    #[test]
    fn it_is_decided_after_it_was_prepared_and_given_after_it_was_decided() {
        let when = "2026-10-05T10:00:00+09:00";
        let tried: Vec<_> =
            [AccessStep::Decide, AccessStep::Give].map(|one| step(&record(), one, when).is_err()).into();
        assert_eq!(tried, [true, true]);
        let prepared = step(&record(), AccessStep::Prepare, when).ok().unwrap();
        let decided = step(&prepared, AccessStep::Decide, when).ok().unwrap();
        let given = step(&decided, AccessStep::Give, when).ok().unwrap();
        assert_eq!(given.state, AccessState::Given);
        for one in AccessStep::ALL {
            assert!(step(&given, *one, when).is_err(), "{one}: what was given was given");
        }
    }

    #[test]
    fn an_outcome_is_true_of_what_is_selected() {
        let all = [(true, true), (true, false), (false, true), (false, false)];
        let mut seen: Vec<_> = all.iter().flat_map(|(a, b)| AccessOutcome::true_of(*a, *b)).collect();
        seen.sort_unstable();
        assert_eq!(seen, AccessOutcome::ALL.iter().collect::<Vec<_>>(), "each of them of one selection");
    }

    #[test]
    fn what_protects_by_not_being_known_is_never_told() {
        let told: Vec<_> =
            Article::ALL.iter().filter(|one| one.may_be_told()).map(|one| one.code()).collect();
        assert_eq!(told, ["harm", "third_person", "task"]);
        for body in [Body::Public, Body::Private] {
            for article in Article::ALL {
                assert!(article.law(body).contains("第"), "{article}");
            }
        }
    }
}
