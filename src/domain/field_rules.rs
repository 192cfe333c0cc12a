//! What single fields of a content must be, beyond their schema: names that can be stored and read back,
//! municipality codes whose check digit is right, dates that can be.

use serde_json::Value;

use super::{
    field_error::FieldError, municipality::MunicipalityCode, partial_date::PartialDate, person_name::NameText,
};

/// Checks the fields of `content`, the member of a referral that has passed its schema.
///
/// Returns every fault with its pointer; the values found are not repeated.
pub fn faults(content: &Value) -> Vec<FieldError> {
    let mut faults = Vec::new();
    for (section, entries) in content.as_object().into_iter().flatten() {
        for (index, entry) in entries.as_array().into_iter().flatten().enumerate() {
            let at = format!("/content/{section}/{index}");
            name_faults(&entry["name"], &format!("{at}/name"), &mut faults);
            let (code, date) = (entry["municipality"].as_str(), entry["birth_date"].as_str());
            if code.is_some_and(|code| MunicipalityCode::parse(code).is_err()) {
                faults.push(FieldError::new(
                    format!("{at}/municipality"),
                    "municipality_code",
                    "全国地方公共団体コードの検査数字が合いません。6桁（または5桁）のコードを確かめてください。",
                    "The municipality code does not check; give its five or six digits as published.",
                ));
            }
            if date.is_some_and(|date| PartialDate::parse(date).is_err()) {
                faults.push(FieldError::new(
                    format!("{at}/birth_date"),
                    "impossible_date",
                    "暦にない日付です。わかるところまで（年、年月、年月日）を書いてください。",
                    "There is no such day; write as much of the date as is known.",
                ));
            }
        }
    }
    faults
}

/// Checks the parts of one person's name, whose pointer is `at`.
pub fn name_faults(name: &Value, at: &str, faults: &mut Vec<FieldError>) {
    for (part, text) in name.as_object().into_iter().flatten() {
        if text.as_str().is_some_and(|text| NameText::parse(text).is_err()) {
            faults.push(FieldError::new(
                format!("{at}/{part}"),
                "name",
                "氏名に使えない文字（制御文字、私用領域の外字、見えない文字など）があるか、長すぎます。",
                "The name holds characters that cannot be used (control, private-use or invisible ones), or is too long.",
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_wrong_check_digit_an_impossible_day_and_an_unstorable_name_are_each_named() {
        let content = json!({
            "identity": [{"subject": "child-1", "name": {"family": "辻\u{e0101}", "given": "\u{202e}x"}, "birth_date": "2023-02-30"}],
            "address": [{"municipality": "141012"}, {"municipality": "141011"}, {"municipality": "14101"}],
        });
        let faults = faults(&content);
        let found: Vec<_> = faults.iter().map(|f| (f.pointer.as_str(), f.code)).collect();
        assert_eq!(
            found,
            [
                ("/content/address/0/municipality", "municipality_code"),
                ("/content/identity/0/name/given", "name"),
                ("/content/identity/0/birth_date", "impossible_date"),
            ]
        );
    }
}
