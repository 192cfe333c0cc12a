//! The channel matrix: every way out of the hub × a family hidden before, while and after a copy waits × those it is
//! hidden from. Nothing of its place comes out anywhere; and nothing of a notifier but to the desk.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is the point")]

mod support;

#[path = "concealment/asker.rs"]
mod asker;
#[path = "concealment/channels.rs"]
mod channels;
#[allow(dead_code, reason = "the canaries of other fields are not asked for here")]
#[path = "canary/words.rs"]
mod words;

use asker::Asker;
use channels::Tells;
use serde_json::{Value, json};
use support::{
    cast::Sent,
    stories::stories,
    town::{Agency, Town},
};
use tsunagu::{
    domain::agency::AgencyKind,
    web::{Guarded, TABLE},
};
use words::{NAME, Scanner};

stories! {
    every_way_out_is_silent_about_a_hidden_place,
    every_way_out_but_the_desk_is_silent_about_a_notifier,
}

/// What stands nowhere but in fields that tell of the family's place.
const PLACE: &str = "隠里架空坂";
const MAIL: &str = "plczqxwvut";
const PHONE: &str = "070-9182-7364";
const CODE: &str = "473057";
const CITY: &str = "011002";
const SECTIONS: &[&str] = &["identity", "contact", "address", "household", "needs", "narrative", "safety"];

/// When the family is hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hidden {
    BeforeSending,
    WhileItWaits,
    AfterItWasOpened,
}

fn place() -> Scanner {
    Scanner::new(&[PLACE, MAIL, PHONE, CODE])
}

/// A family, each field that may tell of its place holding a word that stands nowhere else.
fn paper(by: &str, case: &str, consent: &str, to: &[&Agency]) -> Value {
    let leg = |recipient: &&Agency| {
        json!({
            "recipient": recipient.id, "basis": {"code": "CONSENT", "consent": consent}, "sections": SECTIONS,
            "address_needed_because": "送迎のため", "requested_action": format!("{PLACE}からの送迎"),
        })
    };
    json!({
        "type": "SHOKAI", "urgency": "U1", "written_by": by, "case": case,
        "subjects": [{"ref": "child-1", "role": "child", "birth_date": "2023-05"}, {"ref": "mother", "role": "guardian"}],
        "content": {
            "identity": [{"subject": "child-1", "name": {"family": "山辺", "given": "澪"}}],
            "contact": [{"subject": "mother", "phone": PHONE, "email": format!("{MAIL}@example.jp"),
                "safe_contact": format!("{PLACE}の窓口が開いている平日10時から")}],
            "address": [{"subject": "mother", "municipality": CODE, "town": PLACE, "rest": "三丁目四番五号",
                "postal_code": "2300051"}],
            "household": [{"text": format!("{PLACE}小学校に通うきょうだいがいる")}],
            "needs": [{"codes": ["RESPITE"], "text": format!("{PLACE}駅の近くで")}],
            "narrative": [{"summary": format!("{PLACE}へ転居した")}, {"summary": "短時間の預かりを希望"}],
            "safety": [{"text": format!("夫は {PHONE} を知らない")}],
        },
        "legs": to.iter().map(leg).collect::<Vec<_>>(),
    })
}

/// Everybody in these stories, and the ids that anybody might guess.
struct Story {
    site: Asker,
    /// An ordinary recipient, the desk named in the listed city, one that must not be told.
    hidden_from: [Asker; 3],
    /// An authority that is not listed.
    guidance: Asker,
    case: String,
    consent: String,
}

impl Story {
    async fn of(town: &Town) -> Self {
        let here = support::town::TSURUMI;
        let site = Asker::of(town, here, AgencyKind::UserSupportBasic).await;
        let hidden_from = [
            Asker::of(town, here, AgencyKind::Nursery).await,
            Asker::of(town, CITY, AgencyKind::FamilyCentre).await,
            Asker::of(town, here, AgencyKind::FamilySupport).await,
        ];
        let guidance = Asker::of(town, here, AgencyKind::ChildGuidance).await;
        let [one, two, three] = &hidden_from;
        let everybody = [&one.agency, &two.agency, &three.agency, &guidance.agency];
        let consent = town.consent_paper(&site.staff, &everybody, SECTIONS);
        let consent = site.agency.record_consent(&consent).await.at("/id");
        Self { site, hidden_from, guidance, case: String::new(), consent }
    }

