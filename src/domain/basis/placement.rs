//! ASSEN_21_11: a municipality, or its contractor, asks a childcare-support business to take a family
//! at the parent's request (児童福祉法 第21条の11). The article gives the task, not the permission to pass
//! data on: it goes with a consent.

use super::{Basis, Grant, consent};
use crate::domain::{
    disclosure::Question,
    refusal::{Refusal, RefusalCode},
};

pub fn decide(row: &Basis, q: &Question<'_>) -> Result<Grant, Refusal> {
    if !q.sender.acts_as_municipality() {
        return Err(row.refuse(RefusalCode::BasisSender));
    }
    if !q.recipient.kind.runs_childcare_support() {
        return Err(row.refuse(RefusalCode::BasisRecipient));
    }
    row.check_records(q)?;
    consent::check(row, q)
}
