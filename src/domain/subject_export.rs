//! What somebody may be shown of what an agency holds about one person (開示請求): one pure selection, made anew each time.
//!
//! Three things never come out, whatever anybody decides: who gave notice and all that could tell it, other people's
//! data, and a concealed place. A 通告 is as if it were not there until a person has recorded that the requester knows
//! of it; then the child's identity alone comes out, without time, place or sender. Everything else follows the table
//! [`rule`]: shown by itself, or withheld until a person decides, part by part. What is unsure is withheld.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    access_request::{Article, Requester},
    basis::{Basis, BasisCode, Lane},
    content::{Content, Outline},
    document::render,
    mask::{Detail, Mask, Texts},
    referral::ReferralType,
    section::Section,
    subject::SubjectRef,
    veil::Veil,
};
use crate::code_list;

code_list! {
    /// How much of a part is shown. A later one shows more.
    Extent, "extent of a part" {
        Nothing = "nothing", "開示しない", "nothing";
        Codes = "codes", "文章を除く", "all but sentences";
        Texts = "texts", "文章も", "sentences as well";
    }
}

code_list! {
    /// Whom a part speaks of.
    Whose, "whom a part speaks of" {
        Person = "person", "本人", "the person";
        Household = "household", "世帯全体", "the household as a whole";
    }
}

code_list! {
    /// What a record is, as far as it matters for what may be shown of it.
    Nature, "nature of a record" {
        Ordinary = "ordinary", "同意による紹介・連絡など", "by consent";
        /// On a basis in law: that it was passed on may not be for the family to know.
        Reserved = "reserved", "法令の規定による提供", "by law, without a consent";
        Notice = "notice", "通告・送致", "a notice, or the transfer of one";
    }
}

impl Nature {
    /// The strictest of what a record's copies rest on.
    pub fn of(
        kind: ReferralType,
        bases: impl IntoIterator<Item = Option<BasisCode>>,
        outline: &Outline,
    ) -> Self {
        let lanes: Vec<Lane> = bases.into_iter().flatten().map(|code| Basis::of(code).lane).collect();
        let notice = matches!(kind, ReferralType::Notice | ReferralType::Transfer)
            || lanes.contains(&Lane::Notice)
            || outline.of(Section::Notifier).next().is_some();
        match (notice, lanes.contains(&Lane::Consent)) {
            (true, _) => Self::Notice,
            (false, true) => Self::Ordinary,
            (false, false) if lanes.is_empty() => Self::Ordinary,
            (false, false) => Self::Reserved,
        }
    }
}

/// What holds for one part before a person looks at it, and what a person may decide at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    pub default: Extent,
    pub most: Extent,
    /// Why what is not shown is not.
    pub why: Article,
}

/// The rule for a part; none for the notifier, of whom there is no part to decide on.
pub fn rule(
    requester: Requester,
    nature: Nature,
    concealed: bool,
    section: Section,
    whose: Whose,
) -> Option<Rule> {
    let rule = |default, most, why| Some(Rule { default, most, why });
    let never = |why| rule(Extent::Nothing, Extent::Nothing, why);
    // Beside a concealed place no sentence is safe: only the veil's own words are known.
    let sentences = if concealed { Extent::Codes } else { Extent::Texts };
    match (section, nature, whose) {
        (Section::Notifier, ..) => None,
        (Section::Identity, Nature::Notice, Whose::Person) => {
            rule(Extent::Nothing, Extent::Codes, Article::Existence)
        }
        (_, Nature::Notice, _) => never(Article::Notifier),
        (Section::Address | Section::Contact | Section::Narrative, ..) if concealed => {
            never(Article::Concealed)
        }
        (_, Nature::Reserved, Whose::Household) if concealed => never(Article::Concealed),
        (_, Nature::Reserved, _) => rule(Extent::Nothing, sentences, Article::Existence),
        (_, Nature::Ordinary, Whose::Household) if concealed => never(Article::Concealed),
        (_, Nature::Ordinary, Whose::Household) => rule(Extent::Nothing, sentences, Article::ThirdPerson),
        (Section::Identity, Nature::Ordinary, Whose::Person) => {
            rule(Extent::Codes, Extent::Codes, Article::ThirdPerson)
        }
        (_, Nature::Ordinary, Whose::Person) if requester.represents() => {
            let why = if concealed { Article::Concealed } else { Article::Harm };
            rule(Extent::Nothing, sentences, why)
        }
        (_, Nature::Ordinary, Whose::Person) if concealed => {
            rule(Extent::Nothing, sentences, Article::Concealed)
        }
        // A need such as 「DV」, what happened, or what to mind for safety, tells what somebody else has said.
        (Section::Needs | Section::Narrative | Section::Safety, Nature::Ordinary, Whose::Person) => {
            rule(Extent::Nothing, sentences, Article::ThirdPerson)
        }
        (_, Nature::Ordinary, Whose::Person) => rule(Extent::Codes, sentences, Article::ThirdPerson),
    }
}

