//! 横浜市「保育所等の入所状況」: three sheets a month, each a title, a header and a row per facility.

use std::collections::HashMap;

use csv::StringRecord;
use jiff::civil::Date;
use unicode_normalization::UnicodeNormalization;

use super::{
    BadSheet, Column, Measure, Place, Reason, Refusal,
    decode::{TextEncoding, decode},
};
use crate::domain::{
    municipality::MunicipalityCode,
    partial_date::{BadPartialDate, PartialDate},
    service::{AgeCounts, FacilityNumber},
};

/// The wards of Yokohama by their 標準地域コード, 14101 to 14118. A closed list lets a row whose ward and
/// code contradict each other be seen.
const WARDS: [&str; 18] = [
    "鶴見区",
    "神奈川区",
    "西区",
    "中区",
    "南区",
    "保土ケ谷区",
    "磯子区",
    "金沢区",
    "港北区",
    "戸塚区",
    "港南区",
    "旭区",
    "緑区",
    "瀬谷区",
    "栄区",
    "泉区",
    "青葉区",
    "都筑区",
];
const FIRST_WARD: usize = 14101;

/// The largest facilities have some hundreds of children; more than this is a slip of the pen.
const MOST_CHILDREN: u32 = 9_999;
const LONGEST_NAME: usize = 100;

/// One sheet: what could be read and what was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    pub measure: Measure,
    /// The day the numbers speak of, from the title.
    pub as_of: Date,
    pub encoding: TextEncoding,
    pub rows: Vec<Row>,
    pub refused: Vec<Refusal>,
}

impl Sheet {
    /// Rows with anything in them, taken or refused.
    pub fn rows_read(&self) -> usize {
        self.rows.len() + self.refused.len()
    }
}

/// One facility's numbers in one sheet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The line of the file, counted from 1 with the title.
    pub row: usize,
    pub number: FacilityNumber,
    pub name: String,
    pub municipality: MunicipalityCode,
    pub ward: &'static str,
    pub counts: AgeCounts,
    pub updated_on: Date,
}

/// What is wrong with a row, and in which column if it is one.
type Fault = (Option<Column>, Reason);

/// Reads one sheet in UTF-8 or Shift_JIS. A file without the title or a column is refused as a whole;
/// a damaged row is refused alone, with its first fault.
pub fn read(bytes: &[u8]) -> Result<Sheet, BadSheet> {
    let decoded = decode(bytes)?;
    let mut lines = decoded.text.lines().zip(1..);
    let (measure, as_of) = read_title(lines.next().map_or("", |(line, _)| line))?;
    let header = Header::read(lines.next().map_or("", |(line, _)| line))?;
    let mut sheet =
        Sheet { measure, as_of, encoding: decoded.encoding, rows: Vec::new(), refused: Vec::new() };
    let mut first_rows = HashMap::new();
    for (line, row) in lines.filter(|(line, _)| line.chars().any(|c| c != ',' && !c.is_whitespace())) {
        let read = read_row(&header, line, row).and_then(|taken| {
            let first = *first_rows.entry(taken.number.clone()).or_insert(row);
            if first == row { Ok(taken) } else { Err((Some(Column::Number), Reason::Repeated { first })) }
        });
        match read {
            Ok(taken) => sheet.rows.push(taken),
            Err((column, reason)) => {
                let place = match column {
                    Some(column) => Place::Cell { measure, row, column },
                    None => Place::Row { measure, row },
                };
                sheet.refused.push(Refusal { place, reason });
            }
        }
    }
    Ok(sheet)
}

/// `受入可能数【令和8年2月1日時点】`
fn read_title(line: &str) -> Result<(Measure, Date), BadSheet> {
    let title = folded(line.trim_end_matches(','));
    let (label, rest) = title.trim_matches('"').split_once('【').ok_or(BadSheet::Title)?;
    let measure = Measure::ALL.iter().find(|m| m.label_ja() == label.trim()).ok_or(BadSheet::Title)?;
    let date = rest.strip_suffix("時点】").ok_or(BadSheet::Title)?;
    let date = PartialDate::parse_wareki(date).map_err(BadSheet::TitleDate)?;
    if date.earliest() != date.latest() {
        return Err(BadSheet::TitleDate(BadPartialDate::WarekiForm));
    }
    Ok((*measure, date.earliest()))
}

