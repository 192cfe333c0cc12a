//! Why a disclosure is refused, on which law, and what the sender can do about it.

use jiff::civil::Date;

use super::{fault::Phrase, hand_over};
use crate::code_list;

code_list! {
    /// The answers of the decision procedure that stop a leg (domain.md 7.5).
    RefusalCode, "refusal" {
        ModeNoPersonalData = "MODE_NO_PERSONAL_DATA", "個人情報を載せられない種別です", "this type carries no personal data";
        NoBasis = "NO_BASIS", "根拠がありません", "no basis is named";
        BasisUnknown = "BASIS_UNKNOWN", "根拠コードが不明です", "the basis is not a known code";
        Recalled = "RECALLED", "取り消された送信です", "the leg was recalled";
        RecipientBlocked = "RECIPIENT_BLOCKED", "この宛先には送れません", "this recipient is blocked";
        ProtectionFirst = "PROTECTION_FIRST", "秘匿の引継ぎが先です", "the protection is handed over first";
        BasisSender = "BASIS_SENDER", "この根拠を使えない差出機関です", "the sender may not use this basis";
        BasisRecipient = "BASIS_RECIPIENT", "この根拠では送れない宛先です", "the basis does not reach this recipient";
        NotMember = "NOT_MEMBER", "協議会の構成員ではありません", "not a member of the council";
        BasisSubject = "BASIS_SUBJECT", "この根拠の対象ではありません", "the basis does not cover the subject";
        NotRegistered = "NOT_REGISTERED", "協議会に登録されたケースではありません", "the case is not on the register";
        BasisDate = "BASIS_DATE", "この日には効力がありません", "the basis is not in force on this day";
        BasisRecord = "BASIS_RECORD", "根拠に必要な記録がありません", "a record the basis needs is missing";
        BasisPurpose = "BASIS_PURPOSE", "根拠の目的に含まれません", "the purpose is not covered by the basis";
        RightsHarmed = "RIGHTS_HARMED", "権利利益を不当に侵害するおそれがあります", "rights would be harmed unjustly";
        ApproverRequired = "APPROVER_REQUIRED", "二人目の確認が必要です", "a second person must approve";
        ConsentMissing = "CONSENT_MISSING", "同意がありません", "there is no consent";
        ConsentWithdrawn = "CONSENT_WITHDRAWN", "同意は撤回されています", "the consent was withdrawn";
        ConsentNotYet = "CONSENT_NOT_YET", "同意の期間がまだ始まっていません", "the consent has not begun";
        ConsentExpired = "CONSENT_EXPIRED", "同意の期間が終わっています", "the consent has expired";
        ConsentCapacity = "CONSENT_CAPACITY", "同意できる立場の人の同意ではありません", "the giver could not consent";
        ConsentCustody = "CONSENT_CUSTODY", "もう一人の親権者の確認が必要です", "the other custodian must be considered";
        ConsentParty = "CONSENT_PARTY", "同意に含まれない機関です", "the consent does not name this agency";
        ConsentPurpose = "CONSENT_PURPOSE", "同意の目的に含まれません", "the consent does not cover this purpose";
        ConflictOfInterest = "CONFLICT_OF_INTEREST", "関係者は開けません", "the opener is not impartial";
        RelationUnclear = "RELATION_UNCLEAR", "関係者かどうかの申告が必要です", "the opener is asked whether they are related";
        NotifierSealed = "NOTIFIER_SEALED", "通告者の情報は開けません", "the notifier is sealed";
        AddressConcealed = "ADDRESS_CONCEALED", "住所は秘匿されています", "the address is concealed";
        ConsentSubject = "CONSENT_SUBJECT", "本人の同意に含まれない人の情報です", "the consent does not cover these people";
        ConsentItems = "CONSENT_ITEMS", "同意に含まれない項目です", "the consent does not cover these items";
        BasisItem = "BASIS_ITEM", "根拠に含まれない項目です", "the basis does not cover these items";
        MaskEmpty = "MASK_EMPTY", "開示できる項目が残りません", "nothing is left to show";
        DoorbellContent = "DOORBELL_CONTENT", "着信通知に内容は書けません", "a doorbell carries no content";
        ChannelNotSafe = "CHANNEL_NOT_SAFE", "安全な連絡方法ではありません", "not a safe way to reach the person";
    }
}

/// A refused disclosure. It holds nothing about any person, so it may be logged, signed and shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {}", .code.label_en())]
pub struct Refusal {
    pub code: RefusalCode,
    /// The law the refusal rests on, in Japanese.
    pub law: &'static str,
    /// The version of the rule, where a basis decided.
    pub rule_version: Option<Date>,
    /// What happened.
    pub detail: Phrase,
    /// What the sender can do.
    pub mend: Phrase,
}

impl Refusal {
    /// A refusal under a basis whose law is given; where the code rests on a law of its own, that one.
    pub fn new(code: RefusalCode, law_of_basis: &'static str) -> Self {
        let (ja, en, mend_ja, mend_en) = sentences(code);
        Self {
            code,
            law: own_law(code).unwrap_or(law_of_basis),
            rule_version: None,
            detail: Phrase { ja, en },
            mend: Phrase { ja: mend_ja, en: mend_en },
        }
    }

