//! The board of a coordinator: how each leg the agency has sent stands. Read only.
//!
//! The list opens no seal: it shows ids, codes, states, times and names of agencies. A single leg is shown as the
//! API shows it to the same agency, once it is on record who looked.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde_json::Value;

use super::{ALLOWED, Caller, Context, not_found, opened::damaged, read, sign_in::Visitor, told};
use crate::{
    code_list,
    domain::{
        hand_over::{self, HandOverClock, Responsible},
        ids::{AgencyId, LegId},
        leg::LegState,
        problem::Problem,
        receipt::ReceiptLevel,
        referral::{ReferralType, Urgency},
    },
    ledger::{
        Rows, Write,
        audit::AuditAction,
        board::{After, MOST, Part, Rung},
        leg::LegRow,
    },
};

/// What a page shows; one more is read, to see whether there is a next page.
pub const PAGE: usize = MOST - 1;

code_list! {
    /// What the board shows first.
    Order, "order of the board" {
        Unopened = "unopened", "だれも開いていないものを先に", "what nobody has opened first";
        Due = "due", "期限を過ぎたもの・近いものを先に", "overdue and nearest deadline first";
    }
}

/// Which legs are wanted, and in which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub order: Order,
    /// Without one: all that are under way.
    pub state: Option<LegState>,
}

impl Wanted {
    /// The parts that make up the list, one after the other. A part's place is its number in a cursor.
    fn parts(self) -> Vec<Part> {
        match (self.order, self.state) {
            // What has ended has no deadline any more.
            (_, Some(state)) if state.terminal() => vec![Part::InState(state)],
            (Order::Unopened, None) => vec![Part::Waiting, Part::Taken, Part::Rest],
            (Order::Unopened, Some(LegState::Requested)) => vec![Part::Waiting],
            (Order::Unopened, Some(LegState::Received)) => {
                vec![Part::Taken, Part::InState(LegState::Received)]
            }
            (Order::Unopened, Some(state)) => vec![Part::InState(state)],
            (Order::Due, state) => vec![Part::Due(state), Part::Undated(state)],
        }
    }
}

/// Where a page of the board ends, as its link carries it: part, deadline, leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    part: usize,
    after: After,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.part, self.after.due, self.after.leg)
    }
}

/// A text that no page of the board ended with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of the board")]
pub struct BadCursor;

impl FromStr for Cursor {
    type Err = BadCursor;

    fn from_str(text: &str) -> Result<Self, BadCursor> {
        let mut parts = text.splitn(3, '.');
        let mut next = || parts.next().ok_or(BadCursor);
        let (part, due, leg) = (next()?, next()?, next()?);
        Ok(Self {
            part: part.parse().map_err(|_| BadCursor)?,
            after: After {
                due: due.parse().map_err(|_| BadCursor)?,
                leg: leg.parse().map_err(|_| BadCursor)?,
            },
        })
    }
}

/// One page of the board.
pub struct Board {
    pub items: Vec<Item>,
    pub next: Option<Cursor>,
}

/// A leg as the list shows it: nothing about the family.
pub struct Item {
    pub leg: LegId,
    /// What can be read out on the telephone.
    pub reference: String,
    /// The public name of an organisation.
    pub recipient: String,
    pub kind: ReferralType,
    pub urgency: Urgency,
    pub state: LegState,
    pub sent_at: Timestamp,
    /// Oldest first.
    pub rungs: Vec<(ReceiptLevel, Timestamp)>,
    pub deadline: Option<Deadline>,
    pub hand_over: Option<HandedOver>,
}

impl Item {
    /// Whether it is under way and no person has opened it; of a notice, whether it has not arrived yet, because more
    /// its sender is not told.
    pub fn unopened(&self) -> bool {
        let level = if self.kind == ReferralType::Notice { ReceiptLevel::R2 } else { ReceiptLevel::R3 };
        !self.state.terminal() && self.at(level).is_none()
    }

    /// Whether it is held back for a while and the recipient cannot see it yet.
    pub fn held(&self) -> bool {
        !self.state.terminal() && self.at(ReceiptLevel::R1).is_none()
    }

