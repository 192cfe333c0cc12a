//! One connection to the broker, from its handshake to its end. A link is never repaired: at the
//! first fault it is condemned, and the driver makes another.

use std::{
    collections::HashSet,
    io,
    net::{Shutdown, SocketAddr, TcpStream},
    os::fd::AsFd,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use lapin::{
    Channel, Confirmation, Connection, ConnectionProperties,
    options::{BasicPublishOptions, ConfirmSelectOptions},
    tcp::{AsyncTcpStream, RustlsConnector},
    types::ShortString,
    uri::{AMQPScheme, AMQPUri},
};
use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};
use uuid::Uuid;

use super::topology;
use crate::transport::{Body, Outcome, Reason, Ring};

/// A connection with a channel for publishing.
pub(super) struct Link {
    connection: Connection,
    /// One batch at a time. Returned messages are not tied to their publish: lapin hands one to
    /// whichever confirm comes next, so batches must not mix.
    publisher: tokio::sync::Mutex<Channel>,
    condemned: AtomicBool,
    /// Wakes the driver when the link is condemned.
    end: Notify,
    /// Dropped with the link, and the socket with it.
    _leash: Leash,
}

impl Link {
    /// Connects to the broker and switches on publisher confirms.
    pub(super) async fn connect(uri: &AMQPUri, tls: &Arc<RustlsConnector>) -> lapin::Result<Self> {
        let (connection, leash) = connect(uri, tls.clone()).await?;
        let publisher = connection.create_channel().await?;
        publisher.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(Self {
            connection,
            publisher: tokio::sync::Mutex::new(publisher),
            condemned: AtomicBool::new(false),
            end: Notify::new(),
            _leash: leash,
        })
    }

    pub(super) const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Whether the link is sound and the broker takes messages.
    pub(super) fn open(&self) -> bool {
        let status = self.connection.status();
        !self.condemned.load(Ordering::SeqCst) && status.connected() && !status.blocked()
    }

    /// Gives the link up: nothing more is published, and the driver makes another.
    pub(super) fn condemn(&self) {
        self.condemned.store(true, Ordering::SeqCst);
        self.end.notify_one();
    }

    /// Waits until the link has been condemned.
    pub(super) async fn until_condemned(&self) {
        self.end.notified().await;
    }

    /// Publishes all rings at once and waits for their confirms until `deadline`.
    pub(super) async fn publish(&self, hub: Uuid, rings: &[Ring], deadline: Instant) -> Vec<Outcome> {
        let all = |reason| vec![Outcome::Failed(reason); rings.len()];
        if self.connection.status().blocked() {
            return all(Reason::Blocked);
        }
        let Ok(channel) = timeout_at(deadline, self.publisher.lock()).await else {
            return all(Reason::TimedOut);
        };
        if self.condemned.load(Ordering::SeqCst) {
            return all(Reason::Broken);
        }
        // Whatever ends this early, the caller's impatience included, leaves confirms on the way
        // that a later batch would take for its own.
        let unfinished = Unfinished(self);
        let (outcomes, sound) = publish_on(&channel, hub, rings, deadline).await;
        if sound {
            std::mem::forget(unfinished);
        }
        outcomes
    }
}

/// Condemns the link unless it is forgotten.
struct Unfinished<'a>(&'a Link);

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        self.0.condemn();
    }
}

/// The outcomes, and whether the channel can be used again.
async fn publish_on(channel: &Channel, hub: Uuid, rings: &[Ring], deadline: Instant) -> (Vec<Outcome>, bool) {
    let mut outcomes = vec![Outcome::Failed(Reason::TimedOut); rings.len()];
    let mut returned = HashSet::new();
    let mut sound = true;
    let mut pending: FuturesUnordered<_> = rings
        .iter()
        .enumerate()
        .map(|(place, ring)| async move { (place, publish_one(channel, hub, ring).await) })
        .collect();
    loop {
        match timeout_at(deadline, pending.next()).await {
            Ok(None) => break,
            Ok(Some((place, answer))) => {
                let (outcome, message) = judge(answer);
                sound &= outcome != Outcome::Failed(Reason::Broken);
                outcomes[place] = outcome;
                returned.extend(message);
            }
            Err(_) => {
                tracing::warn!(unconfirmed = pending.len(), "the broker did not confirm in time");
                sound = false;
                break;
            }
        }
    }
    mark_returned(rings, &returned, &mut outcomes);
    (outcomes, sound)
}

/// A returned message is known by its id alone, whichever confirm brought it; see [`Link`].
fn mark_returned(rings: &[Ring], returned: &HashSet<String>, outcomes: &mut [Outcome]) {
    for (ring, outcome) in rings.iter().zip(outcomes) {
        if *outcome == Outcome::Published && returned.contains(&ring.doorbell.id.to_string()) {
            *outcome = Outcome::Unroutable;
        }
    }
}

/// What a confirm says of its own publish, and the id of the returned message it happens to bring.
fn judge(answer: lapin::Result<Confirmation>) -> (Outcome, Option<String>) {
    let id = |message: lapin::message::BasicReturnMessage| {
        message.properties.message_id().as_ref().map(ToString::to_string)
    };
    match answer {
        Ok(Confirmation::Ack(message)) => (Outcome::Published, message.and_then(id)),
        Ok(Confirmation::Nack(message)) => (Outcome::Failed(Reason::Refused), message.and_then(id)),
        // Confirms are on; were they not, nothing would be known of any publish.
        Ok(Confirmation::NotRequested) => (Outcome::Failed(Reason::Broken), None),
        Err(error) => {
            tracing::warn!(%error, "a doorbell could not be published");
            (Outcome::Failed(Reason::Broken), None)
        }
    }
}

