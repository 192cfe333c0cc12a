//! What the family's page says, in Japanese, in easy Japanese (やさしい日本語) with readings, and in English.

use crate::{domain::language::FormLanguage, web::pages::said::Said};

/// The sentences of the page that depend on nothing but its language.
pub struct Wording {
    pub lang: &'static str,
    pub class: &'static str,
    /// The name of the document, without readings.
    pub document: &'static str,
    pub title: Said,
    pub opening: Said,
    pub printed: Said,
    pub ask: Said,
    pub ask_text: Said,
    pub ask_yes: Said,
    pub ask_no: Said,
    pub stays_here: Said,
    pub without_places: Said,
    pub sent: Said,
    pub what: Said,
    pub household: Said,
    pub why: Said,
    pub agreed: Said,
    pub by: Said,
    pub you: Said,
    pub until: Said,
    pub period: [Said; 3],
    pub withdrawn: Said,
    pub copy: Said,
    pub opened: Said,
    pub answer: Said,
    pub gone: Said,
    pub article: Said,
    pub withdrawing: Said,
    pub withdrawing_text: Said,
    pub numbers: Said,
    pub desk: Said,
    pub desk_here: Said,
}

impl Wording {
    pub const fn of(language: FormLanguage) -> &'static Self {
        match language {
            FormLanguage::Japanese => &JAPANESE,
            FormLanguage::Easy => &EASY,
            FormLanguage::English => &ENGLISH,
        }
    }
}

const JAPANESE: Wording = Wording {
    lang: "ja",
    class: "plain",
    document: "同意に基づいて情報をお伝えした機関",
    title: Said("同意に基づいて情報をお伝えした機関"),
    opening: Said(
        "同意に基づいて、次の機関に情報をお伝えしました。何を、何のために、いつまでの約束でお伝えしたかをお確かめください。わからないことは何でもお聞きください。",
    ),
    printed: Said("お渡しする窓口と日付"),
    ask: Said("この紙を持ち帰っても安全ですか"),
    ask_text: Said(
        "家にいる人や、あとで荷物を見るかもしれない人のことも考えてお答えください。どちらの答えでも、内容はこの窓口でお確かめいただけます。",
    ),
    ask_yes: Said("はい、持ち帰っても安全です"),
    ask_no: Said("いいえ、持ち帰りません（ここで読みます）"),
    stays_here: Said("この紙は持ち帰らないでください。読み終えたら、職員にお返しください。"),
    without_places: Said("場所がわからないように、機関の名前を載せていません。名前は職員にお聞きください。"),
    sent: Said("お伝えした日"),
    what: Said("お伝えした内容"),
    household: Said("ご家族全体"),
    why: Said("お伝えした目的"),
    agreed: Said("同意した日と方"),
    by: Said("："),
    you: Said("あなた"),
    until: Said("同意の期間"),
    period: [Said(""), Said("から"), Said("の24時まで")],
    withdrawn: Said("同意を取りやめた日："),
    copy: Said("届いたかどうか"),
    opened: Said("開かれた日："),
    answer: Said("返事"),
    gone: Said("写しをどうしたか"),
    article: Said("根拠の法律："),
    withdrawing: Said("同意はいつでも取りやめられます"),
    withdrawing_text: Said(
        "この紙をお渡しした窓口に、窓口、電話、書面のいずれでもお申し出ください。理由はいりません。取りやめた後は新たにお伝えせず、まだ開かれていない情報は開けなくなります。受け取った機関には、取りやめを知らせ、写しの削除を求めます。取りやめても、相談や支援を断られることはありません。",
    ),
    numbers: Said("お申し出のときの番号（同意の番号）："),
    desk: Said("苦情・ご相談の窓口"),
    desk_here: Said("この紙をお渡しした窓口でお聞きください。"),
};

