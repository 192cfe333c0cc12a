//! The agencies of the access tests, what each of them keeps to itself, and the stories between them.

use serde_json::{Value, json};
use tsunagu::{
    clock::Clock,
    domain::{agency::AgencyKind, ids::CaseId},
};

use crate::support::town::{Agency, Browser, Engine, ORDINARY, Town, between};

/// Of everybody who signs in.
pub const PASSWORD: &str = "みんながしっている合言葉";

/// An agency with one member of staff, and two words that its papers hold.
pub struct Party {
    pub agency: Agency,
    pub staff: String,
    /// A supervisor.
    pub boss: String,
    /// A member of its staff who has signed in, and under which login.
    pub browser: Browser,
    pub login: String,
    /// Its privacy officer.
    pub officer: String,
    /// What it once sent by mistake, to the agency it always sends to.
    pub incident: String,
    /// The break-glass on what it once sent there, whose consent had run out.
    pub glass: String,
    /// In what nobody else may ever read: names of its staff, its consents, its settings.
    pub private: String,
    /// In what it tells the recipients of its referrals.
    pub shared: String,
}

impl Party {
    async fn new(town: &Town, kind: AgencyKind, role: &str, name: &str) -> Self {
        let agency = town.agency(kind).await;
        let (private, shared) = (format!("ひみつ{name}のことば"), format!("つたえる{name}のことば"));
        let staff = agency.hire_named(role, &private).await;
        let boss = agency.hire_named("supervisor", &private).await;
        let officer = agency.hire_named("privacy_officer", &private).await;
        let mail = json!({ "address": format!("himitsu-{name}@mado.example.jp") });
        agency.put("/v1/subscriptions/mail", &mail).await.good();
        let (browser, login) = (Browser::of(&agency), format!("login-{name}"));
        let visitor = agency.hire_named(role, &private).await;
        agency.let_in(&visitor, &login, PASSWORD).await.good();
        let (incident, glass) = (String::new(), String::new());
        Self { agency, staff, boss, officer, incident, glass, browser, login, private, shared }
    }

    async fn sign_in(&self) {
        assert_eq!(self.browser.sign_in(&self.login, PASSWORD).await.code(), 303);
    }
}

/// A referral on its way from one party to another.
pub struct Story {
    pub sender: String,
    pub recipient: String,
    pub consent: String,
    pub referral: String,
    pub leg: String,
    pub delivery: String,
    pub protection: String,
    /// A case the sender keeps, and a talk its staff noted.
    pub household: String,
    pub talk: String,
    /// A council the sender keeps and the recipient is a member of, in its second version.
    pub arrangement: String,
    /// The entry of its register, and the case that is registered there.
    pub entry: String,
    pub case: String,
    pub incident: String,
    /// A hold of the sender's on the leg.
    pub hold: String,
    /// The case the referral is about; the councils' registers know nothing of it.
    pub family: String,
    /// A disclosure request its sender has received.
    pub request: String,
    pub glass: String,
}

pub struct World {
    pub town: Town,
    pub engine: Engine,
    pub owner: Party,
    pub recipient: Party,
    pub third: Party,
    pub fourth: Party,
    /// A service of the directory.
    pub service: String,
    /// The cookie of a session of the owner's staff that is over.
    pub old_cookie: String,
    /// Where the style sheet of the pages is.
    pub style: String,
}

/// A session of the owner that was used half an hour ago; and where pages say their style sheet is.
async fn old_session(town: &Town, owner: &Party) -> (String, String) {
    let gone = owner.agency.hire("coordinator").await;
    owner.agency.let_in(&gone, "login-gone", PASSWORD).await.good();
    let browser = Browser::of(&owner.agency);
    let page = browser.get("/sign-in").await.good();
    browser.sign_in("login-gone", PASSWORD).await;
    let cookie = browser.cookie().unwrap();
    town.by_hand(format!("UPDATE session SET used_at = used_at - 1800000000 WHERE staff = '{gone}'")).await;
    let style = between(page.text(), "stylesheet\" href=\"", "\"").unwrap();
    (cookie, style.to_owned())
}

