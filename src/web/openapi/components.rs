//! What the operations of the description refer to: schemas, parameters, headers, ways to sign in.

use serde_json::{Map, Value, json};

use crate::usecases::schema::Schema;

/// Where a schema stands in this document.
pub(super) fn place(schema: Schema) -> String {
    format!("#/components/schemas/{}", schema.name())
}

/// Every schema, its references led to their place in this document.
pub(super) fn schemas() -> Value {
    let schemas = Schema::ALL.iter().map(|schema| {
        let mut document = schema.document().clone();
        if let Some(members) = document.as_object_mut() {
            // With an `$id` of its own, references would lead out of this document.
            members.remove("$id");
            members.remove("$schema");
        }
        lead_references(&mut document, *schema);
        (schema.name().to_owned(), document)
    });
    Value::Object(schemas.collect())
}

/// `common.json#/$defs/uuid` → `#/components/schemas/common/$defs/uuid`; `#/…` stays in its own schema.
fn lead_references(value: &mut Value, home: Schema) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(reference) if name == "$ref" => {
                        let (file, rest) = reference.split_once('#').unwrap_or((reference, ""));
                        let file = file.strip_suffix(".json").unwrap_or(file);
                        let file = if file.is_empty() { home.name() } else { file };
                        *reference = format!("#/components/schemas/{file}{rest}");
                    }
                    _ => lead_references(member, home),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| lead_references(item, home)),
        _ => {}
    }
}

/// Every parameter of the API: its place, its name, what it says, its schema.
pub(super) fn parameters() -> Value {
    let common = |name: &str| json!({ "$ref": format!("#/components/schemas/common/$defs/{name}") });
    let word = || json!({ "type": "string", "minLength": 1, "maxLength": 64 });
    let number = |least: u32, most: u32| json!({ "type": "integer", "minimum": least, "maximum": most });
    let rows = [
        ("path", "id", "ハブが返したID", "the id as the hub gave it", common("uuid")),
        ("path", "action", "操作", "the action", common("leg_action")),
        ("path", "level", "受領証の段階（R0～R4、closed）", "the receipt's level: R0 to R4, closed", word()),
        ("path", "subject", "送達または宛先のID", "the id of the delivery or the leg", common("uuid")),
        ("path", "agency", "機関のID", "the id of an agency", common("uuid")),
        ("path", "entry", "登録簿の項番", "the id of a register entry", common("uuid")),
        ("query", "version", "受領証が示す版", "a version that a receipt cites", common("version")),
        ("query", "after", "続き: 前のページの next", "the next page: `next` of the page before", word()),
        ("query", "before", "続き: 前のページの next", "the next page: `next` of the page before", word()),
        ("query", "staff", "職員のID", "the id of a member of staff", common("uuid")),
        ("query", "subject", "記録のID", "the id of a record", word()),
        ("query", "day", "日付", "a day", common("date")),
        ("query", "limit", "1ページの件数", "how many to a page", number(1, 200)),
        ("query", "kind", "種別のコード", "a code of the kind", word()),
        ("query", "type", "紹介・連絡の種別", "what kind of message", common("referral_type")),
        ("query", "leg_state", "宛先の状態", "the state of a leg", common("leg_state")),
        ("query", "state", "状態のコード", "a code of the state", word()),
        ("query", "side", "差出側か宛先側か", "whether your agency sent or received", word()),
        (
            "query",
            "ward",
            "全国地方公共団体コード（5桁か6桁）",
            "a municipality code of 5 or 6 digits",
            word(),
        ),
        ("query", "case", "相談ケースのID", "the id of a case", common("uuid")),
        ("query", "referral", "紹介・連絡のID", "the id of a referral", common("uuid")),
        (
            "query",
            "viewer",
            "目の前にいる人の符号",
            "the handle of the person who sits there",
            common("subject_ref"),
        ),
        (
            "query",
            "take_home",
            "秘匿している家族が、紙を持ち帰っても安全か",
            "whether a protected family may take the paper home",
            common("take_home"),
        ),
        (
            "query",
            "places",
            "場所のわかる名前を載せるか",
            "whether names that tell of a place stand on it",
            common("places"),
        ),
        ("query", "staff", "担当・副担当の職員のID", "who is responsible, or the deputy", common("uuid")),
        ("query", "from", "最初の日", "the first day", common("date")),
        ("query", "to", "最後の日", "the last day", common("date")),
        ("query", "format", "json か csv", "json or csv", word()),
        (
            "query",
            "lang",
            "印刷物の言語（ja、easy、en）",
            "the language of what is printed: ja, easy, en",
            word(),
        ),
        ("query", "age", "歳児クラス", "the age class", number(0, 5)),
    ];
    let mut parameters = Map::new();
    for (place, name, ja, en, schema) in rows {
        let parameter = json!({ "name": name, "in": place, "required": place == "path",
            "description": format!("{ja} / {en}"), "schema": schema });
        parameters.insert(format!("{place}-{name}"), parameter);
    }
    let key = json!({ "type": "string", "pattern": "^[A-Za-z0-9._-]{1,128}$" });
    let version = json!({ "type": "string", "pattern": "^\"[0-9]+\"$" });
    let staff = "操作する職員のID / the id of the member of staff who acts";
    let headers = [
        (
            "idempotency-key",
            "Idempotency-Key",
            true,
            "この依頼のキー。再送では同じ値 / a key of this request; the same when it is repeated",
            key,
        ),
        (
            "prefer",
            "Prefer",
            false,
            "行わずに結果だけを知る。Idempotency-Key は要らない / asks what would happen; nothing is done, and no Idempotency-Key is needed",
            json!({ "type": "string", "enum": ["dry-run"] }),
        ),
        ("if-match", "If-Match", true, "読んだ版の ETag / the ETag of the version that was read", version),
        (
            "tsunagu-purpose",
            "Tsunagu-Purpose",
            false,
            "見る目的。なければ、送付・記録の目的どおり。break_glass は書けない / for what it is looked at; without it, what it was sent or recorded for; break_glass cannot be named",
            common("access_purpose"),
        ),
        ("tsunagu-staff", "Tsunagu-Staff", true, staff, common("uuid")),
        ("tsunagu-staff-if-known", "Tsunagu-Staff", false, staff, common("uuid")),
    ];
    for (component, name, required, description, schema) in headers {
        let parameter = json!({ "name": name, "in": "header", "required": required,
            "description": description, "schema": schema });
        parameters.insert(component.to_owned(), parameter);
    }
    Value::Object(parameters)
}

pub(super) fn request_id() -> Value {
    json!({ "description": "問い合わせのときに伝える番号 / the number to tell the operator when something is wrong",
        "schema": { "type": "string", "format": "uuid" } })
}

pub(super) fn preference_applied() -> Value {
    json!({ "description": "dry-run なら、何も行われていない / dry-run: nothing was done",
        "schema": { "type": "string", "const": "dry-run" } })
}

pub(super) fn security_schemes() -> Value {
    json!({
        "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
            "description": "POST /v1/token で得たアクセストークン / the access token from POST /v1/token" },
        "client": { "type": "http", "scheme": "basic",
            "description": "機関のIDとシークレット / the agency's id and its secret" },
    })
}
