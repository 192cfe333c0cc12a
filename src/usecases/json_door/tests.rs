use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn refused(body: impl AsRef<[u8]>) -> Refusal {
    read(body.as_ref(), Limits::default()).unwrap_err()
}

fn cause(body: impl AsRef<[u8]>) -> Cause {
    refused(body).cause
}

/// The pointer, line and column of a refusal.
fn place(body: &str) -> (String, usize, usize) {
    let refusal = refused(body);
    (refusal.pointer.to_string(), refusal.line, refusal.column)
}

#[test]
fn what_is_allowed_is_read_as_it_stands() {
    let body = r#"{"type":"SHOKAI","legs":[{"v":-9007199254740991},1.5,true,null,"𠮷󠄀\u00e9\ud842\udfb7"]}"#;
    let expected =
        json!({"type": "SHOKAI", "legs": [{"v": -9_007_199_254_740_991_i64}, 1.5, true, null, "𠮷󠄀é𠮷"]});
    assert_eq!(read(body.as_bytes(), Limits::default()).unwrap(), expected);
    assert_eq!(read(b" 7 \r\n", Limits::default()).unwrap(), json!(7));
}

#[test]
fn nothing_is_read_beyond_the_limit_of_bytes() {
    let limit = Limits::default().bytes;
    let fits = format!("\"{}\"", "a".repeat(limit - 2));
    assert!(read(fits.as_bytes(), Limits::default()).is_ok());
    assert_eq!(cause(format!("{fits} ")), Cause::TooLarge { limit });
}

