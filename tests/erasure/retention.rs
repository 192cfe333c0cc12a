//! What must be kept is kept; what is past it is erased by two people, and what proves it stays.

use serde_json::{Value, json};

use crate::support::{
    cast::{Cast, Sent},
    town::{Agency, Reply, Town, fresh_key},
};

const SEVEN_YEARS: i64 = 7 * 366 * 24 * 3600 * 1_000_000;
/// How many pairs race.
const PAIRS: usize = 8;

/// Those who answer for personal data at the sender.
pub struct Officers {
    pub officer: String,
    pub boss: String,
}

impl Officers {
    pub async fn of(agency: &Agency) -> Self {
        Self { officer: agency.hire("privacy_officer").await, boss: agency.hire("supervisor").await }
    }

    pub fn erasure(&self) -> Value {
        json!({"by": self.officer, "approved_by": self.boss, "reason": "保存期間の満了"})
    }

    pub async fn erase(&self, agency: &Agency, referral: &str) -> Reply {
        agency.post(&format!("/v1/referrals/{referral}/erase"), &self.erasure()).await
    }

    pub async fn retention(&self, agency: &Agency, referral: &str) -> Value {
        let request = agency.request("GET", &format!("/v1/referrals/{referral}/retention")).await;
        agency.send(request.header("tsunagu-staff", &self.officer)).await.value()
    }
}

/// As if everything so far had happened seven years earlier.
pub async fn seven_years_pass(town: &Town) {
    for (table, column) in [("receipt", "at"), ("leg", "created_at")] {
        town.by_hand(format!("UPDATE {table} SET {column} = {column} - {SEVEN_YEARS}")).await;
    }
}

/// One leg declined after it was read, one cancelled unread.
pub async fn ended(cast: &Cast, town: &Town) -> Sent {
    let sent = cast.send(town, &[&cast.nursery, &cast.family]).await;
    let ((first, delivery), (second, _)) = (&sent.legs[0], &sent.legs[1]);
    cast.nursery.open(delivery, &cast.clerk).await.good();
    let no = json!({"by": cast.clerk, "reason": "CAPACITY", "declined_by": "provider"});
    cast.nursery.act(first, "decline", &no).await.good();
    cast.site.act(second, "cancel", &json!({"by": cast.writer})).await.good();
    sent
}

fn codes(reply: &Reply) -> Vec<String> {
    assert_eq!((reply.code(), reply.problem().as_str()), (409, "retention-hold"), "{}", reply.text());
    let errors = reply.json()["errors"].as_array().unwrap().clone();
    errors.iter().map(|one| one["code"].as_str().unwrap().to_owned()).collect()
}

