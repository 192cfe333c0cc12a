//! The published schemas: every code list equals the program's, every schema is well made, and what
//! a client may send is bounded everywhere.

use std::collections::BTreeSet;

use serde_json::Value;
use tsunagu::{
    domain::{
        access_request::{
            AccessOutcome, AccessState, AccessStep, Article, Authority, IdentityCheck, Requester,
        },
        agency::{AgencyKind, Body},
        answer::{DeclineReason, DeclinedBy, Outcome},
        arrangement::{ArrangementKind, ArrangementStep},
        basis::{BasisCode, CHANGE_REASON, CaseClass, FactKind, INSTEAD_OF, TABLE},
        basis_state::ConsentState,
        breach_report::ReportItem,
        break_glass::{GlassState, ReviewOutcome},
        case::{CaseState, CaseStep, RelationKind, ends_a_case},
        consent::{
            Capacity, ConsentMethod, EvidenceKind, GuardianTold, LineDecision, Opinion,
            custody::{Act, CustodyKind, OtherCustodian, SoleGround},
        },
        consultation::{Channel, ConsultationResult},
        cover::CoveredBy,
        delivery::DeliveryState,
        family_view::{CopyStands, FamilyAnswer, Places, TakeHome},
        holding::{Disposal, HoldingCause, HoldingState},
        incident::{Exposure, IncidentState, RecallReason, ReportNeed},
        leg::{LegAction, LegState},
        mask::{Detail, Why},
        protection::record::{ProtectionState, ProtectionStep},
        purpose::AccessPurpose,
        receipt::{Attested, ReceiptLevel},
        referral::{Need, ReferralType, Urgency},
        refusal::RefusalCode,
        relation::{Relation, RelationStep},
        retention::PlacedKind,
        second_look::Confirm,
        section::Section,
        service::ServiceKind,
        staff::StaffRole,
        subject::SubjectRole,
        subject_export::{Extent, Nature, Whose},
    },
    ledger::audit::AuditAction,
    usecases::schema::{BASE, Schema},
};

/// What a client sends: closed objects, everything bounded.
const REQUESTS: &[Schema] = &[
    Schema::Referral,
    Schema::Consent,
    Schema::ConsentForm,
    Schema::Withdraw,
    Schema::Arrangement,
    Schema::ArrangementMember,
    Schema::ArrangementCase,
    Schema::ArrangementEnd,
    Schema::Protection,
    Schema::ProtectionChange,
    Schema::ProtectionRelease,
    Schema::ProtectionUnlock,
    Schema::ProtectionApprove,
    Schema::Relation,
    Schema::BreakGlass,
    Schema::BreakGlassReview,
    Schema::Case,
    Schema::CaseChange,
    Schema::CasePlan,
    Schema::CaseClose,
    Schema::CaseReopen,
    Schema::CaseEntry,
    Schema::Consultation,
    Schema::LegAction,
    Schema::StatutoryDecision,
    Schema::IncidentClose,
    Schema::AccessRequest,
    Schema::AccessRequestStep,
    Schema::Erase,
    Schema::Hold,
    Schema::HoldLift,
    Schema::Ack,
    Schema::Staff,
    Schema::Readers,
    Schema::SignIn,
    Schema::SubscriptionAmqp,
    Schema::SubscriptionMail,
    Schema::DecisionCase,
];

/// Compares `$defs/<definition>` of `common.json` with a code list of the program.
macro_rules! same_codes {
    ($($definition:literal: $list:ty;)+) => {$({
        let published: Vec<_> = Schema::Common.document()["$defs"][$definition]["enum"]
            .as_array()
            .unwrap_or_else(|| panic!("common.json has no list {}", $definition))
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let program: Vec<_> = <$list>::ALL.iter().map(|code| code.code()).collect();
        assert_eq!(published, program, "the list {} of common.json and of the program", $definition);
    })+};
}

