//! Takes published sheets into the directory of services: read, compare with what is held, write what differs.
//!
//! Each write is a bounded part of the whole. An import that was cut short has left good rows behind, and
//! importing the same files again goes on where it stopped.

use super::{
    Context,
    directory::vacancy,
    sheet::{
        BadSheet, Refusal,
        import::{ImportPlan, Merged, merge, plan_import},
        yokohama,
    },
};
use crate::{
    code_list,
    domain::{
        ids::ServiceId,
        problem::{Problem, ProblemKind},
        service::{AgeCounts, Facilities, Facility, FacilityNumber},
    },
    ledger::{
        Rows, Step, Write, WriteError,
        service::{ServiceRow, UpdateService},
    },
};

code_list! {
    /// Where services come from. The label names the publisher and the licence, as the licence asks.
    Source, "source of services" {
        Yokohama = "yokohama", "横浜市「保育所等の入所状況」（CC BY 4.0、加工して作成）",
            "City of Yokohama, places in nurseries (CC BY 4.0, processed)";
    }
}

/// Rows of one write: few enough that what waits behind it does not wait long.
const PART: usize = 500;

/// What an import did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Rows of all sheets together, taken or refused.
    pub rows_read: usize,
    /// Facilities that stand undamaged in every sheet.
    pub facilities: usize,
    pub created: usize,
    pub changed: usize,
    pub unchanged: usize,
    /// Held from the same source but not in the sheets; they are left as they are.
    pub absent: usize,
    /// Rows and facilities that were left out, each with its reason.
    pub refused: Vec<Refusal>,
}

/// Why nothing, or not everything, was imported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// One file cannot be read; nothing was written.
    #[error("file {}: {why}", .place + 1)]
    File {
        /// Which of the files, counted from 0.
        place: usize,
        why: BadSheet,
    },
    /// The files do not belong together; nothing was written.
    #[error(transparent)]
    Together(BadSheet),
    /// The ledger did not answer, or did not take all of it.
    #[error(transparent)]
    Ledger(Box<Problem>),
}

impl From<Problem> for ImportError {
    fn from(problem: Problem) -> Self {
        Self::Ledger(Box::new(problem))
    }
}

/// Imports the sheets of one day, given as the bytes of their files. `progress` is told how many rows of how
/// many are written.
///
/// # Errors
/// See [`ImportError`]; a damaged row is no error but a refusal.
pub async fn import(
    context: &Context,
    sheets: &[Vec<u8>],
    mut progress: impl FnMut(usize, usize),
) -> Result<Imported, ImportError> {
    let merged = read(sheets)?;
    let facilities = merged.facilities.len();
    let held = held(context).await?;
    let existing: Facilities = held.iter().map(|(_, f)| (f.number.clone(), f.clone())).collect();
    let plan = plan_import(&existing, merged);
    let imported = Imported {
        rows_read: plan.rows_read,
        facilities,
        created: plan.created.len(),
        changed: plan.changed.len(),
        unchanged: plan.unchanged.len(),
        absent: plan.absent.len(),
        refused: plan.refused.clone(),
    };
    let total = imported.created + imported.changed;
    let mut done = 0;
    for (rows, write) in writes(context, &held, &plan) {
        context.ledger.write(write).await.map_err(told)?;
        done += rows;
        progress(done, total);
    }
    Ok(imported)
}

fn read(sheets: &[Vec<u8>]) -> Result<Merged, ImportError> {
    let sheet = |(place, bytes): (usize, &Vec<u8>)| {
        yokohama::read(bytes).map_err(|why| ImportError::File { place, why })
    };
    let sheets: Vec<_> = sheets.iter().enumerate().map(sheet).collect::<Result<_, _>>()?;
    merge(sheets).map_err(ImportError::Together)
}

/// Everything the ledger holds from the source, in the order of the facility numbers.
async fn held(context: &Context) -> Result<Vec<(ServiceId, Facility)>, Problem> {
    let (mut held, mut after) = (Vec::new(), String::new());
    loop {
        let rows = context.ledger.services_of(Source::Yokohama.code(), &after, PART as i64).await?;
        let Some(last) = rows.last() else { return Ok(held) };
        after.clone_from(&last.number);
        for row in rows {
            held.push((row.id, facility(row)?));
        }
    }
}

fn facility(row: ServiceRow) -> Result<Facility, Problem> {
    Ok(Facility {
        number: row.number.parse().map_err(|_| ProblemKind::Internal)?,
        vacancy: vacancy(&row),
        name: row.name,
        kind: row.kind,
        municipality: row.municipality,
        ward: row.ward,
    })
}

