//! The table: one line per leg, with the rungs of its ladder as they appear.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    cast::{Cast, Part},
    screen::{Paint, fit},
};
use crate::domain::{
    answer::{DeclineReason, Outcome},
    basis::{Basis, BasisCode, Lane},
    fault::Phrase,
    ids::{DeliveryId, LegId},
    language::Language,
    leg::LegState,
    receipt::ReceiptLevel,
};

/// One leg, as its sender's system last saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub scene: u8,
    pub leg: LegId,
    pub delivery: DeliveryId,
    pub sender: Part,
    /// Who of the sender's staff wrote it: a notice is shown to nobody else there.
    pub writer: String,
    pub recipient: Part,
    pub basis: Option<BasisCode>,
    pub state: LegState,
    pub version: i64,
    /// `HH:MM:SS` in Japan, by level.
    pub ladder: BTreeMap<ReceiptLevel, String>,
    /// What the recipient answered last, in both languages, and whose answer it was.
    pub answer: Option<(Phrase, Phrase)>,
    /// When the clock of a notice runs out, `MM-DD HH:MM` in Japan.
    pub due: Option<String>,
    /// How the doorbell was rung, once it was.
    pub rung: Option<Phrase>,
    /// Where the leg is to stand at the end, and on which rungs.
    pub expected: (LegState, &'static [ReceiptLevel]),
}

impl Row {
    /// Takes over what `GET /v1/legs/{id}` says.
    pub fn take(&mut self, view: &Value, cast: &Cast) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        self.version = view["version"].as_i64().unwrap_or(self.version);
        self.state = view["state"].as_str().and_then(|code| code.parse().ok()).unwrap_or(self.state);
        self.basis = view["basis"]["code"].as_str().and_then(|code| code.parse().ok());
        for rung in view["ladder"].as_array().into_iter().flatten() {
            if let Ok(level) = text(&rung["level"]).parse() {
                self.ladder.insert(level, clock_of(&text(&rung["at"])));
            }
        }
        let due = view["clocks"][0]["due"].as_str();
        self.due = due.map(|due| due.get(5..16).unwrap_or_default().replace('T', " "));
        self.answer = answer(&view["answer"], cast.get(self.recipient).post(&text(&view["answer"]["by"])));
    }

    pub fn is_notice(&self) -> bool {
        self.basis.is_some_and(|code| Basis::of(code).lane == Lane::Notice)
    }

    /// Whether the leg stands where it is to stand at the end.
    pub fn is_as_expected(&self) -> bool {
        self.state == self.expected.0 && self.ladder.keys().copied().eq(self.expected.1.iter().copied())
    }

    fn state(&self, language: Language) -> &'static str {
        match (language, self.state) {
            // A desk that accepts a notice has taken it: 受理.
            (Language::Japanese, LegState::Accepted) if self.is_notice() => "受理",
            (Language::English, LegState::Accepted) if self.is_notice() => "taken",
            (Language::Japanese, LegState::Withdrawn) => "同意撤回",
            (Language::English, LegState::Withdrawn) => "withdrawn",
            (Language::Japanese, state) => state.label_ja(),
            (Language::English, state) => state.label_en(),
        }
    }

    fn basis(&self) -> Phrase {
        match self.basis {
            None => Phrase { ja: "個人情報なし", en: "no data" },
            Some(code) => match Basis::of(code).lane {
                Lane::Notice => Phrase { ja: "通告", en: "notice" },
                Lane::Consent => Phrase { ja: "同意", en: "consent" },
                Lane::Statute => Phrase { ja: "法律", en: "law" },
            },
        }
    }
}

/// `HH:MM:SS` of a time the API wrote, which is Japan's.
fn clock_of(at: &str) -> String {
    at.get(11..19).unwrap_or_default().to_owned()
}

/// What was answered, as its code's label, and by whom.
fn answer(view: &Value, who: Option<Phrase>) -> Option<(Phrase, Phrase)> {
    let code = |name: &str| view[name].as_str().unwrap_or_default();
    let nothing = Phrase { ja: "", en: "" };
    let what = match (code("reason").parse::<DeclineReason>(), code("outcome").parse::<Outcome>()) {
        (Ok(reason), _) => Phrase { ja: reason.label_ja(), en: reason.label_en() },
        (_, Ok(outcome)) => Phrase { ja: outcome.label_ja(), en: outcome.label_en() },
        _ => nothing,
    };
    view.is_object().then(|| (what, who.unwrap_or(nothing)))
}

pub(super) const fn of(phrase: Phrase, language: Language) -> &'static str {
    match language {
        Language::Japanese => phrase.ja,
        Language::English => phrase.en,
    }
}

/// All legs of the demo.
#[derive(Default)]
pub(super) struct Board {
    pub rows: Vec<Row>,
}

/// One cell: its text, the columns it has, its colour.
type Cell = (String, usize, Paint);

impl Board {
    /// The heading and a line under it.
    pub fn heading(language: Language) -> Vec<String> {
        let phrase = |ja, en| of(Phrase { ja, en }, language).to_owned();
        let mut cells: Vec<Cell> = vec![
            (String::new(), 2, Paint::Plain),
            (phrase("差出", "from"), 12, Paint::Plain),
            (phrase("宛先", "to"), 14, Paint::Plain),
            (phrase("根拠", "basis"), 12, Paint::Plain),
            (phrase("状態", "state"), 12, Paint::Plain),
            (phrase("着信通知", "doorbell"), 8, Paint::Plain),
        ];
        let levels = [
            phrase("R0受付", "R0"),
            phrase("R1待ち", "R1"),
            phrase("R2受信", "R2"),
            phrase("R3開封", "R3"),
            phrase("R4返書", "R4"),
            phrase("終了", "closed"),
        ];
        cells.extend(levels.map(|text| (text, 8, Paint::Plain)));
        cells.push((phrase("返書の内容・期限", "answer, due"), 0, Paint::Plain));
        let line = join(&cells, false);
        vec![line, "-".repeat(132)]
    }

