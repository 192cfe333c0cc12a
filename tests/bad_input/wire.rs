//! Bytes, headers and ids that are wrong before any document is read.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use encoding_rs::{EUC_JP, ISO_2022_JP, SHIFT_JIS};
use reqwest::header::HeaderValue;
use serde_json::json;

use super::{Expected, SECRET, Scene, fresh_key, with};

const MALFORMED: Expected<'static> = Expected::new(400, "malformed-json");
const ENCODING: Expected<'static> = Expected::new(400, "wrong-encoding");

/// A body that is sent as it is.
async fn send(scene: &Scene, name: &str, bytes: Vec<u8>, expected: &Expected<'_>) {
    let request = scene.site.request("POST", "/v1/referrals").await.header("idempotency-key", fresh_key());
    let request = request.header("content-type", "application/json").body(bytes);
    scene.refused(name, &scene.site, request, expected).await;
}

#[tokio::test]
async fn a_body_that_is_not_utf8_is_told_what_it_looks_like() {
    let scene = Scene::embedded().await;
    let text = with(&scene.referral(), "/content/narrative/0/text", json!("ひらがなとカタカナ、そして漢字"))
        .to_string();
    let text = text.replace('\u{e0100}', "");
    let utf16 = |bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
    let utf32 = || text.chars().flat_map(|c| (c as u32).to_le_bytes()).collect::<Vec<u8>>();
    let bodies = [
        ("Shift_JIS", SHIFT_JIS.encode(&text).0.into_owned(), "Shift_JIS"),
        ("EUC-JP", EUC_JP.encode(&text).0.into_owned(), "EUC-JP"),
        ("ISO-2022-JP", ISO_2022_JP.encode(&text).0.into_owned(), "ISO-2022-JP"),
        ("UTF-16LE", utf16(u16::to_le_bytes), "UTF-16"),
        ("UTF-16BE", utf16(u16::to_be_bytes), "UTF-16"),
        ("UTF-16LE with a mark", [vec![0xFF, 0xFE], utf16(u16::to_le_bytes)].concat(), "UTF-16"),
        ("UTF-32LE", utf32(), "UTF-32"),
        ("UTF-8 with a mark", [b"\xEF\xBB\xBF", text.as_bytes()].concat(), "byte order mark"),
        ("a byte that is none", [text.as_bytes(), b"\xFF"].concat(), "UTF-8"),
        (
            "a surrogate as bytes",
            text.replace("ひらがな", "@@")
                .replace("@@", "\u{1}")
                .into_bytes()
                .iter()
                .flat_map(|b| if *b == 1 { vec![0xED, 0xA0, 0x80] } else { vec![*b] })
                .collect(),
            "UTF-8",
        ),
    ];
    for (name, bytes, says) in bodies {
        let request =
            scene.site.request("POST", "/v1/referrals").await.header("idempotency-key", fresh_key());
        let request = request.header("content-type", "application/json").body(bytes);
        let told = scene.refused(name, &scene.site, request, &ENCODING).await.json();
        assert!(told["detail_en"].as_str().unwrap().contains(says), "{name}: {told}");
    }
}

#[tokio::test]
async fn a_body_that_is_no_json_is_told_where() {
    let scene = Scene::embedded().await;
    let good = scene.referral().to_string();
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth)).into_bytes();
    let spoilt = |from: &str, to: &str| {
        assert!(good.contains(from), "{from} in {good}");
        good.replacen(from, to, 1).into_bytes()
    };
    for (name, bytes, expected) in [
        ("empty", Vec::new(), MALFORMED.code("empty")),
        ("spaces", b"  \n ".to_vec(), MALFORMED.code("empty")),
        ("cut off", good.as_bytes()[..good.len() - 3].to_vec(), MALFORMED.code("truncated")),
        ("two documents", [good.as_bytes(), b"{}"].concat(), MALFORMED.code("trailing_bytes")),
        ("a comment", spoilt("{", "{/* x */"), MALFORMED.code("syntax")),
        ("single quotes", b"{'type': 'SHOKAI'}".to_vec(), MALFORMED.code("syntax")),
        (
            "a name twice",
            spoilt("{", "{\"urgency\":\"U0\","),
            MALFORMED.code("duplicate_member").at("/urgency"),
        ),
        (
            "a name twice, by an escape",
            spoilt("{", "{\"\\u0075rgency\":\"U0\","),
            MALFORMED.code("duplicate_member").at("/urgency"),
        ),
        (
            "a name twice, deep",
            spoilt("\"codes\"", "\"codes\":[\"DV\"],\"codes\""),
            MALFORMED.code("duplicate_member").at("/content/needs/0/codes"),
        ),
        ("NaN", spoilt("\"U1\"", "NaN"), MALFORMED.code("not_a_number")),
        ("Infinity", spoilt("\"U1\"", "-Infinity"), MALFORMED),
        ("1e400", spoilt("\"U1\"", "1e400"), MALFORMED.code("number_out_of_range").at("/urgency")),
        ("2^53", spoilt("\"U1\"", "9007199254740992"), MALFORMED.code("number_out_of_range").at("/urgency")),
        ("half a pair", spoilt("\"U1\"", "\"\\ud800\""), MALFORMED.code("lone_surrogate")),
        ("the other half", spoilt("\"U1\"", "\"\\udc00\""), MALFORMED.code("lone_surrogate")),
        ("NUL", spoilt("\"U1\"", "\"\\u0000\""), MALFORMED.code("nul_character").at("/urgency")),
        ("33 deep", deep(33), Expected::new(400, "too-deep").code("too_deep")),
        ("10 000 deep", deep(10_000), Expected::new(400, "too-deep").code("too_deep")),
        (
            "400 000 deep and never closed",
            vec![b'['; 400_000],
            Expected::new(400, "too-deep").code("too_deep"),
        ),
        (
            "objects 1 000 deep",
            "{\"legs\":".repeat(1_000).into_bytes(),
            Expected::new(400, "too-deep").code("too_deep"),
        ),
        (
            "20 001 values",
            format!("[{}0]", "0,".repeat(20_000)).into_bytes(),
            Expected::new(413, "too-large"),
        ),
    ] {
        send(&scene, name, bytes, &expected).await;
    }
    let secret = format!("{{\"{SECRET}\":1,\"{SECRET}\":2}}").into_bytes();
    send(&scene, "an unknown name twice", secret, &MALFORMED.code("duplicate_member")).await;
}