    pub fn at(&self, level: ReceiptLevel) -> Option<Timestamp> {
        self.rungs.iter().find(|(one, _)| *one == level).map(|(_, at)| *at)
    }
}

/// What there is to know of a family that is handed over: in whose hands it is, and until when there should be word.
pub struct HandedOver {
    /// The public name of the agency that is responsible.
    pub responsible: String,
    pub clocks: Vec<Deadline>,
}

impl HandedOver {
    fn of(leg: &LegRow, names: &[(AgencyId, String)], now: Timestamp) -> Result<Option<Self>, Problem> {
        if leg.kind != ReferralType::HandOver {
            return Ok(None);
        }
        let responsible = Responsible::of(leg.state).among(leg.sender, leg.recipient);
        let name = names.iter().find(|(id, _)| *id == responsible).map(|(_, name)| name.clone());
        let clock = |clock: &HandOverClock| {
            let at = clock.due(leg.created_at);
            Deadline { what: DeadlineKind::HandOver(*clock), at, overdue: at < now }
        };
        let clocks = hand_over::clocks(leg.kind, leg.state).iter().map(clock).collect();
        Ok(Some(Self { responsible: name.ok_or_else(damaged)?, clocks }))
    }
}

/// Until when something has to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    pub what: DeadlineKind,
    pub at: Timestamp,
    pub overdue: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadlineKind {
    /// A clock that the law or the hub's rules started.
    Clock,
    /// The sender asked for an answer by then.
    Reply,
    /// A hand-over should have been decided by then.
    HandOver(HandOverClock),
}

impl Deadline {
    /// As the ledger orders by it: the clock of a leg under way or, until there is an answer, the reply date.
    fn of(leg: &LegRow, now: Timestamp) -> Option<Self> {
        let unanswered = matches!(leg.state, LegState::Requested | LegState::Received);
        let clock = leg.clock_due.map(|at| (DeadlineKind::Clock, at));
        let reply = leg.reply_by.filter(|_| unanswered).map(|at| (DeadlineKind::Reply, at));
        let (what, at) = clock.or(reply).filter(|_| !leg.state.terminal())?;
        Some(Self { what, at, overdue: at < now })
    }
}

/// One page of what the visitor's agency has sent.
///
/// # Errors
/// The ledger did not answer.
pub async fn list(
    context: &Context,
    visitor: &Visitor,
    wanted: Wanted,
    cursor: Option<Cursor>,
) -> Result<Board, Problem> {
    let scope = visitor.caller.scope();
    let mut found: Vec<(usize, LegRow)> = Vec::new();
    let first = cursor.map_or(0, |cursor| cursor.part);
    for (place, part) in wanted.parts().into_iter().enumerate().skip(first) {
        let after = cursor.filter(|cursor| cursor.part == place).map(|cursor| cursor.after);
        let rows = context.ledger.board(scope, part, after, MOST - found.len()).await?;
        for row in rows {
            found.push((place, told::told(context, &visitor.caller, row).await?));
        }
        if found.len() == MOST {
            break;
        }
    }
    let more = found.len() > PAGE;
    found.truncate(PAGE);
    let now = context.clock.now();
    let next = found.last().filter(|_| more).map(|(part, leg)| Cursor {
        part: *part,
        after: After {
            due: Deadline::of(leg, now).map_or(0, |deadline| deadline.at.as_microsecond()),
            leg: leg.id,
        },
    });
    let legs: Vec<LegRow> = found.into_iter().map(|(_, leg)| leg).collect();
    Ok(Board { items: items(context, &visitor.caller, &legs, now).await?, next })
}

