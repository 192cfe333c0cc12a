//! The sheets of February 2026 as the city published them, read from end to end.

use std::collections::BTreeSet;

use jiff::civil::date;

use super::{
    BadSheet, Column, Measure, Place, Reason, Refusal,
    decode::{TextEncoding, decode},
    import::{Merged, merge, plan_import},
    yokohama::{Sheet, read},
};
use crate::domain::{
    corporate_number::CorporateNumber,
    service::{AgeCounts, Facilities, FacilityNumber},
};

const ACCEPTING: &[u8] = include_bytes!("../../../examples/data/yokohama/2026-02_ukeire.csv");
const WAITING: &[u8] = include_bytes!("../../../examples/data/yokohama/2026-02_machi.csv");
const ENROLLED: &[u8] = include_bytes!("../../../examples/data/yokohama/2026-02_nyusho.csv");

fn sheets() -> Vec<Sheet> {
    [ACCEPTING, WAITING, ENROLLED].map(|bytes| read(bytes).unwrap()).to_vec()
}

fn baba() -> FacilityNumber {
    "1410051018778".parse().unwrap()
}

#[test]
fn the_published_sheets_are_read_whole() {
    for (bytes, measure, not_offered) in
        [(ACCEPTING, Measure::Accepting, 5), (WAITING, Measure::Waiting, 0), (ENROLLED, Measure::Enrolled, 0)]
    {
        let sheet = read(bytes).unwrap();
        assert_eq!((sheet.measure, sheet.as_of), (measure, date(2026, 2, 1)));
        assert_eq!(sheet.encoding, TextEncoding::ShiftJis);
        assert_eq!((sheet.rows.len(), sheet.refused.len(), sheet.rows_read()), (1230, 0, 1230));
        let wards: BTreeSet<_> = sheet.rows.iter().map(|row| row.ward).collect();
        assert_eq!(wards.len(), 18);
        let absent = sheet.rows.iter().flat_map(|row| row.counts.iter()).filter(|(_, n)| n.is_none());
        assert_eq!(absent.count(), not_offered, "cells written -");
    }
}

#[test]
fn spot_values_of_the_published_sheets() {
    let accepting = read(ACCEPTING).unwrap();
    let row = &accepting.rows[0];
    assert_eq!((row.row, row.name.as_str(), row.ward), (3, "横浜市馬場保育園", "鶴見区"));
    assert_eq!((row.number.as_str(), row.municipality.as_str()), ("1410051018778", "141011"));
    assert_eq!(row.counts, AgeCounts::new([Some(0), Some(0), Some(0), Some(0), Some(1), Some(3)]));
    assert_eq!((row.counts.total(), row.updated_on), (Some(4), date(2026, 2, 1)));
    let home = accepting.rows.iter().find(|row| row.name == "すぎやま家庭保育室").unwrap();
    assert_eq!(home.counts, AgeCounts::new([Some(0), None, None, Some(0), Some(0), Some(0)]));
    let total = |bytes| read(bytes).unwrap().rows.iter().filter_map(|row| row.counts.total()).sum::<u64>();
    assert_eq!([total(ACCEPTING), total(WAITING), total(ENROLLED)], [1_399, 32_332, 73_176]);
}

#[test]
fn facility_numbers_of_yokohama_are_no_corporate_numbers() {
    let sheet = read(ACCEPTING).unwrap();
    assert!(sheet.rows.iter().all(|row| CorporateNumber::parse(row.number.as_str()).is_err()));
}

#[test]
fn the_same_sheet_in_utf_8_reads_the_same() {
    let text = decode(ACCEPTING).unwrap().text;
    let marked = [b"\xEF\xBB\xBF", text.as_bytes()].concat();
    let sheet = read(&marked).unwrap();
    assert_eq!(sheet.encoding, TextEncoding::Utf8);
    assert_eq!(sheet.rows, read(ACCEPTING).unwrap().rows);
}

#[test]
fn one_damaged_byte_anywhere_costs_one_row_at_most() {
    let start = ACCEPTING.windows(2).position(|w| w == b"\r\n").unwrap();
    let start = start + 2 + ACCEPTING[start + 2..].windows(2).position(|w| w == b"\r\n").unwrap() + 2;
    for at in (start..ACCEPTING.len()).step_by(4_999) {
        if matches!(ACCEPTING[at], b'\r' | b'\n') {
            continue;
        }
        let mut bytes = ACCEPTING.to_vec();
        bytes[at] = 0xFF;
        let sheet = read(&bytes).unwrap();
        assert_eq!((sheet.rows.len(), sheet.refused.len()), (1229, 1), "byte {at}");
    }
}

#[test]
fn three_sheets_become_one_record_for_each_facility() {
    let merged = merge(sheets()).unwrap();
    assert_eq!((merged.rows_read, merged.facilities.len(), merged.refused.len()), (3_690, 1_230, 0));
    let facility = &merged.facilities[&baba()];
    assert_eq!((facility.name.as_str(), facility.ward.as_deref()), ("横浜市馬場保育園", Some("鶴見区")));
    let vacancy = facility.vacancy.unwrap();
    let totals = [vacancy.accepting, vacancy.waiting, vacancy.enrolled].map(|counts| counts.total());
    assert_eq!((vacancy.as_of, totals), (date(2026, 2, 1), [Some(4), Some(8), Some(59)]));
}

