//! The household of a case: its members, and how they are related, so that a genogram can be drawn.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    code_list,
    domain::{
        basis::CaseClass,
        field_error::FieldError,
        field_rules::name_faults,
        subject::{Subject, SubjectRef, SubjectRole},
    },
};

code_list! {
    /// How one member of a household stands to another.
    RelationKind, "relation" {
        Parent = "parent", "親子（ofがtoの親）", "of is a parent of to";
        Spouse = "spouse", "配偶者・パートナー", "spouse or partner";
        Sibling = "sibling", "きょうだい", "sibling";
        Cohabit = "cohabit", "同居", "live together";
        Custody = "custody", "親権・監護（ofがtoの親権者等）", "of has custody of to";
        Deceased = "deceased", "死亡", "deceased";
        Pregnancy = "pregnancy", "妊娠（toは生まれる子）", "pregnant; to is the child to be born";
    }
}

/// Whether a relation names a second member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Other {
    Needed,
    Possible,
    None,
}

impl RelationKind {
    const fn other(self) -> Other {
        match self {
            Self::Deceased => Other::None,
            Self::Pregnancy => Other::Possible,
            Self::Parent | Self::Spouse | Self::Sibling | Self::Cohabit | Self::Custody => Other::Needed,
        }
    }

    /// Whether it is the same from both sides.
    const fn mutual(self) -> bool {
        matches!(self, Self::Spouse | Self::Sibling | Self::Cohabit)
    }
}

/// Everybody of a household. No `Debug`.
#[derive(Clone, Serialize, Deserialize)]
pub struct Household {
    pub class: CaseClass,
    pub members: Vec<Member>,
    pub relations: Vec<Relation>,
}

/// One person, who may have no name. What is said of it beyond handle and role is kept as it was written.
#[derive(Clone, Serialize, Deserialize)]
pub struct Member {
    #[serde(rename = "ref")]
    pub reference: SubjectRef,
    pub role: SubjectRole,
    #[serde(flatten)]
    pub said: Map<String, Value>,
}

/// A line of the genogram.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relation {
    pub kind: RelationKind,
    pub of: SubjectRef,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<SubjectRef>,
}

impl Relation {
    /// Reads a relation; what is no handle can be no member, and is told by its name in the document.
    fn read(document: &Value) -> Result<Self, &'static str> {
        let named = |name: &'static str| match document[name].as_str() {
            Some(text) => text.parse().map(Some).map_err(|_| name),
            None => Ok(None),
        };
        let kind = document["kind"].as_str().and_then(|code| code.parse().ok()).ok_or("kind")?;
        Ok(Self { kind, of: named("of")?.ok_or("of")?, to: named("to")? })
    }
}

impl Household {
    /// Reads `class`, `members` and `relations` of a document that has passed its schema.
    ///
    /// # Errors
    /// Every fault found.
    pub fn parse(document: &Value, today: Date) -> Result<Self, Vec<FieldError>> {
        let mut faults =
            Subject::parse_all(&document["members"], "/members", today).err().unwrap_or_default();
        for (index, member) in document["members"].as_array().into_iter().flatten().enumerate() {
            name_faults(&member["name"], &format!("/members/{index}/name"), &mut faults);
        }
        let members: Option<Vec<Member>> = serde_json::from_value(document["members"].clone()).ok();
        let class = serde_json::from_value(document["class"].clone()).ok();
        let mut relations = Vec::new();
        for (index, relation) in document["relations"].as_array().into_iter().flatten().enumerate() {
            match Relation::read(relation) {
                Ok(relation) => relations.push(relation),
                Err(member) => faults.push(stranger(format!("/relations/{index}/{member}"))),
            }
        }
        match (class, members) {
            (Some(class), Some(members)) if faults.is_empty() => {
                let household = Self { class, members, relations };
                let faults = household.relation_faults();
                if faults.is_empty() { Ok(household) } else { Err(faults) }
            }
            _ if faults.is_empty() => Err(vec![unreadable()]),
            _ => Err(faults),
        }
    }

    fn relation_faults(&self) -> Vec<FieldError> {
        let known = |reference: &SubjectRef| self.members.iter().any(|one| one.reference == *reference);
        let mut faults = Vec::new();
        let mut seen: BTreeSet<(RelationKind, &SubjectRef, Option<&SubjectRef>)> = BTreeSet::new();
        for (index, relation) in self.relations.iter().enumerate() {
            let at = |member: &str| format!("/relations/{index}{member}");
            let (kind, of, to) = (relation.kind, &relation.of, relation.to.as_ref());
            for (name, named) in [("/of", Some(of)), ("/to", to)] {
                if named.is_some_and(|reference| !known(reference)) {
                    faults.push(stranger(at(name)));
                }
            }
            match (kind.other(), to) {
                (Other::Needed, None) => faults.push(alone(at("/to"))),
                (Other::None, Some(_)) => faults.push(not_alone(at("/to"))),
                _ if to == Some(of) => faults.push(oneself(at("/to"))),
                _ => {}
            }
            let turned = to.map(|to| (kind, to, Some(of)));
            let contradicts = kind == RelationKind::Parent && turned.is_some_and(|one| seen.contains(&one));
            if contradicts {
                faults.push(each_others_parent(at("")));
            }
            let again = kind.mutual() && turned.is_some_and(|one| seen.contains(&one));
            if !seen.insert((kind, of, to)) || again {
                faults.push(twice(at("")));
            }
        }
        faults
    }
}

fn unreadable() -> FieldError {
    FieldError::new(
        "",
        "household",
        "世帯の記録として読めません。書式に合わせて書いてください。",
        "This does not read as a household; write it as the schema says.",
    )
}

