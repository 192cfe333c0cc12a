//! What can go wrong, told so that the reader can mend it: the catalogue of problems (RFC 9457).
//!
//! A problem is built from texts that stand in this program, from codes, ids, numbers and times. No
//! constructor takes a text that came from outside, so personal data cannot enter one; the one exception are the
//! public names of organisations. Which HTTP
//! status a problem gets is the web's affair; over AMQP the same problems travel without one.

use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::domain::{
    code_list::UnknownCode,
    fault::{Fault, Part, Phrase, Text},
    ids::BadId,
    language::Language,
    second_look::Doubts,
};

macro_rules! problem_kinds {
    ($($variant:ident = $slug:literal, $title_ja:literal, $title_en:literal, $mend_ja:literal, $mend_en:literal;)+) => {
        /// Every kind of problem the hub answers with. One row each: slug, titles, what to do about it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ProblemKind { $($variant,)+ }

        impl ProblemKind {
            /// Every kind, in the order the documentation lists them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The stable last part of the problem's `type`.
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$variant => $slug,)+ }
            }

            /// What kind of problem this is, the same for every occurrence.
            pub const fn title(self) -> Phrase {
                match self { $(Self::$variant => Phrase { ja: $title_ja, en: $title_en },)+ }
            }

            /// What the caller can do about it, where the occurrence says nothing better.
            pub const fn mend(self) -> Phrase {
                match self { $(Self::$variant => Phrase { ja: $mend_ja, en: $mend_en },)+ }
            }
        }
    };
}

