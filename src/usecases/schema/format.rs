//! The formats of texts that JSON Schema has no words for: times, dates, and which characters may stand where.

use jiff::{Timestamp, civil::Date};

/// RFC 3339 with seconds and an offset. `jiff` alone would also take spaces, and times without seconds.
pub(super) fn is_time(text: &str) -> bool {
    let shape = |place: usize, expected: u8| text.as_bytes().get(place) == Some(&expected);
    let dashes = shape(4, b'-') && shape(7, b'-') && shape(10, b'T') && shape(13, b':') && shape(16, b':');
    let offset = text.ends_with('Z') || {
        let tail = text.as_bytes().last_chunk::<6>();
        matches!(tail, Some([b'+' | b'-', _, _, b':', _, _]))
    };
    dashes && offset && text.parse::<Timestamp>().is_ok()
}

pub(super) fn is_partial_date(text: &str) -> bool {
    let full = match text.len() {
        4 => format!("{text}-01-01"),
        7 => format!("{text}-01"),
        10 => text.to_owned(),
        _ => return false,
    };
    let digits = |range: std::ops::Range<usize>| full.as_bytes()[range].iter().all(u8::is_ascii_digit);
    let shape = full.as_bytes()[4] == b'-' && full.as_bytes()[7] == b'-';
    shape && digits(0..4) && digits(5..7) && digits(8..10) && full.parse::<Date>().is_ok()
}

/// Characters that reorder the text around them: they can make a name read as another (UAX #9 §2).
const fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Zero-width characters without meaning in a line. Joiners (U+200C, U+200D) and variation selectors
/// are part of names and stay.
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200B}' | '\u{2060}' | '\u{FEFF}' | '\u{2028}' | '\u{2029}')
}

const fn is_private_use(c: char) -> bool {
    matches!(c, '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{FFFFD}' | '\u{100000}'..='\u{10FFFD}')
}

pub(super) fn is_line(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() || is_bidi_control(c) || is_invisible(c))
}

pub(super) fn is_text(text: &str) -> bool {
    !text.chars().any(|c| (c.is_control() && !matches!(c, '\n' | '\r' | '\t')) || is_bidi_control(c))
}

pub(super) fn is_name(text: &str) -> bool {
    is_line(text) && !text.chars().any(is_private_use)
}
