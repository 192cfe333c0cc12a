//! Conflict of interest: which member of the recipient's staff is a party to the case, or close to one.
//!
//! The sender states it in the leg, or the recipient's own people declare it. Whoever is related does not open; another
//! person of the agency does, and the clocks run on. A name alone is never taken for a person: where it might be one,
//! that reader is asked.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{chain::Hash, ids::StaffId};
use crate::code_list;

code_list! {
    /// How somebody stands to the people of a case.
    Relation, "relation to a case" {
        Party = "party", "当事者・本人", "a party to the case, or the subject";
        Household = "household", "同居者", "member of the household";
        Relative = "relative", "親族", "relative";
        Neighbour = "neighbour", "近隣の人", "neighbour";
        Other = "other", "その他の利害関係", "another interest in the case";
    }
}

code_list! {
    /// What is said about somebody's relation to a case.
    RelationStep, "step of a relation" {
        /// By the sender, with the leg.
        Stated = "stated", "差出機関の申出", "stated by the sender";
        /// By the person, or a supervisor of the person's own agency.
        Declared = "declared", "申告", "declared";
        /// By the person alone, of whom a name made it doubtful.
        Denied = "denied", "関係なしの申告", "denied";
        /// By a supervisor other than the person.
        Ended = "ended", "解除", "ended";
    }
}

/// The keyed hashes of a folded name: what is compared in place of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameMacs {
    pub name: Hash,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kana: Option<Hash>,
}

/// How near two names are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Likeness {
    /// Written and read alike.
    Same,
    /// Written alike, or read alike, and of the other nothing is known or it differs in writing alone.
    Perhaps,
    Different,
}

impl NameMacs {
    fn likeness(&self, other: &Self) -> Likeness {
        let read_alike = self.kana.zip(other.kana).map(|(one, other)| one == other);
        match (self.name == other.name, read_alike) {
            (true, Some(true)) => Likeness::Same,
            (true, None) | (false, Some(true)) => Likeness::Perhaps,
            (true, Some(false)) | (false, _) => Likeness::Different,
        }
    }
}

/// Whom a statement is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    Staff(StaffId),
    Name(NameMacs),
}

/// One thing said about a relation. Statements are only added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    pub step: RelationStep,
    pub about: About,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relation: Option<Relation>,
    pub by: StaffId,
    pub at: Timestamp,
    /// The name as it was written, and why: for those who said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Who wants to open.
#[derive(Clone, Copy, Debug)]
pub struct Reader {
    pub staff: StaffId,
    pub names: NameMacs,
}

/// How a reader stands to a case, as far as anybody has said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bearing {
    Clear,
    /// A name may be this reader's: the reader says whether it is.
    Doubtful,
    Related,
}

/// What all statements together say of one reader. Nothing expires; the order is that of their times.
pub fn bearing<'a>(statements: impl IntoIterator<Item = &'a Statement>, reader: &Reader) -> Bearing {
    let mut ordered: Vec<&Statement> = statements.into_iter().collect();
    ordered.sort_by_key(|one| one.at);
    ordered.into_iter().fold(Bearing::Clear, |so_far, one| after(so_far, one, reader))
}

