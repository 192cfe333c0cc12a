//! Which endpoints show content about a person, and what each leaves in the audit before it answers. The match has no
//! wildcard: an endpoint that is added to the table does not build until somebody has said so here, and a test asks
//! each of them and looks at what it left.

use super::Endpoint;
use crate::ledger::audit::AuditAction;

/// What an endpoint leaves in the audit when it does what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trace {
    /// It shows content about a person; the look is on record first.
    Shown(AuditAction),
    /// It changes something and shows no content; the change is on record.
    Changed(AuditAction),
    /// Ids, codes, states, times, digests and public names: nothing about a person.
    None,
}

impl Trace {
    /// The action of the entry it leaves.
    pub const fn action(self) -> Option<AuditAction> {
        match self {
            Self::Shown(action) | Self::Changed(action) => Some(action),
            Self::None => None,
        }
    }
}

/// What each endpoint leaves.
pub const fn trace(endpoint: Endpoint) -> Trace {
    use AuditAction as A;
    use Endpoint as E;
    use Trace::{Changed, Shown};
    match endpoint {
        E::OpenDelivery => Shown(A::Open),
        E::BoardLeg
        | E::Leg
        | E::Grounds
        | E::Referral
        | E::Accesses
        | E::Audit
        | E::Consent
        | E::ConsentForm
        | E::PrintConsentForm
        | E::Protection
        | E::Register
        | E::Incident
        | E::IncidentReport
        | E::ProvisionRecords
        | E::FamilyOfCase
        | E::FamilyPageOfCase
        | E::FamilyOfReferral
        | E::FamilyPageOfReferral
        | E::AccessRequest
        | E::Preparation
        | E::SubjectExport
        | E::SubjectExportPage
        | E::Relations
        | E::OneBreakGlass
        | E::Retention
        | E::Holds => Shown(A::Read),
        E::Case | E::CasePlans | E::CaseEntries => Shown(A::ReadCase),
        E::Consultation | E::Consultations => Shown(A::ReadConsultation),
        E::Submit => Changed(A::Submit),
        E::Ack => Changed(A::Take),
        E::Act | E::NameReaders | E::CloseIncident | E::ReceiveAccessRequest | E::StepAccessRequest => {
            Changed(A::Act)
        }
        E::RecordConsent | E::DecideStatutory => Changed(A::Consent),
        E::WithdrawConsent => Changed(A::Withdraw),
        E::RecordProtection
        | E::ChangeProtection
        | E::ReleaseProtection
        | E::UnlockProtection
        | E::ApproveProtection => Changed(A::Protect),
        E::RecordArrangement
        | E::EndArrangement
        | E::AddMember
        | E::EndMember
        | E::RegisterCase
        | E::EndCase => Changed(A::Arrange),
        E::OpenCase
        | E::ChangeCase
        | E::PlanCase
        | E::CloseCase
        | E::ReopenCase
        | E::AddCaseEntry
        | E::OpenCaseOfConsultation => Changed(A::Case),
        E::RecordConsultation => Changed(A::Consultation),
        E::Erase | E::PlaceHold | E::LiftHold => Changed(A::Erase),
        E::DeclareRelation => Changed(A::Relate),
        E::BreakGlass => Changed(A::BreakGlass),
        E::ReviewBreakGlass => Changed(A::Review),
        E::RegisterStaff
        | E::SetSignIn
        | E::RemoveSignIn
        | E::SubscribeAmqp
        | E::EndAmqp
        | E::SubscribeMail
        | E::EndMail => Changed(A::Administer),
        E::SignIn => Changed(A::Authenticate),
        // A sign-out ends what the sign-in began; a token is asked for every few minutes and says nothing.
        E::SignOut | E::Token => Trace::None,
        E::Home
        | E::SignInPage
        | E::Board
        | E::Asset
        | E::Health
        | E::Ready
        | E::OpenApi
        | E::Jwks
        | E::Agencies
        | E::Agency
        | E::Services
        | E::Service => Trace::None,
        // The agency's own staff and settings, and lists of ids.
        E::StaffList
        | E::Subscriptions
        | E::Cases
        | E::Consents
        | E::Arrangements
        | E::Arrangement
        | E::Protections
        | E::Referrals
        | E::Legs
        | E::AvailableActions
        | E::Inbox
        | E::Incidents
        | E::AccessRequests
        | E::BreakGlasses => Trace::None,
        // Signed codes and salted digests.
        E::LegReceipts | E::Receipt => Trace::None,
    }
}
