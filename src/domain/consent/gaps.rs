//! What a new consent must say although one of earlier days reads without it.

use serde_json::Value;

use super::{Capacity, ConsentMethod, ConsentRecord, LineDecision, age::age_rule_on};
use crate::domain::{basis_state::ConsentState, field_error::FieldError};

impl ConsentRecord {
    /// What a new record must say although one of earlier days reads without it; a decision takes such a gap as
    /// the worst there could be.
    pub fn gaps(&self, value: &Value) -> Vec<FieldError> {
        let mut gaps = self.gaps_in_lines();
        let witnessed = value["witness"].is_string() || value["one_person_site"] == true;
        if self.method == ConsentMethod::Oral && !witnessed {
            gaps.push(FieldError::new(
                "/witness",
                "witness_missing",
                "口頭の同意では立会人を書いてください。職員が一人の拠点では one_person_site を true にしてください。",
                "Name the witness of an oral consent; at a site with one member of staff, record one_person_site: true.",
            ));
        }
        let evidence = value["evidence"].as_array().is_some_and(|list| !list.is_empty());
        if self.method == ConsentMethod::Paper && !evidence {
            gaps.push(FieldError::new(
                "/evidence",
                "evidence_missing",
                "書面の同意では、署名された書面の SHA-256 を evidence に記録してください。",
                "Record the SHA-256 of the signed paper in evidence.",
            ));
        }
        gaps
    }

    fn gaps_in_lines(&self) -> Vec<FieldError> {
        let mut gaps = Vec::new();
        for person in &self.subjects {
            let Some(line) = self.line(&person.reference) else { continue };
            if self.state != ConsentState::Active || line.decision != LineDecision::Given {
                continue;
            }
            let ages = self.ages_on(person, self.first_day);
            let rule = age_rule_on(self.first_day);
            let oneself = line.giver.as_ref() == Some(&person.reference);
            let parent = line.capacity == Capacity::Parent && !oneself;
            if parent && line.custody.is_none() && ages.surely_under(rule.own_consent_from) {
                gaps.push(FieldError::new(
                    "/custody",
                    "custody_missing",
                    "親権者の同意では、親権の区分（単独・共同）を確かめて記録してください。",
                    "Where a parent consents for a child, record who holds custody.",
                ));
            }
            if oneself && line.guardian.is_none() && !ages.surely_reached(rule.adult_from) {
                gaps.push(FieldError::new(
                    "/lines",
                    "guardian_told_missing",
                    "未成年の本人の同意では、lines の guardian に、保護者に知らせたか、安全のため知らせないかを記録してください。",
                    "Where a minor consents alone, record in lines, member guardian, whether the guardian was told.",
                ));
            }
        }
        gaps.dedup();
        gaps
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        super::reading::tests::{body, codes, parse},
        *,
    };

    #[test]
    fn a_new_record_has_no_gaps() {
        let gaps = |body: &Value| codes(parse(body).unwrap().gaps(body));
        let remove = |member: &str| {
            let mut body = body();
            body.as_object_mut().unwrap().remove(member);
            body
        };
        assert_eq!(gaps(&body()), []);
        assert_eq!(gaps(&remove("custody")), [("/custody".to_owned(), "custody_missing")]);
        assert_eq!(gaps(&remove("witness")), [("/witness".to_owned(), "witness_missing")]);
        let mut alone = remove("witness");
        alone["one_person_site"] = json!(true);
        assert_eq!(gaps(&alone), []);
        let mut paper = remove("witness");
        paper["method"] = json!("paper");
        assert_eq!(gaps(&paper), [("/evidence".to_owned(), "evidence_missing")]);
        let mut refused = remove("custody");
        refused["decision"] = json!("refused");
        assert_eq!(gaps(&refused), []);
        let mut minor = body();
        minor["subjects"] = json!([{"ref": "girl", "role": "pregnant", "birth_date": "2009-03-10"}]);
        minor["giver"] = json!({"subject": "girl", "capacity": "SELF", "for": ["girl"]});
        assert_eq!(gaps(&minor), [("/lines".to_owned(), "guardian_told_missing")]);
        minor["lines"] = json!([{"subject": "girl", "guardian": {"told": "unsafe", "reason": "秘密"}}]);
        assert_eq!(gaps(&minor), []);
    }
}
