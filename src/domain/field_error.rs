//! What is wrong with one place of a submitted document.

/// One fault of a submitted document. It names the place and the rule, never the value found there:
/// errors travel into logs and problem documents, and the value may be personal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{pointer}: {code}: {message_en}")]
pub struct FieldError {
    /// RFC 6901 pointer from the root of the submitted document.
    pub pointer: String,
    /// Stable code of the rule that was broken.
    pub code: &'static str,
    /// What to do about it, in Japanese.
    pub message: &'static str,
    /// What to do about it, in English.
    pub message_en: &'static str,
}

impl FieldError {
    pub fn new(
        pointer: impl Into<String>,
        code: &'static str,
        message: &'static str,
        message_en: &'static str,
    ) -> Self {
        Self { pointer: pointer.into(), code, message, message_en }
    }
}
