//! Reading the sheets a municipality publishes into facility records. Pure: bytes in, a plan out.
//!
//! The way of a file: [`decode`] finds the encoding, [`yokohama::read`] turns it into typed rows and
//! refuses the damaged ones, [`import::merge`] joins the sheets of one day, and
//! [`import::plan_import`] compares them with what is held. Nothing is written here.

use jiff::civil::Date;

use crate::{
    code_list,
    domain::{municipality::BadMunicipalityCode, partial_date::BadPartialDate, service::FacilityNumber},
};

pub mod decode;
pub mod import;
#[cfg(test)]
mod published;
pub mod yokohama;

code_list! {
    /// What the numbers of a sheet count; its title names it.
    Measure, "measure" {
        Accepting = "accepting", "受入可能数", "children it can take";
        Waiting = "waiting", "入所待ち人数", "children waiting";
        Enrolled = "enrolled", "入所児童数", "children attending";
    }
}

code_list! {
    /// The columns of a sheet. The Japanese label is the header the city writes.
    Column, "column" {
        Ward = "ward", "施設所在区", "ward";
        Municipality = "municipality", "標準地域コード", "area code";
        Name = "name", "施設・事業名", "facility";
        Number = "number", "施設番号", "facility number";
        Age0 = "age_0", "0歳児", "age 0";
        Age1 = "age_1", "1歳児", "age 1";
        Age2 = "age_2", "2歳児", "age 2";
        Age3 = "age_3", "3歳児", "age 3";
        Age4 = "age_4", "4歳児", "age 4";
        Age5 = "age_5", "5歳児", "age 5";
        Total = "total", "合計", "total";
        Updated = "updated", "更新日", "updated on";
    }
}

impl Column {
    /// The columns of the age classes 0 to 5.
    pub const AGES: [Self; 6] = [Self::Age0, Self::Age1, Self::Age2, Self::Age3, Self::Age4, Self::Age5];
}

/// Why a whole file, or a set of files, cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSheet {
    #[error("the file is empty")]
    Empty,
    #[error("the file is written in {name}; save it as CSV in UTF-8 or Shift_JIS and try again")]
    Encoding { name: &'static str },
    #[error("line 1 is not a title such as 受入可能数【令和8年2月1日時点】")]
    Title,
    #[error("the date in the title on line 1 cannot be read: {0}")]
    TitleDate(BadPartialDate),
    #[error("the header on line 2 has no column {}", .0.label_ja())]
    ColumnMissing(Column),
    #[error("the header on line 2 names the column {} twice", .0.label_ja())]
    ColumnRepeated(Column),
    #[error("two of the files both give {}; give each measure once", .0.label_ja())]
    MeasureRepeated(Measure),
    #[error("the files speak of different days, {one} and {other}; give files of one day")]
    DatesDiffer { one: Date, other: Date },
}

impl BadSheet {
    /// The same for Japanese readers.
    pub fn message_ja(&self) -> String {
        match self {
            Self::Empty => "ファイルが空です".into(),
            Self::Encoding { name } => {
                format!("ファイルの形式が{name}です。UTF-8またはShift_JISのCSVで保存し直してください")
            }
            Self::Title => "1行目が「受入可能数【令和8年2月1日時点】」のような表題ではありません".into(),
            Self::TitleDate(_) => "1行目の表題の日付を読み取れません".into(),
            Self::ColumnMissing(column) => format!("2行目の見出しに「{}」がありません", column.label_ja()),
            Self::ColumnRepeated(column) => format!("2行目の見出しに「{}」が2つあります", column.label_ja()),
            Self::MeasureRepeated(measure) => {
                format!("「{}」のファイルが2つあります。1つにしてください", measure.label_ja())
            }
            Self::DatesDiffer { one, other } => {
                format!("時点の異なるファイルです（{one}と{other}）。同じ時点のものをそろえてください")
            }
        }
    }
}

/// A row, or a facility, that is left out, and why. The others go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct Refusal {
    pub place: Place,
    pub reason: Reason,
}

