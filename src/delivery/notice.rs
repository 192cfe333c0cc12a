//! What a mail says: that something is waiting, and where. Never what, of whom, or from whom.
//!
//! A mail passes through machines that nobody here knows, and lies in shared mailboxes. So it
//! carries a count, the hub's address and a reference, and is of use with its links taken out.

use std::num::NonZeroU32;

use jiff::Timestamp;
use uuid::Uuid;

use crate::domain::language::Language;

/// One mail to one address.
#[derive(Clone, PartialEq, Eq)]
pub struct Notice {
    /// The mail address of the desk, without a name. Never printed.
    pub to: String,
    pub kind: NoticeKind,
    pub language: Language,
    /// What to type or read out to find it, as [`DeliveryId::reference`] writes it. Only where the
    /// notice is about one delivery.
    ///
    /// [`DeliveryId::reference`]: crate::domain::ids::DeliveryId::reference
    pub reference: Option<String>,
    /// Where to look: the address of the hub, the same for everybody, short enough to type.
    pub hub_address: String,
    /// The id of the job. It stays the same when the mail is tried again, so that a mail sent twice
    /// can be shown once.
    pub message_id: Uuid,
    /// The `Date` of the mail.
    pub at: Timestamp,
}

/// What the mail is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    /// So many things wait to be looked at.
    Waiting { count: NonZeroU32 },
    /// A duty desk has to act now. The mail stands beside the telephone, never for it.
    Urgent,
}

/// Why a notice was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadNotice {
    #[error("the hub's address must be an http(s) address in ASCII of at most 200 characters")]
    HubAddress,
    #[error("a reference is at most 20 letters, digits and hyphens")]
    Reference,
}

impl Notice {
    /// The subject: the same for every notice of its kind.
    pub const fn subject(&self) -> &'static str {
        match (self.kind, self.language) {
            (NoticeKind::Waiting { .. }, Language::Japanese) => "【つなぐ】新着のお知らせ",
            (NoticeKind::Waiting { .. }, Language::English) => "[tsunagu] Something is waiting",
            (NoticeKind::Urgent, Language::Japanese) => "【至急】受理をお願いします",
            (NoticeKind::Urgent, Language::English) => "[URGENT] Please take a notice",
        }
    }

    /// The text, lines ended by CRLF. The hub's address has a line of its own: it is typed by hand
    /// where mail programs take links out.
    ///
    /// # Errors
    ///
    /// [`BadNotice`] for an address or a reference that would bring something else into the text.
    pub fn text(&self) -> Result<String, BadNotice> {
        let typable = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        let web = self.hub_address.starts_with("https://") || self.hub_address.starts_with("http://");
        if !web || !typable(&self.hub_address) || self.hub_address.len() > 200 {
            return Err(BadNotice::HubAddress);
        }
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if self.reference.as_deref().is_some_and(|text| text.is_empty() || text.len() > 20 || !plain(text)) {
            return Err(BadNotice::Reference);
        }
        let (greeting, ask, hints) = self.words();
        let mut lines =
            vec![greeting.to_owned(), String::new(), ask, String::new(), self.hub_address.clone()];
        if let Some(reference) = &self.reference {
            let label = match self.language {
                Language::Japanese => "照会番号",
                Language::English => "Reference",
            };
            lines.extend([String::new(), format!("{label} {reference}")]);
        }
        lines.push(String::new());
        lines.extend(hints.iter().map(|hint| (*hint).to_owned()));
        lines.push(String::new());
        Ok(lines.join("\r\n"))
    }

    /// Greeting, request and hints.
    fn words(&self) -> (&'static str, String, [&'static str; 2]) {
        const TYPE_JA: &str = "・押して開けないときは、上のアドレスをブラウザーに入力してください。";
        const TYPE_EN: &str = "- If it can't be clicked, type the address above into your browser.";
        match (self.kind, self.language) {
            (NoticeKind::Waiting { count }, Language::Japanese) => (
                "つなぐからのお知らせです。",
                format!(
                    "確認をお待ちしているものが {count} 件あります。次のアドレスを開いてご確認ください。"
                ),
                [TYPE_JA, "・このメールに内容は書かれていません。返信されても届きません。"],
            ),
            (NoticeKind::Waiting { count }, Language::English) => (
                "A message from tsunagu.",
                format!("Items waiting for you: {count}. Please open this address to see them:"),
                [TYPE_EN, "- This mail holds no content. Replies are not read."],
            ),
            (NoticeKind::Urgent, Language::Japanese) => (
                "つなぐからの至急のお知らせです。",
                "至急の受理が必要です。ただちに次のアドレスを開いてください。".to_owned(),
                [TYPE_JA, "・画面が使えないときは待たずに、電話で受けてください。"],
            ),
            (NoticeKind::Urgent, Language::English) => (
                "An urgent message from tsunagu.",
                "Something must be taken at once. Please open this address now:".to_owned(),
                [TYPE_EN, "- If the screen can't be used, do not wait: take it by telephone."],
            ),
        }
    }
}

