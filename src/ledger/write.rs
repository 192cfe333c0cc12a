//! One write: everything a use case wants to become true together, or not at all.

use sqlx::AnyConnection;

use super::{
    access_request::{AccessRequestRow, AccessRequestVersionRow, MoveAccessRequest},
    agency::{AgencyRow, NameKeyRow, RotateSecret, StaffRow},
    arrangement::{
        ArrangementCaseRow, ArrangementEventRow, ArrangementMemberRow, ArrangementRow, HoldArrangement,
        MoveArrangement,
    },
    audit::AuditRow,
    break_glass::{BreakGlassRow, HoldGlass, ReviewGlass, TellGlass},
    case::{CaseConsentRow, CaseEntryRow, CasePlanRow, CaseRow, CaseVersionRow, MoveCase},
    consent::{ConsentEventRow, ConsentRow, HoldConsent, MoveConsent, UseConsent},
    consultation::{ConsultationRow, TakeConsultation},
    content::{ContentRow, DataKeyRow},
    delivery::{DeliveryRow, MoveDelivery},
    erasure::{ErasureRow, LiftHold, PutHold, ShredKey, ShredRow, Unheld},
    error::WriteError,
    hand_over::ClaimHandOver,
    holding::{AnswerHolding, HoldingRow},
    idempotency::IdempotencyRow,
    incident::{CloseIncident, IncidentRow},
    job::{ClaimJobs, ForgetJobs, JobRow, RingAgain, SettleJob},
    keyring::{RetiredKekRow, Rewrap, SeeNode},
    leg::{LegEventRow, LegRow, ManifestRow, MoveLeg},
    notice::NoticeReaderRow,
    protection::{HoldLeg, HoldProtection, MoveProtection, ProtectionVersionRow, PutProtection},
    receipt::ReceiptRow,
    referral::{ReferralEventRow, ReferralRow},
    relation::{HoldRelations, RelationRow},
    service::{ServiceRow, UpdateService},
    sign_in::{ChangeSignIn, CountTry, EndSessions, RemoveSignIn, SessionRow, SignInRow, UseSession},
    statutory::{DecideStatutory, StatutoryRow},
    subscription::{PutSubscription, RemoveSubscription},
};

/// Which of the committer's two queues a write waits in. A full ordinary queue leaves room for these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lane {
    #[default]
    Ordinary,
    /// Urgent legs, openings and the hub's own work on jobs.
    Urgent,
}

/// One all-or-nothing write. The committer takes the key first, then the steps, then inserts the rows.
#[derive(Default)]
pub struct Write {
    pub lane: Lane,
    /// What shares a shard is written in order by one committer: creations by (agency, key), changes by leg.
    pub shard: u64,
    pub key: Option<IdempotencyRow>,
    pub steps: Vec<Step>,
    pub rows: Rows,
}

/// The rows of a write, table by table.
#[derive(Default)]
pub struct Rows {
    pub agencies: Vec<AgencyRow>,
    pub name_keys: Vec<NameKeyRow>,
    pub staff: Vec<StaffRow>,
    pub services: Vec<ServiceRow>,
    pub data_keys: Vec<DataKeyRow>,
    pub arrangements: Vec<ArrangementRow>,
    pub arrangement_events: Vec<ArrangementEventRow>,
    pub arrangement_members: Vec<ArrangementMemberRow>,
    pub arrangement_cases: Vec<ArrangementCaseRow>,
    pub consents: Vec<ConsentRow>,
    pub consent_events: Vec<ConsentEventRow>,
    pub protection_versions: Vec<ProtectionVersionRow>,
    pub cases: Vec<CaseRow>,
    pub case_versions: Vec<CaseVersionRow>,
    pub case_plans: Vec<CasePlanRow>,
    pub case_entries: Vec<CaseEntryRow>,
    pub case_consents: Vec<CaseConsentRow>,
    pub consultations: Vec<ConsultationRow>,
    pub referrals: Vec<ReferralRow>,
    pub referral_events: Vec<ReferralEventRow>,
    pub notice_readers: Vec<NoticeReaderRow>,
    pub contents: Vec<ContentRow>,
    pub legs: Vec<LegRow>,
    pub leg_events: Vec<LegEventRow>,
    pub manifests: Vec<ManifestRow>,
    pub deliveries: Vec<DeliveryRow>,
    pub receipts: Vec<ReceiptRow>,
    pub holdings: Vec<HoldingRow>,
    pub statutory: Vec<StatutoryRow>,
    pub incidents: Vec<IncidentRow>,
    pub access_requests: Vec<AccessRequestRow>,
    pub access_request_versions: Vec<AccessRequestVersionRow>,
    pub relations: Vec<RelationRow>,
    pub break_glasses: Vec<BreakGlassRow>,
    pub audits: Vec<AuditRow>,
    pub sign_ins: Vec<SignInRow>,
    pub sessions: Vec<SessionRow>,
    pub shreds: Vec<ShredRow>,
    pub erasures: Vec<ErasureRow>,
    pub retired_keks: Vec<RetiredKekRow>,
    /// A job that is already queued under its dedup key is left as it is.
    pub jobs: Vec<JobRow>,
}