/// The items of a page: a few statements for all of them.
async fn items(
    context: &Context,
    caller: &Caller,
    legs: &[LegRow],
    now: Timestamp,
) -> Result<Vec<Item>, Problem> {
    let rungs = context.ledger.rungs(legs).await?;
    let shown =
        |leg: &LegRow, rung: &Rung| rung.leg == leg.id && told::shows_on_list(caller, leg, rung.level);
    let parties = legs.iter().flat_map(|leg| [leg.sender, leg.recipient]).collect();
    let names = names(context, parties).await?;
    let item = |leg: &LegRow| {
        let name = names.iter().find(|(id, _)| *id == leg.recipient);
        Ok(Item {
            leg: leg.id,
            reference: leg.delivery.reference(),
            recipient: name.map(|(_, name)| name.clone()).ok_or_else(damaged)?,
            kind: leg.kind,
            urgency: leg.urgency,
            state: leg.state,
            sent_at: leg.created_at,
            rungs: rungs.iter().filter(|one| shown(leg, one)).map(|one| (one.level, one.at)).collect(),
            deadline: Deadline::of(leg, now),
            hand_over: HandedOver::of(leg, &names, now)?,
        })
    };
    legs.iter().map(item).collect()
}

/// The public names of agencies.
async fn names(context: &Context, mut ids: Vec<AgencyId>) -> Result<Vec<(AgencyId, String)>, Problem> {
    const AT_ONCE: usize = 16;
    ids.sort_unstable();
    ids.dedup();
    let mut names = Vec::with_capacity(ids.len());
    for ids in ids.chunks(AT_ONCE) {
        let rows = context.ledger.agencies_by_id(ids).await?;
        names.extend(rows.into_iter().map(|row| (row.id, row.name)));
    }
    Ok(names)
}

/// A leg for a person: what the API answers to the person's agency, and what the two agencies are called.
pub struct LegSeen {
    /// The document of `GET /v1/legs/{id}`.
    pub view: Value,
    pub reference: String,
    pub sender: String,
    pub recipient: String,
    pub deadline: Option<Deadline>,
    pub hand_over: Option<HandedOver>,
}

/// A leg of the visitor's agency. That this person looked is on record before anything is shown.
///
/// # Errors
/// Not found for everybody but its parties; and for the staff of an agency that gave a 通告, but those who may see it.
pub async fn leg(context: &Context, visitor: &Visitor, id: LegId) -> Result<LegSeen, Problem> {
    let caller = &visitor.caller;
    let row = context.ledger.leg(caller.scope(), id).await?.ok_or_else(not_found)?;
    let row = told::told(context, caller, row).await?;
    let audit = caller.audit(context, Some(visitor.staff.id), AuditAction::Read, id, ALLOWED);
    let rows = Rows { audits: vec![audit], ..Rows::default() };
    context.ledger.write(Write { rows, ..Write::default() }).await?;
    let seen = read::leg_on_a_page(context, caller, id).await?;
    let names = names(context, vec![row.sender, row.recipient]).await?;
    let name = |id| names.iter().find(|(one, _)| *one == id).map(|(_, name)| name.clone());
    Ok(LegSeen {
        view: serde_json::from_str(&seen.text).map_err(|_| damaged())?,
        reference: row.delivery.reference(),
        sender: name(row.sender).ok_or_else(damaged)?,
        recipient: name(row.recipient).ok_or_else(damaged)?,
        deadline: Deadline::of(&row, context.clock.now()),
        hand_over: HandedOver::of(&row, &names, context.clock.now())?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_nothing_else_is_one() {
        let leg = "0190e0c4-7a7b-7cc3-8f00-2f3c4b5a6d7e".parse().unwrap();
        let cursor = Cursor { part: 1, after: After { due: -3, leg } };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for bad in
            ["", "1", "1.2", "1.2.x", "x.2.0190e0c4-7a7b-7cc3-8f00-2f3c4b5a6d7e", "-1.0.", "1.0.1' OR '1"]
        {
            assert_eq!(bad.parse::<Cursor>(), Err(BadCursor), "{bad}");
        }
    }

    #[test]
    fn every_wish_is_made_of_parts_that_hold_each_leg_once() {
        for order in Order::ALL {
            for state in LegState::ALL.iter().copied().map(Some).chain([None]) {
                let parts = Wanted { order: *order, state }.parts();
                assert!(!parts.is_empty() && parts.len() <= 3, "{order} {state:?}");
            }
        }
    }
}
