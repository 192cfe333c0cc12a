//! MCH_19_2: a municipality asks another for the results of check-ups and the like, and is answered (母子保健法
//! 第19条の2). An inquiry says who it is about; the reply brings the check-ups, and nothing else.

use super::{Basis, Grant};
use crate::domain::{
    disclosure::Question,
    municipality::is_one_municipality,
    refusal::{Refusal, RefusalCode},
};

pub fn decide(row: &Basis, q: &Question<'_>) -> Result<Grant, Refusal> {
    if !q.sender.kind.is_municipal_office() {
        return Err(row.refuse(RefusalCode::BasisSender));
    }
    let the_same = is_one_municipality(q.recipient.municipality, q.sender.municipality);
    if !q.recipient.kind.is_municipal_office() || the_same {
        return Err(row.refuse(RefusalCode::BasisRecipient));
    }
    row.check_records(q)?;
    Ok(row.grant(q))
}