/// One part of one record, as decisions and answers name it: `<record>/<section>`, or `…/household`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartId {
    pub record: Uuid,
    pub section: Section,
    pub whose: Whose,
}

impl fmt::Display for PartId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.record.as_hyphenated(), self.section)?;
        if self.whose == Whose::Household { f.write_str("/household") } else { Ok(()) }
    }
}

/// A text that names no part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a part is named by its record's id and its section")]
pub struct BadPart;

impl FromStr for PartId {
    type Err = BadPart;

    fn from_str(text: &str) -> Result<Self, BadPart> {
        let parts: Vec<&str> = text.split('/').collect();
        let (record, section, whose) = match parts[..] {
            [record, section] => (record, section, Whose::Person),
            [record, section, "household"] => (record, section, Whose::Household),
            _ => return Err(BadPart),
        };
        let record = Some(record).filter(|text| text.len() == 36).and_then(|text| Uuid::try_parse(text).ok());
        let section = section.parse().map_err(|_| BadPart)?;
        Ok(Self { record: record.ok_or(BadPart)?, section, whose })
    }
}

impl Serialize for PartId {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PartId {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What a person decided about one part, and why.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    pub part: PartId,
    pub extent: Extent,
    pub reason: String,
}

/// One record that speaks of the person: a referral of the agency's own, or a copy it received.
pub struct Source<'a> {
    pub record: Uuid,
    pub person: &'a SubjectRef,
    pub nature: Nature,
    /// What hides the family, if anything does: whoever asks may be the one it is hidden from.
    pub veil: Option<&'a Veil>,
    /// As it was opened, without the notifier's compartment.
    pub content: &'a Content,
    /// What a received copy shows its holder now; absent for what the agency wrote itself.
    pub granted: Option<&'a Mask>,
}

/// A part, its rule, and what is to be shown of it.
pub struct Part {
    pub id: PartId,
    pub rule: Rule,
    pub extent: Extent,
    /// The entries, rendered under that extent.
    pub entries: Vec<Value>,
    /// Whether anything that is held is not among them.
    pub withholds: bool,
}

impl Part {
    /// Whether the requester may be told that something is withheld here. Where not, it is as if it were not there.
    pub const fn is_told(&self) -> bool {
        self.withholds && self.rule.why.may_be_told()
    }
}