    /// One leg as a line of the table.
    pub fn line(row: &Row, cast: &Cast, language: Language, colour: bool) -> String {
        let short = |part| of(cast.get(part).role.short, language).to_owned();
        let state = match row.state {
            state if state == row.expected.0 => Paint::Green,
            _ => Paint::Yellow,
        };
        let doorbell = row.rung.map_or("-", |rung| of(rung, language));
        let mut cells: Vec<Cell> = vec![
            (row.scene.to_string(), 2, Paint::Bold),
            (short(row.sender), 12, Paint::Plain),
            (short(row.recipient), 14, Paint::Plain),
            (of(row.basis(), language).to_owned(), 12, Paint::Plain),
            (row.state(language).to_owned(), 12, state),
            (doorbell.to_owned(), 8, Paint::Plain),
        ];
        for level in ReceiptLevel::ALL {
            let at = row.ladder.get(level);
            cells.push((
                at.map_or("-", String::as_str).to_owned(),
                8,
                if at.is_some() { Paint::Plain } else { Paint::Dim },
            ));
        }
        cells.push((remark(row, language), 0, Paint::Plain));
        join(&cells, colour)
    }

    /// The whole table.
    pub fn lines(&self, cast: &Cast, language: Language, colour: bool) -> Vec<String> {
        let mut lines = Self::heading(language);
        lines.extend(self.rows.iter().map(|row| Self::line(row, cast, language, colour)));
        lines
    }
}

fn remark(row: &Row, language: Language) -> String {
    let answered = row.answer.map(|(what, who)| match (of(what, language), of(who, language)) {
        ("", who) => who.to_owned(),
        (what, who) => format!("{what} ({who})"),
    });
    let due = row.due.as_ref().map(|due| match language {
        Language::Japanese => format!("安全確認 {due} まで"),
        Language::English => format!("child to be seen by {due}"),
    });
    answered.into_iter().chain(due).collect::<Vec<_>>().join("  ")
}

fn join(cells: &[Cell], colour: bool) -> String {
    let cell = |(text, columns, paint): &Cell| paint.on(&fit(text, *columns), colour);
    cells.iter().map(cell).collect::<Vec<_>>().join(" ").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::{
        cli::demo::{
            cast::{Member, roles},
            screen::columns,
        },
        domain::ids::{AgencyId, StaffId},
        vault::{KeyMaking, Vault},
    };

    fn cast() -> Cast {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::create(&folder.path().join("keys"), Uuid::nil(), KeyMaking::Allowed).unwrap();
        let member = |(place, role): (usize, crate::cli::demo::cast::Role)| Member {
            id: AgencyId::new(Uuid::from_u128(place as u128)),
            secret: vault.new_client_secret().unwrap().0,
            staff: role.posts.iter().map(|_| StaffId::new(Uuid::from_u128(7))).collect(),
            token: String::new(),
            role,
        };
        Cast(roles("a", "b").into_iter().enumerate().map(member).collect())
    }

    fn row() -> Row {
        Row {
            scene: 2,
            leg: LegId::new(Uuid::nil()),
            delivery: DeliveryId::new(Uuid::nil()),
            sender: Part::OtherNursery,
            recipient: Part::FamilyCentre,
            basis: None,
            state: LegState::Requested,
            version: 1,
            ladder: BTreeMap::new(),
            answer: None,
            due: None,
            writer: String::new(),
            rung: None,
            expected: (LegState::Accepted, &[ReceiptLevel::R0, ReceiptLevel::R4]),
        }
    }

    #[test]
    fn a_row_follows_what_the_api_says_and_is_as_expected_only_then() {
        let (cast, mut row) = (cast(), row());
        assert!(!row.is_as_expected());
        let mut view = json!({
            "version": 4, "state": "accepted", "basis": {"code": "TSUKOKU_GY6"},
            "ladder": [{"level": "R0", "at": "2026-11-20T17:40:05.123456+09:00"}],
            "clocks": [{"due": "2026-11-22T17:40:00+09:00"}],
            "answer": {"action": "accept", "by": Uuid::from_u128(7).to_string()},
        });
        row.take(&view, &cast);
        assert!(!row.is_as_expected(), "a rung is missing");
        let answered = json!({"level": "R4", "at": "2026-11-20T17:52:00+09:00"});
        view["ladder"].as_array_mut().unwrap().push(answered);
        row.take(&view, &cast);
        assert!(row.is_as_expected());
        let line = Board::line(&row, &cast, Language::Japanese, false);
        for shown in ["受理", "通告", "17:40:05", "17:52:00", "受付当番", "安全確認 11-22 17:40 まで"]
        {
            assert!(line.contains(shown), "{shown}: {line}");
        }
    }

    #[test]
    fn columns_stand_under_their_headings_in_both_languages() {
        let (cast, mut row) = (cast(), row());
        row.ladder.insert(ReceiptLevel::R0, "17:40:05".to_owned());
        for (language, heading) in [(Language::Japanese, "R0受付"), (Language::English, "R0")] {
            let place = |line: &str, text: &str| columns(line.split_once(text).unwrap().0);
            let line = Board::line(&row, &cast, language, false);
            assert_eq!(place(&Board::heading(language)[0], heading), place(&line, "17:40:05"), "{line}");
        }
    }
}
