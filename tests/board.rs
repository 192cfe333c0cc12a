//! The board told as stories, at a browser and on both engines: signing in and out, what stands where, who sees it,
//! and what nobody gets in by.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is the point")]

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tsunagu::{
    clock::Clock,
    domain::{agency::AgencyKind, leg::LegAction},
    ledger::Scope,
    web::{Access, TABLE},
};

mod support;

use support::{
    cast::{Cast, Sent},
    stories::stories,
    town::{Agency, Browser, Engine, FORM, Reply, Town, between, form},
};

stories!(
    the_ladder_rises_as_the_recipient_takes_opens_and_answers,
    what_nobody_has_opened_stands_first_and_what_is_overdue_when_asked,
    every_leg_stands_on_one_page_once_in_every_order,
    a_session_ends_with_its_person_and_a_stolen_cookie_opens_nothing,
    five_wrong_passwords_close_the_door_and_every_failure_sounds_alike,
    a_form_from_elsewhere_does_nothing,
    a_name_is_never_markup,
    a_notice_stands_on_its_writers_board_alone,
    a_page_says_what_to_do_in_the_readers_language,
);

const PASSWORD: &str = "よくねてよくたべてよくあそぶ";

/// A browser at which this member of staff has signed in.
async fn signed_in(agency: &Agency, staff: &str) -> Browser {
    agency.let_in(staff, staff, PASSWORD).await.good();
    let browser = Browser::of(agency);
    let answer = browser.sign_in(staff, PASSWORD).await;
    assert_eq!((answer.code(), answer.header("location")), (303, Some("/board")));
    browser
}

/// The rows of a board, one text each.
fn rows(page: &Reply) -> Vec<String> {
    assert_eq!(page.code(), 200, "{}", page.text());
    page.text().split("<tr role=\"row\"").skip(2).map(str::to_owned).collect()
}

/// The legs of a page of the board, in its order.
fn legs(page: &Reply) -> Vec<String> {
    let leg = |row: &String| between(row, "/board/legs/", "\"").unwrap().to_owned();
    rows(page).iter().map(leg).collect()
}

/// How many rungs of a row's ladder have been reached.
fn rungs(row: &str) -> usize {
    row.matches("<li class=\"done\">").count()
}

async fn the_ladder_rises_as_the_recipient_takes_opens_and_answers(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let (leg, delivery) = cast.send_nursery(town).await;
    let board = signed_in(&cast.site, &cast.writer).await;
    let mut seen = Vec::new();
    let mut look = async |unopened: bool| {
        let rows = rows(&board.get("/board").await);
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].contains("未開封"), unopened, "{}", rows[0]);
        assert!(rows[0].contains("試験の") && rows[0].contains("紹介・取次"), "{}", rows[0]);
        seen.push(rungs(&rows[0]));
    };
    look(true).await;
    cast.nursery.ack(&delivery).await.good();
    look(true).await;
    cast.nursery.open(&delivery, &cast.clerk).await.good();
    look(false).await;
    let question = json!({"by": cast.clerk, "question": "何曜日の午前がよいですか。"});
    cast.nursery.act(&leg, "ask", &question).await.good();
    look(false).await;
    assert_eq!(seen, [2, 3, 4, 5]);

    // The leg's page says what the API says to the same agency, and so does the recipient's.
    let theirs = signed_in(&cast.nursery, &cast.clerk).await;
    for (agency, browser) in [(&cast.site, &board), (&cast.nursery, &theirs)] {
        let page = browser.get(&format!("/board/legs/{leg}")).await.good();
        says_the_same(page.text(), &agency.leg(&leg).await);
        assert!(page.text().contains("何曜日の午前がよいですか。"));
        // Nothing of the content: neither names nor what was written about anybody.
        for told in ["山辺", "澪", "045-000-0000", "詳しい経過"] {
            assert!(!page.text().contains(told), "{told}");
        }
    }
    let page = board.get(&format!("/board/legs/{leg}")).await.good();
    let withheld = cast.site.leg(&leg).await["withheld"].as_array().is_some_and(|all| !all.is_empty());
    assert_eq!(page.text().contains("見せない区分"), withheld);
    let (hub, scope) = (town.context(), Scope::of(cast.site.id.parse().unwrap()));
    let looked = hub.ledger.audit_of(scope, &leg, 99).await.unwrap();
    drop(hub);
    assert_eq!(
        looked.iter().filter(|entry| entry.action.code() == "read" && entry.staff.is_some()).count(),
        2,
        "who looked at the page is on record; the system asked for nobody in particular"
    );
    assert_eq!(board.get(&format!("/board/legs/{delivery}")).await.code(), 404);
    cast.everybody()
}

