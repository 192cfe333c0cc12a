use serde_json::json;

use super::{format::*, *};

const ID: &str = "0190e0c4-7a7b-7cc3-8f00-2f3c4b5a6d7e";

fn referral() -> Value {
    json!({
        "type": "SHOKAI", "urgency": "U1", "purpose": "SHOKAI", "written_by": ID,
        "source_ref": "2026-R.17_b", "called_at": "2026-11-22T09:00:00+09:00",
        "subjects": [{"ref": "child-1", "role": "child", "birth_date": "2023-05"}, {"ref": "mother", "role": "guardian"}],
        "content": {
            "identity": [{"subject": "child-1", "name": {"family": "葛󠄀城", "given": "は\u{FA10}る"}, "birth_date": "2023-05-01", "sex": "1"}],
            "contact": [{"subject": "mother", "phone": "(045)000-0000", "email": "a..b@example.jp", "safe_contact": "平日 10～12時\n留守電不可"}],
            "address": [{"subject": "mother", "municipality": "141011", "town": "鶴見中央", "postal_code": "2300051"}],
            "needs": [{"codes": ["RESPITE"], "text": "一時預かり"}]
        },
        "resources": {"service_kind": "ichiji_azukari", "age_class": 1, "days": ["tue", "thu"]},
        "legs": [{"recipient": ID, "basis": {"code": "CONSENT", "consent": ID}, "sections": ["identity", "needs"],
                  "needed": ["identity"], "requested_action": "見学", "reply_by": "2026-12-01T17:00:00+09:00"}]
    })
}

/// The pointers and codes of the faults after one member was replaced (or, with null, removed).
fn faults(place: &str, value: &Value) -> Vec<(String, &'static str)> {
    let mut document = referral();
    let (holder, member) = place.rsplit_once('/').unwrap();
    match (document.pointer_mut(holder).unwrap(), value) {
        (Value::Object(members), Value::Null) => drop(members.remove(member)),
        (Value::Object(members), value) => drop(members.insert(member.to_owned(), value.clone())),
        (holder, value) => holder[member.parse::<usize>().unwrap()] = value.clone(),
    }
    let faults = Schema::Referral.check(&document).unwrap_err();
    faults.into_iter().map(|fault| (fault.pointer.to_string(), fault.code)).collect()
}

#[test]
fn a_referral_as_the_api_describes_it_passes() {
    assert_eq!(Schema::Referral.check(&referral()), Ok(()));
}

#[test]
fn every_request_and_signed_payload_takes_its_example() {
    let (hash, at) = ("0".repeat(64), "2026-11-22T09:00:00+09:00");
    let examples = [
        (
            Schema::Consent,
            json!({
            "recorded_by": ID, "purpose": "SHOKAI", "recipients": [ID], "sections": ["identity", "contact"],
            "subjects": [{"ref": "child-1", "role": "child", "birth_date": "2023-05"}, {"ref": "mother", "role": "guardian"}],
            "giver": {"subject": "mother", "capacity": "PARENT", "name": {"family": "髙橋"}, "for": ["child-1", "mother"]},
            "custody": {"kind": "sole"}, "one_person_site": true,
            "method": "oral", "read_back": true, "language": "ja", "text_version": "2026-04", "decision": "given",
            "first_day": "2026-09-01", "last_day": "2026-11-30"}),
        ),
        (Schema::Withdraw, json!({"by": ID, "method": "oral"})),
        (
            Schema::LegAction,
            json!({"by": ID, "reason": "CAPACITY", "declined_by": "provider", "note": "満員です。\n来月また。"}),
        ),
        (Schema::Ack, json!({"receipt_hash": hash})),
        (Schema::Staff, json!({"name": "窓口　担当", "kana": "まどぐち", "role": "duty_desk"})),
        (
            Schema::SubscriptionMail,
            json!({"address": "madoguchi@example.jp", "language": "ja", "gather_hours": [9, 15]}),
        ),
        (
            Schema::Manifest,
            json!({"v": 1, "leg": ID, "content_version": 1,
            "fields": [{"path": "/identity/0/name/family", "d": hash}]}),
        ),
        (
            Schema::Receipt,
            json!({"v": 1, "level": "R0", "copy": "sender", "receipt_id": ID, "hub_id": ID, "key_id": "k1",
            "leg": ID, "delivery": ID, "sender": ID, "recipient": ID, "sections": ["identity"], "manifest": hash,
            "content": hash, "basis": {"code": "CONSENT", "ref": "consent:1@v1", "rule_version": "2026-04-01"},
            "state": {"to": "requested", "seq": 1}, "link": hash, "at": at, "by": {"agency": ID, "attested": "agency-asserted"},
            "referral": ID, "withheld": [{"section": "health", "why": "W_NOT_CONSENTED"}]}),
        ),
        (
            Schema::Refusal,
            json!({"v": 1, "hub_id": ID, "key_id": "k1", "agency": ID, "code": "CONSENT_PARTY", "at": at}),
        ),
        (
            Schema::ConsentStatement,
            json!({"v": 1, "hub_id": ID, "key_id": "k1", "agency": ID, "consent": ID, "version": 1, "state": "active",
            "method": "paper", "by": ID, "at": at, "evidence": ["0".repeat(64)], "sealed": "0".repeat(64)}),
        ),
        (
            Schema::Doorbell,
            json!({"specversion": "1.0", "id": ID, "source": format!("urn:tsunagu:hub:{ID}"),
            "type": "delivery.waiting", "subject": ID, "time": at}),
        ),
        (
            Schema::Document,
            json!({"v": 1, "leg": ID, "delivery": ID, "type": "SELF", "urgency": "U1", "sender": ID,
            "recipient": ID, "sections": [], "subjects": [], "content": {}, "resources": {"days": ["mon"]}}),
        ),
    ];
    for (schema, example) in examples {
        assert_eq!(schema.check(&example), Ok(()), "{schema:?}");
        assert!(schema.check(&json!({})).is_err(), "{schema:?} asks for nothing");
    }
}

