//! The form a family reads and signs, from the values of a consent: A4, large type, no script, nothing from
//! outside. Every value from outside is escaped by the template; only this program's own texts are mark-up.

mod wording;
pub(super) mod words;

use askama::Template;

use self::wording::Wording;
use super::{
    print::STYLE,
    said::{Day, Markup, Said},
};
use crate::{
    domain::{
        agency::AgencyKind,
        consent::{Capacity, Line, custody::Custody},
        language::FormLanguage,
        subject::{Subject, SubjectRole},
    },
    usecases::consent_form::{Form, Party},
};

#[derive(Template)]
#[template(path = "consent_form.html")]
struct Page<'a> {
    w: &'static Wording,
    css: Markup,
    sender: Shown<'a>,
    recipients: Vec<Shown<'a>>,
    items: Vec<Said>,
    purpose: Said,
    act: Option<Said>,
    first_day: Day,
    last_day: Day,
    people: Vec<Person<'a>>,
    desk: &'a str,
    given: Option<bool>,
    giver: Option<&'a str>,
    capacity: Said,
    joint: bool,
    child: bool,
    interpreter: Option<&'a str>,
    language: Option<&'a str>,
    witness: Option<&'a str>,
    text_version: &'a str,
    number: Option<String>,
}

/// An agency by its name and what it is.
struct Shown<'a> {
    name: &'a str,
    kind: Said,
}

/// A row of the table of people.
struct Person<'a> {
    role: Said,
    reference: &'a str,
    born: Option<Day>,
    giver: Option<&'a str>,
    capacity: Said,
    decision: Said,
    own_view: Option<Said>,
}

/// The page of a form.
pub fn page(form: &Form, language: FormLanguage) -> Result<String, askama::Error> {
    let record = &form.record;
    let joint = |custody: Custody| custody.is_joint();
    let custodies = record.lines.values().filter_map(|line| line.custody).chain(record.custody);
    Page {
        w: Wording::of(language),
        css: Markup(STYLE),
        sender: shown(&form.sender, language),
        recipients: form.recipients.iter().map(|one| shown(one, language)).collect(),
        items: record.sections.iter().map(|section| words::section(section, language)).collect(),
        purpose: words::purpose(record.purpose, language),
        act: record.act.map(|act| words::act(act, language)),
        first_day: Day::of(record.first_day, language),
        last_day: Day::of(record.last_day, language),
        people: record.subjects.iter().map(|subject| person(form, subject, language)).collect(),
        desk: if form.desk.trim().is_empty() { &form.sender.name } else { &form.desk },
        given: form.given,
        giver: form.giver.as_deref(),
        capacity: words::capacity(record.giver.capacity, language),
        joint: custodies.into_iter().any(joint),
        child: record.subjects.iter().any(|subject| subject.role == SubjectRole::Child),
        interpreter: form.interpreter.as_deref(),
        language: Some(record.language.as_str()).filter(|language| !language.is_empty()),
        witness: form.witness.as_deref(),
        text_version: &record.text_version,
        number: form.number.map(|number| number.to_string()),
    }
    .render()
}

fn shown(party: &Party, language: FormLanguage) -> Shown<'_> {
    let kind: AgencyKind = party.kind;
    Shown { name: &party.name, kind: words::kind(kind, language) }
}

fn person<'a>(form: &'a Form, subject: &'a Subject, language: FormLanguage) -> Person<'a> {
    let line = form.record.line(&subject.reference);
    let of = |line: &Line| {
        let oneself = line.giver.as_ref() == Some(&subject.reference);
        if oneself { Capacity::Oneself } else { line.capacity }
    };
    let own_words = form.own_words.get(&subject.reference);
    Person {
        role: words::role(subject.role, language),
        reference: subject.reference.as_str(),
        born: subject.birth_date.as_deref().and_then(|text| Day::partial(text, language)),
        giver: own_words.and_then(|own| own.giver.as_deref()),
        capacity: line.as_ref().map_or(Said(""), |line| words::capacity(of(line), language)),
        decision: match (&line, form.given) {
            (Some(line), Some(true)) => words::decision(line.decision, language),
            _ => Said(""),
        },
        own_view: own_words.and_then(|own| own.view).map(|view| words::opinion(view, language)),
    }
}

#[cfg(test)]
mod tests;
