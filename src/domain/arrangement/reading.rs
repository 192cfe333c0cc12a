//! Reads what is recorded about an arrangement, once, at the door.

use std::str::FromStr;

use jiff::civil::Date;
use serde::Deserialize;
use serde_json::Value;

use super::{ArrangementKind, Member, Period, RegisteredCase};
use crate::domain::{
    agency::Party,
    field_error::FieldError,
    ids::{AgencyId, CaseId},
    section::Sections,
};

/// An arrangement as its keeper records it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewArrangement {
    pub kind: ArrangementKind,
    /// What people call it, such as the council's name.
    pub title: String,
    /// As published or agreed; a council may leave it out, since the law states it.
    pub purpose: String,
    /// The version of the public notice (joint use).
    pub notice_version: Option<String>,
    pub sections: Sections,
    pub period: Period,
    pub members: Vec<Member>,
}

impl NewArrangement {
    /// Reads the body of `POST /v1/arrangements` that has passed its schema.
    ///
    /// # Errors
    /// Every fault found, as pointers into the body: a keeper who may not keep one of this kind, what the
    /// kind needs and is not there, periods that end before they begin, members named twice.
    pub fn parse(value: &Value, keeper: &Party<'_>) -> Result<Self, Vec<FieldError>> {
        let mut read = Reader { value, faults: Vec::new() };
        let kind = read.parsed("/kind");
        let period = read.period("");
        let members = period.map(|period| read.members(period, keeper.id));
        let sections = Sections::deserialize(&value["sections"]).ok();
        let (Some(kind), Some(period), Some(members)) = (kind, period, members) else {
            return Err(read.faults);
        };
        read.what_the_kind_needs(kind, keeper);
        if !read.faults.is_empty() {
            return Err(read.faults);
        }
        let text = |name: &str| value[name].as_str().map(str::to_owned);
        Ok(Self {
            kind,
            title: text("title").unwrap_or_default(),
            purpose: text("purpose").unwrap_or_default(),
            notice_version: text("notice_version"),
            // A council exchanges what a case needs (児童福祉法 第25条の2第2項): it has no item list.
            sections: sections.unwrap_or_else(Sections::all),
            period,
            members,
        })
    }
}

impl Member {
    /// Reads the body of `POST /v1/arrangements/{id}/members`.
    ///
    /// # Errors
    /// A period that ends before it begins; the keeper, who always takes part.
    pub fn parse(value: &Value, keeper: AgencyId) -> Result<Self, Vec<FieldError>> {
        let mut read = Reader { value, faults: Vec::new() };
        let (agency, period) = (read.parsed("/agency"), read.period(""));
        if agency == Some(keeper) {
            read.faults.push(keeper_is_member("/agency".to_owned()));
        }
        match (agency, period) {
            (Some(agency), Some(period)) if read.faults.is_empty() => Ok(Self { agency, period }),
            _ => Err(read.faults),
        }
    }
}

impl RegisteredCase {
    /// Reads the body of `POST /v1/arrangements/{id}/cases`.
    ///
    /// # Errors
    /// A period that ends before it begins.
    pub fn parse(value: &Value) -> Result<Self, Vec<FieldError>> {
        let mut read = Reader { value, faults: Vec::new() };
        let (case, period) = (read.parsed::<CaseId>("/case"), read.period(""));
        match (case, period) {
            (Some(case), Some(period)) if read.faults.is_empty() => Ok(Self { case, period }),
            _ => Err(read.faults),
        }
    }
}

impl Period {
    /// The same period with this last day. An end may come earlier than was said before, and never later:
    /// what has ended begins anew.
    ///
    /// # Errors
    /// A day before the first, or one that is not before the last day there is.
    pub fn ended(self, last_day: Date) -> Result<Self, FieldError> {
        if last_day < self.first_day {
            return Err(too_early());
        }
        match self.last_day {
            Some(before) if before <= last_day => Err(FieldError::new(
                "/last_day",
                "ends_before",
                "すでに、この日かそれより前に終わることになっています。続けるときは新しく追加してください。",
                "It already ends on this day or before it; to go on, add it anew.",
            )),
            _ => Ok(Self { last_day: Some(last_day), ..self }),
        }
    }
}

/// The last day of the body of a step that ends something.
///
/// # Errors
/// A day that does not read.
pub fn last_day(value: &Value) -> Result<Date, Vec<FieldError>> {
    let mut read = Reader { value, faults: Vec::new() };
    read.parsed("/last_day").ok_or(read.faults)
}