#[tokio::test]
async fn a_body_of_any_depth_is_refused_at_once() {
    let scene = Scene::embedded().await;
    let bytes = "[".repeat(10_000);
    let token = scene.site.token().await;
    let mut took = Duration::MAX;
    // The fastest of some: how busy the machine is otherwise is not what is measured.
    for _ in 0..30 {
        let request = scene.site.stranger("POST", "/v1/referrals").bearer_auth(&token).body(bytes.clone());
        let request =
            request.header("idempotency-key", fresh_key()).header("content-type", "application/json");
        let began = Instant::now();
        assert_eq!(request.send().await.unwrap().status(), 400);
        took = took.min(began.elapsed());
    }
    assert!(took < Duration::from_millis(5), "{took:?}");
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_before_it_is_sent() {
    let scene = Scene::embedded().await;
    let limit = scene.town.config.server.body_limit;
    let padded = |length: usize| {
        let text = scene.referral().to_string();
        [text.as_bytes(), &vec![b' '; length - text.len()]].concat()
    };
    send(&scene, "a byte too long", padded(limit + 1), &Expected::new(413, "too-large").code("too_large"))
        .await;
    let request = scene.site.request("POST", "/v1/referrals").await.header("idempotency-key", fresh_key());
    let request = request.header("content-type", "application/json").body(padded(limit));
    assert_eq!(scene.site.send(request).await.code(), 201, "as long as may be");

    let before = scene.stored().await;
    let (token, address) = (scene.site.token().await, scene.town.hub().address());
    let answer = tokio::task::spawn_blocking(move || {
        let mut connection = TcpStream::connect(address).unwrap();
        connection.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let head = format!(
            "POST /v1/referrals HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer {token}\r\nIdempotency-Key: k\r\n\
             Content-Type: application/json\r\nContent-Length: 1073741824\r\n\r\n"
        );
        connection.write_all(head.as_bytes()).unwrap();
        let mut start = [0; 32];
        connection.read_exact(&mut start).unwrap();
        String::from_utf8_lossy(&start).into_owned()
    });
    assert!(
        answer.await.unwrap().starts_with("HTTP/1.1 413 "),
        "a gibibyte that is announced is not waited for"
    );
    assert_eq!(scene.stored().await, before);
}

#[tokio::test]
async fn media_types_and_keys_are_what_they_must_be() {
    let scene = Scene::embedded().await;
    let text = scene.referral().to_string();
    let unsupported = Expected::new(415, "unsupported-media-type");
    for (media, expected) in [
        (None, &unsupported),
        (Some("text/plain"), &unsupported),
        (Some("application/x-www-form-urlencoded"), &unsupported),
        (Some("application/jsonp"), &unsupported),
        (Some("application/json; charset=Shift_JIS"), &ENCODING),
        (Some("application/json; charset=\"euc-jp\""), &ENCODING),
    ] {
        let mut request =
            scene.site.request("POST", "/v1/referrals").await.header("idempotency-key", fresh_key());
        if let Some(media) = media {
            request = request.header("content-type", media);
        }
        scene.refused(&format!("{media:?}"), &scene.site, request.body(text.clone()), expected).await;
    }
    let long = "k".repeat(129);
    for (key, problem) in [
        (None, "idempotency-key-missing"),
        (Some(""), "idempotency-key-invalid"),
        (Some("a b"), "idempotency-key-invalid"),
        (Some("ひみつ"), "idempotency-key-invalid"),
        (Some("k;k"), "idempotency-key-invalid"),
        (Some(long.as_str()), "idempotency-key-invalid"),
    ] {
        let mut request = scene.site.request("POST", "/v1/referrals").await.json(&scene.referral());
        if let Some(key) = key {
            request = request.header("idempotency-key", HeaderValue::from_bytes(key.as_bytes()).unwrap());
        }
        scene.refused(&format!("{key:?}"), &scene.site, request, &Expected::new(400, problem)).await;
    }
    let twice = scene.site.request("POST", "/v1/referrals").await.json(&scene.referral());
    let twice = twice.header("idempotency-key", fresh_key()).header("idempotency-key", fresh_key());
    scene.refused("two keys", &scene.site, twice, &Expected::new(400, "idempotency-key-invalid")).await;
}

#[tokio::test]
async fn a_key_is_for_one_request() {
    let scene = Scene::embedded().await;
    let key = fresh_key();
    scene.site.submit_under(&key, &scene.referral()).await.good();
    let reused = Expected::new(422, "idempotency-key-reused");
    let changed = with(&scene.referral(), "/urgency", json!("U2"));
    for (name, path, body) in
        [("another body", "/v1/referrals", changed), ("another route", "/v1/consents", scene.consent_paper())]
    {
        let request = scene.site.request("POST", path).await.header("idempotency-key", &key).json(&body);
        scene.refused(name, &scene.site, request, &reused).await;
    }
    // The same document in other bytes is another body: the hub compares what was sent.
    let spaced = serde_json::to_string_pretty(&scene.referral()).unwrap();
    let request = scene.site.request("POST", "/v1/referrals").await.header("idempotency-key", &key);
    let request = request.header("content-type", "application/json").body(spaced);
    scene.refused("other bytes", &scene.site, request, &reused).await;
}

#[tokio::test]
async fn a_version_that_was_not_read_changes_nothing() {
    let scene = Scene::embedded().await;
    let path = format!("/v1/legs/{}/actions/note", scene.leg);
    let body = json!({ "by": scene.writer, "note": "連絡" });
    let bare = scene.site.request("POST", &path).await.header("idempotency-key", fresh_key()).json(&body);
    scene.refused("no If-Match", &scene.site, bare, &Expected::new(428, "version-missing")).await;
    for tag in ["\"2\"", "\"0\"", "\"-1\"", "1", "W/\"1\"", "*", "\"1\",\"2\"", "\"99999999999999999999\""] {
        let request = scene.site.request("POST", &path).await.header("idempotency-key", fresh_key());
        let request = request.header("if-match", tag).json(&body);
        scene
            .refused(&format!("If-Match: {tag}"), &scene.site, request, &Expected::new(412, "version-stale"))
            .await;
    }
    let twice = scene.site.request("POST", &path).await.header("idempotency-key", fresh_key()).json(&body);
    let twice = twice.header("if-match", "\"1\"").header("if-match", "\"2\"");
    scene.refused("two versions", &scene.site, twice, &Expected::new(412, "version-stale")).await;
    scene.site.act_at(1, &scene.leg, "note", &body).await.good();
}

#[tokio::test]
async fn an_id_or_a_parameter_that_is_not_one_is_told_so() {
    let scene = Scene::embedded().await;
    for path in [
        "/v1/referrals/x",
        "/v1/legs/0192f000",
        "/v1/legs/{0192f000-0000-4000-8000-00000000dead}",
        "/v1/legs/0192f00000004000800000000000dead",
        "/v1/deliveries/%E3%81%B2%E3%81%BF%E3%81%A4",
        "/v1/consents/..%2f..%2fetc",
        "/v1/agencies/'%20OR%20'1'='1",
        "/v1/services/0",
        "/v1/receipts/x/R0",
    ] {
        let request = scene.site.request("GET", path).await;
        scene.refused(path, &scene.site, request, &Expected::new(400, "bad-id")).await;
    }
    for query in [
        "limit=0",
        "limit=201",
        "limit=x",
        "limit=1&limit=2",
        "state=himitsu",
        "state=",
        "after=x",
        "himitsu=1",
        "limit=%E3%81%B2%E3%81%BF%E3%81%A4",
        "limit=1%00",
        "&&=",
        "limit",
    ] {
        let request = scene.site.request("GET", &format!("/v1/inbox?{query}")).await;
        scene.refused(query, &scene.site, request, &Expected::new(400, "bad-query")).await;
    }
    let level = scene.site.request("GET", &format!("/v1/receipts/{}/R9", scene.delivery)).await;
    scene.refused("no level", &scene.site, level, &Expected::new(422, "unknown-code")).await;
}
