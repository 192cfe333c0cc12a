//! What is new, changed and gone between two documents of [`super::document`], field by field.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// What stands around the content and may differ from one sending to the next. Ids differ always and say nothing.
const AROUND: [&str; 6] = ["type", "urgency", "requested_action", "reply_by", "basis", "resources"];

/// What a recipient would see of a second document that it did not see of the first.
///
/// It holds values: it goes to whoever may see both documents, and has no `Debug`.
#[derive(Serialize)]
pub struct Difference {
    /// Fields that were not there, by their place in the new document.
    pub new: Vec<Field>,
    /// Fields with another value, by their place in the new document.
    pub changed: Vec<Changed>,
    /// Fields that are no longer there, by their place in the old document.
    pub gone: Vec<Field>,
}

#[derive(Serialize)]
pub struct Field {
    /// A JSON pointer (RFC 6901).
    pub pointer: String,
    pub value: Value,
}

#[derive(Serialize)]
pub struct Changed {
    pub pointer: String,
    pub before: Value,
    pub after: Value,
}

/// Compares two documents. Entries of a section are matched by whom they speak of, in their order, and not by their
/// place: a person put first does not make everybody else look changed.
pub fn difference(before: &Value, after: &Value) -> Difference {
    let (mut old, new) = (fields(before), fields(after));
    let mut found = Difference { new: Vec::new(), changed: Vec::new(), gone: Vec::new() };
    for (key, (pointer, after)) in new {
        match old.remove(&key) {
            None => found.new.push(Field { pointer, value: after.clone() }),
            Some((_, before)) if before == after => {}
            Some((_, before)) => {
                found.changed.push(Changed { pointer, before: before.clone(), after: after.clone() });
            }
        }
    }
    found.gone = old.into_values().map(|(pointer, value)| Field { pointer, value: value.clone() }).collect();
    found
}

/// What a field is known by in both documents: its section, whom it speaks of, the how-manyeth such entry, its path.
type Key = (String, Option<String>, usize, String);

fn fields(document: &Value) -> BTreeMap<Key, (String, &Value)> {
    let mut found = BTreeMap::new();
    for name in AROUND {
        if let Some(value) = document.get(name) {
            let mut add = |path: String, value| {
                found.insert(
                    (String::new(), None, 0, format!("/{name}{path}")),
                    (format!("/{name}{path}"), value),
                );
            };
            leaves(value, String::new(), &mut add);
        }
    }
    for (section, entries) in document["content"].as_object().into_iter().flatten() {
        let mut seen: BTreeMap<Option<String>, usize> = BTreeMap::new();
        for (place, entry) in entries.as_array().into_iter().flatten().enumerate() {
            let subject = entry["subject"].as_str().map(str::to_owned);
            let count = seen.entry(subject.clone()).or_default();
            let mut add = |path: String, value| {
                let pointer = format!("/content/{section}/{place}{path}");
                found.insert((section.clone(), subject.clone(), *count, path), (pointer, value));
            };
            leaves(entry, String::new(), &mut add);
            *count += 1;
        }
    }
    found
}

/// The values of a tree with their paths. A list is one value: of codes, the whole says what is meant.
fn leaves<'a>(value: &'a Value, path: String, add: &mut impl FnMut(String, &'a Value)) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                leaves(member, format!("{path}/{}", name.replace('~', "~0").replace('/', "~1")), add);
            }
        }
        _ => add(path, value),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn told(before: &Value, after: &Value) -> Value {
        serde_json::to_value(difference(before, after)).unwrap()
    }

    #[test]
    fn each_field_is_new_changed_gone_or_not_told() {
        let before = json!({
            "leg": "a", "urgency": "U1", "reply_by": "2026-12-01",
            "content": {
                "identity": [{"subject": "child-1", "name": {"family": "山", "given": "澪"}}],
                "needs": [{"codes": ["RESPITE"]}],
                "contact": [{"subject": "mother", "phone": "1"}],
            },
        });
        let after = json!({
            "leg": "b", "urgency": "U2", "requested_action": "見学",
            "content": {
                "identity": [
                    {"subject": "father", "name": {"family": "山"}},
                    {"subject": "child-1", "name": {"family": "山", "given": "零"}}
                ],
                "needs": [{"codes": ["RESPITE", "LANGUAGE"]}],
            },
        });
        let told = told(&before, &after);
        assert_eq!(
            told["new"],
            json!([
                {"pointer": "/requested_action", "value": "見学"},
                {"pointer": "/content/identity/0/name/family", "value": "山"},
                {"pointer": "/content/identity/0/subject", "value": "father"},
            ])
        );
        assert_eq!(
            told["changed"],
            json!([
                {"pointer": "/urgency", "before": "U1", "after": "U2"},
                {"pointer": "/content/identity/1/name/given", "before": "澪", "after": "零"},
                {"pointer": "/content/needs/0/codes", "before": ["RESPITE"], "after": ["RESPITE", "LANGUAGE"]},
            ])
        );
        assert_eq!(
            told["gone"],
            json!([
                {"pointer": "/reply_by", "value": "2026-12-01"},
                {"pointer": "/content/contact/0/phone", "value": "1"},
                {"pointer": "/content/contact/0/subject", "value": "mother"},
            ])
        );
    }

    fn document() -> impl Strategy<Value = Value> {
        let subject = proptest::sample::select(vec!["child-1", "mother"]);
        let entry = (subject, "[a-c]{1,2}").prop_map(|(s, text)| json!({"subject": s, "text": text}));
        (proptest::collection::vec(entry, 0..4), "[xy]").prop_map(
            |(entries, action)| json!({"requested_action": action, "content": {"narrative": entries}}),
        )
    }

    proptest! {
        #[test]
        fn equal_documents_do_not_differ_and_what_is_new_one_way_is_gone_the_other(a in document(), b in document()) {
            prop_assert_eq!(told(&a, &a), json!({"new": [], "changed": [], "gone": []}));
            let (there, back) = (told(&a, &b), told(&b, &a));
            prop_assert_eq!(&there["new"], &back["gone"]);
            prop_assert_eq!(there["changed"].as_array().unwrap().len(), back["changed"].as_array().unwrap().len());
        }

        #[test]
        fn every_pointer_leads_to_its_value(a in document(), b in document()) {
            let found = difference(&a, &b);
            for field in &found.new {
                prop_assert_eq!(b.pointer(&field.pointer), Some(&field.value));
            }
            for field in &found.gone {
                prop_assert_eq!(a.pointer(&field.pointer), Some(&field.value));
            }
            for field in &found.changed {
                prop_assert_eq!(b.pointer(&field.pointer), Some(&field.after));
            }
        }
    }
}
