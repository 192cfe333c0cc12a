//! What must be kept, and until when: the rules that stand between a referral and its erasure.
//!
//! Nothing is erased by the passing of time alone. These rules say what stands in the way; two people decide.

use jiff::{ToSpan, civil::Date};
use serde::Serialize;

use super::{
    ids::{AgencyId, LegId},
    provision,
    referral::ReferralType,
};
use crate::code_list;

code_list! {
    /// Why something must not be erased now.
    HoldKind, "hold kind" {
        RecordPeriod = "record_period", "文書の保存期間中", "the records' retention period runs";
        ProvisionPeriod = "provision_period", "第三者提供の記録の保存期間中（施行規則 第21条・第25条）",
            "the record of provision must be kept";
        OpenLeg = "open_leg", "宛先との間で終わっていない", "a leg has not ended";
        OpenIncident = "open_incident", "誤送信の事案が終結していない", "an incident is open";
        UnsettledWithdrawal = "unsettled_withdrawal", "同意撤回・写しの確認が済んでいない",
            "a withdrawal or a request for a copy is not settled";
        DisclosureRequest = "disclosure_request", "開示請求等の手続き中", "a request for disclosure is being dealt with";
        Legal = "legal", "訴訟・監査等のための保留", "held for a lawsuit, an audit or the like";
    }
}

code_list! {
    /// The holds that people place and lift.
    PlacedKind, "placed hold kind" {
        DisclosureRequest = "disclosure_request", "開示請求等の手続き中", "a request for disclosure is being dealt with";
        Legal = "legal", "訴訟・監査等のための保留", "held for a lawsuit, an audit or the like";
    }
}

impl From<PlacedKind> for HoldKind {
    fn from(kind: PlacedKind) -> Self {
        match kind {
            PlacedKind::DisclosureRequest => Self::DisclosureRequest,
            PlacedKind::Legal => Self::Legal,
        }
    }
}

/// For how many years records are kept, as the operator's 文書規程 says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Periods {
    pub years: u16,
    /// Types of referral with a period of their own.
    pub of_type: Vec<(ReferralType, u16)>,
}

impl Periods {
    fn years_of(&self, kind: ReferralType) -> u16 {
        self.of_type.iter().find(|(of, _)| *of == kind).map_or(self.years, |(_, years)| *years)
    }
}

/// What the rules look at in one leg of a referral.
#[derive(Clone, Debug)]
pub struct LegFacts {
    pub leg: LegId,
    pub kind: ReferralType,
    /// The day in Japan on which it ended.
    pub ended: Option<Date>,
    /// The last day on which something was provided on a consent, which the law may want a record of.
    pub provided: Option<Date>,
    pub incident_open: bool,
    /// Its consent is being withdrawn, or a copy was asked back and the holder still owes its answer.
    pub withdrawal_open: bool,
    /// What stands of what its parties placed.
    pub placed: Vec<(PlacedKind, AgencyId)>,
}

/// One reason not to erase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Hold {
    pub kind: HoldKind,
    pub leg: LegId,
    /// The last day of it, where it ends by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
    /// Who placed it, where somebody did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agency: Option<AgencyId>,
}

/// The last day of a period that is counted, as public documents are, from the first day of the fiscal year after the
/// one in which the matter ended.
pub fn record_until(ended: Date, years: u16) -> Date {
    let next_fiscal_year = if ended.month() >= 4 { ended.year() + 1 } else { ended.year() };
    let last_year = next_fiscal_year.saturating_add(i16::try_from(years).unwrap_or(i16::MAX));
    Date::new(last_year, 3, 31).unwrap_or(Date::MAX)
}

/// Everything that stands in the way of erasing a referral with these legs on this day. Empty: it may be erased.
pub fn holds(legs: &[LegFacts], periods: &Periods, today: Date) -> Vec<Hold> {
    legs.iter().flat_map(|leg| holds_on(leg, periods, today)).collect()
}

fn holds_on(leg: &LegFacts, periods: &Periods, today: Date) -> Vec<Hold> {
    let mut found = Vec::new();
    let mut add = |kind, until, agency| found.push(Hold { kind, leg: leg.leg, until, agency });
    match leg.ended {
        None => add(HoldKind::OpenLeg, None, None),
        Some(ended) => {
            let until = record_until(ended, periods.years_of(leg.kind));
            if today <= until {
                add(HoldKind::RecordPeriod, Some(until), None);
            }
        }
    }
    if let Some(until) = leg.provided.map(provision::keep_until).filter(|until| today <= *until) {
        add(HoldKind::ProvisionPeriod, Some(until), None);
    }
    if leg.incident_open {
        add(HoldKind::OpenIncident, None, None);
    }
    if leg.withdrawal_open {
        add(HoldKind::UnsettledWithdrawal, None, None);
    }
    for (kind, agency) in &leg.placed {
        add((*kind).into(), None, Some(*agency));
    }
    found
}

