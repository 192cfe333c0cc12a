//! The plain word for every code the family's page can show.

use crate::{
    domain::{
        family_view::{CopyStands, FamilyAnswer},
        holding::{HoldingCause, HoldingState},
        language::FormLanguage,
        section::Section,
    },
    web::pages::said::Said,
};

/// One of three words.
const fn word(language: FormLanguage, ja: &'static str, easy: &'static str, en: &'static str) -> Said {
    Said(match language {
        FormLanguage::Japanese => ja,
        FormLanguage::Easy => easy,
        FormLanguage::English => en,
    })
}

/// A section, where its fields stand beside it.
#[rustfmt::skip]
pub const fn section(one: Section, language: FormLanguage) -> Said {
    use Section as S;
    let (ja, easy, en) = match one {
        S::Identity => ("お名前など", "{名前|なまえ}など", "who you are"),
        S::Contact => ("連絡先", "{連絡|れんらく}の しかた", "how to reach you"),
        S::Address => ("住所", "{住|す}んでいる ところ", "address"),
        S::Household => ("いっしょに暮らすご家族のこと", "いっしょに {住|す}んでいる {家族|かぞく}の こと", "who lives in your household"),
        S::Needs => ("お困りのことと、必要な支援", "{困|こま}っていること、{助|たす}けて ほしいこと", "what you need help with"),
        S::Narrative => ("これまでの経過と、いまの様子", "{今|いま}までの こと、{今|いま}の ようす", "what has happened so far and how things are now"),
        S::Health => ("健康、病気、健診のこと", "{体|からだ}の こと、{病気|びょうき}の こと", "health, illness, check-ups"),
        S::Development => ("お子さんの発達のこと", "{子|こ}どもの {育|そだ}ちの こと", "the child's development"),
        S::Economic => ("収入など、家計のこと", "お{金|かね}の こと", "income and household money"),
        S::Safety => ("安全のために気をつけてほしいこと", "{安全|あんぜん}のために {気|き}をつけて ほしいこと", "what to mind for your safety"),
        S::Notifier => ("", "", ""),
    };
    word(language, ja, easy, en)
}

/// A field, by its name in the schema.
#[rustfmt::skip]
pub fn field(name: &str, language: FormLanguage) -> Said {
    let (ja, easy, en) = match name {
        "name" => ("お名前", "{名前|なまえ}", "name"),
        "birth_date" => ("生年月日", "{生|う}まれた {日|ひ}", "date of birth"),
        "sex" => ("性別", "{男|おとこ}か {女|おんな}か", "sex"),
        "phone" => ("電話番号", "{電話番号|でんわばんごう}", "telephone number"),
        "email" => ("メールアドレス", "メールアドレス", "e-mail address"),
        "safe_contact" => ("安全な連絡のしかた", "{安全|あんぜん}な {連絡|れんらく}の しかた", "how to reach you safely"),
        "municipality" => ("市区町村", "{市|し}や {町|まち}の {名前|なまえ}", "municipality"),
        "town" => ("町名", "{町|まち}の {名前|なまえ}", "town"),
        "rest" => ("番地・建物", "{番地|ばんち}と {建物|たてもの}", "street number and building"),
        "postal_code" => ("郵便番号", "{郵便番号|ゆうびんばんごう}", "postal code"),
        "note" => ("代わりの文だけ（そのものは伝えていません）", "かわりの {言葉|ことば}だけ（{本当|ほんとう}の ことは {伝|つた}えていません）", "a sentence in its place, not the thing itself"),
        "codes" => ("種類", "{種類|しゅるい}", "the kind"),
        "summary" => ("短くまとめたもの", "{短|みじか}く まとめたもの", "a summary"),
        "text" => ("くわしい内容", "くわしい こと", "the details"),
        "wishes" => ("ご希望", "してほしいこと", "your wishes"),
        "support_so_far" => ("これまでの支援", "{今|いま}までの {助|たす}け", "the support so far"),
        "open_matters" => ("残っていること", "まだ {終|お}わって いないこと", "what is still open"),
        "meeting" => ("引継ぎの面談", "{引|ひ}き{継|つ}ぎの {話|はな}し{合|あ}い", "the hand-over meeting"),
        "risk" => ("心配なこと", "{心配|しんぱい}な こと", "what is a worry"),
        _ => ("その他", "その{他|ほか}", "other"),
    };
    word(language, ja, easy, en)
}

#[rustfmt::skip]
pub const fn copy(one: CopyStands, language: FormLanguage) -> Said {
    use CopyStands as C;
    let easy = match one {
        C::NotYet => "まだ {届|とど}いて いません",
        C::Unopened => "{届|とど}きました。まだ {読|よ}んで いません",
        C::Opened => "{読|よ}みました",
        C::Shut => "もう {読|よ}めません",
        C::Undelivered => "{届|とど}きませんでした",
    };
    word(language, one.label_ja(), easy, one.label_en())
}

#[rustfmt::skip]
pub const fn answer(one: FamilyAnswer, language: FormLanguage) -> Said {
    use FamilyAnswer as A;
    let easy = match one {
        A::None => "{返事|へんじ}は まだです",
        A::Asked => "{質問|しつもん}が {来|き}ています",
        A::Accepted => "「いいです」と {返事|へんじ}が ありました",
        A::Waiting => "「{待|ま}って ください」と {返事|へんじ}が ありました",
        A::Paused => "{今|いま}は {休|やす}みです",
        A::Declined => "「できません」と {返事|へんじ}が ありました",
        A::Forwarded => "ほかの ところに {頼|たの}むと {返事|へんじ}が ありました",
        A::Ended => "{終|お}わりました",
        A::Cancelled => "{取|と}り{消|け}しました",
        A::Withdrawn => "あなたが やめたので {終|お}わりました",
        A::Silent => "{返事|へんじ}が ないまま {終|お}わりました",
        A::Mistaken => "まちがえて {送|おく}ったので {取|と}り{消|け}しました",
    };
    word(language, one.label_ja(), easy, one.label_en())
}

pub const fn cause(one: HoldingCause, language: FormLanguage) -> Said {
    match one {
        HoldingCause::Withdrawal => {
            word(language, "同意の取りやめのあと", "やめたあと", "after the consent was taken back")
        }
        HoldingCause::Recall => word(
            language,
            "誤って送ったものの取り消しのあと",
            "まちがえて {送|おく}ったあと",
            "after it was taken back as a mistake",
        ),
    }
}

#[rustfmt::skip]
pub const fn disposal(one: HoldingState, language: FormLanguage) -> Said {
    use HoldingState as H;
    let (ja, easy, en) = match one {
        H::Asked => ("写しをどうしたか、答えを待っています", "{紙|かみ}などを どうしたか、{聞|き}いています", "we are waiting to hear what became of the copy"),
        H::Silent => ("期限を過ぎましたが、まだ答えがありません", "まだ {返事|へんじ}が ありません。{遅|おく}れています", "the deadline has passed and there is no answer yet"),
        H::Deleted => ("削除しました", "{消|け}しました", "it was deleted"),
        H::Destroyed => ("廃棄・消去しました", "{捨|す}てました", "it was destroyed"),
        H::KeptByLaw => ("法律で保存が決められているため、残しています", "{法律|ほうりつ}で {決|き}まっているので、{持|も}っています", "it is kept, because a law requires it"),
    };
    word(language, ja, easy, en)
}
