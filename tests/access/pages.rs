//! The cells of the pages: a person's session instead of a token, pages and redirections instead of documents.

use reqwest::RequestBuilder;
use tsunagu::web::{Endpoint, Row};

use super::{
    cells::{Caller, Object},
    world::{PASSWORD, World},
};
use crate::support::town::{COOKIE, FORM, form};

/// The status that a cell must be answered with. 303 leads those who have not signed in to where they can.
pub fn expected(endpoint: Endpoint, caller: Caller, object: Object) -> u16 {
    use Endpoint as E;
    match (endpoint, object) {
        (E::Home, _) => 303,
        (E::SignInPage, _) => {
            if caller.known() {
                303
            } else {
                200
            }
        }
        (E::SignIn, _) => {
            if caller.known() {
                303
            } else {
                403
            }
        }
        // Without the token of the session's own pages nobody is signed out.
        (E::SignOut, _) => {
            if caller.known() {
                403
            } else {
                303
            }
        }
        (E::Asset, Object::Own) => 200,
        (E::Asset, _) => 404,
        (E::Board | E::BoardLeg, _) if !caller.known() => 303,
        (E::Board | E::BoardLeg, Object::Malformed) => 400,
        (E::BoardLeg, Object::Missing | Object::Foreign) => 404,
        (E::Board | E::BoardLeg, _) => 200,
        (other, _) => unreachable!("{other:?} is no page"),
    }
}

/// The request of a cell, as the caller's browser sends it.
pub fn request(world: &World, row: &Row, leg: &str, caller: Caller, object: Object) -> RequestBuilder {
    use Endpoint as E;
    let party = caller.party(world);
    let path = match (row.endpoint, object) {
        (E::Asset, Object::Own) => world.style.clone(),
        (E::Asset, _) => row.path.replace("{name}", leg),
        (E::Board, Object::Own) => row.path.to_owned(),
        (E::Board, Object::Malformed) => format!("{}?after={leg}", row.path),
        (E::Board, _) => format!("{}?after=0.0.{leg}", row.path),
        _ => row.path.replace("{id}", leg),
    };
    let request = with_session(world, caller, row.method, &path);
    let request = match row.method {
        "POST" => request.header("origin", world.town.url("")).header("content-type", FORM),
        _ => request,
    };
    match row.endpoint {
        E::SignIn if caller.known() => request.body(form(&[("login", &party.login), ("password", PASSWORD)])),
        E::SignIn => request.body(form(&[("login", "login-of-nobody"), ("password", PASSWORD)])),
        E::SignOut => request.body(form(&[("form", leg)])),
        _ => request,
    }
}

/// A request with the caller's session, an old one, or none.
fn with_session(world: &World, caller: Caller, method: &str, path: &str) -> RequestBuilder {
    let party = caller.party(world);
    match caller {
        Caller::NoToken => party.agency.stranger(method, path),
        Caller::Expired => {
            let cookie = format!("{COOKIE}={}", world.old_cookie);
            party.agency.stranger(method, path).header("cookie", cookie)
        }
        Caller::Owner | Caller::Recipient | Caller::Third => party.browser.request(method, path),
    }
}
