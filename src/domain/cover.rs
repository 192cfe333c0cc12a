//! Which line of a consent, or which article, covered whom. "No line covers him" is an answer, and the one that a
//! complaint is most often about.

use super::{
    consent::{Capacity, ConsentRecord, LineDecision},
    content::Outline,
    mask::{Detail, Mask},
    section::{Section, Sections},
    subject::SubjectRef,
};
use crate::code_list;

code_list! {
    /// By what a person's part of a section was covered.
    CoveredBy, "what covered a part" {
        Line = "line", "同意の行", "a line of the consent";
        /// The household as a whole goes along with anybody whom the consent covers.
        Household = "household", "同意した人のいる世帯", "the household of those who consented";
        Article = "article", "法律の規定", "an article of law";
        NoLine = "no_line", "同意の行がない", "no line covers this person";
    }
}

/// One person's part of one section that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cover {
    pub section: Section,
    /// Absent: what is said of the household.
    pub subject: Option<SubjectRef>,
    /// How closely it was shown; absent where it was not.
    pub shown: Option<Detail>,
    pub by: CoveredBy,
    pub line: Option<CoverLine>,
}

/// The line of a consent, as far as it says who decided what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoverLine {
    pub decision: LineDecision,
    pub giver: Option<SubjectRef>,
    pub capacity: Capacity,
}

/// What covered each part that a leg asked for.
pub fn covers(
    outline: &Outline,
    asked: Sections,
    mask: &Mask,
    consent: Option<&ConsentRecord>,
) -> Vec<Cover> {
    let mut covers = Vec::new();
    for section in asked.iter() {
        for subject in outline.of(section) {
            let granted = mask.of(section).filter(|granted| granted.subjects.contains(&subject.cloned()));
            let line = consent.zip(subject).and_then(|(consent, subject)| consent.line(subject));
            let by = match (consent, subject, &line) {
                (None, ..) => CoveredBy::Article,
                (Some(_), None, _) => CoveredBy::Household,
                (Some(_), Some(_), Some(_)) => CoveredBy::Line,
                (Some(_), Some(_), None) => CoveredBy::NoLine,
            };
            covers.push(Cover {
                section,
                subject: subject.cloned(),
                shown: granted.map(|granted| granted.detail),
                by,
                line: line.map(|line| CoverLine {
                    decision: line.decision,
                    giver: line.giver,
                    capacity: line.capacity,
                }),
            });
        }
    }
    covers
}