#[test]
fn every_published_code_list_is_the_programs() {
    same_codes! {
        "section": Section;
        "referral_type": ReferralType;
        "urgency": Urgency;
        "need": Need;
        "service_kind": ServiceKind;
        "leg_state": LegState;
        "leg_action": LegAction;
        "decline_reason": DeclineReason;
        "declined_by": DeclinedBy;
        "outcome": Outcome;
        "confirmation": Confirm;
        "delivery_state": DeliveryState;
        "consent_state": ConsentState;
        "incident_state": IncidentState;
        "recall_reason": RecallReason;
        "exposure": Exposure;
        "report_need": ReportNeed;
        "report_item": ReportItem;
        "holding_cause": HoldingCause;
        "disposal": Disposal;
        "holding_state": HoldingState;
        "receipt_level": ReceiptLevel;
        "attested": Attested;
        "basis_code": BasisCode;
        "arrangement_step": ArrangementStep;
        "capacity": Capacity;
        "protection_state": ProtectionState;
        "protection_step": ProtectionStep;
        "placed_hold_kind": PlacedKind;
        "case_state": CaseState;
        "case_step": CaseStep;
        "case_class": CaseClass;
        "relation_kind": RelationKind;
        "channel": Channel;
        "consultation_result": ConsultationResult;
        "custody_kind": CustodyKind;
        "other_custodian": OtherCustodian;
        "sole_ground": SoleGround;
        "act": Act;
        "line_decision": LineDecision;
        "guardian_told": GuardianTold;
        "opinion": Opinion;
        "evidence_kind": EvidenceKind;
        "consent_method": ConsentMethod;
        "agency_kind": AgencyKind;
        "withheld_reason": Why;
        "refusal_code": RefusalCode;
        "access_purpose": AccessPurpose;
        "audit_action": AuditAction;
        "relation": Relation;
        "relation_step": RelationStep;
        "covered_by": CoveredBy;
        "glass_state": GlassState;
        "review_outcome": ReviewOutcome;
        "detail": Detail;
        "body": Body;
        "arrangement_kind": ArrangementKind;
        "subject_role": SubjectRole;
        "requester": Requester;
        "identity_check": IdentityCheck;
        "authority": Authority;
        "access_state": AccessState;
        "access_step": AccessStep;
        "access_outcome": AccessOutcome;
        "withholding_ground": Article;
        "extent": Extent;
        "whose": Whose;
        "nature": Nature;
        "take_home": TakeHome;
        "places": Places;
        "copy_stands": CopyStands;
        "family_answer": FamilyAnswer;
        "staff_role": StaffRole;
    }
}

#[test]
fn the_results_that_end_a_case_are_the_programs() {
    let published = Schema::Common.document()["$defs"]["case_outcome"]["enum"].clone();
    let program: Vec<_> =
        Outcome::ALL.iter().filter(|one| ends_a_case(**one)).map(|one| one.code()).collect();
    assert_eq!(published, Value::from(program));
}

/// The facts of a leg's basis are those of the table of bases, each described with the bases that know it.
#[test]
fn the_facts_of_a_basis_are_those_of_the_table() {
    let published = Schema::Referral
        .document()
        .pointer("/properties/legs/items/properties/basis/properties")
        .and_then(Value::as_object)
        .unwrap();
    let known: BTreeSet<&str> = TABLE.iter().flat_map(|row| row.facts).map(|fact| fact.name).collect();
    let general = ["code", "consent", "arrangement", INSTEAD_OF.name, CHANGE_REASON.name];
    for row in TABLE {
        for fact in row.facts {
            let member = &published[fact.name];
            let said = member["description"].as_str().unwrap();
            assert!(said.contains(row.code.code()), "{} does not say it belongs to {}", fact.name, row.code);
            let fits = match fact.kind {
                FactKind::Text => member["type"] == "string" && member.get("enum").is_none(),
                FactKind::Texts => member["type"] == "array",
                FactKind::Yes => member["type"] == "boolean",
                FactKind::Code(codes) => member["enum"] == Value::from(codes),
                FactKind::Day => member["$ref"] == "common.json#/$defs/date",
                FactKind::Sections => member["$ref"] == "common.json#/$defs/sections",
                FactKind::Agency => member["$ref"] == "common.json#/$defs/uuid",
                FactKind::Municipality => member["$ref"] == "common.json#/$defs/municipality_code",
            };
            assert!(fits, "{} has another form in the schema", fact.name);
        }
    }
    for name in published.keys().filter(|name| !general.contains(&name.as_str())) {
        assert!(known.contains(name.as_str()), "no basis knows the fact {name}");
    }
}

#[test]
fn the_content_has_every_section_and_no_other() {
    let content = &Schema::Common.document()["$defs"]["content"]["properties"];
    let published: BTreeSet<_> = content.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(published, Section::ALL.iter().map(|section| section.code()).collect());
}

