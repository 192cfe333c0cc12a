//! What the table of a leg promises beyond each of its rows.

use super::*;
use crate::domain::leg::{Answered, Evidence, available, begin, evidence, step};
use crate::domain::leg_facts::{
    Approval, BasisFact, BeforeHold, CancelWait, CopyPlace, DisposalFact, Facts, Lane, Onward, Preview,
    RecipientFact, Release, Silence,
};
use crate::domain::machine::Why;
use crate::domain::referral::Urgency;

fn facts(lane: Lane) -> Facts {
    Facts::cautious(lane, Urgency::Ordinary)
}

fn ready(lane: Lane) -> Facts {
    Facts {
        basis: BasisFact::Live,
        recipient: RecipientFact::Free,
        approval: Approval::NotNeeded,
        preview: Preview::NotTaken,
        ..facts(lane)
    }
}

#[test]
fn a_leg_begins_as_a_draft_of_the_senders_staff() {
    assert_eq!(begin(S, &facts(Lane::Consent)).unwrap().to, Some(Draft));
    assert_eq!(begin(R, &facts(Lane::Consent)).unwrap_err().why, Why::NotByThisActor);
}

#[test]
fn sending_on_consent_needs_everything_and_names_what_is_missing() {
    let submit = |facts: &Facts| step(Draft, LegAction::Submit, S, facts).map_err(|no| no.why);
    let ready = ready(Lane::Consent);
    assert_eq!(submit(&ready).unwrap().requires, &[Field::Consent]);
    let cases = [
        (Facts { basis: BasisFact::Missing, ..ready }, Guard::LiveBasis),
        (Facts { recipient: RecipientFact::Blocked, ..ready }, Guard::NotBlocked),
        (Facts { approval: Approval::Missing, ..ready }, Guard::Approved),
        (Facts { preview: Preview::Differs, ..ready }, Guard::PreviewHolds),
    ];
    for (facts, guard) in cases {
        assert_eq!(submit(&facts).unwrap_err(), Why::Guard(guard));
        let statute = Facts { lane: Lane::Statutory, ..facts };
        assert_eq!(submit(&statute).unwrap_err(), Why::Guard(guard));
    }
    assert_eq!(submit(&Facts { lane: Lane::Statutory, ..ready }).unwrap().requires, &[Field::BasisRecord]);
    let bare = Facts { basis: BasisFact::Missing, lane: Lane::NoPersonalData, ..ready };
    assert!(submit(&bare).unwrap().requires.is_empty());
}

#[test]
fn nothing_stands_between_a_person_and_a_notice() {
    // The most cautious facts there are: no basis, blocked recipient, no approver, another preview.
    let facts = Facts::cautious(Lane::Notice, Urgency::AtOnce);
    let row = step(Draft, LegAction::Submit, S, &facts).unwrap();
    assert_eq!((row.to, row.requires), (Some(Requested), &[][..]));
    assert!(step(Draft, LegAction::Choose, S, &facts).is_err());
}

#[test]
fn the_desk_takes_a_notice_by_accepting_it() {
    let facts = Facts::cautious(Lane::Notice, Urgency::AtOnce);
    let row = step(Received, LegAction::Accept, R, &facts).unwrap();
    assert_eq!((row.to, row.requires), (Some(Accepted), &[][..]));
    assert_eq!(evidence(row, Answered::NotYet), Evidence::FirstAnswer);
    assert_eq!(step(Accepted, LegAction::Start, R, &facts).unwrap().to, Some(InProgress));
    let waitlist = step(Received, LegAction::Waitlist, R, &facts).unwrap_err();
    assert_eq!(waitlist.why, Why::Guard(Guard::NotNotice));
}

#[test]
fn answers_wait_for_the_arrival_which_only_the_hub_records() {
    let facts = facts(Lane::Consent);
    for action in [LegAction::Accept, LegAction::Waitlist, LegAction::Decline, LegAction::Ask] {
        let refused = step(Requested, action, R, &facts).unwrap_err();
        assert_eq!((refused.why, refused.state), (Why::NotInThisState, Some(Requested)));
    }
    assert_eq!(step(Requested, LegAction::Receive, R, &facts).unwrap_err().why, Why::NotByThisActor);
    assert_eq!(step(Requested, LegAction::Receive, H, &facts).unwrap().to, Some(Received));
}

#[test]
fn a_decline_never_goes_without_reason_and_side() {
    for row in TRANSITIONS.iter().filter(|row| row.to == Some(Declined)) {
        assert!(row.requires.contains(&Field::Reason) && row.requires.contains(&Field::By), "{row:?}");
    }
}