problem_kinds! {
    MalformedJson = "malformed-json", "JSONとして読み取れません", "The body is not valid JSON",
        "示された行と列の箇所を直し、もう一度送ってください。", "Mend the body at the line and column given and send it again.";
    WrongEncoding = "wrong-encoding", "文字コードがUTF-8ではありません", "The body is not UTF-8",
        "BOMなしのUTF-8で送ってください。", "Send the body as UTF-8 without a byte order mark.";
    TooLarge = "too-large", "本文が大きすぎます", "The body is too large",
        "本文を短くするか、複数の依頼に分けてください。", "Shorten the body or split it into several requests.";
    TooDeep = "too-deep", "入れ子が深すぎます", "The body is nested too deeply",
        "入れ子を浅くしてください。公開している書式はどれもこの限度内です。", "Nest less deeply; every published schema stays far within the limit.";
    SchemaViolation = "schema-violation", "書式に合わない項目があります", "The body does not follow its schema",
        "errorsの各pointerが示す項目を直してください。", "Mend the members that the pointers in errors name.";
    BadId = "bad-id", "IDの形式が正しくありません", "An id is not well formed",
        "ハブが返したIDを、UUIDの形のまま使ってください。", "Use the id as the hub gave it: a hyphenated UUID.";
    BadQuery = "bad-query", "検索条件が正しくありません", "A query parameter is not valid",
        "APIの説明書にある条件と値だけを使ってください。", "Use only the parameters and values that the API description lists.";
    KeyMissing = "idempotency-key-missing", "Idempotency-Keyがありません", "The Idempotency-Key is missing",
        "依頼ごとに新しいキーをIdempotency-Keyヘッダーに付けてください。", "Send a new key for each request in the Idempotency-Key header.";
    KeyInvalid = "idempotency-key-invalid", "Idempotency-Keyの形式が正しくありません", "The Idempotency-Key is not well formed",
        "英数字と . _ - だけを使い、1～128文字にしてください。", "Use 1 to 128 characters out of A-Z a-z 0-9 . _ -.";
    KeyReused = "idempotency-key-reused", "同じIdempotency-Keyで内容の違う依頼が届きました", "The Idempotency-Key was used with another body",
        "内容を変えた依頼には新しいキーを付けてください。同じ依頼の再送なら、本文を変えずに送ってください。", "Use a new key for a changed request; to repeat a request, send the same body.";
    StillRunning = "still-running", "同じキーの依頼を処理しています", "The same request is still being worked on",
        "少し待って、同じキーと同じ本文でもう一度送ってください。", "Wait a little and send the same body with the same key again.";
    VersionMissing = "version-missing", "If-Matchがありません", "The If-Match header is missing",
        "対象を読み直し、そのETagをIf-Matchに付けてください。", "Read the resource and send its ETag as If-Match.";
    VersionStale = "version-stale", "ほかの人が先に更新しました", "The resource has changed since it was read",
        "対象を読み直し、内容を確かめてから、もう一度操作してください。", "Read the resource again, look at what changed, and repeat the action if it still applies.";
    UnknownCode = "unknown-code", "コード表にないコードです", "A code is not on its list",
        "コード表にあるコードを使ってください。", "Use a code of the list.";
    ImpossibleDate = "impossible-date", "あり得ない日付・日時です", "A date or time cannot be",
        "実在する日付を、前後関係を確かめて入力してください。", "Give a date that exists and stands in the right order to the others.";
    AlreadyThere = "already-there", "同じものがすでに登録されています", "The same thing is already registered",
        "登録済みのものを使うか、別の番号で登録してください。", "Use what is registered, or register it under another reference.";
    DisclosureRefused = "disclosure-refused", "この根拠では提供できません", "The disclosure is not allowed on this basis",
        "示された理由と条文を確かめ、根拠・宛先・区分のいずれかを改めてください。", "Look at the reason and the article, and change the basis, the recipient or the sections.";
    ConfirmationNeeded = "confirmation-needed", "宛先の確認が必要です", "The recipient has to be confirmed",
        "compare の機関の種別・市区町村・名称を見比べ、正しい宛先なら、その宛先の confirmed に code を書いて送ってください。まだ何も送られていません。", "Compare kind, municipality and name of the agencies in compare; if the recipient is right, write the codes into confirmed of its leg and send again. Nothing has been sent.";
    PreviewDiffers = "preview-differs", "確認した内容と、送られる内容が違います", "What would be sent is not what was previewed",
        "もう一度プレビューして違いを確かめ、新しい token を付けて送ってください。まだ何も送られていません。", "Preview again, look at what changed, and send with the new token. Nothing has been sent.";
    NoDryRun = "no-dry-run", "この操作は試しに行うことができません", "This request has no dry run",
        "Prefer: dry-run を外すと実行されます。まだ何も行われていません。", "Without Prefer: dry-run it is carried out. Nothing has been done.";
    BreakGlassRefused = "break-glass-refused", "緊急閲覧はできません", "The glass may not be broken",
        "通常の方法で開くか、未確認の緊急閲覧を先に確認してもらってください。", "Open it in the ordinary way, or have the reviews made that are missing.";
    OpeningRefused = "opening-refused", "現在は閲覧できません", "The content may not be opened now",
        "差出機関に問い合わせてください。", "Ask the sending agency.";
    Shredded = "shredded", "内容は消去されています", "The content was erased",
        "内容はもう誰にも読めません。差出機関の個人情報保護担当に問い合わせてください。IDと受領証は残っており、GET /v1/legs/{id}/receipts で確かめられます。", "Nobody can read the content any more. Ask the privacy officer of the sending agency. Ids and receipts remain: GET /v1/legs/{id}/receipts.";
    RetentionHold = "retention-hold", "まだ消去できません", "It must not be erased yet",
        "errorsにある理由がなくなってから、もう一度行ってください。何も消去されていません。", "Try again when the reasons listed in errors are gone. Nothing was erased.";
    ChannelUnavailable = "channel-unavailable", "このハブでは使えない受け方です", "The hub does not offer this channel",
        "電子メール（PUT /v1/subscriptions/mail）か受信箱（GET /v1/inbox）を使ってください。", "Use e-mail (PUT /v1/subscriptions/mail) or the inbox (GET /v1/inbox).";
    IllegalTransition = "illegal-transition", "現在の状態ではこの操作はできません", "The action is not allowed in the present state",
        "allowedにある操作から選んでください。", "Choose one of the actions listed in allowed.";
    NotFound = "not-found", "見つかりません", "Not found",
        "IDと、自機関が当事者であることを確かめてください。", "Check the id, and that your agency is a party to it.";
    Unauthorised = "unauthorised", "認証が必要です", "Authentication is required",
        "アクセストークンを取り直してください。", "Get a new access token.";
    Forbidden = "forbidden", "この操作の権限がありません", "The role does not allow this action",
        "権限のある職員に依頼するか、管理者に相談してください。", "Ask a member of staff who holds the role, or your administrator.";
    MethodNotAllowed = "method-not-allowed", "このURLでは使えないメソッドです", "The method is not allowed here",
        "Allowヘッダーにあるメソッドを使ってください。", "Use a method that the Allow header lists.";
    UnsupportedMediaType = "unsupported-media-type", "本文の形式に対応していません", "The media type is not supported",
        "Content-Typeをapplication/jsonにしてください。", "Send application/json.";
    NotAcceptable = "not-acceptable", "求められた形式では返せません", "No acceptable representation",
        "Acceptにapplication/jsonを含めてください。", "Include application/json in Accept.";
    Busy = "busy", "混み合っています", "The hub is busy",
        "Retry-Afterの秒数だけ待って、同じキーで送ってください。まだ何も登録されていません。", "Wait as Retry-After says and send it again with the same key. Nothing has been stored.";
    OutcomeUnknown = "outcome-unknown", "登録できたかどうか確認できません", "Whether it was stored is not known",
        "同じキーと同じ本文でもう一度送ってください。二重に登録されることはありません。", "Send the same body with the same key again: it will not be stored twice.";
    Unavailable = "unavailable", "一時的に利用できません", "The hub is not available",
        "しばらく待ってからやり直してください。急ぐときは電話で連絡してください。", "Try again later; if it is urgent, telephone.";
    Internal = "internal", "ハブの内部で問題が起きました", "Something went wrong inside the hub",
        "時刻を添えて運用担当者に連絡してください。急ぐときは電話で連絡してください。", "Tell the operator the time it happened; if it is urgent, telephone.";
}

