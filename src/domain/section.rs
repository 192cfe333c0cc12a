//! Sections: the parts of a referral that are sealed, granted and withheld for themselves.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::code_list;

code_list! {
    /// A section of a referral's content (区分), in the order documents show it.
    Section, "section" {
        Identity = "identity", "氏名・生年月日等", "identity";
        Contact = "contact", "連絡先", "contact";
        Address = "address", "住所", "address";
        Household = "household", "世帯の状況", "household";
        Needs = "needs", "必要な支援", "needs";
        Narrative = "narrative", "経過・状況", "narrative";
        Health = "health", "健康・医療", "health";
        Development = "development", "発達", "development";
        Economic = "economic", "経済状況", "economic";
        Safety = "safety", "安全に関する情報", "safety";
        /// Who reported suspected abuse. A sealed compartment: 児童虐待の防止等に関する法律 第7条.
        Notifier = "notifier", "通告者", "notifier";
    }
}

/// A set of sections.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Sections(u16);

impl Sections {
    pub const NONE: Self = Self(0);

    const fn bit(section: Section) -> u16 {
        1 << section as u16
    }

    pub fn all() -> Self {
        Section::ALL.iter().copied().collect()
    }

    pub const fn contains(self, section: Section) -> bool {
        self.0 & Self::bit(section) != 0
    }

    pub const fn with(self, section: Section) -> Self {
        Self(self.0 | Self::bit(section))
    }

    pub const fn without(self, section: Section) -> Self {
        Self(self.0 & !Self::bit(section))
    }

    pub const fn intersect(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn iter(self) -> impl Iterator<Item = Section> {
        Section::ALL.iter().copied().filter(move |s| self.contains(*s))
    }
}

impl FromIterator<Section> for Sections {
    fn from_iter<I: IntoIterator<Item = Section>>(sections: I) -> Self {
        sections.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Debug for Sections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Section::code)).finish()
    }
}

impl Serialize for Sections {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Sections {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Vec::<Section>::deserialize(from)?.into_iter().collect())
    }
}
