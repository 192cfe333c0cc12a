//! What holds of every state machine whatever its table says, and that `docs/machines.md` says the same.

use std::collections::BTreeSet;
use std::path::Path;

use proptest::prelude::*;
use tsunagu::domain::basis_state::{
    AnswerDeadline, Basis, BasisFacts, BasisKind, Consent, ConsentFacts, Decider, Holders, Validity,
};
use tsunagu::domain::delivery::{Attempts, Delivery, DeliveryFacts, Doorbell, Push, Waited};
use tsunagu::domain::leg::{Actor, Answered, Evidence, Leg, LegAction, LegState, evidence};
use tsunagu::domain::leg_facts::{
    Approval, BasisFact, BeforeHold, CancelWait, CopyPlace, DisposalFact, Facts, HandOverFact, Lane, Onward,
    Preview, RecipientFact, Release, Silence,
};
use tsunagu::domain::machine::{Code, Machine, available, step};
use tsunagu::domain::machine_docs::machines_markdown;
use tsunagu::domain::referral::Urgency;

#[test]
fn the_documentation_is_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/machines.md");
    let fresh = machines_markdown();
    if std::fs::read_to_string(&path).unwrap_or_default() != fresh {
        let aside = std::env::temp_dir().join("tsunagu-machines.md");
        std::fs::write(&aside, fresh).unwrap();
        panic!(
            "docs/machines.md differs from the tables; the fresh text is in {}: copy it over",
            aside.display()
        );
    }
}

/// Every combination of the named alternatives, as a vector of the struct.
macro_rules! every {
    ($name:ident { $first:ident: $values:expr $(, $field:ident: $rest:expr)* $(,)? }) => {{
        let mut all = Vec::new();
        every!(@go all, $name, [$first $(, $field)*], $first = $values $(, $field = $rest)*);
        all
    }};
    (@go $all:ident, $name:ident, [$($set:ident),*], $field:ident = $values:expr $(, $next:ident = $more:expr)*) => {
        for $field in $values { every!(@go $all, $name, [$($set),*] $(, $next = $more)*); }
    };
    (@go $all:ident, $name:ident, [$($set:ident),*]) => { $all.push($name { $($set),* }); };
}

const LANES: [Lane; 4] = [Lane::NoPersonalData, Lane::Consent, Lane::Statutory, Lane::Notice];

fn leg_facts(lane: Lane, urgency: Urgency) -> Vec<Facts> {
    every!(Facts {
        lane: [lane],
        urgency: [urgency],
        basis: [BasisFact::Missing, BasisFact::Live],
        recipient: [RecipientFact::Blocked, RecipientFact::Free],
        approval: [Approval::Missing, Approval::Given, Approval::NotNeeded],
        preview: [Preview::Differs, Preview::Same, Preview::NotTaken],
        release: [Release::Held, Release::Done],
        copy: [CopyPlace::InInbox, CopyPlace::Fetched, CopyPlace::SealedPublished],
        onward: [Onward::NotCovered, Onward::Covered],
        silence: [Silence::StepsOpen, Silence::StepsDone],
        cancel_wait: [CancelWait::Running, CancelWait::Over],
        before_hold: [BeforeHold::Accepted, BeforeHold::Scheduled, BeforeHold::InProgress],
        disposal: [DisposalFact::NotAsked, DisposalFact::Asked],
        hand_over: [HandOverFact::No, HandOverFact::FlagWaits, HandOverFact::Clear],
    })
}

fn every_leg_facts() -> Vec<Facts> {
    let urgencies = Urgency::ALL.iter().copied();
    urgencies.flat_map(|urgency| LANES.into_iter().flat_map(move |lane| leg_facts(lane, urgency))).collect()
}

fn delivery_facts(lane: Lane) -> Vec<DeliveryFacts> {
    every!(DeliveryFacts {
        lane: [lane],
        urgency: Urgency::ALL.iter().copied(),
        push: [Push::None, Push::Published],
        waited: [Waited::WithinLimit, Waited::TooLong],
    })
}

