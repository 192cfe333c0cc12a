//! Words that stand nowhere but in what a test wrote, and the search for them in every form they may take.

use std::{
    collections::HashMap,
    fmt::Write as _,
    sync::atomic::{AtomicUsize, Ordering},
};

use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE, Engine as _};
use encoding_rs::{EUC_JP, SHIFT_JIS};

/// What every canary in Japanese begins with: a name that no text of the program holds.
pub const NAME: &str = "鷺宮香奈梨亜";
/// The same for what must be ASCII.
pub const ASCII: &str = "cnryzqxwvut";
/// A case that stands on a council's register and nowhere else: that it does is told to the keeper alone.
pub const REGISTERED: &str = "0192f0ca-5e5e-4c0d-8e57-cafe0badc0de";
/// What mail addresses hold, which mail to them must name.
pub const ADDRESS: &str = "adrszqxwvut";

/// A canary of its own for one field. Seven digits tell which, should it be found.
pub fn name() -> String {
    format!("{NAME}{}", number())
}

pub fn ascii() -> String {
    format!("{ASCII}{}", number())
}

pub fn address() -> String {
    format!("{ADDRESS}{}@mado.example.jp", number())
}

fn number() -> usize {
    static NUMBER: AtomicUsize = AtomicUsize::new(1_000_000);
    NUMBER.fetch_add(1, Ordering::Relaxed)
}

/// Every form in which a text may have been written down, with the form's name.
pub fn forms(text: &str) -> Vec<(String, Vec<u8>)> {
    let bytes = text.as_bytes();
    let mut forms = vec![("plain".to_owned(), bytes.to_vec())];
    let mut add = |name: &str, form: Vec<u8>| forms.push((name.to_owned(), form));
    for (name, bytes) in in_other_encodings(text) {
        add(name, bytes);
    }
    let joined = |each: fn(&mut String, u8)| {
        let mut joined = String::new();
        bytes.iter().for_each(|byte| each(&mut joined, *byte));
        joined.into_bytes()
    };
    add("hex", joined(|to, byte| write!(to, "{byte:02x}").unwrap()));
    add("hex in capitals", joined(|to, byte| write!(to, "{byte:02X}").unwrap()));
    add("URL", joined(|to, byte| write!(to, "%{byte:02X}").unwrap()));
    add("URL in small letters", joined(|to, byte| write!(to, "%{byte:02x}").unwrap()));
    add("quoted-printable", joined(|to, byte| write!(to, "={byte:02X}").unwrap()));
    add("octal", joined(|to, byte| write!(to, "\\{byte:03o}").unwrap()));
    add("escaped bytes", joined(|to, byte| write!(to, "\\x{byte:02x}").unwrap()));
    let decimal = bytes.iter().map(u8::to_string).collect::<Vec<_>>();
    add("a list of bytes", decimal.join(", ").into_bytes());
    add("a list of bytes, tight", decimal.join(",").into_bytes());
    let escaped = |capitals: bool| {
        let unit = |unit| if capitals { format!("\\u{unit:04X}") } else { format!("\\u{unit:04x}") };
        text.encode_utf16().map(unit).collect::<String>().into_bytes()
    };
    add("JSON", escaped(false));
    add("JSON in capitals", escaped(true));
    let rust: String = text.chars().map(|c| format!("\\u{{{:x}}}", c as u32)).collect();
    add("Rust", rust.into_bytes());
    let html: String = text.chars().map(|c| format!("&#{};", c as u32)).collect();
    add("HTML", html.into_bytes());
    for (name, bytes) in [("", bytes.to_vec())].into_iter().chain(in_other_encodings(text)) {
        for shift in 0..3 {
            for (alphabet, text) in [
                ("base64", BASE64_STANDARD.encode([&vec![0; shift], bytes.as_slice()].concat())),
                ("base64url", BASE64_URL_SAFE.encode([&vec![0; shift], bytes.as_slice()].concat())),
            ] {
                add(&format!("{alphabet} {name} shifted by {shift}"), certain(&text, shift, bytes.len()));
            }
        }
    }
    forms
}

