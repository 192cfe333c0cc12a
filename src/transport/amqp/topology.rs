//! What the broker must have: exchanges, one queue per subscriber, and what binds them.
//!
//! Queues can't change their arguments: to declare one again with others closes the channel (406).
//! So names carry a version, and a change of arguments is a new name.

use lapin::{
    BasicProperties, Channel, ExchangeKind, Result,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable, LongString, ShortString},
};
use uuid::Uuid;

use crate::{
    domain::ids::AgencyId,
    transport::{Body, Line, Ring},
};

/// Where every doorbell is published; its kind is topic.
pub const EXCHANGE: &str = "tsunagu.doorbells.v1";
/// Where doorbells go that nobody took in time or that were handed back too often.
pub const DEAD_EXCHANGE: &str = "tsunagu.dead.v1";
/// Keeps dead doorbells for the operator to look at.
pub const DEAD_QUEUE: &str = "dead.doorbells.v1";

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// The queue of a subscriber. An agency's broker user may read its own and nothing else:
/// `^(inbox|sealed)\.<its id>\.v1$`.
pub fn queue_name(agency: AgencyId, line: Line) -> String {
    match line {
        Line::Inbox => format!("inbox.{agency}.v1"),
        Line::Sealed => format!("sealed.{agency}.v1"),
    }
}

/// The agency's id, with `.sealed` behind it for a sealed document. Only the queue without a
/// dead-letter exchange is bound to the second, so that a sealed document can't reach a queue that
/// keeps it, whatever an agency subscribed to before.
pub fn routing_key(agency: AgencyId, body: &Body) -> String {
    match body {
        Body::Empty => agency.to_string(),
        Body::Sealed(_) => format!("{agency}.sealed"),
    }
}

/// The properties of one ring: CloudEvents 1.0 in binary mode. There is no official binding for
/// AMQP 0-9-1; the header names are those of the binding for AMQP 1.0.
pub(super) fn properties(hub: Uuid, ring: &Ring) -> BasicProperties {
    let mut headers = FieldTable::default();
    for (name, text) in ring.doorbell.attributes(hub) {
        headers.insert(format!("cloudEvents_{name}").into(), long(&text));
    }
    let properties = BasicProperties::default()
        .with_delivery_mode(2) // persistent
        .with_message_id(ring.doorbell.id.to_string().into())
        .with_headers(headers);
    match ring.body {
        Body::Empty => properties,
        // CloudEvents in binary mode says the type of its data by the content type.
        Body::Sealed(_) => properties.with_content_type("application/jose".into()),
    }
}

/// Declares the exchanges and the queue of dead doorbells.
pub(super) async fn declare_common(channel: &Channel) -> Result<()> {
    let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    for (name, kind) in [(EXCHANGE, ExchangeKind::Topic), (DEAD_EXCHANGE, ExchangeKind::Fanout)] {
        channel.exchange_declare(name.into(), kind, durable, FieldTable::default()).await?;
    }
    let arguments = table(&[
        ("x-queue-type", long("quorum")),
        ("x-max-length", AMQPValue::LongLongInt(100_000)),
        // The oldest make room: refusing the dead would fill the queues they come from.
        ("x-overflow", long("drop-head")),
        ("x-message-ttl", AMQPValue::LongLongInt(7 * DAY)),
    ]);
    channel.queue_declare(DEAD_QUEUE.into(), QueueDeclareOptions::durable(), arguments).await?;
    bind(channel, DEAD_QUEUE, DEAD_EXCHANGE, "").await
}

/// Declares one subscriber's queue and its bindings, and takes away those of the other kind.
pub(super) async fn declare_subscriber(channel: &Channel, agency: AgencyId, line: Line) -> Result<()> {
    let queue = queue_name(agency, line);
    let plain = routing_key(agency, &Body::Empty);
    let options = QueueDeclareOptions::durable();
    channel.queue_declare(queue.as_str().into(), options, arguments(line)).await?;
    bind(channel, &queue, EXCHANGE, &plain).await?;
    if line == Line::Sealed {
        bind(channel, &queue, EXCHANGE, &format!("{plain}.sealed")).await?;
    }
    // An agency that changed its line would otherwise be rung at both doors, and the old queue
    // would fill up unread. To take away a binding that is not there does nothing.
    let (other, keys) = match line {
        Line::Inbox => (Line::Sealed, vec![plain.clone(), format!("{plain}.sealed")]),
        Line::Sealed => (Line::Inbox, vec![plain]),
    };
    for key in keys {
        let other = queue_name(agency, other).into();
        channel.queue_unbind(other, EXCHANGE.into(), key.into(), FieldTable::default()).await?;
    }
    Ok(())
}

