//! What travels when something is waiting: opaque ids and a kind, nothing about a person.
//!
//! A doorbell is no evidence and carries no content. It is a CloudEvents 1.0 event; losing it costs
//! delay, ringing it twice costs nothing.

use jiff::{Timestamp, tz::Offset};
use uuid::Uuid;

use super::ids::{AgencyId, JobId};
use crate::code_list;

code_list! {
    /// What happened, as far as a doorbell may say. The inbox answers everything else, also how
    /// urgent it is: a kind that told urgency would tell an operator of the broker about a family.
    DoorbellKind, "doorbell kind" {
        DeliveryWaiting = "delivery.waiting", "新しい送達があります", "a delivery is waiting";
        LegChanged = "leg.changed", "宛先の状態が変わりました", "a leg has changed";
        /// 緊急閲覧: something of a leg was opened in an emergency, or its review is late.
        GlassBroken = "glass.broken", "緊急閲覧の確認が必要です", "a break-glass is to be reviewed";
        DeliveryRecalled = "delivery.recalled", "送達が取り下げられました", "a delivery was recalled";
    }
}

impl DoorbellKind {
    /// The CloudEvents `type`, for example `jp.tsunagu.delivery.waiting.v1`.
    pub fn event_type(self) -> String {
        format!("jp.tsunagu.{}.v1", self.code())
    }
}

/// One ring at one agency's door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Doorbell {
    /// The CloudEvents `id` and the AMQP `message-id`. It is the job's, so that a retry rings with
    /// the same id and a listener can tell it from a new one.
    pub id: JobId,
    /// Whose door. Also the routing key.
    pub to: AgencyId,
    pub kind: DoorbellKind,
    /// The delivery or the leg the kind speaks of.
    pub subject: Uuid,
    /// When it happened, not when it was rung: a retry does not change it.
    pub time: Timestamp,
}

/// The attributes of a doorbell as name and text, in the order the CloudEvents specification names
/// them. `datacontenttype` is not among them: a binding carries it in a place of its own.
pub type Attributes = [(&'static str, String); 6];

impl Doorbell {
    /// The CloudEvents 1.0 attributes (CloudEvents 1.0.2, section "Context Attributes").
    ///
    /// `hub` is the hub's opaque id: a host name or a municipality in `source` would say where a
    /// family lives to everybody who may look at the broker. Times are RFC 3339 in Japan Standard
    /// Time.
    pub fn attributes(&self, hub: Uuid) -> Attributes {
        [
            ("specversion", "1.0".to_owned()),
            ("id", self.id.to_string()),
            ("source", format!("urn:tsunagu:hub:{}", hub.as_hyphenated())),
            ("type", self.kind.event_type()),
            ("subject", self.subject.as_hyphenated().to_string()),
            ("time", self.time.display_with_offset(JAPAN).to_string()),
        ]
    }
}

/// Japan Standard Time, which has had no summer time since 1952.
const JAPAN: Offset = Offset::constant(9);

#[cfg(test)]
mod tests {
    use super::*;

    fn doorbell(kind: DoorbellKind) -> Doorbell {
        Doorbell {
            id: "0190e0c4-7a7b-7cc3-8f00-2f3c4b5a6d7e".parse().unwrap(),
            to: "0190e0c4-7a7b-7cc3-8f00-00000000000a".parse().unwrap(),
            kind,
            subject: "7d444840-9dc0-41d1-b245-5ffdce74fad2".parse().unwrap(),
            time: "2026-11-30T15:00:00.5Z".parse().unwrap(),
        }
    }

    #[test]
    fn the_attributes_are_those_of_cloudevents_1_0() {
        let hub = "0190e0c4-7a7b-7cc3-8f00-ffffffffffff".parse().unwrap();
        let attributes = doorbell(DoorbellKind::DeliveryWaiting).attributes(hub);
        let expected = [
            ("specversion", "1.0"),
            ("id", "0190e0c4-7a7b-7cc3-8f00-2f3c4b5a6d7e"),
            ("source", "urn:tsunagu:hub:0190e0c4-7a7b-7cc3-8f00-ffffffffffff"),
            ("type", "jp.tsunagu.delivery.waiting.v1"),
            ("subject", "7d444840-9dc0-41d1-b245-5ffdce74fad2"),
            ("time", "2026-12-01T00:00:00.5+09:00"),
        ];
        assert_eq!(attributes.each_ref().map(|(name, text)| (*name, text.as_str())), expected);
    }

    #[test]
    fn a_doorbell_says_nothing_but_ids_a_kind_and_a_time() {
        // Whoever adds an attribute has to come here and think of what an operator may see.
        for kind in DoorbellKind::ALL {
            for (name, text) in doorbell(*kind).attributes(Uuid::nil()) {
                assert!(["specversion", "id", "source", "type", "subject", "time"].contains(&name));
                assert!(text.is_ascii() && !text.contains(char::is_whitespace), "{name}: {text}");
            }
        }
    }

    #[test]
    fn the_attributes_do_not_name_the_agency_and_do_not_change_when_rung_again() {
        let doorbell = doorbell(DoorbellKind::LegChanged);
        let first = doorbell.attributes(Uuid::nil());
        assert_eq!(first, doorbell.attributes(Uuid::nil()));
        assert!(first.iter().all(|(_, text)| !text.contains(&doorbell.to.to_string())));
    }
}
