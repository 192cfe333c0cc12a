//! The plain word for every code the form can show. English and, mostly, Japanese words are the labels of the
//! lists; easy Japanese has words and readings of its own.

use crate::domain::{
    agency::AgencyKind,
    consent::{Capacity, LineDecision, Opinion, custody::Act},
    language::FormLanguage,
    referral::ReferralType,
    section::Section,
    subject::SubjectRole,
};
use crate::web::pages::said::Said;

/// One of three words.
const fn word(language: FormLanguage, ja: &'static str, easy: &'static str, en: &'static str) -> Said {
    Said(match language {
        FormLanguage::Japanese => ja,
        FormLanguage::Easy => easy,
        FormLanguage::English => en,
    })
}

#[rustfmt::skip]
pub const fn section(one: Section, language: FormLanguage) -> Said {
    use Section as S;
    let (ja, easy, en) = match one {
        S::Identity => ("お名前、生年月日、性別", "{名前|なまえ}、{生|う}まれた {日|ひ}、{男|おとこ}か {女|おんな}か", "names, dates of birth, sex"),
        S::Contact => ("電話番号など、連絡の方法", "{電話番号|でんわばんごう}など、{連絡|れんらく}の しかた", "telephone numbers and other ways to reach you"),
        S::Address => ("住所", "{住|す}んでいる ところ", "your address"),
        S::Household => ("いっしょに暮らすご家族のこと", "いっしょに {住|す}んでいる {家族|かぞく}の こと", "who lives in your household"),
        S::Needs => ("お困りのことと、必要な支援", "{困|こま}っていること、{助|たす}けて ほしいこと", "what you need help with"),
        S::Narrative => ("これまでの経過と、いまの様子", "{今|いま}までの こと、{今|いま}の ようす", "what has happened so far and how things are now"),
        S::Health => ("健康、病気、健診のこと", "{体|からだ}の こと、{病気|びょうき}の こと", "health, illness, check-ups"),
        S::Development => ("お子さんの発達のこと", "{子|こ}どもの {育|そだ}ちの こと", "your child's development"),
        S::Economic => ("収入など、家計のこと", "お{金|かね}の こと", "income and household money"),
        S::Safety => ("安全のために気をつけてほしいこと", "{安全|あんぜん}のために {気|き}をつけて ほしいこと", "what to mind for your safety"),
        S::Notifier => ("通告した人のこと", "{知|し}らせた {人|ひと}の こと", "who gave a notice"),
    };
    word(language, ja, easy, en)
}

#[rustfmt::skip]
pub const fn purpose(one: ReferralType, language: FormLanguage) -> Said {
    use ReferralType as T;
    let (ja, easy, en) = match one {
        T::Information => ("サービスの情報をお知らせするため", "サービスを {教|おし}えるため", "to tell you about services"),
        T::SelfContact => ("ご自身で連絡していただくため", "{自分|じぶん}で {連絡|れんらく}するため", "so that you can make contact yourself"),
        T::Introduction => ("お伝えする相手のサービスや支援をご紹介し、取り次ぐため", "あなたに {合|あ}う サービスを {紹介|しょうかい}するため", "to introduce you to the services of those who receive the information"),
        T::StatutoryProvision => ("法律に定められた情報の提供のため", "{法律|ほうりつ}で {決|き}まっている {連絡|れんらく}のため", "to provide information as the law foresees"),
        T::Notice => ("通告のため", "{子|こ}どもを {守|まも}るため", "to give notice"),
        T::Transfer => ("児童相談所に引き継ぐため", "{児童相談所|じどうそうだんじょ}に {引|ひ}き{継|つ}ぐため", "to hand over to the child guidance centre"),
        T::HandOver => ("お引っ越し先などの市区町村に引き継ぐため", "ほかの まちに {引|ひ}き{継|つ}ぐため", "to hand over to another municipality"),
        T::Inquiry => ("支援に必要なことを確かめるため", "{助|たす}けるために {必要|ひつよう}なことを {聞|き}くため", "to ask what is needed for your support"),
        T::Reply => ("お問い合わせに答えるため", "{質問|しつもん}に {答|こた}えるため", "to answer a question"),
        T::Request => ("支援への協力をお願いするため", "いっしょに {助|たす}けて もらうため", "to ask for help with your support"),
        T::UseNotice => ("サービスの利用をお知らせするため", "サービスを {使|つか}うことを {知|し}らせるため", "to tell that you use a service"),
        T::Monitoring => ("利用を始めた後の様子をうかがい、支援を続けるため", "サービスを {使|つか}ったあとの ようすを {聞|き}くため", "to hear how things go after the start"),
        T::Periodic => ("定期的に様子をお知らせするため", "ときどき ようすを {知|し}らせるため", "to report from time to time"),
        T::Complaint => ("苦情にお答えするため", "{困|こま}ったことの {相談|そうだん}のため", "to deal with a complaint"),
    };
    word(language, ja, easy, en)
}

