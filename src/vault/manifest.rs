//! The manifest of a leg: a salted digest of every field that was sent, and the salts beside it.
//!
//! Whoever has the document and the salts can show, field by field, that it is what was sent. Whoever
//! has only the manifest learns the names of the fields, and nothing of their values.

use serde::Serialize;
use serde_json::Value;
use zeroize::Zeroizing;

use super::{VaultError, seal::DataKey, sha256};
use crate::domain::{
    chain::{Hash, field_preimage},
    ids::LegId,
    receipt::{FieldDigest, Manifest},
};

/// The salt of one field, handed to those who may read the document.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Disclosure {
    pub path: String,
    /// 32 hexadecimal digits.
    pub salt: String,
}

/// Lists the leaf fields of a masked document's `content` with their digests and salts, sorted by path.
pub fn manifest(
    key: &DataKey,
    leg: LegId,
    content_version: u32,
    content: &Value,
) -> Result<(Manifest, Vec<Disclosure>), VaultError> {
    let mut leaves = Vec::with_capacity(32);
    collect(content, &mut String::with_capacity(64), &mut leaves);
    leaves.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    let mut fields = Vec::with_capacity(leaves.len());
    let mut disclosures = Vec::with_capacity(leaves.len());
    for (path, value) in leaves {
        let salt = key.salt(leg, &path)?;
        fields.push(FieldDigest { d: field_digest(&salt, &path, value)?, path: path.clone() });
        disclosures.push(Disclosure { path, salt: format!("{:032x}", u128::from_be_bytes(salt)) });
    }
    Ok((Manifest { v: 1, leg, content_version, fields }, disclosures))
}

/// The digest of one leaf value. A reader uses it to check a document against its manifest.
pub fn field_digest(salt: &[u8; 16], path: &str, value: &Value) -> Result<Hash, VaultError> {
    // JCS writes numbers as IEEE doubles: a whole number beyond 2^53 would be silently rounded.
    const LIMIT: u64 = 1 << 53;
    if value.as_i64().is_some_and(|n| n.unsigned_abs() > LIMIT) || value.as_u64().is_some_and(|n| n > LIMIT) {
        return Err(VaultError::BigNumber);
    }
    let value = serde_json_canonicalizer::to_vec(value).map_err(|_| VaultError::BigNumber)?;
    let value = Zeroizing::new(value);
    Ok(sha256(&Zeroizing::new(field_preimage(salt, path, &value))))
}

/// Walks to the leaves: texts, numbers, booleans and nulls. Empty objects and arrays have no leaf.
fn collect<'a>(value: &'a Value, path: &mut String, leaves: &mut Vec<(String, &'a Value)>) {
    let here = path.len();
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                path.push('/');
                push_escaped(path, name);
                collect(member, path, leaves);
                path.truncate(here);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push('/');
                path.push_str(&index.to_string());
                collect(item, path, leaves);
                path.truncate(here);
            }
        }
        leaf => leaves.push((path.clone(), leaf)),
    }
}

/// RFC 6901 §3: `~` becomes `~0` and `/` becomes `~1`.
fn push_escaped(path: &mut String, name: &str) {
    for letter in name.chars() {
        match letter {
            '~' => path.push_str("~0"),
            '/' => path.push_str("~1"),
            other => path.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::domain::ids::DataKeyId;

    const LEG: LegId = LegId::new(Uuid::from_u128(8));

    fn key() -> DataKey {
        DataKey::new(Uuid::nil(), DataKeyId::new(Uuid::nil()), Zeroizing::new([7; 32]))
    }

    #[test]
    fn every_leaf_has_one_sorted_pointer_that_finds_it() {
        let content = json!({"needs": [{"codes": ["A", "B"], "text": "x"}], "a/b": {"m~n": null, "": true},
            "identity": [], "n": 3});
        let (manifest, disclosures) = manifest(&key(), LEG, 1, &content).unwrap();
        let paths: Vec<_> = manifest.fields.iter().map(|field| field.path.as_str()).collect();
        assert_eq!(
            paths,
            ["/a~1b/", "/a~1b/m~0n", "/n", "/needs/0/codes/0", "/needs/0/codes/1", "/needs/0/text"]
        );
        for (field, disclosure) in manifest.fields.iter().zip(&disclosures) {
            assert_eq!(field.path, disclosure.path);
            let salt = u128::from_str_radix(&disclosure.salt, 16).unwrap().to_be_bytes();
            let value = content.pointer(&field.path).unwrap();
            assert_eq!(field_digest(&salt, &field.path, value).unwrap(), field.d);
        }
    }

    #[test]
    fn equal_values_have_unequal_digests() {
        let (manifest, _) = manifest(&key(), LEG, 1, &json!({"a": "x", "b": "x"})).unwrap();
        assert_ne!(manifest.fields[0].d, manifest.fields[1].d);
    }

    #[test]
    fn a_number_that_would_be_rounded_is_refused() {
        let big = json!({"n": 9_007_199_254_740_993_u64});
        assert!(matches!(manifest(&key(), LEG, 1, &big), Err(VaultError::BigNumber)));
        assert!(manifest(&key(), LEG, 1, &json!({"n": -9_007_199_254_740_992_i64})).is_ok());
    }
}
