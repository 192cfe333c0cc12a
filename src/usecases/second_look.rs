//! Finds the recipients a sender should look at again, and asks for it before anything is sent.

use std::collections::{BTreeMap, BTreeSet};

use super::{Caller, Context, schema::pointer, submit::Ground};
use crate::{
    domain::{
        fault::{Fault, Text},
        ids::AgencyId,
        problem::{Problem, ProblemKind},
        second_look::{self, Confirm, Doubt, Doubts, Named, looks_again},
        submission::{AskedLeg, Submission},
    },
    ledger::{
        Write, WriteError,
        agency::{AgencyRow, NameKeyRow},
    },
};

/// How many pairs are read for up to sixteen recipients: so many that one recipient with a name as common as
/// 中央保育園 does not crowd out another's.
const PAIRS: i64 = 4096;
/// How many look-alikes of a recipient are told; those who still doubt look into the directory.
const TOLD: usize = 16;
/// Agencies that get their keys in one go.
const PAGE: i64 = 100;

/// Refuses a submission with a recipient that should be looked at again and was not.
///
/// # Errors
/// Confirmation needed, with whom to compare.
pub(super) async fn ask(
    context: &Context,
    caller: &Caller,
    submission: &Submission,
    ground: &Ground,
) -> Result<(), Problem> {
    if !context.settings.confirm_recipients {
        return Ok(());
    }
    // Who has confirmed everything is not asked, so nothing is looked up.
    let open = |asked: &AskedLeg| Confirm::ALL.iter().any(|code| !asked.confirmed.contains(code));
    if !submission.legs.iter().any(|asked| looked_at(submission, asked) && open(asked)) {
        return Ok(());
    }
    let doubts = doubts(context, caller, submission, ground).await?;
    let open = unconfirmed(submission, doubts);
    if open.is_empty() { Ok(()) } else { Err(needed(open)) }
}

/// The doubts that the sender has not answered.
pub(super) fn unconfirmed(submission: &Submission, doubts: Vec<Doubt>) -> Vec<Doubt> {
    doubts.into_iter().filter(|one| !submission.legs[one.leg].confirmed.contains(&one.code)).collect()
}

/// The refusal of a submission with these doubts.
pub(super) fn needed(doubts: Vec<Doubt>) -> Problem {
    let fault = |one: &Doubt| Fault {
        pointer: pointer(&format!("/legs/{}/confirmed", one.leg)),
        code: one.code.code(),
        message: Text::new(one.label, one.label_en),
    };
    let mut problem = Problem::new(ProblemKind::ConfirmationNeeded).faults(doubts.iter().map(fault));
    problem.compare = Some(Box::new(Doubts(doubts)));
    problem
}

/// Every reason to look at a recipient of this submission again, in the order of its legs.
pub(super) async fn doubts(
    context: &Context,
    caller: &Caller,
    submission: &Submission,
    ground: &Ground,
) -> Result<Vec<Doubt>, Problem> {
    let looked = submission.legs.iter().filter(|asked| looked_at(submission, asked));
    let ids: Vec<AgencyId> = looked.map(|asked| asked.recipient).collect();
    let known: BTreeSet<AgencyId> =
        context.ledger.sent_before(caller.scope(), &ids).await?.into_iter().collect();
    let mut alike: BTreeMap<AgencyId, Vec<AgencyId>> = BTreeMap::new();
    for (mine, other) in context.ledger.look_alikes(&ids, PAIRS).await? {
        // A sender does not mistake itself for another.
        if other != caller.id() {
            alike.entry(mine).or_default().push(other);
        }
    }
    let mut found = Vec::new();
    for (place, asked) in submission.legs.iter().enumerate().filter(|(_, leg)| ids.contains(&leg.recipient)) {
        let recipient = named(ground.recipient(asked)?);
        if let Some(mut others) = alike.remove(&asked.recipient) {
            others.sort_unstable();
            others.truncate(TOLD);
            let mut others = context.ledger.agencies_by_id(&others).await?;
            // The nearest first: those of the same municipality.
            let here = &ground.recipient(asked)?.municipality;
            others.sort_by_key(|row| (row.municipality != *here, row.id));
            let others = others.iter().map(named).collect();
            found.push(Doubt::new(place, Confirm::LookAlike, recipient.clone(), others));
        }
        if !known.contains(&asked.recipient) {
            found.push(Doubt::new(place, Confirm::FirstTime, recipient, Vec::new()));
        }
    }
    Ok(found)
}

fn looked_at(submission: &Submission, asked: &AskedLeg) -> bool {
    looks_again(submission.kind, asked.basis.as_deref().and_then(|code| code.parse().ok()))
}

fn named(row: &AgencyRow) -> Named {
    Named {
        id: row.id,
        kind: row.kind,
        municipality: row.municipality.as_str().to_owned(),
        name: row.name.clone(),
    }
}

/// The keys by which an agency's name is compared with others.
pub(super) fn name_keys(agency: &AgencyRow) -> Vec<NameKeyRow> {
    let keys = second_look::name_keys(&agency.name).into_iter();
    keys.map(|name_key| NameKeyRow { agency: agency.id, name_key }).collect()
}

/// Gives their keys to agencies that were registered before names were compared.
///
/// # Errors
/// The ledger could not be reached.
pub(super) async fn name_everybody(context: &Context) -> Result<(), Problem> {
    let mut after = None;
    loop {
        let page = context.ledger.agencies_without_name_keys(after, PAGE).await?;
        let mut write = Write::default();
        write.rows.name_keys.extend(page.iter().flat_map(name_keys));
        match page.last() {
            None => return Ok(()),
            Some(last) => after = Some(last.id),
        }
        match context.ledger.write(write).await {
            // Another node that starts does the same.
            Ok(_) | Err(WriteError::Duplicate(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