/// A change of a row that is already there. Each is guarded: a row that has moved on refuses the write.
pub enum Step {
    HoldArrangement(HoldArrangement),
    HoldConsent(HoldConsent),
    MoveArrangement(MoveArrangement),
    MoveConsent(MoveConsent),
    UseConsent(UseConsent),
    HoldLeg(HoldLeg),
    MoveLeg(MoveLeg),
    MoveDelivery(MoveDelivery),
    PutProtection(PutProtection),
    MoveProtection(MoveProtection),
    HoldProtection(HoldProtection),
    HoldRelations(HoldRelations),
    HoldGlass(HoldGlass),
    ReviewGlass(ReviewGlass),
    TellGlass(TellGlass),
    MoveCase(MoveCase),
    TakeConsultation(TakeConsultation),
    ClaimHandOver(ClaimHandOver),
    AnswerHolding(AnswerHolding),
    DecideStatutory(Box<DecideStatutory>),
    CloseIncident(CloseIncident),
    MoveAccessRequest(MoveAccessRequest),
    RotateSecret(RotateSecret),
    PutSubscription(PutSubscription),
    RemoveSubscription(RemoveSubscription),
    UpdateService(Box<UpdateService>),
    ClaimJobs(ClaimJobs),
    SettleJob(SettleJob),
    RingAgain(RingAgain),
    ForgetJobs(ForgetJobs),
    ChangeSignIn(ChangeSignIn),
    RemoveSignIn(RemoveSignIn),
    CountTry(CountTry),
    UseSession(UseSession),
    EndSessions(EndSessions),
    PutHold(Box<PutHold>),
    LiftHold(LiftHold),
    Unheld(Unheld),
    ShredKey(ShredKey),
    Rewrap(Rewrap),
    SeeNode(SeeNode),
}

/// What a committed write brought back.
#[derive(Default)]
pub struct Done {
    /// Jobs taken by a [`Step::ClaimJobs`].
    pub claimed: Vec<JobRow>,
    /// Jobs made ready by the steps [`Step::RingAgain`].
    pub rung: u64,
    /// Jobs deleted by a [`Step::ForgetJobs`].
    pub forgotten: u64,
    /// Wraps moved by a [`Step::Rewrap`].
    pub rewrapped: u64,
}

