//! Clients that hang up: anywhere in a submission, or after it, without waiting for the answer.

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    time::{Duration, sleep},
};

use crate::{
    dice::Dice,
    support::{
        cast::{Cast, Sent},
        ending,
        town::{Engine, Town},
    },
};

const CLIENTS: u64 = 300;

/// How a client goes.
struct End {
    after: Duration,
    /// Resets the connection instead of closing it.
    rude: bool,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_embedded_hub_half_stores_nothing_when_clients_hang_up() {
    clients_hang_up(Engine::Embedded).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_clustered_hub_half_stores_nothing_when_clients_hang_up() {
    clients_hang_up(Engine::Clustered).await;
}

async fn clients_hang_up(engine: Engine) {
    let mut dice = Dice::thrown();
    let Some(mut town) = Town::on(engine).await else { return };
    let cast = Cast::of(&town).await;
    let Cast { site, writer, nursery, family, .. } = &cast;
    let consent = cast.consent(&town, &[nursery, family]).await;
    let paper = town.introduction(writer, &consent, &[nursery, family]);
    let address = town.url("").trim_start_matches("http://").to_owned();
    let token = site.token().await;

    let mut sent = Vec::new();
    for client in 0..CLIENTS {
        let mut own = paper.clone();
        own["source_ref"] = json!(format!("c{client}"));
        let request = request(&address, &token, &format!("c{client}"), &own);
        // One in three hangs up after the whole request, before, while or after it is worked on.
        let bytes =
            if dice.once_in(3) { request.len() } else { dice.between(0, request.len() as u64) as usize };
        let end = End { after: Duration::from_micros(dice.between(0, 12_000)), rude: dice.once_in(2) };
        sent.push((own, request, bytes, end));
    }
    for some in sent.chunks(20) {
        join_all(some.iter().map(|(_, request, bytes, end)| hang_up(&address, &request[..*bytes], end)))
            .await;
    }
    let url = town.config.ledger.url.expose().to_owned();
    sleep(Duration::from_millis(1500)).await;
    ending::no_transaction_is_open(&url).await;

    let (mut stored, mut whole) = (0, 0);
    for (client, (own, request, bytes, _)) in sent.iter().enumerate() {
        let answer = site.submit_under(&format!("c{client}"), own).await.good();
        let before = answer.header("idempotency-replayed").is_some();
        assert!(!before || *bytes == request.len(), "{bytes} of {} bytes made a referral", request.len());
        stored += usize::from(before);
        whole += usize::from(*bytes == request.len());
        assert_eq!(Sent::read(&answer.json()).legs.len(), 2);
    }
    println!("of {whole} whole requests that nobody waited for {stored} were accepted");
    assert!(stored > 0, "a request that was read is worked on to its end");
    let rows = town.rows().await;
    let expected = CLIENTS as i64;
    assert_eq!((rows["referral"], rows["leg"], rows["delivery"]), (expected, 2 * expected, 2 * expected));
    assert_eq!(rows["receipt"], 4 * expected, "R0 and R1 of each");
    ending::holds(&town, &cast.everybody()).await;
    town.stop().await;
}

/// A submission as it goes over the wire.
fn request(address: &str, token: &str, key: &str, paper: &Value) -> Vec<u8> {
    let body = paper.to_string();
    let head = format!(
        "POST /v1/referrals HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
         Idempotency-Key: {key}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.into_bytes(), body.into_bytes()].concat()
}

/// Sends so much of a request, waits a moment, and is gone.
async fn hang_up(address: &str, bytes: &[u8], end: &End) {
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(bytes).await.unwrap();
    sleep(end.after).await;
    if end.rude {
        connection.set_zero_linger().unwrap();
    }
}
