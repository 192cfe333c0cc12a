//! The description of the API (OpenAPI 3.1), made from the table and the schemas, so that it cannot say
//! anything else than they do.

mod components;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use serde_json::{Map, Value, json};

use super::{
    Access, DRY_RUNS, Endpoint, Guarded, Row, TABLE,
    problem::{MEDIA_TYPE, status},
    shown::{Trace, trace},
};
use crate::{domain::problem::ProblemKind, usecases::schema::Schema};
use components::place;

/// The description as it is served.
pub static TEXT: LazyLock<String> = LazyLock::new(|| document(&api()).to_string());

/// The endpoints that take the name of a member of the agency's staff from a header, and its parameter: opening
/// names a person, and what may be done depends on who asks.
const NAMES_STAFF: &[(Endpoint, &str)] = &[
    (Endpoint::OpenDelivery, "tsunagu-staff"),
    (Endpoint::Audit, "tsunagu-staff"),
    (Endpoint::Leg, "tsunagu-staff-if-known"),
    (Endpoint::Grounds, "tsunagu-staff-if-known"),
    (Endpoint::Referral, "tsunagu-staff-if-known"),
    (Endpoint::Accesses, "tsunagu-staff-if-known"),
    (Endpoint::Consent, "tsunagu-staff-if-known"),
    (Endpoint::Protection, "tsunagu-staff-if-known"),
    (Endpoint::Relations, "tsunagu-staff-if-known"),
    (Endpoint::OneBreakGlass, "tsunagu-staff-if-known"),
    (Endpoint::Register, "tsunagu-staff"),
    // What one of the agency's staff wrote of is shown to that person.
    (Endpoint::Referrals, "tsunagu-staff-if-known"),
    (Endpoint::Referral, "tsunagu-staff-if-known"),
    (Endpoint::Legs, "tsunagu-staff-if-known"),
    (Endpoint::Leg, "tsunagu-staff-if-known"),
    (Endpoint::LegReceipts, "tsunagu-staff-if-known"),
    (Endpoint::Receipt, "tsunagu-staff-if-known"),
    (Endpoint::AvailableActions, "tsunagu-staff-if-known"),
    (Endpoint::Incidents, "tsunagu-staff"),
    (Endpoint::Incident, "tsunagu-staff"),
    (Endpoint::IncidentReport, "tsunagu-staff"),
    (Endpoint::FamilyOfCase, "tsunagu-staff"),
    (Endpoint::FamilyPageOfCase, "tsunagu-staff"),
    (Endpoint::FamilyOfReferral, "tsunagu-staff"),
    (Endpoint::FamilyPageOfReferral, "tsunagu-staff"),
    (Endpoint::AccessRequests, "tsunagu-staff"),
    (Endpoint::AccessRequest, "tsunagu-staff"),
    (Endpoint::Preparation, "tsunagu-staff"),
    (Endpoint::SubjectExport, "tsunagu-staff"),
    (Endpoint::SubjectExportPage, "tsunagu-staff"),
    (Endpoint::Case, "tsunagu-staff"),
    (Endpoint::CaseEntries, "tsunagu-staff"),
    (Endpoint::CasePlans, "tsunagu-staff"),
    (Endpoint::Consultations, "tsunagu-staff"),
    (Endpoint::Consultation, "tsunagu-staff"),
];

/// The endpoints that answer in something else than JSON, or not in JSON alone.
const SPEAKS: &[(Endpoint, &[&str])] = &[
    (Endpoint::ConsentForm, &["text/html"]),
    (Endpoint::PrintConsentForm, &["text/html"]),
    (Endpoint::ProvisionRecords, &["application/json", "text/csv"]),
    (Endpoint::IncidentReport, &["text/plain"]),
    (Endpoint::FamilyPageOfCase, &["text/html"]),
    (Endpoint::FamilyPageOfReferral, &["text/html"]),
    (Endpoint::SubjectExportPage, &["text/html"]),
];

/// The rows of the API: pages are for people, and no client calls them.
fn api() -> Vec<&'static Row> {
    TABLE.iter().filter(|row| row.access != Access::Page).collect()
}

