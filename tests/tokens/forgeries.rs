//! The forgeries, by what is wrong with them. Unless its name says otherwise, each is signed well by the hub's own
//! token key, so that nothing but what was changed can be the reason of its refusal.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD as B64, Engine as _};
use serde_json::{Value, json};
use tsunagu::vault::{KeyMaking, Vault};
use uuid::Uuid;

use super::{
    Attempt, Scene,
    forge::{Forge, Key, sign},
    texts::{signatures, texts},
};

pub async fn all(scene: &Scene, forge: &Forge) -> Vec<Attempt> {
    let mut all = Vec::new();
    let mut add = |group: &str, tokens: Vec<(String, String)>| {
        all.extend(
            tokens.into_iter().map(|(name, token)| Attempt::bearer(format!("{group}: {name}"), &token)),
        );
    };
    add("algorithm", algorithms(forge));
    add("type", types(forge));
    add("key id", key_ids(forge));
    add("header", headers(forge));
    add("claim", claims(forge));
    add("payload", payloads(forge));
    add("text", texts(forge));
    add("signature", signatures(forge));
    add("another", others(scene, forge).await);
    all.extend(authorizations(forge));
    all
}

/// Tokens, each with what is wrong with it.
pub type Named = Vec<(String, String)>;

fn algorithms(forge: &Forge) -> Named {
    let mut found = Named::new();
    for alg in ["none", "None", "nOnE", "NONE", "none "] {
        let token = forge.header_with("alg", json!(alg));
        let unsigned = token.rsplit_once('.').unwrap().0.to_owned();
        found.push((format!("{alg} without a signature"), format!("{unsigned}.")));
        found.push((format!("{alg} with one"), token));
    }
    let public = forge.token.public().to_vec();
    let x = B64.encode(&public).into_bytes();
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": B64.encode(&public)}).to_string().into_bytes();
    for alg in ["HS256", "HS512"] {
        for (name, secret) in
            [("key", &public), ("key's x", &x), ("key as JWK", &jwk), ("empty text", &vec![])]
        {
            found.push((format!("{alg} with the public {name}"), forge.with_mac(alg, secret)));
        }
    }
    let names = [
        "HS256",
        "ES256",
        "ES256K",
        "ES384",
        "ES512",
        "RS256",
        "PS256",
        "Ed25519",
        "Ed448",
        "eddsa",
        "EDDSA",
        "",
        "EdDSA\u{0}",
        "dir",
    ];
    found.extend(names.map(|alg| (format!("EdDSA called {alg:?}"), forge.header_with("alg", json!(alg)))));
    for alg in [json!(null), json!(["EdDSA"]), json!(0), json!({"alg": "EdDSA"})] {
        found.push((format!("{alg}"), forge.header_with("alg", alg)));
    }
    found.push(("absent".to_owned(), without(forge, "alg")));
    found
}

fn types(forge: &Forge) -> Named {
    let names = [
        "JWT",
        "jwt",
        "AT+JWT",
        "application/at+jwt",
        "at+jwt ",
        "",
        "tsunagu-receipt+jwt",
        "tsunagu-manifest+jwt",
        "tsunagu-event+jwt",
        "tsunagu-refusal+jwt",
        "tsunagu-consent+jwt",
        "JOSE",
    ];
    let mut found: Named = names.map(|typ| (format!("{typ:?}"), forge.header_with("typ", json!(typ)))).into();
    found.push(("null".to_owned(), forge.header_with("typ", json!(null))));
    found.push(("absent".to_owned(), without(forge, "typ")));
    found
}

fn without(forge: &Forge, member: &str) -> String {
    let mut header = forge.header();
    header.as_object_mut().unwrap().remove(member).unwrap();
    forge.with_header(&header)
}