fn after(so_far: Bearing, said: &Statement, reader: &Reader) -> Bearing {
    let likeness = match said.about {
        About::Staff(id) if id == reader.staff => Likeness::Same,
        About::Staff(_) => Likeness::Different,
        About::Name(names) => names.likeness(&reader.names),
    };
    match (said.step, likeness, so_far) {
        (RelationStep::Stated | RelationStep::Declared, Likeness::Same, _) => Bearing::Related,
        (RelationStep::Stated | RelationStep::Declared, Likeness::Perhaps, Bearing::Clear) => {
            Bearing::Doubtful
        }
        // A doubt is the person's own to settle; what is certain is not.
        (RelationStep::Denied, Likeness::Same, Bearing::Doubtful) if said.by == reader.staff => {
            Bearing::Clear
        }
        (RelationStep::Ended, Likeness::Same, _) if said.by != reader.staff => Bearing::Clear,
        _ => so_far,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn staff(n: u8) -> StaffId {
        StaffId::new(Uuid::from_u128(u128::from(n)))
    }

    fn names(name: u8, kana: Option<u8>) -> NameMacs {
        NameMacs { name: Hash::new([name; 32]), kana: kana.map(|kana| Hash::new([kana; 32])) }
    }

    fn reader() -> Reader {
        Reader { staff: staff(1), names: names(1, Some(1)) }
    }

    fn said(step: RelationStep, about: About, by: u8, at: i64) -> Statement {
        let at = Timestamp::from_second(at).unwrap();
        Statement {
            step,
            about,
            relation: Some(Relation::Relative),
            by: staff(by),
            at,
            name: None,
            note: None,
        }
    }

    #[test]
    fn a_name_is_taken_for_a_person_only_where_writing_and_reading_agree() {
        for (named, expected) in [
            (names(1, Some(1)), Bearing::Related),
            (names(1, None), Bearing::Doubtful),
            (names(2, Some(1)), Bearing::Doubtful),
            (names(1, Some(2)), Bearing::Clear),
            (names(2, None), Bearing::Clear),
            (names(2, Some(2)), Bearing::Clear),
        ] {
            let stated = said(RelationStep::Stated, About::Name(named), 9, 1);
            assert_eq!(bearing([&stated], &reader()), expected, "{named:?}");
        }
        let bare = Reader { names: names(1, None), ..reader() };
        let stated = said(RelationStep::Stated, About::Name(names(1, Some(1))), 9, 1);
        assert_eq!(bearing([&stated], &bare), Bearing::Doubtful);
    }

    #[test]
    fn who_may_end_what() {
        let me = About::Staff(staff(1));
        let doubt = said(RelationStep::Stated, About::Name(names(1, None)), 9, 1);
        let declared = said(RelationStep::Declared, me, 1, 2);
        for (first, step, by, expected) in [
            (&doubt, RelationStep::Denied, 1, Bearing::Clear),
            (&doubt, RelationStep::Denied, 2, Bearing::Doubtful),
            (&declared, RelationStep::Denied, 1, Bearing::Related),
            (&declared, RelationStep::Ended, 1, Bearing::Related),
            (&declared, RelationStep::Ended, 2, Bearing::Clear),
            (&doubt, RelationStep::Ended, 2, Bearing::Clear),
        ] {
            let second = said(step, me, by, 3);
            // However they are read: their times count.
            assert_eq!(bearing([&second, first], &reader()), expected, "{step} by {by}");
        }
        let ended = said(RelationStep::Ended, me, 2, 3);
        let again = said(RelationStep::Declared, me, 1, 4);
        assert_eq!(bearing([&declared, &ended, &again], &reader()), Bearing::Related);
        assert_eq!(
            bearing([&said(RelationStep::Declared, About::Staff(staff(2)), 2, 1)], &reader()),
            Bearing::Clear
        );
    }

    fn any_statement() -> impl Strategy<Value = Statement> {
        let about = prop_oneof![
            (1u8..4).prop_map(|n| About::Staff(staff(n))),
            (1u8..3, proptest::option::of(1u8..3)).prop_map(|(name, kana)| About::Name(names(name, kana))),
        ];
        (proptest::sample::select(RelationStep::ALL), about, 1u8..4, 0i64..50)
            .prop_map(|(step, about, by, at)| said(step, about, by, at))
    }

    proptest! {
        /// Whatever is said about whom: somebody of whom nobody ever said anything is kept from nothing.
        #[test]
        fn whoever_is_not_spoken_of_is_clear(all in proptest::collection::vec(any_statement(), 0..12)) {
            let stranger = Reader { staff: staff(200), names: names(200, Some(200)) };
            prop_assert_eq!(bearing(&all, &stranger), Bearing::Clear);
        }

        /// A declared relation is never ended by the person's own word.
        #[test]
        fn nobody_frees_himself(all in proptest::collection::vec(any_statement(), 0..12)) {
            let own: Vec<Statement> = all.into_iter().map(|one| Statement { by: staff(1), ..one }).collect();
            let declared = said(RelationStep::Declared, About::Staff(staff(1)), 2, -1);
            prop_assert_eq!(bearing(own.iter().chain([&declared]), &reader()), Bearing::Related);
        }
    }
}