/// Every time and every event of the document stands on the page, and no other time.
fn says_the_same(page: &str, document: &Value) {
    let list = |name: &str| document[name].as_array().cloned().unwrap_or_default();
    let mut times: Vec<String> = Vec::new();
    for one in list("ladder").iter().chain(&list("events")) {
        times.push(one["at"].as_str().unwrap().to_owned());
    }
    for event in list("events") {
        let action: LegAction = event["action"].as_str().unwrap().parse().unwrap();
        assert!(page.contains("class=\"what\">"), "{action}");
    }
    assert_eq!(page.matches("class=\"what\">").count(), list("events").len());
    let shown: Vec<&str> =
        page.split("<time datetime=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(shown, times);
}

async fn what_nobody_has_opened_stands_first_and_what_is_overdue_when_asked(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let consent = cast.consent(town, &[&cast.nursery, &cast.family]).await;
    let send = async |recipient: &Agency, reply_by: Option<i64>| {
        let mut paper = town.introduction(&cast.writer, &consent, &[recipient]);
        if let Some(minutes) = reply_by {
            paper["legs"][0]["reply_by"] = json!(town.time(minutes));
        }
        Sent::read(&cast.site.submit(&paper).await.value()).legs.remove(0)
    };
    let untouched = send(&cast.nursery, None).await;
    let taken = send(&cast.nursery, Some(600)).await;
    let opened = send(&cast.family, Some(10)).await;
    let answered = send(&cast.family, Some(10)).await;
    let newest = send(&cast.nursery, Some(60)).await;
    cast.nursery.ack(&taken.1).await.good();
    for (leg, delivery) in [&opened, &answered] {
        cast.family.open(delivery, &cast.carer).await.good();
        if leg == &answered.0 {
            cast.family.act(leg, "accept", &json!({"by": cast.carer})).await.good();
        }
    }
    town.advance(Duration::from_secs(11 * 60));
    let board = signed_in(&cast.site, &cast.writer).await;
    let order = |all: [&(String, String); 5]| all.map(|(leg, _)| leg.clone());
    let first = legs(&board.get("/board").await);
    assert_eq!(first, order([&untouched, &newest, &taken, &answered, &opened]));
    let page = board.get("/board?order=due").await;
    assert_eq!(legs(&page), order([&opened, &newest, &taken, &answered, &untouched]));
    let late: Vec<bool> = rows(&page).iter().map(|row| row.contains("期限超過")).collect();
    assert_eq!(late, [true, false, false, false, false], "an answer ends the wait for one");
    for (query, expected) in [
        ("state=requested", vec![&untouched, &newest]),
        ("state=received", vec![&taken, &opened]),
        ("state=received&order=due", vec![&opened, &taken]),
        ("state=accepted&order=due", vec![&answered]),
        ("state=declined&order=due", vec![]),
        ("state=&order=unopened", vec![&untouched, &newest, &taken, &answered, &opened]),
    ] {
        let expected: Vec<String> = expected.into_iter().map(|(leg, _)| leg.clone()).collect();
        assert_eq!(legs(&board.get(&format!("/board?{query}")).await), expected, "{query}");
    }
    let other = signed_in(&cast.nursery, &cast.clerk).await;
    assert!(legs(&other.get("/board").await).is_empty(), "the nursery has sent nothing");
    cast.everybody()
}

async fn every_leg_stands_on_one_page_once_in_every_order(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let mut sent = Vec::new();
    for number in 0..45 {
        let mut paper = town.self_contact(&cast.writer, &cast.nursery);
        if number % 3 == 0 {
            // Three have the same deadline, so that a page may end between equals.
            paper["legs"][0]["reply_by"] = json!(town.time(60 + number / 9));
        }
        let made = Sent::read(&cast.site.submit(&paper).await.value());
        if number % 2 == 0 {
            cast.nursery.open(&made.legs[0].1, &cast.clerk).await.good();
        }
        sent.push(made.legs[0].0.clone());
    }
    sent.sort();
    let board = signed_in(&cast.site, &cast.writer).await;
    for order in ["unopened", "due"] {
        let mut next = Some(format!("/board?order={order}"));
        let (mut seen, mut pages) = (Vec::new(), 0);
        while let Some(path) = next {
            let page = board.get(&path).await;
            assert!(page.body.len() <= 150 * 1024, "{} bytes", page.body.len());
            seen.extend(legs(&page));
            pages += 1;
            let link = page
                .text()
                .split("<a href=\"")
                .find(|rest| rest.contains("rel=\"next\"") && rest.starts_with("/board?"));
            next = link
                .and_then(|rest| rest.split('"').next())
                .map(|link| link.replace("&#38;", "&").replace("&amp;", "&"));
        }
        assert_eq!((pages, seen.len()), (3, 45), "{order}");
        seen.sort();
        assert_eq!(seen, sent, "{order}");
    }
    cast.everybody()
}

async fn a_session_ends_with_its_person_and_a_stolen_cookie_opens_nothing(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let (leg, _) = cast.send_nursery(town).await;
    let leads_in = |reply: &Reply| {
        assert_eq!((reply.code(), reply.header("location"), reply.text()), (303, Some("/sign-in"), ""));
    };
    let board = signed_in(&cast.site, &cast.writer).await;
    let thief = Browser::of(&cast.site);
    thief.keep(board.cookie());
    thief.get("/board").await.good();
    assert_eq!(board.get("/sign-in").await.code(), 303, "who is in need not sign in");
    assert_eq!(board.sign_out().await.header("location"), Some("/sign-in?signed-out"));
    assert_eq!(board.cookie(), None);
    for path in ["/board".to_owned(), format!("/board/legs/{leg}")] {
        leads_in(&thief.get(&path).await);
        leads_in(&board.get(&path).await);
    }
    // Idle, then old.
    let board = signed_in(&cast.site, &cast.writer).await;
    town.advance(Duration::from_secs(30 * 60));
    leads_in(&board.get("/board").await);
    // Whoever leaves is out at once, and so is everybody of an agency that has ended.
    for sql in [
        format!("UPDATE staff SET active = 0 WHERE id = '{}'", cast.writer),
        format!("UPDATE agency SET active = 0 WHERE id = '{}'", cast.site.id),
    ] {
        let board = signed_in(&cast.site, &cast.writer).await;
        board.get("/board").await.good();
        town.by_hand(sql.clone()).await;
        leads_in(&board.get("/board").await);
        assert_eq!(board.sign_in(&cast.writer, PASSWORD).await.code(), 403);
        town.by_hand(sql.replace("active = 0", "active = 1")).await;
    }
    // A sign-in that is taken away, or given a new password, ends its sessions.
    let board = signed_in(&cast.site, &cast.writer).await;
    let away = cast.site.delete(&format!("/v1/staff/{}/sign-in", cast.writer)).await;
    assert_eq!(away.code(), 204);
    leads_in(&board.get("/board").await);
    cast.everybody()
}

async fn five_wrong_passwords_close_the_door_and_every_failure_sounds_alike(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    cast.site.let_in(&cast.writer, "hanako", PASSWORD).await.good();
    let browser = Browser::of(&cast.site);
    let mut failures = vec![browser.sign_in("nobody", PASSWORD).await, browser.sign_in("", "").await];
    for _ in 0..5 {
        failures.push(browser.sign_in("hanako", "wrong, and wrong again").await);
    }
    failures.push(browser.sign_in("hanako", PASSWORD).await);
    failures.push(browser.post("/sign-in", &[("login", "hanako")]).await);
    for failure in &failures {
        assert_eq!(failure.code(), 403);
        assert_eq!(failure.text(), failures[0].text(), "nothing tells one failure from another");
        assert!(!failure.text().contains("hanako") && !failure.text().contains("wrong, and"));
    }
    assert!(failures[0].text().contains("ログインできませんでした"));
    town.advance(Duration::from_secs(61));
    assert_eq!(browser.sign_in("hanako", PASSWORD).await.code(), 303);
    for (login, password, pointer) in
        [("はなこ", PASSWORD, "/login"), ("taro", "みじかいことば", "/password")]
    {
        let refused = cast.site.let_in(&cast.writer, login, password).await;
        assert_eq!((refused.code(), refused.problem()), (422, "schema-violation".to_owned()));
        assert_eq!(refused.json()["errors"][0]["pointer"], pointer);
        assert!(!refused.text().contains(login) && !refused.text().contains(password));
    }
    let taken = cast.nursery.let_in(&cast.clerk, "HANAKO", PASSWORD).await;
    assert_eq!((taken.code(), taken.problem()), (409, "already-there".to_owned()));
    cast.everybody()
}

async fn a_form_from_elsewhere_does_nothing(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    cast.site.let_in(&cast.writer, "hanako", PASSWORD).await.good();
    let browser = Browser::of(&cast.site);
    let entry = form(&[("login", "hanako"), ("password", PASSWORD)]);
    let post = |path: &str| browser.request("POST", path).header("content-type", FORM);
    let before = town.rows().await;
    for foreign in ["https://elsewhere.example", "null", "", "http://127.0.0.1", "http://127.0.0.1:1"] {
        let reply = browser.send(post("/sign-in").header("origin", foreign).body(entry.clone())).await;
        assert_eq!(reply.code(), 403, "{foreign}");
        assert!(reply.text().contains("確認できませんでした"), "{foreign}: {}", reply.text());
    }
    let reply = browser.send(post("/sign-in").body(entry.clone())).await;
    assert_eq!(reply.code(), 403, "no origin at all");
    let reply =
        browser.send(post("/sign-in").header("sec-fetch-site", "cross-site").body(entry.clone())).await;
    assert_eq!(reply.code(), 403);
    assert_eq!(town.rows().await, before, "nothing was written, nobody was counted");
    let reply = browser.send(post("/sign-in").header("sec-fetch-site", "same-origin").body(entry)).await;
    assert_eq!(reply.code(), 303, "a browser that sends no origin says where it comes from");

    // Signing out needs the token of this very session.
    let other = signed_in(&cast.nursery, &cast.clerk).await;
    let theirs = other.get("/board").await;
    let theirs = between(theirs.text(), "name=\"form\" value=\"", "\"").unwrap().to_owned();
    for token in ["", "x", theirs.as_str()] {
        assert_eq!(browser.post("/sign-out", &[("form", token)]).await.code(), 403);
    }
    assert_eq!(browser.post("/sign-out", &[]).await.code(), 403);
    browser.get("/board").await.good();
    assert_eq!(browser.sign_out().await.code(), 303);
    cast.everybody()
}

async fn a_name_is_never_markup(town: &mut Town) -> Vec<Agency> {
    const NAMES: [&str; 3] =
        ["<script>alert(1)</script>保育園", "\"><img src=x onerror=alert(1)>", "{{ 7 * 7 }}'&amp;</th><b>"];
    let site = town.agency_named(AgencyKind::UserSupportBasic, "拠点<b>\"'&").await;
    let writer = site.hire("coordinator").await;
    let mut everybody = Vec::new();
    let mut sent = Vec::new();
    for name in NAMES {
        let nursery = town.agency_named(AgencyKind::Nursery, name).await;
        let clerk = nursery.hire("agency_staff").await;
        let made = Sent::read(&site.submit(&town.self_contact(&writer, &nursery)).await.value());
        let (leg, delivery) = made.legs[0].clone();
        nursery.open(&delivery, &clerk).await.good();
        let note = json!({"by": clerk, "note": format!("連絡です {name}")});
        nursery.act(&leg, "note", &note).await.good();
        sent.push(leg);
        everybody.push(nursery);
    }
    let board = signed_in(&site, &writer).await;
    let mut pages = vec![board.get("/board").await.good()];
    for leg in &sent {
        pages.push(board.get(&format!("/board/legs/{leg}")).await.good());
    }
    for page in &pages {
        let text = page.text();
        for tag in ["<script", "<img", "<b>", "onerror=alert(1)>", "49'"] {
            assert!(!text.contains(tag), "{tag} in {text}");
        }
        assert!(text.contains("拠点&#60;b&#62;&#34;&#39;&#38;"), "{text}");
    }
    assert!(pages[0].text().contains("&#60;script&#62;alert(1)&#60;/script&#62;保育園"));
    everybody.push(site);
    everybody
}

async fn a_notice_stands_on_its_writers_board_alone(town: &mut Town) -> Vec<Agency> {
    let nursery = town.agency(AgencyKind::Nursery).await;
    let centre = town.agency(AgencyKind::FamilyCentre).await;
    let (head, colleague) = (nursery.hire("coordinator").await, nursery.hire("supervisor").await);
    let (named, desk) = (nursery.hire("agency_staff").await, centre.hire("duty_desk").await);
    let mut paper = town.notice(&head, &centre);
    paper["seen_by"] = json!([named]);
    let sent = Sent::read(&nursery.submit(&paper).await.value());
    // Among others, which everybody sees.
    let plain = Sent::read(&nursery.submit(&town.self_contact(&head, &centre)).await.value());
    let (leg, plain) = (&sent.legs[0].0, &plain.legs[0].0);
    let own = signed_in(&nursery, &head).await;
    let theirs = signed_in(&nursery, &named).await;
    let other = signed_in(&nursery, &colleague).await;
    for query in ["", "?order=due", "?state=requested", "?state=requested&order=due"] {
        for board in [&own, &theirs] {
            let shown = legs(&board.get(&format!("/board{query}")).await);
            assert_eq!(shown, [leg.clone(), plain.clone()], "{query}");
        }
        let shown = legs(&other.get(&format!("/board{query}")).await);
        assert_eq!(shown, std::slice::from_ref(plain), "{query}");
    }
    let path = format!("/board/legs/{leg}");
    own.get(&path).await.good();
    theirs.get(&path).await.good();
    let (hidden, missing) =
        (other.get(&path).await, other.get("/board/legs/0192f000-0000-4000-8000-00000000dead").await);
    assert_eq!((hidden.code(), hidden.text()), (404, missing.text()), "as if it were not there");
    signed_in(&centre, &desk).await.get(&path).await.good();
    town.advance(Duration::from_secs(49 * 3600));
    let own = signed_in(&nursery, &head).await;
    assert!(rows(&own.get("/board").await)[0].contains("期限超過"), "the 48 hours are over");
    vec![nursery, centre]
}

/// Whoever signs in waits for a turn; what is sent meanwhile does not wait for those who do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sign_ins_hold_up_no_referral() {
    const MANY: usize = 12;
    let clock = Clock::fixed(Clock::System.now());
    // One thread answers everybody: were a password looked at there, everything would wait for it.
    let town = Town::with(Engine::Embedded, clock, |config| config.server.workers = 1).await.unwrap();
    let cast = Cast::of(&town).await;
    let paper = town.self_contact(&cast.writer, &cast.nursery);
    let answered = AtomicUsize::new(0);
    let sign_ins = join_all((0..MANY).map(|number| {
        let (browser, answered) = (Browser::of(&cast.site), &answered);
        async move {
            browser.sign_in(&format!("nobody-{number}"), PASSWORD).await;
            answered.fetch_add(1, Ordering::SeqCst);
        }
    }));
    let sent = async {
        while answered.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        cast.site.submit(&paper).await.good();
        answered.load(Ordering::SeqCst)
    };
    let (_, before) = tokio::join!(sign_ins, sent);
    assert!(before <= MANY * 2 / 3, "{before} of {MANY} sign-ins were answered before the referral");
    support::ending::holds(&town, &cast.everybody()).await;
}

