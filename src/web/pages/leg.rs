//! One leg: how it stands, its receipts, and what happened, in plain words.
//!
//! Everything here is taken from the document the API answers to the same agency; there is no second way to it.

use actix_web::{HttpRequest, HttpResponse, web::Path};
use askama::Template;
use jiff::Timestamp;
use serde_json::Value;

use super::{
    board::{Due, RUNGS, Step},
    frame::{Frame, LANG, Time},
    words,
};
use crate::{
    domain::{
        basis::BasisCode,
        delivery::DeliveryState,
        hand_over::FlagState,
        ids::LegId,
        leg::{LegAction, LegState},
        mask::Why,
        problem::Problem,
        receipt::ReceiptLevel,
        referral::{ReferralType, Urgency},
        section::Section,
    },
    usecases::board::{self, HandedOver, LegSeen},
    web::{caller::context, query::Query},
};

#[derive(Template)]
#[template(path = "leg.html")]
struct Page<'a> {
    frame: &'a Frame,
    recipient: String,
    kind: &'static str,
    reference: String,
    unopened: bool,
    facts: Vec<Fact>,
    steps: Vec<Step>,
    events: Vec<Event>,
}

struct Fact {
    name: &'static str,
    lines: Vec<String>,
    late: bool,
}

struct Event {
    at: Time,
    what: &'static str,
    who: String,
    state: &'static str,
    said: Vec<(&'static str, String)>,
}

/// `GET /board/legs/{id}`
pub async fn show(request: HttpRequest, id: Path<String>) -> HttpResponse {
    let mut frame = Frame::of(&request);
    let made = page(&request, &mut frame, &id).await;
    frame.answer(made)
}

async fn page(request: &HttpRequest, frame: &mut Frame, id: &str) -> Result<HttpResponse, Problem> {
    let visitor = frame.visitor(request).await?;
    let _only_the_language = Query::read(request, &[&LANG])?;
    let id: LegId = id.parse()?;
    let seen = board::leg(&context(request), &visitor, id).await?;
    frame.fill(&filled(frame, &seen))
}

/// Both labels of a code list's value, chosen by the reader's language; the code itself where it is none.
macro_rules! label {
    ($frame:expr, $value:expr, $list:ty) => {{
        let code = $value.as_str().unwrap_or_default();
        code.parse().ok().map_or("", |one: $list| $frame.say(one.label_ja(), one.label_en()))
    }};
}

fn filled<'a>(frame: &'a Frame, seen: &LegSeen) -> Page<'a> {
    let view = &seen.view;
    let at = |level: &ReceiptLevel| {
        let rungs = view["ladder"].as_array().into_iter().flatten();
        let mut times = rungs.filter(|rung| rung["level"] == level.code());
        times.next().and_then(|rung| time(&rung["at"]))
    };
    let closed = at(&ReceiptLevel::Closed).is_some();
    let shown = RUNGS.iter().chain(closed.then_some(&ReceiptLevel::Closed));
    let ended = view["state"].as_str().and_then(|code| code.parse().ok()).is_some_and(LegState::terminal);
    // That somebody opened a notice is not told to its sender: that it arrived is all there is to see.
    let told_little = view["type"] == ReferralType::Notice.code() && view["referral"].is_string();
    let seen_as = if told_little { ReceiptLevel::R2 } else { ReceiptLevel::R3 };
    Page {
        frame,
        recipient: seen.recipient.clone(),
        kind: label!(frame, view["type"], ReferralType),
        reference: seen.reference.clone(),
        unopened: !ended && at(&seen_as).is_none(),
        facts: facts(frame, seen),
        steps: shown
            .map(|level| Step { label: frame.say(level.label_ja(), level.label_en()), at: at(level) })
            .collect(),
        events: view["events"].as_array().into_iter().flatten().map(|one| event(frame, seen, one)).collect(),
    }
}

fn time(value: &Value) -> Option<Time> {
    value.as_str().and_then(|text| text.parse::<Timestamp>().ok()).map(Time::of)
}

