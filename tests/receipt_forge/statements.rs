//! Single statements that are not what they should be.

use base64::Engine;
use serde_json::{Value, json};

use super::{B64, EVENT, RECEIPT, first, jcs, receipt_key, scalar, sha256, sign, token_key, vector};
use crate::Vector;

/// R0 as it should be, and after it an R1 whose text was changed.
pub fn texts() -> Vec<Vector> {
    let good = sign(&first(2));
    let (signed, signature) = good[1].rsplit_once('.').unwrap();
    let (header, payload) = signed.split_once('.').unwrap();
    let bytes = B64.decode(signature).unwrap();
    let flipped = |place: usize| {
        let mut bytes = bytes.clone();
        bytes[place] ^= 1;
        format!("{signed}.{}", B64.encode(bytes))
    };
    let other = String::from_utf8(B64.decode(payload).unwrap()).unwrap().replace("\"R1\"", "\"R2\"");
    let last = signature.chars().last().unwrap();
    let stray = format!("{}{}", &signature[..85], if last == 'A' { 'B' } else { char::from(last as u8 + 1) });
    let key = receipt_key();
    let by_token_key = token_key().sign(&key.header(RECEIPT), &other);
    let own = token_key().sign(&token_key().header(RECEIPT), &other);
    let cases = [
        ("text_signature_r_bit", flipped(0), "signature"),
        ("text_signature_s_bit", flipped(40), "signature"),
        ("text_payload_changed", format!("{header}.{}.{signature}", B64.encode(&other)), "signature"),
        (
            "text_signature_of_another_text",
            format!("{signed}.{}", good[0].rsplit_once('.').unwrap().1),
            "signature",
        ),
        ("text_signature_short", format!("{signed}.{}", B64.encode(&bytes[..63])), "signature"),
        ("text_signature_long", format!("{signed}.{}", B64.encode([&bytes[..], &[0]].concat())), "signature"),
        ("text_signature_empty", format!("{signed}."), "signature"),
        (
            "text_s_plus_group_order",
            format!("{signed}.{}", B64.encode(scalar::s_plus_order(&bytes))),
            "signature",
        ),
        (
            "text_r_of_small_order",
            format!("{signed}.{}", B64.encode(scalar::small_order_r(&key, signed))),
            "signature",
        ),
        ("text_signed_by_the_token_key", by_token_key, "signature"),
        ("text_signed_by_a_key_of_another_purpose", own, "kid"),
        ("text_padded", format!("{}==", good[1]), "form"),
        ("text_stray_bits", format!("{signed}.{stray}"), "form"),
        ("text_plain_base64", format!("{signed}.+{}", &signature[1..]), "form"),
        ("text_space_inside", good[1].replacen('.', ". ", 1), "form"),
        ("text_line_end", format!("{}\n", good[1]), "form"),
        ("text_two_parts", signed.to_owned(), "form"),
        ("text_four_parts", format!("{}.", good[1]), "form"),
        ("text_empty", String::new(), "form"),
        (
            "text_json_form",
            format!(r#"{{"payload":"{payload}","protected":"{header}","signature":"{signature}"}}"#),
            "form",
        ),
    ];
    cases
        .into_iter()
        .map(|(name, text, code)| vector(name, vec![good[0].clone(), text], vec![], &[code]))
        .collect()
}

pub fn headers() -> Vec<Vector> {
    let drafts = first(2);
    let good = sign(&drafts);
    let mut payload = drafts[1].payload.clone();
    payload["prev"] = json!(sha256(&good[0]));
    let kid = receipt_key().kid;
    let cases = [
        ("header_alg_none", r#"{"alg":"none","kid":"KID","typ":"TYP"}"#, "alg"),
        ("header_alg_hs256", r#"{"alg":"HS256","kid":"KID","typ":"TYP"}"#, "alg"),
        ("header_alg_ed25519", r#"{"alg":"Ed25519","kid":"KID","typ":"TYP"}"#, "alg"),
        ("header_alg_case", r#"{"alg":"eddsa","kid":"KID","typ":"TYP"}"#, "alg"),
        ("header_typ_jwt", r#"{"alg":"EdDSA","kid":"KID","typ":"JWT"}"#, "typ"),
        ("header_typ_manifest", r#"{"alg":"EdDSA","kid":"KID","typ":"tsunagu-manifest+jwt"}"#, "typ"),
        ("header_typ_token", r#"{"alg":"EdDSA","kid":"KID","typ":"at+jwt"}"#, "typ"),
        ("header_typ_long_form", r#"{"alg":"EdDSA","kid":"KID","typ":"application/TYP"}"#, "typ"),
        ("header_typ_missing", r#"{"alg":"EdDSA","kid":"KID"}"#, "header"),
        ("header_kid_missing", r#"{"alg":"EdDSA","typ":"TYP"}"#, "header"),
        ("header_kid_unknown", r#"{"alg":"EdDSA","kid":"abc","typ":"TYP"}"#, "kid"),
        ("header_kid_of_another_kind", r#"{"alg":"EdDSA","kid":"of-another-kind","typ":"TYP"}"#, "kid"),
        ("header_crit", r#"{"alg":"EdDSA","crit":["exp"],"exp":1,"kid":"KID","typ":"TYP"}"#, "header"),
        ("header_crit_empty", r#"{"alg":"EdDSA","crit":[],"kid":"KID","typ":"TYP"}"#, "header"),
        ("header_b64", r#"{"alg":"EdDSA","b64":true,"kid":"KID","typ":"TYP"}"#, "header"),
        ("header_jwk", r#"{"alg":"EdDSA","jwk":{},"kid":"KID","typ":"TYP"}"#, "header"),
        (
            "header_jku",
            r#"{"alg":"EdDSA","jku":"https://example.invalid/","kid":"KID","typ":"TYP"}"#,
            "header",
        ),
        ("header_repeated_alg", r#"{"alg":"none","alg":"EdDSA","kid":"KID","typ":"TYP"}"#, "header"),
        ("header_alg_number", r#"{"alg":1,"kid":"KID","typ":"TYP"}"#, "header"),
        ("header_array", "[]", "header"),
    ];
    let make = |(name, header, code): (&str, &str, &str)| {
        let header = header.replace("KID", &kid).replace("TYP", RECEIPT);
        let text = receipt_key().sign(&header, &jcs(&payload));
        vector(name, vec![good[0].clone(), text], vec![], &[code])
    };
    cases.into_iter().map(make).collect()
}

/// R0 as it should be, and after it a properly signed R1 that says something impossible.
pub fn claims() -> Vec<Vector> {
    let good = sign(&first(2));
    let text = |payload: &str| receipt_key().sign(&receipt_key().header(RECEIPT), payload);
    let r1 = || {
        let mut payload = first(2)[1].payload.clone();
        payload["prev"] = json!(sha256(&good[0]));
        payload
    };
    let changed = |pointer: &str, value: Value| {
        let mut payload = r1();
        *payload.pointer_mut(pointer).unwrap() = value;
        jcs(&payload)
    };
    let without = |name: &str| {
        let mut payload = r1();
        payload.as_object_mut().unwrap().remove(name).unwrap();
        jcs(&payload)
    };
    let repeated = jcs(&r1()).replacen('{', r#"{"level":"R3","#, 1);
    let repeated_deep = jcs(&r1()).replacen(r#""state":{"#, r#""state":{"seq":9,"#, 1);
    let claiming = |said: Value| {
        let mut payload = r1();
        payload["never_opened"] = said;
        jcs(&payload)
    };
    let cases = [
        ("claims_never_opened_false", claiming(json!(false)), "claims"),
        ("claims_never_opened_null", claiming(Value::Null), "claims"),
        ("claims_never_opened_text", claiming(json!("true")), "claims"),
        ("claims_never_opened_number", claiming(json!(1)), "claims"),
        ("payload_repeated_member", repeated, "payload"),
        ("payload_repeated_inside", repeated_deep, "payload"),
        ("payload_array", "[]".into(), "payload"),
        ("payload_no_json", "{".into(), "payload"),
        ("payload_trailing", jcs(&r1()) + "x", "payload"),
        ("claims_key_id_other", changed("/key_id", json!(token_key().kid)), "key_id"),
        ("claims_key_id_missing", without("key_id"), "key_id"),
        ("claims_version", changed("/v", json!(2)), "claims"),
        ("claims_hub_missing", without("hub_id"), "claims"),
        ("claims_level_unknown", changed("/level", json!("R9")), "claims"),
        ("claims_level_missing", without("level"), "claims"),
        ("claims_copy_unknown", changed("/copy", json!("other")), "claims"),
        ("claims_leg_no_uuid", changed("/leg", json!("leg")), "claims"),
        ("claims_section_unknown", changed("/sections/0", json!("secret")), "claims"),
        ("claims_hash_upper_case", changed("/content", json!("C0".repeat(32))), "claims"),
        ("claims_hash_short", changed("/manifest", json!("c0")), "claims"),
        ("claims_time_without_offset", changed("/at", json!("2026-11-22T10:01:00")), "claims"),
        ("claims_seq_text", changed("/state/seq", json!("1")), "claims"),
        ("claims_seq_negative", changed("/state/seq", json!(-1)), "claims"),
        ("claims_seq_fraction", changed("/state/seq", json!(1.5)), "claims"),
        ("claims_attested_unknown", changed("/by/attested", json!("trust-me")), "claims"),
        ("claims_by_missing", without("by"), "claims"),
        ("claims_link_missing", without("link"), "claims"),
    ];
    let make = |(name, payload, code): (&str, String, &str)| {
        vector(name, vec![good[0].clone(), text(&payload)], vec![], &[code])
    };
    let mut made: Vec<_> = cases.into_iter().map(make).collect();
    let event = receipt_key().sign(&receipt_key().header(EVENT), &jcs(&r1()));
    made.push(vector("claims_event_with_level", vec![good[0].clone(), event], vec![], &["claims"]));
    made
}