fn document(table: &[&Row]) -> Value {
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for row in table {
        paths.entry(row.path).or_default().insert(row.method.to_lowercase(), operation(row));
    }
    let tags: BTreeSet<&str> = table.iter().map(|row| tag(row.path)).collect();
    json!({
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": "つなぐ / tsunagu",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "利用者支援事業の機関間連携ハブ / the inter-agency referral hub for Japan's 利用者支援事業",
            "license": { "name": env!("CARGO_PKG_LICENSE"), "identifier": env!("CARGO_PKG_LICENSE") },
        },
        "servers": [{ "url": "/" }],
        "tags": tags.iter().map(|name| json!({ "name": name })).collect::<Vec<_>>(),
        "paths": paths,
        "components": {
            "schemas": components::schemas(),
            "parameters": components::parameters(),
            "headers": {
                "request-id": components::request_id(),
                "preference-applied": components::preference_applied(),
            },
            "securitySchemes": components::security_schemes(),
        },
    })
}

/// The noun of a path, which groups the operations.
fn tag(path: &str) -> &str {
    match path.strip_prefix("/v1/") {
        Some(rest) => rest.split('/').next().unwrap_or(rest),
        None => "hub",
    }
}

fn operation(row: &Row) -> Value {
    let mut operation = json!({
        "operationId": format!("{:?}", row.endpoint),
        "summary": format!("{} / {}", row.ja, row.en),
        "tags": [tag(row.path)],
        "parameters": operation_parameters(row),
        "responses": responses(row),
        "security": match (row.access, row.endpoint) {
            (Access::Agency, _) => json!([{ "bearer": [] }]),
            (Access::Public, Endpoint::Token) => json!([{ "client": [] }, {}]),
            (Access::Public | Access::Page, _) => json!([]),
        },
    });
    if let Some(body) = request_body(row) {
        operation["requestBody"] = body;
    }
    operation
}

fn request_body(row: &Row) -> Option<Value> {
    if row.endpoint == Endpoint::Token {
        let text = |ja, en| json!({ "type": "string", "description": format!("{ja} / {en}") });
        let form = json!({
            "type": "object",
            "required": ["grant_type"],
            "properties": {
                "grant_type": { "type": "string", "const": "client_credentials" },
                "client_id": text("機関のID（HTTP Basic なら不要）", "the agency's id, unless HTTP Basic is used"),
                "client_secret": text("シークレット（HTTP Basic なら不要）", "its secret, unless HTTP Basic is used"),
            },
        });
        return Some(
            json!({ "required": true, "content": { "application/x-www-form-urlencoded": { "schema": form } } }),
        );
    }
    let schema = json!({ "$ref": place(row.body?) });
    Some(json!({ "required": true, "content": { "application/json": { "schema": schema } } }))
}

fn operation_parameters(row: &Row) -> Vec<Value> {
    let in_path = row.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut names: Vec<String> = in_path.map(|name| format!("path-{name}")).collect();
    names.extend(row.query.iter().map(|name| format!("query-{name}")));
    if row.guarded != Guarded::No {
        names.push("idempotency-key".to_owned());
    }
    if row.guarded == Guarded::KeyAndVersion {
        names.push("if-match".to_owned());
    }
    if DRY_RUNS.contains(&row.endpoint) {
        names.push("prefer".to_owned());
    }
    if matches!(trace(row.endpoint), Trace::Shown(_)) {
        names.push("tsunagu-purpose".to_owned());
    }
    names
        .extend(NAMES_STAFF.iter().filter(|(at, _)| *at == row.endpoint).map(|(_, name)| (*name).to_owned()));
    names.iter().map(|name| json!({ "$ref": format!("#/components/parameters/{name}") })).collect()
}

