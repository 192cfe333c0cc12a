//! The state machines as Markdown, from the same tables the hub decides by.

use std::fmt::Write;

use crate::domain::basis_state::{Basis, Consent};
use crate::domain::delivery::{Delivery, Doorbell};
use crate::domain::fhir::{self, Bser, BusinessStatus};
use crate::domain::leg::{Leg, LegState};
use crate::domain::machine::{Code, Machine, Transition};

const HEAD: &str = "\
# State machines

Made from the tables in `src/domain/`, which alone decide; a test keeps this text equal to them.

Leg, delivery and basis are separate machines, because a status that mixes transport, decision and
permission gets stuck. A row without a number is an event: it is recorded and changes no state. Where
\"from\" is a dash, the thing does not exist yet. All guards of a row must hold; the fields it requires
must stand in the body of the act. What no row allows is answered with 409, the present state and the
list of what is possible.
";

const LEG: &str = "\
One referral to one recipient. A leg ends in exactly one of its ending states, with exactly one receipt
that ends it: its R4 where the first answer is itself an end, otherwise `closed`. The recipient's first
answer (`accept`, `waitlist`, `decline`, `ask`, `forward`) writes the R4. For 通告 and 送致, `accept` is the
interim answer 受理: the desk takes the notice. A 通告 needs nothing before it goes, never expires and
cannot be withdrawn. A forwarded leg and a replacement are new legs: they begin by row 1 with a link to
the old one, which stays closed. `resume` goes back to the state before the hold. Of a hand-over (移管) the
recipient is responsible in `accepted`, `scheduled`, `in_progress`, `on_hold`, `completed` and `discontinued`,
the sender in every other state.
";

const DELIVERY: &str = "\
The copy for one recipient. A first opening of a waiting copy writes R2 and R3 in one operation. Taken and
opened copies can still be recalled: what happened stays on record, and further openings stop. A sealed
copy that was published stays waiting until the recipient's own acknowledgement. What is not urgent is held
back for some minutes: until it is released its recipient can see nothing of it, its R1 is not written, and
its sender can undo the sending. A copy that was stopped meanwhile was never visible.
";

const DOORBELL: &str = "\
\"Something is waiting\": without content, over AMQP, webhook or e-mail. A dead doorbell never kills the
delivery, which stays in the inbox.
";

const CONSENT: &str = "\
Only an active consent carries a disclosure, at sending and at every opening. A withdrawal is passed on to
everybody who holds a copy and is settled when each has answered, or by the deadline with its gaps named.
";

const BASIS: &str = "\
A basis in law is in force as soon as it is asserted. Only an exceptional one (個人情報の保護に関する法律
第69条第2項第4号) is proposed first and approved by another person before it is used. A 通告 is never reviewed.
";

/// The whole of `docs/machines.md`.
pub fn machines_markdown() -> String {
    let mut text = HEAD.to_owned();
    section::<Leg>(&mut text, "Leg (宛先)", LEG);
    elsewhere(&mut text);
    section::<Delivery>(&mut text, "Delivery (送達)", DELIVERY);
    section::<Doorbell>(&mut text, "Doorbell (着信通知)", DOORBELL);
    section::<Consent>(&mut text, "Consent (同意)", CONSENT);
    section::<Basis>(&mut text, "Basis in law (法令上の根拠)", BASIS);
    text
}

fn section<M: Machine>(text: &mut String, title: &str, words: &str) {
    line(text, &format!("\n## {title}\n\n{words}"));
    line(text, "| state | 日本語 | English | ends |\n|---|---|---|---|");
    for state in M::State::ALL {
        let ends = if M::terminal(*state) { "yes" } else { "" };
        line(text, &format!("| `{state}` | {} | {} | {ends} |", state.label_ja(), state.label_en()));
    }
    line(text, "\n| # | from | action | to | actors | guards | requires |\n|---|---|---|---|---|---|---|");
    M::TABLE.iter().for_each(|row| line(text, &table_row(row)));
    labels::<M::Action>(text, "action");
    labels::<M::Actor>(text, "actor");
    labels::<M::Guard>(text, "guard");
    labels::<M::Field>(text, "field");
}

fn table_row<M: Machine>(row: &Transition<M>) -> String {
    let number = if row.row == 0 { String::new() } else { row.row.to_string() };
    let to = row.to.map_or("(unchanged)".to_owned(), |state| format!("`{state}`"));
    let from = if row.from.is_empty() { "–".to_owned() } else { codes(row.from) };
    let (actors, guards, requires) = (codes(row.actors), codes(row.guards), codes(row.requires));
    format!("| {number} | {from} | `{}` | {to} | {actors} | {guards} | {requires} |", row.action)
}

fn codes<C: Code>(list: &[C]) -> String {
    list.iter().map(|code| format!("`{code}`")).collect::<Vec<_>>().join(", ")
}

fn labels<C: Code>(text: &mut String, what: &str) {
    line(text, &format!("\n| {what} | 日本語 | English |\n|---|---|---|"));
    for code in C::ALL {
        line(text, &format!("| `{code}` | {} | {} |", code.label_ja(), code.label_en()));
    }
}

fn elsewhere(text: &mut String) {
    line(
        text,
        "\n### The same states elsewhere\n\nDerived from the state of the leg when asked, never stored.\n",
    );
    line(text, "| state | FHIR Task | FHIR ServiceRequest | businessStatus | BSeR |\n|---|---|---|---|---|");
    for state in LegState::ALL {
        let read = fhir::derive(*state);
        let business = read.business.map_or("", BusinessStatus::code);
        let bser = read.bser.map_or("", Bser::code);
        line(text, &format!("| `{state}` | {} | {} | {business} | {bser} |", read.task, read.request));
    }
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("invariant: writing to a String cannot fail");
}