impl ProblemKind {
    /// The problem's `type`, which no one needs to fetch.
    pub fn urn(self) -> String {
        format!("urn:tsunagu:problem:{}", self.slug())
    }
}

/// One occurrence of a problem.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .kind.slug())]
pub struct Problem {
    pub kind: ProblemKind,
    pub detail: Option<Text>,
    /// The article of law that decided, in Japanese as statutes are cited.
    pub law: Option<&'static str>,
    /// What to do, where the occurrence knows better than the kind.
    pub mend: Option<Text>,
    /// The code of the decision, for example `CONSENT_PARTY`.
    pub code: Option<&'static str>,
    /// At most [`Fault::LIMIT`] faults.
    pub errors: Vec<Fault>,
    /// The recipients to look at again, with the names of organisations as the directory shows them to everybody.
    pub compare: Option<Box<Doubts>>,
    /// The present state of what was to be changed, and the actions it allows.
    pub state: Option<(&'static str, Vec<&'static str>)>,
    /// A JWS the hub made: the signed refusal, or the receipt that already ended a leg.
    pub signed: Option<Box<str>>,
    /// Seconds after which trying again makes sense.
    pub retry_after: Option<u32>,
}

impl Problem {
    pub const fn new(kind: ProblemKind) -> Self {
        Self {
            kind,
            detail: None,
            law: None,
            mend: None,
            code: None,
            errors: Vec::new(),
            compare: None,
            state: None,
            signed: None,
            retry_after: None,
        }
    }