pub async fn two_people_erase_what_is_past_its_retention_and_the_evidence_stays(
    town: &mut Town,
) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, family, clerk, carer } = &cast;
    let officers = Officers::of(site).await;
    let sent = ended(&cast, town).await;
    let (first, delivery) = &sent.legs[0];
    let path = format!("/v1/referrals/{}/erase", sent.referral);
    let held = officers.erase(site, &sent.referral).await;
    let mut found = codes(&held);
    found.sort_unstable();
    assert_eq!(found, ["provision_period", "provision_period", "record_period", "record_period"]);
    let view = officers.retention(site, &sent.referral).await;
    assert_eq!((&view["erasable"], view["holds"].as_array().unwrap().len()), (&json!(false), 4));
    assert!(view["erasable_from"].is_string() && view.get("erased").is_none(), "{view}");

    seven_years_pass(town).await;
    for (body, code) in [
        (json!({"by": officers.officer, "approved_by": officers.officer, "reason": "満了"}), 422),
        (json!({"by": officers.officer, "approved_by": writer, "reason": "満了"}), 403),
        (json!({"by": writer, "approved_by": officers.boss, "reason": "満了"}), 403),
        (json!({"by": officers.officer, "approved_by": clerk, "reason": "満了"}), 422),
        (json!({"by": officers.officer, "reason": "満了"}), 422),
    ] {
        assert_eq!(site.post(&path, &body).await.code(), code, "{body}");
    }
    let theirs = Officers::of(nursery).await;
    assert_eq!(theirs.erase(nursery, &sent.referral).await.code(), 404, "the sender's alone");
    assert_eq!(officers.retention(site, &sent.referral).await["erasable"], true);
    nursery.open(delivery, clerk).await.good();

    let wraps = town.rows().await["data_key"];
    let key = fresh_key();
    let done = site.post_under(&key, &path, &officers.erasure()).await.good();
    let again = site.post_under(&key, &path, &officers.erasure()).await.good();
    assert_eq!((done.text(), again.header("idempotency-replayed")), (again.text(), Some("true")));
    assert_eq!(town.rows().await["data_key"], wraps - 3, "one key, wrapped for three agencies");
    assert_eq!(officers.erase(site, &sent.referral).await.problem(), "shredded");

    for gone in [
        site.referral(&sent.referral).await,
        site.get(&format!("/v1/legs/{first}")).await,
        nursery.get(&format!("/v1/legs/{first}")).await,
        nursery.open(delivery, clerk).await,
        family.open(&sent.legs[1].1, carer).await,
    ] {
        assert_eq!((gone.code(), gone.problem().as_str()), (410, "shredded"), "{}", gone.text());
        assert!(gone.text().contains("差出機関の個人情報保護担当"), "{}", gone.text());
    }
    assert_eq!(family.get(&format!("/v1/legs/{first}")).await.code(), 404, "a foreign leg is still none");
    assert!(family.inbox("waiting").await.is_empty() && nursery.inbox("waiting").await.is_empty());
    let view = officers.retention(site, &sent.referral).await;
    assert_eq!(
        (&view["erased"]["by"], &view["erased"]["reason"]),
        (&json!(officers.officer), &json!("保存期間の満了"))
    );
    assert_eq!(nursery.ladder(first).await, ["R0", "R1", "R2", "R3", "R4"]);
    let events = nursery.evidence(first).await["events"].as_array().unwrap().clone();
    let last = crate::support::ending::payload(events.last().unwrap().as_str().unwrap());
    assert_eq!((&last["answer"], &last["state"]["to"]), (&json!({"action": "shred"}), &json!("declined")));
    assert_eq!(last["by"]["staff"], json!(officers.officer));

    // What goes through many legs passes over it.
    site.withdraw(&sent.consent, writer).await.good();
    assert_eq!(site.consent(&sent.consent).await.value()["state"], "settled");
    site.get("/v1/provision-records?from=2000-01-01").await.good();
    site.get("/v1/legs?state=declined").await.good();
    cast.everybody()
}