fn consent_facts() -> Vec<ConsentFacts> {
    every!(ConsentFacts {
        validity: [Validity::Within, Validity::Over],
        holders: [Holders::SomeSilent, Holders::AllAnswered],
        deadline: [AnswerDeadline::Running, AnswerDeadline::Over],
    })
}

fn basis_facts() -> Vec<BasisFacts> {
    every!(BasisFacts {
        kind: [BasisKind::Ordinary, BasisKind::Exceptional],
        decider: [Decider::SamePerson, Decider::AnotherPerson],
    })
}

/// The states that can be reached from these, under any of the facts.
fn reachable<M: Machine>(from: Vec<M::State>, facts: &[M::Facts]) -> Vec<M::State> {
    let open: Vec<_> = M::TABLE
        .iter()
        .filter(|row| facts.iter().any(|facts| row.guards.iter().all(|guard| M::holds(*guard, facts))))
        .collect();
    let mut seen = from;
    let mut next = 0;
    while let Some(state) = seen.get(next).copied() {
        for to in open.iter().filter(|row| row.from.contains(&state)).filter_map(|row| row.to) {
            if !seen.contains(&to) {
                seen.push(to);
            }
        }
        next += 1;
    }
    seen
}

fn beginnings<M: Machine>() -> Vec<M::State> {
    M::TABLE.iter().filter(|row| row.from.is_empty()).filter_map(|row| row.to).collect()
}

/// What every table owes: no duplicate, nothing out of an ended state, every state used, every life ends.
fn sound<M: Machine>(facts: &[M::Facts]) {
    let mut named = BTreeSet::new();
    for row in M::TABLE {
        assert!(!row.actors.is_empty(), "nobody may do {row:?}");
        assert!(!(row.from.is_empty() && row.to.is_none()), "{row:?} begins nothing");
        for from in row.from {
            assert!(row.to.is_none() || !M::terminal(*from), "{row:?} leaves an ended state");
        }
        named.insert(row.action.to_string());
    }
    assert_eq!(named.len(), M::Action::ALL.len(), "an action that no row knows");
    for guard in M::Guard::ALL {
        assert!(M::TABLE.iter().any(|row| row.guards.contains(guard)), "{guard} guards nothing");
    }
    for field in M::Field::ALL {
        assert!(M::TABLE.iter().any(|row| row.requires.contains(field)), "{field} is asked for nowhere");
    }
    let lived = reachable::<M>(beginnings::<M>(), facts);
    for state in M::State::ALL {
        assert!(lived.contains(state), "{state} cannot be reached");
        let onward = reachable::<M>(vec![*state], facts);
        assert!(onward.iter().any(|state| M::terminal(*state)), "{state} never ends");
        assert!(!M::terminal(*state) || onward.len() == 1, "{state} has ended and goes on");
    }
    at_most_one_row_matches::<M>(facts);
}

fn at_most_one_row_matches<M: Machine>(facts: &[M::Facts]) {
    for (place, one) in M::TABLE.iter().enumerate() {
        for two in &M::TABLE[place + 1..] {
            let meet = (one.from.is_empty() && two.from.is_empty())
                || one.from.iter().any(|state| two.from.contains(state));
            let same_hand = one.actors.iter().any(|actor| two.actors.contains(actor));
            if one.action != two.action || !meet || !same_hand {
                continue;
            }
            let both = |facts| one.guards.iter().chain(two.guards).all(|guard| M::holds(*guard, facts));
            assert!(!facts.iter().any(both), "{one:?} and {two:?} both match");
        }
    }
}

#[test]
fn every_table_is_sound() {
    sound::<Leg>(&every_leg_facts());
    sound::<Delivery>(&LANES.into_iter().flat_map(delivery_facts).collect::<Vec<_>>());
    sound::<Doorbell>(&[Attempts::Left, Attempts::Spent]);
    sound::<Consent>(&consent_facts());
    sound::<Basis>(&basis_facts());
}