    /// The same refusal with better advice than the general one.
    pub fn advising(self, mend: Phrase) -> Self {
        Self { mend, ..self }
    }
}

const fn own_law(code: RefusalCode) -> Option<&'static str> {
    use RefusalCode as C;
    Some(match code {
        C::ModeNoPersonalData => "利用者支援事業実施要綱（利用者の選択の尊重）",
        C::NoBasis | C::BasisUnknown => "個人情報の保護に関する法律 第27条1項・第69条",
        C::NotifierSealed => "児童虐待の防止等に関する法律 第7条",
        C::ProtectionFirst => "配偶者からの暴力等に係る支援措置（住民基本台帳事務処理要領）",
        C::ConsentCapacity => "個人情報の保護に関する法律 第27条1項、民法 第818条・第824条",
        C::ConsentCustody => "民法 第818条・第824条の2",
        _ => return None,
    })
}

type Sentences = (&'static str, &'static str, &'static str, &'static str);

/// What happened and what to do about it, in Japanese and English. One line per code keeps the
/// voice of all refusals comparable at a glance.
#[rustfmt::skip]
const fn sentences(code: RefusalCode) -> Sentences {
    use RefusalCode as C;
    match code {
        C::ModeNoPersonalData => ("情報提供のみ・本人連絡では、氏名などの個人情報を相手に渡しません。", "Self-contact and plain information pass nothing about a person.", "個人情報の区分を外すか、種別を紹介・取次に変えて同意を得てください。", "Remove the personal sections, or make it a referral and obtain a consent."),
        C::NoBasis => ("この宛先への提供の根拠が選ばれていません。", "No basis was named for this recipient.", "同意、または法律の根拠を一つ選んでください。", "Name one basis: a consent, or an article of law."),
        C::BasisUnknown => ("根拠の一覧にないコードです。", "The code is not on the list of bases.", "CONSENT、TSUKOKU_GY6 など、根拠の一覧にあるコードを書いてください。", "Write a code of the list of bases, such as CONSENT or TSUKOKU_GY6."),
        C::Recalled => ("差出機関がこの送信を取り消しました。", "The sender recalled this leg.", "内容は使わず、差出機関の連絡に従ってください。", "Do not use the content; follow what the sender asks."),
        C::RecipientBlocked => ("この宛先への提供は止められています。", "Disclosure to this recipient is stopped.", "担当課に相談し、別の宛先を選んでください。", "Ask the division in charge and choose another recipient."),
        C::ProtectionFirst => ("この家族には秘匿があり、宛先の機関がまだ引き受けていません。", "The family is protected, and the recipient has not taken the protection over.", hand_over::TAKE_OVER_FIRST.ja, hand_over::TAKE_OVER_FIRST.en),
        C::BasisSender => ("この根拠を使える機関の種類ではありません。", "An agency of this kind may not use the basis.", "同意など、差出機関が使える根拠を選んでください。", "Choose a basis open to the sender, such as a consent."),
        C::BasisRecipient => ("この根拠で情報を渡せる宛先ではありません。", "The basis does not reach a recipient of this kind.", "根拠に定められた宛先を選ぶか、根拠を見直してください。", "Choose a recipient the law names, or reconsider the basis."),
        C::NotMember => ("差出機関と宛先が同じ協議会の構成員ではありません。", "Sender and recipient are not members of one council on this day.", "調整機関に構成員を確認するか、別の根拠を使ってください。", "Check the membership with the coordinating body, or use another basis."),
        C::BasisSubject => ("この人は、この根拠の対象者に当たりません。", "The person is not one the basis is about.", "対象者の生年月日と役割を確かめ、同意など別の根拠を使ってください。", "Check birth date and role of the subject, or use another basis such as a consent."),
        C::NotRegistered => ("協議会の進行管理台帳に登録されていません。", "The case is not on the council's register on this day.", "調整機関に登録を確認してください。", "Check the register with the coordinating body."),
        C::BasisDate => ("契約または公表の効力がこの日にはありません。", "The contract or notice is not in force on this day.", "効力のある契約・公表を確かめてください。", "Check which contract or notice is in force."),
        C::BasisRecord => ("この根拠で求められる記録が空です。", "A record this basis asks for is missing or empty.", "必要な記録を書き足して、もう一度送ってください。", "Add the record and send again."),
        C::BasisPurpose => ("記録された目的が、この送信を含みません。", "The recorded purpose does not cover this referral.", "目的に合う根拠を選んでください。", "Choose a basis whose purpose covers it."),
        C::RightsHarmed => ("本人または第三者の権利利益を不当に侵害するおそれが記録されています。", "It is on record that somebody's rights would be harmed unjustly.", "提供をやめ、所属長に相談してください。", "Do not disclose; ask your supervisor."),
        C::ApproverRequired => ("この提供には、作成者とは別の職員の確認が必要です。", "This needs the approval of somebody other than the writer.", "別の職員が宛先と内容を確かめ、確認者として記録してください。", "Let a colleague check recipient and content and be named as approver."),
        C::ConsentMissing => ("有効な同意の記録がありません。", "No consent was given, or it was refused.", "本人または保護者に説明し、新たに同意を得てください。", "Explain the referral to the person and obtain a consent."),
        C::ConsentWithdrawn => ("同意は撤回されました。", "The consent was withdrawn.", "この同意では送ることも開くこともできません。必要なら、差出機関が本人と改めて相談してください。", "Neither send nor open on it; if there is need, the sending agency talks with the person again."),
        C::ConsentNotYet => ("同意の期間の初日より前です。", "The first day of the consent has not come.", "同意の初日以降に送るか、期間を直した同意を得てください。", "Send on or after the first day, or obtain a consent with another period."),
        C::ConsentExpired => ("同意の期間の末日（24時）を過ぎています。", "The last day of the consent has passed.", "差出機関が、期間を定めて新たに同意を得てください。", "The sending agency obtains a new consent with a new period."),
        C::ConsentCapacity => ("同意した人は、この対象者について同意できる立場にありません（16歳未満は保護者、16歳以上は本人）。", "The giver could not consent for these people: under 16 a guardian, from 16 the person.", "親権者など、または本人から同意を得てください。生年月日が不確かなら補ってください。", "Obtain the consent of a guardian or of the person; complete an uncertain birth date."),
        C::ConsentCustody => ("共同親権で、一方の同意だけでは足りません（もう一人が反対しているか、日常の行為に当たりません）。", "Custody is joint and one consent is not enough: the other custodian objects, or the act is no daily one.", "もう一人の親権者の同意を得るか、一方だけで行える理由（日常の行為・急迫・親権を行えない）を記録した同意を、新たに登録してください。", "Obtain the other custodian's consent, or record a new consent with the ground for acting alone: daily, urgent, cannot act."),
        C::ConsentParty => ("差出機関または宛先が、この同意に明記されていません。", "The consent does not name both sender and recipient.", "この機関を宛先に含む同意を新たに得てください。", "Obtain a new consent that names this agency."),
        C::ConsentPurpose => ("同意の目的は、この送信の目的と異なります。", "The consent was given for another purpose.", "この目的についての同意を新たに得てください。", "Obtain a new consent for this purpose."),
        C::ConflictOfInterest => ("この件の当事者・親族などに当たる職員は開けません。", "A party to the case, or a relative, may not open it.", "同じ機関の別の職員が開いてください。期限は進んでいます。", "Let another person of the agency open it; the clocks run on."),
        C::RelationUnclear => ("差出機関が関係者として挙げた人と、お名前が同じか似ています。", "The sender named somebody as related to the case whose name may be this reader's.", "関係があるかどうかを申告してください（POST /v1/deliveries/{id}/relations の declared か denied）。関係がなければ、すぐに開けます。", "Say whether there is a relation (POST /v1/deliveries/{id}/relations, declared or denied); if there is none, it opens at once."),
        C::NotifierSealed => ("通告者を特定させる情報は、受理窓口の担当者だけが開けます。", "Only the reception desk of the notice may see who gave it.", "受理窓口の担当者に引き継いでください。", "Pass it to the duty desk."),
        C::AddressConcealed => ("住所は秘匿の対象です。", "The address is concealed.", "連絡は担当課を経由してください。", "Reach the family through the division in charge."),
        C::ConsentSubject => ("求められた情報は、同意に含まれない人のものだけです。", "All that was asked is about people the consent does not cover.", "その人自身の同意を新たに得てください。", "Obtain the consent of that person."),
        C::ConsentItems => ("求められた区分は、すべて同意の項目に含まれません。", "None of the sections asked is among the consented items.", "必要な区分を含む同意を新たに得てください。", "Obtain a new consent that includes the sections needed."),
        C::BasisItem => ("求められた区分は、すべて根拠の項目に含まれません。", "None of the sections asked is among the items of the basis.", "根拠に含まれる区分だけを選んでください。", "Choose only sections the basis covers."),
        C::MaskEmpty => ("この宛先に開示できる項目が残りません。", "Nothing remains that this recipient may see.", "送る区分と内容を見直してください。", "Reconsider the sections and their content."),
        C::DoorbellContent => ("着信通知は件数と入口だけを伝えます。", "A doorbell tells a count and an address, nothing else.", "定型文のまま送ってください。", "Send the template as it is."),
        C::ChannelNotSafe => ("本人が望んだ安全な連絡方法ではありません。", "It is not the way of contact the person called safe.", "安全な連絡方法の記録に従ってください。", "Follow the record of safe contact."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_says_what_happened_and_what_to_do() {
        for code in RefusalCode::ALL {
            let refusal = Refusal::new(*code, "法");
            for text in [refusal.detail, refusal.mend] {
                assert!(text.ja.ends_with('。') && text.en.ends_with('.'), "{code}");
            }
            assert!(!refusal.law.is_empty());
        }
    }
}
