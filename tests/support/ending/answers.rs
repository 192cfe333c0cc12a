//! Every answer against the schema that the table of the API promises for it.

use serde_json::Value;
use tsunagu::{
    usecases::schema::Schema,
    web::{Endpoint, Row, TABLE},
};

use crate::support::town::Exchange;

/// What a page of a list is made of.
fn item(endpoint: Endpoint) -> Option<Schema> {
    match endpoint {
        Endpoint::Agencies => Some(Schema::Agency),
        Endpoint::Services => Some(Schema::Service),
        Endpoint::Referrals => Some(Schema::ReferralView),
        Endpoint::Legs => Some(Schema::LegView),
        _ => None,
    }
}

/// Checks every recorded answer of the API.
pub fn kept_their_contract(traffic: &[Exchange]) {
    for exchange in traffic {
        let (status, body) = (exchange.reply.code(), exchange.reply.json());
        let told = || format!("{} {}: {status} {body}", exchange.method, exchange.url);
        let Some(row) = row(&exchange.method, &exchange.url) else { panic!("not in the table: {}", told()) };
        let media = exchange.reply.header("content-type");
        if status >= 400 {
            assert_eq!(Schema::Problem.check(&body), Ok(()), "{}", told());
            assert_eq!(
                (media, &body["status"]),
                (Some("application/problem+json"), &status.into()),
                "{}",
                told()
            );
            assert_ne!(status, 500, "{}", told());
            continue;
        }
        let expected: &[&str] = match row.endpoint {
            Endpoint::ConsentForm | Endpoint::PrintConsentForm => &["text/html; charset=utf-8"],
            Endpoint::ProvisionRecords => &["application/json", "text/csv; charset=utf-8"],
            Endpoint::IncidentReport => &["text/plain; charset=utf-8"],
            _ => &["application/json"],
        };
        assert!(status == 204 || media.is_some_and(|m| expected.contains(&m)), "{media:?} {}", told());
        if exchange.reply.header("preference-applied") == Some("dry-run") {
            let schema = if row.endpoint == Endpoint::Submit { Schema::Preview } else { Schema::DryRun };
            assert_eq!(schema.check(&body), Ok(()), "{}", told());
            continue;
        }
        if let Some(schema) = row.answer {
            assert_eq!(schema.check(&body), Ok(()), "{}", told());
        }
        if let Some(schema) = item(row.endpoint) {
            let items = body["items"].as_array().map_or(&[][..], Vec::as_slice);
            items.iter().for_each(|one: &Value| assert_eq!(schema.check(one), Ok(()), "{}", told()));
        }
    }
}

/// The row of the table that a request was for.
fn row(method: &str, url: &str) -> Option<&'static Row> {
    let path = url.split('?').next()?.splitn(4, '/').nth(3)?;
    let parts: Vec<&str> = path.split('/').collect();
    let fits = |template: &str| {
        let template: Vec<&str> = template.trim_start_matches('/').split('/').collect();
        let same = |(one, other): (&&str, &&str)| one.starts_with('{') || one == other;
        template.len() == parts.len() && template.iter().zip(&parts).all(same)
    };
    TABLE.iter().find(|row| row.method == method && fits(row.path))
}