    #[must_use]
    pub fn detail(mut self, detail: impl Into<Text>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    #[must_use]
    pub fn mend(mut self, mend: impl Into<Text>) -> Self {
        self.mend = Some(mend.into());
        self
    }

    #[must_use]
    pub const fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    #[must_use]
    pub const fn law(mut self, law: &'static str) -> Self {
        self.law = Some(law);
        self
    }

    /// Adds faults; those beyond [`Fault::LIMIT`] are dropped.
    #[must_use]
    pub fn faults(mut self, faults: impl IntoIterator<Item = Fault>) -> Self {
        let room = Fault::LIMIT.saturating_sub(self.errors.len());
        self.errors.extend(faults.into_iter().take(room));
        self
    }

    /// Adds the JWS that proves the answer. It is made by the hub and names only codes and ids.
    #[must_use]
    pub fn signed(mut self, jws: String) -> Self {
        self.signed = Some(jws.into());
        self
    }

    #[must_use]
    pub const fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The whole problem as a command tells it: what happened, each fault on its line, what to do.
    pub fn told(&self, language: Language) -> String {
        let say = |text: &Text| match language {
            Language::Japanese => text.ja(),
            Language::English => text.en(),
        };
        let mut told = say(&self.kind.title().into());
        if let Some(detail) = &self.detail {
            told.push_str(match language {
                Language::Japanese => "：",
                Language::English => ": ",
            });
            told.push_str(&say(detail));
        }
        for fault in &self.errors {
            told.push_str(&format!("\n  {} {}", fault.pointer, say(&fault.message)));
        }
        let mend = self.mend.clone().unwrap_or_else(|| self.kind.mend().into());
        told.push('\n');
        told.push_str(&say(&mend));
        told
    }

    /// An action that the present state does not allow.
    pub fn illegal_transition(state: &'static str, allowed: Vec<&'static str>) -> Self {
        let detail = Text::new(
            "現在の状態は「{}」です。できる操作: {}",
            "The present state is \"{}\". Actions allowed now: {}",
        )
        .put(Part::Word(state))
        .put(if allowed.is_empty() { Part::Phrase(NONE) } else { Part::Words(allowed.clone()) });
        Self { state: Some((state, allowed)), ..Self::new(ProblemKind::IllegalTransition).detail(detail) }
    }

    /// A document that breaks its schema or another rule of form.
    pub fn schema_violation(faults: Vec<Fault>) -> Self {
        let detail = Text::new("{}か所に誤りがあります。", "{} faults were found.")
            .put(Part::Number(faults.len().min(Fault::LIMIT) as u64));
        Self::new(ProblemKind::SchemaViolation).detail(detail).faults(faults)
    }
}

const NONE: Phrase = Phrase { ja: "なし", en: "none" };

impl From<ProblemKind> for Problem {
    fn from(kind: ProblemKind) -> Self {
        Self::new(kind)
    }
}

impl From<BadId> for Problem {
    fn from(bad: BadId) -> Self {
        Self::new(ProblemKind::BadId).detail(
            Text::new("「{}」のIDがUUIDではありません。", "The {} id is not a hyphenated UUID.")
                .put(Part::Word(bad.what)),
        )
    }
}

impl From<UnknownCode> for Problem {
    fn from(unknown: UnknownCode) -> Self {
        Self::new(ProblemKind::UnknownCode).detail(
            Text::new("コード表「{}」にないコードです。", "Not a code of the list \"{}\".")
                .put(Part::Word(unknown.list)),
        )
    }
}

impl Serialize for Problem {
    /// The members of the problem document, without the status, which only HTTP knows.
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        let (title, mend) = (self.kind.title(), self.mend.clone().unwrap_or_else(|| self.kind.mend().into()));
        map.serialize_entry("type", &self.kind.urn())?;
        map.serialize_entry("title", title.ja)?;
        map.serialize_entry("title_en", title.en)?;
        if let Some(detail) = &self.detail {
            map.serialize_entry("detail", &detail.ja())?;
            map.serialize_entry("detail_en", &detail.en())?;
        }
        map.serialize_entry("mend", &mend.ja())?;
        map.serialize_entry("mend_en", &mend.en())?;
        if let Some(law) = self.law {
            map.serialize_entry("law", law)?;
        }
        if let Some(code) = self.code {
            map.serialize_entry("code", code)?;
        }
        if !self.errors.is_empty() {
            map.serialize_entry("errors", &self.errors)?;
        }
        if let Some(compare) = &self.compare {
            map.serialize_entry("compare", compare)?;
        }
        if let Some((state, allowed)) = &self.state {
            map.serialize_entry("state", state)?;
            map.serialize_entry("allowed", allowed)?;
        }
        if let Some(signed) = &self.signed {
            map.serialize_entry("signed", signed)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{json, to_value};

    use super::*;
    use crate::domain::fault::Pointer;

    fn is_japanese(text: &str) -> bool {
        text.chars().any(|c| ('\u{3040}'..='\u{30ff}').contains(&c))
    }

    #[test]
    fn every_kind_has_its_own_slug_and_texts_in_both_languages() {
        let slugs: BTreeSet<_> = ProblemKind::ALL.iter().map(|kind| kind.slug()).collect();
        assert_eq!(slugs.len(), ProblemKind::ALL.len());
        for kind in ProblemKind::ALL {
            assert!(kind.slug().bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{kind:?}");
            for phrase in [kind.title(), kind.mend()] {
                assert!(is_japanese(phrase.ja), "{kind:?}: {}", phrase.ja);
                assert!(phrase.en.is_ascii() && phrase.en.len() > 8, "{kind:?}: {}", phrase.en);
            }
        }
    }

    #[test]
    fn a_problem_leaves_absent_members_out() {
        let plain = to_value(Problem::new(ProblemKind::NotFound)).unwrap();
        let names: Vec<_> = plain.as_object().unwrap().keys().cloned().collect();
        assert_eq!(names, ["mend", "mend_en", "title", "title_en", "type"]);
        assert_eq!(plain["type"], "urn:tsunagu:problem:not-found");
    }

    #[test]
    fn an_illegal_transition_names_the_state_and_what_it_allows() {
        let problem = to_value(Problem::illegal_transition("declined", vec![])).unwrap();
        assert_eq!(problem["state"], "declined");
        assert_eq!(problem["allowed"], json!([]));
        assert_eq!(problem["detail_en"], "The present state is \"declined\". Actions allowed now: none");
        let problem = to_value(Problem::illegal_transition("received", vec!["accept", "decline"])).unwrap();
        assert_eq!(problem["detail"], "現在の状態は「received」です。できる操作: accept, decline");
    }

    #[test]
    fn a_command_tells_the_whole_problem_in_one_language() {
        let message = Text::new("名称が必要です。", "A name is needed.");
        let fault = Fault { pointer: Pointer::ROOT.member("name"), code: "required", message };
        let problem = Problem::schema_violation(vec![fault]);
        assert_eq!(
            problem.told(Language::English),
            "The body does not follow its schema: 1 faults were found.\n  /name A name is needed.\n\
             Mend the members that the pointers in errors name."
        );
        assert!(problem.told(Language::Japanese).contains("\n  /name 名称が必要です。\n"));
    }

    #[test]
    fn faults_are_bounded() {
        let fault = Fault { pointer: Pointer::ROOT, code: "type", message: Text::new("誤り", "wrong") };
        let problem = Problem::schema_violation(vec![fault; 50]);
        assert_eq!(problem.errors.len(), Fault::LIMIT);
        assert_eq!(problem.detail.unwrap().en(), "20 faults were found.");
    }
}
