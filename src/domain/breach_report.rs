//! The draft of a report of a leak (漏えい等報告): what the ledger knows is filled in, the rest says 「要記入」.
//!
//! It names nobody: persons by the references of the referral, staff by their ids, agencies by their public names.

use jiff::{Timestamp, tz::Offset};

use super::{
    agency::Body,
    incident::{Clocks, Exposure, RecallReason, ReportNeed, law, report_need},
    section::{Section, Sections},
};
use crate::code_list;

/// What a person has to fill in.
pub const BLANK: &str = "【要記入】";

code_list! {
    /// The parts of the draft, in its order: those of 施行規則 第8条・第44条, and what the authority asks beside them.
    ReportItem, "item of a report" {
        Summary = "summary", "概要", "summary";
        Data = "data", "漏えい等が発生し、又は発生したおそれがある個人データの項目", "data concerned";
        Persons = "persons", "本人の数", "number of persons";
        Cause = "cause", "原因", "cause";
        Opened = "opened", "開封・閲覧の状況", "when it was opened and by whom";
        Encryption = "encryption", "暗号化などの措置", "encryption";
        SecondaryHarm = "secondary_harm", "二次被害又はそのおそれの有無及びその内容", "secondary harm";
        Response = "response", "本人への対応の実施状況", "what was done for the persons";
        Publication = "publication", "公表の実施状況", "publication";
        Prevention = "prevention", "再発防止のための措置", "prevention";
        Other = "other", "その他参考となる事項", "other";
    }
}

/// Somebody, or a system, who had the copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    pub at: Timestamp,
    pub how: Exposure,
    /// The id of the member of staff, where a person is named.
    pub staff: Option<String>,
}

/// What the ledger knows of a recall.
#[derive(Clone, Debug)]
pub struct Known<'a> {
    pub reference: &'a str,
    pub sender: &'a str,
    pub recipient: &'a str,
    pub body: Body,
    pub reason: RecallReason,
    pub sent_at: Timestamp,
    pub known_at: Timestamp,
    pub sections: Sections,
    /// The references of the persons the referral speaks of.
    pub persons: &'a [String],
    pub reached: &'a [Reached],
    /// Where the request to the holder stands, in words.
    pub holder: &'a str,
    pub note: Option<&'a str>,
}

impl Known<'_> {
    pub fn need(&self) -> ReportNeed {
        report_need(self.sections, self.persons.len(), self.body, self.reason)
    }

    /// The draft, part by part.
    pub fn draft(&self) -> Vec<(ReportItem, Vec<String>)> {
        ReportItem::ALL.iter().map(|item| (*item, self.lines(*item))).collect()
    }

    fn lines(&self, item: ReportItem) -> Vec<String> {
        match item {
            ReportItem::Summary => self.summary(),
            ReportItem::Data => {
                let labels: Vec<&str> = self.sections.iter().map(Section::label_ja).collect();
                vec![labels.join("、"), self.need().label_ja().to_owned()]
            }
            ReportItem::Persons => {
                vec![format!("{}人（紹介の中の符号：{}）", self.persons.len(), self.persons.join("、"))]
            }
            ReportItem::Cause => {
                let mut lines = vec![self.reason.label_ja().to_owned()];
                lines.extend(self.note.map(|note| format!("送信した機関の記録：{note}")));
                lines.push(format!("背景・経緯：{BLANK}"));
                lines
            }
            ReportItem::Opened => self.opened(),
            ReportItem::Encryption => self.encryption(),
            ReportItem::SecondaryHarm => vec![format!("有無と内容：{BLANK}"), self.holder.to_owned()],
            ReportItem::Response => vec![format!("本人・保護者への通知：{BLANK}")],
            ReportItem::Publication => vec![format!("公表の有無と方法：{BLANK}")],
            ReportItem::Prevention => vec![BLANK.to_owned()],
            ReportItem::Other => vec![
                format!("受付番号：{}", self.reference),
                "根拠となる記録：受領証（電子署名つき）を添付できます。".to_owned(),
            ],
        }
    }

    fn summary(&self) -> Vec<String> {
        let minutes = self.known_at.duration_since(self.sent_at).as_secs() / 60;
        vec![
            format!("{}が{}に送った紹介・連絡を、誤送信として回収しました。", self.sender, self.recipient),
            format!(
                "送信 {}、判明・回収 {}（送信の{minutes}分後）",
                in_japan(self.sent_at),
                in_japan(self.known_at)
            ),
        ]
    }

    fn opened(&self) -> Vec<String> {
        if self.reached.is_empty() {
            return vec!["開封の記録も、配信の記録もありません。".to_owned()];
        }
        let mut lines: Vec<String> = self.reached.iter().map(reached_line).collect();
        if !self.reached.iter().any(|one| one.how == Exposure::Opened) {
            lines.push("職員が開封した記録はありません。".to_owned());
        }
        lines
    }

    fn encryption(&self) -> Vec<String> {
        let had = |how| self.reached.iter().any(|one| one.how == how);
        let mut lines = vec!["通信とハブの中の保管は暗号化しています。".to_owned()];
        if had(Exposure::Published) {
            let text = "宛先機関の鍵で暗号化した文書を配信しました。宛先機関は復号できます。";
            lines.push(text.to_owned());
        }
        if had(Exposure::Opened) {
            lines.push("開封した職員には、復号した内容を表示しました。".to_owned());
        }
        lines
    }

    /// The whole draft as a text to print and complete.
    pub fn text(&self) -> String {
        let clocks = Clocks::from_knowing(self.known_at, self.reason);
        let mut text = String::from("漏えい等報告書（下書き）\n");
        for line in [
            format!("根拠：{}", law(self.body)),
            format!("速報の期限の目安：{}まで", in_japan(clocks.preliminary)),
            format!("確報の期限：{}まで", in_japan(clocks.full)),
            format!("報告の見込み：{}", self.need().label_ja()),
            "この下書きは記録から作りました。【要記入】は担当者が書き、全体を確かめてから提出してください。"
                .to_owned(),
        ] {
            text.push_str(&line);
            text.push('\n');
        }
        for (place, (item, lines)) in self.draft().into_iter().enumerate() {
            text.push_str(&format!("\n{}. {}\n", place + 1, item.label_ja()));
            for line in lines {
                text.push_str(&format!("　{line}\n"));
            }
        }
        text
    }
}