/// Where each column stands. Their order is free and further columns are passed over, so that a column
/// added by the city does not stop the import.
struct Header {
    places: [usize; Column::ALL.len()],
    cells: usize,
}

impl Header {
    fn read(line: &str) -> Result<Self, BadSheet> {
        let labels: Vec<String> = cells_of(line).iter().map(folded).collect();
        let mut places = [0; Column::ALL.len()];
        for column in Column::ALL {
            let mut found = labels.iter().enumerate().filter(|(_, label)| *label == column.label_ja());
            places[*column as usize] = found.next().ok_or(BadSheet::ColumnMissing(*column))?.0;
            if found.next().is_some() {
                return Err(BadSheet::ColumnRepeated(*column));
            }
        }
        Ok(Self { places, cells: labels.len() })
    }
}

fn read_row(header: &Header, line: &str, row: usize) -> Result<Row, Fault> {
    if line.matches('"').count() % 2 == 1 {
        return Err((None, Reason::OpenQuote));
    }
    let record = cells_of(line);
    if record.len() != header.cells {
        return Err((None, Reason::Cells { found: record.len(), expected: header.cells }));
    }
    let cell = |column: Column| {
        let text = record.get(header.places[column as usize]).unwrap_or_default().trim();
        check_text(text).map_err(|reason| (Some(column), reason)).map(|()| text)
    };
    let municipality = MunicipalityCode::parse(&folded(cell(Column::Municipality)?))
        .map_err(|why| (Some(Column::Municipality), Reason::Municipality(why)))?;
    let written = folded(cell(Column::Ward)?).replace('ヶ', "ケ");
    let ward =
        ward_of(&municipality).filter(|ward| **ward == written).ok_or((Some(Column::Ward), Reason::Ward))?;
    let name = cell(Column::Name)?;
    if name.chars().count() > LONGEST_NAME {
        return Err((Some(Column::Name), Reason::TooLong { most: LONGEST_NAME }));
    }
    let number = folded(cell(Column::Number)?);
    let number =
        number.parse().ok().filter(|_| number.len() == 13).ok_or((Some(Column::Number), Reason::Number))?;
    let updated_on = slashed_date(cell(Column::Updated)?).ok_or((Some(Column::Updated), Reason::NotADate))?;
    let count = |column| read_count(cell(column)?).map_err(|reason| (Some(column), reason));
    let mut counts = [None; 6];
    for (place, column) in counts.iter_mut().zip(Column::AGES) {
        *place = count(column)?;
    }
    let counts = AgeCounts::new(counts);
    let stated = count(Column::Total)?.map(u64::from);
    if counts.total() != stated {
        return Err((Some(Column::Total), Reason::Total { sum: counts.total(), stated }));
    }
    Ok(Row { row, number, name: name.to_owned(), municipality, ward, counts, updated_on })
}

/// The cells of one line. Each line is parsed for itself: a stray quotation mark would otherwise swallow
/// every row after it, and no cell of these sheets holds a line break.
fn cells_of(line: &str) -> StringRecord {
    let mut record = StringRecord::new();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(line.as_bytes());
    match reader.read_record(&mut record) {
        Ok(true) => record,
        // Text in memory cannot fail to be read; an empty line has no cells.
        Ok(false) | Err(_) => StringRecord::new(),
    }
}

fn check_text(cell: &str) -> Result<(), Reason> {
    if cell.is_empty() {
        return Err(Reason::Empty);
    }
    for character in cell.chars() {
        match character {
            '\u{FFFD}' => return Err(Reason::Undecodable),
            '\u{E000}'..='\u{F8FF}' => return Err(Reason::PrivateUse),
            c if c.is_control() => return Err(Reason::Control),
            _ => {}
        }
    }
    Ok(())
}

