//! The copy for somebody who asked what is held about a person (開示請求), to be printed and handed over. It is made of
//! the document the API answers; there is no second way to it.

use askama::Template;
use serde_json::Value;

use super::{
    consent_form::words as common,
    family::words,
    print::STYLE,
    said::{Markup, Said},
};
use crate::domain::{
    access_request::{AccessOutcome, Requester},
    consent::LineDecision,
    language::FormLanguage,
    referral::{Need, ReferralType},
    section::Section,
};

#[derive(Template)]
#[template(path = "subject_export.html")]
struct Page {
    css: Markup,
    agency: String,
    request: String,
    requester: &'static str,
    received_on: String,
    decided_on: String,
    outcome: &'static str,
    told: Vec<String>,
    remedy: Option<String>,
    notice: String,
    records: Vec<Record>,
}

struct Record {
    title: String,
    sections: Vec<Shown>,
    consents: Vec<String>,
    provided: Vec<String>,
    looks: Vec<String>,
}

struct Shown {
    name: Said,
    /// Per entry the fields by name, with what they hold.
    entries: Vec<Vec<(Said, String)>>,
}

/// The page of an export; official papers are in Japanese.
pub fn page(document: &Value) -> Result<String, askama::Error> {
    let text = |name: &str| document[name].as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let told = list(&document["told"]);
    Page {
        css: Markup(STYLE),
        agency: text("agency"),
        request: text("request"),
        requester: coded::<Requester>(&document["requester"]).map_or("", Requester::label_ja),
        received_on: text("received_on"),
        decided_on: text("decided_on"),
        outcome: coded::<AccessOutcome>(&document["outcome"]).map_or("", AccessOutcome::label_ja),
        told: told.iter().map(|one| format!("{}（{}）", plain(&one["label"]), plain(&one["law"]))).collect(),
        remedy: document["remedy"].as_str().map(str::to_owned),
        notice: text("notice"),
        records: list(&document["records"]).iter().map(record).collect(),
    }
    .render()
}

fn coded<T: std::str::FromStr>(value: &Value) -> Option<T> {
    value.as_str().and_then(|code| code.parse().ok())
}

fn plain(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn record(one: &Value) -> Record {
    let origin = if one["origin"] == "received" { "受け取った記録" } else { "作成した記録" };
    let kind = coded::<ReferralType>(&one["kind"]).map_or("", ReferralType::label_ja);
    let from = one["from"].as_str().map_or_else(String::new, |from| format!("差出：{from}"));
    let title = [origin, kind, plain(&one["on"]), &from];
    let lines = |name: &str, line: fn(&Value) -> String| {
        one[name].as_array().into_iter().flatten().map(line).collect()
    };
    Record {
        title: title.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("　"),
        sections: Section::ALL.iter().filter_map(|section| shown(*section, &one["content"])).collect(),
        consents: lines("consents", consent),
        provided: lines("provided", provided),
        looks: lines("looks", |look| format!("{}　{}", plain(&look["on"]), plain(&look["what"]))),
    }
}

fn shown(section: Section, content: &Value) -> Option<Shown> {
    let entries = content[section.code()].as_array()?;
    let fields = |entry: &Value| -> Vec<(Said, String)> {
        let members = entry.as_object().into_iter().flatten();
        let told = members.filter(|(name, _)| name.as_str() != "subject");
        told.map(|(name, value)| (words::field(name, FormLanguage::Japanese), field(name, value))).collect()
    };
    Some(Shown {
        name: common::section(section, FormLanguage::Japanese),
        entries: entries.iter().map(fields).collect(),
    })
}

/// A field as people write it. Sex is a code of ISO 5218.
fn field(name: &str, value: &Value) -> String {
    match (name, value.as_str()) {
        ("sex", Some("0")) => "不明".to_owned(),
        ("sex", Some("1")) => "男".to_owned(),
        ("sex", Some("2")) => "女".to_owned(),
        ("sex", Some("9")) => "適用不能".to_owned(),
        _ => written(value),
    }
}

/// A value as people write it: the parts of a name one after the other, needs by their labels.
fn written(value: &Value) -> String {
    match value {
        Value::String(text) => {
            coded::<Need>(value).map_or_else(|| text.clone(), |need| need.label_ja().to_owned())
        }
        Value::Array(items) => items.iter().map(written).collect::<Vec<_>>().join("、"),
        Value::Object(parts) => {
            let known = ["family", "given", "family_kana", "given_kana"];
            let name = known.iter().filter_map(|name| parts.get(*name));
            let others =
                parts.iter().filter(|(name, _)| !known.contains(&name.as_str())).map(|(_, part)| part);
            name.chain(others).map(written).collect::<Vec<_>>().join(" ")
        }
        Value::Bool(true) => "はい".to_owned(),
        Value::Bool(false) => "いいえ".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Null => String::new(),
    }
}

fn sections(value: &Value) -> String {
    let labels = value.as_array().into_iter().flatten().filter_map(coded::<Section>).map(Section::label_ja);
    labels.collect::<Vec<_>>().join("、")
}

fn consent(one: &Value) -> String {
    let decision = coded::<LineDecision>(&one["decision"]).map_or("", LineDecision::label_ja);
    let (on, first, last) = (plain(&one["on"]), plain(&one["first_day"]), plain(&one["last_day"]));
    format!("{on}　{decision}　期間 {first}〜{last}　区分 {}", sections(&one["sections"]))
}

fn provided(one: &Value) -> String {
    let to = one["to"].as_str().unwrap_or_else(|| plain(&one["kind"]));
    let opened = one["opened_on"].as_str().map_or_else(String::new, |day| format!("　開封 {day}"));
    format!("{}　{to}　区分 {}{opened}", plain(&one["on"]), sections(&one["sections"]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_copy_shows_what_the_document_holds_and_no_value_becomes_mark_up() {
        let evil = "</title><script>alert(1)</script>";
        let document = json!({
            "request": "r", "agency": evil, "requester": "SELF", "received_on": "2026-10-01",
            "decided_on": "2026-10-09", "outcome": "partial",
            "told": [{"ground": "harm", "label": "本人の…", "law": "第78条"}], "remedy": "審査請求", "notice": "載りません",
            "records": [{
                "origin": "written", "kind": "SHOKAI", "on": "2026-09-01",
                "content": {"identity": [{"subject": "mother", "name": {"family": evil, "given": "花"}}], "needs": [{"codes": ["RESPITE"]}]},
                "consents": [{"on": "2026-08-31", "decision": "given", "sections": ["identity"], "first_day": "a", "last_day": "b"}],
                "provided": [{"kind": "保育所", "on": "2026-09-01", "sections": ["identity"]}],
                "looks": [{"on": "2026-09-02", "what": "閲覧"}],
            }],
        });
        let html = page(&document).unwrap();
        assert!(!html.contains("<script") && html.matches("&#60;script").count() == 2, "{html}");
        for said in
            ["一部を開示する", "第78条", "審査請求", "載りません", "同意する", "保育所", "閲覧", "お名前"]
        {
            assert!(html.contains(said), "{said}: {html}");
        }
        let bare = page(&json!({"outcome": "not_held", "notice": "載りません"})).unwrap();
        assert!(bare.contains("保有していない") && bare.contains("載りません"));
    }
}
