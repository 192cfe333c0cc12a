//! What a visitor can try once the scenes are over: pages to look at, and five commands that work as they are printed.

use super::{
    super::{Said, Stopped},
    cast::{Member, Part},
    evidence::Checked,
    people::Entry,
    screen::Paint,
    stage::{Stage, person},
};
use crate::domain::staff::StaffRole;

/// Prints the address, who can sign in to the pages, two agencies' credentials, the commands, and how to stop.
///
/// # Errors
/// None while the cast has the people that the commands name.
pub(super) fn invite(stage: &mut Stage, row: usize, entries: &[Entry]) -> Result<(), Stopped> {
    let hub = stage.api.hub().to_owned();
    stage.screen.leave();
    let mut say = Lines::default();
    say.add("", "");
    say.add(&format!("ハブは {hub} で動いています。"), &format!("The hub runs at {hub}"));
    say.add(
        &format!("画面: ブラウザで {hub}/sign-in を開き、どちらかの職員でログインしてください。"),
        &format!("Pages: open {hub}/sign-in in a browser and sign in as one of these"),
    );
    for Entry { part, login, password } in entries {
        let (role, password) = (&stage.cast.get(*part).role, password.reveal());
        say.add(
            &format!("  {}\n    ログインID: {login}\n    パスワード: {password}", role.name),
            &format!("  {} ({})\n    login: {login}\n    password: {password}", role.name, role.short.en),
        );
    }
    say.add("", "");
    say.add(
        "例の機関の認証情報（この端末だけに表示されます）:",
        "Credentials of two example agencies (shown here alone):",
    );
    for part in [Part::Ward, Part::Nursery] {
        let Member { role, id, secret, .. } = stage.cast.get(part);
        say.add(
            &format!("  {}\n    client_id={id}\n    client_secret={}", role.name, secret.reveal()),
            &format!(
                "  {} ({})\n    client_id={id}\n    client_secret={}",
                role.name,
                role.short.en,
                secret.reveal()
            ),
        );
    }
    say.add("", "");
    say.add(
        "別の端末に貼り付けて試せます（トークンは10分間有効。切れたら1からやり直せます）:",
        "To try in another terminal (a token lives ten minutes; then begin at 1 again):",
    );
    for (number, (ja, en, command)) in commands(stage, row)?.into_iter().enumerate() {
        let number = number + 1;
        say.add(&format!("# {number} {ja}\n{command}"), &format!("# {number} {en}\n{command}"));
    }
    say.add("", "");
    say.add("止めるには Ctrl-C を押してください。", "Press Ctrl-C to stop.");
    for said in say.0 {
        stage.screen.say(said.text(stage.language), &[]);
        stage.screen.leave();
    }
    Ok(())
}

#[derive(Default)]
struct Lines(Vec<Said>);

impl Lines {
    fn add(&mut self, ja: &str, en: &str) {
        self.0.push(Said::new(ja, en));
    }
}

/// The commands of nursery A: what it is for in both languages, and the line to paste.
fn commands(stage: &Stage, row: usize) -> Result<[(&'static str, &'static str, String); 5], Stopped> {
    let hub = stage.api.hub();
    let nursery = stage.cast.get(Part::Nursery);
    let (id, secret) = (nursery.id, nursery.secret.reveal());
    let (staff, _) = person(nursery, StaffRole::AgencyStaff)?;
    let (leg, delivery) = (stage.board.rows[row].leg, stage.board.rows[row].delivery);
    // The first opening is the leg's second event, so its version is then 2.
    let opened = stage.board.rows[row].version + 1;
    let bearer = "-H \"Authorization: Bearer $TOKEN\"";
    Ok([
        (
            "トークンを得る",
            "get a token",
            format!(
                "TOKEN=$(curl -s {hub}/v1/token -d grant_type=client_credentials -d client_id={id} \
                 -d client_secret={secret} | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')"
            ),
        ),
        ("受信箱を見る", "look into the inbox", format!("curl -s {bearer} '{hub}/v1/inbox?state=waiting'")),
        (
            "送達を開く（職員「主任」の名で）",
            "open the delivery, in the name of a member of staff",
            format!("curl -s {bearer} -H 'Tsunagu-Staff: {staff}' {hub}/v1/deliveries/{delivery}"),
        ),
        (
            "受け入れると返事をする",
            "answer: accept",
            format!(
                "curl -s {bearer} -H 'Content-Type: application/json' -H 'Idempotency-Key: try-1' \
                 -H 'If-Match: \"{opened}\"' -d '{{\"by\":\"{staff}\"}}' {hub}/v1/legs/{leg}/actions/accept"
            ),
        ),
        (
            "受領証と、それを検証する公開鍵を見る",
            "see the receipts, and the public keys that verify them",
            format!("curl -s {bearer} {hub}/v1/legs/{leg}/receipts {hub}/.well-known/jwks.json"),
        ),
    ])
}

/// What the scenes came to, and where it lies.
pub(super) fn tell_result(stage: &mut Stage, checked: &Checked) {
    let Checked { statements, manifests, mails, complaints } = checked;
    stage.tell(Paint::Plain, &Said::new("", ""));
    for complaint in complaints {
        stage.tell(Paint::Red, complaint);
    }
    let (legs, refusals) = (stage.board.rows.len(), stage.refusals.len());
    if complaints.is_empty() {
        stage.tell(
            Paint::Green,
            &Said::new(
                format!(
                    "{legs}件の宛先はすべて期待どおり。署名{statements}件・目録{manifests}件・拒否{refusals}件を公開鍵だけで検証しました。"
                ),
                format!(
                    "All {legs} legs stand as expected; {statements} signed statements, {manifests} manifests and \
                     {refusals} refusals verify by the public keys alone."
                ),
            ),
        );
    }
    let data = stage.data.display().to_string();
    stage.say(&Said::new(
        format!("保存先: {data}（receipts, manifests, jwks.json、mail に{mails}通）"),
        format!("Left in {data}: receipts, manifests, jwks.json, and {mails} mails in mail"),
    ));
}
