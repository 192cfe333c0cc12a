//! What the hub does: one verb per file, one transaction each.
//!
//! A use case reads, decides with [`crate::domain`], asks the vault to seal and sign, and hands one
//! all-or-nothing write to the ledger. It speaks no SQL, no HTTP, no AMQP. A stale guard brings it back
//! to its reading, a bounded number of times.

pub mod access_request;
pub mod accesses;
pub mod act;
mod approver;
pub mod arrangement;
pub mod authenticate;
pub mod board;
pub mod break_glass;
pub mod case;
pub mod consent;
pub mod consent_form;
pub mod consultation;
mod copy;
pub mod decision_case;
pub mod desk;
pub mod directory;
pub mod dispatch;
pub mod erase;
mod evidence;
pub mod family;
mod hand_over;
pub mod hold;
pub mod holding;
pub mod idempotency;
pub mod import;
pub mod incident;
pub mod job;
pub mod json_door;
pub mod keyring;
pub mod notice;
pub mod open;
mod opened;
pub mod page;
mod parcel;
pub mod post;
pub mod preview;
pub mod protect;
pub mod protection;
pub mod provision;
mod push;
pub mod read;
mod reader;
mod recall;
mod refused;
pub mod register;
mod rehearsal;
pub mod relation;
pub mod release;
pub mod rewrap;
mod ring;
pub mod run;
pub mod schema;
mod second_look;
pub mod sheet;
pub mod sign_in;
pub mod statutory;
#[cfg(test)]
mod stories;
pub mod subject_export;
pub mod submit;
pub mod subscribe;
pub mod sweep;
pub mod take;
#[cfg(test)]
pub mod testing;
mod told;
pub mod verify;
pub mod withdraw;

use std::{fmt, sync::Arc};

use serde_json::Value;

use crate::{
    clock::Clock,
    domain::{
        consent::custody::DailyActs,
        fault::{Fault, Text},
        ids::{AgencyId, StaffId},
        problem::{Problem, ProblemKind},
        purpose::AccessPurpose,
        retention::Periods,
        staff::StaffRole,
    },
    ledger::{
        Ledger, LedgerError, Rows, Scope, Write, WriteError,
        agency::{AgencyRow, StaffRow},
        audit::{AuditAction, AuditRow},
    },
    vault::{Vault, VaultError},
};

/// How often a use case reads and decides again when somebody else was faster.
const TRIES: u32 = 8;

/// What every use case is given.
pub struct Context {
    pub ledger: Ledger,
    pub vault: Vault,
    pub clock: Clock,
    pub settings: Settings,
    /// Wakes the dispatcher when a commit left work for it.
    pub work: Arc<tokio::sync::Notify>,
}

/// What use cases need of the configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    pub body_limit: usize,
    pub token_seconds: u32,
    /// Hours within which a child must have been seen after a 通告.
    pub safety_hours: u32,
    /// What one of two custodians may decide alone.
    pub daily_acts: DailyActs,
    /// Where a family complains, as forms print it; empty: at the sender.
    pub complaints_desk: String,
    /// Whether a sender must confirm a recipient that is new to it, or whose name is near to another's.
    pub confirm_recipients: bool,
    /// For how long what is not urgent is held back, so that its sender can undo it.
    pub release_seconds: u32,
    /// For how long records are kept before they may be erased.
    pub retention: Periods,
    /// Whether the hub has a broker: only then can an agency subscribe to AMQP.
    pub broker: Broker,
    /// The address people can type, as mail gives it.
    pub public_url: String,
    pub mail_domain: String,
}

/// By what the hub rings doorbells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broker {
    InProcess,
    Amqp,
}

/// An agency's system that has proved who it is, with the agency's row as it is now; and the member of its staff for
/// whom it asks, where it says so.
pub struct Caller {
    pub agency: AgencyRow,
    /// Of the agency's own, and active. What is a person's to see and not the agency's (a 通告) is seen by this one.
    pub person: Option<StaffId>,
    /// For what this request looks at content, as the audit will say.
    pub purpose: AccessPurpose,
}

