//! Every way out of the hub, and what may be told there of a family's place and of a notifier.
//!
//! The endpoints come from the table of routes by a match without a wildcard, the other ways from a closed list: what
//! is added to either does not build here until somebody has said what it tells.

use tsunagu::web::Endpoint;

/// What an output may tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tells {
    /// Nothing about a family to anybody: keys, the directory, settings, problems.
    Nothing,
    /// Ids, codes, states, times and signed digests.
    Codes,
    /// What an agency wrote down itself, to that agency.
    ItsKeeper,
    /// The content, under the mask of the one who asks.
    UnderTheMask,
}

pub const fn of(endpoint: Endpoint) -> Tells {
    use Endpoint as E;
    match endpoint {
        E::Health | E::Ready | E::OpenApi | E::Jwks | E::Token => Tells::Nothing,
        E::Agencies | E::Agency | E::Services | E::Service => Tells::Nothing,
        E::Home | E::SignInPage | E::SignIn | E::SignOut | E::Asset => Tells::Nothing,
        E::Subscriptions | E::SubscribeAmqp | E::EndAmqp | E::SubscribeMail | E::EndMail => Tells::Nothing,
        E::RegisterStaff | E::SetSignIn | E::RemoveSignIn => Tells::Nothing,
        E::RecordConsent | E::WithdrawConsent | E::Submit | E::NameReaders | E::Act | E::Ack => Tells::Codes,
        E::RecordProtection
        | E::Protections
        | E::ChangeProtection
        | E::ReleaseProtection
        | E::UnlockProtection
        | E::ApproveProtection => Tells::Codes,
        E::Accesses | E::Audit | E::Grounds | E::BreakGlass | E::BreakGlasses | E::ReviewBreakGlass => {
            Tells::Codes
        }
        E::DeclareRelation
        | E::OpenCase
        | E::Cases
        | E::ChangeCase
        | E::PlanCase
        | E::CloseCase
        | E::ReopenCase
        | E::AddCaseEntry
        | E::RecordConsultation
        | E::Consultations
        | E::OpenCaseOfConsultation => Tells::Codes,
        E::Relations | E::OneBreakGlass | E::Case | E::CasePlans | E::CaseEntries | E::Consultation => {
            Tells::ItsKeeper
        }
        E::Retention | E::Holds | E::PlaceHold | E::LiftHold | E::Erase => Tells::Codes,
        E::ReceiveAccessRequest | E::AccessRequests | E::StepAccessRequest => Tells::Codes,
        // To the one who wrote it: which fields who holds, and no value of them.
        E::FamilyOfCase | E::FamilyOfReferral | E::FamilyPageOfCase | E::FamilyPageOfReferral => {
            Tells::ItsKeeper
        }
        E::AccessRequest => Tells::ItsKeeper,
        E::RecordArrangement
        | E::Arrangements
        | E::AddMember
        | E::EndMember
        | E::EndArrangement
        | E::RegisterCase
        | E::EndCase => Tells::Codes,
        E::DecideStatutory | E::Incidents | E::CloseIncident => Tells::Codes,
        E::Consents | E::Referrals | E::Referral | E::Legs | E::Inbox => Tells::Codes,
        E::AvailableActions | E::LegReceipts | E::Receipt | E::Board => Tells::Codes,
        E::StaffList | E::Consent | E::ConsentForm | E::PrintConsentForm | E::Protection => Tells::ItsKeeper,
        E::Arrangement | E::Register | E::ProvisionRecords => Tells::ItsKeeper,
        E::Incident | E::IncidentReport => Tells::ItsKeeper,
        // The view of a leg, and the page that is made of it, hold what was written beside the content.
        E::Leg | E::BoardLeg | E::OpenDelivery => Tells::UnderTheMask,
        // What the agency holds of a person, for the requester: less than the agency itself may see.
        E::Preparation | E::SubjectExport | E::SubjectExportPage => Tells::UnderTheMask,
    }
}

/// Ways out that are no endpoint, each with the test that looks there.
pub const OTHERS: &[(&str, &str)] = &[
    ("the preview of a submission", "every_way_out_is_silent_about_a_hidden_place"),
    ("a doorbell over AMQP: headers and body", "nothing_personal_is_left_behind"),
    ("a mail", "nothing_personal_is_left_behind"),
    ("the log", "nothing_personal_is_left_behind"),
    ("the database, its files and its dump", "nothing_personal_is_left_behind"),
    ("the key folder", "nothing_personal_is_left_behind"),
    ("the headers of every answer", "every_way_out_is_silent_about_a_hidden_place"),
    ("a problem", "every_way_out_is_silent_about_a_hidden_place"),
    ("a sealed push, opened with its recipient's key", "a_push_tells_nothing_of_a_hidden_place"),
    ("a copy for who asks for disclosure", "a_husband_asks_for_his_own_data_while_the_family_is_hidden"),
    ("the family's own view", "a_protected_family_is_asked_first_and_no_place_is_named"),
    ("Debug of what holds words of a place", "debug_shows_no_word"),
];
