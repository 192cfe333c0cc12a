//! One request, one effect, one answer, for ever (the Idempotency-Key of design.md 8).
//!
//! A key points to what answered it, and the answer is built again from there: it is made of stored
//! receipts and of what never changes, so the bytes are the same after four hundred days.

use std::{fmt, str::FromStr};

use super::{
    Answer, Caller, Command, Context, TRIES, access_request, act, arrangement, break_glass, case, consent,
    consultation, erase, hold, incident, notice, protection, register, relation, statutory, submit, take,
};
use crate::{
    domain::{
        ids::{
            AccessRequestId, ArrangementId, BreakGlassId, CaseEntryId, CaseId, ConsentId, ConsultationId,
            DeliveryId, HoldId, IncidentId, LegId, ProtectionId, ReferralId, StaffId,
        },
        problem::{Problem, ProblemKind},
        receipt::ReceiptLevel,
    },
    ledger::{Lane, Write, WriteError, idempotency::IdempotencyRow},
    vault::MacPurpose,
};

/// What answered a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pointer {
    Staff(StaffId),
    Arrangement {
        id: ArrangementId,
        version: i64,
    },
    Consent {
        id: ConsentId,
        version: i64,
    },
    /// The decision that followed the withdrawal of a consent.
    Statutory(ConsentId),
    Referral(ReferralId),
    /// Whom the writer of a notice named in this request.
    Readers(ReferralId),
    Case {
        id: CaseId,
        version: i64,
    },
    CaseEntry(CaseEntryId),
    Consultation(ConsultationId),
    Protection {
        id: ProtectionId,
        version: i64,
    },
    /// The event of a leg that a party's act made.
    Event {
        leg: LegId,
        seq: i64,
    },
    Incident {
        id: IncidentId,
        version: i64,
    },
    /// The erasure of a referral.
    Erasure(ReferralId),
    Hold(HoldId),
    LiftedHold(HoldId),
    AccessRequest {
        id: AccessRequestId,
        version: i64,
    },
    BreakGlass {
        id: BreakGlassId,
        version: i64,
    },
    /// What was said of a relation to the case of a delivery.
    Relation {
        delivery: DeliveryId,
        seq: i64,
    },
    /// A receipt of a delivery.
    Receipt {
        delivery: DeliveryId,
        level: ReceiptLevel,
    },
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Staff(id) => write!(f, "staff:{id}"),
            Self::Arrangement { id, version } => write!(f, "arrangement:{id}:{version}"),
            Self::Consent { id, version } => write!(f, "consent:{id}:{version}"),
            Self::Statutory(id) => write!(f, "statutory:{id}"),
            Self::Referral(id) => write!(f, "referral:{id}"),
            Self::Readers(id) => write!(f, "readers:{id}"),
            Self::Case { id, version } => write!(f, "case:{id}:{version}"),
            Self::CaseEntry(id) => write!(f, "case-entry:{id}"),
            Self::Consultation(id) => write!(f, "consultation:{id}"),
            Self::Protection { id, version } => write!(f, "protection:{id}:{version}"),
            Self::Event { leg, seq } => write!(f, "event:{leg}:{seq}"),
            Self::Incident { id, version } => write!(f, "incident:{id}:{version}"),
            Self::Erasure(id) => write!(f, "erasure:{id}"),
            Self::Hold(id) => write!(f, "hold:{id}"),
            Self::LiftedHold(id) => write!(f, "lifted-hold:{id}"),
            Self::AccessRequest { id, version } => write!(f, "access-request:{id}:{version}"),
            Self::BreakGlass { id, version } => write!(f, "break-glass:{id}:{version}"),
            Self::Relation { delivery, seq } => write!(f, "relation:{delivery}:{seq}"),
            Self::Receipt { delivery, level } => write!(f, "receipt:{delivery}:{level}"),
        }
    }
}

