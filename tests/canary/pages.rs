//! The pages, looked at by people whose logins and passwords are canaries too.

use super::{
    stage::Stage,
    support::town::{Agency, Browser, between},
    words::{ascii, name},
};

/// Signs in, rightly and wrongly, looks at every page there is, and signs out.
pub async fn look(stage: &Stage, agency: &Agency, person: &str) {
    let (login, password) = (ascii(), name());
    let browser = Browser::of(agency);
    agency.let_in(person, &name(), &name()).await;
    agency.let_in(person, &login, &password).await.good();
    for (login, password) in [(&login, &name()), (&name(), &password), (&ascii(), &name())] {
        assert_eq!(browser.sign_in(login, password).await.code(), 403);
    }
    assert_eq!(browser.sign_in(&login, &password).await.code(), 303);
    for query in [
        "",
        "?order=due",
        "?lang=en",
        "?state=completed",
        "?state=declined",
        "?state=withdrawn",
        "?state=accepted",
    ] {
        let board = browser.get(&format!("/board{query}")).await.good();
        let mut rest = board.text();
        while let Some(leg) = between(rest, "/board/legs/", "\"") {
            browser.get(&format!("/board/legs/{leg}")).await.good();
            rest = rest.split_once("/board/legs/").map_or("", |(_, rest)| rest);
        }
    }
    for path in [
        format!("/board?after={}", ascii()),
        format!("/board?{}=1", ascii()),
        format!("/board/legs/{}", ascii()),
    ] {
        assert_eq!(browser.get(&path).await.code(), 400);
    }
    assert_eq!(browser.post("/sign-out", &[("form", &name())]).await.code(), 403);
    assert_eq!(browser.sign_out().await.code(), 303);
    stage.site.get("/v1/staff").await.good();
}
