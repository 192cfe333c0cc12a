//! A mail taken apart, with nothing of the code under test.

use base64::{Engine, engine::general_purpose::STANDARD};

/// Headers in lower case and decoded, and the decoded body.
pub struct Mail {
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Mail {
    pub fn parse(raw: &[u8]) -> Self {
        assert!(raw.is_ascii(), "nothing but ASCII goes over the wire");
        let raw = std::str::from_utf8(raw).unwrap();
        assert!(!raw.replace("\r\n", "").contains(['\r', '\n']), "every line ends with CRLF");
        assert!(raw.split("\r\n").all(|line| line.len() <= 78), "no line is longer than RFC 5322 recommends");
        let (head, body) = raw.split_once("\r\n\r\n").unwrap();
        let unfolded = head.replace("\r\n ", " ");
        let headers: Vec<_> = unfolded
            .split("\r\n")
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_lowercase(), words(value)))
            .collect();
        let encoding =
            headers.iter().find(|(name, _)| name == "content-transfer-encoding").unwrap().1.clone();
        let body = match encoding.as_str() {
            "base64" => String::from_utf8(STANDARD.decode(body.replace("\r\n", "")).unwrap()).unwrap(),
            "7bit" => body.to_owned(),
            other => panic!("encoding {other}"),
        };
        Self { headers, body }
    }

    pub fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    }
}

/// Decodes the encoded words of RFC 2047, as far as base64 goes.
fn words(value: &str) -> String {
    let mut text = value.to_owned();
    while let Some(start) = text.find("=?utf-8?b?") {
        let end = text[start..].find("?=").unwrap() + start;
        let bytes = STANDARD.decode(&text[start + 10..end]).unwrap();
        // Each word by itself has to be whole characters.
        let word = String::from_utf8(bytes).unwrap();
        let rest = text[end + 2..].to_owned();
        let next = rest.strip_prefix(' ').filter(|rest| rest.starts_with("=?utf-8?b?"));
        text = format!("{}{word}{}", &text[..start], next.unwrap_or(&rest));
    }
    text
}