#[test]
fn a_pointer_written_elsewhere_keeps_only_known_names() {
    assert_eq!(pointer("/legs/0/basis").to_string(), "/legs/0/basis");
    assert_eq!(pointer("/content/花子/1").to_string(), "/content/?/1");
    assert_eq!(pointer(""), Pointer::ROOT);
}

#[test]
fn each_fault_is_named_where_it_stands() {
    let cases = [
        ("/type", json!("shokai"), "/type", "unknown_code"),
        ("/written_by", Value::Null, "/written_by", "required"),
        ("/written_by", json!("me"), "/written_by", "format"),
        ("/written_by", json!("z".repeat(36)), "/written_by", "format"),
        ("/source_ref", json!("a b"), "/source_ref", "pattern"),
        ("/called_at", json!("2026-11-22T09:00:00"), "/called_at", "impossible_date"),
        ("/called_at", json!("2026-02-30T09:00:00+09:00"), "/called_at", "impossible_date"),
        ("/subjects/0/birth_date", json!("2023-13"), "/subjects/0/birth_date", "impossible_date"),
        ("/subjects/0/role", json!("dog"), "/subjects/0/role", "unknown_code"),
        ("/subjects/1/ref", Value::Null, "/subjects/1/ref", "required"),
        ("/content/identity/0/name/family", json!(""), "/content/identity/0/name/family", "too_short"),
        (
            "/content/identity/0/name/family",
            json!("あ".repeat(201)),
            "/content/identity/0/name/family",
            "too_long",
        ),
        (
            "/content/identity/0/name/family",
            json!("山\u{202E}田"),
            "/content/identity/0/name/family",
            "name_character",
        ),
        (
            "/content/identity/0/name/family",
            json!("\u{E000}田"),
            "/content/identity/0/name/family",
            "name_character",
        ),
        ("/content/contact/0/phone", json!("045\r\nBcc: x"), "/content/contact/0/phone", "control_character"),
        ("/content/needs/0/codes", json!(["RESPITE", "RESPITE"]), "/content/needs/0/codes", "repeated"),
        ("/content/needs/0", json!({}), "/content/needs/0", "too_few_members"),
        ("/resources/age_class", json!(19), "/resources/age_class", "too_great"),
        ("/resources/age_class", json!("1"), "/resources/age_class", "type"),
        ("/legs", json!([]), "/legs", "too_few"),
        ("/legs", Value::Array(vec![referral()["legs"][0].clone(); 17]), "/legs", "too_many"),
        ("/legs/0/recipient", Value::Null, "/legs/0/recipient", "required"),
        ("/legs/0/urgent", json!(true), "/legs/0", "unknown_member"),
    ];
    for (place, value, pointer, code) in cases {
        assert_eq!(faults(place, &value), [(pointer.to_owned(), code)], "{place} = {value}");
    }
}

#[test]
fn a_message_says_what_is_expected_in_both_languages() {
    let told = |place: &str, value: Value| {
        let mut document = referral();
        *document.pointer_mut(place).unwrap() = value;
        let fault = Schema::Referral.check(&document).unwrap_err().remove(0);
        (fault.message.ja(), fault.message.en())
    };
    let (ja, en) = told("/urgency", json!("U9"));
    assert_eq!(ja, "一覧にない値です。使える値：U0, U1, U2, U3, U4");
    assert_eq!(en, "Not a value of the list. Allowed are: U0, U1, U2, U3, U4");
    let (ja, en) = told("/content/address/0/municipality", json!("14101"));
    assert_eq!(ja, "形式が違います：全国地方公共団体コード（6桁）");
    assert_eq!(en, "Not in the expected form: local government code, six digits");
    let (_, en) = told("/subjects/0", json!({"ref": "child-1"}));
    assert_eq!(en, "This member is required: the role of a subject");
    let (ja, _) = told("/legs/0", json!({}));
    assert_eq!(ja, "この項目が必要です：宛先の機関");
    let (_, en) = told("/resources", json!({"age_class": true}));
    assert_eq!(en, "The value has the wrong type. Expected: integer");
    let (_, en) = told("/legs/0/basis", json!([]));
    assert_eq!(en, "The value has the wrong type. Expected: object");
}

