//! Lists are read page by page: at most so many rows, and a cursor where there are more.

use std::str::FromStr;

use serde_json::{Map, Value};

/// How many items one page shows: 1 to 200, 50 if nothing is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit(u8);

/// A limit that is not 1 to 200.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a page shows 1 to 200 items")]
pub struct BadLimit;

impl Default for Limit {
    fn default() -> Self {
        Self(50)
    }
}

impl FromStr for Limit {
    type Err = BadLimit;

    fn from_str(text: &str) -> Result<Self, BadLimit> {
        let digits = text.bytes().all(|b| b.is_ascii_digit());
        let number = text.parse().ok().filter(|n| digits && (1..=200).contains(n));
        number.map(Self).ok_or(BadLimit)
    }
}

impl Limit {
    /// How many rows to read: one more than is shown tells whether there is a next page.
    pub fn rows(self) -> i64 {
        i64::from(self.0) + 1
    }

    /// Drops what belongs to the next page; tells whether there was any.
    pub fn cut<T>(self, rows: &mut Vec<T>) -> bool {
        let more = rows.len() > usize::from(self.0);
        rows.truncate(usize::from(self.0));
        more
    }
}

/// One page as the API answers it: `items`, and `next`, the cursor to go on from; absent at the end.
pub fn page(items: Vec<Value>, next: Option<String>) -> String {
    Value::Object(page_of(items, next)).to_string()
}

/// The same, for a list that says more beside its items.
pub fn page_of(items: Vec<Value>, next: Option<String>) -> Map<String, Value> {
    let mut page = Map::from_iter([("items".to_owned(), Value::Array(items))]);
    if let Some(next) = next {
        page.insert("next".to_owned(), next.into());
    }
    page
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_limit_is_a_small_plain_number() {
        assert_eq!("200".parse::<Limit>().map(Limit::rows), Ok(201));
        for bad in ["", "0", "201", "-1", "+5", "1e2", "５", "256", "99999999999"] {
            assert_eq!(bad.parse::<Limit>(), Err(BadLimit), "{bad}");
        }
    }

    #[test]
    fn the_row_too_many_is_the_next_page() {
        let limit: Limit = "2".parse().unwrap();
        let mut rows = vec![1, 2, 3];
        assert!(limit.cut(&mut rows));
        assert_eq!(rows, [1, 2]);
        assert!(!limit.cut(&mut rows));
        assert_eq!(page(vec![json!(1)], None), r#"{"items":[1]}"#);
    }
}
