//! A second look at the recipient: whether it is the one that was meant. Letters for one agency have gone to another
//! of nearly the same name; and who writes to somebody for the first time has no habit to go by.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{
    agency::AgencyKind,
    basis::{Basis, BasisCode, Lane},
    ids::AgencyId,
    name_key::SearchKey,
    referral::ReferralType,
};
use crate::code_list;

code_list! {
    /// What a sender confirms of a recipient, in the member `confirmed` of a leg.
    Confirm, "confirmation" {
        LookAlike = "look_alike", "名称のよく似た機関があります", "another agency has nearly the same name";
        FirstTime = "first_time", "この機関へ送るのは初めてです", "your agency sends to this one for the first time";
    }
}

/// An agency as one compares it with another: all of it stands in the directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Named {
    pub id: AgencyId,
    pub kind: AgencyKind,
    pub municipality: String,
    pub name: String,
}

/// A reason to look at a recipient again, and with whom to compare it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Doubt {
    /// The leg, counted from 0.
    pub leg: usize,
    pub code: Confirm,
    pub label: &'static str,
    pub label_en: &'static str,
    pub recipient: Named,
    pub others: Vec<Named>,
}

/// All doubts about one submission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Doubts(pub Vec<Doubt>);

impl Doubt {
    pub const fn new(leg: usize, code: Confirm, recipient: Named, others: Vec<Named>) -> Self {
        Self { leg, code, label: code.label_ja(), label_en: code.label_en(), recipient, others }
    }
}

/// Whether a leg is looked at again. Nothing stands between a person and a 通告; where life is in danger nothing waits
/// either; and where nothing about a person goes along, a wrong recipient harms nobody.
pub fn looks_again(kind: ReferralType, basis: Option<BasisCode>) -> bool {
    kind.carries_personal_data()
        && basis.is_none_or(|code| code != BasisCode::LifeAndBody && Basis::of(code).lane != Lane::Notice)
}

/// The texts by which a name finds those that look like it: its folded form, and that with any one character left
/// out. Two names that differ in one character, or in two that changed places, have one in common.
///
/// A short name has only its folded form: with three characters, everything looks alike.
pub fn name_keys(name: &str) -> BTreeSet<String> {
    const SHORT: usize = 3;
    let whole: Vec<char> = SearchKey::of(name).as_str().chars().collect();
    let mut keys = BTreeSet::from([whole.iter().collect()]);
    if whole.len() > SHORT {
        keys.extend((0..whole.len()).map(|left_out| {
            let rest = whole.iter().enumerate().filter(|(place, _)| *place != left_out);
            rest.map(|(_, character)| character).collect::<String>()
        }));
    }
    keys
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn alike(one: &str, other: &str) -> bool {
        !name_keys(one).is_disjoint(&name_keys(other))
    }

    #[test]
    fn names_that_people_have_confused_look_alike() {
        for (one, other) in [
            ("鶴見中央保育園", "鶴見中央保育所"),
            ("みなと第一保育園", "みなと第二保育園"),
            ("ひがし台 保育園", "ひがし台保育園"),
            ("髙橋クリニック", "高橋クリニック"),
            ("さくら保育園", "さくらん保育園"),
            ("花園保育園", "園花保育園"),
            ("ﾂﾙﾐ子育て広場", "つるみ子育て広場"),
            ("本園", "本園"),
        ] {
            assert!(alike(one, other), "{one} {other}");
        }
    }

    #[test]
    fn names_that_differ_in_more_do_not() {
        for (one, other) in [
            ("鶴見中央保育園", "神奈川中央保育園"),
            ("北園", "南園"),
            ("東小学", "西小学"),
            ("こども家庭センター", "児童相談所"),
            ("あおば保育園", "わかば幼稚園"),
        ] {
            assert!(!alike(one, other), "{one} {other}");
        }
    }

    #[test]
    fn nothing_is_asked_of_a_notice_nor_where_life_is_in_danger_nor_where_nothing_goes_along() {
        use BasisCode as B;
        for code in B::ALL {
            let asked = looks_again(ReferralType::Introduction, Some(*code));
            let notice = Basis::of(*code).lane == Lane::Notice;
            assert_eq!(asked, !notice && *code != B::LifeAndBody, "{code}");
        }
        assert!(!looks_again(ReferralType::SelfContact, None));
        assert!(!looks_again(ReferralType::Information, None));
        assert!(looks_again(ReferralType::Introduction, None));
    }

    proptest! {
        #[test]
        fn one_character_more_less_or_other_is_found(name in "[ぁ-ん]{4,12}", at in 0usize..4, c in "[一二三]") {
            let mut more: Vec<char> = name.chars().collect();
            more.insert(at, c.chars().next().unwrap());
            prop_assert!(alike(&name, &more.iter().collect::<String>()));
            let mut other: Vec<char> = name.chars().collect();
            other[at] = c.chars().next().unwrap();
            prop_assert!(alike(&name, &other.iter().collect::<String>()));
        }
    }
}