/// The first day on which a referral may be erased, where only time stands in the way.
pub fn erasable_from(holds: &[Hold]) -> Option<Date> {
    let ends: Option<Vec<Date>> = holds.iter().map(|hold| hold.until).collect();
    ends?.into_iter().max().map(|until| until.checked_add(1.day()).unwrap_or(Date::MAX))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    const LEG: LegId = LegId::new(Uuid::from_u128(1));
    const AGENCY: AgencyId = AgencyId::new(Uuid::from_u128(2));

    fn periods() -> Periods {
        Periods { years: 5, of_type: vec![(ReferralType::Notice, 25), (ReferralType::Introduction, 1)] }
    }

    fn leg(kind: ReferralType, ended: Option<Date>) -> LegFacts {
        LegFacts {
            leg: LEG,
            kind,
            ended,
            provided: None,
            incident_open: false,
            withdrawal_open: false,
            placed: Vec::new(),
        }
    }

    fn kinds(leg: LegFacts, today: Date) -> Vec<HoldKind> {
        holds(&[leg], &periods(), today).into_iter().map(|hold| hold.kind).collect()
    }

    /// Ended, years, last day of the period.
    #[test]
    fn a_period_begins_with_the_next_fiscal_year() {
        for (ended, years, until) in [
            (date(2026, 4, 1), 5, date(2032, 3, 31)),
            (date(2026, 11, 28), 5, date(2032, 3, 31)),
            (date(2027, 3, 31), 5, date(2032, 3, 31)),
            (date(2027, 4, 1), 5, date(2033, 3, 31)),
            (date(2026, 11, 28), 0, date(2027, 3, 31)),
            (date(9998, 11, 28), 500, Date::MAX),
        ] {
            assert_eq!(record_until(ended, years), until, "{ended} {years}");
        }
    }

    #[test]
    fn each_reason_alone_stands_in_the_way() {
        use HoldKind as H;
        let (then, later) = (date(2026, 11, 28), date(2060, 1, 1));
        let ended = || leg(ReferralType::Reply, Some(then));
        let cases: [(LegFacts, Date, &[HoldKind]); 12] = [
            (ended(), later, &[]),
            (ended(), date(2032, 3, 31), &[H::RecordPeriod]),
            (ended(), date(2032, 4, 1), &[]),
            (leg(ReferralType::Notice, Some(then)), date(2052, 3, 31), &[H::RecordPeriod]),
            (leg(ReferralType::Notice, Some(then)), date(2052, 4, 1), &[]),
            (leg(ReferralType::Reply, None), later, &[H::OpenLeg]),
            (LegFacts { incident_open: true, ..ended() }, later, &[H::OpenIncident]),
            (LegFacts { withdrawal_open: true, ..ended() }, later, &[H::UnsettledWithdrawal]),
            (LegFacts { placed: vec![(PlacedKind::Legal, AGENCY)], ..ended() }, later, &[H::Legal]),
            (
                LegFacts { placed: vec![(PlacedKind::DisclosureRequest, AGENCY)], ..ended() },
                later,
                &[H::DisclosureRequest],
            ),
            // One year by the rules of the office, three by the law.
            (
                LegFacts { provided: Some(then), ..leg(ReferralType::Introduction, Some(then)) },
                date(2029, 11, 28),
                &[H::ProvisionPeriod],
            ),
            (
                LegFacts { provided: Some(then), ..leg(ReferralType::Introduction, Some(then)) },
                date(2029, 11, 29),
                &[],
            ),
        ];
        for (number, (facts, today, expected)) in cases.into_iter().enumerate() {
            assert_eq!(kinds(facts, today), expected, "case {number}");
        }
    }

    #[test]
    fn the_first_day_is_known_where_only_time_stands_in_the_way() {
        let timed = |until| Hold { kind: HoldKind::RecordPeriod, leg: LEG, until: Some(until), agency: None };
        let open = Hold { kind: HoldKind::OpenLeg, leg: LEG, until: None, agency: None };
        let both = [timed(date(2032, 3, 31)), timed(date(2029, 11, 28))];
        assert_eq!(erasable_from(&both), Some(date(2032, 4, 1)));
        assert_eq!(erasable_from(&[both[0], open]), None);
        assert_eq!(erasable_from(&[]), None);
    }

    fn any_date() -> impl Strategy<Value = Date> {
        (2020i16..2080, 1i8..=12, 1i8..=28).prop_map(|(year, month, day)| date(year, month, day))
    }

    fn any_leg() -> impl Strategy<Value = LegFacts> {
        let kind = prop::sample::select(ReferralType::ALL);
        let placed = prop::collection::vec(prop::sample::select(PlacedKind::ALL), 0..3);
        let days = (prop::option::of(any_date()), prop::option::of(any_date()));
        (kind, days, any::<bool>(), any::<bool>(), placed).prop_map(
            |(kind, (ended, provided), incident_open, withdrawal_open, placed)| LegFacts {
                provided,
                incident_open,
                withdrawal_open,
                placed: placed.into_iter().map(|kind| (kind, AGENCY)).collect(),
                ..leg(kind, ended)
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn more_legs_and_more_years_never_free_what_was_held(
            legs in prop::collection::vec(any_leg(), 1..4),
            more in any_leg(),
            today in any_date(),
            years in 0u16..30,
            longer in 0u16..30,
        ) {
            let of = |years| Periods { years, of_type: Vec::new() };
            let before = holds(&legs, &of(years), today);
            let mut all = legs.clone();
            all.push(more);
            let with_more = holds(&all, &of(years), today);
            prop_assert!(before.iter().all(|hold| with_more.contains(hold)));
            let longer = holds(&legs, &of(years + longer), today);
            prop_assert!(longer.len() >= before.len());
        }

        #[test]
        fn on_the_day_that_is_told_nothing_stands_in_the_way(
            legs in prop::collection::vec(any_leg(), 1..4),
            today in any_date(),
        ) {
            let found = holds(&legs, &periods(), today);
            if let Some(day) = erasable_from(&found) {
                prop_assert!(day > today);
                prop_assert_eq!(holds(&legs, &periods(), day), vec![]);
                prop_assert!(!holds(&legs, &periods(), day.yesterday().unwrap()).is_empty());
            }
        }

        #[test]
        fn nothing_that_is_under_way_or_was_placed_ends_by_time(leg in any_leg()) {
            let stays = leg.ended.is_none() || leg.incident_open || leg.withdrawal_open || !leg.placed.is_empty();
            prop_assert_eq!(!holds(&[leg], &periods(), date(9000, 1, 1)).is_empty(), stays);
        }
    }
}