#[test]
fn depth_is_bounded_and_ten_thousand_levels_are_refused_at_once() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(read(nested(32).as_bytes(), Limits::default()).is_ok());
    assert_eq!(cause(nested(33)), Cause::TooDeep { limit: 32 });
    assert_eq!(refused(nested(33)).pointer.to_string(), "/0".repeat(32));
    assert_eq!(refused(r#"{"legs":"#.repeat(40)).pointer.to_string(), "/legs".repeat(32));
    assert_eq!(cause("[".repeat(1_000_000)), Cause::TooDeep { limit: 32 });
    for body in [nested(10_000), r#"{"a":"#.repeat(10_000)] {
        let best = (0..5).map(|_| {
            let start = Instant::now();
            assert_eq!(cause(&body), Cause::TooDeep { limit: 32 });
            start.elapsed()
        });
        assert!(best.min().unwrap() < Duration::from_millis(5));
    }
    let wide = Limits { depth: 1000, ..Limits::default() };
    assert_eq!(read(nested(500).as_bytes(), wide).unwrap_err().cause, Cause::TooDeep { limit: 128 });
}

#[test]
fn a_small_body_cannot_become_a_large_tree() {
    let limit = Limits::default().values;
    let list = |count: usize| format!("[{}]", vec!["0"; count].join(","));
    assert!(read(list(limit - 1).as_bytes(), Limits::default()).is_ok());
    assert_eq!(cause(list(limit)), Cause::TooManyValues { limit });
}

#[test]
fn duplicate_members_are_refused_however_they_are_written() {
    assert_eq!(place(r#"{"legs":[{"by":1,"by":2}]}"#).0, "/legs/0/by");
    assert_eq!(cause(r#"{"by":1,"\u0062y":2}"#), Cause::DuplicateMember);
    assert_eq!(cause(r#"{"by":1,"purpose":{"by":2}}"#.replace("purpose", "by")), Cause::DuplicateMember);
    assert!(read(br#"{"by":1,"purpose":{"by":2}}"#, Limits::default()).is_ok());
}

#[test]
fn a_member_name_that_no_schema_knows_is_not_repeated() {
    let refusal = refused(r#"{"山田花子":{"yamada_hanako":1e400}}"#);
    assert_eq!(refusal.pointer.to_string(), "/?/?");
    let told = format!("{refusal:?}{}", serde_json::to_string(&Problem::from(refusal.clone())).unwrap());
    assert!(!told.contains("山田") && !told.contains("yamada"));
}

#[test]
fn numbers_that_not_every_reader_holds_are_refused() {
    for number in ["9007199254740992", "-9007199254740992", "18446744073709551616", "1e400", "-1e400", "1e20"]
    {
        let refusal = refused(format!(r#"{{"v":[0,{number}]}}"#));
        assert_eq!(
            (refusal.cause, refusal.pointer.to_string().as_str()),
            (Cause::NumberOutOfRange, "/v/1"),
            "{number}"
        );
    }
    for number in ["NaN", "Infinity", "-Infinity"] {
        let refusal = refused(format!(r#"{{"v":{number}}}"#));
        assert_eq!(
            (refusal.cause, refusal.pointer.to_string().as_str()),
            (Cause::NotANumber, "/v"),
            "{number}"
        );
    }
}

#[test]
fn lone_surrogates_and_nul_are_refused() {
    for text in [r"\ud842", r"\udfb7", r"\ud842x", r"\ud842\u0041", r"\ud842\ud842", r"\ud842\n"] {
        let refusal = refused(format!(r#"{{"note":"{text}"}}"#));
        assert_eq!(
            (refusal.cause, refusal.pointer.to_string().as_str()),
            (Cause::LoneSurrogate, "/note"),
            "{text}"
        );
    }
    assert_eq!(cause(r#"{"note":"a\u0000b"}"#), Cause::NulCharacter);
    assert_eq!(cause(r#"{"a\u0000b":1}"#), Cause::NulCharacter);
    assert!(matches!(cause(b"\"\xED\xA0\x80\""), Cause::Encoding(_)));
}

#[test]
fn the_place_is_given_in_lines_and_characters() {
    assert_eq!(place("{\n  \"note\": \"日本語\", \"by\": tru }"), ("/by".into(), 2, 27));
    assert_eq!(place("{\"note\": 1,}").1, 1);
    assert_eq!(cause("{\"note\": 1,}"), Cause::Syntax);
    assert_eq!(cause("{} x"), Cause::TrailingBytes);
    assert_eq!(cause("{}{}"), Cause::TrailingBytes);
    assert_eq!(cause(r#"{"note": "cut"#), Cause::Truncated);
    assert_eq!(cause("\"a\u{1}b\""), Cause::Syntax);
    assert_eq!(cause(""), Cause::Empty);
    assert_eq!(cause(" \n"), Cause::Empty);
}

#[test]
fn other_encodings_are_named() {
    let text = r#"{"narrative":"一時預かりを希望しています。母は東京都の病院に通っている。"}"#;
    let (sjis, ..) = SHIFT_JIS.encode(text);
    let (euc, ..) = EUC_JP.encode(text);
    let (jis, ..) = encoding_rs::ISO_2022_JP.encode(text);
    let le: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let wide: Vec<u8> = text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
    assert_eq!(cause(&sjis), Cause::Encoding(Some("Shift_JIS")));
    assert_eq!(cause(&euc), Cause::Encoding(Some("EUC-JP")));
    assert_eq!(cause(&jis), Cause::Encoding(Some("ISO-2022-JP")));
    assert_eq!(cause(&le), Cause::Encoding(Some("UTF-16")));
    assert_eq!(cause(&be), Cause::Encoding(Some("UTF-16")));
    assert_eq!(cause([b"\xFF\xFE".as_slice(), &le].concat()), Cause::Encoding(Some("UTF-16")));
    assert_eq!(cause(&wide), Cause::Encoding(Some("UTF-32")));
    assert_eq!(cause(b"\xEF\xBB\xBF{}"), Cause::ByteOrderMark);
    assert_eq!(cause(b"{\"a\":\"\xFF\xFF\"}"), Cause::Encoding(None));
}

#[test]
fn every_refusal_becomes_a_problem_with_its_pointer() {
    let problem = serde_json::to_value(Problem::from(refused(r#"{"legs":[{"by":1,"by":2}]}"#))).unwrap();
    assert_eq!(problem["type"], "urn:tsunagu:problem:malformed-json");
    assert_eq!(problem["code"], "duplicate_member");
    assert_eq!(problem["errors"][0]["pointer"], "/legs/0/by");
    assert_eq!(problem["detail_en"], "Reading stopped at line 1, column 21.");
    let problem = Problem::from(refused(b"\xEF\xBB\xBF{}"));
    assert_eq!(problem.kind, ProblemKind::WrongEncoding);
    assert_eq!(Problem::from(refused("[".repeat(99))).kind, ProblemKind::TooDeep);
}

/// JSON values within the limits; their names need not be known to a schema.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (-(MAX_INTEGER as i64)..=MAX_INTEGER as i64).prop_map(Value::from),
        (-1e15..1e15).prop_map(|number: f64| json!(number)),
        "[^\u{0}]{0,12}".prop_map(Value::String),
    ];
    leaf.prop_recursive(6, 60, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::Array),
            prop::collection::btree_map("[^\u{0}]{0,6}", inner, 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Text as people write it: a few ideographs, many kana.
fn japanese() -> impl Strategy<Value = String> {
    let ideograph = prop::sample::select(
        "一時預保育児童相談所母子健診東京都横浜市病院希望家庭支援".chars().collect::<Vec<_>>(),
    );
    let kana = prop::char::range('ぁ', 'ん').boxed();
    let katakana = prop::char::range('ァ', 'ヶ').boxed();
    let letter = prop_oneof![2 => ideograph.boxed(), 3 => kana, 1 => katakana];
    prop::collection::vec(letter, 6..60).prop_map(|letters| letters.into_iter().collect())
}

proptest! {
    #[test]
    fn what_was_written_is_read_back(value in values()) {
        let body = serde_json::to_vec(&value).unwrap();
        prop_assert_eq!(read(&body, Limits::default()).unwrap(), value);
    }

    #[test]
    fn a_cut_body_is_refused(value in values(), at in 0.0..1.0) {
        // An object or array is not complete before its last byte.
        let body = serde_json::to_vec(&json!([value])).unwrap();
        let cut = (body.len() as f64 * at) as usize;
        prop_assert!(read(&body[..cut], Limits::default()).is_err());
    }

    #[test]
    fn any_bytes_are_answered_and_agree_with_the_plain_reader(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(value) = read(&bytes, Limits::default()) {
            prop_assert_eq!(value, serde_json::from_slice::<Value>(&bytes).unwrap());
        }
    }

    #[test]
    fn japanese_in_the_wrong_encoding_is_named(words in japanese()) {
        let (sjis, _, _) = SHIFT_JIS.encode(&words);
        let (euc, _, _) = EUC_JP.encode(&words);
        let body = |text: &[u8]| [b"{\"note\":\"", text, b"\"}"].concat();
        prop_assert_eq!(cause(body(&euc)), Cause::Encoding(Some("EUC-JP")));
        prop_assert_eq!(cause(body(&sjis)), Cause::Encoding(Some("Shift_JIS")));
    }
}
