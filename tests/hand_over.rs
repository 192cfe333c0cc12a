//! A family is handed over from one municipality to another, told as stories, over HTTP and on both engines: one agency
//! is responsible at any time, and what protects the family goes ahead of what is said about it.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is the point")]
#![allow(clippy::print_stdout, reason = "a run says how it went, and how to have it again")]

mod support;

use std::time::Duration;

use serde_json::{Value, json};
use support::{
    cast::Sent,
    ending::payload,
    stories::stories,
    town::{Agency, TSURUMI, Town},
};
use tsunagu::domain::{agency::AgencyKind, ids::CaseId};

stories! {
    begun 30 days ago:
    a_family_is_handed_over_and_the_receipts_say_who_is_responsible,
    what_is_declined_cancelled_or_recalled_stays_with_its_sender,
    a_family_goes_to_one_agency_of_the_right_kind,
    consents_are_never_handed_over,
    a_protection_is_taken_over_before_anything_is_read,
    what_is_hidden_later_reaches_those_who_have_the_family_now,
    a_recipient_with_a_protection_of_its_own_hides_what_either_hides,
    a_family_is_protected_only_after_it_was_handed_over,
    nobody_takes_over_a_protection_from_itself_or_one_that_does_not_open,
    nothing_of_this_holds_up_a_notice,
    an_acceptance_races_a_recall,
    of_two_hand_overs_of_one_family_one_is_made,
    a_concealment_races_its_own_hand_over,
}

/// How many pairs race in each race.
const PAIRS: usize = 12;
const MATSUDO: &str = "122076";
const SAPPORO: &str = "011002";

/// A city that hands over, one that takes over, and who works there.
struct Cities {
    from: Agency,
    writer: String,
    boss: String,
    to: Agency,
    worker: String,
}

impl Cities {
    async fn of(town: &Town) -> Self {
        let from = town.agency_in(MATSUDO, AgencyKind::FamilyCentre, "X市こども家庭センター").await;
        let to = town.agency_in(TSURUMI, AgencyKind::FamilyCentre, "Y市こども家庭センター").await;
        let (writer, boss) = (from.hire("agency_staff").await, from.hire("supervisor").await);
        let worker = to.hire("agency_staff").await;
        Self { from, writer, boss, to, worker }
    }

    /// Hands a case over; the leg and its delivery.
    async fn send(&self, town: &Town, case: CaseId) -> (String, String) {
        let reply = self.from.submit(&paper(town, &self.writer, case, &self.to)).await;
        Sent::read(&reply.value()).legs.remove(0)
    }

    fn everybody(self) -> Vec<Agency> {
        vec![self.from, self.to]
    }
}

fn paper(town: &Town, by: &str, case: CaseId, to: &Agency) -> Value {
    let sections = ["identity", "address", "needs", "narrative", "safety"];
    json!({
        "type": "IKAN", "urgency": "U1", "written_by": by, "case": case,
        "subjects": [{"ref": "child-1", "role": "child", "birth_date": "2023-05"}],
        "content": {
            "identity": [{"subject": "child-1", "name": {"given": "澪"}}],
            "address": [{"subject": "child-1", "municipality": TSURUMI, "town": "鶴見中央", "rest": "三丁目"}],
            "needs": [{"codes": ["RESPITE"], "open_matters": "一時保育の申請がまだ"}],
            "narrative": [{
                "summary": "転居", "support_so_far": "週に一度の訪問",
                "meeting": {"on": town.day(5), "by": "in_person", "accompanied": true},
            }],
            "safety": [{"risk": "夜間に一人になることがある"}],
        },
        "legs": [{
            "recipient": to.id, "sections": sections, "needed": sections, "address_needed_because": "家庭訪問",
            "basis": {
                "code": "PUB_69_2_3", "reason": "転居先の市で支援を続けるため",
                "conditions": "移管の目的のほかに使わないこと",
            },
        }],
    })
}

/// A family hidden from a city far away.
fn hidden(by: &str, case: CaseId) -> Value {
    json!({
        "by": by, "case": case, "hidden_from": [{"municipality": SAPPORO}], "words": ["白百合小学校"],
        "office_phone": "047-999-0000", "texts_confirmed_by": by, "ground": "支援措置（令和8年10月1日決定）",
    })
}

