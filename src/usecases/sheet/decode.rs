//! Finding the encoding of a published file: UTF-8 or Shift_JIS as Windows writes it (CP932).

use std::borrow::Cow;

use encoding_rs::{EUC_JP, Encoding, SHIFT_JIS, UTF_8};

use super::BadSheet;

/// A file as text. Bytes that are no characters have become U+FFFD, each in its own cell: the comma
/// and the quotation mark are never the second byte of a character in either encoding, so damage does
/// not spread, and the reader refuses exactly the rows that hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    pub text: String,
    pub encoding: TextEncoding,
}

/// The encodings that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextEncoding {
    Utf8,
    ShiftJis,
}

/// Decodes a file, with or without a byte order mark. What is something else is refused by its name.
pub fn decode(bytes: &[u8]) -> Result<Decoded, BadSheet> {
    if bytes.is_empty() {
        return Err(BadSheet::Empty);
    }
    if let Some(name) = telltale(bytes) {
        return Err(BadSheet::Encoding { name });
    }
    if let Some(bytes) = bytes.strip_prefix(b"\xEF\xBB\xBF") {
        return Ok(Decoded {
            text: String::from_utf8_lossy(bytes).into_owned(),
            encoding: TextEncoding::Utf8,
        });
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok(Decoded { text: text.to_owned(), encoding: TextEncoding::Utf8 });
    }
    // No encoding fits UTF-8 without a fault, so the one with the fewest faults is meant: one
    // damaged cell of a UTF-8 file must not turn all its kanji into Shift_JIS nonsense.
    let [utf8, shift_jis, euc_jp] = [UTF_8, SHIFT_JIS, EUC_JP].map(|encoding| Guess::of(encoding, bytes));
    let least = utf8.faults.min(shift_jis.faults).min(euc_jp.faults);
    if utf8.faults == least {
        Ok(Decoded { text: utf8.text.into_owned(), encoding: TextEncoding::Utf8 })
    } else if shift_jis.faults == least {
        Ok(Decoded { text: shift_jis.text.into_owned(), encoding: TextEncoding::ShiftJis })
    } else {
        Err(BadSheet::Encoding { name: "EUC-JP" })
    }
}

/// Formats that show themselves by bytes no CSV in UTF-8 or Shift_JIS contains. Workbooks are among them
/// because they are what people send when asked for a CSV.
fn telltale(bytes: &[u8]) -> Option<&'static str> {
    let has = |sequence: &[u8]| bytes.windows(sequence.len()).any(|window| window == sequence);
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"\xD0\xCF\x11\xE0") {
        Some("Excel")
    } else if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") || bytes.contains(&0) {
        Some("UTF-16")
    } else if has(b"\x1B$B") || has(b"\x1B$@") {
        Some("ISO-2022-JP")
    } else {
        None
    }
}

struct Guess<'a> {
    text: Cow<'a, str>,
    /// Replaced bytes, and half-width katakana: what the other encodings' kanji look like when misread.
    faults: usize,
}

impl<'a> Guess<'a> {
    fn of(encoding: &'static Encoding, bytes: &'a [u8]) -> Self {
        let (text, _) = encoding.decode_without_bom_handling(bytes);
        let faults = text.chars().filter(|c| matches!(c, '\u{FFFD}' | '\u{FF61}'..='\u{FF9F}')).count();
        Self { text, faults }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "受入可能数【令和8年2月1日時点】\r\n施設所在区,名称\r\n鶴見区,髙﨑①保育園ｱｲｳ\r\n";

    #[test]
    fn utf_8_with_and_without_mark_and_shift_jis_read_alike() {
        let (shift_jis, _, lossy) = SHIFT_JIS.encode(TEXT);
        assert!(!lossy, "the sample holds characters that only CP932 has");
        for (bytes, encoding) in [
            (TEXT.as_bytes().to_vec(), TextEncoding::Utf8),
            ([b"\xEF\xBB\xBF", TEXT.as_bytes()].concat(), TextEncoding::Utf8),
            (shift_jis.into_owned(), TextEncoding::ShiftJis),
        ] {
            assert_eq!(decode(&bytes), Ok(Decoded { text: TEXT.into(), encoding }));
        }
    }

    #[test]
    fn other_encodings_are_refused_by_name() {
        let utf16: Vec<u8> = TEXT.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let with_mark = [b"\xFF\xFE".as_slice(), &utf16].concat();
        let euc_jp = EUC_JP.encode("受入可能数【令和8年2月1日時点】\n鶴見区,馬場保育園\n").0.into_owned();
        let iso = encoding_rs::ISO_2022_JP.encode("受入可能数").0.into_owned();
        let workbook = b"PK\x03\x04\x14\x00".to_vec();
        for (bytes, name) in [
            (utf16, "UTF-16"),
            (with_mark, "UTF-16"),
            (euc_jp, "EUC-JP"),
            (iso, "ISO-2022-JP"),
            (workbook, "Excel"),
        ] {
            assert_eq!(decode(&bytes), Err(BadSheet::Encoding { name }));
        }
        assert_eq!(decode(b""), Err(BadSheet::Empty));
    }

    #[test]
    fn a_damaged_byte_stays_in_its_cell_and_does_not_change_the_encoding() {
        for (encoding, expected) in [(UTF_8, TextEncoding::Utf8), (SHIFT_JIS, TextEncoding::ShiftJis)] {
            let mut bytes = encoding.encode(TEXT).0.into_owned();
            let comma = bytes.iter().rposition(|b| *b == b',').unwrap();
            bytes[comma - 1] = 0xFF;
            let decoded = decode(&bytes).unwrap();
            assert_eq!(decoded.encoding, expected);
            let last = decoded.text.lines().last().unwrap();
            assert!(last.starts_with('鶴') && last.contains('\u{FFFD}'), "{last}");
            assert!(last.ends_with(",髙﨑①保育園ｱｲｳ"), "{last}");
        }
    }
}
