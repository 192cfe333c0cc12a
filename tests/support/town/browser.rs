//! A person at a browser: cookies are kept, forms are filled in, nothing else is known.

use std::sync::{Arc, Mutex};

use reqwest::RequestBuilder;

use super::{
    agency::{Agency, Door},
    reply::{Exchange, Reply},
};

/// The cookie of a session.
pub const COOKIE: &str = "__Host-tsunagu";

pub struct Browser {
    door: Arc<Door>,
    /// Whose staff sits there, for the record of what was seen.
    agency: String,
    cookie: Mutex<Option<String>>,
}

impl Browser {
    pub fn of(agency: &Agency) -> Self {
        Self { door: agency.door(), agency: agency.id.clone(), cookie: Mutex::new(None) }
    }

    pub fn cookie(&self) -> Option<String> {
        self.cookie.lock().unwrap().clone()
    }

    /// Takes a cookie from somewhere else, as a thief would.
    pub fn keep(&self, cookie: Option<String>) {
        *self.cookie.lock().unwrap() = cookie;
    }

    /// A request as this browser would send it, with nothing of a form yet.
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let request = self.door.request(method, path);
        match self.cookie() {
            Some(cookie) => request.header("cookie", format!("other=1; {COOKIE}={cookie}")),
            None => request,
        }
    }

    /// Sends a request, keeps the cookie that comes back, and records both.
    pub async fn send(&self, request: RequestBuilder) -> Reply {
        let request = request.build().unwrap();
        let (method, url) = (request.method().to_string(), request.url().to_string());
        let reply = self.door.execute(request).await;
        if let Some(set) = reply.header("set-cookie") {
            let (pair, attributes) = set.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            assert_eq!(name, COOKIE);
            for attribute in ["Path=/", "Secure", "HttpOnly", "SameSite=Strict"] {
                assert!(attributes.contains(attribute), "{set}");
            }
            self.keep((!value.is_empty()).then(|| value.to_owned()));
        }
        let caller = self.agency.clone();
        self.door.record(Exchange { caller, method, url, reply: reply.clone() });
        reply
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(self.request("GET", path)).await
    }

    /// Fills in a form of this hub.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let request = self.request("POST", path).header("origin", self.door.url(""));
        self.send(request.header("content-type", FORM).body(form(fields))).await
    }

    pub async fn sign_in(&self, login: &str, password: &str) -> Reply {
        self.post("/sign-in", &[("login", login), ("password", password)]).await
    }

    pub async fn sign_out(&self) -> Reply {
        let page = self.get("/board").await;
        let token =
            between(page.text(), "name=\"form\" value=\"", "\"").expect("a page has the way out").to_owned();
        self.post("/sign-out", &[("form", &token)]).await
    }
}

pub const FORM: &str = "application/x-www-form-urlencoded";

/// Fields as a form sends them.
pub fn form(fields: &[(&str, &str)]) -> String {
    let pair = |(name, value): &(&str, &str)| format!("{name}={}", encoded(value));
    fields.iter().map(pair).collect::<Vec<_>>().join("&")
}

fn encoded(value: &str) -> String {
    value.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// The first text between two others.
pub fn between<'a>(text: &'a str, open: &str, close: &str) -> Option<&'a str> {
    text.split_once(open)?.1.split_once(close).map(|(inner, _)| inner)
}