#[test]
fn what_was_sent_is_never_repeated() {
    // A canary in every place a client can fill, names of members included.
    fn poison(value: &mut Value) {
        match value {
            Value::Object(members) => {
                members.values_mut().for_each(poison);
                members.insert("カナリア花子".into(), json!("canary\u{1}hanako"));
            }
            Value::Array(items) => items.iter_mut().for_each(poison),
            other => *other = json!("canary\u{1}hanako カナリア"),
        }
    }
    let mut document = referral();
    poison(&mut document);
    for schema in Schema::ALL {
        let faults = schema.check(&document).err().unwrap_or_default();
        let told = format!("{faults:?}{}", serde_json::to_string(&faults).unwrap());
        assert!(
            !told.contains("canary") && !told.contains("カナリア") && !told.contains("hanako"),
            "{schema:?}"
        );
    }
}

#[test]
fn at_most_twenty_faults_are_told() {
    let mut document = referral();
    document["subjects"] = Value::Array(vec![json!({}); 20]);
    assert_eq!(Schema::Referral.check(&document).unwrap_err().len(), Fault::LIMIT);
}

#[test]
fn an_unknown_basis_passes_the_schema_because_its_refusal_is_a_decision() {
    let mut document = referral();
    document["legs"][0]["basis"]["code"] = json!("no consent needed");
    assert_eq!(Schema::Referral.check(&document), Ok(()));
}

#[test]
fn a_sealed_subscription_needs_a_public_key_and_never_takes_a_private_one() {
    let key = json!({"kty": "OKP", "crv": "X25519", "x": "hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo"});
    assert_eq!(Schema::SubscriptionAmqp.check(&json!({"mode": "doorbell"})), Ok(()));
    assert_eq!(Schema::SubscriptionAmqp.check(&json!({"mode": "sealed", "jwk": key})), Ok(()));
    let faults = Schema::SubscriptionAmqp.check(&json!({"mode": "sealed"})).unwrap_err();
    assert_eq!((faults[0].pointer.to_string().as_str(), faults[0].code), ("/jwk", "required"));
    let mut private = key;
    private["d"] = json!("private");
    let faults = Schema::SubscriptionAmqp.check(&json!({"mode": "sealed", "jwk": private})).unwrap_err();
    assert_eq!((faults[0].pointer.to_string().as_str(), faults[0].code), ("/jwk", "unknown_member"));
}

#[test]
fn times_need_seconds_and_an_offset_and_must_exist() {
    for good in [
        "2026-12-01T17:00:00+09:00",
        "2026-12-01T08:00:00Z",
        "2026-12-01T08:00:00.123456Z",
        "2024-02-29T00:00:00-03:30",
    ] {
        assert!(is_time(good), "{good}");
    }
    for bad in [
        "2026-12-01T17:00:00",
        "2026-12-01 17:00:00+09:00",
        "2026-12-01T17:00+09:00",
        "2026-02-29T00:00:00Z",
        "2026-12-01T24:00:00Z",
        "2026-12-01",
        "2026-12-01T17:00:00+9:00",
        "2026-12-01T17:00:00+0900",
        "",
        "２０２６-12-01T17:00:00Z",
    ] {
        assert!(!is_time(bad), "{bad}");
    }
}

#[test]
fn partial_dates_may_leave_out_the_day_or_the_month() {
    for good in ["2023", "2023-05", "2023-05-01", "2024-02-29"] {
        assert!(is_partial_date(good), "{good}");
    }
    for bad in [
        "",
        "23",
        "2023-",
        "2023-5",
        "2023-13",
        "2023-02-29",
        "2023/05/01",
        "+023",
        "2023-05-1",
        "二〇",
        "202３",
    ] {
        assert!(!is_partial_date(bad), "{bad}");
    }
}

#[test]
fn names_keep_variation_selectors_and_compatibility_ideographs() {
    for good in ["葛󠄀城", "\u{FA10}", "𠮷野", "José María", "क\u{94D}\u{200D}ष", "O’Brien=Śmith"]
    {
        assert!(is_name(good), "{good}");
    }
    for bad in ["a\u{200B}b", "\u{2066}x", "a\tb", "\u{F8FF}", "\u{F0000}", "a\u{85}b", "x\u{FEFF}"] {
        assert!(!is_name(bad), "{bad:?}");
    }
    assert!(is_text("一行目\n\t二行目") && !is_text("a\u{7}b") && !is_text("\u{202E}abc"));
}