/// `-` is a class that is not offered, in half or full width; nothing else may stand for a missing number.
fn read_count(cell: &str) -> Result<Option<u32>, Reason> {
    let cell = folded(cell);
    if cell == "-" {
        return Ok(None);
    }
    if !cell.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Reason::NotACount);
    }
    match cell.parse() {
        Ok(count) if count <= MOST_CHILDREN => Ok(Some(count)),
        _ => Err(Reason::TooMany { most: MOST_CHILDREN }),
    }
}

fn ward_of(municipality: &MunicipalityCode) -> Option<&'static str> {
    let code: usize = municipality.jis5().parse().ok()?;
    WARDS.get(code.checked_sub(FIRST_WARD)?).copied()
}

/// `2026/02/01`; spreadsheets also write `2026/2/1`.
fn slashed_date(cell: &str) -> Option<Date> {
    let cell = folded(cell);
    let parts: Vec<&str> = cell.split('/').collect();
    let [year, month, day] = <[&str; 3]>::try_from(parts).ok()?;
    PartialDate::parse(&format!("{year}-{month:0>2}-{day:0>2}")).ok().map(PartialDate::earliest)
}

/// Half and full width are one in numbers, labels and dates; names are left as they are.
fn folded(text: impl AsRef<str>) -> String {
    text.as_ref().trim().nfkc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::service::AgeClass;
    use jiff::civil::date;

    const TITLE: &str = "受入可能数【令和8年2月1日時点】";
    const HEADER: &str = "施設所在区,標準地域コード,施設・事業名,施設番号,０歳児,１歳児,２歳児,３歳児,４歳児,５歳児,合計,更新日";
    const GOOD: &str = "鶴見区,14101,横浜市馬場保育園,1410051018778,0,0,0,0,1,3,4,2026/02/01";

    fn sheet_of(rows: &[&str]) -> Sheet {
        read(format!("{TITLE}\r\n{HEADER}\r\n{}\r\n", rows.join("\r\n")).as_bytes()).unwrap()
    }

    /// The one refusal of a sheet whose other row stays good.
    fn fault_of(damaged: &str) -> (usize, Option<Column>, Reason) {
        let other = GOOD.replace("8778", "9999");
        let mut sheet = sheet_of(&[damaged, &other]);
        assert_eq!(sheet.rows.len(), 1, "the good row goes on: {damaged}");
        let refusal = sheet.refused.pop().expect("the damaged row is refused");
        assert!(sheet.refused.is_empty());
        match refusal.place {
            Place::Cell { row, column, .. } => (row, Some(column), refusal.reason),
            Place::Row { row, .. } => (row, None, refusal.reason),
            Place::Facility(_) => panic!("a sheet refuses rows"),
        }
    }

    #[test]
    fn a_damaged_row_is_refused_with_its_row_its_column_and_the_reason() {
        use Column::*;
        for (from, to, column, reason) in [
            (
                ",0,0,0,0,1,3,4,",
                ",0,0,0,0,1,3,5,",
                Some(Total),
                Reason::Total { sum: Some(4), stated: Some(5) },
            ),
            (",0,0,0,0,1,3,4,", ",0,0,0,0,1,3,-,", Some(Total), Reason::Total { sum: Some(4), stated: None }),
            (",0,0,0,0,1,3,4,", ",-,-,-,-,-,-,0,", Some(Total), Reason::Total { sum: None, stated: Some(0) }),
            (",0,0,0,0,1,3,4,", ",0,,0,0,1,3,4,", Some(Age1), Reason::Empty),
            (",0,0,0,0,1,3,4,", ",0,○,0,0,1,3,4,", Some(Age1), Reason::NotACount),
            (",0,0,0,0,1,3,4,", ",0,-1,0,0,1,3,3,", Some(Age1), Reason::NotACount),
            (",0,0,0,0,1,3,4,", ",0,0.5,0,0,1,3,4,", Some(Age1), Reason::NotACount),
            (",0,0,0,0,1,3,4,", ",0,99999999999,0,0,1,3,4,", Some(Age1), Reason::TooMany { most: 9_999 }),
            (",3,4,", ",3,", None, Reason::Cells { found: 11, expected: 12 }),
            (",3,4,", ",3,4,4,", None, Reason::Cells { found: 13, expected: 12 }),
            ("横浜市", "\"横浜市", None, Reason::OpenQuote),
            ("横浜市", "横浜\u{FFFD}", Some(Name), Reason::Undecodable),
            ("横浜市", "横浜\u{E000}", Some(Name), Reason::PrivateUse),
            ("横浜市", "横浜\u{7}", Some(Name), Reason::Control),
            ("横浜市馬場保育園", "", Some(Name), Reason::Empty),
            ("鶴見区", "西区", Some(Ward), Reason::Ward),
            ("鶴見区", "鶴\u{FFFD}", Some(Ward), Reason::Undecodable),
            ("14101", "14201", Some(Ward), Reason::Ward),
            (
                "14101",
                "141012",
                Some(Municipality),
                Reason::Municipality(crate::domain::municipality::BadMunicipalityCode::CheckDigit {
                    right: '1',
                }),
            ),
            ("1410051018778", "141005101877", Some(Number), Reason::Number),
            ("1410051018778", "1410051018_78", Some(Number), Reason::Number),
            ("2026/02/01", "2026/02/30", Some(Updated), Reason::NotADate),
            ("2026/02/01", "2/1", Some(Updated), Reason::NotADate),
        ] {
            assert_eq!(fault_of(&GOOD.replace(from, to)), (3, column, reason), "{from} -> {to}");
        }
    }

    #[test]
    fn a_row_of_dashes_is_a_facility_without_numbers() {
        let sheet = sheet_of(&[&GOOD.replace(",0,0,0,0,1,3,4,", ",-,-,-,－,-,-,-,")]);
        assert_eq!(sheet.rows[0].counts, AgeCounts::UNKNOWN);
        assert_eq!(sheet.rows[0].counts.get(AgeClass::ALL[0]), None);
    }

    #[test]
    fn a_number_that_comes_twice_keeps_its_first_row() {
        let sheet = sheet_of(&[GOOD, "", ",,,", GOOD]);
        assert_eq!((sheet.rows.len(), sheet.rows_read()), (1, 2));
        let place = Place::Cell { measure: Measure::Accepting, row: 6, column: Column::Number };
        assert_eq!(sheet.refused, [Refusal { place, reason: Reason::Repeated { first: 3 } }]);
    }

    #[test]
    fn what_spreadsheets_do_to_a_file_is_borne() {
        let text = format!(
            "\"{}\",,,\n備考,{HEADER}\n,{}\n",
            TITLE.replace('8', "８"),
            GOOD.replace("2026/02/01", "2026/2/1").replace("横浜市馬場保育園", "\"横浜市,馬場保育園\""),
        );
        let sheet = read(text.as_bytes()).unwrap();
        assert_eq!(sheet.refused, []);
        assert_eq!((sheet.rows[0].name.as_str(), sheet.as_of), ("横浜市,馬場保育園", date(2026, 2, 1)));
    }

    #[test]
    fn a_file_without_title_date_or_column_is_refused_as_a_whole() {
        let try_read =
            |title: &str, header: &str| read(format!("{title}\n{header}\n{GOOD}\n").as_bytes()).map(|_| ());
        assert_eq!(try_read(TITLE, HEADER), Ok(()));
        assert_eq!(try_read("空き状況【令和8年2月1日時点】", HEADER), Err(BadSheet::Title));
        assert_eq!(try_read("受入可能数", HEADER), Err(BadSheet::Title));
        let dated = |title| try_read(title, HEADER);
        assert_eq!(
            dated("受入可能数【令和8年2月30日時点】"),
            Err(BadSheet::TitleDate(BadPartialDate::NotInCalendar))
        );
        assert_eq!(
            dated("受入可能数【令和8年2月時点】"),
            Err(BadSheet::TitleDate(BadPartialDate::WarekiForm))
        );
        let without = HEADER.replace("３歳児", "三歳児");
        assert_eq!(try_read(TITLE, &without), Err(BadSheet::ColumnMissing(Column::Age3)));
        let twice = HEADER.replace("３歳児", "２歳児");
        assert_eq!(try_read(TITLE, &twice), Err(BadSheet::ColumnRepeated(Column::Age2)));
        assert_eq!(read(TITLE.as_bytes()), Err(BadSheet::ColumnMissing(Column::Ward)));
    }
}
