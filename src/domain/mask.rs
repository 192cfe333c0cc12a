//! Masks: which sections and which people a recipient may see, and how closely.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{section::Section, subject::SubjectRef};
use crate::code_list;

code_list! {
    /// How closely a granted section is shown. Only [`Detail::meet`] compares them.
    Detail, "detail" {
        Full = "full", "全部", "in full";
        /// In full, with the flag that the address is concealed from others.
        Flagged = "flagged", "全部（秘匿の旨を付す）", "in full, flagged as concealed";
        /// Municipality and town of an address; nothing of any other section.
        Town = "town", "町名まで", "down to the town";
        /// The written summary of an entry; nothing of an address.
        Summary = "summary", "要約のみ", "the summary only";
        /// A fixed sentence in place of a concealed address.
        Substitute = "substitute", "代わりの文", "a sentence in its place";
        /// The office's telephone in place of the family's.
        Office = "office", "担当課の連絡先", "the office's contact";
        /// It goes along in its sealed compartment and is never rendered.
        Sealed = "sealed", "封緘したまま", "sealed";
    }
}

impl Detail {
    /// The closest detail both allow. A town and a summary have nothing in common: sealed. What stands in for an
    /// address or a contact says less than either, so that it stays once it was granted.
    pub const fn meet(self, other: Self) -> Self {
        match (self, other) {
            (Self::Full, detail) | (detail, Self::Full) => detail,
            (Self::Flagged, Self::Flagged) => Self::Flagged,
            (Self::Town, Self::Town) => Self::Town,
            (Self::Summary, Self::Summary) => Self::Summary,
            (Self::Flagged | Self::Town | Self::Substitute, Self::Substitute)
            | (Self::Substitute, Self::Flagged | Self::Town)
            | (Self::Flagged, Self::Town)
            | (Self::Town, Self::Flagged) => Self::Substitute,
            (Self::Flagged | Self::Office, Self::Office) | (Self::Office, Self::Flagged) => Self::Office,
            _ => Self::Sealed,
        }
    }

    /// Whether something else is shown in place of what was asked for.
    pub const fn stands_in(self) -> bool {
        matches!(self, Self::Substitute | Self::Office)
    }
}

code_list! {
    /// How the texts of a granted section are shown. A later one shows less.
    #[derive(Default)]
    Texts, "texts" {
        #[default]
        Whole = "whole", "そのまま", "as they are";
        /// Without what names a place that would tell where a hidden family is.
        Placeless = "placeless", "場所を含むものを除く", "without those that name a place";
        Withheld = "withheld", "文章を除く", "no texts, codes alone";
    }
}

impl Texts {
    fn meet(self, other: Self) -> Self {
        self.max(other)
    }

    fn is_whole(&self) -> bool {
        *self == Self::Whole
    }
}

/// What is granted of one section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionMask {
    /// Whose entries; `None` stands for the household as a whole. There is no "everybody": an entry
    /// about a person nobody decided on stays hidden.
    pub subjects: BTreeSet<Option<SubjectRef>>,
    pub detail: Detail,
    #[serde(default, skip_serializing_if = "Texts::is_whole")]
    pub texts: Texts,
}

/// What one recipient may see. The empty mask shows nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mask(BTreeMap<Section, SectionMask>);

impl Mask {
    pub const EMPTY: Self = Self(BTreeMap::new());

