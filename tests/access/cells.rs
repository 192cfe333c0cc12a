//! One cell of the matrix: who asks for what by which endpoint, how the request looks, what must come back.
//!
//! Both the request and the expectation come from a match on [`Endpoint`] that has no wildcard: a route that is
//! added to the table does not build here until somebody has said who may use it.

use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tsunagu::web::{Access, Endpoint, Guarded, Row};

use super::{
    cases, pages, protections,
    world::{Party, Story, World},
};
use crate::support::town::{Engine, form_paper, fresh_key};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    Owner,
    Recipient,
    Third,
    NoToken,
    /// The owner, with a token that has run out.
    Expired,
}

impl Caller {
    pub const ALL: [Self; 5] = [Self::Owner, Self::Recipient, Self::Third, Self::NoToken, Self::Expired];

    pub fn party(self, world: &World) -> &Party {
        match self {
            Self::Owner | Self::NoToken | Self::Expired => &world.owner,
            Self::Recipient => &world.recipient,
            Self::Third => &world.third,
        }
    }

    pub fn known(self) -> bool {
        !matches!(self, Self::NoToken | Self::Expired)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    Own,
    Foreign,
    Missing,
    Malformed,
}

impl Object {
    /// The order matters: what is refused comes before what changes something.
    pub const ALL: [Self; 4] = [Self::Malformed, Self::Missing, Self::Foreign, Self::Own];
}

/// The stories one round of cells speaks of: the owner's to the recipient, and one between the two others.
pub struct Stories {
    pub first: Story,
    pub second: Story,
}

/// Who may use an endpoint on an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// Anybody, with or without a token.
    Public,
    /// Whoever knows the secret of an agency.
    SignIn,
    /// Every agency sees the directory.
    Directory,
    /// Every agency sees a list of its own; the object is the cursor.
    List,
    /// Every agency has one of its own and nothing to name.
    Self_,
    /// Every agency makes its own; the object is what the document refers to.
    Make,
    /// The agency that keeps the object.
    Keeper,
    /// The agency that keeps the object; who takes part sees it and is told that it is not theirs to change.
    Warden,
    /// Sender and recipient; keeper and member.
    Parties,
    /// The recipient.
    Recipient,
    /// A break-glass, which the recipient of a copy that opens in the ordinary way does not need.
    Glass,
    /// People at a browser: see [`pages`].
    Pages,
}

fn reach(endpoint: Endpoint) -> Reach {
    use Endpoint as E;
    match endpoint {
        E::Health | E::Ready | E::OpenApi | E::Jwks => Reach::Public,
        E::Token => Reach::SignIn,
        E::Home | E::SignInPage | E::SignIn | E::SignOut | E::Board | E::BoardLeg | E::Asset => Reach::Pages,
        E::Agency | E::Service => Reach::Directory,
        E::Agencies
        | E::Services
        | E::StaffList
        | E::Arrangements
        | E::Consents
        | E::Referrals
        | E::Legs
        | E::Inbox
        | E::Incidents
        | E::ProvisionRecords
        | E::AccessRequests
        | E::Audit
        | E::BreakGlasses
        | E::Protections
        | E::Cases
        | E::Consultations => Reach::List,
        E::RegisterStaff
        | E::Subscriptions
        | E::SubscribeAmqp
        | E::EndAmqp
        | E::SubscribeMail
        | E::EndMail => Reach::Self_,
        E::BreakGlass => Reach::Glass,
        E::RecordArrangement
        | E::RecordConsent
        | E::PrintConsentForm
        | E::RecordProtection
        | E::ReceiveAccessRequest
        | E::OpenCase
        | E::RecordConsultation
        | E::Submit => Reach::Make,
        E::AddMember | E::EndMember | E::EndArrangement | E::Register => Reach::Warden,
        E::EndCase
        | E::NameReaders
        | E::Case
        | E::ChangeCase
        | E::PlanCase
        | E::CasePlans
        | E::CloseCase
        | E::ReopenCase
        | E::AddCaseEntry
        | E::CaseEntries
        | E::Consultation
        | E::OpenCaseOfConsultation
        | E::Protection
        | E::ChangeProtection
        | E::ReleaseProtection
        | E::UnlockProtection
        | E::ApproveProtection
        | E::Consent
        | E::ConsentForm
        | E::WithdrawConsent
        | E::DecideStatutory
        | E::Incident
        | E::IncidentReport
        | E::CloseIncident
        | E::Referral
        | E::Retention
        | E::Erase
        | E::LiftHold
        | E::FamilyOfReferral
        | E::FamilyPageOfReferral
        | E::FamilyOfCase
        | E::FamilyPageOfCase
        | E::AccessRequest
        | E::StepAccessRequest
        | E::Preparation
        | E::SubjectExport
        | E::SubjectExportPage
        | E::Accesses
        | E::Grounds
        | E::SetSignIn
        | E::RemoveSignIn => Reach::Keeper,
        E::Arrangement
        | E::RegisterCase
        | E::Leg
        | E::AvailableActions
        | E::Act
        | E::LegReceipts
        | E::PlaceHold
        | E::Holds
        | E::OneBreakGlass
        | E::ReviewBreakGlass
        | E::Receipt => Reach::Parties,
        E::OpenDelivery | E::Ack | E::DeclareRelation | E::Relations => Reach::Recipient,
    }
}