#[test]
fn what_may_not_be_passed_on_becomes_a_decline_with_a_suggestion() {
    let forward = |onward| step(Received, LegAction::Forward, R, &Facts { onward, ..facts(Lane::Consent) });
    assert_eq!(forward(Onward::Covered).unwrap().to, Some(Forwarded));
    let row = forward(Onward::NotCovered).unwrap();
    assert_eq!(row.to, Some(Declined));
    assert_eq!(row.missing(|field| field == Field::Reason), vec![Field::By, Field::Suggestion]);
}

#[test]
fn a_held_leg_goes_back_to_where_it_was() {
    let cases = [
        (BeforeHold::Accepted, Accepted),
        (BeforeHold::Scheduled, Scheduled),
        (BeforeHold::InProgress, InProgress),
    ];
    for (before_hold, to) in cases {
        let facts = Facts { before_hold, ..facts(Lane::Consent) };
        let hold = step(to, LegAction::Hold, R, &facts).unwrap();
        assert_eq!((hold.to, hold.requires), (Some(OnHold), &[Field::Reason, Field::ReviewOn][..]));
        assert_eq!(step(OnHold, LegAction::Resume, R, &facts).unwrap().to, Some(to));
    }
}

#[test]
fn a_cancellation_is_immediate_only_while_the_copy_is_in_the_inbox() {
    let cancel = |copy, actor| {
        step(Requested, LegAction::Cancel, actor, &Facts { copy, ..facts(Lane::Consent) }).map(|row| row.to)
    };
    assert_eq!(cancel(CopyPlace::InInbox, S).unwrap(), Some(Cancelled));
    for copy in [CopyPlace::Fetched, CopyPlace::SealedPublished] {
        assert_eq!(cancel(copy, S).unwrap(), Some(CancelRequested));
        assert_eq!(cancel(copy, SS).unwrap(), Some(CancelRequested));
    }
    let in_inbox = Facts { copy: CopyPlace::InInbox, ..facts(Lane::Consent) };
    assert_eq!(step(Received, LegAction::Cancel, S, &in_inbox).unwrap().to, Some(CancelRequested));
}

#[test]
fn a_sending_is_undone_only_while_it_is_held_back() {
    let at = |state, action, actor, release| {
        step(state, action, actor, &Facts { release, ..facts(Lane::Consent) }).map(|row| row.to)
    };
    assert_eq!(at(Requested, LegAction::Undo, S, Release::Held).unwrap(), Some(Cancelled));
    assert_eq!(at(Requested, LegAction::Undo, S, Release::Done).unwrap_err().why, Why::Guard(Guard::Held));
    assert_eq!(at(Requested, LegAction::Undo, R, Release::Held).unwrap_err().why, Why::NotByThisActor);
    assert!(at(Received, LegAction::Undo, S, Release::Held).is_err());
    assert_eq!(at(Requested, LegAction::Release, H, Release::Held).unwrap(), None);
    assert!(at(Requested, LegAction::Release, H, Release::Done).is_err(), "nothing is released twice");
    assert!(at(Cancelled, LegAction::Release, H, Release::Held).is_err());
}

#[test]
fn an_unanswered_cancellation_lapses_only_after_its_days() {
    let lapse = |cancel_wait| {
        step(CancelRequested, LegAction::LapseCancel, H, &Facts { cancel_wait, ..facts(Lane::Consent) })
    };
    assert_eq!(lapse(CancelWait::Over).unwrap().to, Some(Cancelled));
    assert_eq!(lapse(CancelWait::Running).unwrap_err().why, Why::Guard(Guard::CancelUnanswered));
    let complete = step(CancelRequested, LegAction::Complete, R, &facts(Lane::Consent)).unwrap();
    assert_eq!((complete.to, complete.requires), (Some(Completed), &[Field::Outcome][..]));
}

#[test]
fn silence_ends_only_what_is_neither_urgent_nor_statutory_and_only_after_every_step() {
    for state in [Requested, Received, Waitlisted] {
        let expire = |lane, urgency, silence| {
            step(state, LegAction::Expire, H, &Facts { silence, ..Facts::cautious(lane, urgency) }).is_ok()
        };
        assert!(expire(Lane::Consent, Urgency::Ordinary, Silence::StepsDone));
        assert!(!expire(Lane::Consent, Urgency::Ordinary, Silence::StepsOpen));
        assert!(!expire(Lane::Consent, Urgency::Today, Silence::StepsDone));
        assert!(!expire(Lane::Consent, Urgency::AtOnce, Silence::StepsDone));
        assert!(!expire(Lane::Statutory, Urgency::Ordinary, Silence::StepsDone));
        assert!(!expire(Lane::Notice, Urgency::Ordinary, Silence::StepsDone));
    }
}