/// The text as bytes of encodings other than UTF-8.
fn in_other_encodings(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let utf16 = |bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect();
    let mut all = vec![("UTF-16LE", utf16(u16::to_le_bytes)), ("UTF-16BE", utf16(u16::to_be_bytes))];
    for (name, encoding) in [("CP932", SHIFT_JIS), ("EUC-JP", EUC_JP)] {
        let (bytes, _, unmappable) = encoding.encode(text);
        assert!(!unmappable, "{name} has no {text}");
        // ASCII is the same in all of them.
        if bytes != text.as_bytes() {
            all.push((name, bytes.into_owned()));
        }
    }
    all
}

/// The letters of a base64 text that say nothing but these bytes: those of bytes before and after are cut off.
fn certain(text: &str, shift: usize, length: usize) -> Vec<u8> {
    let (first, last) = ((shift * 8).div_ceil(6), (shift + length) * 8 / 6);
    text.as_bytes()[first..last].to_vec()
}

/// One pass over a text finds every form of the words it was made for.
pub struct Scanner {
    needles: HashMap<[u8; 4], Vec<(String, Vec<u8>)>>,
}

impl Scanner {
    pub fn new(words: &[&str]) -> Self {
        let mut needles: HashMap<_, Vec<_>> = HashMap::new();
        for word in words {
            for (name, form) in forms(word) {
                let start = *form.first_chunk().expect("every form is longer than four bytes");
                needles.entry(start).or_default().push((format!("{word} as {name}"), form));
            }
        }
        Self { needles }
    }

    /// What stands in `text`, each with the bytes around it. Empty: nothing was found.
    pub fn find(&self, text: &[u8]) -> Vec<String> {
        let mut found = Vec::new();
        for (at, start) in text.windows(4).enumerate() {
            let start: &[u8; 4] = start.first_chunk().expect("a window of four");
            let Some(needles) = self.needles.get(start) else { continue };
            for (name, needle) in needles.iter().filter(|(_, needle)| text[at..].starts_with(needle)) {
                let around = &text[at.saturating_sub(60)..text.len().min(at + needle.len() + 40)];
                found.push(format!("{name}: …{}…", String::from_utf8_lossy(around)));
            }
        }
        found
    }

    #[track_caller]
    pub fn assert_clean(&self, what: &str, text: &[u8]) {
        let found = self.find(text);
        assert!(found.is_empty(), "{what} holds {} canaries, the first: {}", found.len(), found[0]);
    }
}

/// The scanner finds what is planted, in each form, wherever it stands; and nothing in what is clean.
#[test]
fn the_scanner_finds_every_form_wherever_it_stands() {
    let scanner = Scanner::new(&[NAME, ASCII]);
    for planted in [name(), ascii()] {
        let text = planted.as_bytes();
        for (form, _) in forms(&planted) {
            for before in 0..7 {
                // Written by other means than the forms themselves: whole records, encoded whole.
                let record = format!("{}{planted}と続く", "x".repeat(before));
                let written = written(&form, &record);
                assert!(!scanner.find(&written).is_empty(), "{form} behind {before} of {planted}");
            }
        }
        let (head, tail) = text.split_at(8);
        assert!(scanner.find(head).is_empty() && scanner.find(tail).is_empty(), "a part is no canary");
    }
    let clean = std::fs::read(file!()).unwrap_or_default();
    let source = String::from_utf8(clean).unwrap().replace(NAME, "").replace(ASCII, "");
    assert!(scanner.find(source.as_bytes()).is_empty());
}

/// A whole record in the form of this name.
#[cfg(test)]
fn written(form: &str, record: &str) -> Vec<u8> {
    let encoded = |name: &str| {
        if name.is_empty() || !in_other_encodings(record).iter().any(|(other, _)| *other == name) {
            return record.as_bytes().to_vec();
        }
        in_other_encodings(record).into_iter().find(|(other, _)| *other == name).unwrap().1
    };
    let kind = form.split(' ').nth(1).unwrap_or_default();
    match form {
        form if form.starts_with("base64url") => BASE64_URL_SAFE.encode(encoded(kind)).into_bytes(),
        form if form.starts_with("base64") => BASE64_STANDARD.encode(encoded(kind)).into_bytes(),
        "UTF-16LE" | "UTF-16BE" | "CP932" | "EUC-JP" => encoded(form),
        form => forms(record).into_iter().find(|(name, _)| name == form).unwrap().1,
    }
}