/// Reads members one by one and gathers what is wrong.
struct Reader<'a> {
    value: &'a Value,
    faults: Vec<FieldError>,
}

impl Reader<'_> {
    fn what_the_kind_needs(&mut self, kind: ArrangementKind, keeper: &Party<'_>) {
        use ArrangementKind as K;
        if !kind.may_be_kept_by(keeper) {
            self.faults.push(FieldError::new(
                "/kind",
                "keeper_kind",
                "自機関の種別では、この取決めを管理する機関になれません（要対協は調整機関、委託契約と利用目的は公的機関、共同利用は民間の責任者が記録します）。",
                "An agency of your kind may not keep this: a council is kept by its coordinating body, a contract or stated purpose by a public body, joint use by the responsible private party.",
            ));
        }
        let missing = |name: &str| self.value[name].is_null();
        let lacking: Vec<&str> = [
            ("purpose", kind != K::Council && missing("purpose")),
            ("sections", kind != K::Council && missing("sections")),
            ("notice_version", kind == K::JointUse && missing("notice_version")),
        ]
        .into_iter()
        .filter_map(|(name, lacks)| lacks.then_some(name))
        .collect();
        for name in lacking {
            self.faults.push(FieldError::new(
                format!("/{name}"),
                "required",
                "この種類の取決めに必要な項目です（利用目的、項目の一覧、共同利用では公表の版）。",
                "This kind of arrangement needs it: its purpose, its item list and, for joint use, the version of the notice.",
            ));
        }
    }

    /// The members of the body. Where one has no first day of its own, it is that of the whole.
    fn members(&mut self, whole: Period, keeper: AgencyId) -> Vec<Member> {
        let count = self.value["members"].as_array().map_or(0, Vec::len);
        let mut members: Vec<Member> = Vec::with_capacity(count);
        for place in 0..count {
            let at = format!("/members/{place}");
            let agency = self.parsed(&format!("{at}/agency"));
            let first = match self.value["members"][place]["first_day"] {
                Value::Null => Some(whole.first_day),
                _ => self.parsed(&format!("{at}/first_day")),
            };
            let (Some(agency), Some(period)) = (agency, first.and_then(|first| self.from(first, &at))) else {
                continue;
            };
            if agency == keeper {
                self.faults.push(keeper_is_member(format!("{at}/agency")));
            }
            if members.iter().any(|other| other.agency == agency) {
                self.faults.push(FieldError::new(
                    format!("{at}/agency"),
                    "member_twice",
                    "同じ機関が二度あります。一つにまとめてください。",
                    "This agency is named twice; name it once.",
                ));
            }
            members.push(Member { agency, period });
        }
        members
    }

    fn period(&mut self, at: &str) -> Option<Period> {
        let first = self.parsed(&format!("{at}/first_day"))?;
        self.from(first, at)
    }

    /// The period from a first day to the `last_day` beside it, open where there is none.
    fn from(&mut self, first_day: Date, at: &str) -> Option<Period> {
        let last = format!("{at}/last_day");
        let absent = self.value.pointer(&last).is_none();
        let last_day = if absent { None } else { Some(self.parsed(&last)?) };
        if last_day.is_some_and(|last| last < first_day) {
            self.faults.push(FieldError { pointer: last, ..too_early() });
            return None;
        }
        Some(Period { first_day, last_day })
    }

    fn parsed<T: FromStr>(&mut self, pointer: &str) -> Option<T> {
        let text = self.value.pointer(pointer).and_then(Value::as_str);
        let value = text.and_then(|text| text.parse().ok());
        if value.is_none() {
            self.faults.push(FieldError::new(
                pointer,
                "malformed",
                "値の形が正しくありません。様式の説明に合わせてください。",
                "The value is malformed; see the schema of this member.",
            ));
        }
        value
    }
}

fn too_early() -> FieldError {
    FieldError::new(
        "/last_day",
        "period",
        "末日は初日以降にしてください。",
        "The last day cannot come before the first.",
    )
}

