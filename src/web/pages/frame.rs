//! What every page has: a language, the person who looks, links, times, and a way to say that something is wrong.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{ACCEPT_LANGUAGE, COOKIE, HOST, ORIGIN},
    web,
};
use askama::Template;
use jiff::{Timestamp, tz::Offset};

use super::style;
use crate::{
    domain::{
        fault::{Phrase, Text},
        language::Language,
        problem::{Problem, ProblemKind},
    },
    usecases::{
        jst,
        sign_in::{self, Visitor},
    },
    web::{
        caller::{context, header},
        problem::{page, refused_page, see_other},
        query::Parameter,
    },
};

/// The cookie of a session. The prefix makes browsers insist on `Secure`, on `Path=/` and on no other host.
pub(super) const COOKIE_NAME: &str = "__Host-tsunagu";
/// The parameter by which a reader chooses the language.
pub(super) const LANG: Parameter = Parameter::new("lang", "ja または en", "ja or en");

/// What the templates are given besides their own.
pub struct Frame {
    pub language: Language,
    /// Whether the reader chose the language in this request: then links keep it.
    chosen: bool,
    /// Who has signed in.
    pub who: Option<Who>,
}

pub struct Who {
    pub agency: String,
    /// What a form of this session brings back.
    pub form: String,
}

/// A time as it is shown, and as machines read it.
pub struct Time {
    pub full: String,
    pub day: String,
    pub clock: String,
    pub machine: String,
}

impl Time {
    pub fn of(at: Timestamp) -> Self {
        let local = Offset::constant(9).to_datetime(at);
        Self {
            full: local.strftime("%Y-%m-%d %H:%M").to_string(),
            day: local.strftime("%m-%d").to_string(),
            clock: local.strftime("%H:%M").to_string(),
            machine: jst(at),
        }
    }
}

impl Frame {
    pub fn of(request: &HttpRequest) -> Self {
        let pairs = web::Query::<Vec<(String, String)>>::from_query(request.query_string());
        let asked = pairs.ok().and_then(|pairs| {
            pairs.iter().find(|(name, _)| name == LANG.name).and_then(|(_, value)| value.parse().ok())
        });
        let accepted = || preferred(&header(request, ACCEPT_LANGUAGE.as_str()).unwrap_or_default());
        Self { language: asked.unwrap_or_else(accepted), chosen: asked.is_some(), who: None }
    }

    /// The person who asks, noted in the frame.
    ///
    /// # Errors
    /// Unauthorised for somebody without a living session: [`Frame::answer`] leads to the sign-in.
    pub async fn visitor(&mut self, request: &HttpRequest) -> Result<Visitor, Problem> {
        let cookie = session_cookie(request).ok_or(ProblemKind::Unauthorised)?;
        let found = sign_in::visitor(&context(request), &cookie).await?;
        let visitor = found.ok_or(ProblemKind::Unauthorised)?;
        let (agency, form) = (visitor.caller.agency.name.clone(), visitor.form.clone());
        self.who = Some(Who { agency, form });
        Ok(visitor)
    }

    /// One side of a text in both languages.
    pub fn say<'a>(&self, ja: &'a str, en: &'a str) -> &'a str {
        match self.language {
            Language::Japanese => ja,
            Language::English => en,
        }
    }

    pub fn phrase(&self, phrase: Phrase) -> &'static str {
        self.say(phrase.ja, phrase.en)
    }

    fn text(&self, text: &Text) -> String {
        match self.language {
            Language::Japanese => text.ja(),
            Language::English => text.en(),
        }
    }

    pub fn code(&self) -> &'static str {
        self.language.code()
    }

    /// The language, if the reader has chosen it here.
    pub fn chosen(&self) -> Option<&'static str> {
        self.chosen.then(|| self.code())
    }

    /// A link that keeps the language the reader has chosen.
    pub fn to(&self, path: &str) -> String {
        match self.chosen() {
            Some(lang) if path.contains('?') => format!("{path}&lang={lang}"),
            Some(lang) => format!("{path}?lang={lang}"),
            None => path.to_owned(),
        }
    }

    /// The same page in the other language.
    pub fn other(&self) -> &'static str {
        self.say("?lang=en", "?lang=ja")
    }

    pub fn style(&self) -> &'static str {
        &style::PLACE
    }

    /// A page, or what there is instead of it.
    pub fn answer(&self, made: Result<HttpResponse, Problem>) -> HttpResponse {
        match made {
            Ok(answer) => answer,
            Err(problem) if problem.kind == ProblemKind::Unauthorised => see_other(&self.to("/sign-in")),
            Err(problem) => self.refusal(&problem),
        }
    }

    /// Fills a template into an answer.
    pub fn fill(&self, template: &impl Template) -> Result<HttpResponse, Problem> {
        Ok(page(self.code(), rendered(template)?))
    }

    /// What went wrong, and what to do about it.
    fn refusal(&self, problem: &Problem) -> HttpResponse {
        let mend = problem.mend.clone().unwrap_or_else(|| mend(problem.kind).into());
        let refused = Refused {
            frame: self,
            title: self.phrase(problem.kind.title()),
            detail: problem.detail.as_ref().map(|detail| self.text(detail)),
            mend: self.text(&mend),
        };
        refused_page(problem, self.code(), rendered(&refused).unwrap_or_default())
    }
}

#[derive(Template)]
#[template(path = "refused.html")]
struct Refused<'a> {
    frame: &'a Frame,
    title: &'static str,
    detail: Option<String>,
    mend: String,
}

