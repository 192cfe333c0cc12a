//! Consent records (同意記録): who agreed, in what capacity, over whom, to what, until when.

mod age;
pub mod custody;
mod gaps;
mod line;
mod reading;
pub mod statement;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date, tz::Offset};

use super::{
    basis_state::ConsentState,
    ids::{AgencyId, CaseId, ConsentId},
    referral::ReferralType,
    section::Sections,
    subject::{Ages, Subject, SubjectRef, SubjectRole, compatible_birth_dates},
};
use age::age_rule_on;
pub use age::{AGE_RULES, AgeRule};
use custody::{Act, Custody, DailyActs};
pub use line::{Capacity, Giver, GuardianTold, Line, LineDecision, Opinion};

use crate::code_list;

code_list! {
    /// How a consent was given. Any of them is valid; each is recorded.
    ConsentMethod, "method of consent" {
        Screen = "screen", "画面", "on screen";
        Oral = "oral", "口頭（読み上げ確認）", "orally, read back";
        Paper = "paper", "書面", "on paper";
        Electronic = "electronic", "電子", "electronically";
    }
}

code_list! {
    /// What a piece of evidence is. The agency keeps it; the hub knows its digest alone.
    EvidenceKind, "kind of evidence" {
        SignedPaper = "signed_paper", "署名のある書面", "signed paper";
        Recording = "recording", "録音・録画", "recording";
        ElectronicRecord = "electronic_record", "電子的な記録", "electronic record";
        CustodyRecord = "custody_record", "親権を示す書類", "proof of custody";
        Other = "other", "その他", "other";
    }
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
    /// Lines of their own: another giver, a refusal, a custody that differs from child to child.
    pub lines: BTreeMap<SubjectRef, Line>,
    /// Custody of the children, where no line says otherwise.
    pub custody: Option<Custody>,
    /// What the family will do; with joint custody it matters whether that is a daily act.
    pub act: Option<Act>,
    /// Whether the act is on the tenant's list of daily acts.
    pub act_is_daily: bool,
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

    /// The same consent, with its act looked up on a tenant's list of daily acts.
    #[must_use]
    pub fn judged_by(mut self, daily: &DailyActs) -> Self {
        self.act_is_daily = self.act.is_some_and(|act| daily.contains(act));
        self
    }

    /// What the consent holds for one of its subjects.
    pub fn line(&self, of: &SubjectRef) -> Option<Line> {
        let of_the_giver = || Line {
            decision: LineDecision::Given,
            giver: self.giver.subject.clone(),
            capacity: self.giver.capacity,
            custody: self.custody,
            guardian: None,
        };
        let own = self.lines.get(of).cloned();
        own.or_else(|| self.giver.consents_for.contains(of).then(of_the_giver))
    }

    /// Whom of these people the consent has lines for, and whom of them it covers on a day.
    ///
    /// `case` guards against the consent of another family: refs such as `mother` are the same
    /// in every household. So do birth dates that cannot be one person's.
    pub fn coverage(&self, people: &[Subject], case: Option<CaseId>, day: Date) -> Coverage {
        let mut coverage = Coverage::default();
        if self.case.is_some() && self.case != case {
            return coverage;
        }
        for person in people.iter().filter(|person| self.may_be_the_same(person)) {
            let Some(line) = self.line(&person.reference) else { continue };
            let put = |set: &mut BTreeSet<SubjectRef>| set.insert(person.reference.clone());
            match line.decision {
                LineDecision::Refused => put(&mut coverage.refused),
                LineDecision::Withdrawn => put(&mut coverage.withdrawn),
                LineDecision::Given => {
                    put(&mut coverage.lines);
                    match self.standing(&line, person, day) {
                        GiverStands::Alone => put(&mut coverage.people),
                        GiverStands::NeedsTheOther => put(&mut coverage.other_custodian),
                        GiverStands::WithoutCapacity => continue,
                    }
                }
            };
        }
        coverage
    }

    fn may_be_the_same(&self, person: &Subject) -> bool {
        self.subjects.iter().filter(|s| s.reference == person.reference).all(|s| {
            match (&s.birth_date, &person.birth_date) {
                (Some(here), Some(there)) => compatible_birth_dates(here, there),
                _ => true,
            }
        })
    }

    /// The giver's authority is judged on the day the consent begins, by the rule of that day; a
    /// guardian's ends as the minor comes of age, by the rule of the day it is asked about.
    fn standing(&self, line: &Line, person: &Subject, day: Date) -> GiverStands {
        let own_consent_from = age_rule_on(self.first_day).own_consent_from;
        let at_giving = self.ages_on(person, self.first_day);
        if line.giver.as_ref() == Some(&person.reference) {
            let old_enough = at_giving.surely_reached(own_consent_from);
            return if old_enough { GiverStands::Alone } else { GiverStands::WithoutCapacity };
        }
        let guardian = line.capacity.has_authority_over_child()
            && at_giving.surely_under(own_consent_from)
            && self.ages_on(person, day).surely_under(age_rule_on(day).adult_from);
        let with_the_other = line.capacity == Capacity::Parent
            && !line.custody.is_some_and(|custody| custody.lets_one_consent(self.act_is_daily));
        match (guardian, with_the_other) {
            (false, _) => GiverStands::WithoutCapacity,
            (true, true) => GiverStands::NeedsTheOther,
            (true, false) => GiverStands::Alone,
        }
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

/// Where the giver of a line stands toward the person it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum GiverStands {
    Alone,
    /// The other custodian has to be considered first (民法 第824条の2).
    NeedsTheOther,
    WithoutCapacity,
}

/// Whom a consent covers among the people of a referral.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Those somebody consented for.
    pub lines: BTreeSet<SubjectRef>,
    /// Those of them the giver may consent for, alone.
    pub people: BTreeSet<SubjectRef>,
    /// Those of them for whom one custodian is not enough.
    pub other_custodian: BTreeSet<SubjectRef>,
    pub refused: BTreeSet<SubjectRef>,
    pub withdrawn: BTreeSet<SubjectRef>,
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
