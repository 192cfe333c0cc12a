//! The languages the hub speaks to people in.

use crate::code_list;

code_list! {
    /// The language of a mail or of a command's output.
    Language, "language" {
        Japanese = "ja", "日本語", "Japanese";
        English = "en", "英語", "English";
    }
}

code_list! {
    /// How a printed form speaks: also in easy Japanese, for those who are still learning it.
    FormLanguage, "language of a form" {
        Japanese = "ja", "日本語", "Japanese";
        Easy = "easy", "やさしい日本語", "easy Japanese";
        English = "en", "英語", "English";
    }
}
