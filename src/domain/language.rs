//! The languages the hub speaks to people in.

use crate::code_list;

code_list! {
    /// The language of a mail or of a command's output.
    Language, "language" {
        Japanese = "ja", "日本語", "Japanese";
        English = "en", "英語", "English";
    }
}
