//! From the sheets of one day to a plan of what would change. Nothing is written here.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{
    BadSheet, Column, Measure, Place, Reason, Refusal,
    yokohama::{Row, Sheet},
};
use crate::domain::service::{AgeCounts, Facilities, Facility, FacilityNumber, ServiceKind, Vacancy};

/// The sheets of one day, joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    pub as_of: Date,
    /// The measures that were given; counts of the others are unknown.
    pub measures: Vec<Measure>,
    /// Rows of all sheets together, taken or refused.
    pub rows_read: usize,
    pub facilities: Facilities,
    pub refused: Vec<Refusal>,
}

/// What an import would do to the facilities held from the same source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportPlan {
    /// Rows of all sheets together, taken or refused.
    pub rows_read: usize,
    pub created: Vec<Facility>,
    /// As they would be afterwards.
    pub changed: Vec<Facility>,
    pub unchanged: Vec<FacilityNumber>,
    /// Held but not in the sheets. They may have closed, or their rows may be unreadable: a person
    /// decides, the import leaves them as they are.
    pub absent: Vec<FacilityNumber>,
    pub refused: Vec<Refusal>,
}

/// Joins sheets of one day by facility number.
///
/// A facility must stand undamaged in every sheet given. Otherwise it is refused as a whole and
/// what is held of it stays: half a record would show a class as not offered because a row was damaged.
pub fn merge(sheets: Vec<Sheet>) -> Result<Merged, BadSheet> {
    let as_of = sheets.first().ok_or(BadSheet::Empty)?.as_of;
    let mut merged = Merged {
        as_of,
        measures: Vec::new(),
        rows_read: 0,
        facilities: Facilities::new(),
        refused: Vec::new(),
    };
    let mut gathered: BTreeMap<FacilityNumber, Gathered> = BTreeMap::new();
    for sheet in sheets {
        if sheet.as_of != as_of {
            return Err(BadSheet::DatesDiffer { one: as_of, other: sheet.as_of });
        }
        if merged.measures.contains(&sheet.measure) {
            return Err(BadSheet::MeasureRepeated(sheet.measure));
        }
        merged.measures.push(sheet.measure);
        merged.rows_read += sheet.rows_read();
        merged.refused.extend(sheet.refused);
        for row in sheet.rows {
            let facility =
                gathered.entry(row.number.clone()).or_insert_with(|| Gathered::begin(as_of, row.clone()));
            facility.add(sheet.measure, &row);
        }
    }
    for (number, facility) in gathered {
        match facility.finish(&merged.measures) {
            Ok(facility) => {
                merged.facilities.insert(number, facility);
            }
            Err(reason) => merged.refused.push(Refusal { place: Place::Facility(number), reason }),
        }
    }
    Ok(merged)
}

/// A facility while its rows come in.
struct Gathered {
    facility: Facility,
    vacancy: Vacancy,
    measures: Vec<Measure>,
    contradiction: Option<Column>,
}

impl Gathered {
    fn begin(as_of: Date, row: Row) -> Self {
        let unknown = AgeCounts::UNKNOWN;
        Self {
            facility: Facility {
                number: row.number,
                name: row.name,
                kind: ServiceKind::Nursery,
                municipality: row.municipality,
                ward: Some(row.ward.to_owned()),
                vacancy: None,
            },
            vacancy: Vacancy { as_of, accepting: unknown, waiting: unknown, enrolled: unknown },
            measures: Vec::new(),
            contradiction: None,
        }
    }

    fn add(&mut self, measure: Measure, row: &Row) {
        if self.facility.municipality != row.municipality {
            self.contradiction = Some(Column::Municipality);
        } else if self.facility.name != row.name {
            self.contradiction = Some(Column::Name);
        }
        *counts_mut(&mut self.vacancy, measure) = row.counts;
        self.measures.push(measure);
    }

    fn finish(self, given: &[Measure]) -> Result<Facility, Reason> {
        if let Some(column) = self.contradiction {
            return Err(Reason::Contradiction(column));
        }
        match given.iter().find(|measure| !self.measures.contains(measure)) {
            Some(measure) => Err(Reason::MissingIn(*measure)),
            None => Ok(Facility { vacancy: Some(self.vacancy), ..self.facility }),
        }
    }
}

fn counts_mut(vacancy: &mut Vacancy, measure: Measure) -> &mut AgeCounts {
    match measure {
        Measure::Accepting => &mut vacancy.accepting,
        Measure::Waiting => &mut vacancy.waiting,
        Measure::Enrolled => &mut vacancy.enrolled,
    }
}

/// Compares what came with what is held from the same source. Importing the same sheets again changes
/// nothing, and older sheets never replace later numbers.
///
/// Where only some measures came and the ones held are of the same day, the held ones are kept.
pub fn plan_import(existing: &Facilities, incoming: Merged) -> ImportPlan {
    let mut plan = ImportPlan {
        rows_read: incoming.rows_read,
        created: Vec::new(),
        changed: Vec::new(),
        unchanged: Vec::new(),
        absent: Vec::new(),
        refused: incoming.refused,
    };
    let refused: Vec<_> = plan.refused.iter().map(|refusal| &refusal.place).collect();
    let gone = |number: &&FacilityNumber| {
        !incoming.facilities.contains_key(*number) && !refused.contains(&&Place::Facility((*number).clone()))
    };
    plan.absent = existing.keys().filter(gone).cloned().collect();
    for (number, mut facility) in incoming.facilities {
        let Some(held) = existing.get(&number) else {
            plan.created.push(facility);
            continue;
        };
        match &held.vacancy {
            Some(kept) if kept.as_of > incoming.as_of => {
                let reason = Reason::Older { held: kept.as_of };
                plan.refused.push(Refusal { place: Place::Facility(number), reason });
                continue;
            }
            Some(kept) if kept.as_of == incoming.as_of => {
                keep_other_measures(&mut facility, *kept, &incoming.measures);
            }
            _ => {}
        }
        if facility == *held { plan.unchanged.push(number) } else { plan.changed.push(facility) }
    }
    plan
}

fn keep_other_measures(facility: &mut Facility, mut kept: Vacancy, given: &[Measure]) {
    let Some(vacancy) = &mut facility.vacancy else { return };
    for measure in Measure::ALL.iter().filter(|measure| !given.contains(measure)) {
        *counts_mut(vacancy, *measure) = *counts_mut(&mut kept, *measure);
    }
}
