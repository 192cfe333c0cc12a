//! What a referral says: sections of entries about subjects. The only way out of here towards a
//! recipient is `document::render`, which takes a mask.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    field_error::FieldError,
    section::Section,
    subject::{Subject, SubjectRef, bad_birth_date, plausible_birth_date},
    veil::Veil,
};

/// One entry of a section. Without a subject it speaks of the household as a whole.
#[derive(Clone, PartialEq)]
pub struct Entry {
    pub subject: Option<SubjectRef>,
    /// Every member of the entry but `subject`.
    pub fields: Map<String, Value>,
}

/// What a referral says, section by section. `Debug` shows how much there is and none of it.
#[derive(Clone, Default, PartialEq)]
pub struct Content {
    sections: BTreeMap<Section, Vec<Entry>>,
    /// What its texts must not name toward those from whom the family is hidden.
    veil: Option<Veil>,
}

/// Which subjects each section speaks of: all that a decision needs to know of a content.
///
/// `None` stands for the household as a whole. An outline holds no personal value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Outline(BTreeMap<Section, BTreeSet<Option<SubjectRef>>>);

impl Outline {
    /// The subjects a section speaks of, the household first.
    pub fn of(&self, section: Section) -> impl Iterator<Item = Option<&SubjectRef>> {
        self.0.get(&section).into_iter().flatten().map(Option::as_ref)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(Section, Option<SubjectRef>)> for Outline {
    fn from_iter<I: IntoIterator<Item = (Section, Option<SubjectRef>)>>(parts: I) -> Self {
        let mut outline = Self::default();
        for (section, subject) in parts {
            outline.0.entry(section).or_default().insert(subject);
        }
        outline
    }
}

impl Content {
    /// Reads the member `content` of a referral that has passed its schema.
    ///
    /// # Errors
    /// Every fault found: an unknown section, a section that is no list of objects, an entry about a
    /// subject that is not declared, an implausible birth date. Pointers start at `/content`; the
    /// name of an unknown section is left out, since it may be anything.
    pub fn parse(value: &Value, subjects: &[Subject], today: Date) -> Result<Self, Vec<FieldError>> {
        let mut sections = BTreeMap::new();
        let mut errors = Vec::new();
        for (name, entries) in value.as_object().into_iter().flatten() {
            match name.parse() {
                Ok(section) => {
                    let read = read_section(section, entries, subjects, today, &mut errors);
                    if !read.is_empty() {
                        sections.insert(section, read);
                    }
                }
                Err(_) => errors.push(FieldError::new(
                    "/content",
                    "section_unknown",
                    "区分の一覧にない区分があります。",
                    "There is a section that is not on the list of sections.",
                )),
            }
        }
        if !value.is_object() {
            errors.push(not_entries("/content".into()));
        }
        if errors.is_empty() { Ok(Self { sections, veil: None }) } else { Err(errors) }
    }

    /// Each section as the JSON bytes the vault seals: an array of entries as they were submitted.
    /// For the vault alone; a recipient gets `document::render`.
    pub fn sections_to_seal(&self) -> impl Iterator<Item = (Section, Vec<u8>)> {
        self.sections.iter().map(|(section, entries)| {
            let array = Value::Array(entries.iter().map(Entry::to_value).collect());
            (*section, array.to_string().into_bytes())
        })
    }

    /// Puts a content together again from the sections the vault has opened. Not every section needs
    /// to be there: a reader's rights may not reach them all.
    ///
    /// # Errors
    /// The section whose bytes are no list of entries, which means that something else was sealed.
    pub fn from_opened<'a>(
        parts: impl IntoIterator<Item = (Section, &'a [u8])>,
    ) -> Result<Self, NotASection> {
        let mut sections = BTreeMap::new();
        for (section, bytes) in parts {
            let entries: Option<Vec<Entry>> = serde_json::from_slice::<Vec<Map<String, Value>>>(bytes)
                .ok()
                .and_then(|entries| entries.into_iter().map(Entry::from_map).collect());
            sections.insert(section, entries.ok_or(NotASection { section })?);
        }
        Ok(Self { sections, veil: None })
    }

    pub fn outline(&self) -> Outline {
        let parts = self.sections.iter().flat_map(|(s, entries)| entries.iter().map(move |e| (*s, e)));
        parts.map(|(section, entry)| (section, entry.subject.clone())).collect()
    }

    /// Draws a veil over the texts: over the words of the protection, and over every address, telephone and other
    /// contact that this content and `elsewhere` hold.
    pub fn draw(&mut self, mut veil: Veil, elsewhere: &Self) {
        for section in [Section::Address, Section::Contact] {
            for entry in self.entries(section).iter().chain(elsewhere.entries(section)) {
                entry.fields.values().for_each(|value| veil.hide_all(value));
            }
        }
        self.veil = Some(veil);
    }

    /// The same behind this veil and no other.
    #[must_use]
    pub(in crate::domain) fn behind(self, veil: Veil) -> Self {
        Self { veil: Some(veil), ..self }
    }

    /// The veil that was drawn. Where a mask asks for one and there is none, no text is shown.
    pub fn veil(&self) -> Option<&Veil> {
        self.veil.as_ref()
    }

    /// The entries of a section, for the renderer beside us and for rules of this floor.
    pub(in crate::domain) fn entries(&self, section: Section) -> &[Entry] {
        self.sections.get(&section).map_or(&[], Vec::as_slice)
    }
}

/// Bytes that were opened as a section and are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the opened bytes of the section {section} are no list of entries")]
pub struct NotASection {
    pub section: Section,
}

fn read_section(
    section: Section,
    entries: &Value,
    subjects: &[Subject],
    today: Date,
    errors: &mut Vec<FieldError>,
) -> Vec<Entry> {
    let Some(entries) = entries.as_array() else {
        errors.push(not_entries(format!("/content/{section}")));
        return Vec::new();
    };
    let mut read = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let at = format!("/content/{section}/{index}");
        let Some(fields) = entry.as_object() else {
            errors.push(not_entries(at));
            continue;
        };
        match Entry::from_map(fields.clone()) {
            Some(entry) if entry.is_about(subjects) => {
                check_birth_date(&entry, &at, today, errors);
                read.push(entry);
            }
            _ => errors.push(FieldError::new(
                format!("{at}/subject"),
                "subject_not_declared",
                "subjects で宣言した ref を書いてください。",
                "Name a ref that is declared in subjects.",
            )),
        }
    }
    read
}

fn check_birth_date(entry: &Entry, at: &str, today: Date, errors: &mut Vec<FieldError>) {
    if let Some(date) = entry.fields.get("birth_date")
        && !date.as_str().is_some_and(|date| plausible_birth_date(date, today))
    {
        errors.push(bad_birth_date(format!("{at}/birth_date")));
    }
}

fn not_entries(pointer: String) -> FieldError {
    FieldError::new(
        pointer,
        "section_entries",
        "区分は項目（オブジェクト）の配列で書いてください。",
        "Write a section as an array of objects.",
    )
}

impl Entry {
    /// Nothing where `subject` is there and is no ref.
    fn from_map(mut fields: Map<String, Value>) -> Option<Self> {
        let subject = match fields.remove("subject") {
            None => None,
            Some(subject) => Some(subject.as_str()?.parse().ok()?),
        };
        Some(Self { subject, fields })
    }

