//! The operator's commands: numbers with wrong check digits, and sheets with damaged rows.

use std::{
    path::Path,
    process::{Command, Output},
};

use encoding_rs::SHIFT_JIS;

fn tsunagu(locale: &str, data: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tsunagu"));
    command.args(arguments).args(["--data", data.to_str().unwrap()]).env("LC_ALL", locale).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_wrong_check_digit_is_told_and_no_agency_is_added() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let add = ["agency", "add", "--kind", "npo", "--name", "試験", "--body", "private", "--municipality"];
    for (locale, arguments, says) in [
        ("C", &["141012"][..], "141012"),
        ("ja_JP.UTF-8", &["141012"], "141012"),
        ("C", &["1410"], "1410"),
        ("C", &["14101", "--corporate-number", "8700110005902"], "8700110005902"),
        ("ja_JP.UTF-8", &["14101", "--corporate-number", "870011000590"], "870011000590"),
        ("C", &["14101", "--contractor-of", "141009"], "141009"),
    ] {
        let refused = tsunagu(locale, &data, &[&add[..], arguments].concat());
        let said = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(says), "{arguments:?}: {said}");
    }
    let good = tsunagu("C", &data, &[&add[..], &["14101", "--corporate-number", "8700110005901"]].concat());
    assert!(good.status.success(), "{}", text(&good.stderr));
    let list = text(&tsunagu("C", &data, &["agency", "list"]).stdout);
    assert_eq!(list.lines().count(), 2, "the head and the good one: {list}");
}

/// The city's sheet with some of its cells replaced, as it is published: in Shift_JIS.
fn damaged(rows: &[(usize, usize, &str)]) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data/yokohama/2026-02_ukeire.csv");
    let sheet = SHIFT_JIS.decode(&std::fs::read(path).unwrap()).0.into_owned();
    let line = |(place, line): (usize, &str)| {
        let mut cells: Vec<&str> = line.split(',').collect();
        for (_, column, value) in rows.iter().filter(|(row, ..)| *row == place + 1) {
            cells[column - 1] = value;
        }
        cells.join(",")
    };
    let lines: Vec<String> = sheet.trim_end().split("\r\n").enumerate().map(line).collect();
    SHIFT_JIS.encode(&(lines.join("\r\n") + "\r\n")).0.into_owned()
}

#[test]
fn a_damaged_row_is_named_with_its_column_and_the_others_are_taken() {
    let folder = tempfile::tempdir().unwrap();
    let sheet = folder.path().join("ukeire.csv");
    std::fs::write(&sheet, damaged(&[(5, 12, "三"), (9, 12, "-3"), (11, 12, "99999999999")])).unwrap();
    for (locale, row, refused) in
        [("C", "row 5", "refused: "), ("ja_JP.UTF-8", "5行目", "取り込まなかった行：")]
    {
        let data = folder.path().join(locale);
        let imported = tsunagu(locale, &data, &["import", "services", sheet.to_str().unwrap()]);
        let said = text(&imported.stdout);
        assert!(imported.status.success(), "{said}{}", text(&imported.stderr));
        let told: Vec<&str> = said.lines().filter(|line| line.starts_with(refused)).collect();
        assert_eq!(told.len(), 3, "{said}");
        assert!(told.iter().any(|line| line.contains(row)), "{told:?}");
        let last = said.lines().last().unwrap();
        assert!(last.ends_with("refused=3") && last.contains("created="), "{last}");
        assert!(!last.contains("created=0"), "{last}");
    }
}

#[test]
fn a_file_that_is_no_sheet_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let good = damaged(&[]);
    let sheet = SHIFT_JIS.decode(&good).0.into_owned();
    let files: [(&str, Vec<u8>); 5] = [
        ("empty", Vec::new()),
        ("UTF-16", sheet.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("binary", (0..=255).cycle().take(4096).collect()),
        ("no head", sheet.lines().skip(3).map(|line| format!("{line}\r\n")).collect::<String>().into_bytes()),
        ("other columns", "名前,電話\r\n山田,045\r\n".as_bytes().to_vec()),
    ];
    for (name, bytes) in files {
        let path = folder.path().join("file.csv");
        std::fs::write(&path, bytes).unwrap();
        let refused = tsunagu("C", &data, &["import", "services", path.to_str().unwrap()]);
        let said = text(&refused.stderr);
        assert!(!refused.status.success(), "{name}: {}", text(&refused.stdout));
        assert!(said.contains("file.csv") && !said.contains("山田"), "{name}: {said}");
    }
    let path = folder.path().join("good.csv");
    std::fs::write(&path, good).unwrap();
    let imported = text(&tsunagu("C", &data, &["import", "services", path.to_str().unwrap()]).stdout);
    let last = imported.lines().last().unwrap();
    assert!(last.contains("changed=0 unchanged=0 refused=0"), "nothing of the others was held: {last}");
}