impl FromStr for Pointer {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let parts: Vec<&str> = text.split(':').collect();
        let read = || match parts[..] {
            ["staff", id] => Some(Self::Staff(id.parse().ok()?)),
            ["arrangement", id, version] => {
                Some(Self::Arrangement { id: id.parse().ok()?, version: version.parse().ok()? })
            }
            ["consent", id, version] => {
                Some(Self::Consent { id: id.parse().ok()?, version: version.parse().ok()? })
            }
            ["protection", id, version] => {
                Some(Self::Protection { id: id.parse().ok()?, version: version.parse().ok()? })
            }
            ["statutory", id] => Some(Self::Statutory(id.parse().ok()?)),
            ["referral", id] => Some(Self::Referral(id.parse().ok()?)),
            ["readers", id] => Some(Self::Readers(id.parse().ok()?)),
            ["erasure", id] => Some(Self::Erasure(id.parse().ok()?)),
            ["hold", id] => Some(Self::Hold(id.parse().ok()?)),
            ["lifted-hold", id] => Some(Self::LiftedHold(id.parse().ok()?)),
            ["case", id, version] => {
                Some(Self::Case { id: id.parse().ok()?, version: version.parse().ok()? })
            }
            ["case-entry", id] => Some(Self::CaseEntry(id.parse().ok()?)),
            ["consultation", id] => Some(Self::Consultation(id.parse().ok()?)),
            ["event", leg, seq] => Some(Self::Event { leg: leg.parse().ok()?, seq: seq.parse().ok()? }),
            ["incident", id, version] => {
                Some(Self::Incident { id: id.parse().ok()?, version: version.parse().ok()? })
            }
            ["access-request", id, version] => {
                Some(Self::AccessRequest { id: id.parse().ok()?, version: version.parse().ok()? })
            }
            ["break-glass", id, version] => {
                Some(Self::BreakGlass { id: id.parse().ok()?, version: version.parse().ok()? })
            }
            ["relation", delivery, seq] => {
                Some(Self::Relation { delivery: delivery.parse().ok()?, seq: seq.parse().ok()? })
            }
            ["receipt", delivery, level] => {
                Some(Self::Receipt { delivery: delivery.parse().ok()?, level: level.parse().ok()? })
            }
            _ => None,
        };
        read().ok_or_else(|| Problem::new(ProblemKind::Internal))
    }
}

/// A change that is ready to be written, what its key will point to, and its answer.
pub struct Prepared {
    pub write: Write,
    pub pointer: Pointer,
    pub text: String,
}

/// Makes a change once. `prepare` reads, decides, seals and signs; it is asked again when somebody else
/// moved what it had read, and not at all when the key was used before and the change is refused now.
///
/// # Errors
/// What `prepare` refuses, a key that was used for another request, or a ledger that did not take it.
pub async fn once<F>(
    context: &Context,
    caller: &Caller,
    command: &Command,
    prepare: F,
) -> Result<Answer, Problem>
where
    F: AsyncFn() -> Result<Prepared, Problem>,
{
    let key_hash = context.vault.mac(MacPurpose::IdempotencyKey, command.key.as_bytes());
    for _ in 0..TRIES {
        let Prepared { mut write, pointer, text } = match prepare().await {
            Ok(prepared) => prepared,
            // Refused now, but perhaps done before: a repeated request gets its first answer.
            Err(problem) => return replay(context, caller, command, &key_hash).await?.ok_or(problem),
        };
        if write.lane == Lane::Ordinary && write.steps.is_empty() {
            write.shard = shard(key_hash.bytes());
        }
        write.key = Some(IdempotencyRow {
            agency: caller.id(),
            key_hash,
            route: command.route.clone(),
            body_mac: context.vault.mac(MacPurpose::Body, &command.body),
            answer: pointer.to_string(),
            at: context.clock.now(),
        });
        match context.ledger.write(write).await {
            Ok(_) => {
                context.work.notify_one();
                return Ok(Answer { text, replayed: false });
            }
            // Somebody else asked the same holder, or declared at the same place, in this moment: the next look sees it.
            Err(WriteError::Stale | WriteError::Duplicate("holdings" | "relations")) => {}
            Err(WriteError::KeyTaken) => {
                let first = replay(context, caller, command, &key_hash).await?;
                return first.ok_or_else(|| Problem::new(ProblemKind::StillRunning));
            }
            Err(error) => {
                // The row that is in the way may be this very request's.
                let first = match error {
                    WriteError::Duplicate(_) => replay(context, caller, command, &key_hash).await?,
                    _ => None,
                };
                return first.ok_or_else(|| error.into());
            }
        }
    }
    Err(Problem::new(ProblemKind::Busy))
}

