//! For what somebody looks at content. It is named when looking and stands in the audit for ever.

use super::{
    code_list::UnknownCode,
    fault::{Part, Text},
    problem::Problem,
};
use crate::code_list;

code_list! {
    /// For what content is looked at.
    AccessPurpose, "purpose of an access" {
        /// Nothing else was named: what the leg was sent for, or the record was made for.
        AsSent = "as_sent", "送付・記録の目的どおり", "what it was sent or recorded for";
        OwnTask = "own_task", "自分の担当業務", "own task";
        Support = "support", "支援の実施", "giving support";
        SafetyCheck = "safety_check", "安全確認", "a safety check";
        Answer = "answer", "返書・回答の作成", "answering";
        Supervision = "supervision", "管理・監督", "supervision";
        Audit = "audit", "監査・点検", "audit";
        Complaint = "complaint", "苦情への対応", "handling a complaint";
        DisclosureRequest = "disclosure_request", "開示請求への対応", "answering a request for disclosure";
        /// Written by the hub alone, where the glass was broken.
        BreakGlass = "break_glass", "緊急閲覧", "break-glass";
    }
}

impl AccessPurpose {
    /// The purpose that the header `Tsunagu-Purpose` names; without one, what the thing was sent for.
    ///
    /// # Errors
    /// Not a code that can be named. Break-glass cannot: it is a state with an expiry and no word in a header.
    pub fn named(text: Option<&str>) -> Result<Self, Problem> {
        let Some(text) = text else { return Ok(Self::AsSent) };
        match text.parse() {
            Ok(Self::BreakGlass) => Err(UnknownCode { list: "purpose of an access" }),
            read => read,
        }
        .map_err(|unknown| Problem::from(unknown).mend(advice()))
    }

    /// Whether a caller may name it.
    fn nameable(self) -> bool {
        self != Self::BreakGlass
    }
}

fn advice() -> Text {
    let codes = AccessPurpose::ALL.iter().filter(|one| one.nameable()).map(|one| one.code()).collect();
    Text::new(
        "Tsunagu-Purpose ヘッダーには、次のどれかを書いてください。書かなければ、送付・記録の目的どおりとみなします: {}",
        "Put one of these into the header Tsunagu-Purpose, or leave it out to look for what it was sent for: {}",
    )
    .put(Part::Words(codes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::problem::ProblemKind;

    #[test]
    fn every_purpose_but_break_glass_can_be_named() {
        assert_eq!(AccessPurpose::named(None).unwrap(), AccessPurpose::AsSent);
        for purpose in AccessPurpose::ALL {
            let read = AccessPurpose::named(Some(purpose.code()));
            assert_eq!(read.is_ok(), *purpose != AccessPurpose::BreakGlass, "{purpose}");
        }
        for bad in ["", "OWN_TASK", "own_task, audit", "山辺"] {
            let refused = AccessPurpose::named(Some(bad)).unwrap_err();
            assert_eq!(refused.kind, ProblemKind::UnknownCode, "{bad}");
            let told = refused.mend.unwrap();
            assert!(told.ja().contains("own_task") && !told.ja().contains("break_glass"), "{}", told.ja());
        }
    }
}