/// The answer when all goes well, and every kind of problem the row can meet, by status.
fn responses(row: &Row) -> Value {
    let mut responses = Map::new();
    let schema = row.answer.map_or_else(|| json!({}), |schema| json!({ "$ref": place(schema) }));
    // A change may answer 200, 201 or 204: whether it was made now or before is not for the client to care.
    let good = if row.method == "GET" { "200" } else { "2XX" };
    let media =
        SPEAKS.iter().find(|(at, _)| *at == row.endpoint).map_or(&["application/json"][..], |(_, m)| m);
    let content: Map<String, Value> =
        media.iter().map(|media| ((*media).to_owned(), json!({ "schema": schema }))).collect();
    let headers = json!({ "X-Request-Id": { "$ref": "#/components/headers/request-id" } });
    responses.insert(
        good.to_owned(),
        json!({ "description": format!("{} / {}", row.ja, row.en), "headers": headers,
            "content": content }),
    );
    if DRY_RUNS.contains(&row.endpoint) {
        let told = if row.endpoint == Endpoint::Submit { Schema::Preview } else { Schema::DryRun };
        responses.insert(
            "200".to_owned(),
            json!({ "description": "Prefer: dry-run で行われること、または再送への応答 / what would happen (Prefer: dry-run), or the answer of a change",
                "headers": { "X-Request-Id": { "$ref": "#/components/headers/request-id" },
                    "Preference-Applied": { "$ref": "#/components/headers/preference-applied" } },
                "content": { "application/json": { "schema": { "anyOf": [schema, { "$ref": place(told) }] } } } }),
        );
    }
    let mut by_status: BTreeMap<u16, Vec<ProblemKind>> = BTreeMap::new();
    for kind in problems(row) {
        by_status.entry(status(kind).as_u16()).or_default().push(kind);
    }
    for (status, kinds) in by_status {
        let lines: Vec<String> = kinds
            .iter()
            .map(|kind| format!("* `{}` {} / {}", kind.slug(), kind.title().ja, kind.title().en))
            .collect();
        let mut content = json!({ MEDIA_TYPE: { "schema": { "$ref": place(Schema::Problem) } } });
        // RFC 6749 has a form of its own for these two, and OAuth clients read no other.
        if row.endpoint == Endpoint::Token && matches!(status, 400 | 401) {
            content = json!({ "application/json": { "schema": { "type": "object", "required": ["error"],
                "properties": { "error": { "type": "string" }, "error_description": { "type": "string" },
                    "error_description_ja": { "type": "string" } } } } });
        }
        responses.insert(
            status.to_string(),
            json!({ "description": lines.join("\n"), "headers": headers, "content": content }),
        );
    }
    Value::Object(responses)
}