/// The shard of a creation: what has the same key is written by the same committer.
fn shard(hash: &[u8; 32]) -> u64 {
    hash.iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

/// The first answer to this key, if there was one.
async fn replay(
    context: &Context,
    caller: &Caller,
    command: &Command,
    key_hash: &crate::domain::chain::Hash,
) -> Result<Option<Answer>, Problem> {
    let Some(used) = context.ledger.used_key(caller.scope(), key_hash).await? else { return Ok(None) };
    let same_body = context.vault.mac_matches(MacPurpose::Body, &command.body, &used.body_mac);
    if used.route != command.route || !same_body {
        return Err(Problem::new(ProblemKind::KeyReused));
    }
    let text = match used.answer.parse()? {
        Pointer::Staff(id) => register::staff_answer(id),
        Pointer::Arrangement { id, version } => {
            arrangement::answer_again(context, caller, id, version).await?
        }
        Pointer::Consent { id, version } => consent::answer_again(context, caller, id, version).await?,
        Pointer::Statutory(id) => statutory::answer_again(context, caller, id).await?,
        Pointer::Referral(id) => submit::answer_again(context, caller, id).await?,
        Pointer::Readers(id) => notice::answer(id, &command.document),
        Pointer::Case { id, version } => case::answer_again(context, caller, id, version).await?,
        Pointer::CaseEntry(id) => case::entry_answer_again(context, caller, id).await?,
        Pointer::Consultation(id) => consultation::answer_again(context, caller, id).await?,
        Pointer::Protection { id, version } => protection::answer_again(context, caller, id, version).await?,
        Pointer::Event { leg, seq } => {
            act::answer_again(context, caller, leg, seq, &command.document["by"]).await?
        }
        Pointer::Incident { id, version } => incident::closed(id, version),
        Pointer::Erasure(id) => erase::answer_again(context, caller, id).await?,
        Pointer::Hold(id) => hold::placed_again(context, caller, id).await?,
        Pointer::LiftedHold(id) => hold::lifted_again(context, caller, id).await?,
        Pointer::AccessRequest { id, version } => {
            access_request::answer_again(context, caller, id, version).await?
        }
        Pointer::BreakGlass { id, version } => {
            break_glass::answer_again(context, caller, id, version).await?
        }
        Pointer::Relation { delivery, seq } => relation::answer_again(context, caller, delivery, seq).await?,
        Pointer::Receipt { delivery, level } => take::answer_again(context, caller, delivery, level).await?,
    };
    Ok(Some(Answer { text, replayed: true }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_reads_back() {
        let id = "0190e0c4-7a7b-7cc3-8f00-2f3c4b5a6d7e";
        for text in [
            format!("staff:{id}"),
            format!("arrangement:{id}:7"),
            format!("consent:{id}:2"),
            format!("statutory:{id}"),
            format!("referral:{id}"),
            format!("readers:{id}"),
            format!("case:{id}:3"),
            format!("case-entry:{id}"),
            format!("consultation:{id}"),
            format!("event:{id}:3"),
            format!("protection:{id}:4"),
            format!("incident:{id}:2"),
            format!("erasure:{id}"),
            format!("hold:{id}"),
            format!("lifted-hold:{id}"),
            format!("access-request:{id}:3"),
            format!("break-glass:{id}:2"),
            format!("relation:{id}:1"),
            format!("receipt:{id}:R2"),
        ] {
            assert_eq!(text.parse::<Pointer>().unwrap().to_string(), text);
        }
        assert!("receipt:x:R2".parse::<Pointer>().is_err());
    }
}
