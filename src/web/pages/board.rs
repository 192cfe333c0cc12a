//! The board: what the visitor's agency has sent, page by page.

use std::str::FromStr;

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::{
    frame::{Frame, LANG, Time},
    words,
};
use crate::{
    domain::{code_list::UnknownCode, leg::LegState, problem::Problem, receipt::ReceiptLevel},
    usecases::board::{self, Board, Cursor, Deadline, DeadlineKind, Item, Order, Wanted},
    web::{
        caller::context,
        query::{AFTER, Parameter, Query},
    },
};

const STATE: Parameter =
    Parameter::new("state", "宛先の状態のコード、または空", "a code of the list of leg states, or nothing");
const ORDER: Parameter = Parameter::new("order", "unopened または due", "unopened or due");

/// The rungs of the ladder, as the list shows them.
pub(super) const RUNGS: [ReceiptLevel; 5] =
    [ReceiptLevel::R0, ReceiptLevel::R1, ReceiptLevel::R2, ReceiptLevel::R3, ReceiptLevel::R4];

#[derive(Template)]
#[template(path = "board.html")]
struct Page<'a> {
    frame: &'a Frame,
    under_way: Vec<Choice>,
    ended: Vec<Choice>,
    orders: Vec<Choice>,
    rows: Vec<Row>,
    first: Option<String>,
    next: Option<String>,
    legend: Vec<(&'static str, &'static str)>,
}

/// An entry of a list to choose from.
struct Choice {
    code: &'static str,
    label: &'static str,
    chosen: bool,
}

struct Row {
    link: String,
    recipient: String,
    reference: String,
    sent: Time,
    kind: &'static str,
    urgency: &'static str,
    state: &'static str,
    held: bool,
    unopened: bool,
    steps: Vec<Step>,
    dues: Vec<Due>,
    /// Of a hand-over: who is responsible for the family.
    responsible: Option<String>,
}

pub(super) struct Step {
    pub label: &'static str,
    pub at: Option<Time>,
}

pub(super) struct Due {
    pub what: &'static str,
    pub at: Time,
    pub overdue: bool,
}

impl Due {
    pub fn of(frame: &Frame, deadline: &Deadline) -> Self {
        let what = match deadline.what {
            DeadlineKind::Clock => frame.say("安全確認", "safety check"),
            DeadlineKind::Reply => frame.say("返書の希望", "answer wanted"),
            DeadlineKind::HandOver(clock) => frame.say(clock.label_ja(), clock.label_en()),
        };
        Self { what, at: Time::of(deadline.at), overdue: deadline.overdue }
    }
}

/// A state, or all: a form sends an empty value for it.
struct MaybeState(Option<LegState>);

impl FromStr for MaybeState {
    type Err = UnknownCode;

    fn from_str(text: &str) -> Result<Self, UnknownCode> {
        if text.is_empty() { Ok(Self(None)) } else { text.parse().map(|state| Self(Some(state))) }
    }
}

/// `GET /board`
pub async fn list(request: HttpRequest) -> HttpResponse {
    let mut frame = Frame::of(&request);
    let made = page(&request, &mut frame).await;
    frame.answer(made)
}

async fn page(request: &HttpRequest, frame: &mut Frame) -> Result<HttpResponse, Problem> {
    let visitor = frame.visitor(request).await?;
    let query = Query::read(request, &[&STATE, &ORDER, &AFTER, &LANG])?;
    let state = query.get::<MaybeState>(&STATE)?.and_then(|state| state.0);
    let wanted = Wanted { order: query.get(&ORDER)?.unwrap_or(Order::Unopened), state };
    let cursor: Option<Cursor> = query.get(&AFTER)?;
    let found = board::list(&context(request), &visitor, wanted, cursor).await?;
    frame.fill(&filled(frame, wanted, cursor.is_some(), &found))
}

fn filled<'a>(frame: &'a Frame, wanted: Wanted, paged: bool, found: &Board) -> Page<'a> {
    let choice = |code, ja, en, chosen| Choice { code, label: frame.say(ja, en), chosen };
    let states = |ended: bool| {
        let those =
            LegState::ALL.iter().filter(move |state| state.terminal() == ended && words::sent(**state));
        let chosen = |state: &LegState| wanted.state == Some(*state);
        those.map(|state| choice(state.code(), state.label_ja(), state.label_en(), chosen(state))).collect()
    };
    let orders = Order::ALL.iter();
    let orders =
        orders.map(|one| choice(one.code(), one.label_ja(), one.label_en(), *one == wanted.order)).collect();
    let here = format!("/board?state={}&order={}", wanted.state.map_or("", LegState::code), wanted.order);
    Page {
        frame,
        under_way: states(false),
        ended: states(true),
        orders,
        rows: found.items.iter().map(|item| row(frame, item)).collect(),
        first: paged.then(|| frame.to(&here)),
        next: found.next.map(|next| frame.to(&format!("{here}&after={next}"))),
        legend: RUNGS
            .iter()
            .map(|level| (frame.phrase(words::rung(*level)), frame.say(level.label_ja(), level.label_en())))
            .collect(),
    }
}

fn row(frame: &Frame, item: &Item) -> Row {
    let step = |level: &ReceiptLevel| Step {
        label: frame.phrase(words::rung(*level)),
        at: item.at(*level).map(Time::of),
    };
    Row {
        link: frame.to(&format!("/board/legs/{}", item.leg)),
        recipient: item.recipient.clone(),
        reference: item.reference.clone(),
        sent: Time::of(item.sent_at),
        kind: frame.say(item.kind.label_ja(), item.kind.label_en()),
        urgency: frame.say(item.urgency.label_ja(), item.urgency.label_en()),
        state: frame.say(item.state.label_ja(), item.state.label_en()),
        held: item.held(),
        unopened: item.unopened(),
        steps: RUNGS.iter().map(step).collect(),
        dues: dues(item).map(|deadline| Due::of(frame, deadline)).collect(),
        responsible: item.hand_over.as_ref().map(|handed| handed.responsible.clone()),
    }
}

fn dues(item: &Item) -> impl Iterator<Item = &Deadline> {
    item.deadline.iter().chain(item.hand_over.iter().flat_map(|handed| &handed.clocks))
}
