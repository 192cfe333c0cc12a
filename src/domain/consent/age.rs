//! From which age somebody consents for themselves: a table dated by law, so that a reform becomes one more line
//! and old consents are still judged by the line of their day.

use jiff::civil::{Date, date};

/// The ages in force from a day on.
///
/// The statute names no age at which a child's own consent counts: `own_consent_from` is the default of domain.md 2.4
/// and 7.5 step 10. The age of majority is the Civil Code's (民法 第4条).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgeRule {
    pub from: Date,
    /// Under this age a guardian consents.
    pub own_consent_from: i16,
    /// On this birthday a guardian's consent ends.
    pub adult_from: i16,
}

/// The age rules, oldest first.
pub const AGE_RULES: &[AgeRule] = &[
    AgeRule { from: date(1948, 1, 1), own_consent_from: 16, adult_from: 20 },
    AgeRule { from: date(2022, 4, 1), own_consent_from: 16, adult_from: 18 },
];

/// The rule in force on a day; before the first line, the first.
pub fn age_rule_on(day: Date) -> AgeRule {
    rule_of(AGE_RULES, day)
}

fn rule_of(rules: &[AgeRule], day: Date) -> AgeRule {
    rules.iter().rev().find(|rule| rule.from <= day).copied().unwrap_or(rules[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_holds_from_its_day_on() {
        assert_eq!(age_rule_on(date(2022, 3, 31)).adult_from, 20);
        assert_eq!(age_rule_on(date(2022, 4, 1)).adult_from, 18);
        assert_eq!(age_rule_on(date(1900, 1, 1)), AGE_RULES[0]);
        let reform = AgeRule { from: date(2027, 4, 1), own_consent_from: 15, adult_from: 18 };
        let rules = [AGE_RULES, &[reform]].concat();
        assert_eq!(rule_of(&rules, date(2027, 3, 31)).own_consent_from, 16);
        assert_eq!(rule_of(&rules, date(2027, 4, 1)), reform);
    }

    #[test]
    fn the_table_is_dated_in_order() {
        assert!(AGE_RULES.windows(2).all(|pair| pair[0].from < pair[1].from));
        assert!(AGE_RULES.iter().all(|rule| rule.own_consent_from <= rule.adult_from));
    }
}
