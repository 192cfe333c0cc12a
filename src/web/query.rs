//! What stands behind the question mark of a URL: only parameters the endpoint knows, each once, each typed.

use std::str::FromStr;

use actix_web::{HttpRequest, web};

use crate::domain::{
    fault::{Part, Phrase, Text},
    problem::{Problem, ProblemKind},
};

/// A parameter an endpoint knows, and what it expects, for those who send something else.
pub struct Parameter {
    pub name: &'static str,
    pub expects: Phrase,
}

impl Parameter {
    pub const fn new(name: &'static str, ja: &'static str, en: &'static str) -> Self {
        Self { name, expects: Phrase { ja, en } }
    }
}

/// How many items a page shows.
pub const LIMIT: Parameter = Parameter::new("limit", "1から200までの整数", "a whole number from 1 to 200");
/// The cursor of the page before.
pub const AFTER: Parameter =
    Parameter::new("after", "前のページのnextの値", "the value of next of the page before");

/// The cursor of the page before, in lists that begin with the newest.
pub const BEFORE: Parameter =
    Parameter::new("before", "前のページのnextの値", "the value of next of the page before");

/// The parameters of one request. What they hold is typed by [`Query::get`] and is repeated in no problem.
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads the query of a request for an endpoint that knows these parameters and no others: one that is
    /// misspelt would otherwise be passed over, and the answer would show more than was asked for.
    ///
    /// # Errors
    /// Bad-query, naming the parameters that may be used, or the one that stands there twice.
    pub fn read(request: &HttpRequest, known: &[&Parameter]) -> Result<Self, Problem> {
        let pairs = web::Query::<Vec<(String, String)>>::from_query(request.query_string())
            .map_err(|_| Problem::new(ProblemKind::BadQuery))?
            .into_inner();
        let count = |name: &str| pairs.iter().filter(|(other, _)| other == name).count();
        if pairs.iter().any(|(name, _)| !known.iter().any(|parameter| parameter.name == name)) {
            let text = Text::new("使える検索条件: {}", "The parameters of this endpoint are: {}");
            let names = known.iter().map(|parameter| parameter.name).collect();
            return Err(Problem::new(ProblemKind::BadQuery).detail(text.put(Part::Words(names))));
        }
        match known.iter().find(|parameter| count(parameter.name) > 1) {
            Some(twice) => Err(Problem::new(ProblemKind::BadQuery).detail(
                Text::new("「{}」が2回以上あります。", "{} stands there more than once.")
                    .put(Part::Word(twice.name)),
            )),
            None => Ok(Self(pairs)),
        }
    }

    /// The value of a parameter, if it was sent.
    ///
    /// # Errors
    /// Bad-query, naming the parameter and what it expects.
    pub fn get<T: FromStr>(&self, parameter: &Parameter) -> Result<Option<T>, Problem> {
        let value = self.0.iter().find(|(name, _)| name == parameter.name);
        value.map(|(_, text)| text.parse().map_err(|_| refused(parameter))).transpose()
    }
}

/// A value that is not what the parameter expects.
fn refused(parameter: &Parameter) -> Problem {
    Problem::new(ProblemKind::BadQuery).detail(
        Text::new("「{}」の値は{}です。", "{} must be {}.")
            .put(Part::Word(parameter.name))
            .put(Part::Phrase(parameter.expects)),
    )
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;
    use crate::{domain::ids::AgencyId, usecases::page::Limit};

    fn read(query: &str) -> Result<Query, Problem> {
        Query::read(&TestRequest::with_uri(&format!("/x?{query}")).to_http_request(), &[&AFTER, &LIMIT])
    }

    fn says(problem: Problem) -> String {
        assert_eq!(problem.kind, ProblemKind::BadQuery);
        problem.detail.map(|detail| detail.en()).unwrap_or_default()
    }

    #[test]
    fn a_parameter_is_typed_or_absent() {
        let query = read("limit=200").unwrap();
        assert_eq!(query.get::<Limit>(&LIMIT).unwrap(), "200".parse().ok());
        assert_eq!(query.get::<AgencyId>(&AFTER).unwrap(), None);
    }

    #[test]
    fn a_refusal_names_the_parameter_and_never_the_value() {
        let named = |query: &str| says(read(query).and_then(|q| q.get::<Limit>(&LIMIT)).unwrap_err());
        for value in ["", "0", "201", "-1", "%E4%B8%89", "himitsu"] {
            assert_eq!(named(&format!("limit={value}")), "limit must be a whole number from 1 to 200.");
        }
        assert_eq!(named("limit=1&limit=2"), "limit stands there more than once.");
        assert_eq!(named("himitsu=1"), "The parameters of this endpoint are: after, limit");
        let after = read("after=himitsu").unwrap().get::<AgencyId>(&AFTER).unwrap_err();
        assert_eq!(says(after), "after must be the value of next of the page before.");
    }
}