/// Whether a use of the endpoint leaves its object changed, so that the next cell needs another.
pub fn spends(endpoint: Endpoint) -> bool {
    use Endpoint as E;
    match endpoint {
        // Each party that closes closes an incident of its own, once.
        E::AddMember
        | E::EndMember
        | E::RegisterCase
        | E::EndCase
        | E::EndArrangement
        | E::WithdrawConsent
        | E::ChangeProtection
        | E::ReleaseProtection
        | E::UnlockProtection
        | E::ApproveProtection
        | E::StepAccessRequest
        | E::ChangeCase
        | E::PlanCase
        | E::CloseCase
        | E::ReopenCase
        | E::OpenCaseOfConsultation
        | E::Act
        | E::LiftHold
        | E::OpenDelivery
        | E::Ack => true,
        E::NameReaders => false,
        E::FamilyOfReferral
        | E::FamilyPageOfReferral
        | E::FamilyOfCase
        | E::FamilyPageOfCase
        | E::ReceiveAccessRequest
        | E::AccessRequests
        | E::AccessRequest
        | E::Preparation
        | E::SubjectExport
        | E::SubjectExportPage => false,
        // Each of the two agencies reviews once, in turn; a relation that is denied changes nothing.
        E::ReviewBreakGlass | E::DeclareRelation => false,
        E::RecordProtection | E::Protections | E::Protection => false,
        E::Accesses
        | E::Audit
        | E::Grounds
        | E::Relations
        | E::BreakGlass
        | E::BreakGlasses
        | E::OneBreakGlass => false,
        E::OpenCase
        | E::Cases
        | E::Case
        | E::CasePlans
        | E::AddCaseEntry
        | E::CaseEntries
        | E::RecordConsultation
        | E::Consultations
        | E::Consultation => false,
        E::Home
        | E::SignInPage
        | E::SignIn
        | E::SignOut
        | E::Board
        | E::BoardLeg
        | E::Asset
        | E::Health
        | E::Ready
        | E::OpenApi
        | E::Jwks
        | E::Token
        | E::Agencies
        | E::Agency
        | E::Services
        | E::Service
        | E::RegisterStaff
        | E::StaffList
        | E::SetSignIn
        | E::RemoveSignIn
        | E::Subscriptions
        | E::SubscribeAmqp
        | E::EndAmqp
        | E::SubscribeMail
        | E::EndMail
        | E::RecordArrangement
        | E::Arrangements
        | E::Arrangement
        | E::Register
        | E::RecordConsent
        | E::PrintConsentForm
        | E::ConsentForm
        | E::Consents
        | E::Consent
        | E::Submit
        | E::Referrals
        | E::Referral
        | E::Legs
        | E::Leg
        | E::AvailableActions
        | E::LegReceipts
        | E::Inbox
        | E::ProvisionRecords
        | E::DecideStatutory
        | E::Incidents
        | E::Incident
        | E::IncidentReport
        | E::CloseIncident
        | E::Retention
        | E::Erase
        | E::PlaceHold
        | E::Holds
        | E::Receipt => false,
    }
}

