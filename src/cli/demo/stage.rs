//! What the agencies' systems do, each step told and shown as it happens.

use std::{path::PathBuf, sync::Arc, time::Duration};

use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{
    super::{Said, Stopped},
    api::{Answer, Api, With, unexpected},
    board::{Board, Row, of},
    cast::{Cast, Member, Part},
    evidence::{GLANCE, PATIENCE},
    screen::{Paint, Screen},
};
use crate::{
    domain::{
        fault::Phrase,
        ids::{AgencyId, ConsentId, LegId},
        language::Language,
        leg::{LegAction, LegState},
        receipt::ReceiptLevel,
        staff::StaffRole,
    },
    ledger::job::{JobKind, JobRow, JobState},
    usecases::{Broker, Context, job::Why},
};

/// Where a leg is to stand at the end, and on which rungs.
pub(super) type Expected = (LegState, &'static [ReceiptLevel]);

/// The pause between two steps on a terminal.
const PACE: Duration = Duration::from_millis(900);

pub(super) struct Stage {
    pub api: Api,
    pub cast: Cast,
    pub board: Board,
    pub screen: Screen,
    pub language: Language,
    /// The folder of the hub, with its mail.
    pub data: PathBuf,
    /// The hub's own tools: for the operator's look at doorbells, and for the time.
    pub context: Arc<Context>,
    pub fast: bool,
    /// Whether the lines of this scene have their heading, where there is no table to stand under one.
    pub headed: bool,
    /// Signed refusals, to be verified like receipts.
    pub refusals: Vec<String>,
    /// Numbers of the idempotency keys.
    pub keys: u32,
}

/// A referral as it was sent: what is needed to send it again.
pub(super) struct Sent {
    pub key: String,
    pub document: Value,
    pub answer: Answer,
}

impl Stage {
    /// A line of the story.
    pub fn say(&mut self, said: &Said) {
        self.tell(Paint::Plain, said);
    }

    pub fn tell(&mut self, paint: Paint, said: &Said) {
        let line = paint.on(said.text(self.language), self.screen.colour);
        let table = self.table();
        self.screen.say(&line, &table);
    }

    /// The title of a scene.
    pub fn scene(&mut self, number: u8, ja: &str, en: &str) {
        self.tell(Paint::Plain, &Said::new("", ""));
        self.tell(Paint::Bold, &Said::new(format!("【{number}】{ja}"), format!("({number}) {en}")));
        self.headed = false;
    }

    /// The table as it stands; nothing before the first leg.
    pub fn table(&self) -> Vec<String> {
        if self.board.rows.is_empty() {
            return Vec::new();
        }
        self.board.lines(&self.cast, self.language, self.screen.colour)
    }

    /// What one agency did, and how the hub answered.
    pub fn did(&mut self, who: Part, post: Phrase, ja: &str, en: &str, status: u16) {
        let short = self.cast.get(who).role.short;
        let answered = Paint::Dim.on(&format!("[{status}]"), self.screen.colour);
        self.say(&Said::new(
            format!("  {}（{}）: {ja} {answered}", short.ja, post.ja),
            format!("  {} ({}): {en} {answered}", short.en, post.en),
        ));
    }

    /// Waits as long as a reader needs, where there is one.
    pub async fn pause(&self) {
        if self.screen.live && !self.fast {
            sleep(PACE).await;
        }
    }

    pub fn now(&self) -> Timestamp {
        self.context.clock.now()
    }

    pub fn key(&mut self) -> String {
        self.keys += 1;
        format!("demo-{}", self.keys)
    }

    pub fn id(&self, part: Part) -> AgencyId {
        self.cast.get(part).id
    }

    /// Records a consent and gives back its id.
    pub async fn consent(
        &mut self,
        who: Part,
        mut document: Value,
        ja: &str,
        en: &str,
    ) -> Result<ConsentId, Stopped> {
        let (writer, post) = person(self.cast.get(who), StaffRole::Coordinator)?;
        document["recorded_by"] = json!(writer);
        let key = self.key();
        let with = With { key: Some(&key), body: Some(&document), ..With::default() };
        let answer = self.api.change(self.cast.get(who), Method::POST, "/v1/consents", with).await?;
        self.did(who, post, ja, en, answer.status);
        self.pause().await;
        parsed(&answer.document()["id"], "POST /v1/consents", &answer)
    }

    /// Sends a referral that has to be accepted, and puts its legs on the board.
    pub async fn submit(
        &mut self,
        scene: u8,
        who: (Part, StaffRole),
        mut document: Value,
        expected: &[Expected],
        told: (&str, &str),
    ) -> Result<Sent, Stopped> {
        let (writer, post) = person(self.cast.get(who.0), who.1)?;
        document["written_by"] = json!(writer);
        let key = self.key();
        let with = With { key: Some(&key), body: Some(&document), ..With::default() };
        let answer = self.api.change(self.cast.get(who.0), Method::POST, "/v1/referrals", with).await?;
        let view = answer.document();
        let mut rows = Vec::new();
        for (leg, expected) in view["legs"].as_array().into_iter().flatten().zip(expected) {
            let recipient: AgencyId = parsed(&leg["recipient"], "POST /v1/referrals", &answer)?;
            let Some(recipient) = self.cast.by_id(recipient) else {
                return Err(unexpected("POST /v1/referrals", &answer));
            };
            let mut row = Row {
                scene,
                leg: parsed(&leg["id"], "POST /v1/referrals", &answer)?,
                delivery: parsed(&leg["delivery"], "POST /v1/referrals", &answer)?,
                sender: who.0,
                writer: writer.clone(),
                recipient: recipient.role.part,
                basis: None,
                state: LegState::Requested,
                version: 1,
                ladder: std::collections::BTreeMap::new(),
                answer: None,
                due: None,
                rung: None,
                expected: *expected,
            };
            self.look(&mut row).await?;
            rows.push(row);
        }
        self.did(who.0, post, told.0, told.1, answer.status);
        for row in rows {
            self.board.rows.push(row);
            self.show(self.board.rows.len() - 1);
        }
        // The recipients hear of it before they open it.
        let until = Instant::now() + PATIENCE;
        while self.listen().await? && Instant::now() < until {
            sleep(GLANCE).await;
        }
        self.pause().await;
        Ok(Sent { key, document, answer })
    }

    /// The row of the leg of this scene to this recipient.
    pub fn row(&self, scene: u8, recipient: Part) -> usize {
        let here = |row: &Row| row.scene == scene && row.recipient == recipient;
        self.board.rows.iter().position(here).expect("invariant: a scene asks for legs it has sent")
    }

    /// A person opens a copy, or tries to.
    pub async fn open(&mut self, row: usize, role: StaffRole) -> Result<Answer, Stopped> {
        let (recipient, delivery) = (self.board.rows[row].recipient, self.board.rows[row].delivery);
        let member = self.cast.get(recipient);
        let (staff, post) = person(member, role)?;
        let with = With { staff: Some(staff), ..With::default() };
        let answer = self.api.ask(member, Method::GET, &format!("/v1/deliveries/{delivery}"), with).await?;
        let (ja, en) = match answer.status {
            200 => ("送達を開きました", "opened the delivery"),
            _ => ("送達を開こうとして、断られました", "tried to open the delivery and was refused"),
        };
        self.did(recipient, post, ja, en, answer.status);
        self.refresh(row).await?;
        self.pause().await;
        Ok(answer)
    }

    /// A copy that has to open.
    pub async fn opened(&mut self, row: usize, role: StaffRole) -> Result<Value, Stopped> {
        let answer = self.open(row, role).await?;
        if answer.status == 200 {
            Ok(answer.document())
        } else {
            Err(unexpected("GET /v1/deliveries/{id}", &answer))
        }
    }

    /// A copy that must not open, with the code of the refusal.
    pub async fn stays_closed(&mut self, row: usize, role: StaffRole, code: &str) -> Result<(), Stopped> {
        let answer = self.open(row, role).await?;
        if answer.status < 400 || answer.code() != code {
            return Err(unexpected("GET /v1/deliveries/{id}", &answer));
        }
        self.refused(&answer);
        Ok(())
    }

    /// The recipient answers.
    pub async fn act(
        &mut self,
        row: usize,
        role: StaffRole,
        action: LegAction,
        mut body: Value,
    ) -> Result<(), Stopped> {
        let (leg, recipient, version) =
            (self.board.rows[row].leg, self.board.rows[row].recipient, self.board.rows[row].version);
        let (staff, post) = person(self.cast.get(recipient), role)?;
        body["by"] = json!(staff);
        let (key, path) = (self.key(), format!("/v1/legs/{leg}/actions/{action}"));
        let with = With { key: Some(&key), version: Some(version), body: Some(&body), ..With::default() };
        let answer = self.api.change(self.cast.get(recipient), Method::POST, &path, with).await?;
        let ja = format!("返書「{}」", action.label_ja());
        self.did(recipient, post, &ja, &format!("answered: {}", action.label_en()), answer.status);
        self.refresh(row).await?;
        self.pause().await;
        Ok(())
    }

    /// Says why the hub refused, on which law, and what would mend it; keeps the signed refusal.
    pub fn refused(&mut self, answer: &Answer) {
        let problem = answer.document();
        let text = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
        self.tell(
            Paint::Red,
            &Said::new(
                format!("    {}: {}", text("code"), text("detail")),
                format!("    {}: {}", text("code"), text("detail_en")),
            ),
        );
        if !text("law").is_empty() {
            self.say(&Said::new(
                format!("    根拠となる法令: {}", text("law")),
                format!("    law: {}", text("law")),
            ));
        }
        self.say(&Said::new(
            format!("    どうすればよいか: {}", text("mend")),
            format!("    what to do: {}", text("mend_en")),
        ));
        if let Some(signed) = problem["signed"].as_str() {
            self.refusals.push(signed.to_owned());
        }
    }

    /// Reads a leg again, as its sender sees it, and shows what has changed.
    pub async fn refresh(&mut self, place: usize) -> Result<(), Stopped> {
        let mut row = self.board.rows[place].clone();
        self.look(&mut row).await?;
        if self.board.rows[place] != row {
            self.board.rows[place] = row;
            self.show(place);
        }
        Ok(())
    }

    async fn look(&self, row: &mut Row) -> Result<(), Stopped> {
        let view = self.read(row.sender, Some(&row.writer), &format!("/v1/legs/{}", row.leg)).await?;
        row.take(&view, &self.cast);
        if row.rung.is_none() {
            row.rung = self.rung(row).await?;
        }
        Ok(())
    }

    /// Shows a row that is new or has changed.
    fn show(&mut self, place: usize) {
        if self.screen.live {
            let table = self.table();
            return self.screen.redraw(&table);
        }
        let (language, colour) = (self.language, self.screen.colour);
        let mut lines = if self.headed { Vec::new() } else { Board::heading(language) };
        self.headed = true;
        lines.push(Board::line(&self.board.rows[place], &self.cast, language, colour));
        lines.iter().for_each(|line| self.screen.say(line, &[]));
    }

    /// Looks for the doorbells that were not heard yet, and says whether some are still missing.
    pub async fn listen(&mut self) -> Result<bool, Stopped> {
        for place in 0..self.board.rows.len() {
            if self.board.rows[place].rung.is_some() {
                continue;
            }
            if let Some(rung) = self.rung(&self.board.rows[place]).await? {
                self.board.rows[place].rung = Some(rung);
                self.show(place);
            }
        }
        Ok(self.board.rows.iter().any(|row| row.rung.is_none()))
    }

    /// How the doorbell of a delivery was rung, if it was: over AMQP, the broker has confirmed it.
    async fn rung(&self, row: &Row) -> Result<Option<Phrase>, Stopped> {
        let jobs = self.context.ledger.jobs_about(&row.delivery.to_string()).await?;
        let told =
            |job: &JobRow| job.state == JobState::Done && job.reason.as_deref() == Some(Why::Rung.code());
        let rung = jobs.iter().any(|job| job.kind == JobKind::Waiting && told(job));
        Ok(rung.then(|| match self.context.settings.broker {
            Broker::InProcess => Phrase { ja: "通知済", en: "rung" },
            Broker::Amqp => Phrase { ja: "AMQP済", en: "AMQP ok" },
        }))
    }

    /// The leg of a row, as its recipient sees it.
    pub async fn seen_by_recipient(&self, row: usize) -> Result<Value, Stopped> {
        let Row { recipient, leg, .. } = self.board.rows[row];
        self.api.read(self.cast.get(recipient), &format!("/v1/legs/{leg}")).await
    }

    /// The whole history of a leg, as one of its parties is given it; the sender's, for who wrote it.
    pub async fn evidence(&self, party: Part, staff: Option<&str>, leg: LegId) -> Result<Value, Stopped> {
        self.read(party, staff, &format!("/v1/legs/{leg}/receipts")).await
    }

    /// A document that the hub must give to an agency's system, perhaps for one of its staff.
    async fn read(&self, party: Part, staff: Option<&str>, path: &str) -> Result<Value, Stopped> {
        let with = With { staff: staff.map(str::to_owned), ..With::default() };
        let answer = self.api.ask(self.cast.get(party), Method::GET, path, with).await?;
        if answer.status == 200 { Ok(answer.document()) } else { Err(unexpected(path, &answer)) }
    }
}

/// Somebody of this role at an agency.
pub(super) fn person(member: &Member, role: StaffRole) -> Result<(String, Phrase), Stopped> {
    let found = member.person(role).map(|(id, post)| (id.to_string(), post));
    found.ok_or_else(|| {
        let name = of(member.role.short, Language::English);
        Stopped::failed(Said::new(
            format!("{}に「{}」の職員がいません。", member.role.short.ja, role.label_ja()),
            format!("nobody at {name} has the role {role}"),
        ))
    })
}

/// A member of an answer that has to be there.
fn parsed<T: std::str::FromStr>(value: &Value, asked: &str, answer: &Answer) -> Result<T, Stopped> {
    value.as_str().and_then(|text| text.parse().ok()).ok_or_else(|| unexpected(asked, answer))
}