impl Source<'_> {
    /// What is shown of this record under a person's decisions, which may also show less than the rule.
    pub fn select(&self, requester: Requester, decided: &BTreeMap<PartId, Extent>) -> Vec<Part> {
        self.selected(requester, |id, rule| decided.get(id).copied().unwrap_or(rule.default))
    }

    /// What was decided to be shown, as far as that may be shown still.
    pub fn again(&self, requester: Requester, shown: &BTreeMap<PartId, Extent>) -> Vec<Part> {
        self.selected(requester, |id, _| shown.get(id).copied().unwrap_or(Extent::Nothing))
    }

    /// What could be shown at most: what a person looks at before deciding.
    pub fn at_most(&self, requester: Requester) -> Vec<Part> {
        self.selected(requester, |_, rule| rule.most)
    }

    fn selected(&self, requester: Requester, wanted: impl Fn(&PartId, &Rule) -> Extent) -> Vec<Part> {
        let veiled = self.veiled();
        let mut parts = Vec::new();
        for section in Section::ALL {
            for whose in Whose::ALL {
                let about = (*whose == Whose::Person).then(|| self.person.clone());
                let held = fields(&self.rendered(self.content, *section, &about, Texts::Whole));
                let rule = rule(requester, self.nature, self.veil.is_some(), *section, *whose);
                let (Some(rule), 1..) = (rule, held) else { continue };
                let id = PartId { record: self.record, section: *section, whose: *whose };
                let extent = wanted(&id, &rule).min(rule.most);
                let entries = match extent {
                    Extent::Nothing => Vec::new(),
                    Extent::Codes => self.rendered(&veiled, *section, &about, Texts::Withheld),
                    // Without what names another person or a hidden place.
                    Extent::Texts => self.rendered(&veiled, *section, &about, Texts::Placeless),
                };
                parts.push(Part { id, rule, extent, withholds: fields(&entries) < held, entries });
            }
        }
        parts
    }

    /// One part under a mask of its own: no other section and nobody else can come out with it.
    fn rendered(
        &self,
        content: &Content,
        section: Section,
        about: &Option<SubjectRef>,
        texts: Texts,
    ) -> Vec<Value> {
        let mut mask = Mask::default();
        mask.grant(section, about.clone(), Detail::Full);
        mask.limit_texts(texts);
        if let Some(granted) = self.granted {
            mask = mask.intersect(granted);
        }
        let shown = render(content, &mask);
        shown[section.code()].as_array().cloned().unwrap_or_default()
    }

    /// The content behind a veil of everything that tells of somebody else, and of the place where one is hidden.
    fn veiled(&self) -> Content {
        let mut veil = Veil::default();
        let of = |section: Section| self.content.entries(section).iter();
        let telling = [Section::Identity, Section::Contact, Section::Address];
        for entry in telling.into_iter().flat_map(of) {
            if entry.subject.as_ref().is_some_and(|subject| subject != self.person) {
                entry.fields.values().for_each(|value| veil.hide_all(value));
            }
        }
        // A family shares its name: what is the person's own hides nothing of the person.
        let mut own = Veil::default();
        for entry in of(Section::Identity).filter(|entry| entry.subject.as_ref() == Some(self.person)) {
            entry.fields.values().for_each(|value| own.hide_all(value));
        }
        veil.spare(&own);
        if let Some(concealed) = self.veil {
            veil.extend(concealed.clone());
            for entry in [Section::Contact, Section::Address].into_iter().flat_map(of) {
                entry.fields.values().for_each(|value| veil.hide_all(value));
            }
        }
        self.content.clone().behind(veil)
    }
}

/// How many fields entries hold, besides whom they are about and what was put in their place.
fn fields(entries: &[Value]) -> usize {
    let own = |entry: &Map<String, Value>| {
        entry.iter().filter(|(name, _)| !matches!(name.as_str(), "subject" | "concealed")).count()
    };
    entries.iter().filter_map(Value::as_object).map(own).sum()
}

/// What may be said around a record: when it was, and with whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Around {
    Everything,
    /// Whom the family was in touch with tells where it is.
    WithoutParties,
    /// Time, place and sender of an observation tell who observed.
    Nothing,
}

impl Around {
    pub const fn of(nature: Nature, concealed: bool) -> Self {
        match (nature, concealed) {
            (Nature::Ordinary, false) => Self::Everything,
            (Nature::Ordinary, true) => Self::WithoutParties,
            (Nature::Reserved | Nature::Notice, _) => Self::Nothing,
        }
    }
}

#[cfg(test)]
mod tests;
