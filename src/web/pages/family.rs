//! The family's own page: who holds what about this person, why, until when, and how to take it back. It is printed for
//! one person and names no value; a protected family is asked first whether the paper may be taken home.

mod wording;
pub(super) mod words;

use askama::Template;

use self::wording::Wording;
use super::{
    consent_form::words as common,
    print::STYLE,
    said::{Day, Markup, Said},
};
use crate::{
    domain::{
        family_view::{CopyStands, Decider, TakeHome},
        language::FormLanguage,
    },
    usecases::family::{Disposed, FamilyView, Holder, Person},
};

#[derive(Template)]
#[template(path = "family.html")]
struct Page<'a> {
    w: &'static Wording,
    css: Markup,
    sender: Option<&'a str>,
    today: Day,
    ask: bool,
    stays_here: bool,
    without_places: bool,
    holders: Vec<Row<'a>>,
    numbers: Vec<String>,
    desk: Option<&'a str>,
}

/// One holder, as the page shows it.
struct Row<'a> {
    name: Option<&'a str>,
    kind: Said,
    people: Vec<About<'a>>,
    purpose: Said,
    sent_on: Day,
    given_on: Day,
    deciders: Vec<Said>,
    first_day: Day,
    last_day: Day,
    withdrawn_on: Option<Day>,
    copy: Said,
    opened_on: Option<Day>,
    answer: Said,
    disposal: Option<Gone<'a>>,
}

struct About<'a> {
    /// The role and the handle; nothing for the household as a whole.
    who: Option<(Said, &'a str)>,
    sections: Vec<(Said, Vec<Said>)>,
}

struct Gone<'a> {
    cause: Said,
    state: Said,
    article: Option<&'a str>,
}

/// The page of a view.
pub fn page(view: &FamilyView, language: FormLanguage) -> Result<String, askama::Error> {
    let w = Wording::of(language);
    let mut numbers: Vec<String> = view.holders.iter().map(|holder| holder.consent.id.to_string()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    Page {
        w,
        css: Markup(STYLE),
        sender: view.sender.as_deref(),
        today: Day::of(view.as_of, language),
        ask: view.ask_take_home,
        stays_here: view.take_home == Some(TakeHome::Unsafe),
        without_places: view.places == crate::domain::family_view::Places::LeftOut,
        holders: view.holders.iter().map(|holder| row(holder, w, language)).collect(),
        numbers,
        desk: view.desk.as_deref(),
    }
    .render()
}

fn row<'a>(holder: &'a Holder, w: &'static Wording, language: FormLanguage) -> Row<'a> {
    let day = |date| Day::of(date, language);
    let decider = |person: &Person| match person.decided_by {
        Decider::Viewer => w.you,
        Decider::Capacity(capacity) => common::capacity(capacity, language),
    };
    let mut deciders: Vec<Said> = Vec::new();
    for one in holder.people.iter().map(decider) {
        if !deciders.contains(&one) {
            deciders.push(one);
        }
    }
    Row {
        name: holder.name.as_deref(),
        kind: common::kind(holder.kind, language),
        people: holder.people.iter().map(|person| about(person, language)).collect(),
        purpose: common::purpose(holder.purpose, language),
        sent_on: day(holder.sent_on),
        given_on: day(holder.consent.given_on),
        deciders,
        first_day: day(holder.consent.first_day),
        last_day: day(holder.consent.last_day),
        withdrawn_on: holder.consent.withdrawn_on.map(day),
        copy: words::copy(holder.copy, language),
        opened_on: holder.opened_on.filter(|_| holder.copy != CopyStands::NotYet).map(day),
        answer: words::answer(holder.answer, language),
        disposal: holder.disposal.as_ref().map(|one| gone(one, language)),
    }
}

fn about(person: &Person, language: FormLanguage) -> About<'_> {
    let who = person.role.zip(person.subject.as_ref());
    About {
        who: who.map(|(role, subject)| (common::role(role, language), subject.as_str())),
        sections: person
            .sections
            .iter()
            .map(|sent| {
                let fields = sent.fields.iter().map(|field| words::field(field, language)).collect();
                (words::section(sent.section, language), fields)
            })
            .collect(),
    }
}

fn gone(one: &Disposed, language: FormLanguage) -> Gone<'_> {
    Gone {
        cause: words::cause(one.cause, language),
        state: words::disposal(one.state, language),
        article: one.article.as_deref(),
    }
}

#[cfg(test)]
mod tests;