    pub fn of(&self, section: Section) -> Option<&SectionMask> {
        self.0.get(&section)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn sections(&self) -> impl Iterator<Item = (Section, &SectionMask)> {
        self.0.iter().map(|(section, mask)| (*section, mask))
    }

    /// Whether every entry this mask shows, `other` shows at least as closely.
    pub fn is_within(&self, other: &Self) -> bool {
        self.intersect(other) == *self
    }

    /// The same without one section.
    #[must_use]
    pub fn without(mut self, section: Section) -> Self {
        self.0.remove(&section);
        self
    }

    /// The same without what is flagged as concealed from others.
    #[must_use]
    pub fn without_flagged(mut self) -> Self {
        self.0.retain(|_, section| section.detail != Detail::Flagged);
        self
    }

    /// The same for these people alone; `None` among them stands for the household as a whole.
    #[must_use]
    pub fn only(mut self, people: &BTreeSet<Option<SubjectRef>>) -> Self {
        self.0.retain(|_, section| {
            section.subjects.retain(|subject| people.contains(subject));
            !section.subjects.is_empty()
        });
        self
    }

    /// What both masks grant. Sealed in one is sealed in both, so the notifier's desk must be given the
    /// mask of its own opening, never that mask intersected with the one of the sending.
    pub fn intersect(&self, other: &Self) -> Self {
        let both = self.0.iter().filter_map(|(section, mine)| {
            let theirs = other.of(*section)?;
            let subjects: BTreeSet<_> = mine.subjects.intersection(&theirs.subjects).cloned().collect();
            let detail = mine.detail.meet(theirs.detail);
            let texts = mine.texts.meet(theirs.texts);
            (!subjects.is_empty()).then_some((*section, SectionMask { subjects, detail, texts }))
        });
        Self(both.collect())
    }

    /// Opens a section for a subject. Only a decision grants: outside this floor masks can shrink
    /// and not grow.
    pub(in crate::domain) fn grant(&mut self, section: Section, subject: Option<SubjectRef>, detail: Detail) {
        let mask = self.0.entry(section).or_insert_with(|| SectionMask {
            subjects: BTreeSet::new(),
            detail,
            texts: Texts::Whole,
        });
        mask.detail = mask.detail.meet(detail);
        mask.subjects.insert(subject);
    }

    /// Shows the texts of every section at most like this.
    pub(in crate::domain) fn limit_texts(&mut self, texts: Texts) {
        for section in self.0.values_mut() {
            section.texts = section.texts.meet(texts);
        }
    }

    /// How the texts of the most guarded section are shown.
    pub fn texts(&self) -> Texts {
        self.0.values().map(|section| section.texts).max().unwrap_or_default()
    }

    /// Whether nothing of what was asked for is granted, or only what stands in for it.
    pub fn says_nothing(&self) -> bool {
        self.0.values().all(|section| section.detail.stands_in())
    }
}

code_list! {
    /// Why something asked for is withheld, the strictest reason first (domain.md 7.5 step 12).
    Why, "reason for withholding" {
        Sealed = "W_SEALED", "通告者の情報のため", "the notifier is sealed";
        Concealed = "W_CONCEALED", "住所の秘匿のため", "the address is concealed";
        OtherPerson = "W_OTHER_PERSON", "同意のない人の情報のため", "about a person without a consent";
        NotConsented = "W_NOT_CONSENTED", "同意の項目にないため", "not among the consented items";
        BasisItem = "W_BASIS_ITEM", "根拠の項目にないため", "not among the items of the basis";
        NotNeeded = "W_NOT_NEEDED", "必要な項目にないため", "not among the items needed";
        Mask = "W_MASK", "この宛先には開示しない項目のため", "not for this kind of recipient";
    }
}

impl Why {
    /// The law a reason rests on, where it is not the basis's own.
    pub const fn own_law(self) -> Option<&'static str> {
        match self {
            Self::Sealed => Some("児童虐待の防止等に関する法律 第7条"),
            // Each living person has information of its own.
            Self::OtherPerson => Some("個人情報の保護に関する法律 第2条4項"),
            _ => None,
        }
    }
}

/// Something asked for and not granted. Shown to the sender and the auditor, never to the recipient.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Withheld {
    pub section: Section,
    /// Whose entries; absent for the whole section, or for all of it but the people named beside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<SubjectRef>,
    pub why: Why,
}

#[cfg(test)]
pub(in crate::domain) mod tests {
    use proptest::prelude::*;

    use super::*;

    fn detail() -> impl Strategy<Value = Detail> {
        proptest::sample::select(Detail::ALL)
    }

    /// Any mask over the household and three people.
    pub fn mask() -> impl Strategy<Value = Mask> {
        let subject = proptest::sample::select(vec![None, Some("child-1"), Some("mother"), Some("father")]);
        let part = (proptest::sample::select(Section::ALL), subject, detail());
        let texts = proptest::sample::select(Texts::ALL);
        (proptest::collection::vec(part, 0..12), texts).prop_map(|(parts, texts)| {
            let mut mask = Mask::default();
            for (section, subject, detail) in parts {
                mask.grant(section, subject.map(|s| s.parse().unwrap()), detail);
            }
            mask.limit_texts(texts);
            mask
        })
    }

    proptest! {
        #[test]
        fn intersecting_never_grows_a_mask(a in mask(), b in mask()) {
            let both = a.intersect(&b);
            prop_assert!(both.is_within(&a) && both.is_within(&b));
            prop_assert_eq!(&both, &b.intersect(&a));
            for (section, shown) in both.sections() {
                let mine = a.of(section).unwrap();
                prop_assert!(shown.subjects.is_subset(&mine.subjects));
                prop_assert_eq!(shown.detail.meet(mine.detail), shown.detail);
                prop_assert!(shown.texts >= mine.texts);
            }
        }

        #[test]
        fn a_mask_reads_back(a in mask()) {
            let text = serde_json::to_string(&a).unwrap();
            prop_assert_eq!(serde_json::from_str::<Mask>(&text).unwrap(), a);
        }

        #[test]
        fn meeting_is_orderless_and_grouping_does_not_matter(a in detail(), b in detail(), c in detail()) {
            prop_assert_eq!(a.meet(b), b.meet(a));
            prop_assert_eq!(a.meet(b).meet(c), a.meet(b.meet(c)));
            prop_assert_eq!(a.meet(a), a);
        }
    }
}