/// The bounded writes of a plan, each with its number of rows.
fn writes(context: &Context, held: &[(ServiceId, Facility)], plan: &ImportPlan) -> Vec<(usize, Write)> {
    let now = context.clock.now();
    let row = |id: ServiceId, facility: &Facility| {
        let unknown = AgeCounts::UNKNOWN;
        let counts = facility.vacancy.map_or([unknown; 3], |v| [v.accepting, v.waiting, v.enrolled]);
        let [accepting, waiting, enrolled] = counts;
        ServiceRow {
            id,
            source: Source::Yokohama.code().to_owned(),
            number: facility.number.to_string(),
            kind: facility.kind,
            name: facility.name.clone(),
            municipality: facility.municipality,
            ward: facility.ward.clone(),
            as_of: facility.vacancy.map(|vacancy| vacancy.as_of),
            accepting,
            waiting,
            enrolled,
            changed_at: now,
        }
    };
    let id_of = |number: &FacilityNumber| {
        let place = held.binary_search_by(|(_, f)| f.number.cmp(number));
        held[place.expect("invariant: only what is held can have changed")].0
    };
    let created = plan.created.chunks(PART).map(|part| {
        let services = part.iter().map(|facility| row(context.clock.new_id(), facility)).collect();
        (part.len(), Write { rows: Rows { services, ..Rows::default() }, ..Write::default() })
    });
    let changed = plan.changed.chunks(PART).map(|part| {
        let update = |f: &Facility| Step::UpdateService(Box::new(UpdateService(row(id_of(&f.number), f))));
        (part.len(), Write { steps: part.iter().map(update).collect(), ..Write::default() })
    });
    created.chain(changed).collect()
}

/// A row that came or went while this import ran was moved by another import. What it wrote is good, and
/// the next comparison sees it.
fn told(error: WriteError) -> Problem {
    match error {
        WriteError::Duplicate(_) | WriteError::Stale => ProblemKind::Busy.into(),
        error => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usecases::{
        sheet::{Column, Measure, Place, Reason},
        testing::{hub, yokohama_sheets},
    };

    fn counts(imported: &Imported) -> [usize; 6] {
        let Imported { rows_read, facilities, created, changed, unchanged, .. } = *imported;
        [rows_read, facilities, created, changed, unchanged, imported.refused.len()]
    }

    #[tokio::test]
    async fn the_published_sheets_are_created_once_and_then_unchanged() {
        let hub = hub().await;
        let sheets = yokohama_sheets();
        let mut steps = Vec::new();
        let first = import(&hub, &sheets, |done, total| steps.push((done, total))).await.unwrap();
        assert_eq!(counts(&first), [3_690, 1_230, 1_230, 0, 0, 0]);
        assert_eq!(steps, [(500, 1_230), (1_000, 1_230), (1_230, 1_230)]);
        let second = import(&hub, &sheets, |_, _| panic!("nothing is written")).await.unwrap();
        assert_eq!(counts(&second), [3_690, 1_230, 0, 0, 1_230, 0]);
    }

    #[tokio::test]
    async fn a_later_month_changes_what_differs_and_an_earlier_one_nothing() {
        let hub = hub().await;
        let sheets = yokohama_sheets();
        import(&hub, &sheets, |_, _| {}).await.unwrap();
        let before = held(&hub).await.unwrap();
        let later: Vec<Vec<u8>> = sheets
            .iter()
            .map(|bytes| {
                let text = encoding_rs::SHIFT_JIS.decode(bytes).0.into_owned();
                text.replace("令和8年2月1日", "令和8年3月1日")
                    .replace("横浜市馬場保育園", "馬場保育園")
                    .into_bytes()
            })
            .collect();
        let imported = import(&hub, &later, |_, _| {}).await.unwrap();
        assert_eq!(counts(&imported), [3_690, 1_230, 0, 1_230, 0, 0]);
        let after = held(&hub).await.unwrap();
        let ids = |held: &[(ServiceId, Facility)]| held.iter().map(|(id, _)| *id).collect::<Vec<_>>();
        assert_eq!(ids(&before), ids(&after), "a service keeps its id");
        assert!(after.iter().any(|(_, facility)| facility.name == "馬場保育園"));
        let older = import(&hub, &sheets, |_, _| {}).await.unwrap();
        assert_eq!(counts(&older), [3_690, 1_230, 0, 0, 0, 1_230]);
        assert!(matches!(older.refused[0].reason, Reason::Older { .. }));
    }

    #[tokio::test]
    async fn a_damaged_row_is_refused_with_its_place_and_the_others_are_written() {
        let hub = hub().await;
        let mut sheets = yokohama_sheets();
        let comma = sheets[0].iter().rposition(|b| *b == b',').unwrap();
        sheets[0][comma - 1] = b'x';
        let imported = import(&hub, &sheets, |_, _| {}).await.unwrap();
        assert_eq!(counts(&imported), [3_690, 1_229, 1_229, 0, 0, 2]);
        let place = Place::Cell { measure: Measure::Accepting, row: 1_232, column: Column::Total };
        assert_eq!(imported.refused[0], Refusal { place, reason: Reason::NotACount });
        assert_eq!(imported.refused[1].reason, Reason::MissingIn(Measure::Accepting));
        let mended = import(&hub, &yokohama_sheets(), |_, _| {}).await.unwrap();
        assert_eq!(counts(&mended), [3_690, 1_230, 1, 0, 1_229, 0]);
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_read_leaves_nothing_behind() {
        let hub = hub().await;
        let mut sheets = yokohama_sheets();
        sheets[2] = b"PK\x03\x04".to_vec();
        let error = import(&hub, &sheets, |_, _| {}).await.unwrap_err();
        assert_eq!(error, ImportError::File { place: 2, why: BadSheet::Encoding { name: "Excel" } });
        sheets[2] = sheets[0].clone();
        let error = import(&hub, &sheets, |_, _| {}).await.unwrap_err();
        assert_eq!(error, ImportError::Together(BadSheet::MeasureRepeated(Measure::Accepting)));
        assert!(matches!(import(&hub, &[], |_, _| {}).await, Err(ImportError::Together(BadSheet::Empty))));
        assert_eq!(held(&hub).await.unwrap(), []);
    }
}
