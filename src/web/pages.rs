//! Pages for people with a browser: HTML made on the server, complete without any script.
//!
//! A page shows what a use case answered and decides nothing. Whatever goes wrong is a page too, in the reader's
//! language, with what to do. Must never happen here: a script, an inline style, anything fetched from elsewhere,
//! a word about a family on a list.

pub mod board;
pub mod consent_form;
pub mod family;
mod frame;
pub mod leg;
pub mod print;
mod said;
pub mod sign_in;
pub mod style;
pub mod subject_export;
mod words;

use actix_web::{HttpRequest, HttpResponse};

use self::frame::Frame;

/// `GET /`: to the board; who has not signed in is led on from there.
pub async fn home(request: HttpRequest) -> HttpResponse {
    super::problem::see_other(&Frame::of(&request).to("/board"))
}
