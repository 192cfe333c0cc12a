//! What was sent by mistake and may have been read: an incident with the clocks of the law.
//!
//! A public body answers to 個人情報の保護に関する法律 第68条, anybody else to 第26条. Both have a first report without
//! delay (速報; the authority's guideline says three to five days) and a full one within thirty days of knowing, sixty
//! where a wrongful purpose is feared. The day of knowing counts as the first: a deadline that errs is early.

use jiff::Timestamp;

use super::{
    agency::Body,
    calendar::end_of_day,
    receipt::ReceiptLevel,
    section::{Section, Sections},
};
use crate::code_list;

code_list! {
    /// Why something is recalled.
    RecallReason, "reason of a recall" {
        WrongRecipient = "WRONG_RECIPIENT", "宛先の誤り", "wrong recipient";
        WrongChild = "WRONG_CHILD", "別の子どもの情報", "data of the wrong child";
        WrongAttachment = "WRONG_ATTACHMENT", "添付・区分の誤り", "wrong attachment or section";
        WrongfulPurpose = "WRONGFUL_PURPOSE", "不正の目的のおそれ", "a wrongful purpose is feared";
        Other = "OTHER", "その他", "other";
    }
}

code_list! {
    /// Where an incident stands.
    IncidentState, "incident state" {
        /// Recalled before anybody could read it: kept to learn from, without clocks.
        NearMiss = "near_miss", "未開封で回収", "recalled unread";
        Open = "open", "対応中", "open";
        Closed = "closed", "終結", "closed";
    }
}

code_list! {
    /// How far a copy had come when it was recalled. A later one includes the earlier.
    Exposure, "exposure" {
        Unread = "unread", "受信箱のまま（未開封）", "still in the inbox, unread";
        Taken = "taken", "相手のシステムが受信", "taken by the recipient's system";
        /// A sealed copy cannot be called back, and the hub cannot know whether it was read: it counts as disclosed.
        Published = "published", "暗号化して配信済み", "published as a sealed document";
        Opened = "opened", "開封済み", "opened by a named person";
    }
}

impl Exposure {
    /// What the receipts of a delivery and its publishing show.
    pub fn of(levels: impl Iterator<Item = ReceiptLevel>, published: bool) -> Self {
        let reached = levels.map(|level| match level {
            ReceiptLevel::R3 => Self::Opened,
            ReceiptLevel::R2 => Self::Taken,
            _ => Self::Unread,
        });
        let published = if published { Self::Published } else { Self::Unread };
        reached.fold(published, Ord::max)
    }

    /// Whether the copy is out, so that its holder has to be asked for it.
    pub const fn is_out(self) -> bool {
        !matches!(self, Self::Unread)
    }

    /// Whether the hub can sign that nobody was shown the content: it opened it to nobody and published nothing.
    pub const fn never_opened(self) -> bool {
        matches!(self, Self::Unread | Self::Taken)
    }
}

code_list! {
    /// Whether the authority is likely to be told, as far as codes can say. A person decides.
    ReportNeed, "likelihood of a report" {
        Likely = "likely", "報告が必要となる可能性が高い（1人分でも対象）", "a report is likely due, for a single person too";
        CheckText = "check_text", "自由記述に要配慮個人情報がないか確認が必要", "check whether free text holds special-care data";
        Unlikely = "unlikely", "報告対象に当たらない見込み（要確認）", "probably none is due; to be confirmed";
    }
}

/// Sections that are 要配慮個人情報 by what they are (第2条第3項, 施行令第2条): illness, disability, check-ups, and that
/// somebody was the victim of a crime.
const SPECIAL_CARE: [Section; 4] =
    [Section::Health, Section::Development, Section::Safety, Section::Notifier];
/// Sections whose free text may hold it.
const FREE_TEXT: [Section; 3] = [Section::Narrative, Section::Household, Section::Economic];

/// Whether a report is likely due (施行規則 第7条・第43条).
pub fn report_need(sections: Sections, persons: usize, body: Body, reason: RecallReason) -> ReportNeed {
    let many = match body {
        Body::Public => 100,
        Body::Private => 1000,
    };
    let has = |list: &[Section]| list.iter().any(|section| sections.contains(*section));
    if has(&SPECIAL_CARE) || reason == RecallReason::WrongfulPurpose || persons > many {
        ReportNeed::Likely
    } else if has(&FREE_TEXT) {
        ReportNeed::CheckText
    } else {
        ReportNeed::Unlikely
    }
}

/// The articles a report rests on.
pub const fn law(body: Body) -> &'static str {
    match body {
        Body::Public => "個人情報の保護に関する法律 第68条、同法施行規則 第43条～第45条",
        Body::Private => "個人情報の保護に関する法律 第26条、同法施行規則 第7条～第10条",
    }
}

/// The deadlines of the two reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clocks {
    /// 速報.
    pub preliminary: Timestamp,
    /// 確報.
    pub full: Timestamp,
}

impl Clocks {
    pub fn from_knowing(known_at: Timestamp, reason: RecallReason) -> Self {
        let days = if reason == RecallReason::WrongfulPurpose { 60 } else { 30 };
        Self { preliminary: end_of_day(known_at, 5), full: end_of_day(known_at, days) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_as_far_out_as_its_furthest_step() {
        use ReceiptLevel::{R0, R1, R2, R3};
        let cases = [
            (&[R0, R1][..], false, Exposure::Unread, true),
            (&[R0, R1, R2], false, Exposure::Taken, true),
            (&[R0, R1], true, Exposure::Published, false),
            (&[R0, R1, R2], true, Exposure::Published, false),
            (&[R0, R1, R2, R3], false, Exposure::Opened, false),
        ];
        for (levels, published, exposure, never_opened) in cases {
            let found = Exposure::of(levels.iter().copied(), published);
            assert_eq!((found, found.never_opened()), (exposure, never_opened));
            assert_eq!(found.is_out(), exposure != Exposure::Unread);
        }
    }

    #[test]
    fn special_care_data_of_one_person_are_enough() {
        let of = |section| Sections::NONE.with(section);
        let need = |section, reason| report_need(of(section), 1, Body::Public, reason);
        let mistake = RecallReason::WrongRecipient;
        for section in SPECIAL_CARE {
            assert_eq!(need(section, mistake), ReportNeed::Likely);
        }
        assert_eq!(need(Section::Narrative, mistake), ReportNeed::CheckText);
        assert_eq!(need(Section::Contact, mistake), ReportNeed::Unlikely);
        assert_eq!(need(Section::Contact, RecallReason::WrongfulPurpose), ReportNeed::Likely);
        let many = |persons, body| report_need(of(Section::Contact), persons, body, mistake);
        assert_eq!(many(101, Body::Public), ReportNeed::Likely);
        assert_eq!(
            (many(100, Body::Public), many(101, Body::Private)),
            (ReportNeed::Unlikely, ReportNeed::Unlikely)
        );
        assert_eq!(many(1001, Body::Private), ReportNeed::Likely);
    }

    #[test]
    fn the_full_report_has_thirty_days_and_sixty_where_a_wrongful_purpose_is_feared() {
        let known = "2026-11-02T18:00:00+09:00".parse().unwrap();
        let clocks = Clocks::from_knowing(known, RecallReason::WrongChild);
        assert_eq!(clocks.preliminary.to_string(), "2026-11-06T15:00:00Z");
        assert_eq!(clocks.full.to_string(), "2026-12-01T15:00:00Z");
        let wrongful = Clocks::from_knowing(known, RecallReason::WrongfulPurpose);
        assert_eq!(wrongful.full.to_string(), "2026-12-31T15:00:00Z");
    }
}
