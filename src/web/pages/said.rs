//! Fixed texts as HTML, with readings over their kanji. What comes from outside never passes here.

use std::fmt;

use jiff::civil::Date;

use crate::domain::language::FormLanguage;

/// A text of this program. `{漢字|かんじ}` becomes a kanji with its reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said(pub &'static str);

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut pieces = self.0.split('{');
        f.write_str(pieces.next().unwrap_or_default())?;
        for piece in pieces {
            let (reading, rest) = piece.split_once('}').unwrap_or((piece, ""));
            let (kanji, kana) = reading.split_once('|').unwrap_or((reading, ""));
            write!(f, "<ruby>{kanji}<rp>(</rp><rt>{kana}</rt><rp>)</rp></ruby>{rest}")?;
        }
        Ok(())
    }
}

/// Its text is the program's own and has no mark-up but the readings; the tests hold the texts to that.
impl askama::filters::HtmlSafe for Said {}

/// A style sheet or another piece of mark-up of this program.
#[derive(Clone, Copy)]
pub struct Markup(pub &'static str);

impl fmt::Display for Markup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl askama::filters::HtmlSafe for Markup {}

/// A day, a month or a year, as the reader's language writes it.
#[derive(Clone, Copy, Debug)]
pub struct Day {
    language: FormLanguage,
    year: i16,
    month: Option<i8>,
    day: Option<i8>,
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

impl Day {
    pub fn of(date: Date, language: FormLanguage) -> Self {
        Self { language, year: date.year(), month: Some(date.month()), day: Some(date.day()) }
    }

    /// As much of a birth date as is known: `2023`, `2023-05` or `2023-05-20`.
    pub fn partial(text: &str, language: FormLanguage) -> Option<Self> {
        let mut parts = text.split('-');
        let year = parts.next()?.parse().ok()?;
        let month = parts.next().and_then(|part| part.parse().ok()).filter(|month| (1..=12).contains(month));
        let day = parts.next().and_then(|part| part.parse().ok());
        Some(Self { language, year, month, day })
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, .. } = self;
        if self.language == FormLanguage::English {
            if let Some(day) = self.day {
                write!(f, "{day} ")?;
            }
            let month = self.month.and_then(|month| MONTHS.get(usize::try_from(month).ok()?.checked_sub(1)?));
            return match month {
                Some(month) => write!(f, "{month} {year}"),
                None => write!(f, "{year}"),
            };
        }
        let [years, months, days] = match self.language {
            FormLanguage::Easy => ["{年|ねん}", "{月|がつ}", "{日|にち}"],
            FormLanguage::Japanese | FormLanguage::English => ["年", "月", "日"],
        };
        write!(f, "{year}{}", Said(years))?;
        if let Some(month) = self.month {
            write!(f, "{month}{}", Said(months))?;
        }
        match self.day {
            Some(day) => write!(f, "{day}{}", Said(days)),
            None => Ok(()),
        }
    }
}

impl askama::filters::HtmlSafe for Day {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_stands_over_its_kanji() {
        assert_eq!(Said("あ").to_string(), "あ");
        assert_eq!(Said("{子|こ}ども").to_string(), "<ruby>子<rp>(</rp><rt>こ</rt><rp>)</rp></ruby>ども");
    }

    #[test]
    fn a_day_is_written_as_its_reader_writes_it() {
        let of = |text, language| Day::partial(text, language).unwrap().to_string();
        assert_eq!(of("2023-05-09", FormLanguage::Japanese), "2023年5月9日");
        assert_eq!(of("2023-05", FormLanguage::English), "May 2023");
        assert_eq!(of("2023", FormLanguage::Japanese), "2023年");
        assert_eq!(of("2023", FormLanguage::Easy), "2023<ruby>年<rp>(</rp><rt>ねん</rt><rp>)</rp></ruby>");
        assert!(Day::partial("<b>", FormLanguage::Japanese).is_none());
        assert_eq!(of("2023-13", FormLanguage::English), "2023");
    }
}
