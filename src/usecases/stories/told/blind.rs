//! Who is rung for a blind delivery, and when.

use super::*;
use crate::usecases::{handover, sweep::Sweeper};

/// A recipient, a sender that does not know it, and what the one sent the other.
struct HandedOver {
    recipient: Caller,
    clerk: StaffId,
    sender: Caller,
    consent: ConsentId,
    /// The record of the site that gave the address.
    handover: String,
    /// The leg the sender sees.
    front: String,
    /// The leg and the delivery the recipient sees.
    back: String,
    delivery: String,
}

impl HandedOver {
    async fn of(told: &Told) -> Self {
        let (recipient, clerk) = told.subscriber(json!({"mode": "doorbell"})).await;
        let (sender, head) = told.subscriber(json!({"mode": "doorbell"})).await;
        let mut consent = told.town.consent_paper(&[&recipient], &["identity"]);
        (consent["purpose"], consent["sender"]) = (json!("IKAN"), json!(sender.id()));
        let consent = told.town.record(consent).await;
        let body = json!({"by": told.town.writer, "consent": consent, "recipient": recipient.id()});
        let asked = command(&told.town.key(), "POST /v1/handovers", body);
        let given = handover::give(&told.town.hub, &told.town.site, &asked).await.unwrap();
        let paper = json!({
            "type": "IKAN", "urgency": "U1", "written_by": head,
            "case": "0192f000-0000-7000-8000-0000000000d1",
            "subjects": [{"ref": "child-1", "role": "child", "birth_date": "2023-05"}],
            "content": {"identity": [{"subject": "child-1", "name": {"given": "澪"}}]},
            "legs": [{
                "recipient": id(&given, "/address"), "basis": {"code": "CONSENT"}, "sections": ["identity"],
            }],
        });
        let sent = told.town.submit_as(&sender, "hand over", paper).await.unwrap();
        let waiting = told.town.inbox(&recipient, DeliveryState::Waiting).await.remove(0);
        let of = |name: &str| waiting[name].as_str().unwrap().to_owned();
        Self {
            handover: id(&given, "/id"),
            front: id(&sent, "/legs/0/id"),
            back: of("leg"),
            delivery: of("delivery"),
            recipient,
            clerk,
            sender,
            consent,
        }
    }
}

#[tokio::test]
async fn the_sender_of_a_blind_delivery_is_rung_once_a_week_after_it_sent() {
    let told = Told::new().await;
    let HandedOver { recipient, clerk, sender, front, back, delivery, .. } = HandedOver::of(&told).await;
    told.drain().await;
    assert_eq!(doorbells(&told.script.heard()), [(DoorbellKind::DeliveryWaiting, delivery.clone())]);

    // Nobody hears of what the recipient does: the one who sent it may not, and the address has no door.
    told.town.open(&recipient, clerk, &delivery).await.unwrap();
    told.town.act(&recipient, &back, LegAction::Accept, json!({"by": clerk})).await.unwrap();
    let mut sweeper = Sweeper::begin(&told.town.hub, &told.desk).await.unwrap();
    told.wait(6 * 24 * HOUR);
    assert_eq!(sweeper.sweep(&told.town.hub, &told.desk).await.unwrap().delivered, 0);
    told.drain().await;
    assert!(told.script.heard().is_empty());

    told.wait(24 * HOUR);
    assert_eq!(sweeper.sweep(&told.town.hub, &told.desk).await.unwrap().delivered, 1);
    told.drain().await;
    let heard = told.script.heard();
    assert_eq!(doorbells(&heard), [(DoorbellKind::LegChanged, front.clone())]);
    assert_eq!(heard[0].doorbell.to, sender.id());
    assert_eq!(told.town.ladder(&sender, &front).await, ["R0", "R1", "R2"]);

    told.town.act(&recipient, &back, LegAction::Start, json!({"by": clerk})).await.unwrap();
    told.wait(8 * 24 * HOUR);
    assert_eq!(sweeper.sweep(&told.town.hub, &told.desk).await.unwrap().delivered, 0, "once");
    told.drain().await;
    assert!(told.script.heard().is_empty());
}

/// What was withdrawn before anybody had taken it never arrives, and the sender is not told why.
#[tokio::test]
async fn a_hand_over_that_was_withdrawn_unread_is_never_shown_as_delivered() {
    let told = Told::new().await;
    let handed = HandedOver::of(&told).await;
    let HandedOver { recipient, clerk, sender, consent, front, .. } = &handed;
    let before = told.town.leg(sender, front).await;
    let version = read::consent(&told.town.hub, &told.town.site, *consent, None).await.unwrap().version;
    let body = json!({"by": told.town.writer, "method": "oral"});
    let asked = command(&told.town.key(), "withdraw", body);
    withdraw::withdraw(&told.town.hub, &told.town.site, *consent, version, &asked).await.unwrap();
    let refused = told.town.open(recipient, *clerk, &handed.delivery).await;
    assert_eq!(kind(refused), (ProblemKind::OpeningRefused, Some("CONSENT_WITHDRAWN")));
    told.drain().await;
    told.script.heard();
    let mut sweeper = Sweeper::begin(&told.town.hub, &told.desk).await.unwrap();
    told.wait(15 * 24 * HOUR);
    assert_eq!(sweeper.sweep(&told.town.hub, &told.desk).await.unwrap().delivered, 0);
    told.drain().await;
    assert!(told.script.heard().is_empty());
    assert_eq!(told.town.leg(sender, front).await, before);
    let seen = handover::read(&told.town.hub, &told.town.site, handed.handover.parse().unwrap()).await;
    let seen: Value = serde_json::from_str(&seen.unwrap().text).unwrap();
    assert_eq!((&seen["state"], &seen["sent"]["state"]), (&json!("ended"), &json!("withdrawn")));
}
