//! Rows of cases and of consultations.

use super::{Fill, at, id};
use crate::{
    domain::{
        case::CaseState,
        ids::{AgencyId, ConsentId},
    },
    ledger::{
        case::{CaseConsentRow, CaseEntryRow, CasePlanRow, CaseRow, CaseVersionRow, MoveCase},
        consultation::ConsultationRow,
    },
};

pub fn case(owner: AgencyId, fill: Fill) -> CaseRow {
    CaseRow {
        owner,
        id: id(),
        version: 1,
        state: CaseState::Open,
        responsible: id(),
        deputy: fill.of(id()),
        data_key: id(),
        opened_at: at(41),
        changed_at: at(42),
    }
}

pub fn case_version(of: &CaseRow, version: i64) -> CaseVersionRow {
    CaseVersionRow { owner: of.owner, case_id: of.id, version, body: vec![4, 1, 0], at: at(43) }
}

pub fn case_plan(of: &CaseRow, number: i64) -> CasePlanRow {
    let (owner, case_id) = (of.owner, of.id);
    CasePlanRow { owner, case_id, number, staff: id(), body: vec![4, 2, 0], at: at(44) }
}

pub fn case_entry(of: &CaseRow, fill: Fill) -> CaseEntryRow {
    CaseEntryRow {
        id: id(),
        owner: of.owner,
        case_id: of.id,
        staff: id(),
        corrects: fill.of(id()),
        body: vec![4, 3, 0],
        at: at(45),
    }
}

pub fn case_consent(of: &CaseRow, consent: ConsentId) -> CaseConsentRow {
    CaseConsentRow { owner: of.owner, case_id: of.id, consent }
}

pub fn move_case(of: &CaseRow, from_version: i64) -> MoveCase {
    MoveCase {
        owner: of.owner,
        id: of.id,
        from_version,
        state: CaseState::Closed,
        responsible: of.responsible,
        deputy: None,
        at: at(46),
    }
}

pub fn consultation(owner: AgencyId, fill: Fill) -> ConsultationRow {
    ConsultationRow {
        id: id(),
        owner,
        staff: id(),
        at: at(47),
        case_id: fill.of(id()),
        data_key: id(),
        body: vec![4, 4, 0],
        created_at: at(48),
    }
}