fn keeper_is_member(pointer: String) -> FieldError {
    FieldError::new(
        pointer,
        "keeper_is_member",
        "管理する機関はいつも当事者です。ほかの機関だけを挙げてください。",
        "The keeper always takes part; name only the others.",
    )
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::domain::agency::{AgencyKind, Body};

    const KEEPER: AgencyId = AgencyId::new(Uuid::from_u128(1));
    const OTHER: &str = "00000000-0000-0000-0000-000000000002";

    fn party(kind: AgencyKind) -> Party<'static> {
        let body = kind.body().unwrap_or(Body::Private);
        Party { id: KEEPER, kind, body, municipality: "141011", contractor_of: None }
    }

    fn council() -> Value {
        json!({"kind": "council", "title": "要対協", "first_day": "2026-04-01",
            "members": [{"agency": OTHER, "last_day": "2027-03-31"}]})
    }

    fn codes(value: &Value, keeper: AgencyKind) -> Vec<(String, &'static str)> {
        let faults = NewArrangement::parse(value, &party(keeper)).unwrap_err();
        faults.into_iter().map(|fault| (fault.pointer, fault.code)).collect()
    }

    #[test]
    fn a_council_needs_no_item_list_and_its_members_begin_with_it() {
        let read = NewArrangement::parse(&council(), &party(AgencyKind::FamilyCentre)).unwrap();
        assert_eq!((read.kind, read.sections), (ArrangementKind::Council, Sections::all()));
        let until = Period { first_day: date(2026, 4, 1), last_day: Some(date(2027, 3, 31)) };
        assert_eq!(read.members, [Member { agency: OTHER.parse().unwrap(), period: until }]);
    }

    #[test]
    fn each_kind_is_kept_by_whom_the_law_names() {
        use AgencyKind as A;
        for (kind, keepers, others) in [
            ("council", [A::CouncilCoordinator, A::FamilyCentre], [A::Nursery, A::Police]),
            ("contract", [A::MunicipalDivision, A::HealthCentre], [A::Npo, A::Medical]),
            ("purpose", [A::MunicipalDivision, A::EducationBoard], [A::Npo, A::Nursery]),
            ("joint_use", [A::Nursery, A::Npo], [A::MunicipalDivision, A::FamilyCentre]),
        ] {
            let mut body = council();
            body["kind"] = json!(kind);
            (body["purpose"], body["notice_version"]) = (json!("目的"), json!("3"));
            body["sections"] = json!(["identity"]);
            for keeper in keepers {
                assert!(NewArrangement::parse(&body, &party(keeper)).is_ok(), "{kind} by {keeper}");
            }
            for other in others {
                assert_eq!(codes(&body, other), [("/kind".to_owned(), "keeper_kind")], "{kind} by {other}");
            }
        }
        let contractor = Party { contractor_of: Some("141003"), ..party(A::Npo) };
        assert!(!ArrangementKind::JointUse.may_be_kept_by(&contractor), "it holds its principal's data");
    }

    #[test]
    fn what_is_recorded_is_whole_and_in_order() {
        let with = |change: fn(&mut Value)| {
            let mut body = council();
            change(&mut body);
            codes(&body, AgencyKind::FamilyCentre)
        };
        let fault = |pointer: &str, code| vec![(pointer.to_owned(), code)];
        assert_eq!(with(|b| b["last_day"] = json!("2026-03-31")), fault("/last_day", "period"));
        assert_eq!(with(|b| b["first_day"] = json!("2026-02-30")), fault("/first_day", "malformed"));
        assert_eq!(
            with(|b| b["members"][0]["first_day"] = json!("2027-04-01")),
            fault("/members/0/last_day", "period")
        );
        assert_eq!(
            with(|b| b["members"][0]["agency"] = json!(KEEPER)),
            fault("/members/0/agency", "keeper_is_member")
        );
        assert_eq!(
            with(|b| b["members"] = json!([{"agency": OTHER}, {"agency": OTHER}])),
            fault("/members/1/agency", "member_twice")
        );
        let mut joint = council();
        joint["kind"] = json!("joint_use");
        let places: Vec<_> = codes(&joint, AgencyKind::Nursery).into_iter().map(|(at, _)| at).collect();
        assert_eq!(places, ["/purpose", "/sections", "/notice_version"]);
    }

    #[test]
    fn an_end_comes_earlier_and_never_later() {
        let open = Period { first_day: date(2026, 4, 1), last_day: None };
        let year = open.ended(date(2027, 3, 31)).unwrap();
        assert_eq!(year.ended(date(2026, 9, 30)).unwrap().last_day, Some(date(2026, 9, 30)));
        for (last, code) in [
            (date(2027, 3, 31), "ends_before"),
            (date(2027, 4, 1), "ends_before"),
            (date(2026, 3, 31), "period"),
        ] {
            assert_eq!(year.ended(last).unwrap_err().code, code, "{last}");
        }
    }
}
