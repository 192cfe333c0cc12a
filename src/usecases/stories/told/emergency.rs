//! A break-glass is told to both agencies at once, and once more when its review is late.

use super::*;
use crate::usecases::{break_glass, sweep::Sweeper};

#[tokio::test]
async fn a_broken_glass_rings_and_mails_at_once_and_when_its_review_is_late() {
    let told = Told::new().await;
    let (nursery, clerk) = told.subscriber(json!({"mode": "doorbell"})).await;
    let site = told.town.site.scope();
    set_amqp(&told.town.hub, &told.town.site, &json!({"mode": "doorbell"})).await.unwrap();
    let mail = json!({"address": "madoguchi@city.example.jp"});
    set_mail(&told.town.hub, &told.town.site, &mail).await.unwrap();
    let (delivery, leg) = told.introduce(&nursery).await;
    told.drain().await;
    told.wait(100 * 24 * HOUR);
    let mut sweeper = Sweeper::begin(&told.town.hub, &told.desk).await.unwrap();
    sweeper.sweep(&told.town.hub, &told.desk).await.unwrap();
    told.drain().await;
    told.script.heard();
    let mails = told.mails().len();
    let body = json!({
        "by": clerk, "delivery": delivery, "purpose": "safety_check", "reason": "安全確認", "minutes": 30,
    });
    let command = command(&told.town.key(), "POST /v1/break-glass", body);
    break_glass::break_it(&told.town.hub, &nursery, &command).await.unwrap();
    told.drain().await;
    let both = vec![(DoorbellKind::GlassBroken, leg.clone()), (DoorbellKind::GlassBroken, leg.clone())];
    assert_eq!(doorbells(&told.script.heard()), both);
    // The mail of the next hour at which that agency reads mail; it says how many wait, and no more.
    told.wait(72 * HOUR);
    told.drain().await;
    let sent = &told.mails()[mails..];
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert_eq!(sent[0].subject(), "【つなぐ】新着のお知らせ");
    assert!(sent[0].text.contains("確認をお待ちしているものが 1 件") && !sent[0].text.contains("緊急"));

    assert_eq!(sweeper.sweep(&told.town.hub, &told.desk).await.unwrap().late_reviews, 1);
    assert_eq!(sweeper.sweep(&told.town.hub, &told.desk).await.unwrap().late_reviews, 0, "once");
    told.drain().await;
    let rung = doorbells(&told.script.heard());
    assert_eq!(rung.iter().filter(|ring| ring.0 == DoorbellKind::GlassBroken).count(), 2, "{rung:?}");
    assert_eq!(told.town.hub.ledger.reviews_due(site).await.unwrap(), 1);
}