#[test]
fn an_ended_leg_keeps_its_end() {
    let facts = facts(Lane::Consent);
    for state in LegState::ALL.iter().copied().filter(|state| state.terminal()) {
        let withdraw = step(state, LegAction::Withdraw, G, &facts).unwrap_err();
        assert_eq!((withdraw.why, withdraw.allowed), (Why::Ended, vec![]));
        for actor in [S, SS, P] {
            let recall = step(state, LegAction::Recall, actor, &facts);
            assert_eq!(recall.map(|row| row.to).ok(), (state != EnteredInError).then_some(None));
        }
        let asked = Facts { disposal: DisposalFact::Asked, ..facts };
        assert_eq!(step(state, LegAction::ConfirmDisposal, R, &asked).unwrap().to, None);
        let unasked = step(state, LegAction::ConfirmDisposal, R, &facts).unwrap_err();
        assert_eq!(unasked.why, Why::Guard(Guard::DisposalAsked));
        let replace = step(state, LegAction::Replace, S, &facts).is_ok();
        assert_eq!(replace, [Declined, Expired, Cancelled].contains(&state), "{state}");
    }
}

#[test]
fn nobody_takes_a_notice_back() {
    let facts = Facts::cautious(Lane::Notice, Urgency::AtOnce);
    for state in LegState::ALL.iter().copied().filter(|state| *state != EnteredInError) {
        for actor in [S, SS, P] {
            let why = step(state, LegAction::Recall, actor, &facts).unwrap_err().why;
            assert_eq!(why, Why::Guard(Guard::NotNotice), "{state}");
        }
    }
    for copy in [CopyPlace::InInbox, CopyPlace::Fetched, CopyPlace::SealedPublished] {
        let facts = Facts { copy, ..facts };
        for state in LegState::ALL.iter().copied().filter(|state| *state != AwaitingBasis) {
            for actor in [S, SS] {
                assert!(step(state, LegAction::Cancel, actor, &facts).is_err(), "{state} {copy:?}");
            }
        }
        assert_eq!(
            step(Received, LegAction::Cancel, S, &facts).unwrap_err().why,
            Why::Guard(Guard::NotNotice)
        );
    }
}

#[test]
fn the_first_answer_writes_r4_and_a_later_end_writes_closed() {
    let facts = facts(Lane::Consent);
    let at = |state, action, actor| step(state, action, actor, &facts).unwrap();
    let decline = at(Received, LegAction::Decline, R);
    assert_eq!(evidence(decline, Answered::NotYet), Evidence::FirstAnswer);
    assert_eq!(evidence(at(Waitlisted, LegAction::Decline, R), Answered::Already), Evidence::Closed);
    assert_eq!(evidence(at(Waitlisted, LegAction::Accept, R), Answered::Already), Evidence::Event);
    assert_eq!(evidence(at(Requested, LegAction::Withdraw, G), Answered::NotYet), Evidence::Closed);
    assert_eq!(evidence(at(Requested, LegAction::Receive, H), Answered::NotYet), Evidence::Delivery);
    assert_eq!(evidence(at(Received, LegAction::Note, S), Answered::NotYet), Evidence::Event);
}

#[test]
fn a_refusal_lists_what_this_actor_can_do_instead() {
    let facts = facts(Lane::Consent);
    let refused = step(Accepted, LegAction::Decline, R, &facts).unwrap_err();
    let possible: Vec<LegAction> = available(Accepted, R, &facts).iter().map(|one| one.action).collect();
    assert_eq!(refused.allowed, possible);
    assert!(possible.contains(&LegAction::Discontinue));
    let json = serde_json::to_string(&available(OnHold, R, &facts)).unwrap();
    assert!(
        json.starts_with(r#"[{"action":"resume","to":"accepted","requires":[]},{"action":"disc"#),
        "{json}"
    );
    assert!(json.ends_with(r#"{"action":"note","requires":["note"]}]"#), "{json}");
    assert_eq!(
        refused.to_string(),
        "decline refused in state accepted: nobody can do this in the present state; possible now: \
         forward, schedule, start, hold, complete, discontinue, note"
    );
}