const EASY: Wording = Wording {
    lang: "ja",
    class: "easy",
    document: "あなたの ことを つたえた ところ",
    title: Said("あなたの ことを {伝|つた}えた ところ"),
    opening: Said(
        "「はい」と {言|い}って もらったので、{下|した}の ところに {伝|つた}えました。{読|よ}んで ください。わからない ときは {聞|き}いて ください。",
    ),
    printed: Said("この {紙|かみ}を {渡|わた}す ところと {日|ひ}"),
    ask: Said("この {紙|かみ}を {家|いえ}に {持|も}って {帰|かえ}って、{安全|あんぜん}ですか"),
    ask_text: Said(
        "{家|いえ}の {人|ひと}が {見|み}るかもしれません。{考|かんが}えて、{答|こた}えて ください。「いいえ」でも、ここで {読|よ}むことが できます。",
    ),
    ask_yes: Said("はい。{持|も}って {帰|かえ}ります"),
    ask_no: Said("いいえ。ここで {読|よ}みます"),
    stays_here: Said(
        "この {紙|かみ}を {持|も}って {帰|かえ}らないで ください。{読|よ}んだら、{返|かえ}して ください。",
    ),
    without_places: Said(
        "{場所|ばしょ}が わからないように、{名前|なまえ}を {書|か}いて いません。{名前|なまえ}は {聞|き}いて ください。",
    ),
    sent: Said("{伝|つた}えた {日|ひ}"),
    what: Said("{伝|つた}えた こと"),
    household: Said("{家族|かぞく}みんな"),
    why: Said("{何|なん}のために"),
    agreed: Said("「はい」と {言|い}った {日|ひ}と {人|ひと}"),
    by: Said("："),
    you: Said("あなた"),
    until: Said("いつから いつまで"),
    period: [Said(""), Said("から "), Said("の {夜|よる}12{時|じ}まで")],
    withdrawn: Said("やめた {日|ひ}："),
    copy: Said("{届|とど}きましたか"),
    opened: Said("{読|よ}んだ {日|ひ}："),
    answer: Said("{返事|へんじ}"),
    gone: Said("{紙|かみ}などを どうしましたか"),
    article: Said("{法律|ほうりつ}の {名前|なまえ}："),
    withdrawing: Said("あとで やめることが できます"),
    withdrawing_text: Said(
        "いつでも やめられます。この {紙|かみ}を {渡|わた}した ところに {言|い}って ください。{電話|でんわ}でも {手紙|てがみ}でも いいです。{理由|りゆう}は いりません。やめたあとは、もう {伝|つた}えません。{聞|き}いた ところに「{消|け}して ください」と {言|い}います。やめても、{相談|そうだん}できます。{助|たす}けも もらえます。",
    ),
    numbers: Said("やめるときに {言|い}う {番号|ばんごう}："),
    desk: Said("{困|こま}ったときに {話|はな}す ところ"),
    desk_here: Said("この {紙|かみ}を {渡|わた}した ところに {聞|き}いて ください。"),
};

const ENGLISH: Wording = Wording {
    lang: "en",
    class: "plain",
    document: "Who was told what, with consent",
    title: Said("Who was told what, with consent"),
    opening: Said(
        "With consent, information was passed on to the agencies below. Please check what was passed on, why, and until when. Ask about anything that is not clear.",
    ),
    printed: Said("Handed out by, and on"),
    ask: Said("Is it safe to take this paper home?"),
    ask_text: Said(
        "Think also of those at home, and of those who may look at your things later. Whatever you answer, you can read it here.",
    ),
    ask_yes: Said("Yes, it is safe to take it home"),
    ask_no: Said("No, I read it here"),
    stays_here: Said("Do not take this paper home. Give it back when you have read it."),
    without_places: Said(
        "Agencies are not named, so that no place can be told from this paper. Ask for the names.",
    ),
    sent: Said("When it was passed on"),
    what: Said("What was passed on"),
    household: Said("The whole household"),
    why: Said("Why"),
    agreed: Said("Who consented, and when"),
    by: Said(": "),
    you: Said("you"),
    until: Said("How long the consent is valid"),
    period: [Said("From "), Said(" to "), Said(", until midnight in Japan")],
    withdrawn: Said("Consent taken back on: "),
    copy: Said("Whether it arrived"),
    opened: Said("Opened on: "),
    answer: Said("The answer"),
    gone: Said("What became of the copy"),
    article: Said("By which law: "),
    withdrawing: Said("You may take your consent back at any time"),
    withdrawing_text: Said(
        "Tell the office that gave you this paper: in person, by telephone or in writing. You need not give a reason. From then on nothing more is passed on, and what has not been opened yet can no longer be opened. Those who received information are told, and asked to delete it. You will still receive advice and support.",
    ),
    numbers: Said("The number to name (number of the consent): "),
    desk: Said("Complaints and questions"),
    desk_here: Said("Ask at the office that gave you this paper."),
};