impl Caller {
    /// A caller that names no purpose of its own, and asks for nobody in particular.
    pub const fn of(agency: AgencyRow) -> Self {
        Self { agency, person: None, purpose: AccessPurpose::AsSent }
    }

    pub fn id(&self) -> AgencyId {
        self.agency.id
    }

    pub fn scope(&self) -> Scope {
        Scope::of(self.agency.id).and(self.person)
    }

    /// The scope of what the caller's agency does in the name of a person whom a document names, if there is one.
    async fn scope_of(&self, context: &Context, named: &Value) -> Result<Scope, Problem> {
        let person = self.active_staff(context, named.as_str()).await?;
        Ok(self.scope().and(person.map(|row| row.id)))
    }

    /// The caller as it asks for the person whom the header `Tsunagu-Staff` names, if there is one.
    ///
    /// # Errors
    /// Forbidden, where the header names nobody of the caller's own staff.
    pub async fn asking_for(self, context: &Context, named: Option<&str>) -> Result<Self, Problem> {
        let person = match named {
            Some(_) => Some(self.staff_of_header(context, named).await?.id),
            None => None,
        };
        Ok(Self { person, ..self })
    }

    /// The member of the caller's own staff whom a document names at `at`. A system acts for a person, and
    /// says for whom.
    async fn staff(&self, context: &Context, named: &Value, at: &str) -> Result<StaffRow, Problem> {
        self.active_staff(context, named.as_str()).await?.ok_or_else(|| {
            Problem::schema_violation(vec![Fault {
                pointer: schema::pointer(at),
                code: "staff_unknown",
                message: Text::new(
                    "登録されている自機関の職員のIDを書いてください。",
                    "Name a registered member of your own staff.",
                ),
            }])
        })
    }

    /// The same, if that person is a supervisor: what many families' disclosures rest on is not for everybody
    /// to change.
    async fn supervisor(&self, context: &Context, named: &Value, at: &str) -> Result<StaffRow, Problem> {
        let staff = self.staff(context, named, at).await?;
        if staff.role == StaffRole::Supervisor {
            return Ok(staff);
        }
        Err(Problem::new(ProblemKind::Forbidden)
            .detail(Text::new(
                "この操作ができるのは、管理職（supervisor）として登録された職員だけです。",
                "Only a member of staff registered as a supervisor may do this.",
            ))
            .mend(Text::new(
                "管理職が内容を確かめ、その職員のIDで送ってください。",
                "Let a supervisor look at it and name that person.",
            )))
    }

    /// The same, if that person answers for personal data: a supervisor or a privacy officer.
    async fn officer(&self, context: &Context, named: &Value, at: &str) -> Result<StaffRow, Problem> {
        let staff = self.staff(context, named, at).await?;
        if matches!(staff.role, StaffRole::Supervisor | StaffRole::PrivacyOfficer) {
            return Ok(staff);
        }
        Err(Problem::new(ProblemKind::Forbidden)
            .detail(Text::new(
                "この操作ができるのは、管理職か個人情報保護担当として登録された職員だけです。",
                "Only a member of staff registered as a supervisor or privacy officer may do this.",
            ))
            .mend(Text::new(
                "管理職か個人情報保護担当が内容を確かめ、その職員のIDで送ってください。",
                "Let a supervisor or a privacy officer look at it and name that person.",
            )))
    }

    /// The member of the caller's own staff whom the header `Tsunagu-Staff` names.
    async fn staff_of_header(&self, context: &Context, named: Option<&str>) -> Result<StaffRow, Problem> {
        self.active_staff(context, named).await?.ok_or_else(|| {
            Problem::new(ProblemKind::Forbidden)
                .detail(Text::new(
                    "Tsunagu-Staff ヘッダーに、自機関の職員のIDがありません。",
                    "The header Tsunagu-Staff does not name a member of your own staff.",
                ))
                .mend(Text::new(
                    "登録されている自機関の職員のIDを Tsunagu-Staff ヘッダーに書いてください。",
                    "Put the id of a registered member of your own staff into the header Tsunagu-Staff.",
                ))
        })
    }