#[test]
fn every_leg_can_end_whatever_it_rests_on_and_however_urgent_it_is() {
    for lane in LANES {
        for urgency in Urgency::ALL {
            let facts = leg_facts(lane, *urgency);
            for state in reachable::<Leg>(vec![LegState::Draft], &facts) {
                let onward = reachable::<Leg>(vec![state], &facts);
                assert!(onward.iter().any(|state| state.terminal()), "{lane:?} {urgency} {state} never ends");
            }
        }
    }
}

#[test]
fn a_statutory_leg_is_never_withdrawn_or_ended_by_silence() {
    for lane in [Lane::Statutory, Lane::Notice] {
        for urgency in Urgency::ALL {
            let lived = reachable::<Leg>(
                LegState::ALL.iter().copied().filter(|state| !state.terminal()).collect(),
                &leg_facts(lane, *urgency),
            );
            assert!(!lived.contains(&LegState::Expired) && !lived.contains(&LegState::Withdrawn), "{lane:?}");
        }
    }
    let notice = leg_facts(Lane::Notice, Urgency::AtOnce);
    let lived = reachable::<Leg>(vec![LegState::Draft], &notice);
    assert!(!lived.contains(&LegState::AwaitingBasis) && !lived.contains(&LegState::Waitlisted));
}

/// The published table, written down a second time by hand: row, from, to, actors.
const PUBLISHED: &str = "\
    2 draft awaiting_basis S | 3 draft,awaiting_basis requested S | 4 awaiting_basis cancelled S,G |\
    5 requested received H | 6 received accepted,waitlisted,declined R |\
    7 received info_requested R | 7 info_requested received S | 8 received,accepted forwarded,declined R |\
    9 waitlisted accepted,declined R | 9 waitlisted expired H | 10 accepted scheduled,in_progress R |\
    11 scheduled in_progress,scheduled R | 12 accepted,scheduled,in_progress on_hold R |\
    12 on_hold accepted,scheduled,in_progress R | 13 accepted,scheduled,in_progress completed R |\
    14 accepted,scheduled,in_progress,on_hold discontinued R | 15 requested cancelled S |\
    16 requested,received,info_requested,accepted,waitlisted,scheduled,in_progress,on_hold cancel_requested S,SS |\
    17 cancel_requested cancelled,completed R | 18 cancel_requested cancelled H |\
    19 requested,received expired H | 20 LIVE withdrawn G | 21 LIVE entered_in_error S,SS,P";

type Edge = (u8, LegState, LegState, Actor);

fn published() -> BTreeSet<Edge> {
    fn list<C: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> Vec<C> {
        text.split(',').map(|code| code.parse().expect("a code of its list")).collect()
    }
    let mut edges = BTreeSet::new();
    for line in PUBLISHED.split('|') {
        let [row, from, to, actors] = line.split_whitespace().collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let live = || LegState::ALL.iter().copied().filter(|state| !state.terminal()).collect();
        let row = row.parse().expect("a row number");
        let from: Vec<LegState> = if from == "LIVE" { live() } else { list(from) };
        for from in from {
            for to in list(to) {
                edges.extend(list(actors).into_iter().map(|actor| (row, from, to, actor)));
            }
        }
    }
    edges
}

#[test]
fn the_table_is_the_published_one_edge_by_edge() {
    let mut edges = BTreeSet::new();
    for row in Leg::TABLE {
        for (from, actor) in row.from.iter().flat_map(|from| row.actors.iter().map(move |a| (*from, *a))) {
            edges.extend(row.to.map(|to| (row.row, from, to, actor)));
        }
    }
    assert_eq!(edges.difference(&published()).collect::<Vec<_>>(), Vec::<&Edge>::new(), "too much");
    assert_eq!(published().difference(&edges).collect::<Vec<_>>(), Vec::<&Edge>::new(), "missing");
}

