//! Consent records (同意記録): who agreed, in what capacity, over whom, to what, until when.

mod reading;

use std::collections::BTreeSet;

use jiff::{Timestamp, civil::Date, tz::Offset};

use super::{
    basis_state::ConsentState,
    ids::{AgencyId, CaseId, ConsentId},
    referral::ReferralType,
    section::Sections,
    subject::{Ages, Subject, SubjectRef, SubjectRole, compatible_birth_dates},
};
use crate::code_list;

code_list! {
    /// In what capacity somebody consents. A capacity gives authority over a minor or gives none;
    /// for one's own data being the person is what counts.
    Capacity, "capacity of a consent's giver" {
        Parent = "PARENT", "親権者", "parent with parental authority";
        MinorsGuardian = "GUARDIAN_OF_MINOR", "未成年後見人", "guardian of a minor";
        FacilityHead = "FACILITY_HEAD", "施設長・児童相談所長", "head of a facility or child guidance centre";
        Custodian = "CUSTODIAN", "監護者", "custodian";
        Oneself = "SELF", "本人", "the person";
        OtherRelative = "OTHER_RELATIVE", "その他の親族・同居者", "other relative or cohabitant";
    }
}

impl Capacity {
    /// Whether it may consent for a child. A facility's head may by 児童福祉法 第47条; grandparents
    /// and other cohabitants may not, however near they live.
    pub const fn has_authority_over_child(self) -> bool {
        matches!(self, Self::Parent | Self::MinorsGuardian | Self::FacilityHead | Self::Custodian)
    }
}

code_list! {
    /// How a consent was given. Any of them is valid; each is recorded.
    ConsentMethod, "method of consent" {
        Screen = "screen", "画面", "on screen";
        Oral = "oral", "口頭（読み上げ確認）", "orally, read back";
        Paper = "paper", "書面", "on paper";
        Electronic = "electronic", "電子", "electronically";
    }
}

/// From which age somebody consents for themselves; in force from a day on.
///
/// The statute names no age. The table is the default of domain.md 2.4 and 7.5 step 10, dated so
/// that a reform becomes a second line and old consents are still judged by the line of their day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgeRule {
    pub from: Date,
    /// Under this age a guardian consents.
    pub own_consent_from: i16,
    /// On this birthday a guardian's consent ends.
    pub adult_from: i16,
}

/// The age rules, oldest first.
pub const AGE_RULES: &[AgeRule] =
    &[AgeRule { from: jiff::civil::date(2022, 4, 1), own_consent_from: 16, adult_from: 18 }];

/// The rule in force on a day; before the first line, the first.
fn age_rule_on(day: Date) -> AgeRule {
    AGE_RULES.iter().rev().find(|rule| rule.from <= day).copied().unwrap_or(AGE_RULES[0])
}

/// Who consented. The name is not here: no decision needs it, and it stays sealed with the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Giver {
    /// The giver as one of the subjects; absent for a facility's head or a guardian outside the household.
    pub subject: Option<SubjectRef>,
    pub capacity: Capacity,
    /// For whom this giver consents: the consent's lines.
    pub consents_for: BTreeSet<SubjectRef>,
}

/// A consent, as decisions read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsentRecord {
    pub id: ConsentId,
    pub version: u32,
    pub state: ConsentState,
    pub case: Option<CaseId>,
    pub purpose: ReferralType,
    pub sender: AgencyId,
    /// By id: a consent to 「関係機関」 is a consent to nobody.
    pub recipients: Vec<AgencyId>,
    pub sections: Sections,
    /// Whose data the consent speaks of. Only those the giver consents for are covered.
    pub subjects: Vec<Subject>,
    pub giver: Giver,
    pub method: ConsentMethod,
    /// BCP 47.
    pub language: String,
    pub interpreted: bool,
    pub text_version: String,
    pub first_day: Date,
    /// Valid to 24:00 of this day in Japan.
    pub last_day: Date,
}

/// The calendar day of a moment in Japan. Japan has one offset and no summer time.
pub fn day_in_japan(at: Timestamp) -> Date {
    Offset::constant(9).to_datetime(at).date()
}

impl ConsentRecord {
    /// Whether the consent is in its period on a day in Japan.
    pub fn has_begun(&self, day: Date) -> bool {
        day >= self.first_day
    }

    pub fn is_over(&self, day: Date) -> bool {
        day > self.last_day
    }