    fn is_about(&self, subjects: &[Subject]) -> bool {
        self.subject.as_ref().is_none_or(|s| subjects.iter().any(|declared| declared.reference == *s))
    }

    fn to_value(&self) -> Value {
        let mut object = Map::new();
        if let Some(subject) = &self.subject {
            object.insert("subject".into(), subject.as_str().into());
        }
        object.extend(self.fields.clone());
        Value::Object(object)
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entry({} fields)", self.fields.len())
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.sections.iter().map(|(s, e)| (s.code(), e.len()))).finish()
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use serde_json::json;

    use super::*;
    use crate::domain::subject::SubjectRole;

    fn mother() -> Vec<Subject> {
        vec![Subject { reference: "mother".parse().unwrap(), role: SubjectRole::Guardian, birth_date: None }]
    }

    fn parse(value: &Value) -> Result<Content, Vec<FieldError>> {
        Content::parse(value, &mother(), date(2026, 10, 15))
    }

    #[test]
    fn a_content_survives_its_way_through_the_vault() {
        let content = parse(&json!({
            "identity": [{"subject": "mother", "name": {"family": "髙橋"}, "birth_date": "1995-02"}],
            "household": [{"text": "二人で暮らす"}],
        }))
        .unwrap();
        let sealed: Vec<_> = content.sections_to_seal().collect();
        assert_eq!(sealed.len(), 2);
        let opened = Content::from_opened(sealed.iter().map(|(s, bytes)| (*s, bytes.as_slice()))).unwrap();
        assert_eq!(opened, content);
        assert_eq!(opened.outline(), content.outline());
        assert_eq!(
            Content::from_opened([(Section::Needs, b"{}".as_slice())]),
            Err(NotASection { section: Section::Needs })
        );
    }

    #[test]
    fn faults_are_found_all_at_once_and_quote_nothing() {
        let errors = parse(&json!({
            "秘密": [],
            "identity": [{"subject": "father"}, {"subject": "花子"}, {"subject": "mother", "birth_date": "2999"}, {"subject": null}],
            "needs": {"text": "花子"},
            "narrative": ["花子"],
        }))
        .unwrap_err();
        let mut found: Vec<_> = errors.iter().map(|e| (e.pointer.as_str(), e.code)).collect();
        found.sort_unstable();
        assert_eq!(
            found,
            [
                ("/content", "section_unknown"),
                ("/content/identity/0/subject", "subject_not_declared"),
                ("/content/identity/1/subject", "subject_not_declared"),
                ("/content/identity/2/birth_date", "birth_date"),
                ("/content/identity/3/subject", "subject_not_declared"),
                ("/content/narrative/0", "section_entries"),
                ("/content/needs", "section_entries"),
            ]
        );
        let text = format!("{errors:?}");
        assert!(["秘密", "花子", "2999", "father"].iter().all(|value| !text.contains(value)));
    }

    #[test]
    fn debug_shows_no_value() {
        let content = parse(&json!({"contact": [{"subject": "mother", "phone": "090-0000-0000"}]})).unwrap();
        assert_eq!(format!("{content:?}"), r#"{"contact": 1}"#);
        assert_eq!(format!("{:?}", content.entries(Section::Contact)), "[Entry(1 fields)]");
    }
}