/// Who is responsible, as a party of the leg reads it.
async fn responsible(agency: &Agency, leg: &str) -> String {
    let view = agency.leg(leg).await;
    assert_eq!(view["hand_over"]["responsible"], view["responsible"]);
    view["responsible"].as_str().unwrap().to_owned()
}

/// Who is responsible by every statement of a leg, one after the other.
async fn proved(agency: &Agency, leg: &str) -> Vec<String> {
    agency.ladder(leg).await;
    let evidence = agency.evidence(leg).await;
    let receipts = evidence["receipts"].as_array().unwrap().iter().map(|one| &one["jws"]);
    let mut statements: Vec<Value> = receipts
        .chain(evidence["events"].as_array().unwrap())
        .map(|jws| payload(jws.as_str().unwrap()))
        .collect();
    statements.sort_by_key(|one| (one["state"]["seq"].as_u64(), one["level"].as_str().map(str::to_owned)));
    statements.iter().map(|one| one["responsible"].as_str().unwrap().to_owned()).collect()
}

async fn a_family_is_handed_over_and_the_receipts_say_who_is_responsible(town: &mut Town) -> Vec<Agency> {
    let cities = Cities::of(town).await;
    let Cities { from, writer, to, worker, .. } = &cities;
    let case: CaseId = town.clock.new_id();
    let (leg, delivery) = cities.send(town, case).await;
    let view = to.leg(&leg).await;
    assert_eq!(
        (&view["hand_over"]["responsible"], &view["hand_over"]["protection"]),
        (&json!(from.id), &json!("none"))
    );
    let clocks = view["clocks"].as_array().unwrap();
    let names: Vec<&str> = clocks.iter().map(|clock| clock["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["hand_over_reminder", "hand_over_escalation"]);

    let shown = to.open(&delivery, worker).await.value()["document"]["content"].clone();
    assert_eq!(shown["needs"][0]["open_matters"], "一時保育の申請がまだ");
    assert_eq!(shown["narrative"][0]["support_so_far"], "週に一度の訪問");
    assert_eq!(shown["narrative"][0]["meeting"]["accompanied"], true);
    assert_eq!(shown["safety"][0]["risk"], "夜間に一人になることがある");
    let meeting = json!({"on": town.day(3), "by": "online"});
    let interim = to.act(&leg, "acknowledge", &json!({"by": worker, "meeting": meeting})).await.value();
    assert_eq!((&interim["level"], &interim["state"]), (&json!("event"), &json!("received")));
    assert_eq!(from.leg(&leg).await["answer"]["meeting"], meeting, "the sender knows when they meet");
    assert_eq!(responsible(from, &leg).await, from.id, "an interim answer moves nothing");

    let path = format!("/v1/legs/{leg}/available-actions");
    let offered = to.get(&path).await.value();
    assert_eq!(offered["responsible"], json!(from.id));
    let accept = offered["items"].as_array().unwrap().iter().find(|one| one["action"] == "accept").unwrap();
    assert!(accept["label"].as_str().unwrap().contains("自機関が責任を負う"), "{accept}");
    town.advance(Duration::from_secs(8 * 86_400));
    let late = from.leg(&leg).await;
    assert!(late["clocks"].as_array().unwrap().iter().all(|clock| clock["overdue"] == true), "{late}");
    let accepted = to.act(&leg, "accept", &json!({"by": worker})).await.value();
    assert_eq!(accepted["level"], "R4");
    let signed = payload(accepted["receipt"].as_str().unwrap());
    assert_eq!((&signed["responsible"], &signed["answer"]["action"]), (&json!(to.id), &json!("accept")));
    let view = from.leg(&leg).await;
    assert_eq!((&view["hand_over"]["responsible"], &view["clocks"]), (&json!(to.id), &json!([])));
    assert_eq!(
        (&view["hand_over"]["since"], &view["hand_over"]["seq"]),
        (&signed["at"], &signed["state"]["seq"])
    );
    assert_eq!(
        from.get("/v1/legs?side=sender&state=accepted").await.value()["items"][0]["responsible"],
        json!(to.id)
    );

    let refused = from.act(&leg, "cancel", &json!({"by": writer})).await;
    assert_eq!(
        (refused.code(), &refused.json()["code"]),
        (409, &json!("not_hand_over")),
        "{}",
        refused.text()
    );
    let declined =
        json!({"by": worker, "reason": "OUT_OF_AREA", "declined_by": "provider", "suggestion": "Z市"});
    assert_eq!(
        to.act(&leg, "forward", &declined).await.code(),
        409,
        "what was accepted is not given back by the way"
    );
    let statements = proved(from, &leg).await;
    assert_eq!(statements.len(), 6);
    assert!(statements[..5].iter().all(|one| *one == from.id) && statements[5] == to.id, "{statements:?}");
    let again = from.submit(&paper(town, writer, case, to)).await;
    assert_eq!((again.code(), &again.json()["errors"][0]["code"]), (409, &json!("handed_over")));
    cities.everybody()
}

async fn what_is_declined_cancelled_or_recalled_stays_with_its_sender(town: &mut Town) -> Vec<Agency> {
    let cities = Cities::of(town).await;
    let Cities { from, writer, to, worker, .. } = &cities;
    let case: CaseId = town.clock.new_id();
    let ends = [
        (to, "decline", json!({"by": worker, "reason": "OUT_OF_AREA", "declined_by": "provider"})),
        (from, "cancel", json!({"by": writer})),
        (from, "recall", json!({"by": writer, "reason": "WRONG_RECIPIENT"})),
    ];
    for (agency, action, body) in ends {
        let (leg, delivery) = cities.send(town, case).await;
        let second = from.submit(&paper(town, writer, case, to)).await;
        assert_eq!(
            (second.code(), &second.json()["errors"][0]["code"]),
            (409, &json!("hand_over_under_way"))
        );
        assert_eq!(from.preview(&paper(town, writer, case, to)).await.code(), 409, "a dry run says so too");
        if action == "decline" {
            to.open(&delivery, worker).await.good();
        }
        agency.act(&leg, action, &body).await.good();
        assert_eq!(responsible(from, &leg).await, from.id, "{action}");
        assert!(proved(from, &leg).await.iter().all(|one| *one == from.id), "{action}");
        assert_eq!(from.leg(&leg).await["clocks"], json!([]));
    }
    // Accepted by the wrong city: whoever recalls it is responsible again, and hands it over anew.
    let (leg, delivery) = cities.send(town, case).await;
    to.open(&delivery, worker).await.good();
    to.act(&leg, "accept", &json!({"by": worker})).await.good();
    assert_eq!(responsible(to, &leg).await, to.id);
    let recalled =
        from.act(&leg, "recall", &json!({"by": writer, "reason": "WRONG_RECIPIENT"})).await.value();
    assert_eq!(payload(recalled["receipt"].as_str().unwrap())["responsible"], json!(from.id));
    let (leg, _) = cities.send(town, case).await;
    assert_eq!(responsible(from, &leg).await, from.id);
    cities.everybody()
}

async fn a_family_goes_to_one_agency_of_the_right_kind(town: &mut Town) -> Vec<Agency> {
    let cities = Cities::of(town).await;
    let Cities { from, writer, to, .. } = &cities;
    let (other, school) =
        (town.agency(AgencyKind::HealthCentre).await, town.agency(AgencyKind::School).await);
    let case: CaseId = town.clock.new_id();
    let mut two = paper(town, writer, case, to);
    let mut leg = two["legs"][0].clone();
    leg["recipient"] = json!(other.id);
    two["legs"].as_array_mut().unwrap().push(leg);
    let mut nameless = paper(town, writer, case, to);
    nameless.as_object_mut().unwrap().remove("case");
    for (paper, pointer) in [(&two, "/legs"), (&nameless, "/case")] {
        let refused = from.submit(paper).await;
        assert_eq!((refused.code(), &refused.json()["errors"][0]["pointer"]), (422, &json!(pointer)));
    }
    let refused = from.submit(&paper(town, writer, case, &school)).await;
    assert_eq!(
        refused.json()["code"],
        "BASIS_RECIPIENT",
        "a school takes over no family from a municipality"
    );
    cities.send(town, case).await;
    let mut everybody = cities.everybody();
    everybody.extend([other, school]);
    everybody
}

async fn consents_are_never_handed_over(town: &mut Town) -> Vec<Agency> {
    let cities = Cities::of(town).await;
    let Cities { from, writer, to, worker, .. } = &cities;
    let nursery = town.agency(AgencyKind::Nursery).await;
    let case: CaseId = town.clock.new_id();
    let mut consent = town.consent_paper(writer, &[&nursery], &["identity", "needs", "narrative"]);
    consent["purpose"] = json!("IKAN");
    let consent = from.record_consent(&consent).await.at("/id");
    let mut by_consent = paper(town, writer, case, to);
    by_consent["legs"][0]["basis"] = json!({"code": "CONSENT", "consent": consent});
    let refused = from.submit(&by_consent).await;
    assert_eq!((refused.code(), &refused.json()["code"]), (422, &json!("CONSENT_PARTY")), "DC-131");

    let (leg, delivery) = cities.send(town, case).await;
    to.open(&delivery, worker).await.good();
    to.act(&leg, "accept", &json!({"by": worker})).await.good();
    let told = to.leg(&leg).await["hand_over"]["consents"].clone();
    assert_eq!(told["carried_over"], false);
    assert!(told["note"].as_str().unwrap().contains("同意を新たに得てください"), "{told}");
    assert!(from.leg(&leg).await["hand_over"].get("consents").is_none(), "that is for the recipient to know");
    assert_eq!(to.get("/v1/consents").await.value()["items"], json!([]), "nothing was copied");
    assert_eq!(to.consent(&consent).await.code(), 404);
    let named = to.submit(&town.introduction(worker, &consent, &[&nursery])).await;
    assert_eq!(
        (named.code(), &named.json()["code"]),
        (422, &json!("CONSENT_MISSING")),
        "no consent of another agency"
    );
    let mut everybody = cities.everybody();
    everybody.push(nursery);
    everybody
}

/// Sends something about a case of the recipient's own to somebody.
async fn onward(town: &Town, by: (&Agency, &str), case: CaseId, to: &Agency) -> support::town::Reply {
    let mut consent = town.consent_paper(by.1, &[to], &["identity", "needs"]);
    consent["case"] = json!(case);
    let consent = by.0.record_consent(&consent).await.at("/id");
    let mut paper = town.introduction(by.1, &consent, &[to]);
    paper["case"] = json!(case);
    paper["legs"][0]["sections"] = json!(["identity", "needs"]);
    by.0.submit(&paper).await
}

async fn a_protection_is_taken_over_before_anything_is_read(town: &mut Town) -> Vec<Agency> {
    let cities = Cities::of(town).await;
    let Cities { from, writer, boss, to, worker } = &cities;
    let (theirs, ours): (CaseId, CaseId) = (town.clock.new_id(), town.clock.new_id());
    from.post("/v1/protections", &hidden(boss, theirs)).await.good();
    let (leg, delivery) = cities.send(town, theirs).await;
    let closed = to.open(&delivery, worker).await;
    assert_eq!((closed.code(), &closed.json()["code"]), (403, &json!("PROTECTION_FIRST")));
    assert_eq!(payload(closed.json()["signed"].as_str().unwrap())["code"], "PROTECTION_FIRST");
    assert!(!closed.text().contains("白百合") && !closed.text().contains("澪"));
    let view = to.leg(&leg).await;
    assert_eq!((&view["hand_over"]["protection"], &view["state"]), (&json!("waiting"), &json!("requested")));
    assert!(view["hand_over"]["next"]["note"].as_str().unwrap().contains("acknowledge"), "{view}");
    to.ack(&delivery).await.good();
    let early = to.act(&leg, "accept", &json!({"by": worker})).await;
    assert_eq!((early.code(), &early.json()["code"]), (409, &json!("flag_taken")), "{}", early.text());
    let nameless = to.act(&leg, "acknowledge", &json!({"by": worker})).await;
    assert_eq!((nameless.code(), &nameless.json()["errors"][0]["pointer"]), (422, &json!("/case")));
    assert_eq!(
        to.get("/v1/protections").await.value()["items"],
        json!([]),
        "what was not taken over is not there"
    );
    assert_eq!(to.open(&delivery, worker).await.code(), 403);

    let taken = to.act(&leg, "acknowledge", &json!({"by": worker, "case": ours})).await.value();
    let signed = payload(taken["receipt"].as_str().unwrap());
    assert_eq!((&signed["by"]["staff"], &signed["responsible"]), (&json!(worker), &json!(from.id)));
    let sender = from.leg(&leg).await;
    assert_eq!(
        (&sender["hand_over"]["protection"], &sender["hand_over"]["taken_over_by"]),
        (&json!("taken"), &json!(worker))
    );
    let text = sender.to_string();
    assert!(!text.contains(&ours.to_string()), "their case is theirs: {text}");
    let id = to.leg(&leg).await["hand_over"]["protection_id"].as_str().unwrap().to_owned();
    assert!(!text.contains(&id), "and so is their record");
    let shown = to.open(&delivery, worker).await.value()["document"]["content"].clone();
    assert_eq!(shown["address"][0]["concealed"], true, "a municipality sees it, with the flag");

    let kept = to.get(&format!("/v1/protections/{id}")).await.value();
    assert_eq!((&kept["case"], &kept["by"]), (&json!(ours), &json!(worker)));
    let terms = &kept["terms"];
    assert_eq!(terms["hidden_from"], json!([{"municipality": SAPPORO}]));
    assert_eq!(
        (&terms["words"], &terms["ground"]),
        (&json!(["白百合小学校"]), &json!("支援措置（令和8年10月1日決定）"))
    );
    assert_eq!(
        (terms.get("office_phone"), terms.get("texts_confirmed_by")),
        (None, None),
        "that was the sender's office"
    );
    assert_eq!(from.get(&format!("/v1/protections/{id}")).await.code(), 404, "it is the recipient's own");
    let far = town.agency_in(SAPPORO, AgencyKind::Nursery, "札幌の保育所").await;
    let refused = onward(town, (to, worker), ours, &far).await;
    assert_eq!(
        refused.json()["code"],
        "RECIPIENT_BLOCKED",
        "what they send on is protected from that moment"
    );
    let (one, two) = (to.hire("supervisor").await, to.hire("supervisor").await);
    let path = format!("/v1/protections/{id}");
    to.post_at(1, &format!("{path}/release"), &json!({"by": one, "reason": "転居"})).await.good();
    let alone = to.post_at(2, &format!("{path}/approve"), &json!({"by": one})).await;
    assert_eq!(
        alone.json()["code"],
        "APPROVER_REQUIRED",
        "what opens anything needs two persons there as well"
    );
    to.post_at(2, &format!("{path}/approve"), &json!({"by": two})).await.good();
    assert_eq!(onward(town, (to, worker), ours, &far).await.code(), 201);
    to.act(&leg, "accept", &json!({"by": worker})).await.good();
    assert_eq!(responsible(from, &leg).await, to.id);
    let _ = writer;
    let mut everybody = cities.everybody();
    everybody.push(far);
    everybody
}

async fn what_is_hidden_later_reaches_those_who_have_the_family_now(town: &mut Town) -> Vec<Agency> {
    let cities = Cities::of(town).await;
    let Cities { from, writer, boss, to, worker } = &cities;
    let third = town.agency_in("131016", AgencyKind::FamilyCentre, "Z区こども家庭センター").await;
    let keeper = third.hire("agency_staff").await;
    let nursery = town.agency(AgencyKind::Nursery).await;
    let cases: [CaseId; 3] = [town.clock.new_id(), town.clock.new_id(), town.clock.new_id()];
    let made = from.post("/v1/protections", &hidden(boss, cases[0])).await.value();
    let (leg, delivery) = cities.send(town, cases[0]).await;
    let take = async |agency: &Agency, who: &str, (leg, delivery): &(String, String), case: CaseId| {
        agency.act(leg, "acknowledge", &json!({"by": who, "case": case})).await.good();
        agency.open(delivery, who).await.good();
        agency.act(leg, "accept", &json!({"by": who})).await.good();
        agency.leg(leg).await["hand_over"]["protection_id"].as_str().unwrap().to_owned()
    };
    let second = take(to, worker, &(leg.clone(), delivery), cases[1]).await;
    let on = Sent::read(&to.submit(&paper(town, worker, cases[1], &third)).await.value()).legs.remove(0);
    let last = take(&third, &keeper, &on, cases[2]).await;

    let mut more = hidden(boss, cases[0]);
    more.as_object_mut().unwrap().remove("case");
    more["blocked"] = json!([nursery.id]);
    let change = format!("/v1/protections/{}/change", made["id"].as_str().unwrap());
    from.post_at(1, &change, &more).await.good();
    for (agency, id, who, case) in [(to, &second, worker, cases[1]), (&third, &last, &keeper, cases[2])] {
        let kept = agency.get(&format!("/v1/protections/{id}")).await.value();
        assert_eq!(
            (&kept["version"], &kept["step"], &kept["by"]),
            (&json!(2), &json!("changed"), &json!(boss))
        );
        assert_eq!(kept["terms"]["blocked"], json!([nursery.id]), "{kept}");
        let refused = onward(town, (agency, who), case, &nursery).await;
        assert_eq!(refused.json()["code"], "RECIPIENT_BLOCKED");
    }
    // What hides less is for each agency's own two persons to decide.
    more["blocked"] = json!([]);
    from.post_at(2, &change, &more).await.good();
    let approve = format!("/v1/protections/{}/approve", made["id"].as_str().unwrap());
    let other = from.hire("supervisor").await;
    from.post_at(3, &approve, &json!({"by": other})).await.good();
    let kept = to.get(&format!("/v1/protections/{second}")).await.value();
    assert_eq!((&kept["version"], &kept["terms"]["blocked"]), (&json!(2), &json!([nursery.id])));
    let _ = writer;
    let mut everybody = cities.everybody();
    everybody.extend([third, nursery]);
    everybody
}

async fn a_recipient_with_a_protection_of_its_own_hides_what_either_hides(town: &mut Town) -> Vec<Agency> {
    let cities = Cities::of(town).await;
    let Cities { from, boss, to, worker, .. } = &cities;
    let (theirs, ours): (CaseId, CaseId) = (town.clock.new_id(), town.clock.new_id());
    let nursery = town.agency(AgencyKind::Nursery).await;
    from.post("/v1/protections", &hidden(boss, theirs)).await.good();
    let mut known = hidden(worker, ours);
    (known["hidden_from"], known["blocked"]) = (json!([]), json!([nursery.id]));
    known["words"] = json!(["鶴見小学校"]);
    let before = to.post("/v1/protections", &known).await.value();
    let (leg, delivery) = cities.send(town, theirs).await;
    to.act(&leg, "acknowledge", &json!({"by": worker, "case": ours})).await.good();
    to.open(&delivery, worker).await.good();
    let id = to.leg(&leg).await["hand_over"]["protection_id"].clone();
    assert_eq!(id, before["id"], "one record for one case");
    let kept = to.get(&format!("/v1/protections/{}", id.as_str().unwrap())).await.value();
    assert_eq!((&kept["version"], &kept["terms"]["blocked"]), (&json!(2), &json!([nursery.id])));
    assert_eq!(kept["terms"]["hidden_from"], json!([{"municipality": SAPPORO}]));
    assert_eq!(kept["terms"]["words"], json!(["鶴見小学校", "白百合小学校"]));
    // Once more changes nothing: all of it is hidden already.
    to.act(&leg, "acknowledge", &json!({"by": worker, "case": ours})).await.good();
    assert_eq!(to.get(&format!("/v1/protections/{}", id.as_str().unwrap())).await.value()["version"], 2);
    let mut everybody = cities.everybody();
    everybody.push(nursery);
    everybody
}

async fn a_family_is_protected_only_after_it_was_handed_over(town: &mut Town) -> Vec<Agency> {
    let cities = Cities::of(town).await;
    let Cities { from, boss, to, worker, .. } = &cities;
    let (theirs, ours): (CaseId, CaseId) = (town.clock.new_id(), town.clock.new_id());
    let (leg, delivery) = cities.send(town, theirs).await;
    to.act(&leg, "acknowledge", &json!({"by": worker, "case": ours})).await.good();
    to.open(&delivery, worker).await.good();
    to.act(&leg, "accept", &json!({"by": worker})).await.good();
    from.post("/v1/protections", &hidden(boss, theirs)).await.good();
    assert_eq!(to.leg(&leg).await["hand_over"]["protection"], "waiting");
    let closed = to.open(&delivery, worker).await;
    assert_eq!((closed.code(), &closed.json()["code"]), (403, &json!("PROTECTION_FIRST")));
    assert_eq!(responsible(from, &leg).await, to.id, "that moves nothing back");
    to.act(&leg, "acknowledge", &json!({"by": worker, "case": ours})).await.good();
    to.open(&delivery, worker).await.good();
    let found = to.get(&format!("/v1/protections?case={ours}")).await.value();
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    cities.everybody()
}

async fn nobody_takes_over_a_protection_from_itself_or_one_that_does_not_open(
    town: &mut Town,
) -> Vec<Agency> {
    let cities = Cities::of(town).await;
    let Cities { from, writer, boss, to, worker } = &cities;
    let (one, two): (CaseId, CaseId) = (town.clock.new_id(), town.clock.new_id());
    let (leg, delivery) = cities.send(town, one).await;
    let mut flees = hidden(boss, one);
    flees["hidden_from"] = json!([{"agency": to.id}]);
    from.post("/v1/protections", &flees).await.good();
    assert_eq!(to.open(&delivery, worker).await.json()["code"], "RECIPIENT_BLOCKED");
    let refused = to.act(&leg, "acknowledge", &json!({"by": worker, "case": two})).await;
    assert_eq!((refused.code(), &refused.json()["code"]), (403, &json!("RECIPIENT_BLOCKED")));
    assert!(!refused.text().contains("白百合"));
    assert_eq!(from.submit(&paper(town, writer, two, to)).await.code(), 201, "another family");

    let three: CaseId = town.clock.new_id();
    from.post("/v1/protections", &hidden(boss, three)).await.good();
    let (leg, delivery) = cities.send(town, three).await;
    town.by_hand("DELETE FROM protection_version".to_owned()).await;
    let closed = to.open(&delivery, worker).await;
    assert_eq!((closed.code(), &closed.json()["code"]), (403, &json!("PROTECTION_FIRST")));
    assert!(closed.text().contains("電話"), "what is left is the telephone: {}", closed.text());
    let refused = to.act(&leg, "acknowledge", &json!({"by": worker, "case": two})).await;
    assert_eq!((refused.code(), &refused.json()["code"]), (403, &json!("PROTECTION_FIRST")));
    from.act(&leg, "cancel", &json!({"by": writer})).await.good();
    let unread = from.submit(&paper(town, writer, three, to)).await;
    assert_eq!(
        (unread.code(), &unread.json()["code"]),
        (422, &json!("PROTECTION_FIRST")),
        "{}",
        unread.text()
    );
    cities.everybody()
}

async fn nothing_of_this_holds_up_a_notice(town: &mut Town) -> Vec<Agency> {
    let cities = Cities::of(town).await;
    let Cities { from, writer, boss, to, .. } = &cities;
    let case: CaseId = town.clock.new_id();
    from.post("/v1/protections", &hidden(boss, case)).await.good();
    cities.send(town, case).await;
    let desk = to.hire("duty_desk").await;
    let mut notice = town.notice(writer, to);
    notice["case"] = json!(case);
    let sent = Sent::read(&from.submit(&notice).await.value());
    let (leg, delivery) = &sent.legs[0];
    to.open(delivery, &desk).await.good();
    to.act(leg, "accept", &json!({"by": desk})).await.good();
    assert!(to.leg(leg).await.get("hand_over").is_none());
    let acknowledged = to.act(leg, "acknowledge", &json!({"by": desk})).await;
    assert_eq!((acknowledged.code(), &acknowledged.json()["code"]), (409, &json!("is_hand_over")));
    cities.everybody()
}

/// One of the two wins, and the receipts say which.
async fn an_acceptance_races_a_recall(town: &mut Town) -> Vec<Agency> {
    let cities = Cities::of(town).await;
    let Cities { from, writer, to, worker, .. } = &cities;
    let mut accepted = 0;
    for pair in 0..PAIRS {
        let (leg, delivery) = cities.send(town, town.clock.new_id()).await;
        to.open(&delivery, worker).await.good();
        let version = to.leg(&leg).await["version"].as_i64().unwrap();
        let mistake = json!({"by": writer, "reason": "WRONG_RECIPIENT"});
        let who = json!({"by": worker});
        let (accept, recall) = tokio::join!(
            pause(pair, to.act_at(version, &leg, "accept", &who)),
            from.act_at(version, &leg, "recall", &mistake)
        );
        let won = accept.code() == 200;
        assert_eq!(recall.code() == 200, !won, "pair {pair}: {} {}", accept.text(), recall.text());
        let (owner, level) = if won { (&to.id, "R4") } else { (&from.id, "closed") };
        assert_eq!(responsible(from, &leg).await, *owner, "pair {pair}");
        assert_eq!(proved(to, &leg).await.last(), Some(owner), "pair {pair}");
        assert_eq!(from.ladder(&leg).await.last().map(String::as_str), Some(level), "pair {pair}");
        accepted += usize::from(won);
    }
    println!("of {PAIRS} pairs {accepted} were won by the acceptance");
    cities.everybody()
}

async fn of_two_hand_overs_of_one_family_one_is_made(town: &mut Town) -> Vec<Agency> {
    let cities = Cities::of(town).await;
    let Cities { from, writer, to, .. } = &cities;
    let other = town.agency(AgencyKind::HealthCentre).await;
    for pair in 0..PAIRS {
        let case: CaseId = town.clock.new_id();
        let (one, two) = (paper(town, writer, case, to), paper(town, writer, case, &other));
        let (one, two) = tokio::join!(pause(pair, from.submit(&one)), from.submit(&two));
        let codes = [one.code(), two.code()];
        assert!(codes == [201, 409] || codes == [409, 201], "pair {pair}: {} {}", one.text(), two.text());
        // Ended without an acceptance, it makes room: once.
        let made = if one.code() == 201 { one } else { two };
        let leg = Sent::read(&made.value()).legs.remove(0).0;
        from.act(&leg, "cancel", &json!({"by": writer})).await.good();
        let (one, two) = (paper(town, writer, case, to), paper(town, writer, case, &other));
        let (one, two) = tokio::join!(from.submit(&one), pause(pair, from.submit(&two)));
        assert_eq!([one.code(), two.code()].iter().filter(|code| **code == 201).count(), 1, "pair {pair}");
    }
    let mut everybody = cities.everybody();
    everybody.push(other);
    everybody
}

/// Whichever comes first, the recipient hides in the end what the sender does.
async fn a_concealment_races_its_own_hand_over(town: &mut Town) -> Vec<Agency> {
    let cities = Cities::of(town).await;
    let Cities { from, boss, to, worker, .. } = &cities;
    let nursery = town.agency(AgencyKind::Nursery).await;
    let mut passed_on = 0;
    for pair in 0..PAIRS {
        let (theirs, ours): (CaseId, CaseId) = (town.clock.new_id(), town.clock.new_id());
        let made = from.post("/v1/protections", &hidden(boss, theirs)).await.value();
        let (leg, _) = cities.send(town, theirs).await;
        let mut more = hidden(boss, theirs);
        more.as_object_mut().unwrap().remove("case");
        more["blocked"] = json!([nursery.id]);
        let change = format!("/v1/protections/{}/change", made["id"].as_str().unwrap());
        let take = json!({"by": worker, "case": ours});
        let (taken, changed) =
            tokio::join!(pause(pair, to.act(&leg, "acknowledge", &take)), from.post_at(1, &change, &more));
        assert_eq!(
            (taken.code(), changed.code()),
            (200, 200),
            "pair {pair}: {} {}",
            taken.text(),
            changed.text()
        );
        let found = to.get(&format!("/v1/protections?case={ours}")).await.value()["items"][0].clone();
        let kept = to.get(&format!("/v1/protections/{}", found["id"].as_str().unwrap())).await.value();
        assert_eq!(kept["terms"]["blocked"], json!([nursery.id]), "pair {pair}: {kept}");
        passed_on += usize::from(kept["version"] == 2);
    }
    println!("of {PAIRS} changes {passed_on} came after the protection was taken over");
    let mut everybody = cities.everybody();
    everybody.push(nursery);
    everybody
}

/// Gives the other of two that race a head start, a little longer each time.
async fn pause<T>(pair: usize, then: impl Future<Output = T>) -> T {
    tokio::time::sleep(Duration::from_micros(pair as u64 * 400)).await;
    then.await
}
