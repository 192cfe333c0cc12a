//! Forgeries below the level of claims: other texts for the same token, and other signatures.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD as B64, Engine as _};
use serde_json::json;

use super::{
    forge::{Forge, Key, sign},
    forgeries::Named,
};

/// Second texts of a good token, and texts with another number of parts.
pub fn texts(forge: &Forge) -> Named {
    let good = forge.good();
    let parts: Vec<&str> = good.split('.').collect();
    let (header, payload, signature) = (parts[0], parts[1], parts[2]);
    let flattened = json!({"protected": header, "payload": payload, "signature": signature}).to_string();
    let general = json!({"payload": payload, "signatures": [{"protected": header, "signature": signature}]})
        .to_string();
    let mut found: Named = [
        ("padded", format!("{good}==")),
        ("each part padded", format!("{header}=.{payload}=.{signature}==")),
        ("four parts", format!("{good}.{signature}")),
        ("a part too many, empty", format!("{good}.")),
        ("five parts, as a JWE", format!("{header}..{payload}.{signature}.{signature}")),
        ("two parts", format!("{header}.{payload}")),
        ("one part", header.to_owned()),
        ("no signature", format!("{header}.{payload}.")),
        ("no payload", format!("{header}..{signature}")),
        ("no header", format!(".{payload}.{signature}")),
        ("dots alone", "..".to_owned()),
        ("a space within", format!("{header}. {payload}.{signature}")),
        ("a tab within", format!("{header}.\t{payload}.{signature}")),
        ("a space in a part", format!("{} {}.{payload}.{signature}", &header[..4], &header[4..])),
        ("a comma behind", format!("{good},")),
        ("in quotes", format!("\"{good}\"")),
        ("URL-encoded", good.replace('.', "%2E")),
        ("as flattened JSON", flattened.clone()),
        ("as general JSON", general),
        ("JSON in base64url", B64.encode(flattened)),
        ("twice", format!("{good} {good}")),
        ("upper case", good.to_uppercase()),
        ("longer than a token is", format!("{good}{}", "A".repeat(4096))),
    ]
    .map(|(name, token)| (name.to_owned(), token))
    .into();
    // The last letter of a signature of 64 bytes carries four bits that mean nothing: sixteen texts, one meaning.
    let last = signature.chars().last().unwrap();
    let twin = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".chars().filter(|letter| {
        let other = format!("{}{letter}", &signature[..signature.len() - 1]);
        *letter != last && lenient(&other) == lenient(signature)
    });
    found.extend(
        twin.map(|letter| (format!("a stray bit, {letter}"), format!("{}{letter}", &good[..good.len() - 1]))),
    );
    // Claims are plain ASCII that has no letter outside the common part of both alphabets; signatures have.
    let differing = (0..100).map(|age| {
        let mut claims = forge.claims();
        claims["iat"] = json!(forge.now() - age);
        claims["exp"] = json!(forge.now() - age + 600);
        forge.with_claims(&claims)
    });
    let differing =
        differing.into_iter().find(|token| token.rsplit('.').next().unwrap().contains(['-', '_']));
    let standard =
        differing.expect("one signature in three has none of them").replace('-', "+").replace('_', "/");
    found.push(("in the standard alphabet".to_owned(), standard));
    found
}

/// What a reader sees who passes over bits that mean nothing.
fn lenient(text: &str) -> Vec<u8> {
    let forgiving = base64::engine::GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent);
    base64::engine::GeneralPurpose::new(&base64::alphabet::URL_SAFE, forgiving).decode(text).unwrap()
}

/// A good token's text with another signature behind it.
pub fn signatures(forge: &Forge) -> Named {
    let good = forge.good();
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let bytes = B64.decode(signature).unwrap();
    let with = |bytes: &[u8]| format!("{signed}.{}", B64.encode(bytes));
    let flipped = |place: usize| {
        let mut bytes = bytes.clone();
        bytes[place] ^= 1;
        with(&bytes)
    };
    let mut point = vec![0; 64];
    point[0] = 1;
    let other = forge.claims_with("jti", json!("0192f000-0000-4000-8000-000000000008"));
    let stolen = format!("{signed}.{}", other.rsplit_once('.').unwrap().1);
    let strange = Key::strange();
    let header = forge.header().to_string();
    [
        ("of nothing but zeros", with(&[0; 64])),
        ("the neutral point", with(&point)),
        ("a bit of R flipped", flipped(0)),
        ("a bit of S flipped", flipped(63)),
        ("cut by a byte", with(&bytes[..63])),
        ("a byte longer", with(&[bytes.as_slice(), &[0]].concat())),
        ("S beyond the order", with(&beyond_the_order(&bytes))),
        ("of another token", stolen),
        ("of another key", sign(&strange, &header, &forge.claims().to_string())),
        ("of the receipt key", sign(&forge.receipt, &header, &forge.claims().to_string())),
    ]
    .map(|(name, token)| (name.to_owned(), token))
    .into()
}

/// The same signature with the group's order added to S: verifiers that do not look believe it.
fn beyond_the_order(signature: &[u8]) -> Vec<u8> {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut sum = signature.to_vec();
    let mut carry = 0u16;
    for (byte, order) in sum[32..].iter_mut().zip(ORDER) {
        let total = u16::from(*byte) + u16::from(order) + carry;
        (*byte, carry) = ((total & 0xff) as u8, total >> 8);
    }
    sum
}
