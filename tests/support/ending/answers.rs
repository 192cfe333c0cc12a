//! Every answer against the schema that the table of the API promises for it.

use serde_json::Value;
use tsunagu::{
    usecases::schema::Schema,
    web::{Access, Endpoint, Row, TABLE},
};

use crate::support::town::Exchange;

/// What a page of a list is made of.
fn item(endpoint: Endpoint) -> Option<Schema> {
    match endpoint {
        Endpoint::Agencies => Some(Schema::Agency),
        Endpoint::Services => Some(Schema::Service),
        Endpoint::Referrals => Some(Schema::ReferralView),
        Endpoint::Legs => Some(Schema::LegView),
        Endpoint::Consultations => Some(Schema::ConsultationView),
        _ => None,
    }
}

/// Checks every recorded answer of the API.
pub fn kept_their_contract(traffic: &[Exchange]) {
    for exchange in traffic {
        let (status, body) = (exchange.reply.code(), exchange.reply.json());
        let told = || format!("{} {}: {status} {body}", exchange.method, exchange.url);
        let Some(row) = row(&exchange.method, &exchange.url) else { panic!("not in the table: {}", told()) };
        if row.access == Access::Page && status != 405 {
            is_a_page(exchange);
            continue;
        }
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
            Endpoint::ConsentForm
            | Endpoint::PrintConsentForm
            | Endpoint::FamilyPageOfCase
            | Endpoint::FamilyPageOfReferral
            | Endpoint::SubjectExportPage => &["text/html; charset=utf-8"],
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

/// What holds for every page: small, complete without script, and nothing comes from elsewhere or may be kept.
fn is_a_page(exchange: &Exchange) {
    let reply = &exchange.reply;
    let told = || format!("{} {}: {} {}", exchange.method, exchange.url, reply.code(), reply.text());
    if reply.code() == 303 {
        let to = reply.header("location").unwrap_or_default();
        assert!(to.starts_with('/') && !to.starts_with("//") && reply.body.is_empty(), "{}", told());
        return;
    }
    if reply.header("content-type") == Some("text/css; charset=utf-8") {
        assert!(!reply.text().contains("url(") && !reply.text().contains("@import"), "{}", told());
        return;
    }
    assert_ne!(reply.code(), 500, "{}", told());
    assert_eq!(reply.header("content-type"), Some("text/html; charset=utf-8"), "{}", told());
    assert_eq!(reply.header("cache-control"), Some("no-store"), "{}", told());
    let policy = reply.header("content-security-policy").unwrap_or_default();
    assert!(
        policy.starts_with("default-src 'none'; style-src 'self'") && !policy.contains("unsafe"),
        "{policy}"
    );
    assert!(!policy.contains("script"), "{policy}");
    let text = reply.text();
    assert!(text.len() <= 150 * 1024, "{} bytes: {}", text.len(), exchange.url);
    // What stands between < and > is markup: names and notes are escaped, so theirs is not.
    let tags: Vec<&str> = text.split('<').skip(1).filter_map(|rest| rest.split('>').next()).collect();
    for never in ["script", "style", "img", "iframe", "object"] {
        let is = |tag: &&str| tag.trim_start_matches('/').split(' ').next() == Some(never);
        assert!(!tags.iter().any(is), "{never}: {}", told());
    }
    for never in [" style=", "javascript:", " on", " src=", "href=\"http", "href=\"//", "action=\"http"] {
        assert!(!tags.iter().any(|tag| tag.contains(never)), "{never}: {}", told());
    }
    for always in ["<!DOCTYPE html>", "<html lang=\"", "<main id=\"main\"", "<h1>", "href=\"#main\""] {
        assert_eq!(text.matches(always).count(), 1, "{always}: {}", told());
    }
    let (labels, fields) = (
        text.matches("<label for=").count(),
        text.matches("<select").count()
            + text.matches(" type=\"text\"").count()
            + text.matches(" type=\"password\"").count(),
    );
    assert_eq!(labels, fields, "every field has its label: {}", told());
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