/// What can go wrong at a row, as far as the table tells.
fn problems(row: &Row) -> Vec<ProblemKind> {
    use ProblemKind as K;
    let mut kinds = vec![K::Unavailable, K::Internal];
    if row.access == Access::Agency {
        kinds.extend([K::Unauthorised, K::Forbidden]);
    }
    if row.path.contains('{') {
        kinds.extend([K::BadId, K::NotFound]);
    }
    if !row.query.is_empty() {
        kinds.push(K::BadQuery);
    }
    if matches!(trace(row.endpoint), Trace::Shown(_)) {
        // The purpose that a header names.
        kinds.push(K::UnknownCode);
    }
    if matches!(row.endpoint, Endpoint::OpenDelivery | Endpoint::BreakGlass) {
        kinds.push(K::OpeningRefused);
    }
    if row.endpoint == Endpoint::BreakGlass {
        kinds.push(K::BreakGlassRefused);
    }
    if row.endpoint == Endpoint::Token {
        kinds.extend([K::MalformedJson, K::Unauthorised, K::TooLarge]);
    }
    if row.body.is_some() {
        kinds.extend([K::MalformedJson, K::WrongEncoding, K::TooLarge, K::TooDeep, K::UnsupportedMediaType]);
        kinds.extend([K::SchemaViolation, K::UnknownCode, K::ImpossibleDate]);
    }
    if row.body == Some(Schema::Referral) {
        kinds.extend([K::DisclosureRefused, K::ConfirmationNeeded, K::PreviewDiffers]);
    }
    if row.method != "GET" && !DRY_RUNS.contains(&row.endpoint) {
        kinds.push(K::NoDryRun);
    }
    if row.guarded != Guarded::No {
        kinds.extend([K::KeyMissing, K::KeyInvalid, K::KeyReused, K::StillRunning, K::AlreadyThere]);
        kinds.extend([K::Busy, K::OutcomeUnknown]);
    }
    if matches!(row.endpoint, Endpoint::SubjectExport | Endpoint::SubjectExportPage) {
        kinds.push(K::IllegalTransition);
    }
    if row.guarded == Guarded::KeyAndVersion {
        kinds.extend([K::VersionMissing, K::VersionStale, K::IllegalTransition]);
    }
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;

    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str));
                members.values().for_each(|member| references(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_leads_to_something_in_the_document() {
        let document = document(&api());
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.len() > 100, "{}", found.len());
        for reference in found {
            let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("leads out: {reference}"));
            assert!(document.pointer(pointer).is_some(), "leads nowhere: {reference}");
        }
    }

    #[test]
    fn every_row_is_described_and_nothing_else() {
        let document = document(&api());
        for row in api() {
            let operation = &document["paths"][row.path][row.method.to_lowercase()];
            assert_eq!(operation["summary"], format!("{} / {}", row.ja, row.en), "{}", row.path);
            assert_eq!(operation["requestBody"].is_object(), request_body(row).is_some(), "{}", row.path);
            let responses = operation["responses"].as_object().unwrap();
            assert!(responses.keys().any(|status| status.starts_with('2')));
            let agency = row.access == Access::Agency;
            assert!(!agency || responses.contains_key("401"), "{}", row.path);
            assert_eq!(operation["security"] == json!([{ "bearer": [] }]), agency, "{}", row.path);
        }
        let operations =
            document["paths"].as_object().unwrap().values().map(|path| path.as_object().unwrap().len());
        assert_eq!(operations.sum::<usize>(), api().len());
    }

    #[test]
    fn it_has_the_structure_of_openapi_3_1() {
        let document = document(&api());
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
        let members: BTreeSet<&str> = document.as_object().unwrap().keys().map(String::as_str).collect();
        let known = ["openapi", "jsonSchemaDialect", "info", "servers", "tags", "paths", "components"];
        assert_eq!(members, known.into());
        let mut ids = BTreeSet::new();
        for (path, operations) in document["paths"].as_object().unwrap() {
            assert!(path.starts_with('/'));
            for operation in operations.as_object().unwrap().values() {
                assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{path}: used twice");
                for response in operation["responses"].as_object().unwrap().values() {
                    assert!(response["description"].is_string(), "{path}");
                }
            }
        }
        let component = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        for group in document["components"].as_object().unwrap().values() {
            assert!(group.as_object().unwrap().keys().all(|name| component(name)));
        }
        for parameter in document["components"]["parameters"].as_object().unwrap().values() {
            assert!(parameter["schema"].is_object() && parameter["description"].is_string());
        }
        for schema in Schema::ALL {
            jsonschema::meta::validate(&document["components"]["schemas"][schema.name()]).unwrap();
        }
    }

    #[test]
    fn a_guarded_change_says_what_it_must_bring_and_what_it_may_be_told() {
        let document = document(&api());
        let names = |path: &str, method: &str| -> Vec<String> {
            let parameters = document["paths"][path][method]["parameters"].as_array().unwrap();
            parameters
                .iter()
                .map(|p| p["$ref"].as_str().unwrap().rsplit('/').next().unwrap().to_owned())
                .collect()
        };
        let path = "/v1/legs/{id}/actions/{action}";
        assert_eq!(names(path, "post"), ["path-id", "path-action", "idempotency-key", "if-match", "prefer"]);
        assert_eq!(names("/v1/deliveries/{id}", "get"), ["path-id", "tsunagu-purpose", "tsunagu-staff"]);
        assert_eq!(names("/v1/agencies", "get"), ["query-kind", "query-after", "query-limit"]);
        let operation = &document["paths"][path]["post"];
        assert_eq!(
            operation["requestBody"]["content"]["application/json"]["schema"]["$ref"],
            "#/components/schemas/leg-action"
        );
        for status in ["2XX", "400", "401", "404", "409", "412", "413", "415", "422", "428", "503"] {
            assert!(operation["responses"][status].is_object(), "{status}");
        }
    }
}