impl World {
    pub async fn new(engine: Engine) -> Option<Self> {
        let town = Town::on(engine).await?;
        let sheet = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("examples/data/yokohama/2026-02_ukeire.csv");
        let sheets = vec![std::fs::read(sheet).unwrap()];
        tsunagu::usecases::import::import(&town.context(), &sheets, |_, _| {}).await.unwrap();
        let owner = Party::new(&town, AgencyKind::FamilyCentre, "coordinator", "kou").await;
        let recipient = Party::new(&town, AgencyKind::Nursery, "agency_staff", "otsu").await;
        let third = Party::new(&town, AgencyKind::MunicipalDivision, "coordinator", "hei").await;
        let fourth = Party::new(&town, AgencyKind::FamilySupport, "agency_staff", "tei").await;
        let service = owner.agency.get("/v1/services?limit=1").await.at("/items/0/id");
        let (old_cookie, style) = (String::new(), String::new());
        let mut world = Self { town, engine, owner, recipient, third, fourth, service, old_cookie, style };
        // A consent runs out with its day, so this comes before anybody is signed in.
        let first = world.last_day_of(&world.owner, &world.recipient).await;
        let second = world.last_day_of(&world.third, &world.fourth).await;
        world.town.advance(std::time::Duration::from_secs(86_400));
        world.owner.glass = world.emergency(&world.recipient, &first).await;
        world.third.glass = world.emergency(&world.fourth, &second).await;
        for party in world.parties() {
            party.sign_in().await;
        }
        (world.old_cookie, world.style) = old_session(&world.town, &world.owner).await;
        world.owner.incident = world.mistake(&world.owner, &world.recipient).await;
        world.third.incident = world.mistake(&world.third, &world.fourth).await;
        Some(world)
    }

    /// On the engine that is always there: what holds for one agency's people is no matter of the database.
    pub async fn embedded() -> Self {
        Self::new(Engine::Embedded).await.expect("an embedded hub needs no servers")
    }

    pub fn parties(&self) -> [&Party; 4] {
        [&self.owner, &self.recipient, &self.third, &self.fourth]
    }

    /// A consent that says who gave it, with the keeper's private word in every field of text.
    pub fn consent_paper(&self, keeper: &Party, recipient: &Party) -> Value {
        let mut paper = self.town.consent_paper(&keeper.staff, &[&recipient.agency], ORDINARY);
        paper["giver"]["name"]["family"] = json!(keeper.private);
        paper["interpreter"] = json!(keeper.private);
        paper
    }

    pub fn introduction(&self, sender: &Party, recipient: &Party, consent: &str) -> Value {
        let mut paper = self.town.introduction(&sender.staff, consent, &[&recipient.agency]);
        paper["content"]["identity"][0]["name"]["given"] = json!(sender.shared);
        paper["content"]["narrative"][0] = json!({ "summary": sender.shared, "text": sender.private });
        paper
    }

    /// An arrangement of the kind its keeper may keep, with one member.
    pub fn arrangement_paper(&self, keeper: &Party, member: &Party) -> Value {
        let council = keeper.agency.id == self.owner.agency.id || keeper.agency.id == self.third.agency.id;
        json!({
            "by": keeper.boss, "kind": if council { "council" } else { "joint_use" }, "title": "試験の取決め",
            "purpose": "情報の交換", "notice_version": "3", "sections": ["identity"],
            "first_day": self.town.day(-30), "members": [{"agency": member.agency.id}],
        })
    }

    /// A disclosure request with its keeper's private word in every field of text.
    pub fn request_paper(&self, keeper: &Party) -> Value {
        json!({
            "by": keeper.officer, "requester": "PARENT", "identity": "photo_card", "authority": "family_register",
            "subject": keeper.private, "asked_by": keeper.private, "wording": keeper.private,
            "received_on": self.town.day(0),
        })
    }

    /// A registration of a case nobody else has.
    pub fn case_paper(&self, by: &Party) -> Value {
        let case: CaseId = Clock::System.new_id();
        json!({ "by": by.boss, "case": case, "first_day": self.town.day(-1) })
    }