fn facts(frame: &Frame, seen: &LegSeen) -> Vec<Fact> {
    let view = &seen.view;
    let one =
        |ja, en, line: &str| Fact { name: frame.say(ja, en), lines: vec![line.to_owned()], late: false };
    let many = |ja, en, lines: Vec<String>| Fact { name: frame.say(ja, en), lines, late: false };
    let mut facts = vec![
        one("状態", "State", label!(frame, view["state"], LegState)),
        one("写しの状態", "The copy", label!(frame, view["delivery_state"], DeliveryState)),
        one("緊急度", "Urgency", label!(frame, view["urgency"], Urgency)),
        one("差出", "From", &seen.sender),
        one("宛先", "To", &seen.recipient),
        one("依頼すること", "What is asked for", view["requested_action"].as_str().unwrap_or_default()),
    ];
    if let Some(deadline) = &seen.deadline {
        let due = Due::of(frame, deadline);
        let lines = vec![due.what.to_owned(), due.at.full];
        facts.push(Fact { name: frame.say("期限", "Deadline"), lines, late: due.overdue });
    }
    if let Some(handed) = &seen.hand_over {
        facts.extend(hand_over(frame, seen, handed));
    }
    if let Some(at) = time(&view["release_at"]) {
        facts.push(one(
            "相手に見える時刻（それまでは取りやめられます）",
            "Visible to the recipient from (until then it can be undone)",
            &at.full,
        ));
    }
    let basis = &view["basis"];
    let code = label!(frame, basis["code"], BasisCode);
    let law = basis["law"].as_str().unwrap_or_default();
    facts.push(many("根拠", "Basis", vec![code.to_owned(), law.to_owned()]));
    let sections = view["sections"].as_array().into_iter().flatten();
    let sections: Vec<String> = sections.map(|section| label!(frame, section, Section).to_owned()).collect();
    facts.push(many("宛先に見せる区分", "Sections the recipient sees", sections));
    let withheld = view["withheld"].as_array().into_iter().flatten();
    let withheld = withheld.map(|one| {
        let (section, why) = (label!(frame, one["section"], Section), label!(frame, one["why"], Why));
        format!("{section}{}{why}{}", frame.say("（", " ("), frame.say("）", ")"))
    });
    facts.push(many("見せない区分と理由", "Withheld, and why", withheld.collect()));
    let able = view["available_actions"].as_array().into_iter().flatten();
    let able = able.map(|action| label!(frame, action, LegAction).to_owned()).collect();
    facts.push(many("いまできる操作", "What can be done now", able));
    for fact in &mut facts {
        fact.lines.retain(|line| !line.is_empty());
    }
    facts.retain(|fact| !fact.lines.is_empty());
    facts
}

/// Who is responsible for a family that is handed over, whether its protection went along, and until when there should
/// be word.
fn hand_over(frame: &Frame, seen: &LegSeen, handed: &HandedOver) -> Vec<Fact> {
    let view = &seen.view["hand_over"];
    let since = time(&view["since"]).map(|at| at.full).unwrap_or_default();
    let since = frame.say("次の時から　", "since ").to_owned() + &since;
    let plain = |ja, en, lines| Fact { name: frame.say(ja, en), lines, late: false };
    let mut facts = vec![
        plain("家族に責任を負う機関", "Responsible for the family", vec![handed.responsible.clone(), since]),
        plain(
            "家族の秘匿",
            "The family's protection",
            vec![label!(frame, view["protection"], FlagState).to_owned()],
        ),
    ];
    for part in [&view["next"], &view["consents"]] {
        let said = frame
            .say(part["note"].as_str().unwrap_or_default(), part["note_en"].as_str().unwrap_or_default());
        facts.push(plain("確認してください", "Please note", vec![said.to_owned()]));
    }
    facts.extend(handed.clocks.iter().map(|clock| {
        let due = Due::of(frame, clock);
        Fact {
            name: frame.say("期限", "Deadline"),
            lines: vec![due.what.to_owned(), due.at.full],
            late: due.overdue,
        }
    }));
    facts
}

fn event(frame: &Frame, seen: &LegSeen, told: &Value) -> Event {
    let action = told["action"].as_str().and_then(|code| code.parse().ok());
    let who = match &told["agency"] {
        agency if *agency == seen.view["sender"] => seen.sender.as_str(),
        agency if *agency == seen.view["recipient"] => seen.recipient.as_str(),
        _ => frame.say("ハブ（自動）", "the hub"),
    };
    Event {
        at: time(&told["at"]).unwrap_or(Time::of(Timestamp::UNIX_EPOCH)),
        what: action.map_or("", |action| frame.phrase(words::done(action))),
        who: who.to_owned(),
        state: label!(frame, told["state"], LegState),
        said: words::said(frame, told),
    }
}