pub async fn what_is_held_is_not_erased(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    let (officers, theirs) = (Officers::of(site).await, Officers::of(nursery).await);
    let sent = ended(&cast, town).await;
    let (leg, _) = &sent.legs[0];
    seven_years_pass(town).await;

    // The recipient has a lawsuit, which is nobody else's affair; only it can end the hold.
    let hold = json!({"by": theirs.boss, "kind": "legal", "reason": "損害賠償の訴え"});
    let nobody = json!({"by": clerk, "kind": "legal", "reason": "損害賠償の訴え"});
    let holds = format!("/v1/legs/{leg}/holds");
    assert_eq!(nursery.post(&holds, &nobody).await.code(), 403);
    let (key, placed) = (fresh_key(), nursery.post(&holds, &hold).await.at("/id"));
    let refused = officers.erase(site, &sent.referral).await;
    assert_eq!(codes(&refused), ["legal"]);
    assert!(!refused.text().contains("損害賠償"));
    let view = officers.retention(site, &sent.referral).await;
    assert_eq!((&view["holds"][0]["agency"], view.get("erasable_from")), (&json!(nursery.id), None));
    let lift = format!("/v1/holds/{placed}/lift");
    assert_eq!(site.post(&lift, &json!({"by": officers.boss, "reason": "不要"})).await.code(), 404);
    let own = site.request("GET", &holds).await.header("tsunagu-staff", &officers.boss);
    assert_eq!(site.send(own).await.value()["items"], json!([]));
    let body = json!({"by": theirs.officer, "reason": "判決が確定"});
    let lifted = nursery.post_under(&key, &lift, &body).await.good();
    assert_eq!(nursery.post_under(&key, &lift, &body).await.text(), lifted.text());
    assert_eq!(nursery.post(&lift, &body).await.code(), 409, "once");
    let own = nursery.request("GET", &holds).await.header("tsunagu-staff", &theirs.boss);
    let seen = nursery.send(own).await.value()["items"][0].clone();
    assert_eq!((&seen["reason"], &seen["lift_reason"]), (&json!("損害賠償の訴え"), &json!("判決が確定")));

    // A withdrawal whose holder still owes its answer.
    site.withdraw(&sent.consent, writer).await.good();
    assert_eq!(codes(&officers.erase(site, &sent.referral).await), ["unsettled_withdrawal"; 2]);
    let word = json!({"by": clerk, "disposal": "deleted"});
    nursery.act(leg, "confirm_disposal", &word).await.good();

    // What was sent by mistake is settled first; its record goes with what it is about.
    let recall = json!({"by": writer, "reason": "WRONG_RECIPIENT", "note": "取り違え"});
    let incident = site.act(leg, "recall", &recall).await.at("/incident/id");
    assert_eq!(codes(&officers.erase(site, &sent.referral).await), ["open_incident"]);
    let close = json!({"by": officers.officer, "note": "報告済み"});
    site.post_at(1, &format!("/v1/incidents/{incident}/close"), &close).await.good();
    let protections = protect_twice(site, &officers, &sent.referral).await;
    let wraps = town.rows().await["data_key"];
    officers.erase(site, &sent.referral).await.good();
    let gone = wraps - town.rows().await["data_key"];
    assert_eq!(
        gone,
        3 + 1 + 2,
        "the referral's for three, those of its incident and its protections for one each"
    );
    for protection in protections {
        assert_eq!(site.get(&format!("/v1/protections/{protection}")).await.code(), 410);
    }
    let look = site.request("GET", &format!("/v1/incidents/{incident}")).await;
    assert_eq!(site.send(look.header("tsunagu-staff", &officers.boss)).await.code(), 410);
    assert_eq!(nursery.post(&holds, &hold).await.code(), 410, "there is nothing left to hold");

    // A leg that is under way.
    let (open, _) = cast.send_nursery(town).await;
    let referral = site.leg(&open).await["referral"].as_str().unwrap().to_owned();
    let found = codes(&officers.erase(site, &referral).await);
    assert!(found.contains(&"open_leg".to_owned()), "{found:?}");
    site.act(&open, "cancel", &json!({"by": writer})).await.good();
    cast.everybody()
}

/// A protection of this referral alone that was released, and one that is in force.
async fn protect_twice(site: &Agency, officers: &Officers, referral: &str) -> [String; 2] {
    let (boss, other) = (&officers.boss, site.hire("supervisor").await);
    let paper = json!({
        "by": boss, "referral": referral, "hidden_from": [{"municipality": "011002"}], "ground": "支援措置",
    });
    let first = site.post("/v1/protections", &paper).await.at("/id");
    let path = format!("/v1/protections/{first}");
    site.post_at(1, &format!("{path}/release"), &json!({"by": boss, "reason": "転居"})).await.good();
    site.post_at(2, &format!("{path}/approve"), &json!({"by": other})).await.good();
    [first, site.post("/v1/protections", &paper).await.at("/id")]
}

pub async fn a_hold_races_an_erasure(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let (officers, theirs) = (Officers::of(&cast.site).await, Officers::of(&cast.nursery).await);
    let mut sent = Vec::new();
    for _ in 0..PAIRS {
        let (leg, _) = cast.send_nursery(town).await;
        let referral = cast.site.leg(&leg).await["referral"].as_str().unwrap().to_owned();
        cast.site.act(&leg, "cancel", &json!({"by": cast.writer})).await.good();
        sent.push((referral, leg));
    }
    seven_years_pass(town).await;
    let hold = json!({"by": theirs.boss, "kind": "disclosure_request", "reason": "開示請求"});
    let mut erased = 0;
    for (referral, leg) in &sent {
        let path = format!("/v1/legs/{leg}/holds");
        let (gone, placed) =
            tokio::join!(officers.erase(&cast.site, referral), cast.nursery.post(&path, &hold));
        match (gone.code(), placed.code()) {
            (200, 410) => erased += 1,
            (409, 201) => {}
            other => panic!("both or neither: {other:?} {} {}", gone.text(), placed.text()),
        }
    }
    println!("{erased} of {PAIRS} were erased before the hold");
    cast.everybody()
}