/// The arguments of a subscriber's queue. All are given explicitly, because their defaults differ
/// between the versions of RabbitMQ (a delivery limit of 20 from 4.0 on, none before).
fn arguments(line: Line) -> FieldTable {
    let common = [
        // Quorum queues confirm after fsync; classic ones don't.
        ("x-queue-type", long("quorum")),
        ("x-delivery-limit", AMQPValue::LongLongInt(10)),
        ("x-max-length", AMQPValue::LongLongInt(100_000)),
        ("x-overflow", long("reject-publish")),
    ];
    let own: &[_] = match line {
        Line::Inbox => &[
            ("x-message-ttl", AMQPValue::LongLongInt(DAY)),
            ("x-dead-letter-exchange", long(DEAD_EXCHANGE)),
            ("x-dead-letter-strategy", long("at-least-once")),
        ],
        // What is not taken vanishes: the inbox has it, and a sealed copy should lie nowhere.
        Line::Sealed => &[("x-message-ttl", AMQPValue::LongLongInt(10 * MINUTE))],
    };
    table(&[&common, own].concat())
}

async fn bind(channel: &Channel, queue: &str, exchange: &str, key: &str) -> Result<()> {
    let options = QueueBindOptions::default();
    channel.queue_bind(queue.into(), exchange.into(), key.into(), options, FieldTable::default()).await
}

fn long(text: &str) -> AMQPValue {
    AMQPValue::LongString(LongString::from(text))
}

fn table(entries: &[(&str, AMQPValue)]) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, value) in entries {
        table.insert(ShortString::from(*name), value.clone());
    }
    table
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::doorbell::{Doorbell, DoorbellKind};

    fn ring(body: Body) -> Ring {
        let doorbell = Doorbell {
            id: Uuid::from_u128(1).into(),
            to: Uuid::from_u128(2).into(),
            kind: DoorbellKind::DeliveryWaiting,
            subject: Uuid::from_u128(3),
            time: Timestamp::UNIX_EPOCH,
        };
        Ring { doorbell, body }
    }

    fn names(table: &FieldTable) -> Vec<&str> {
        table.inner().keys().map(ShortString::as_str).collect()
    }

    #[test]
    fn a_ring_has_the_headers_of_cloudevents_and_no_others() {
        let properties = properties(Uuid::nil(), &ring(Body::Empty));
        let headers = properties.headers().as_ref().unwrap();
        let expected = ["id", "source", "specversion", "subject", "time", "type"];
        assert_eq!(names(headers), expected.map(|name| format!("cloudEvents_{name}")));
        assert_eq!(properties.message_id().as_ref().unwrap().as_str(), Uuid::from_u128(1).to_string());
        assert_eq!(*properties.delivery_mode(), Some(2));
        // Nothing that would tell urgency, a sender or a kind of content.
        assert_eq!(
            (properties.priority(), properties.content_type(), properties.app_id()),
            (&None, &None, &None)
        );
        assert_eq!((properties.kind(), properties.user_id()), (&None, &None));
    }

    #[test]
    fn a_sealed_document_has_a_key_that_only_a_sealed_line_is_bound_to() {
        let sealed = ring(Body::Sealed("e30".to_owned()));
        let agency = sealed.doorbell.to;
        assert_eq!(routing_key(agency, &sealed.body), format!("{agency}.sealed"));
        assert_eq!(routing_key(agency, &Body::Empty), agency.to_string());
        let properties = properties(Uuid::nil(), &sealed);
        assert_eq!(properties.content_type().as_ref().unwrap().as_str(), "application/jose");
    }

    #[test]
    fn a_sealed_queue_keeps_nothing_for_long_and_dead_letters_nothing() {
        let sealed = arguments(Line::Sealed);
        assert!(names(&sealed).iter().all(|name| !name.contains("dead-letter")));
        assert_eq!(sealed.inner()["x-message-ttl"], AMQPValue::LongLongInt(600_000));
        let inbox = arguments(Line::Inbox);
        assert_eq!(inbox.inner()["x-message-ttl"], AMQPValue::LongLongInt(86_400_000));
        assert_eq!(inbox.inner()["x-dead-letter-exchange"], long("tsunagu.dead.v1"));
        assert_eq!(inbox.inner()["x-dead-letter-strategy"], long("at-least-once"));
        assert_eq!(inbox.inner()["x-overflow"], long("reject-publish"));
        assert_eq!(inbox.inner()["x-delivery-limit"], AMQPValue::LongLongInt(10));
    }

    #[test]
    fn names_are_opaque_and_carry_a_version() {
        let agency = Uuid::from_u128(2).into();
        assert_eq!(queue_name(agency, Line::Inbox), format!("inbox.{agency}.v1"));
        assert_eq!(queue_name(agency, Line::Sealed), format!("sealed.{agency}.v1"));
    }
}