    /// A referral that was accepted and lies in the recipient's inbox.
    pub async fn story(&self, sender: &Party, recipient: &Party) -> Story {
        let consent = sender.agency.record_consent(&self.consent_paper(sender, recipient)).await.at("/id");
        let family: CaseId = Clock::System.new_id();
        let mut introduction = self.introduction(sender, recipient, &consent);
        introduction["case"] = json!(family);
        let sent = sender.agency.submit(&introduction).await;
        let request = sender.agency.post("/v1/disclosure-requests", &self.request_paper(sender)).await;
        let paper = self.arrangement_paper(sender, recipient);
        let arrangement = sender.agency.post("/v1/arrangements", &paper).await.at("/id");
        let case = self.case_paper(sender);
        let entry = sender.agency.post_at(1, &format!("/v1/arrangements/{arrangement}/cases"), &case).await;
        let protected =
            sender.agency.post("/v1/protections", &super::protections::paper(&sender.staff)).await;
        let leg = sent.at("/legs/0/id");
        let hold = json!({ "by": sender.officer, "kind": "legal", "reason": sender.private });
        let hold = sender.agency.post(&format!("/v1/legs/{leg}/holds"), &hold).await;
        let household = sender.agency.post("/v1/cases", &super::cases::paper(sender, &sender.staff)).await;
        let household = household.at("/id");
        super::cases::fill(sender, &household).await;
        let talk = sender.agency.post("/v1/consultations", &super::cases::talk(sender, &sender.staff)).await;
        Story {
            hold: hold.at("/id"),
            protection: protected.at("/id"),
            household,
            talk: talk.at("/id"),
            sender: sender.agency.id.clone(),
            recipient: recipient.agency.id.clone(),
            consent,
            referral: sent.at("/id"),
            leg,
            delivery: sent.at("/legs/0/delivery"),
            arrangement,
            entry: entry.at("/entry"),
            case: case["case"].as_str().unwrap().to_owned(),
            incident: sender.incident.clone(),
            family: family.to_string(),
            request: request.at("/id"),
            glass: sender.glass.clone(),
        }
    }

    /// A delivery whose consent ends today.
    async fn last_day_of(&self, sender: &Party, recipient: &Party) -> String {
        let mut paper = self.consent_paper(sender, recipient);
        paper["last_day"] = json!(self.town.day(0));
        let consent = sender.agency.record_consent(&paper).await.at("/id");
        sender.agency.submit(&self.introduction(sender, recipient, &consent)).await.at("/legs/0/delivery")
    }

    /// The break-glass of a member of the recipient's staff on it.
    async fn emergency(&self, recipient: &Party, delivery: &str) -> String {
        let body = json!({
            "by": recipient.staff, "delivery": delivery, "purpose": "safety_check", "reason": "安全確認",
            "minutes": 10,
        });
        recipient.agency.post("/v1/break-glass", &body).await.at("/id")
    }

    /// The incident of a leg that was recalled after it had been opened, with the sender's private word in it.
    async fn mistake(&self, sender: &Party, recipient: &Party) -> String {
        let story = self.story(sender, recipient).await;
        recipient.agency.open(&story.delivery, &recipient.staff).await.good();
        let recall = json!({ "by": sender.staff, "reason": "WRONG_RECIPIENT", "note": sender.private });
        sender.agency.act(&story.leg, "recall", &recall).await.at("/incident/id")
    }

    /// What no answer to any of the parties may hold: words and ids of stories it has no part in, and the private
    /// words of everybody else. Gives the number of answers that were looked through.
    pub fn assert_nobody_saw_anything_foreign(&self, stories: &[Story]) -> usize {
        let exchanges = self.town.traffic.all();
        for exchange in &exchanges {
            let (said, asker) = (exchange.reply.unfolded(), exchange.caller.as_str());
            let deny = |word: &str, what: &str| {
                assert!(!said.contains(word), "{} {} showed {what}: {said}", exchange.method, exchange.url);
            };
            for party in self.parties().iter().filter(|party| party.agency.id != asker) {
                deny(&party.private, "another agency's private word");
                let told = |s: &Story| s.sender == party.agency.id && s.recipient == asker;
                if !stories.iter().any(told) {
                    deny(&party.shared, "what was told to somebody else");
                }
            }
            for story in stories {
                if story.sender != asker {
                    deny(&story.request, "a disclosure request to another agency");
                    deny(&story.family, "another agency's case");
                    deny(&story.referral, "the id of another agency's referral");
                    deny(&story.entry, "the id of an entry of another agency's register");
                    deny(&story.case, "a case on another agency's register");
                    deny(&story.hold, "the id of another agency's hold");
                    deny(&story.household, "another agency's case");
                    deny(&story.talk, "another agency's consultation");
                }
                if story.sender != asker && story.recipient != asker {
                    for id in
                        [&story.leg, &story.delivery, &story.consent, &story.protection, &story.arrangement]
                    {
                        deny(id, "an id between others");
                    }
                }
            }
        }
        exchanges.len()
    }
}
