//! The folded form of a name, for finding it again. It is compared, never shown.

use std::fmt;

use unicode_normalization::UnicodeNormalization;

use super::person_name::is_variation_selector;

/// A name folded so that common spellings of it are equal. Personal data: `Debug` shows nothing.
///
/// What is folded: variation selectors go; NFKC (half and full width, compatibility forms); Latin
/// letters to lower case; hiragana to katakana; every dash and long-vowel mark to `ー`; white space
/// and middle dots go; the variant kanji of `VARIANTS` to one of each family.
///
/// What is not: readings (ヂ and ジ, small and large kana), repetition marks, and kanji outside the
/// table. Equal keys mean "perhaps the same name", never "the same person".
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SearchKey(String);

/// Families of kanji that names mix. The first of each family stands for all. The table is chosen from
/// what counters see every day and from 旧字体 of the name kanji; it is not the 縮退マップ of the
/// state, and some families (斉 斎, 竜 龍) are different characters that people confuse.
const VARIANTS: &str = "高髙 崎﨑嵜㟢 辺邊邉 斉齊斎齋 浜濱濵 沢澤 広廣 桜櫻 島嶋嶌 徳德 瀬瀨 恵惠 真眞 国國 \
    学學 栄榮 竜龍 条條 浅淺 増增 蔵藏 弥彌 寿壽 円圓 黒黑 与與 曽曾 会會 礼禮 吉𠮷 槙槇 富冨 館舘 桑桒 柳栁 \
    凛凜 遥遙 瑶瑤 尭堯 桧檜 園薗 峰峯 岳嶽 静靜 清淸 青靑 歩步 緒緖 巌巖 禄祿 将將 実實 寛寬 郎郞 横橫 毎每 \
    穂穗 県縣 総總 聡聰 万萬 芦蘆 蛍螢 豊豐 頼賴 村邨 関關 鉄鐵 郷鄕 黄黃 内內 呉吳 児兒 勲勳 厳嚴 荘莊 壮壯 \
    奥奧 戸戶 教敎 温溫 滝瀧 灯燈 祢禰 野埜 橋槗 鴎鷗 鶏鷄 麦麥 亀龜 応應 帯帶 巻卷 恒恆 晃晄 暦曆 来來 栃杤 \
    剣劍 並竝 宝寶 沖冲 涼凉 船舩 薫薰 衛衞 鎮鎭";

impl SearchKey {
    /// Folds any text, so that what somebody types into a search can be compared too.
    pub fn of(text: &str) -> Self {
        let bare = text.chars().filter(|c| !is_variation_selector(*c));
        let plain: String = bare.nfkc().flat_map(char::to_lowercase).collect();
        // Lower-casing can leave a sequence that composes again, so the form is restored at the end.
        Self(plain.chars().filter(|c| !is_separator(*c)).map(fold).nfkc().collect())
    }

    /// The folded text, for an index that hides it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_separator(character: char) -> bool {
    character.is_whitespace() || matches!(character, '・' | '·' | '‧')
}

fn fold(character: char) -> char {
    match character {
        // Hiragana and its repetition marks stand 0x60 before katakana.
        'ぁ'..='ゖ' | 'ゝ' | 'ゞ' => char::from_u32(u32::from(character) + 0x60).unwrap_or(character),
        '-' | '‐'..='―' | '−' | '─' => 'ー',
        '’' | '‘' | 'ʼ' => '\'',
        _ => VARIANTS
            .split(' ')
            .find(|family| family.contains(character))
            .and_then(|family| family.chars().next())
            .unwrap_or(character),
    }
}

impl fmt::Debug for SearchKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SearchKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn common_spellings_of_a_name_are_equal() {
        for (one, other) in [
            ("髙橋", "高橋"),
            ("山﨑", "山崎"),
            ("渡邉", "渡邊"),
            ("渡辺\u{E0101}", "渡辺"),
            ("齋藤", "斉藤"),
            ("やまだ", "ﾔﾏﾀﾞ"),
            ("ローサ", "ロ－サ"),
            ("ローサ", "ロ‐サ"),
            ("ローサ", "ロ−サ"),
            ("マリア・クララ", "マリア　クララ"),
            ("ＮＧＵＹＥＮ　Ａｎ", "nguyen an"),
            ("O’Brien", "O'Brien"),
            ("\u{FA19}谷", "神谷"),
            ("か\u{3099}", "ガ"),
        ] {
            assert_eq!(SearchKey::of(one), SearchKey::of(other), "{one} {other}");
        }
    }

    #[test]
    fn different_names_stay_different() {
        for (one, other) in [("渡辺", "渡部"), ("一郎", "ー郎"), ("ツ", "ッ"), ("ヂ", "ジ"), ("伊藤", "伊東")]
        {
            assert_ne!(SearchKey::of(one), SearchKey::of(other), "{one} {other}");
        }
    }

    #[test]
    fn every_kanji_of_the_table_stands_once_and_can_be_met() {
        let mut seen = HashSet::new();
        for character in VARIANTS.chars().filter(|c| *c != ' ') {
            assert!(seen.insert(character), "{character} stands twice");
            let after: String = character.nfkc().collect();
            assert_eq!(after, character.to_string(), "{character} never survives NFKC");
        }
        assert!(VARIANTS.split(' ').all(|family| family.chars().count() >= 2));
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing(text in any::<String>()) {
            let once = SearchKey::of(&text);
            let twice = SearchKey::of(once.as_str());
            prop_assert_eq!(twice.as_str(), once.as_str());
        }
    }
}