/// What is offered is accepted, and what is accepted was offered, for one point of a machine.
fn offers_what_it_accepts<M: Machine>(state: Option<M::State>, facts: &M::Facts) {
    for actor in M::Actor::ALL {
        let offered = available::<M>(state, *actor, facts);
        for action in M::Action::ALL {
            let matching: Vec<_> = offered.iter().filter(|one| one.action == *action).collect();
            match step::<M>(state, *action, *actor, facts) {
                Ok(row) => {
                    assert_eq!(matching.len(), 1, "{state:?} {action} {actor}");
                    assert_eq!((matching[0].to, matching[0].requires), (row.to, row.requires));
                    assert!(row.actors.contains(actor), "{row:?} is not for {actor}");
                }
                Err(refused) => {
                    assert!(matching.is_empty(), "{state:?} offers {action} to {actor} and refuses it");
                    let codes: Vec<_> = offered.iter().map(|one| one.action).collect();
                    assert_eq!((refused.state, refused.allowed), (state, codes));
                }
            }
        }
    }
}

#[test]
fn the_small_machines_offer_exactly_what_they_accept() {
    fn check<M: Machine>(facts: &[M::Facts]) {
        for facts in facts {
            offers_what_it_accepts::<M>(None, facts);
            M::State::ALL.iter().for_each(|state| offers_what_it_accepts::<M>(Some(*state), facts));
        }
    }
    LANES.into_iter().for_each(|lane| check::<Delivery>(&delivery_facts(lane)));
    check::<Doorbell>(&[Attempts::Left, Attempts::Spent]);
    check::<Consent>(&consent_facts());
    check::<Basis>(&basis_facts());
}

fn any_code<C: Code>() -> impl Strategy<Value = C> {
    (0..C::ALL.len()).prop_map(|place| C::ALL[place])
}

fn any_facts() -> impl Strategy<Value = Facts> {
    let all = std::sync::Arc::new(every_leg_facts());
    (0..all.len()).prop_map(move |place| all[place])
}

/// One act as it may come in from outside: most are illegal where they arrive.
type Act = (LegAction, Actor, Facts);

fn any_act() -> impl Strategy<Value = Act> {
    (any_code(), any_code(), any_facts())
}

proptest! {
    #[test]
    fn a_leg_offers_exactly_what_it_accepts(state in any_code::<LegState>(), facts in any_facts()) {
        offers_what_it_accepts::<Leg>(Some(state), &facts);
    }

    #[test]
    fn whatever_is_tried_a_leg_ends_at_most_once_and_answers_first_at_most_once(
        start in any_code::<LegState>().prop_filter("alive", |state| !state.terminal()),
        acts in prop::collection::vec(any_act(), 0..400),
    ) {
        let (mut state, mut answered) = (start, Answered::NotYet);
        let (mut ends, mut ending_receipts, mut first_answers) = (0, 0, 0);
        for (action, actor, facts) in acts {
            let Ok(row) = step::<Leg>(Some(state), action, actor, &facts) else { continue };
            prop_assert!(row.from.contains(&state));
            prop_assert!(row.to.is_none() || !state.terminal(), "{:?} leaves {}", row, state);
            let written = evidence(row, answered);
            if written == Evidence::FirstAnswer {
                first_answers += 1;
                answered = Answered::Already;
            }
            if row.ends() {
                ends += 1;
                ending_receipts += usize::from(matches!(written, Evidence::FirstAnswer | Evidence::Closed));
            } else {
                prop_assert_ne!(written, Evidence::Closed);
            }
            state = row.to.unwrap_or(state);
        }
        prop_assert_eq!(ends, usize::from(state.terminal()));
        prop_assert_eq!(ending_receipts, ends);
        prop_assert!(first_answers <= 1);
    }

    #[test]
    fn a_notice_never_expires_and_is_never_withdrawn(acts in prop::collection::vec(any_act(), 0..400)) {
        let mut state = LegState::Draft;
        for (action, actor, facts) in acts {
            let facts = Facts { lane: Lane::Notice, ..facts };
            if let Ok(row) = step::<Leg>(Some(state), action, actor, &facts) {
                state = row.to.unwrap_or(state);
            }
            prop_assert!(!matches!(state, LegState::Expired | LegState::Withdrawn));
        }
    }
}
