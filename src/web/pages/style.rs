//! The style sheet, built in and served under a name that changes with it, so that browsers may keep it for ever.

use std::sync::LazyLock;

use actix_web::{HttpRequest, HttpResponse};

use super::frame::Frame;
use crate::{
    domain::problem::{Problem, ProblemKind},
    vault::sha256,
    web::problem,
};

const SHEET: &str = include_str!("../../../assets/board.css");

/// Where the style sheet is: its name holds its hash.
pub(super) static PLACE: LazyLock<String> = LazyLock::new(|| {
    let hash = sha256(SHEET.as_bytes()).to_string();
    format!("/assets/board-{}.css", &hash[..16])
});

/// `GET /assets/{name}`
pub async fn serve(request: HttpRequest) -> HttpResponse {
    if request.path() == PLACE.as_str() {
        problem::style(SHEET)
    } else {
        Frame::of(&request).answer(Err(Problem::new(ProblemKind::NotFound)))
    }
}
