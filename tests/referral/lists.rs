//! Lists: read page by page while more is being sent, nothing is left out and nothing shows twice.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{
    cast::{Cast, Sent},
    stories::stories,
    town::{Agency, Town},
};

stories! { pages_have_no_gap_and_no_double, filters_show_what_they_say }

/// How many referrals are sent before anybody reads.
const MANY: usize = 120;
/// No divisor of the above, so that the last page is a short one.
const PAGE: usize = 7;

async fn pages_have_no_gap_and_no_double(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, nursery, .. } = &cast;
    let mut sent = send(town, &cast, MANY).await;
    let referral = |one: &Sent| one.referral.clone();
    let leg = |one: &Sent| one.legs[0].0.clone();
    let delivery = |one: &Sent| one.legs[0].1.clone();
    type Id<'a> = &'a dyn Fn(&Sent) -> String;
    let lists: [(&Agency, &str, &str, &str, Id<'_>); 4] = [
        (site, "/v1/referrals?", "before", "id", &referral),
        (site, "/v1/legs?side=sender&state=requested&", "before", "id", &leg),
        (nursery, "/v1/legs?side=recipient&state=requested&", "before", "id", &leg),
        (nursery, "/v1/inbox?state=waiting&", "after", "delivery", &delivery),
    ];
    for (reader, path, cursor, member, id) in lists {
        let there: BTreeSet<String> = sent.iter().map(id).collect();
        let (mut shown, mut place) = (Vec::new(), String::new());
        loop {
            let page = reader.get(&format!("{path}limit={PAGE}{place}")).await.value();
            let items = page["items"].as_array().unwrap();
            shown.extend(items.iter().map(|one| one[member].as_str().unwrap().to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            assert_eq!(items.len(), PAGE, "{path}");
            place = format!("&{cursor}={next}");
            if shown.len() % (4 * PAGE) == 0 {
                sent.extend(send(town, &cast, 1).await);
            }
        }
        let distinct: BTreeSet<String> = shown.iter().cloned().collect();
        assert_eq!(distinct.len(), shown.len(), "{path} showed something twice");
        assert!(there.is_subset(&distinct), "{path} left out {:?}", there.difference(&distinct));
    }
    assert!(sent.len() > MANY, "more came in meanwhile");
    cast.everybody()
}

async fn filters_show_what_they_say(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, nursery, clerk, .. } = &cast;
    let bare = send(town, &cast, 2).await;
    let (leg, delivery) = cast.send_nursery(town).await;
    let (other, _) = cast.send_nursery(town).await;
    nursery.open(&delivery, clerk).await.good();
    let no = json!({"by": clerk, "reason": "AGE", "declined_by": "provider"});
    nursery.act(&leg, "decline", &no).await.good();

    let count = async |who: &Agency, path: &str| ids(&who.get(path).await.value()).len();
    assert_eq!(count(site, "/v1/referrals").await, 4);
    assert_eq!(count(site, "/v1/referrals?type=SELF").await, 2);
    assert_eq!(count(site, "/v1/referrals?type=SHOKAI").await, 2);
    assert_eq!(count(site, "/v1/referrals?type=TSUKOKU").await, 0);
    assert_eq!(count(site, "/v1/referrals?leg_state=declined").await, 1);
    assert_eq!(count(site, "/v1/referrals?leg_state=requested").await, 3);
    assert_eq!(ids(&nursery.get("/v1/legs?side=recipient&state=declined").await.value()), [leg.as_str()]);
    assert_eq!(count(site, "/v1/legs").await, 3, "what I sent and nobody has taken");
    assert!(ids(&site.get("/v1/legs").await.value()).contains(&other.as_str()));
    assert_eq!(count(nursery, "/v1/legs").await, 0, "a nursery has sent nothing");
    assert_eq!(count(nursery, "/v1/inbox").await, 3);
    assert_eq!(count(nursery, "/v1/inbox?state=opened").await, 1);
    assert_eq!(count(&cast.family, "/v1/inbox").await, 0);
    assert_eq!(bare.len(), 2);
    for wrong in [
        "/v1/referrals?type=SELF&leg_state=declined",
        "/v1/referrals?type=shokai",
        "/v1/legs?state=lost",
        "/v1/legs?side=both",
        "/v1/legs?before=x",
        "/v1/inbox?state=new",
        "/v1/inbox?limit=0",
        "/v1/inbox?limit=201",
        "/v1/inbox?limits=7",
    ] {
        let refused = site.get(wrong).await;
        assert_eq!((refused.code(), refused.problem()), (400, "bad-query".to_owned()), "{wrong}");
    }
    cast.everybody()
}

/// Sends the nursery so many self-contacts, which need no consent.
async fn send(town: &Town, cast: &Cast, count: usize) -> Vec<Sent> {
    let paper = town.self_contact(&cast.writer, &cast.nursery);
    let mut sent = Vec::new();
    while sent.len() < count {
        let some = (count - sent.len()).min(16);
        let answers = join_all((0..some).map(|_| cast.site.submit(&paper))).await;
        sent.extend(answers.into_iter().map(|answer| Sent::read(&answer.value())));
    }
    sent
}

fn ids(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().unwrap().iter();
    items.map(|one| one["id"].as_str().or(one["delivery"].as_str()).unwrap()).collect()
}