#[rustfmt::skip]
pub const fn act(one: Act, language: FormLanguage) -> Said {
    use Act as A;
    let easy = match one {
        A::Consultation => "{相談|そうだん}する",
        A::TemporaryCare => "{子|こ}どもを すこしの {時間|じかん} あずける",
        A::PlayGroup => "{子|こ}どもと {親|おや}の {広場|ひろば}などに {行|い}く",
        A::Checkup => "{健康診断|けんこうしんだん}や {予防接種|よぼうせっしゅ}を うける",
        A::MinorIllness => "{軽|かる}い けがや {病気|びょうき}で {病院|びょういん}に {行|い}く",
        A::NurseryPlace => "{保育園|ほいくえん}などに {入|はい}る、かわる",
        A::Therapy => "{子|こ}どもの {育|そだ}ちを {助|たす}ける サービスを {続|つづ}けて {使|つか}う",
        A::SeriousTreatment => "{大|おお}きな {手術|しゅじゅつ}などを うける",
        A::Schooling => "{学校|がっこう}に {入|はい}る、かわる、えらぶ",
        A::Residential => "{家|いえ}の {外|そと}に {泊|と}まる",
        A::ChangeOfResidence => "{住|す}む ところを {変|か}える",
        A::Other => "その{他|ほか}",
    };
    word(language, one.label_ja(), easy, one.label_en())
}

pub const fn capacity(one: Capacity, language: FormLanguage) -> Said {
    let easy = match one {
        Capacity::Parent => "{親|おや}（{親権者|しんけんしゃ}）",
        Capacity::MinorsGuardian => "{未成年後見人|みせいねんこうけんにん}",
        Capacity::FacilityHead => "{施設長|しせつちょう}・{児童相談所長|じどうそうだんじょちょう}",
        Capacity::Custodian => "{育|そだ}てている {人|ひと}（{監護者|かんごしゃ}）",
        Capacity::Oneself => "{本人|ほんにん}",
        Capacity::OtherRelative => "ほかの {家族|かぞく}",
    };
    word(language, one.label_ja(), easy, one.label_en())
}

pub const fn role(one: SubjectRole, language: FormLanguage) -> Said {
    let (ja, easy) = match one {
        SubjectRole::Child => ("お子さん", "{子|こ}ども"),
        SubjectRole::Guardian => ("保護者", "{親|おや}など"),
        SubjectRole::Pregnant => ("妊婦", "{赤|あか}ちゃんが おなかに いる {人|ひと}"),
        SubjectRole::Cohabitant => ("同居の方", "いっしょに {住|す}んでいる {人|ひと}"),
    };
    word(language, ja, easy, one.label_en())
}

pub const fn decision(one: LineDecision, language: FormLanguage) -> Said {
    let easy = match one {
        LineDecision::Given => "はい",
        LineDecision::Refused => "いいえ",
        LineDecision::Withdrawn => "やめました",
    };
    word(language, one.label_ja(), easy, one.label_en())
}