#[test]
fn every_file_is_a_schema_of_the_program_and_every_schema_a_file() {
    let files: BTreeSet<_> = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/schemas"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(files, Schema::ALL.iter().map(|schema| format!("{}.json", schema.name())).collect());
}

#[test]
fn every_schema_compiles_and_says_in_two_languages_what_it_is() {
    Schema::prepare_all();
    for schema in Schema::ALL {
        let document = schema.document();
        assert_eq!(document["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert_eq!(document["$id"], schema.id());
        assert!(jsonschema::meta::is_valid(document), "{schema:?} is no valid schema");
        for member in ["title", "description"] {
            assert!(is_bilingual(&document[member]), "{schema:?}: {member}");
        }
        assert_eq!(
            schema.text(),
            format!("{}\n", schema.text().trim_end()),
            "{schema:?} ends in one line break"
        );
    }
}

#[test]
fn every_member_is_described_in_two_languages() {
    for schema in Schema::ALL {
        each(schema.document(), "", &mut |place, part| {
            let Some(properties) = part.get("properties").and_then(Value::as_object) else { return };
            for (name, property) in properties {
                let described = is_bilingual(&property["description"])
                    || property.get("$ref").is_some()
                    || is_condition(place);
                assert!(described, "{schema:?} {place}/properties/{name}");
            }
        });
    }
}

#[test]
fn references_stay_inside_the_folder() {
    for schema in Schema::ALL {
        each(schema.document(), "", &mut |place, part| {
            let Some(Value::String(target)) = part.get("$ref") else { return };
            let (file, pointer) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() { format!("{}.json", schema.name()) } else { file.to_owned() };
            let other = Schema::ALL.iter().find(|other| other.id() == format!("{BASE}{file}"));
            let found = other.and_then(|other| other.document().pointer(pointer));
            assert!(found.is_some(), "{schema:?} {place} refers to {target}");
        });
    }
}

#[test]
fn what_a_client_sends_is_bounded_and_closed() {
    for schema in REQUESTS.iter().chain([&Schema::Common]) {
        each(schema.document(), "", &mut |place, part| {
            let has = |keyword: &str| part.get(keyword).is_some();
            match part.get("type").and_then(Value::as_str) {
                Some("string") => assert!(has("maxLength") || has("enum"), "{schema:?} {place}: length"),
                Some("array") => assert!(has("maxItems") && has("items"), "{schema:?} {place}: items"),
                Some("integer" | "number") => {
                    assert!(has("minimum") && has("maximum"), "{schema:?} {place}: range");
                }
                // The basis as it is told to a recipient is an answer, not a request.
                Some("object") if place != "/$defs/basis" => {
                    assert_eq!(part["additionalProperties"], false, "{schema:?} {place}: closed");
                }
                _ => {}
            }
        });
    }
}

#[test]
fn the_bounds_of_a_referral_stand() {
    let referral = Schema::Referral.document();
    assert_eq!(referral["properties"]["legs"]["maxItems"], 16);
    assert_eq!(referral["properties"]["subjects"]["maxItems"], 20);
    for (section, entries) in Schema::Common.document()["$defs"]["content"]["properties"].as_object().unwrap()
    {
        assert_eq!(entries["maxItems"], 50, "{section}");
    }
}

/// Calls `look` with every object that is a schema, and where it stands.
fn each(schema: &Value, place: &str, look: &mut impl FnMut(&str, &Value)) {
    if !schema.is_object() {
        return;
    }
    look(place, schema);
    for keyword in ["properties", "$defs"] {
        for (name, part) in schema[keyword].as_object().into_iter().flatten() {
            each(part, &format!("{place}/{keyword}/{name}"), look);
        }
    }
    for keyword in ["items", "additionalProperties", "if", "then", "else", "not"] {
        if let Some(part) = schema.get(keyword) {
            each(part, &format!("{place}/{keyword}"), look);
        }
    }
}

fn is_condition(place: &str) -> bool {
    ["/if", "/then", "/else"].iter().any(|end| place.ends_with(end))
}

/// "日本語 / English".
fn is_bilingual(text: &Value) -> bool {
    let Some((ja, en)) = text.as_str().and_then(|text| text.split_once(" / ")) else { return false };
    ja.chars().any(|c| ('\u{3040}'..='\u{9FFF}').contains(&c) || c == 'ー')
        && en.chars().all(|c| !('\u{3040}'..='\u{9FFF}').contains(&c))
}
