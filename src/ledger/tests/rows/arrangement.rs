//! Rows of arrangements, their members and registers.

use super::{Fill, at, hash, id};
use crate::{
    domain::{
        arrangement::{ArrangementKind, ArrangementStep},
        ids::{AgencyId, ArrangementId},
        section::{Section, Sections},
    },
    ledger::{
        Step,
        arrangement::{
            ArrangementCaseRow, ArrangementEventRow, ArrangementMemberRow, ArrangementRow, HoldArrangement,
        },
    },
};

pub fn arrangement(keeper: AgencyId, fill: Fill) -> ArrangementRow {
    ArrangementRow {
        id: id(),
        keeper,
        kind: ArrangementKind::Council,
        version: 1,
        title: "鶴見区要保護児童対策地域協議会".to_owned(),
        purpose: "情報の交換及び支援の協議".to_owned(),
        notice_version: fill.of("3".to_owned()),
        sections: match fill {
            Fill::Full => Sections::NONE.with(Section::Identity).with(Section::Contact),
            Fill::Bare => Sections::NONE,
        },
        first_day: "2026-04-01".parse().unwrap(),
        last_day: fill.of("2027-03-31".parse().unwrap()),
        created_at: at(25),
        changed_at: at(26),
    }
}

pub fn arrangement_event(of: &ArrangementRow, version: i64, fill: Fill) -> ArrangementEventRow {
    ArrangementEventRow {
        arrangement: of.id,
        version,
        step: ArrangementStep::Record,
        about: fill.of(id::<AgencyId>().to_string()),
        last_day: fill.of("2027-03-30".parse().unwrap()),
        staff: id(),
        at: at(27),
    }
}

pub fn arrangement_member(arrangement: ArrangementId, agency: AgencyId, fill: Fill) -> ArrangementMemberRow {
    ArrangementMemberRow {
        arrangement,
        agency,
        version: 2,
        first_day: "2026-05-01".parse().unwrap(),
        last_day: fill.of("2027-03-29".parse().unwrap()),
    }
}

pub fn arrangement_case(arrangement: ArrangementId) -> ArrangementCaseRow {
    ArrangementCaseRow {
        arrangement,
        entry: id(),
        version: 4,
        case_mac: hash(16),
        data_key: id(),
        body: vec![1, 4, 1],
    }
}

pub fn hold_arrangement(arrangement: &ArrangementRow) -> Step {
    Step::HoldArrangement(HoldArrangement { id: arrangement.id, version: arrangement.version })
}