    async fn protect(&self) -> String {
        let [_, desk, blocked] = &self.hidden_from;
        let terms = json!({
            "by": self.site.staff, "case": self.case, "ground": format!("{PLACE}への転居"),
            "hidden_from": [{"municipality": CITY, "desk": desk.agency.id}], "blocked": [blocked.agency.id],
            "words": [format!("{PLACE}小学校")], "texts_confirmed_by": self.site.staff,
        });
        self.site.agency.post("/v1/protections", &terms).await.at("/id")
    }

    async fn send(&self, to: &[&Agency]) -> Sent {
        let paper = paper(&self.site.staff, &self.case, &self.consent, to);
        let sent = Sent::read(&self.site.agency.submit(&paper).await.value());
        // What the sender writes later is an output as well.
        for (leg, _) in &sent.legs {
            let note = json!({"by": self.site.staff, "note": format!("{PLACE}の件です")});
            self.site.agency.act(leg, "note", &note).await.good();
        }
        sent
    }

    /// Every kind of id there is: what an agency knows of its own copy, and what it might guess.
    fn ids(&self, sent: &Sent, protection: &str, place: usize) -> Vec<String> {
        let mut ids = vec![self.site.agency.id.clone(), self.case.clone(), self.consent.clone()];
        ids.extend([sent.referral.clone(), protection.to_owned(), self.site.staff.clone()]);
        ids.extend(
            sent.legs.get(place).into_iter().flat_map(|(leg, delivery)| [leg.clone(), delivery.clone()]),
        );
        ids
    }

    async fn tell(&self, when: Hidden) {
        let [nursery, desk, blocked] = &self.hidden_from;
        let hidden = [nursery, desk, blocked];
        let mut protection = None;
        if when == Hidden::BeforeSending {
            protection = Some(self.protect().await);
            self.preview(&[&nursery.agency, &desk.agency]).await;
            let to_blocked = paper(&self.site.staff, &self.case, &self.consent, &[&blocked.agency]);
            let refused = self.site.agency.submit(&to_blocked).await;
            assert_eq!(refused.json()["code"], "RECIPIENT_BLOCKED");
            place().assert_clean("the refusal", &refused.body);
        }
        let mut to = vec![&self.guidance.agency, &nursery.agency, &desk.agency];
        if when != Hidden::BeforeSending {
            to.push(&blocked.agency);
        }
        let sent = self.send(&to).await;
        if when == Hidden::AfterItWasOpened {
            for (asker, (_, delivery)) in hidden.iter().zip(&sent.legs[1..]) {
                asker.agency.open(delivery, &asker.staff).await.good();
            }
        }
        let protection = match protection {
            Some(protection) => protection,
            None => self.protect().await,
        };
        for (place, asker) in hidden.into_iter().enumerate() {
            self.silent(asker, &self.ids(&sent, &protection, place + 1), when).await;
        }
        self.told(&self.ids(&sent, &protection, 0)).await;
    }

    /// Nothing tells this agency of the place.
    async fn silent(&self, asker: &Asker, ids: &[String], when: Hidden) {
        let (scanner, mut answers) = (place(), 0);
        for (row, path, reply) in asker.everything(ids).await {
            let what = format!("{when:?}: {} {path} to {}", row.method, asker.agency.id);
            for (name, value) in &reply.headers {
                scanner.assert_clean(&format!("{what}, header {name}"), value.as_bytes());
            }
            scanner.assert_clean(&what, &reply.body);
            if channels::of(row.endpoint) == Tells::ItsKeeper
                && reply.status.is_success()
                && path.contains(&ids[4])
            {
                panic!("{what} opened what another agency keeps");
            }
            answers += 1;
        }
        assert!(answers > 150, "{answers} answers were looked through");
    }