fn stranger(at: String) -> FieldError {
    FieldError::new(
        at,
        "relation_member",
        "members にある ref を書いてください。",
        "Name the ref of one of the members.",
    )
}

fn alone(at: String) -> FieldError {
    FieldError::new(
        at,
        "relation_other",
        "この関係には、相手（to）が必要です。",
        "This relation is to somebody: name the other member in to.",
    )
}

fn not_alone(at: String) -> FieldError {
    FieldError::new(
        at,
        "relation_alone",
        "この関係には、相手（to）を書きません。",
        "This is said of one member alone: leave to out.",
    )
}

fn oneself(at: String) -> FieldError {
    FieldError::new(
        at,
        "relation_self",
        "of と to に、同じ人は書けません。",
        "Nobody is related to themselves: name two members.",
    )
}

fn each_others_parent(at: String) -> FieldError {
    FieldError::new(
        at,
        "relation_parents",
        "二人がたがいの親になっています。of に親、to に子を書いてください。",
        "Each would be the other's parent: write the parent in of, the child in to.",
    )
}

fn twice(at: String) -> FieldError {
    FieldError::new(
        at,
        "relation_twice",
        "同じ関係が二度書かれています。一つにしてください。",
        "This relation stands there twice; keep one.",
    )
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use serde_json::json;

    use super::*;

    fn household(relations: &Value) -> Result<Household, Vec<FieldError>> {
        let members = json!([
            { "ref": "mother", "role": "guardian", "name": { "family": "葛󠄀城" }, "phone": "090-0000-0000" },
            { "ref": "father", "role": "guardian" },
            { "ref": "child-1", "role": "child", "birth_date": "2025-09" },
        ]);
        let paper = json!({ "class": "yoshien", "members": members, "relations": relations });
        Household::parse(&paper, date(2026, 11, 22))
    }

    fn codes(relations: &Value) -> Vec<(String, &'static str)> {
        let faults = household(relations).err().unwrap_or_default();
        faults.into_iter().map(|fault| (fault.pointer, fault.code)).collect()
    }

    #[test]
    fn a_household_is_kept_as_it_was_written() {
        let relations = json!([
            { "kind": "parent", "of": "mother", "to": "child-1" },
            { "kind": "custody", "of": "mother", "to": "child-1" },
            { "kind": "spouse", "of": "mother", "to": "father" },
            { "kind": "cohabit", "of": "mother", "to": "father" },
            { "kind": "deceased", "of": "father" },
            { "kind": "pregnancy", "of": "mother" },
        ]);
        let read = household(&relations).ok().unwrap();
        let again = serde_json::to_value(&read).unwrap();
        assert_eq!(again["relations"], relations);
        assert_eq!(again["members"][0]["name"]["family"], "葛󠄀城");
        assert_eq!(again["members"][0]["phone"], "090-0000-0000");
        let back: Household = serde_json::from_value(again.clone()).unwrap();
        assert_eq!(serde_json::to_value(&back).unwrap(), again);
    }

    #[test]
    fn every_line_of_a_genogram_that_cannot_be_is_named() {
        let cases = [
            (
                json!([{ "kind": "parent", "of": "aunt", "to": "child-1" }]),
                "/relations/0/of",
                "relation_member",
            ),
            (
                json!([{ "kind": "parent", "of": "mother-", "to": "child-1" }]),
                "/relations/0/of",
                "relation_member",
            ),
            (
                json!([{ "kind": "parent", "of": "mother", "to": "aunt" }]),
                "/relations/0/to",
                "relation_member",
            ),
            (json!([{ "kind": "sibling", "of": "child-1" }]), "/relations/0/to", "relation_other"),
            (
                json!([{ "kind": "deceased", "of": "father", "to": "mother" }]),
                "/relations/0/to",
                "relation_alone",
            ),
            (
                json!([{ "kind": "spouse", "of": "mother", "to": "mother" }]),
                "/relations/0/to",
                "relation_self",
            ),
            (
                json!([
                    { "kind": "parent", "of": "mother", "to": "child-1" },
                    { "kind": "parent", "of": "child-1", "to": "mother" },
                ]),
                "/relations/1",
                "relation_parents",
            ),
            (
                json!([
                    { "kind": "spouse", "of": "mother", "to": "father" },
                    { "kind": "spouse", "of": "father", "to": "mother" },
                ]),
                "/relations/1",
                "relation_twice",
            ),
            (
                json!([{ "kind": "pregnancy", "of": "mother" }, { "kind": "pregnancy", "of": "mother" }]),
                "/relations/1",
                "relation_twice",
            ),
        ];
        for (relations, at, code) in cases {
            assert_eq!(codes(&relations), [(at.to_owned(), code)]);
        }
        let turned = json!([
            { "kind": "custody", "of": "mother", "to": "child-1" },
            { "kind": "custody", "of": "father", "to": "child-1" },
        ]);
        assert_eq!(codes(&turned), [], "both parents may have custody");
    }

    #[test]
    fn faults_of_members_are_told_without_their_values() {
        let paper = json!({ "class": "ippan", "members": [
            { "ref": "child-1", "role": "child", "birth_date": "2999-01-01" },
            { "ref": "child-1", "role": "child", "name": { "family": "\u{202e}山田" } },
        ]});
        let faults = Household::parse(&paper, date(2026, 11, 22)).err().unwrap();
        let found: Vec<_> = faults.iter().map(|fault| (fault.pointer.as_str(), fault.code)).collect();
        assert_eq!(found, [("/members/0/birth_date", "birth_date"), ("/members/1/name/family", "name"),]);
        assert!(!format!("{faults:?}").contains("山田"));
    }
}