    /// The same where a system need not say for whom it looks; but whoever is named is one of the caller's own staff,
    /// for the audit will say so.
    async fn staff_if_named(
        &self,
        context: &Context,
        named: Option<&str>,
    ) -> Result<Option<StaffRow>, Problem> {
        match named {
            Some(_) => self.staff_of_header(context, named).await.map(Some),
            None => Ok(None),
        }
    }

    /// Foreign staff, staff who have left, and nobody are the same: there is no such person here.
    async fn active_staff(
        &self,
        context: &Context,
        named: Option<&str>,
    ) -> Result<Option<StaffRow>, Problem> {
        let Some(id) = named.and_then(|text| text.parse().ok()) else { return Ok(None) };
        let found = context.ledger.staff(self.scope(), id).await?;
        Ok(found.filter(|row| row.active == 1))
    }

    /// An audit entry about what this caller does.
    fn audit(
        &self,
        context: &Context,
        staff: Option<StaffId>,
        action: AuditAction,
        subject: impl fmt::Display,
        decision: &str,
    ) -> AuditRow {
        AuditRow {
            id: context.clock.new_id(),
            agency: self.agency.id,
            staff,
            action,
            subject: subject.to_string(),
            decision: decision.to_owned(),
            at: context.clock.now(),
            purpose: action.shows().then_some(self.purpose),
        }
    }
}

/// The decision an audit entry records where nothing was refused.
const ALLOWED: &str = "allowed";

/// A change asked for: its idempotency key, which request it is, the exact body and what it says.
pub struct Command {
    pub key: String,
    /// Method and path as called: a key answers one request only.
    pub route: String,
    pub body: Vec<u8>,
    pub document: Value,
}

/// What a change is answered with. The same request again gets the same text.
pub struct Answer {
    pub text: String,
    pub replayed: bool,
}

impl From<LedgerError> for Problem {
    fn from(error: LedgerError) -> Self {
        tracing::error!(error = %error, source = ?std::error::Error::source(&error).map(ToString::to_string),
            "the ledger could not be read");
        match error {
            LedgerError::Corrupt { .. } => Self::new(ProblemKind::Internal),
            _ => Self::new(ProblemKind::Unavailable),
        }
    }
}

impl From<VaultError> for Problem {
    fn from(error: VaultError) -> Self {
        if matches!(error, VaultError::Shredded { .. }) {
            return Self::new(ProblemKind::Shredded);
        }
        tracing::error!(%error, "the vault refused");
        Self::new(ProblemKind::Internal)
    }
}

impl From<WriteError> for Problem {
    fn from(error: WriteError) -> Self {
        // A referral's id is new each time; what can be there already is its sender's own reference.
        if error == WriteError::Duplicate("referrals") {
            return Self::new(ProblemKind::AlreadyThere).faults([Fault {
                pointer: schema::pointer("/source_ref"),
                code: "source_ref",
                message: Text::new(
                    "この整理番号は、別の紹介・連絡で使われています。",
                    "This reference of yours is already used by another referral.",
                ),
            }]);
        }
        Self::new(match error {
            WriteError::Busy => ProblemKind::Busy,
            WriteError::Unavailable => ProblemKind::Unavailable,
            WriteError::Unknown => ProblemKind::OutcomeUnknown,
            WriteError::Stale => ProblemKind::VersionStale,
            WriteError::KeyTaken => ProblemKind::StillRunning,
            WriteError::Duplicate(_) => ProblemKind::AlreadyThere,
        })
    }
}

/// Notes a look, durably, before what was seen leaves.
async fn audited(context: &Context, audit: AuditRow) -> Result<(), Problem> {
    let rows = Rows { audits: vec![audit], ..Rows::default() };
    context.ledger.write(Write { rows, ..Write::default() }).await?;
    Ok(())
}

/// The answer to a foreign id and to a missing one.
fn not_found() -> Problem {
    Problem::new(ProblemKind::NotFound)
}

/// RFC 3339 with Japan's offset, as the API writes every time.
pub fn jst(at: jiff::Timestamp) -> String {
    at.display_with_offset(jiff::tz::Offset::constant(9)).to_string()
}
