//! What may be done with a leg now, by whom. The leg's own table says it; a blind delivery leaves less.

use serde_json::{Value, json};

use super::{details::member, facts};
use crate::{
    domain::{
        fault::Phrase,
        hand_over::{TAKE_OVER_FIRST, consequence},
        ids::LegId,
        leg::{self, Actor as LegActor, Available, Guard, Illegal, LegAction, Transition},
        leg_facts::Facts,
        machine::Why,
        problem::Problem,
        staff::StaffRole,
    },
    ledger::leg::LegRow,
    usecases::{
        Caller, Context, not_found,
        opened::damaged,
        read::{present, responsible},
    },
};

/// As whom a person of this agency and role may act, the most entitled last.
pub(in crate::usecases) fn actors(caller: &Caller, leg: &LegRow, role: StaffRole) -> Vec<LegActor> {
    if caller.id() != leg.sender {
        return vec![LegActor::ReceiverStaff];
    }
    match role {
        StaffRole::Supervisor => vec![LegActor::SenderStaff, LegActor::SenderSupervisor],
        StaffRole::PrivacyOfficer => vec![LegActor::SenderStaff, LegActor::PrivacyOfficer],
        _ => vec![LegActor::SenderStaff],
    }
}

/// Everything the caller's staff of this role can do now, each act once.
pub(in crate::usecases) fn available(leg: &LegRow, actors: &[LegActor], facts: &Facts) -> Vec<Available> {
    let mut found: Vec<Available> = Vec::new();
    for one in actors.iter().flat_map(|actor| leg::available(leg.state, *actor, facts)) {
        if !found.iter().any(|other| other.action == one.action) {
            found.push(one);
        }
    }
    found.retain(|one| acts_here(leg, one.action));
    found
}

/// Whether an act is made on the leg itself. A withdrawal is made on the consent, where it reaches every leg that
/// rests on it; a leg is replaced by sending anew. To a recipient that it does not know a sender says nothing more, but
/// that it was a mistake; and whoever got a copy from an address has nobody to ask.
fn acts_here(leg: &LegRow, action: LegAction) -> bool {
    let nowhere = matches!(action, LegAction::Withdraw | LegAction::Replace);
    let unheard = leg.is_back() && action == LegAction::Ask;
    !nowhere && !unheard && (!leg.is_front() || action == LegAction::Recall)
}

pub(super) fn allowed_row(
    leg: &LegRow,
    action: LegAction,
    actors: &[LegActor],
    facts: &Facts,
) -> Result<&'static Transition, Problem> {
    let mut last: Option<Illegal> = None;
    for actor in actors {
        match leg::step(leg.state, action, *actor, facts) {
            Ok(row) if acts_here(leg, action) => return Ok(row),
            Ok(_) => {}
            Err(illegal) => last = Some(illegal),
        }
    }
    let allowed = available(leg, actors, facts).iter().map(|one| one.action.code()).collect();
    let problem = Problem::illegal_transition(leg.state.code(), allowed);
    Err(match last {
        Some(Illegal { why: Why::Guard(Guard::Held), .. }) => {
            problem.code(Guard::Held.code()).mend(RECALL_INSTEAD)
        }
        Some(Illegal { why: Why::Guard(Guard::FlagTaken), .. }) => {
            problem.code(Guard::FlagTaken.code()).mend(TAKE_OVER_FIRST)
        }
        Some(Illegal { why: Why::Guard(guard), .. }) => problem.code(guard.code()),
        _ if action == LegAction::Ask && leg.is_back() => problem.mend(ASK_THE_KEEPER),
        _ if action == LegAction::Undo && !leg.state.terminal() => problem.mend(RECALL_INSTEAD),
        _ => problem,
    })
}

/// A sender that does not know the recipient hears no question.
const ASK_THE_KEEPER: Phrase = Phrase {
    ja: "差出機関には、宛先が知らされていないため、質問は届きません。家族を支援している機関（引継ぎ先番号を出した機関）に電話してください。",
    en: "The sender does not know you, so no question reaches it: telephone the agency that supports the family and gave the address.",
};

/// What remains when a sending can no longer be undone.
const RECALL_INSTEAD: Phrase = Phrase {
    ja: "すでに相手に見えています。取消（cancel）を使うか、誤送信なら recall で回収してください。急ぐときは相手に電話してください。",
    en: "The recipient can see it by now: cancel it or, if it went to the wrong place, recall it. If it is urgent, telephone.",
};

/// What the caller's staff of this role can do with a leg now, and what each act needs.
///
/// # Errors
/// Not found for everybody but its parties.
pub async fn available_actions(
    context: &Context,
    caller: &Caller,
    id: LegId,
    staff: Option<&str>,
) -> Result<String, Problem> {
    let leg = context.ledger.leg(caller.scope(), id).await?.ok_or_else(not_found)?;
    let role = match staff {
        Some(_) => caller.staff_of_header(context, staff).await?.role,
        None => StaffRole::AgencyStaff,
    };
    let delivery = context.ledger.delivery_of(&leg).await?.ok_or_else(damaged)?;
    let facts = facts(context, &leg, &delivery).await?;
    let responsible = responsible(&leg);
    let items: Vec<Value> = available(&leg, &actors(caller, &leg, role), &facts)
        .iter()
        .map(|one| {
            let needs: Vec<&str> = one.requires.iter().map(|field| member(*field)).collect();
            let usual = Phrase { ja: one.action.label_ja(), en: one.action.label_en() };
            let moves = responsible.and_then(|_| consequence(one.action));
            let label = moves.unwrap_or(usual);
            json!({
                "action": one.action, "label": label.ja, "label_en": label.en, "to": one.to, "requires": needs,
            })
        })
        .collect();
    let answer = json!({
        "state": leg.state, "version": leg.head_seq, "responsible": responsible, "items": items,
    });
    Ok(present(answer).to_string())
}
