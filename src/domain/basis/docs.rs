//! The table of bases as Markdown, for `docs/disclosure.md`.

use std::fmt::Write;

use super::{Basis, BasisCode, Fact, Items, TABLE};
use crate::domain::{language::Language, mask::Why, refusal::RefusalCode};

/// The tables of `docs/disclosure.md` in one language: the bases, why something is withheld, why all is refused.
pub fn markdown(language: Language) -> String {
    let japanese = language == Language::Japanese;
    let mut text = String::from(if japanese {
        "| コード | 条文 | 誰から | 誰へ | 記録すること | 伝わる区分 | 手順 | 規則の版 |\n|---|---|---|---|---|---|---|---|\n"
    } else {
        "| code | law | from | to | records | sections | lane | rule version |\n|---|---|---|---|---|---|---|---|\n"
    });
    for row in TABLE {
        let side = |ja: &'static str, en: &'static str| if japanese { ja } else { en };
        let cells = [
            format!("`{}`<br>{}", row.code, side(row.code.label_ja(), row.code.label_en())),
            row.law.to_owned(),
            side(row.parties.from.ja, row.parties.from.en).to_owned(),
            side(row.parties.to.ja, row.parties.to.en).to_owned(),
            records(row, japanese),
            side(row.items.label_ja(), row.items.label_en()).to_owned(),
            side(row.lane.label_ja(), row.lane.label_en()).to_owned(),
            row.rule_version.to_string(),
        ];
        line(&mut text, &cells);
    }
    text.push('\n');
    text.push_str(if japanese {
        "| 伝えない理由 | 意味 |\n|---|---|\n"
    } else {
        "| withheld | why |\n|---|---|\n"
    });
    for why in Why::ALL {
        let label = if japanese { why.label_ja() } else { why.label_en() };
        line(&mut text, &[format!("`{why}`"), label.to_owned()]);
    }
    text.push('\n');
    text.push_str(if japanese {
        "| 断る理由 | 意味 |\n|---|---|\n"
    } else {
        "| refusal | meaning |\n|---|---|\n"
    });
    for code in RefusalCode::ALL {
        let label = if japanese { code.label_ja() } else { code.label_en() };
        line(&mut text, &[format!("`{code}`"), label.to_owned()]);
    }
    text
}

fn line(text: &mut String, cells: &[String]) {
    // Writing to a String does not fail.
    let _infallible = writeln!(text, "| {} |", cells.join(" | "));
}

/// What is recorded: the facts, and where a basis rests on something kept elsewhere, that.
fn records(row: &Basis, japanese: bool) -> String {
    let elsewhere = match row.items {
        Items::Consented => Some(("同意の記録", "the consent record")),
        Items::Arranged => Some(("取決め", "the arrangement")),
        Items::Needed if row.code == BasisCode::Council => Some((
            "要対協の構成員と台帳の登録<br>必要な区分",
            "members and register of the council<br>the sections needed",
        )),
        Items::Needed => Some(("必要な区分", "the sections needed")),
        _ => None,
    };
    let elsewhere = elsewhere.map(|(ja, en)| if japanese { ja } else { en });
    let facts = row.facts.iter().map(|fact| described(fact, japanese));
    let all: Vec<String> = elsewhere.map(str::to_owned).into_iter().chain(facts).collect();
    match (all.is_empty(), japanese) {
        (true, true) => "なし".to_owned(),
        (true, false) => "none".to_owned(),
        (false, _) => all.join("<br>"),
    }
}

fn described(fact: &Fact, japanese: bool) -> String {
    match (fact.required, japanese) {
        (true, true) => format!("{} `{}`", fact.label.ja, fact.name),
        (true, false) => format!("{} `{}`", fact.label.en, fact.name),
        (false, true) => format!("場合により：{} `{}`", fact.label.ja, fact.name),
        (false, false) => format!("where it applies: {} `{}`", fact.label.en, fact.name),
    }
}