/// The status and, where it is a refusal, the kind of problem that a cell must be answered with.
pub fn expected(row: &Row, engine: Engine, caller: Caller, object: Object) -> (u16, Option<&'static str>) {
    let reach = reach(row.endpoint);
    assert_eq!(row.access == Access::Page, reach == Reach::Pages, "{}", row.path);
    if reach == Reach::Pages {
        return (pages::expected(row.endpoint, caller, object), None);
    }
    let not_found = (404, Some("not-found"));
    assert_eq!(row.access == Access::Public, matches!(reach, Reach::Public | Reach::SignIn), "{}", row.path);
    if row.access == Access::Agency && !caller.known() {
        return (401, Some("unauthorised"));
    }
    match (reach, object) {
        // RFC 6749 speaks for itself there, and not in problems.
        (Reach::SignIn, _) if !caller.known() => (401, None),
        (Reach::Public | Reach::SignIn | Reach::Self_, _) => success(row.endpoint, engine),
        (Reach::List, Object::Malformed) => (400, Some("bad-query")),
        (Reach::List, _) => success(row.endpoint, engine),
        (Reach::Make, Object::Own) => success(row.endpoint, engine),
        (Reach::Make, Object::Malformed) => (422, Some("schema-violation")),
        (Reach::Make, Object::Foreign | Object::Missing) if row.endpoint == Endpoint::Submit => {
            (422, Some("disclosure-refused"))
        }
        (Reach::Make, Object::Foreign | Object::Missing) => (422, Some("schema-violation")),
        (Reach::Glass, Object::Own) if caller == Caller::Recipient => (403, Some("break-glass-refused")),
        (Reach::Glass, _) => (422, Some("schema-violation")),
        (Reach::Pages, _) => unreachable!("answered above"),
        (_, Object::Malformed) => (400, Some("bad-id")),
        (_, Object::Missing) => not_found,
        (Reach::Directory, _) => success(row.endpoint, engine),
        (_, Object::Foreign) => not_found,
        (Reach::Keeper, Object::Own) if caller == Caller::Recipient => not_found,
        (Reach::Warden, Object::Own) if caller == Caller::Recipient => (403, Some("forbidden")),
        (Reach::Recipient, Object::Own) if caller != Caller::Recipient => not_found,
        (Reach::Keeper | Reach::Warden | Reach::Parties | Reach::Recipient, Object::Own) => {
            success(row.endpoint, engine)
        }
    }
}

/// What the endpoint answers when it does what was asked.
fn success(endpoint: Endpoint, engine: Engine) -> (u16, Option<&'static str>) {
    use Endpoint as E;
    match endpoint {
        E::RegisterStaff
        | E::RecordArrangement
        | E::RecordConsent
        | E::RecordProtection
        | E::PlaceHold
        | E::ReceiveAccessRequest
        | E::DeclareRelation
        | E::BreakGlass
        | E::OpenCase
        | E::AddCaseEntry
        | E::RecordConsultation
        | E::OpenCaseOfConsultation
        | E::Submit => (201, None),
        // The leg of the story is under way, and held.
        E::Erase => (409, Some("retention-hold")),
        // What was only received is not decided.
        E::SubjectExport | E::SubjectExportPage => (409, Some("illegal-transition")),
        E::FamilyOfReferral
        | E::FamilyPageOfReferral
        | E::FamilyOfCase
        | E::FamilyPageOfCase
        | E::AccessRequests
        | E::AccessRequest
        | E::StepAccessRequest
        | E::Preparation => (200, None),
        E::Accesses
        | E::Audit
        | E::Grounds
        | E::Relations
        | E::BreakGlasses
        | E::OneBreakGlass
        | E::ReviewBreakGlass => (200, None),
        E::Protections
        | E::Protection
        | E::ChangeProtection
        | E::ReleaseProtection
        | E::UnlockProtection
        | E::ApproveProtection
        | E::Cases
        | E::Case
        | E::ChangeCase
        | E::PlanCase
        | E::CasePlans
        | E::CloseCase
        | E::ReopenCase
        | E::CaseEntries
        | E::Consultations
        | E::Consultation => (200, None),
        E::EndAmqp | E::EndMail | E::RemoveSignIn => (204, None),
        // The referral of the story is no notice: its whole agency sees it.
        E::NameReaders => (403, Some("forbidden")),
        // The consent of the story is in force: nothing is due.
        E::DecideStatutory => (409, Some("illegal-transition")),
        E::SubscribeAmqp if engine == Engine::Embedded => (409, Some("channel-unavailable")),
        E::Home
        | E::SignInPage
        | E::SignIn
        | E::SignOut
        | E::Board
        | E::BoardLeg
        | E::Asset
        | E::Health
        | E::Ready
        | E::OpenApi
        | E::Jwks
        | E::Token
        | E::Agencies
        | E::Agency
        | E::Services
        | E::Service
        | E::StaffList
        | E::SetSignIn
        | E::Subscriptions
        | E::SubscribeAmqp
        | E::SubscribeMail
        | E::Arrangements
        | E::Arrangement
        | E::EndArrangement
        | E::AddMember
        | E::EndMember
        | E::Register
        | E::RegisterCase
        | E::EndCase
        | E::Consents
        | E::Consent
        | E::ConsentForm
        | E::PrintConsentForm
        | E::WithdrawConsent
        | E::Referrals
        | E::Referral
        | E::Legs
        | E::Leg
        | E::AvailableActions
        | E::Act
        | E::LegReceipts
        | E::Inbox
        | E::ProvisionRecords
        | E::OpenDelivery
        | E::Ack
        | E::Incidents
        | E::Incident
        | E::IncidentReport
        | E::CloseIncident
        | E::Retention
        | E::Holds
        | E::LiftHold
        | E::Receipt => (200, None),
    }
}