    /// The search would see it: an authority that is not listed is told, with the flag, and by no other way.
    async fn told(&self, ids: &[String]) {
        let (scanner, mut seen) = (place(), Vec::new());
        for (row, path, reply) in self.guidance.everything(ids).await {
            if !scanner.find(&reply.body).is_empty() {
                assert_eq!(channels::of(row.endpoint), Tells::UnderTheMask, "{path}");
                seen.push(path);
            }
        }
        assert!(
            seen.iter().any(|path| path.starts_with("/v1/deliveries/")),
            "the authority was not told: {seen:?}"
        );
        assert!(
            seen.iter().any(|path| path.starts_with("/v1/legs/")),
            "nor what was written beside it: {seen:?}"
        );
    }

    /// What the sender is shown of what others would see is what they would see.
    async fn preview(&self, to: &[&Agency]) {
        let reply = self.site.agency.preview(&paper(&self.site.staff, &self.case, &self.consent, to)).await;
        let view = reply.value();
        for leg in view["legs"].as_array().unwrap() {
            place().assert_clean("a previewed document", leg["document"].to_string().as_bytes());
            let whys = leg["withheld"].as_array().unwrap().iter();
            assert!(whys.map(|one| &one["why"]).any(|why| why == "W_CONCEALED"), "{leg}");
        }
    }
}

async fn every_way_out_is_silent_about_a_hidden_place(town: &mut Town) -> Vec<Agency> {
    let mut story = Story::of(town).await;
    for (number, when) in
        [Hidden::BeforeSending, Hidden::WhileItWaits, Hidden::AfterItWasOpened].into_iter().enumerate()
    {
        story.case = format!("0192f000-0000-7000-8000-0000000000c{number}");
        story.tell(when).await;
    }
    let [one, two, three] = story.hidden_from;
    [story.site, story.guidance, one, two, three].into_iter().map(|asker| asker.agency).collect()
}

/// The notifier's compartment by the same matrix: the desk's opening alone tells who gave notice.
async fn every_way_out_but_the_desk_is_silent_about_a_notifier(town: &mut Town) -> Vec<Agency> {
    let here = support::town::TSURUMI;
    let nursery = Asker::of(town, here, AgencyKind::Nursery).await;
    let mut worker = Asker::of(town, here, AgencyKind::FamilyCentre).await;
    let stranger = Asker::of(town, here, AgencyKind::FamilyCentre).await;
    let mut notice = town.notice(&nursery.staff, &worker.agency);
    let word = words::name();
    let name = json!({"family": word, "given": word});
    notice["content"]["notifier"] =
        json!([{"name": name, "relation": word, "text": word, "phone": "03-0000-0000"}]);
    let sent = Sent::read(&nursery.agency.submit(&notice).await.value());
    let (leg, delivery) = &sent.legs[0];
    let ids = vec![nursery.agency.id.clone(), sent.referral.clone(), leg.clone(), delivery.clone()];
    let scanner = Scanner::new(&[NAME]);
    for asker in [&worker, &nursery, &stranger] {
        for (row, path, reply) in asker.everything(&ids).await {
            scanner.assert_clean(&format!("{} {path}", row.method), &reply.body);
        }
    }
    // The search would see it.
    worker.staff = worker.agency.hire("duty_desk").await;
    let mut seen = Vec::new();
    for (_, path, reply) in worker.everything(&ids).await {
        if !scanner.find(&reply.body).is_empty() {
            seen.push(path);
        }
    }
    assert_eq!(seen, [format!("/v1/deliveries/{delivery}")]);
    [nursery, worker, stranger].into_iter().map(|asker| asker.agency).collect()
}

/// A way out that no row speaks of does not build; a row that speaks of none, or of a test that is not there, fails.
#[test]
fn every_way_out_has_a_row_and_every_row_its_test() {
    let under_the_mask = TABLE
        .iter()
        .filter(|row| channels::of(row.endpoint) == Tells::UnderTheMask && row.guarded == Guarded::No);
    assert_eq!(under_the_mask.count(), 6);
    let sources = [
        include_str!("concealment.rs"),
        include_str!("canary.rs"),
        include_str!("access_request.rs"),
        include_str!("family.rs"),
        include_str!("../src/usecases/stories/told/sealed.rs"),
        include_str!("../src/domain/veil.rs"),
    ];
    for (channel, test) in channels::OTHERS {
        let there = sources.iter().any(|source| source.contains(&format!("fn {test}(")));
        assert!(there, "{channel}: no test {test}");
    }
}