async fn publish_one(channel: &Channel, hub: Uuid, ring: &Ring) -> lapin::Result<Confirmation> {
    let key = topology::routing_key(ring.doorbell.to, &ring.body);
    let options = BasicPublishOptions { mandatory: true, immediate: false };
    let body = match &ring.body {
        Body::Empty => &[][..],
        Body::Sealed(jwe) => jwe.as_bytes(),
    };
    let exchange = ShortString::from(topology::EXCHANGE);
    let properties = topology::properties(hub, ring);
    channel.basic_publish(exchange, key.into(), options, body, properties).await?.await
}

/// Holds a second handle on the socket of a connection and shuts it down when dropped.
///
/// lapin reads a connection on a thread of its own, which ends with the socket. Against a broker
/// that accepts and then says nothing it would wait for ever, one thread for each attempt.
#[derive(Default)]
struct Leash(Arc<Mutex<Tied>>);

#[derive(Default)]
enum Tied {
    #[default]
    NotYet,
    To(TcpStream),
    Cut,
}

impl Drop for Leash {
    fn drop(&mut self) {
        let mut tied = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Tied::To(socket) = &*tied {
            // It may have been closed long since.
            let _gone = socket.shutdown(Shutdown::Both);
        }
        *tied = Tied::Cut;
    }
}

fn tie(leash: &Mutex<Tied>, socket: &impl AsFd) -> io::Result<()> {
    let mut tied = leash.lock().unwrap_or_else(PoisonError::into_inner);
    if matches!(*tied, Tied::Cut) {
        return Err(io::ErrorKind::ConnectionAborted.into());
    }
    *tied = Tied::To(TcpStream::from(socket.as_fd().try_clone_to_owned()?));
    Ok(())
}

async fn connect(uri: &AMQPUri, tls: Arc<RustlsConnector>) -> lapin::Result<(Connection, Leash)> {
    let addresses: Vec<SocketAddr> =
        tokio::net::lookup_host((uri.authority.host.trim_matches(['[', ']']), uri.authority.port))
            .await?
            .collect();
    let leash = Leash::default();
    let tied = leash.0.clone();
    let properties = ConnectionProperties::default().with_connection_name("tsunagu".into());
    let runtime = lapin::runtime::default_runtime()?;
    // Our own connecting, not lapin's: lapin writes the URL with its password to the trace.
    let connecting = Connection::connector(
        uri.clone(),
        runtime,
        async move |uri: AMQPUri, runtime| {
            let stream =
                first_of(&addresses, async |address| AsyncTcpStream::connect(&runtime, address).await)
                    .await?;
            if let AsyncTcpStream::Plain(socket) = &stream {
                tie(&tied, socket.get_ref())?;
            }
            Ok(match uri.scheme {
                AMQPScheme::AMQP => stream,
                AMQPScheme::AMQPS => stream.into_rustls(&tls, &uri.authority.host).await?,
            })
        },
        properties,
    );
    Ok((connecting.await?, leash))
}

/// The first address that answers, or why the last one did not.
async fn first_of<S>(
    addresses: &[SocketAddr],
    connect: impl AsyncFn(SocketAddr) -> io::Result<S>,
) -> io::Result<S> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        match connect(*address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use lapin::{
        BasicProperties,
        message::{BasicReturnMessage, Delivery},
    };

    use super::*;
    use crate::domain::doorbell::{Doorbell, DoorbellKind};

    fn ring(n: u128) -> Ring {
        Ring::empty(Doorbell {
            id: Uuid::from_u128(n).into(),
            to: Uuid::from_u128(9).into(),
            kind: DoorbellKind::DeliveryWaiting,
            subject: Uuid::from_u128(n),
            time: Timestamp::UNIX_EPOCH,
        })
    }

    fn returned(ring: &Ring) -> BasicReturnMessage {
        let mut delivery = Delivery::mock(0, "".into(), "".into(), false, vec![]);
        delivery.properties = BasicProperties::default().with_message_id(ring.doorbell.id.to_string().into());
        BasicReturnMessage { delivery, reply_code: 312, reply_text: "NO_ROUTE".into() }
    }

    #[test]
    fn a_returned_message_counts_for_its_own_ring_whichever_confirm_brings_it() {
        let rings = [ring(1), ring(2), ring(3)];
        // The second was returned; its message came with the confirm of the third.
        let answers =
            [Confirmation::Ack(None), Confirmation::Ack(None), Confirmation::Ack(Some(returned(&rings[1])))];
        let (mut outcomes, ids): (Vec<_>, Vec<_>) =
            answers.into_iter().map(|answer| judge(Ok(answer))).unzip();
        mark_returned(&rings, &ids.into_iter().flatten().collect(), &mut outcomes);
        assert_eq!(outcomes, [Outcome::Published, Outcome::Unroutable, Outcome::Published]);
    }

    #[test]
    fn only_an_ack_is_published() {
        let refused = Outcome::Failed(Reason::Refused);
        assert_eq!(judge(Ok(Confirmation::Nack(None))), (refused, None));
        let broken = (Outcome::Failed(Reason::Broken), None);
        assert_eq!(judge(Ok(Confirmation::NotRequested)), broken);
        assert_eq!(judge(Err(io::Error::from(io::ErrorKind::ConnectionReset).into())), broken);
    }

    #[test]
    fn a_leash_that_was_let_go_ties_nothing() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let socket = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let leash = Leash::default();
        let tied = leash.0.clone();
        assert!(tie(&tied, &socket).is_ok());
        drop(leash);
        assert_eq!(io::Read::read(&mut &socket, &mut [0]).unwrap(), 0, "the socket is shut down");
        assert!(tie(&tied, &socket).is_err());
    }
}
