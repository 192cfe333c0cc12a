//! `tsunagu decide`: decides cases from files, offline, and compares the answers with those expected.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use super::{Console, Said, Stopped};
use crate::{
    domain::{
        basis::Basis,
        disclosure::{
            Decision,
            case::{Answer, Case, CaseFile},
        },
        fault::Phrase,
        language::Language,
        mask::Detail,
        refusal::Refusal,
        section::Section,
    },
    usecases::decision_case,
};

/// 判定ケースのファイルで、提供の可否を確かめる（ハブは不要） / decide cases from files and compare the answers, without a hub
#[derive(clap::Args)]
pub(super) struct Args {
    /// 判定ケースのファイル（書式は schemas/decision-case.json） / files of decision cases, as in schemas/decision-case.json
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    cases: Vec<PathBuf>,
}

pub(super) async fn run(args: Args, console: &Console) -> Result<(), Stopped> {
    let language = console.language;
    let files: Vec<CaseFile> =
        args.cases.iter().map(|path| read(path, language)).collect::<Result<_, _>>()?;
    let (mut passed, mut failed) = (0, 0);
    let mut text = String::new();
    for file in &files {
        text.push_str(&format!("{}\n", file.title));
        for case in &file.cases {
            let decided = case.decide();
            let met = case.is_met_by(&decided);
            *(if met { &mut passed } else { &mut failed }) += 1;
            Told { language, text: &mut text }.case(case, &decided, met);
        }
        text.push('\n');
    }
    let mut out = std::io::stdout().lock();
    // That nobody reads is no reason to stop.
    let _nobody_reads = writeln!(out, "{text}{passed} passed, {failed} failed");
    if failed == 0 {
        return Ok(());
    }
    Err(Stopped::failed(Said::new(
        format!("{failed} 件の答えが、期待と違います。✗ の付いたケースを見てください。"),
        format!("{failed} answers are not those expected; see the cases marked ✗"),
    )))
}

fn read(path: &Path, language: Language) -> Result<CaseFile, Stopped> {
    let name = path.display();
    let wrong = |why: String| {
        Stopped::wrong(Said::new(format!("{name} を読めません: {why}"), format!("cannot read {name}: {why}")))
    };
    let bytes = fs::read(path).map_err(|error| wrong(error.to_string()))?;
    decision_case::read(&bytes).map_err(|problem| wrong(problem.told(language)))
}

/// What is said of a case, in one language.
struct Told<'a> {
    language: Language,
    text: &'a mut String,
}

impl Told<'_> {
    fn say(&self, phrase: Phrase) -> &'static str {
        match self.language {
            Language::Japanese => phrase.ja,
            Language::English => phrase.en,
        }
    }

    fn line(&mut self, head: Phrase, rest: &str) {
        let head = self.say(head);
        self.text.push_str(&format!("      {head}  {rest}\n"));
    }

    fn case(&mut self, case: &Case, decided: &Result<Decision, Refusal>, met: bool) {
        let mark = if met { '✓' } else { '✗' };
        self.text.push_str(&format!("  {mark} {}  {}\n", case.id, case.title));
        match decided {
            Ok(decision) => self.allowed(decision),
            Err(refusal) => self.refused(refusal),
        }
        if !met {
            self.line(Phrase { ja: "期待", en: "expected" }, &case.expected.to_string());
            self.line(Phrase { ja: "結果", en: "got" }, &Answer::of(decided).to_string());
            self.line(Phrase { ja: "ケースの条文", en: "law of the case" }, &case.law);
        }
    }

    fn allowed(&mut self, decision: &Decision) {
        const ALLOWED: Phrase = Phrase { ja: "許可", en: "allowed" };
        let Some(ground) = &decision.basis else {
            let nothing =
                Phrase { ja: "個人情報を渡さない連絡", en: "nothing about a person is passed" };
            let nothing = self.say(nothing);
            return self.line(ALLOWED, nothing);
        };
        let basis = Basis::of(ground.code);
        self.line(ALLOWED, &format!("{}  {}  {}", ground.code, basis.law, basis.rule_version));
        let items = self.say(Phrase { ja: basis.items.label_ja(), en: basis.items.label_en() });
        for (section, shown) in decision.mask.sections() {
            let mut what = self.say(Phrase { ja: section.label_ja(), en: section.label_en() }).to_owned();
            if shown.detail != Detail::Full {
                let detail = Phrase { ja: shown.detail.label_ja(), en: shown.detail.label_en() };
                what.push_str(&format!(" [{}]", self.say(detail)));
            }
            let why = if section == Section::Notifier { self.say(SEALED_ALONG) } else { items };
            self.line(Phrase { ja: "○", en: "+" }, &format!("{what}: {why}"));
        }
        for withheld in &decision.withheld {
            let (section, why) = (withheld.section, withheld.why);
            let what = self.say(Phrase { ja: section.label_ja(), en: section.label_en() });
            let whose = withheld.subject.as_ref().map_or(String::new(), |s| format!(" ({})", s.as_str()));
            let because = self.say(Phrase { ja: why.label_ja(), en: why.label_en() });
            let law = why.own_law().unwrap_or(basis.law);
            self.line(Phrase { ja: "×", en: "-" }, &format!("{what}{whose}: {because} {why}  {law}"));
        }
    }

    fn refused(&mut self, refusal: &Refusal) {
        let head = Phrase { ja: "拒否", en: "refused" };
        self.line(head, &format!("{}  {}", refusal.code, refusal.law));
        let (detail, mend) = (self.say(refusal.detail), self.say(refusal.mend));
        self.line(Phrase { ja: "理由", en: "because" }, detail);
        self.line(Phrase { ja: "対応", en: "what to do" }, mend);
    }
}

const SEALED_ALONG: Phrase =
    Phrase { ja: "受理窓口の封緘した区画", en: "the sealed compartment of the reception desk" };