#[test]
fn a_second_import_of_the_same_sheets_changes_nothing() {
    let first = plan_import(&Facilities::new(), merge(sheets()).unwrap());
    assert_eq!((first.rows_read, first.created.len(), first.changed.len()), (3_690, 1_230, 0));
    let held = merge(sheets()).unwrap().facilities;
    let second = plan_import(&held, merge(sheets()).unwrap());
    assert_eq!((second.created.len(), second.changed.len(), second.unchanged.len()), (0, 0, 1_230));
    assert_eq!((second.absent.len(), second.refused.len()), (0, 0));
}

#[test]
fn created_changed_absent_and_refused_are_told_apart() {
    let held = merge(sheets()).unwrap().facilities;
    let mut incoming = merge(sheets()).unwrap();
    let mut numbers = held.keys().filter(|number| **number != baba()).cloned();
    let (gone, renamed) = (numbers.next().unwrap(), numbers.next().unwrap());
    incoming.facilities.remove(&gone);
    incoming.facilities.get_mut(&renamed).unwrap().name.push('分');
    let mut new = incoming.facilities[&baba()].clone();
    new.number = "9999999999999".parse().unwrap();
    incoming.facilities.insert(new.number.clone(), new.clone());
    let damaged = Refusal { place: Place::Facility(baba()), reason: Reason::MissingIn(Measure::Waiting) };
    incoming.facilities.remove(&baba());
    incoming.refused.push(damaged.clone());

    let plan = plan_import(&held, incoming);
    assert_eq!(plan.created, [new]);
    assert_eq!(plan.changed.iter().map(|facility| &facility.number).collect::<Vec<_>>(), [&renamed]);
    assert_eq!((plan.absent, plan.unchanged.len(), plan.refused), (vec![gone], 1_227, vec![damaged]));
}

#[test]
fn older_sheets_never_replace_later_numbers() {
    let held = merge(sheets()).unwrap().facilities;
    let mut older = sheets();
    older.iter_mut().for_each(|sheet| sheet.as_of = date(2026, 1, 1));
    let plan = plan_import(&held, merge(older).unwrap());
    assert_eq!((plan.created.len(), plan.changed.len(), plan.refused.len()), (0, 0, 1_230));
    assert_eq!(plan.refused[0].reason, Reason::Older { held: date(2026, 2, 1) });
}

#[test]
fn a_measure_that_comes_alone_does_not_wipe_out_the_others_of_its_day() {
    let held = merge(sheets()).unwrap().facilities;
    let alone = |as_of| {
        let mut sheet = read(WAITING).unwrap();
        sheet.as_of = as_of;
        merge(vec![sheet]).unwrap()
    };
    assert_eq!(plan_import(&held, alone(date(2026, 2, 1))).unchanged.len(), 1_230);
    // The day after, the old numbers of the other measures are no longer true.
    let next = plan_import(&held, alone(date(2026, 3, 1)));
    assert_eq!(next.changed.len(), 1_230);
    assert_eq!(next.changed[0].vacancy.unwrap().accepting, AgeCounts::UNKNOWN);
}

#[test]
fn a_facility_damaged_in_one_sheet_is_left_as_it_was() {
    let mut three = sheets();
    three[1].rows.retain(|row| row.number != baba());
    let merged = merge(three).unwrap();
    assert!(!merged.facilities.contains_key(&baba()));
    let refusal = Refusal { place: Place::Facility(baba()), reason: Reason::MissingIn(Measure::Waiting) };
    assert_eq!(merged.refused, [refusal]);
    assert_eq!(
        merged.refused[0].message_ja(),
        "施設番号1410051018778：他の表にはありますが「入所待ち人数」に正しい行がありません"
    );
}

#[test]
fn sheets_that_contradict_each_other_are_not_joined() {
    let contradiction = |change: fn(&mut Sheet)| -> Result<Merged, BadSheet> {
        let mut three = sheets();
        change(&mut three[2]);
        merge(three)
    };
    let renamed = contradiction(|sheet| sheet.rows[0].name.push('？')).unwrap();
    assert_eq!(renamed.refused[0].reason, Reason::Contradiction(Column::Name));
    let moved = contradiction(|sheet| sheet.rows[0].municipality = "14102".parse().unwrap()).unwrap();
    assert_eq!(moved.refused[0].reason, Reason::Contradiction(Column::Municipality));
    let (one, other) = (date(2026, 2, 1), date(2026, 3, 1));
    assert_eq!(
        contradiction(|sheet| sheet.as_of = date(2026, 3, 1)),
        Err(BadSheet::DatesDiffer { one, other })
    );
    assert_eq!(
        contradiction(|sheet| sheet.measure = Measure::Waiting),
        Err(BadSheet::MeasureRepeated(Measure::Waiting))
    );
    assert_eq!(merge(Vec::new()), Err(BadSheet::Empty));
}
