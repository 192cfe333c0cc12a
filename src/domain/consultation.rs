//! The consultation record (相談記録): a nameless half-minute note of one talk.

use serde::{Deserialize, Serialize};

use super::referral::Need;
use crate::code_list;

code_list! {
    /// By which way somebody came or was reached (相談方法).
    Channel, "channel" {
        OfficeVisit = "OFFICE_VISIT", "来所", "a visit to the office";
        Phone = "PHONE", "電話", "telephone";
        Email = "EMAIL", "メール", "e-mail";
        Outreach = "OUTREACH", "出張", "an outreach place";
        HomeVisit = "HOME_VISIT", "訪問", "a home visit";
        Chat = "CHAT", "LINE等", "LINE or another chat";
        Fax = "FAX", "FAX", "fax";
        Letter = "LETTER", "文書", "a letter or another paper";
        Electronic = "ELECTRONIC", "電子", "an electronic application";
    }
}

code_list! {
    /// What came of a talk.
    ConsultationResult, "result of a consultation" {
        Information = "INFORMATION", "情報提供", "information was given";
        Advice = "ADVICE", "助言", "advice was given";
        Referred = "REFERRED", "紹介", "referred";
        SelfContact = "SELF_CONTACT", "本人連絡", "the family makes contact itself";
        Continues = "CONTINUES", "継続", "to be continued";
        Case = "CASE", "ケース化", "becomes a case";
        OtherAgency = "OTHER_AGENCY", "他機関案内", "pointed to another agency";
        Other = "OTHER", "その他", "other";
    }
}

/// What was noted of a talk. Nobody is named by any of its members; it has no `Debug`, for the note is free text.
#[derive(Clone, Serialize, Deserialize)]
pub struct Consultation {
    pub channel: Channel,
    /// Where, such as the name of an outreach place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    #[serde(default)]
    pub needs: Vec<Need>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<ConsultationResult>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}