impl Refusal {
    /// The same for Japanese readers.
    pub fn message_ja(&self) -> String {
        let place = match &self.place {
            Place::Cell { measure, row, column } => {
                format!("「{}」{row}行目「{}」", measure.label_ja(), column.label_ja())
            }
            Place::Row { measure, row } => format!("「{}」{row}行目", measure.label_ja()),
            Place::Facility(number) => format!("施設番号{number}"),
        };
        format!("{place}：{}", self.reason.message_ja())
    }
}

/// What is refused. Rows are lines of the file, counted from 1 with the title.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Place {
    #[error("{measure}, row {row}, column {}", .column.label_ja())]
    Cell { measure: Measure, row: usize, column: Column },
    #[error("{measure}, row {row}")]
    Row { measure: Measure, row: usize },
    #[error("facility {0}")]
    Facility(FacilityNumber),
}

/// Why a row or a facility is refused. The data are public, so counts are told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    #[error("contains bytes that are no characters of the file's encoding")]
    Undecodable,
    #[error("contains a private-use character (外字)")]
    PrivateUse,
    #[error("contains a control character")]
    Control,
    #[error("has {found} cells where the header has {expected}")]
    Cells { found: usize, expected: usize },
    #[error("has a quotation mark that is not closed on the same line")]
    OpenQuote,
    #[error("is empty; a class that is not offered is written -")]
    Empty,
    #[error("is neither a whole number nor -")]
    NotACount,
    #[error("is above {most}, which no facility reaches")]
    TooMany { most: u32 },
    #[error("does not add up: the age classes give {}, the total says {}", shown(*.sum), shown(*.stated))]
    Total { sum: Option<u64>, stated: Option<u64> },
    #[error(transparent)]
    Municipality(BadMunicipalityCode),
    #[error("the ward and the area code do not belong together")]
    Ward,
    #[error("is no facility number of 13 digits")]
    Number,
    #[error("has more than {most} characters")]
    TooLong { most: usize },
    #[error("is no date written like 2026/02/01")]
    NotADate,
    #[error("the facility number stands on row {first} already")]
    Repeated { first: usize },
    #[error("stands in another sheet but not, undamaged, among {}", .0.label_ja())]
    MissingIn(Measure),
    #[error("the sheets disagree about its {}", .0.label_en())]
    Contradiction(Column),
    #[error("what is held is of {held}, later than the sheet")]
    Older { held: Date },
}

impl Reason {
    /// The same for Japanese readers.
    pub fn message_ja(&self) -> String {
        match self {
            Self::Undecodable => "文字として読めないバイトがあります".into(),
            Self::PrivateUse => "外字（私用領域の文字）があります".into(),
            Self::Control => "制御文字があります".into(),
            Self::Cells { found, expected } => format!("見出しの{expected}列に対し{found}列あります"),
            Self::OpenQuote => "引用符が同じ行で閉じていません".into(),
            Self::Empty => "空欄です（設定のない年齢は「-」と書きます）".into(),
            Self::NotACount => "整数でも「-」でもありません".into(),
            Self::TooMany { most } => format!("{most}を超えています"),
            Self::Total { sum, stated } => {
                format!("年齢別の計{}と合計欄{}が合いません", shown(*sum), shown(*stated))
            }
            Self::Municipality(_) => "標準地域コードの形または検査数字が正しくありません".into(),
            Self::Ward => "区名と標準地域コードが合いません".into(),
            Self::Number => "13桁の施設番号ではありません".into(),
            Self::TooLong { most } => format!("{most}文字を超えています"),
            Self::NotADate => "2026/02/01のような日付ではありません".into(),
            Self::Repeated { first } => format!("同じ施設番号が{first}行目にあります"),
            Self::MissingIn(measure) => {
                format!("他の表にはありますが「{}」に正しい行がありません", measure.label_ja())
            }
            Self::Contradiction(column) => format!("表によって「{}」が異なります", column.label_ja()),
            Self::Older { held } => format!("登録済みの情報（{held}時点）より古い表です"),
        }
    }
}

/// A count as the sheets write it.
fn shown(count: Option<u64>) -> String {
    count.map_or_else(|| "-".into(), |count| count.to_string())
}