/// Why a write could not be applied inside a transaction.
pub(super) enum Fault {
    /// The write itself is refused; others of its batch are not concerned.
    Refused(WriteError),
    Database(sqlx::Error),
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl Step {
    /// Applies the steps of all writes. Consents and arrangements are guarded first, for the whole batch: a
    /// withdrawal in the same batch has not seen these uses, and its own guard says so.
    pub(super) async fn apply_all(on: &mut AnyConnection, writes: &[Write]) -> Result<Vec<Done>, Fault> {
        let steps = || writes.iter().flat_map(|write| &write.steps);
        let holds = steps().filter_map(|step| match step {
            Self::HoldConsent(hold) => Some(hold),
            _ => None,
        });
        let uses = steps().filter_map(|step| match step {
            Self::UseConsent(one) => Some(one),
            _ => None,
        });
        let arrangements = steps().filter_map(|step| match step {
            Self::HoldArrangement(hold) => Some(hold),
            _ => None,
        });
        if !HoldConsent::apply_all(on, holds).await?
            || !UseConsent::apply_all(on, uses).await?
            || !HoldArrangement::apply_all(on, arrangements).await?
        {
            return Err(Fault::Refused(WriteError::Stale));
        }
        let mut done = Vec::with_capacity(writes.len());
        for write in writes {
            let mut mine = Done::default();
            for step in &write.steps {
                step.apply(on, &mut mine).await?;
            }
            let settles = write.steps.iter().filter_map(|step| match step {
                Self::SettleJob(settle) => Some(settle),
                _ => None,
            });
            SettleJob::apply_all(on, settles).await?;
            done.push(mine);
        }
        Ok(done)
    }

    /// Applies this step; zero rows where one was expected means the record has moved on.
    async fn apply(&self, on: &mut AnyConnection, done: &mut Done) -> Result<(), Fault> {
        let rows = match self {
            Self::MoveArrangement(step) => step.apply(on).await?,
            Self::MoveConsent(step) => step.apply(on).await?,
            Self::HoldLeg(step) => step.apply(on).await?,
            Self::MoveLeg(step) => step.apply(on).await?,
            Self::MoveDelivery(step) => step.apply(on).await?,
            Self::PutProtection(step) => step.apply(on).await?,
            Self::MoveProtection(step) => step.apply(on).await?,
            Self::HoldProtection(step) => step.apply(on).await?,
            Self::HoldRelations(step) => step.apply(on).await?,
            Self::HoldGlass(step) => step.apply(on).await?,
            Self::ReviewGlass(step) => step.apply(on).await?,
            Self::TellGlass(step) => step.apply(on).await?,
            Self::MoveCase(step) => step.apply(on).await?,
            Self::TakeConsultation(step) => step.apply(on).await?,
            Self::ClaimHandOver(step) => step.apply(on).await?,
            Self::AnswerHolding(step) => step.apply(on).await?,
            Self::DecideStatutory(step) => step.apply(on).await?,
            Self::CloseIncident(step) => step.apply(on).await?,
            Self::MoveAccessRequest(step) => step.apply(on).await?,
            Self::RotateSecret(step) => step.apply(on).await?,
            Self::PutSubscription(step) => step.apply(on).await?,
            Self::RemoveSubscription(step) => step.apply(on).await?,
            Self::UpdateService(step) => step.apply(on).await?,
            Self::ChangeSignIn(step) => step.apply(on).await?,
            Self::RemoveSignIn(step) => step.apply(on).await?,
            Self::CountTry(step) => step.apply(on).await?,
            Self::UseSession(step) => step.apply(on).await?,
            Self::EndSessions(step) => return Ok(step.apply(on).await?),
            Self::PutHold(step) => step.apply(on).await?,
            Self::LiftHold(step) => step.apply(on).await?,
            Self::Unheld(step) => step.apply(on).await?,
            Self::ShredKey(step) => step.apply(on).await?,
            Self::SeeNode(step) => step.apply(on).await?,
            Self::Rewrap(step) => {
                done.rewrapped += step.apply(on).await?;
                return Ok(());
            }
            Self::ClaimJobs(step) => {
                done.claimed = step.apply(on).await?;
                return Ok(());
            }
            Self::RingAgain(step) => {
                done.rung += step.apply(on).await?;
                return Ok(());
            }
            Self::ForgetJobs(step) => {
                done.forgotten = step.apply(on).await?;
                return Ok(());
            }
            // Applied with others of their kind.
            Self::HoldArrangement(_) | Self::HoldConsent(_) | Self::UseConsent(_) | Self::SettleJob(_) => {
                return Ok(());
            }
        };
        if rows == 1 { Ok(()) } else { Err(Fault::Refused(WriteError::Stale)) }
    }
}