    /// Whom of these people the consent has lines for, and for whom the giver may consent on a day.
    ///
    /// `case` guards against the consent of another family: refs such as `mother` are the same
    /// in every household. So do birth dates that cannot be one person's.
    pub fn coverage(&self, people: &[Subject], case: Option<CaseId>, day: Date) -> Coverage {
        if self.case.is_some() && self.case != case {
            return Coverage::default();
        }
        let with_line = || people.iter().filter(|person| self.has_line_for(person));
        Coverage {
            lines: with_line().map(|person| person.reference.clone()).collect(),
            people: with_line()
                .filter(|person| self.giver_may_consent_for(person, day))
                .map(|person| person.reference.clone())
                .collect(),
        }
    }

    fn has_line_for(&self, person: &Subject) -> bool {
        self.giver.consents_for.contains(&person.reference)
            && self.subjects.iter().filter(|s| s.reference == person.reference).all(|s| {
                match (&s.birth_date, &person.birth_date) {
                    (Some(here), Some(there)) => compatible_birth_dates(here, there),
                    _ => true,
                }
            })
    }

    /// The giver's authority is judged on the day the consent begins, by the rule of that day; a
    /// guardian's then ends as the minor comes of age.
    fn giver_may_consent_for(&self, person: &Subject, day: Date) -> bool {
        let rule = age_rule_on(self.first_day);
        let at_giving = self.ages_on(person, self.first_day);
        if self.giver.subject.as_ref() == Some(&person.reference) {
            return at_giving.surely_reached(rule.own_consent_from);
        }
        self.giver.capacity.has_authority_over_child()
            && at_giving.surely_under(rule.own_consent_from)
            && self.ages_on(person, day).surely_under(rule.adult_from)
    }

    /// The person's ages by the referral's birth date or else the consent's. Where neither knows one,
    /// a child is presumed to be small and everybody else to be grown up.
    fn ages_on(&self, person: &Subject, day: Date) -> Ages {
        let recorded = || self.subjects.iter().find(|s| s.reference == person.reference);
        person.ages_on(day).or_else(|| recorded()?.ages_on(day)).unwrap_or(match person.role {
            SubjectRole::Child => Ages { youngest: 0, oldest: 0 },
            SubjectRole::Guardian | SubjectRole::Pregnant | SubjectRole::Cohabitant => {
                Ages { youngest: 30, oldest: 30 }
            }
        })
    }
}

/// Whom a consent covers among the people of a referral.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Those the consent has a line for.
    pub lines: BTreeSet<SubjectRef>,
    /// Those of them the giver may consent for.
    pub people: BTreeSet<SubjectRef>,
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::{
        reading::tests::{body, parse},
        *,
    };

    #[test]
    fn a_day_in_japan_ends_at_midnight_there() {
        let at = |text: &str| day_in_japan(text.parse().unwrap());
        assert_eq!(at("2026-11-30T14:59:59Z"), date(2026, 11, 30));
        assert_eq!(at("2026-11-30T15:00:00Z"), date(2026, 12, 1));
    }

    fn covered(consent: &ConsentRecord, person: &str, birth: Option<&str>, day: Date) -> bool {
        let role = if person == "mother" { SubjectRole::Guardian } else { SubjectRole::Child };
        let person =
            Subject { reference: person.parse().unwrap(), role, birth_date: birth.map(str::to_owned) };
        !consent.coverage(&[person], None, day).people.is_empty()
    }

    #[test]
    fn a_guardians_consent_for_a_child_under_sixteen_lasts_to_the_eighteenth_birthday() {
        let mut consent = parse(&body()).unwrap();
        consent.subjects[0].birth_date = None;
        consent.last_day = date(2036, 1, 1);
        // Fifteen as the consent began, eighteen on 10 September 2028.
        assert!(covered(&consent, "child-1", Some("2010-09-10"), date(2028, 9, 9)));
        assert!(!covered(&consent, "child-1", Some("2010-09-10"), date(2028, 9, 10)));
        // Sixteen, or perhaps sixteen, as it began: the guardian's alone does not do.
        assert!(!covered(&consent, "child-1", Some("2010-09-01"), date(2026, 9, 1)));
        assert!(!covered(&consent, "child-1", Some("2010"), date(2026, 9, 1)));
        assert!(covered(&consent, "child-1", None, date(2026, 9, 1)));
    }

    #[test]
    fn the_consent_of_another_family_covers_nobody() {
        let mut consent = parse(&body()).unwrap();
        assert!(covered(&consent, "child-1", Some("2023-05-20"), date(2026, 9, 1)));
        assert!(!covered(&consent, "child-1", Some("2022-05-20"), date(2026, 9, 1)));
        consent.case = Some(CaseId::new(uuid::Uuid::from_u128(7)));
        assert!(!covered(&consent, "child-1", Some("2023-05-20"), date(2026, 9, 1)));
    }
}