pub const fn opinion(one: Opinion, language: FormLanguage) -> Said {
    let easy = match one {
        Opinion::InFavour => "いい",
        Opinion::Against => "いやだ",
        Opinion::Unsure => "わからない",
        Opinion::NotHeard => "{聞|き}いて いません",
    };
    word(language, one.label_ja(), easy, one.label_en())
}

#[rustfmt::skip]
pub const fn kind(one: AgencyKind, language: FormLanguage) -> Said {
    use AgencyKind as K;
    let easy = match one {
        K::MunicipalDivision => "{市役所|しやくしょ}などの {担当|たんとう}",
        K::PrefecturalDivision => "{県庁|けんちょう}などの {担当|たんとう}",
        K::FamilyCentre => "こども{家庭|かてい}センター",
        K::LocalConsultation => "{地域|ちいき}の {子育|こそだ}て {相談|そうだん}",
        K::ChildGuidance => "{児童相談所|じどうそうだんじょ}",
        K::PrefecturalWelfare | K::CityWelfare => "{福祉事務所|ふくしじむしょ}",
        K::FamilyChildConsultation => "{家庭児童相談室|かていじどうそうだんしつ}",
        K::HealthOffice => "{保健所|ほけんじょ}",
        K::HealthCentre => "{保健|ほけん}センター",
        K::EducationBoard => "{教育委員会|きょういくいいんかい}",
        K::School => "{学校|がっこう}",
        K::Police => "{警察|けいさつ}",
        K::FamilyCourt => "{家庭裁判所|かていさいばんしょ}",
        K::ChildCommissioner => "{児童委員|じどういいん}・{民生委員|みんせいいいん}",
        K::SpousalViolenceCentre => "{家|いえ}の {中|なか}の {暴力|ぼうりょく}の {相談|そうだん}センター",
        K::CouncilCoordinator => "{子|こ}どもを {守|まも}る {会|かい}の {事務局|じむきょく}",
        K::WelfareCouncil => "{社会福祉協議会|しゃかいふくしきょうぎかい}",
        K::SelfReliance => "{暮|く}らしと {仕事|しごと}の {相談|そうだん}",
        K::UserSupportBasic | K::UserSupportWard => "{子育|こそだ}ての {相談|そうだん}と {案内|あんない}",
        K::Kyoten => "{子育|こそだ}て {支援拠点|しえんきょてん}",
        K::Nursery => "{保育園|ほいくえん}",
        K::CertifiedCentre => "{認定|にんてい}こども{園|えん}",
        K::Kindergarten => "{幼稚園|ようちえん}",
        K::SmallScaleCare => "{小|ちい}さい {保育園|ほいくえん}",
        K::HomeCare => "{先生|せんせい}の {家|いえ}などでの {保育|ほいく}",
        K::WorkplaceCare => "{会社|かいしゃ}の {中|なか}の {保育園|ほいくえん}",
        K::VisitingCare => "{家|いえ}に {来|く}る {保育|ほいく}",
        K::UnlicensedCare => "{認可外|にんかがい}の {保育園|ほいくえん}",
        K::SickChildCare => "{病気|びょうき}の {子|こ}どもの {保育|ほいく}",
        K::FamilySupport => "ファミリー・サポート・センター",
        K::AfterSchool => "{学校|がっこう}の あとの クラブ",
        K::ChildrensHall => "{児童館|じどうかん}",
        K::HomeVisiting => "{家|いえ}に {来|き}て {助|たす}ける サービス",
        K::DevelopmentCentre => "{子|こ}どもの {育|そだ}ちの センター",
        K::DisabilityConsultation => "{障害|しょうがい}の ある {子|こ}どもの {相談|そうだん}",
        K::ChildrensHome => "{子|こ}どもが {暮|く}らす {施設|しせつ}",
        K::Medical => "{病院|びょういん}",
        K::Midwifery => "{助産所|じょさんじょ}",
        K::PostnatalCare => "{赤|あか}ちゃんが {生|う}まれた あとの {助|たす}け",
        K::Npo => "{民間|みんかん}の {団体|だんたい}（NPOなど）",
    };
    word(language, one.label_ja(), easy, one.label_en())
}