/// An id that no object has.
const NOBODYS: &str = "0192f000-0000-4000-8000-00000000dead";
const NO_ID: &str = "0192f000";

/// The object of a cell: in whose story it stands, or an id of none.
enum Named<'a> {
    Story(&'a Story),
    Text(&'static str),
}

impl<'a> Named<'a> {
    fn of(stories: &'a Stories, caller: Caller, object: Object) -> Self {
        let (own, foreign) = match caller {
            Caller::Third => (&stories.second, &stories.first),
            _ => (&stories.first, &stories.second),
        };
        match object {
            Object::Own => Self::Story(own),
            Object::Foreign => Self::Story(foreign),
            Object::Missing => Self::Text(NOBODYS),
            Object::Malformed => Self::Text(NO_ID),
        }
    }

    fn id(&self, of: impl Fn(&Story) -> &String) -> String {
        match self {
            Self::Story(story) => of(story).clone(),
            Self::Text(text) => (*text).to_owned(),
        }
    }
}

/// The path of a cell with the object's id in it, and the document it posts.
async fn asked(
    world: &World,
    row: &Row,
    stories: &Stories,
    caller: Caller,
    object: Object,
) -> (String, Option<Value>) {
    use Endpoint as E;
    let party = caller.party(world);
    let named = Named::of(stories, caller, object);
    let path = |id: String| row.path.replacen("{id}", &id, 1);
    let plain = || row.path.to_owned();
    // A cursor of the list: the row says which parameter that is.
    let list = |id: String| {
        let cursor = row.query.iter().find(|name| matches!(**name, "after" | "before"));
        match object {
            Object::Own => plain(),
            _ => format!("{}?{}={id}", row.path, cursor.expect("a list has a cursor")),
        }
    };
    match row.endpoint {
        E::Home | E::SignInPage | E::SignIn | E::SignOut | E::Board | E::BoardLeg | E::Asset => {
            unreachable!("pages are asked for in pages.rs")
        }
        E::Health
        | E::Ready
        | E::OpenApi
        | E::Jwks
        | E::Token
        | E::Subscriptions
        | E::EndAmqp
        | E::EndMail => (plain(), None),
        E::Agencies => (list(named.id(|story| &story.sender)), None),
        E::Services => (list(directory(&named, &world.service)), None),
        E::Agency => (path(named.id(|story| &story.sender)), None),
        E::Service => (path(directory(&named, &world.service)), None),
        E::StaffList => (list(staff(world, &named)), None),
        E::SetSignIn => {
            let body = json!({ "login": party.agency.id, "password": "ながいあいことばにします" });
            (path(staff(world, &named)), Some(body))
        }
        E::RemoveSignIn => (path(staff(world, &named)), None),
        E::Consents => (list(named.id(|story| &story.consent)), None),
        E::Arrangements => (list(named.id(|story| &story.arrangement)), None),
        E::Referrals => (list(named.id(|story| &story.referral)), None),
        E::Legs | E::Inbox | E::ProvisionRecords => (list(named.id(|story| &story.leg)), None),
        E::RegisterStaff => (plain(), Some(json!({ "role": "assistant", "name": party.private }))),
        E::SubscribeAmqp => (plain(), Some(json!({ "mode": "doorbell" }))),
        E::SubscribeMail => (plain(), Some(json!({ "address": "himitsu@mado.example.jp" }))),
        E::RecordArrangement => {
            let mut paper = world.arrangement_paper(party, &world.fourth);
            if caller == Caller::Recipient || object != Object::Own {
                paper["members"] = json!([]);
            }
            if object != Object::Own {
                paper["by"] = json!(staff(world, &named));
            }
            (plain(), Some(paper))
        }
        E::Arrangement | E::Register => (path(named.id(|story| &story.arrangement)), None),
        E::RegisterCase => (path(named.id(|story| &story.arrangement)), Some(world.case_paper(party))),
        E::AddMember => {
            let other = if caller == Caller::Third { &world.owner } else { &world.third };
            let body = json!({
                "by": party.boss, "agency": other.agency.id, "first_day": world.town.day(0),
            });
            (path(named.id(|story| &story.arrangement)), Some(body))
        }
        E::EndArrangement | E::EndMember | E::EndCase => {
            let body = json!({ "by": party.boss, "last_day": world.town.day(5) });
            let at = path(named.id(|story| &story.arrangement));
            let at = at.replace("{agency}", &named.id(|story| &story.recipient));
            (at.replace("{entry}", &named.id(|story| &story.entry)), Some(body))
        }
        E::RecordConsent | E::PrintConsentForm => {
            let mut paper = world.consent_paper(party, &world.fourth);
            if row.endpoint == E::PrintConsentForm {
                paper = form_paper(paper);
            }
            if object != Object::Own {
                paper["recorded_by"] = json!(staff(world, &named));
            }
            (plain(), Some(paper))
        }
        E::Submit => {
            let consent = match object {
                Object::Own if caller.known() => {
                    party.agency.record_consent(&world.consent_paper(party, &world.fourth)).await.at("/id")
                }
                Object::Own => NOBODYS.to_owned(),
                _ => named.id(|story| &story.consent),
            };
            (plain(), Some(world.introduction(party, &world.fourth, &consent)))
        }
        E::Cases => (list(named.id(|story| &story.household)), None),
        E::Consultations => {
            let id = named.id(|story| &story.talk);
            // A page ends with a moment and an id.
            (list(if object == Object::Malformed { id } else { format!("1790000000000000.{id}") }), None)
        }
        E::OpenCase | E::RecordConsultation => {
            let by = if object == Object::Own { party.staff.clone() } else { staff(world, &named) };
            let paper = if row.endpoint == E::OpenCase { cases::paper } else { cases::talk };
            (plain(), Some(paper(party, &by)))
        }
        E::Case
        | E::ChangeCase
        | E::PlanCase
        | E::CasePlans
        | E::CloseCase
        | E::ReopenCase
        | E::AddCaseEntry
        | E::CaseEntries => {
            let id = named.id(|story| &story.household);
            (path(id.clone()), cases::step(row.endpoint, party, &id).await)
        }
        E::Consultation => (path(named.id(|story| &story.talk)), None),
        E::OpenCaseOfConsultation => {
            (path(named.id(|story| &story.talk)), Some(cases::paper(party, &party.staff)))
        }
        E::Protections => (list(named.id(|story| &story.protection)), None),
        E::RecordProtection => {
            let by = if object == Object::Own { party.staff.clone() } else { staff(world, &named) };
            (plain(), Some(protections::paper(&by)))
        }
        E::Protection
        | E::ChangeProtection
        | E::ReleaseProtection
        | E::UnlockProtection
        | E::ApproveProtection => {
            let id = named.id(|story| &story.protection);
            (path(id.clone()), protections::step(world, row.endpoint, party, &id).await)
        }
        E::Consent | E::ConsentForm => (path(named.id(|story| &story.consent)), None),
        E::WithdrawConsent => {
            let body = json!({ "by": party.staff, "method": "oral" });
            (path(named.id(|story| &story.consent)), Some(body))
        }
        E::DecideStatutory => {
            let body = json!({ "by": party.staff, "decision": "none", "reason": "根拠なし" });
            (path(named.id(|story| &story.consent)), Some(body))
        }
        E::Audit => (list(named.id(|story| &story.leg)), None),
        E::BreakGlasses => (list(named.id(|story| &story.glass)), None),
        E::OneBreakGlass => (path(named.id(|story| &story.glass)), None),
        E::ReviewBreakGlass => {
            let body = json!({ "by": party.boss, "outcome": "justified", "note": "安全確認のため" });
            (path(named.id(|story| &story.glass)), Some(body))
        }
        E::BreakGlass => {
            let body = json!({
                "by": party.staff, "delivery": named.id(|story| &story.delivery), "purpose": "safety_check",
                "reason": "安全確認", "minutes": 10,
            });
            (plain(), Some(body))
        }
        E::Relations => (path(named.id(|story| &story.delivery)), None),
        E::DeclareRelation => {
            let body = json!({ "by": party.staff, "staff": party.staff, "step": "denied" });
            (path(named.id(|story| &story.delivery)), Some(body))
        }
        E::Incidents => (list(named.id(|story| &story.incident)), None),
        E::Incident | E::IncidentReport => (path(named.id(|story| &story.incident)), None),
        E::CloseIncident => {
            let body = json!({ "by": party.officer, "note": "報告済み" });
            (path(named.id(|story| &story.incident)), Some(body))
        }
        E::NameReaders => {
            let body = json!({ "by": party.staff, "seen_by": [party.boss] });
            (path(named.id(|story| &story.referral)), Some(body))
        }
        E::Referral | E::Retention | E::Accesses => (path(named.id(|story| &story.referral)), None),
        E::Erase => {
            let body = json!({ "by": party.officer, "approved_by": party.boss, "reason": "保存期間の満了" });
            (path(named.id(|story| &story.referral)), Some(body))
        }
        E::Holds => (path(named.id(|story| &story.leg)), None),
        E::PlaceHold => {
            let body = json!({ "by": party.officer, "kind": "legal", "reason": party.private });
            (path(named.id(|story| &story.leg)), Some(body))
        }
        E::LiftHold => {
            let body = json!({ "by": party.officer, "reason": "終了" });
            (path(named.id(|story| &story.hold)), Some(body))
        }
        E::FamilyOfReferral | E::FamilyPageOfReferral => {
            (format!("{}?viewer=mother", path(named.id(|story| &story.referral))), None)
        }
        E::FamilyOfCase | E::FamilyPageOfCase => {
            (format!("{}?viewer=mother", path(named.id(|story| &story.family))), None)
        }
        E::AccessRequests => (list(named.id(|story| &story.request)), None),
        E::ReceiveAccessRequest => {
            let mut paper = world.request_paper(party);
            if object != Object::Own {
                paper["by"] = json!(staff(world, &named));
            }
            (plain(), Some(paper))
        }
        E::AccessRequest | E::Preparation | E::SubjectExport | E::SubjectExportPage => {
            (path(named.id(|story| &story.request)), None)
        }
        E::StepAccessRequest => {
            let body = json!({ "by": party.officer, "step": "prepare", "found": [] });
            (path(named.id(|story| &story.request)), Some(body))
        }
        E::Leg | E::AvailableActions | E::LegReceipts | E::Grounds => {
            (path(named.id(|story| &story.leg)), None)
        }
        E::Act => {
            let note = json!({ "by": party.staff, "note": "連絡" });
            (path(named.id(|story| &story.leg)).replace("{action}", "note"), Some(note))
        }
        E::OpenDelivery => (path(named.id(|story| &story.delivery)), None),
        E::Ack => {
            let first = match (&named, caller) {
                (Named::Story(story), Caller::Recipient) if object == Object::Own => {
                    party.agency.receipt(&story.delivery, "R0").await.at("/jws")
                }
                _ => String::new(),
            };
            let hash = tsunagu::vault::sha256(first.as_bytes()).to_string();
            (path(named.id(|story| &story.delivery)), Some(json!({ "receipt_hash": hash })))
        }
        E::Receipt => {
            let at =
                row.path.replace("{subject}", &named.id(|story| &story.delivery)).replace("{level}", "R0");
            (at, None)
        }
    }
}

fn directory(named: &Named<'_>, service: &str) -> String {
    match named {
        Named::Story(_) => service.to_owned(),
        Named::Text(text) => (*text).to_owned(),
    }
}

/// Staff of the story's sender, or of nobody.
fn staff(world: &World, named: &Named<'_>) -> String {
    match named {
        Named::Story(story) => {
            let sender = world.parties().into_iter().find(|party| party.agency.id == story.sender);
            sender.expect("the sender is one of the four").staff.clone()
        }
        Named::Text(text) => (*text).to_owned(),
    }
}

/// The request of a cell, complete: whatever refuses it is not its form.
pub async fn request(
    world: &World,
    row: &Row,
    stories: &Stories,
    caller: Caller,
    object: Object,
) -> RequestBuilder {
    if row.access == Access::Page {
        return pages::request(
            world,
            row,
            &Named::of(stories, caller, object).id(|story| &story.leg),
            caller,
            object,
        );
    }
    let party = caller.party(world);
    let (path, body) = asked(world, row, stories, caller, object).await;
    let mut request = with_caller(world, caller, row.method, &path).await;
    if row.endpoint == Endpoint::Token {
        let secret = if caller.known() { party.agency.secret.as_str() } else { "wrong" };
        let form =
            format!("grant_type=client_credentials&client_id={}&client_secret={secret}", party.agency.id);
        let bare = party.agency.stranger(row.method, &path);
        return bare.header("content-type", "application/x-www-form-urlencoded").body(form);
    }
    if row.guarded != Guarded::No {
        request = request.header("idempotency-key", fresh_key());
    }
    if row.guarded == Guarded::KeyAndVersion {
        // A consent as it was recorded, a leg as it was sent, a council whose register has a case, a release that
        // was asked for, a case that was closed. The owner has reviewed its break-glass before the recipient does.
        let second = row.path.starts_with("/v1/arrangements/")
            || matches!(row.endpoint, Endpoint::ApproveProtection | Endpoint::ReopenCase)
            || (row.endpoint == Endpoint::ReviewBreakGlass && caller == Caller::Recipient);
        let version = if second { "\"2\"" } else { "\"1\"" };
        request = request.header("if-match", version);
    }
    match row.endpoint {
        Endpoint::OpenDelivery
        | Endpoint::Register
        | Endpoint::Case
        | Endpoint::CasePlans
        | Endpoint::CaseEntries
        | Endpoint::Consultations
        | Endpoint::Consultation => {
            request = request.header("tsunagu-staff", &party.staff);
        }
        Endpoint::FamilyOfReferral
        | Endpoint::FamilyPageOfReferral
        | Endpoint::FamilyOfCase
        | Endpoint::FamilyPageOfCase => {
            request = request.header("tsunagu-staff", &party.staff);
        }
        Endpoint::Audit
        | Endpoint::Incidents
        | Endpoint::Incident
        | Endpoint::IncidentReport
        | Endpoint::Retention
        | Endpoint::Holds
        | Endpoint::AccessRequests
        | Endpoint::AccessRequest
        | Endpoint::Preparation
        | Endpoint::SubjectExport
        | Endpoint::SubjectExportPage => {
            request = request.header("tsunagu-staff", &party.officer);
        }
        _ => {}
    }
    match body {
        Some(body) => request.json(&body),
        None => request,
    }
}

pub async fn with_caller(world: &World, caller: Caller, method: &str, path: &str) -> RequestBuilder {
    let agency = &caller.party(world).agency;
    match caller {
        Caller::NoToken => agency.stranger(method, path),
        Caller::Expired => agency.stranger(method, path).bearer_auth(world.town.token_of_age(agency, 3600)),
        Caller::Owner | Caller::Recipient | Caller::Third => agency.request(method, path).await,
    }
}
