//! Decision cases: situations with the answer they must get, in files that a legal officer can write
//! (`schemas/decision-case.json`). They are decided by [`decide`] itself, like every leg.

mod agreed;
mod consent;
mod protected;
mod reading;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{Decision, decide, situation::Situation};
use crate::domain::{
    mask::{Detail, Withheld},
    refusal::{Refusal, RefusalCode},
    section::Section,
};

/// The cases of one file.
#[derive(Clone, Debug)]
pub struct CaseFile {
    pub title: String,
    pub cases: Vec<Case>,
}

/// One case.
#[derive(Clone, Debug)]
pub struct Case {
    pub id: String,
    pub title: String,
    /// The law that the author of the case rests the answer on.
    pub law: String,
    pub situation: Situation,
    pub expected: Answer,
}

/// The answer to a case, as far as cases compare it: what is shown how closely, what is withheld why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Allow { shown: BTreeMap<Section, Detail>, withheld: BTreeSet<Withheld> },
    Refuse(RefusalCode),
}

impl Case {
    /// What the decision says of this case.
    ///
    /// # Errors
    /// The refusal, which may well be what the case expects.
    pub fn decide(&self) -> Result<Decision, Refusal> {
        decide(&self.situation.question())
    }

    /// Whether a decision is the one this case expects.
    pub fn is_met_by(&self, decided: &Result<Decision, Refusal>) -> bool {
        Answer::of(decided) == self.expected
    }
}

impl Answer {
    pub fn of(decided: &Result<Decision, Refusal>) -> Self {
        match decided {
            Err(refusal) => Self::Refuse(refusal.code),
            Ok(decision) => Self::Allow {
                shown: decision.mask.sections().map(|(section, shown)| (section, shown.detail)).collect(),
                withheld: decision.withheld.iter().cloned().collect(),
            },
        }
    }
}

/// In the words of the case table: `ALLOW identity narrative(summary); -health W_NOT_CONSENTED`.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (shown, withheld) = match self {
            Self::Refuse(code) => return write!(f, "REFUSE {code}"),
            Self::Allow { shown, withheld } => (shown, withheld),
        };
        f.write_str("ALLOW")?;
        for (section, detail) in shown {
            write!(f, " {section}")?;
            if *detail != Detail::Full {
                write!(f, "({detail})")?;
            }
        }
        for Withheld { section, subject, why } in withheld {
            let of = subject.as_ref().map_or(String::new(), |subject| format!(":{}", subject.as_str()));
            write!(f, "; -{section}{of} {why}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::mask::Why;

    #[test]
    fn an_answer_is_told_in_the_words_of_the_case_table() {
        assert_eq!(Answer::Refuse(RefusalCode::NoBasis).to_string(), "REFUSE NO_BASIS");
        let withheld = |section, subject: Option<&str>, why| Withheld {
            section,
            subject: subject.map(|who| who.parse().unwrap()),
            why,
        };
        let answer = Answer::Allow {
            shown: BTreeMap::from([(Section::Identity, Detail::Full), (Section::Narrative, Detail::Summary)]),
            withheld: BTreeSet::from([
                withheld(Section::Health, Some("father"), Why::OtherPerson),
                withheld(Section::Address, None, Why::NotConsented),
            ]),
        };
        assert_eq!(
            answer.to_string(),
            "ALLOW identity narrative(summary); -address W_NOT_CONSENTED; -health:father W_OTHER_PERSON"
        );
    }
}
