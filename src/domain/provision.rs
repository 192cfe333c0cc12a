//! Records of provision to third parties (提供記録, 確認・記録): when the law wants one, and how long it is kept.

use jiff::{ToSpan, civil::Date};

use super::agency::{Body, Party};
use crate::code_list;

code_list! {
    /// Which of the two records a private business keeps of one disclosure.
    ProvisionSide, "side of a provision" {
        /// 個人情報の保護に関する法律 第29条.
        Provided = "provided", "提供した", "provided";
        /// 個人情報の保護に関する法律 第30条.
        Received = "received", "提供を受けた", "received";
    }
}

code_list! {
    /// How the records leave.
    RecordFormat, "format of the records" {
        Json = "json", "JSON", "JSON";
        Csv = "csv", "CSV（表計算ソフト用）", "CSV, for a spreadsheet";
    }
}

impl ProvisionSide {
    /// The articles that ask for the record.
    pub const fn law(self) -> &'static str {
        match self {
            Self::Provided => {
                "個人情報の保護に関する法律 第29条、個人情報の保護に関する法律施行規則 第19条・第20条・第21条"
            }
            Self::Received => {
                "個人情報の保護に関する法律 第30条、個人情報の保護に関する法律施行規則 第24条・第25条"
            }
        }
    }
}

/// Whether a disclosure under a consent has to be recorded by both sides: from one private business to another
/// (個人情報の保護に関する法律 第29条1項・第30条1項). Public bodies are no third parties there (第16条2項). A
/// contractor of a municipality passes on what is the municipality's (第66条2項).
pub fn needs_record(sender: Party<'_>, recipient: Party<'_>) -> bool {
    let private = |party: Party<'_>| party.body == Body::Private && party.contractor_of.is_none();
    private(sender) && private(recipient)
}

/// The last day the record is kept: three years from its making (施行規則 第21条3号・第25条3号).
pub fn keep_until(made: Date) -> Date {
    made.checked_add(3.years()).unwrap_or(Date::MAX)
}

/// A cell that a spreadsheet takes as text, whatever it begins with: a formula in a name would run on the desk of
/// whoever opens the file.
pub fn cell(text: &str) -> String {
    let begins = text.trim_start().chars().next();
    let formula = begins.is_some_and(|c| matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠'));
    if formula || text.starts_with(['\t', '\r', '\n']) { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use uuid::Uuid;

    use super::*;
    use crate::domain::{agency::AgencyKind, ids::AgencyId};

    fn party(kind: AgencyKind, contractor_of: Option<&str>) -> Party<'_> {
        let body = kind.body().unwrap_or(Body::Private);
        Party { id: AgencyId::new(Uuid::nil()), kind, body, municipality: "141011", contractor_of }
    }

    /// DC-036 and DC-037 of the decision cases, and what else there is.
    #[test]
    fn one_private_business_to_another() {
        let nursery = party(AgencyKind::Nursery, None);
        let centre = party(AgencyKind::FamilyCentre, None);
        let site = party(AgencyKind::Kyoten, Some("141011"));
        assert!(needs_record(nursery, party(AgencyKind::Medical, None)));
        assert!(!needs_record(nursery, centre), "a public recipient");
        assert!(!needs_record(centre, nursery), "a public sender");
        assert!(!needs_record(site, nursery), "a contractor with the municipality's data");
        let public_nursery = Party { body: Body::Public, ..nursery };
        assert!(!needs_record(public_nursery, nursery));
    }

    #[test]
    fn a_record_is_kept_for_three_years() {
        assert_eq!(keep_until(date(2026, 10, 15)), date(2029, 10, 15));
        assert_eq!(keep_until(date(2028, 2, 29)), date(2031, 2, 28));
    }

    #[test]
    fn no_cell_is_a_formula() {
        for text in ["=1+1", "+81", "-1", "@x", " =1", "\t=1", "＝1", "\r=1"] {
            assert!(cell(text).starts_with('\''), "{text:?}");
        }
        for text in ["山辺 澪", "", "2026-10-15", "a=b"] {
            assert_eq!(cell(text), text);
        }
    }
}