impl std::fmt::Debug for Notice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The address is left out: it may name a person.
        f.debug_struct("Notice")
            .field("kind", &self.kind)
            .field("language", &self.language)
            .field("message_id", &self.message_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(kind: NoticeKind, language: Language) -> Notice {
        Notice {
            to: "madoguchi@hoken.example".to_owned(),
            kind,
            language,
            reference: Some("7K3M-Q9XD".to_owned()),
            hub_address: "https://hub.example".to_owned(),
            message_id: Uuid::from_u128(1),
            at: Timestamp::UNIX_EPOCH,
        }
    }

    fn waiting(count: u32) -> NoticeKind {
        NoticeKind::Waiting { count: NonZeroU32::new(count).unwrap() }
    }

    #[test]
    fn a_notice_is_of_use_with_its_links_taken_out() {
        for kind in [waiting(3), NoticeKind::Urgent] {
            for (language, reference) in
                [(Language::Japanese, "照会番号 7K3M-Q9XD"), (Language::English, "Reference 7K3M-Q9XD")]
            {
                let text = notice(kind, language).text().unwrap();
                let lines: Vec<&str> = text.split("\r\n").collect();
                assert!(lines.contains(&"https://hub.example"), "{text}");
                assert!(lines.contains(&reference), "{text}");
                assert!(!text.replace("\r\n", "").contains(['\r', '\n', '<', '>']), "{text}");
                assert_eq!(text.matches("://").count(), 1, "{text}");
            }
        }
    }

    #[test]
    fn the_japanese_notice_reads_as_agreed() {
        let expected = "つなぐからのお知らせです。\n\n\
            確認をお待ちしているものが 3 件あります。次のアドレスを開いてご確認ください。\n\n\
            https://hub.example\n\n照会番号 7K3M-Q9XD\n\n\
            ・押して開けないときは、上のアドレスをブラウザーに入力してください。\n\
            ・このメールに内容は書かれていません。返信されても届きません。\n";
        let text = notice(waiting(3), Language::Japanese).text().unwrap();
        assert_eq!(text, expected.replace('\n', "\r\n"));
    }

    #[test]
    fn a_subject_depends_on_nothing_but_kind_and_language() {
        let subjects: Vec<_> = [waiting(1), waiting(200), NoticeKind::Urgent]
            .map(|kind| Language::ALL.iter().map(move |language| notice(kind, *language).subject()))
            .into_iter()
            .flatten()
            .collect();
        assert_eq!(
            subjects,
            [
                "【つなぐ】新着のお知らせ",
                "[tsunagu] Something is waiting",
                "【つなぐ】新着のお知らせ",
                "[tsunagu] Something is waiting",
                "【至急】受理をお願いします",
                "[URGENT] Please take a notice",
            ]
        );
    }

    #[test]
    fn nothing_can_be_brought_into_the_text() {
        for address in ["https://hub.example\r\nBcc: x@y", "https://hub.example/ 山田", "hub.example", ""] {
            let notice = Notice { hub_address: address.to_owned(), ..notice(waiting(1), Language::English) };
            assert_eq!(notice.text(), Err(BadNotice::HubAddress), "{address}");
        }
        for reference in ["7K3M\r\nQ9XD", "山田太郎", "", "7K3M Q9XD", "123456789012345678901"] {
            let notice =
                Notice { reference: Some(reference.to_owned()), ..notice(waiting(1), Language::English) };
            assert_eq!(notice.text(), Err(BadNotice::Reference), "{reference}");
        }
    }

    #[test]
    fn an_address_is_not_printed() {
        assert!(!format!("{:?}", notice(NoticeKind::Urgent, Language::English)).contains("madoguchi"));
    }
}