fn key_ids(forge: &Forge) -> Named {
    let long = "A".repeat(60 * 1024);
    let mut found: Named = [
        "",
        "../sign/token.current",
        "sign/token.pk8",
        "/dev/null",
        "../../../../dev/zero",
        "' OR '1'='1",
        "x' --",
        "1; DROP TABLE agency",
        "https://example.com/jwks.json",
        "file:///etc/passwd",
        "\u{0}",
        "鍵",
        "*",
        "$(id)",
        " ",
        "null",
        "0",
        long.as_str(),
    ]
    .map(|kid| (format!("{:?}", &kid[..kid.len().min(30)]), forge.header_with("kid", json!(kid))))
    .into();
    for kid in [json!(null), json!(0), json!([forge.token.kid]), json!({"kid": forge.token.kid})] {
        found.push((format!("{kid}"), forge.header_with("kid", kid)));
    }
    found.push(("absent".to_owned(), without(forge, "kid")));
    found.push(("the receipt key's".to_owned(), forge.header_with("kid", json!(forge.receipt.kid))));
    let padded = format!("{}=", forge.token.kid);
    found.push(("its own, padded".to_owned(), forge.header_with("kid", json!(padded))));
    let upper = forge.token.kid.to_uppercase();
    found.push(("its own in capitals".to_owned(), forge.header_with("kid", json!(upper))));
    let unknown = Key::strange();
    let header = json!({"alg": "EdDSA", "kid": unknown.kid, "typ": "at+jwt"}).to_string();
    found.push(("an unknown key's".to_owned(), sign(&unknown, &header, &forge.claims().to_string())));
    let header = json!({"alg": "EdDSA", "kid": forge.receipt.kid, "typ": "at+jwt"}).to_string();
    found.push((
        "signed by the receipt key".to_owned(),
        sign(&forge.receipt, &header, &forge.claims().to_string()),
    ));
    found
}

