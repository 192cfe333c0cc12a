//! What printed pages have in common: one style sheet within the page, and a policy that allows it and nothing else.

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::vault::sha256;

pub(super) const STYLE: &str = include_str!("../../../templates/print.css");

/// What a browser may do with the page: use its one style sheet, and nothing else.
pub static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = STANDARD.encode(sha256(STYLE.as_bytes()).bytes());
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
});
