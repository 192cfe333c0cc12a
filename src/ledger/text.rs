//! SQL texts built by the compiler: every statement is a constant, also those of many rows.

/// The length of `parts` joined.
pub(super) const fn joined_len(parts: &[&str]) -> usize {
    let (mut len, mut i) = (0, 0);
    while i < parts.len() {
        len += parts[i].len();
        i += 1;
    }
    len
}

/// `parts` joined, as bytes; `N` is their [`joined_len`].
pub(super) const fn joined<const N: usize>(parts: &[&str]) -> [u8; N] {
    let mut out = [0; N];
    let (mut at, mut i) = (0, 0);
    while i < parts.len() {
        let part = parts[i].as_bytes();
        let mut j = 0;
        while j < part.len() {
            out[at] = part[j];
            at += 1;
            j += 1;
        }
        i += 1;
    }
    out
}

const fn digits(mut n: usize) -> usize {
    let mut count = 1;
    while n >= 10 {
        n /= 10;
        count += 1;
    }
    count
}

/// The length of `head VALUES ($1,…),(…) tail` for `rows` rows of `columns` columns.
pub(super) const fn insert_len(head: &str, columns: usize, rows: usize, tail: &str) -> usize {
    let mut len = head.len() + tail.len() + rows * 2 + rows - 1;
    let mut n = 1;
    while n <= columns * rows {
        len += 1 + digits(n);
        n += 1;
    }
    len + rows * (columns - 1)
}

/// The text measured by [`insert_len`].
pub(super) const fn insert<const N: usize>(head: &str, columns: usize, rows: usize, tail: &str) -> [u8; N] {
    let mut out = [0; N];
    let mut at = 0;
    let head = head.as_bytes();
    while at < head.len() {
        out[at] = head[at];
        at += 1;
    }
    let mut row = 0;
    while row < rows {
        if row > 0 {
            out[at] = b',';
            at += 1;
        }
        out[at] = b'(';
        at += 1;
        let mut column = 1;
        while column <= columns {
            if column > 1 {
                out[at] = b',';
                at += 1;
            }
            out[at] = b'$';
            at += 1;
            let number = row * columns + column;
            let width = digits(number);
            let (mut rest, mut place) = (number, width);
            while place > 0 {
                place -= 1;
                out[at + place] = b'0' + (rest % 10) as u8;
                rest /= 10;
            }
            at += width;
            column += 1;
        }
        out[at] = b')';
        at += 1;
        row += 1;
    }
    let tail = tail.as_bytes();
    let mut i = 0;
    while i < tail.len() {
        out[at] = tail[i];
        at += 1;
        i += 1;
    }
    out
}

/// Bytes joined from string slices are UTF-8 again.
pub(super) const fn utf8(bytes: &'static [u8]) -> &'static str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => panic!("joined from string slices"),
    }
}

/// Joins constant texts into one constant text.
macro_rules! sql {
    ($($part:expr),+ $(,)?) => {{
        const PARTS: &[&str] = &[$($part),+];
        const LEN: usize = $crate::ledger::text::joined_len(PARTS);
        const TEXT: &[u8; LEN] = &$crate::ledger::text::joined(PARTS);
        $crate::ledger::text::utf8(TEXT)
    }};
}

/// Names the statements of a file and lists them, so that a test can prepare each on both engines.
macro_rules! statements {
    ($($(#[$meta:meta])* $name:ident = [$($part:expr),+ $(,)?];)+) => {
        $($(#[$meta])* const $name: &str = $crate::ledger::text::sql!($($part),+);)+
        #[cfg(test)]
        pub(super) const STATEMENTS: &[(&str, &str)] = &[$((stringify!($name), $name)),+];
    };
}

pub(super) use {sql, statements};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_rows_are_numbered_through() {
        const HEAD: &str = "INSERT INTO t (a, b) VALUES ";
        const N: usize = insert_len(HEAD, 2, 6, " ON CONFLICT DO NOTHING");
        const TEXT: &[u8; N] = &insert(HEAD, 2, 6, " ON CONFLICT DO NOTHING");
        assert_eq!(
            utf8(TEXT),
            "INSERT INTO t (a, b) VALUES ($1,$2),($3,$4),($5,$6),($7,$8),($9,$10),($11,$12) ON CONFLICT DO NOTHING"
        );
    }
}