async fn a_page_says_what_to_do_in_the_readers_language(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let (leg, _) = cast.send_nursery(town).await;
    let board = signed_in(&cast.site, &cast.writer).await;
    for path in [
        "/sign-in",
        "/board",
        "/board?order=due",
        &format!("/board/legs/{leg}"),
        "/board/legs/x",
        "/assets/x",
    ] {
        let with = |lang: &str| format!("{path}{}lang={lang}", if path.contains('?') { '&' } else { '?' });
        let (japanese, english) = (board.get(&with("ja")).await, board.get(&with("en")).await);
        assert_eq!(japanese.code(), english.code());
        if path == "/sign-in" {
            assert_eq!(english.header("location"), Some("/board?lang=en"), "the choice is kept");
            continue;
        }
        assert!(
            japanese.text().contains("<html lang=\"ja\">") && english.text().contains("<html lang=\"en\">")
        );
        // What the program says is in one language; names and what people wrote stay as they are.
        let words = english.text().replace("試験の", "").replace("日本語", "");
        let left: Vec<&str> = words
            .split(['<', '>'])
            .filter(|text| text.chars().any(|c| ('\u{3041}'..='\u{3096}').contains(&c)))
            .filter(|text| {
                !text.contains("法律")
                    && !text.contains(AgencyKind::UserSupportBasic.label_ja())
                    && !text.contains("預かり")
            })
            .collect();
        assert!(left.is_empty(), "{path}: {left:?}");
    }
    // A browser's wish counts where nobody has chosen.
    let wish = board.request("GET", "/board").header("accept-language", "en-GB,en;q=0.9,ja;q=0.1");
    assert!(board.send(wish).await.text().contains("<html lang=\"en\">"));
    for (path, code) in [
        ("/board?state=nowhere", 400),
        ("/board?after=x", 400),
        ("/board?agency=x", 400),
        ("/board?order=due&order=due", 400),
        ("/board/legs/x", 400),
        ("/board/legs/0192f000-0000-4000-8000-00000000dead", 404),
    ] {
        let refused = board.get(path).await;
        assert_eq!(refused.code(), code, "{path}");
        assert!(
            refused.text().contains("どうすればよいか") && refused.text().contains("href=\"/board\""),
            "{path}"
        );
        assert!(!refused.text().contains("nowhere"), "what was asked is not repeated");
    }
    assert!(TABLE.iter().filter(|row| row.access == Access::Page).count() >= 7);
    cast.everybody()
}
