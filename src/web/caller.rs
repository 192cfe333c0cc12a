//! Who is asking: an access token becomes a [`Caller`], with rights read from the ledger at this moment.

use std::{future::Future, pin::Pin, sync::Arc};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header::AUTHORIZATION, web::Data};

use crate::{
    domain::{
        problem::{Problem, ProblemKind},
        purpose::AccessPurpose,
    },
    usecases::{Caller, Context, authenticate},
};

/// The hub's tools, as handlers get them.
pub fn context(request: &HttpRequest) -> Arc<Context> {
    let data = request.app_data::<Data<Context>>().expect("invariant: server.rs installs the context");
    Arc::clone(data)
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let context = context(request);
        let token = bearer(request);
        let rehearsed = !prefers_dry_run(request) || has_dry_run(request);
        let purpose = AccessPurpose::named(header(request, "Tsunagu-Purpose").as_deref());
        Box::pin(async move {
            let caller = match token {
                Some(token) => authenticate::caller(&context, &token).await?,
                None => return Err(Problem::new(ProblemKind::Unauthorised)),
            };
            let caller = Caller { purpose: purpose?, ..caller };
            // What cannot be tried out must not be carried out instead.
            if rehearsed { Ok(caller) } else { Err(Problem::new(ProblemKind::NoDryRun)) }
        })
    }
}

/// The token of exactly one well-formed `Authorization: Bearer …` header.
fn bearer(request: &HttpRequest) -> Option<String> {
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let header = headers.next().filter(|_| headers.next().is_none())?;
    let (scheme, token) = header.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim().to_owned())
}

/// Whether a request asks only what would happen: `Prefer: dry-run` (RFC 7240), alone or among other preferences.
/// A value does not turn it into its opposite: who writes the word does not expect anything to be done.
pub fn prefers_dry_run(request: &HttpRequest) -> bool {
    let lines = request.headers().get_all("prefer").filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|one| {
        one.split([';', '=']).next().is_some_and(|name| name.trim().eq_ignore_ascii_case("dry-run"))
    })
}

/// Whether the endpoint of a request can say what would happen. Reading does nothing, so it always can.
fn has_dry_run(request: &HttpRequest) -> bool {
    let pattern = request.match_pattern().unwrap_or_default();
    let row = super::TABLE.iter().find(|row| row.path == pattern && request.method() == row.method);
    row.is_some_and(|row| row.method == "GET" || super::DRY_RUNS.contains(&row.endpoint))
}

/// The staff id in the header `Tsunagu-Staff`: for whom a system asks. Whether there is such a person is the
/// use case's to say.
pub fn named_staff(request: &HttpRequest) -> Option<String> {
    header(request, "Tsunagu-Staff")
}

/// The value of a header. One that stands there twice, or is not plain text, has none that anybody could mean:
/// whoever stands between the caller and the hub may have added the second.
pub fn header(request: &HttpRequest, name: &str) -> Option<String> {
    let mut values = request.headers().get_all(name);
    let first = values.next()?;
    let only = values.next().is_none().then(|| first.to_str().ok()).flatten();
    Some(only.unwrap_or_default().to_owned())
}