pub(super) fn rendered(template: &impl Template) -> Result<String, Problem> {
    template.render().map_err(|error| {
        tracing::error!(%error, "a page could not be written");
        Problem::new(ProblemKind::Internal)
    })
}

/// What a person at a browser can do, where the advice for systems does not help.
fn mend(kind: ProblemKind) -> Phrase {
    match kind {
        ProblemKind::NotFound | ProblemKind::BadId | ProblemKind::BadQuery => Phrase {
            ja: "リンクが古いか、あなたの機関が当事者でない可能性があります。一覧から選び直してください。",
            en: "The link may be old, or your agency is no party to it. Choose again from the board.",
        },
        ProblemKind::Forbidden => Phrase {
            ja: "画面を開き直して、もう一度操作してください。",
            en: "Open the page again and repeat what you did.",
        },
        ProblemKind::Busy | ProblemKind::Unavailable | ProblemKind::OutcomeUnknown => Phrase {
            ja: "少し待ってから、もう一度操作してください。急ぐときは電話で連絡してください。",
            en: "Wait a moment and try again. If it is urgent, telephone.",
        },
        other => other.mend(),
    }
}

/// The language that a browser prefers of the two there are; Japanese where it has no wish.
fn preferred(accept: &str) -> Language {
    let wish = |part: &str| -> Option<(f32, Language)> {
        let (range, weight) = part.split_once(';').unwrap_or((part, "q=1"));
        let language = range.trim().split('-').next()?.to_ascii_lowercase().parse().ok()?;
        let weight: f32 = weight.trim().strip_prefix("q=")?.parse().ok()?;
        (weight > 0.0).then_some((weight, language))
    };
    let mut best = (0.0, Language::Japanese);
    for (weight, language) in accept.split(',').filter_map(wish) {
        if weight > best.0 {
            best = (weight, language);
        }
    }
    best.1
}

/// The value of the session's cookie. Where there are two, nobody can say which is meant.
pub(super) fn session_cookie(request: &HttpRequest) -> Option<String> {
    let headers = request.headers().get_all(COOKIE).filter_map(|value| value.to_str().ok());
    let pairs = headers.flat_map(|header| header.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(name, _)| *name == COOKIE_NAME).map(|(_, value)| value);
    let first = values.next()?;
    values.next().is_none().then(|| first.to_owned())
}

/// Refuses a form that another site may have sent: the browser says from where it comes.
///
/// # Errors
/// Forbidden.
pub(super) fn same_origin(request: &HttpRequest) -> Result<(), Problem> {
    let ours = match header(request, ORIGIN.as_str()) {
        Some(origin) => {
            let context = context(request);
            let host = header(request, HOST.as_str()).unwrap_or_default();
            let authority = origin.split_once("://").map_or("", |(_, authority)| authority);
            origin.eq_ignore_ascii_case(&context.settings.public_url)
                || (!host.is_empty() && authority.eq_ignore_ascii_case(&host))
        }
        // Only a browser says this, and scripts cannot make it.
        None => header(request, "Sec-Fetch-Site").as_deref() == Some("same-origin"),
    };
    if ours { Ok(()) } else { Err(not_from_here()) }
}

/// A form that does not come from a page of this session.
pub(super) fn not_from_here() -> Problem {
    Problem::new(ProblemKind::Forbidden).detail(Text::new(
        "この操作が、この画面から送られたものか確認できませんでした。",
        "It could not be made sure that this was sent from a page of this hub.",
    ))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn the_browsers_wish_is_heard_and_the_readers_choice_comes_first() {
        for (accept, language) in [
            ("", Language::Japanese),
            ("fr", Language::Japanese),
            ("en-US,en;q=0.9,ja;q=0.8", Language::English),
            ("ja,en;q=0.9", Language::Japanese),
            ("en;q=0.5, ja;q=0.6", Language::Japanese),
            ("en;q=0", Language::Japanese),
            ("en;q=x,;,q", Language::Japanese),
        ] {
            assert_eq!(preferred(accept), language, "{accept}");
        }
        let english = ("Accept-Language", "en");
        let request = |uri: &str| TestRequest::with_uri(uri).insert_header(english).to_http_request();
        assert_eq!(Frame::of(&request("/board")).to("/board"), "/board");
        let chosen = Frame::of(&request("/board?lang=ja"));
        assert_eq!((chosen.code(), chosen.to("/board?a=b")), ("ja", "/board?a=b&lang=ja".to_owned()));
        assert_eq!(Frame::of(&request("/board?lang=fr")).code(), "en");
    }

    #[test]
    fn a_cookie_that_is_there_twice_is_none() {
        let cookie = |text: &str| {
            session_cookie(&TestRequest::default().insert_header(("Cookie", text)).to_http_request())
        };
        assert_eq!(cookie("a=b; __Host-tsunagu=x; c=d").as_deref(), Some("x"));
        assert_eq!(cookie("__Host-tsunagu=x; __Host-tsunagu=y"), None);
        assert_eq!(cookie("tsunagu=x; x__Host-tsunagu=y"), None);
    }

    #[test]
    fn times_are_japans() {
        let time = Time::of("2026-12-31T15:04:05Z".parse().unwrap());
        assert_eq!(
            (time.full.as_str(), time.day.as_str(), time.clock.as_str()),
            ("2027-01-01 00:04", "01-01", "00:04")
        );
        assert!(time.machine.starts_with("2027-01-01T00:04:05") && time.machine.ends_with("+09:00"));
    }
}
