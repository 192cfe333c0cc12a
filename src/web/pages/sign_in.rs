//! The way in and the way out.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web::Form};
use askama::Template;
use serde::Deserialize;

use super::frame::{COOKIE_NAME, Frame, not_from_here, rendered, same_origin, session_cookie};
use crate::{
    domain::problem::{Problem, ProblemKind},
    usecases::sign_in,
    web::{
        caller::context,
        passwords,
        problem::{page_with_refusal, see_other, see_other_with_cookie},
    },
};

#[derive(Template)]
#[template(path = "sign_in.html")]
struct Page<'a> {
    frame: &'a Frame,
    refused: bool,
    signed_out: bool,
}

/// What the form brings. A member that is missing is empty, and so is nobody's.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Entry {
    login: String,
    password: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Leaving {
    form: String,
}

/// `GET /sign-in`
pub async fn show(request: HttpRequest) -> HttpResponse {
    let mut frame = Frame::of(&request);
    match frame.visitor(&request).await {
        Ok(_) => see_other(&frame.to("/board")),
        Err(problem) if problem.kind == ProblemKind::Unauthorised => {
            let signed_out = request.query_string().split('&').any(|part| part == "signed-out");
            let page = Page { frame: &frame, refused: false, signed_out };
            frame.answer(frame.fill(&page))
        }
        Err(problem) => frame.answer(Err(problem)),
    }
}

/// `POST /sign-in`
pub async fn enter(request: HttpRequest, entry: Result<Form<Entry>, actix_web::Error>) -> HttpResponse {
    let frame = Frame::of(&request);
    let Form(entry) = entry.unwrap_or_else(|_| Form(Entry::default()));
    frame.answer(entered(&request, &frame, entry).await)
}

async fn entered(request: &HttpRequest, frame: &Frame, entry: Entry) -> Result<HttpResponse, Problem> {
    same_origin(request)?;
    let context = context(request);
    let tried = sign_in::begin(&context, &entry.login).await?;
    let shared = Arc::clone(&context);
    let checked = passwords::run(request, move || {
        let right = tried.check(&shared.vault, &entry.password);
        (tried, right)
    });
    let (tried, right) = checked.await?;
    match sign_in::finish(&context, tried, right).await? {
        Some(value) => {
            // A session cookie: it goes with the browser, and the hub ends it earlier than most browsers do.
            let cookie = format!("{COOKIE_NAME}={}; Path=/; Secure; HttpOnly; SameSite=Strict", *value);
            Ok(see_other_with_cookie(&frame.to("/board"), &cookie))
        }
        None => {
            let page = Page { frame, refused: true, signed_out: false };
            Ok(page_with_refusal(frame.code(), rendered(&page)?))
        }
    }
}

/// `POST /sign-out`
pub async fn leave(request: HttpRequest, form: Result<Form<Leaving>, actix_web::Error>) -> HttpResponse {
    let mut frame = Frame::of(&request);
    let Form(form) = form.unwrap_or_else(|_| Form(Leaving::default()));
    let left = left(&request, &mut frame, &form).await;
    frame.answer(left)
}

async fn left(request: &HttpRequest, frame: &mut Frame, form: &Leaving) -> Result<HttpResponse, Problem> {
    same_origin(request)?;
    if session_cookie(request).is_some() {
        let visitor = frame.visitor(request).await?;
        if !visitor.made(&form.form) {
            return Err(not_from_here());
        }
        visitor.sign_out(&context(request)).await?;
    }
    let cookie = format!("{COOKIE_NAME}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0");
    Ok(see_other_with_cookie(&frame.to("/sign-in?signed-out"), &cookie))
}