fn reached_line(one: &Reached) -> String {
    let who = one.staff.as_ref().map_or_else(String::new, |staff| format!("（職員 {staff}）"));
    format!("{} {}{who}", in_japan(one.at), one.how.label_ja())
}

/// A moment as people in Japan read it.
pub fn in_japan(at: Timestamp) -> String {
    let local = Offset::constant(9).to_datetime(at);
    format!(
        "{}年{}月{}日 {:02}:{:02}",
        local.year(),
        local.month(),
        local.day(),
        local.hour(),
        local.minute()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_filled_in_and_the_rest_is_left_to_a_person() {
        let at = |text: &str| text.parse().unwrap();
        let opened = Reached {
            at: at("2026-11-02T09:03:00+09:00"),
            how: Exposure::Opened,
            staff: Some("0190e0c4-0000-7000-8000-000000000001".into()),
        };
        let known = Known {
            reference: "7K3M-Q9XD",
            sender: "港北区役所",
            recipient: "K保育園",
            body: Body::Public,
            reason: RecallReason::WrongRecipient,
            sent_at: at("2026-11-02T09:00:00+09:00"),
            known_at: at("2026-11-02T09:06:00+09:00"),
            sections: Sections::NONE.with(Section::Identity).with(Section::Health),
            persons: &["child-1".into()],
            reached: std::slice::from_ref(&opened),
            holder: "宛先機関の確認：確認待ち",
            note: None,
        };
        let text = known.text();
        for said in [
            "第68条",
            "2026年11月7日 00:00まで",
            "2026年12月2日 00:00まで",
            "送信の6分後",
            "氏名・生年月日等、健康・医療",
            "1人（紹介の中の符号：child-1）",
            "2026年11月2日 09:03 開封済み（職員 0190e0c4",
            "可能性が高い",
        ] {
            assert!(text.contains(said), "{said} in {text}");
        }
        assert_eq!(known.draft().len(), 11);
        let blank = |item| known.lines(item).iter().any(|line| line.contains(BLANK));
        for (item, is_blank) in [
            (ReportItem::Summary, false),
            (ReportItem::Persons, false),
            (ReportItem::Cause, true),
            (ReportItem::Opened, false),
            (ReportItem::SecondaryHarm, true),
            (ReportItem::Response, true),
            (ReportItem::Publication, true),
            (ReportItem::Prevention, true),
        ] {
            assert_eq!(blank(item), is_blank, "{item}");
        }
    }
}