fn headers(forge: &Forge) -> Named {
    let strange = Key::strange();
    let jwk =
        json!({"kty": "OKP", "crv": "Ed25519", "x": B64.encode(strange.public()), "kid": forge.token.kid});
    let mut found: Named = [
        ("jku", json!("https://example.com/jwks.json")),
        ("x5u", json!("https://example.com/cert.pem")),
        ("jwk", jwk.clone()),
        ("x5c", json!(["MIIB"])),
        ("x5t", json!("AAAA")),
        ("crit", json!([])),
        ("crit", json!(["exp"])),
        ("b64", json!(false)),
        ("b64", json!(true)),
        ("zip", json!("DEF")),
        ("cty", json!("JWT")),
        ("enc", json!("A256GCM")),
        ("epk", jwk.clone()),
        ("", json!("")),
    ]
    .map(|(name, value)| (format!("{name:?}: {value}"), forge.header_with(name, value)))
    .into();
    let mut header = forge.header();
    header["jwk"] = jwk;
    let claims = forge.claims().to_string();
    found.push(("the forger's own key in it".to_owned(), sign(&strange, &header.to_string(), &claims)));
    let kid = &forge.token.kid;
    for (name, header) in [
        (
            "alg twice, the good one last",
            format!(r#"{{"alg":"none","alg":"EdDSA","kid":"{kid}","typ":"at+jwt"}}"#),
        ),
        (
            "alg twice, the good one first",
            format!(r#"{{"alg":"EdDSA","alg":"none","kid":"{kid}","typ":"at+jwt"}}"#),
        ),
        ("kid twice", format!(r#"{{"alg":"EdDSA","kid":"x","kid":"{kid}","typ":"at+jwt"}}"#)),
        ("typ twice", format!(r#"{{"alg":"EdDSA","kid":"{kid}","typ":"JWT","typ":"at+jwt"}}"#)),
        (
            "alg twice by an escape",
            format!(r#"{{"\u0061lg":"none","alg":"EdDSA","kid":"{kid}","typ":"at+jwt"}}"#),
        ),
        ("an array", format!(r#"["EdDSA","{kid}","at+jwt"]"#)),
        ("empty", String::new()),
        ("{}", "{}".to_owned()),
        ("followed by another", format!("{}{{}}", forge.header())),
        ("behind a byte order mark", format!("\u{feff}{}", forge.header())),
        ("cut off", forge.header().to_string().trim_end_matches('}').to_owned()),
    ] {
        found.push((name.to_owned(), forge.sign(&header, &claims)));
    }
    // RFC 7797: a payload that is not encoded, and both of the headers that go with it.
    let mut header = forge.header();
    header["b64"] = json!(false);
    header["crit"] = json!(["b64"]);
    let bare = format!("{}.{}", B64.encode(header.to_string()), claims.replace('.', ""));
    let signature = B64.encode(forge.token.pair.sign(bare.as_bytes()));
    found.push(("b64=false and a bare payload".to_owned(), format!("{bare}.{signature}")));
    found
}

fn claims(forge: &Forge) -> Named {
    let now = forge.now();
    let hub = forge.hub;
    let api = format!("{hub}/api");
    let other = Uuid::from_u128(9);
    let nobody = "0192f000-0000-4000-8000-00000000dead";
    let mut found: Named = [
        ("aud", json!(hub)),
        ("aud", json!(format!("{other}/api"))),
        ("aud", json!(format!("{api}/"))),
        ("aud", json!(format!("{api}x"))),
        ("aud", json!([&api])),
        ("aud", json!([&api, "x"])),
        ("aud", json!("")),
        ("aud", json!("*")),
        ("iss", json!(other)),
        ("iss", json!(format!("https://{hub}"))),
        ("iss", json!("")),
        ("iss", json!([hub])),
        ("sub", json!(nobody)),
        ("sub", json!("")),
        ("sub", json!("*")),
        ("sub", json!(hub)),
        ("sub", json!("admin")),
        ("sub", json!(["x"])),
        ("sub", json!("' OR active = 1 --")),
        ("exp", json!((now + 600).to_string())),
        ("exp", json!(now as f64 + 600.0)),
        ("exp", json!(now as f64 + 600.5)),
        ("exp", json!(i64::MAX)),
        ("exp", json!(u64::MAX)),
        ("exp", json!(-1)),
        ("exp", json!(0)),
        ("exp", json!(now - 5)),
        ("exp", json!(now - 86_400)),
        ("exp", json!(now + 601)),
        ("exp", json!(true)),
        ("exp", json!([now + 600])),
        ("nbf", json!(now + 60)),
        ("nbf", json!(i64::MAX)),
        ("nbf", json!(now.to_string())),
        ("nbf", json!(now as f64)),
        ("nbf", json!("0")),
        ("iat", json!(now + 60)),
        ("iat", json!(now.to_string())),
        ("iat", json!(now - 10_000)),
        ("iat", json!(i64::MIN)),
        ("jti", json!("x")),
        ("jti", json!(7)),
        ("scope", json!("all")),
        ("admin", json!(true)),
        ("act", json!({"sub": nobody})),
        ("cnf", json!({"jkt": "x"})),
        ("", json!("")),
    ]
    .map(|(name, value)| (format!("{name:?}: {value}"), forge.claims_with(name, value)))
    .into();
    for name in ["iss", "aud", "sub", "jti", "iat", "nbf", "exp"] {
        let mut claims = forge.claims();
        claims.as_object_mut().unwrap().remove(name).unwrap();
        found.push((format!("no {name}"), forge.with_claims(&claims)));
        found.push((format!("{name}: null"), forge.claims_with(name, Value::Null)));
        let twice =
            format!("{{\"{name}\":{},{}", claims_member(forge, name), &forge.claims().to_string()[1..]);
        found.push((format!("{name} twice"), forge.sign(&forge.header().to_string(), &twice)));
    }
    let huge = forge.claims().to_string().replace(&(now + 600).to_string(), "1e400");
    found.push(("exp: 1e400".to_owned(), forge.sign(&forge.header().to_string(), &huge)));
    found
}

/// A claim as it stands in a good token, to be said a second time.
fn claims_member(forge: &Forge, name: &str) -> Value {
    forge.claims()[name].clone()
}

fn payloads(forge: &Forge) -> Named {
    let good = forge.claims().to_string();
    let payloads = [
        ("empty", String::new()),
        ("null", "null".to_owned()),
        ("a text", "\"x\"".to_owned()),
        ("an array", format!("[{good}]")),
        ("no JSON", "x".to_owned()),
        ("followed by another", format!("{good}{good}")),
        ("behind a byte order mark", format!("\u{feff}{good}")),
        ("followed by a NUL", format!("{good}\u{0}")),
        ("cut off", good[..good.len() - 1].to_owned()),
        ("with a comment", good.replacen('{', "{/**/", 1)),
        ("nested", json!({"token": forge.claims()}).to_string()),
        ("deep", format!("{}{}", "[".repeat(1500), "]".repeat(1500))),
    ];
    payloads.map(|(name, text)| (name.to_owned(), forge.sign(&forge.header().to_string(), &text))).into()
}

/// Tokens that are what they say they are, and not of this hub or not tokens.
async fn others(scene: &Scene, forge: &Forge) -> Named {
    let mut found: Named =
        scene.statements.iter().map(|(name, jws)| ((*name).to_owned(), jws.clone())).collect();
    // A hub of the same id, as a copied configuration makes one, has other keys all the same.
    for (name, id) in [("another hub", Uuid::from_u128(9)), ("another hub of the same id", forge.hub)] {
        let vault = Vault::create(&scene.town.folder().join(name), id, KeyMaking::Allowed).unwrap();
        let now = scene.town.clock.now();
        let token = vault.issue_token(scene.agency.id.parse().unwrap(), Uuid::from_u128(7), now, 600);
        found.push((format!("a token of {name}"), token));
    }
    for age in [606, 3600, 86_400 * 400] {
        found.push((format!("expired, {age} s old"), scene.town.token_of_age(&scene.agency, age)));
    }
    found.push(("not valid before a minute".to_owned(), scene.town.token_of_age(&scene.agency, -60)));
    let gone = scene.deactivated.token().await;
    found.push(("of an agency that is not active any more".to_owned(), gone));
    found.push(("a client secret".to_owned(), scene.agency.secret.clone()));
    found.push(("an agency's id".to_owned(), scene.agency.id.clone()));
    found
}

/// A good token in a header that is not well formed.
fn authorizations(forge: &Forge) -> Vec<Attempt> {
    let good = forge.good();
    let basic = format!("Basic {}", B64.encode(&good));
    let values: Vec<(&str, Vec<Vec<u8>>)> = vec![
        ("none", vec![]),
        ("empty", vec![b"".to_vec()]),
        ("no scheme", vec![good.clone().into_bytes()]),
        ("the scheme alone", vec![b"Bearer".to_vec()]),
        ("the scheme and a space", vec![b"Bearer ".to_vec()]),
        ("another scheme", vec![format!("DPoP {good}").into_bytes()]),
        ("Basic", vec![basic.into_bytes()]),
        ("a tab for the space", vec![format!("Bearer\t{good}").into_bytes()]),
        ("a colon", vec![format!("Bearer: {good}").into_bytes()]),
        ("bytes that are no text", vec![[format!("Bearer {good}").as_bytes(), b"\xe9"].concat()]),
        (
            "two, both good",
            vec![format!("Bearer {good}").into_bytes(), format!("Bearer {good}").into_bytes()],
        ),
        ("two, the first good", vec![format!("Bearer {good}").into_bytes(), b"Bearer x".to_vec()]),
        ("two, the second good", vec![b"Bearer x".to_vec(), format!("Bearer {good}").into_bytes()]),
        ("two in one", vec![format!("Bearer x, Bearer {good}").into_bytes()]),
    ];
    let attempt = |(name, authorization)| Attempt { name: format!("Authorization: {name}"), authorization };
    values.into_iter().map(attempt).collect()
}
