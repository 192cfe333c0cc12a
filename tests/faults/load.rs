//! Load with a journal: systems that send and systems that poll, whatever happens to the hub meanwhile.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tokio::{task::JoinHandle, time::sleep};
use tsunagu::vault::sha256;

use crate::{
    dice::Dice,
    support::{
        cast::{Cast, Sent},
        town::{Agency, Town},
    },
};

/// How many systems send at a time.
const SENDERS: u64 = 4;
/// No answer may be waited for longer than this: then something hangs.
const PATIENCE: Duration = Duration::from_secs(15);

/// What a sender knows of one submission.
#[derive(Clone, Debug, Default)]
struct Attempt {
    paper: Value,
    /// The first whole answer.
    answer: Option<Vec<u8>>,
}

/// Everything that goes on around a hub, and what those who did it wrote down.
pub struct Load {
    pub cast: Cast,
    paper: Value,
    dice: Dice,
    journal: Mutex<BTreeMap<String, Attempt>>,
    /// Per recipient: the deliveries whose acknowledgement was answered, and the answer.
    taken: [Mutex<BTreeMap<String, Vec<u8>>>; 2],
    /// Requests that got no whole answer.
    cut: Mutex<u64>,
    kills: AtomicU64,
    over: AtomicBool,
}

/// The tasks of a load.
pub struct Running(Vec<JoinHandle<()>>);

impl Load {
    /// Gets everything ready for referrals from the site to both of the others.
    pub async fn new(town: &Town, dice: &Dice) -> Arc<Self> {
        let cast = Cast::of(town).await;
        let consent = cast.consent(town, &[&cast.nursery, &cast.family]).await;
        let paper = town.introduction(&cast.writer, &consent, &[&cast.nursery, &cast.family]);
        for agency in [&cast.site, &cast.nursery, &cast.family] {
            agency.token().await;
        }
        Arc::new(Self {
            cast,
            paper,
            dice: dice.clone(),
            journal: Mutex::default(),
            taken: [Mutex::default(), Mutex::default()],
            cut: Mutex::default(),
            kills: AtomicU64::new(0),
            over: AtomicBool::new(false),
        })
    }

    /// Lets everybody begin. A sender waits up to `pause` milliseconds between two submissions.
    pub fn begin(self: &Arc<Self>, pause: u64) -> Running {
        let senders = (0..SENDERS).map(|number| {
            let load = Arc::clone(self);
            tokio::spawn(async move { load.send(number, pause).await })
        });
        let pollers = (0..2).map(|place| {
            let load = Arc::clone(self);
            tokio::spawn(async move { load.poll(place).await })
        });
        Running(senders.chain(pollers).collect())
    }

    /// Ends the load and waits for whoever is still at it.
    pub async fn end(&self, running: Running) {
        self.over.store(true, Ordering::SeqCst);
        for task in running.0 {
            task.await.expect("those who make the load saw nothing wrong");
        }
    }

    /// Sends a request. None if it got no whole answer.
    ///
    /// The client of these tests can lose a request that is handed to a connection in the moment the connection
    /// breaks, and then waits in vain (hyperium/hyper#4122). So a request that nobody answers is held against the hub
    /// only if the hub lived all that time.
    async fn whole(&self, request: RequestBuilder) -> Option<(u16, Vec<u8>, bool)> {
        let kills = self.kills.load(Ordering::SeqCst);
        let told = |error: reqwest::Error| {
            let hub_lived = kills == self.kills.load(Ordering::SeqCst);
            assert!(!(error.is_timeout() && hub_lived), "a request hangs: {error}");
        };
        let answer = request.timeout(PATIENCE).send().await.map_err(told).ok()?;
        let (status, replayed) =
            (answer.status().as_u16(), answer.headers().contains_key("idempotency-replayed"));
        let body = answer.bytes().await.map_err(told).ok()?;
        Some((status, body.to_vec(), replayed))
    }

    /// Says that the hub was killed.
    pub fn hub_died(&self) {
        self.kills.fetch_add(1, Ordering::SeqCst);
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    fn recipient(&self, place: usize) -> &Agency {
        [&self.cast.nursery, &self.cast.family][place]
    }

    async fn send(&self, number: u64, pause: u64) {
        let mut dice = self.dice.for_task(number);
        for count in 0.. {
            if self.is_over() {
                return;
            }
            let key = format!("s{number}-{count}");
            let mut paper = self.paper.clone();
            paper["source_ref"] = json!(key);
            self.journal.lock().unwrap().insert(key.clone(), Attempt { paper: paper.clone(), answer: None });
            // Some ask again until they are answered, some never do.
            let asks_again = dice.once_in(2);
            while !self.submit(&key, &paper).await && asks_again && !self.is_over() {
                sleep(Duration::from_millis(dice.between(5, 60))).await;
            }
            sleep(Duration::from_millis(dice.between(0, pause))).await;
        }
    }

    /// Sends a submission; whether it was answered.
    async fn submit(&self, key: &str, paper: &Value) -> bool {
        let request = self.cast.site.request("POST", "/v1/referrals").await;
        let Some((status, body, _)) = self.whole(request.header("idempotency-key", key).json(paper)).await
        else {
            *self.cut.lock().unwrap() += 1;
            return false;
        };
        assert_eq!(status, 201, "{}", String::from_utf8_lossy(&body));
        let mut journal = self.journal.lock().unwrap();
        let first = journal.get_mut(key).unwrap().answer.get_or_insert(body.clone());
        assert!(*first == body, "the answers to {key} differ");
        true
    }

    /// Reads an inbox over and over and takes some of what waits there. What was taken waits no more.
    async fn poll(&self, place: usize) {
        let mut dice = self.dice.for_task(100 + place as u64);
        let agency = self.recipient(place);
        while !self.is_over() {
            let inbox = agency.request("GET", "/v1/inbox?limit=200").await;
            if let Some((status, body, _)) = self.whole(inbox).await {
                assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
                let page: Value = serde_json::from_slice(&body).unwrap();
                for item in page["items"].as_array().unwrap() {
                    let delivery = item["delivery"].as_str().unwrap();
                    let known = self.taken[place].lock().unwrap().contains_key(delivery);
                    assert!(!known, "{delivery} waits although it was taken");
                    if dice.once_in(8) {
                        self.take(place, delivery).await;
                    }
                }
            }
            sleep(Duration::from_millis(dice.between(20, 80))).await;
        }
    }

    async fn take(&self, place: usize, delivery: &str) {
        let agency = self.recipient(place);
        let Some((200, receipt, _)) =
            self.whole(agency.request("GET", &format!("/v1/receipts/{delivery}/R0")).await).await
        else {
            return;
        };
        let receipt: Value = serde_json::from_slice(&receipt).unwrap();
        let hash = sha256(receipt["jws"].as_str().unwrap().as_bytes()).to_string();
        let request = agency.request("POST", &format!("/v1/deliveries/{delivery}/ack")).await;
        let request = request.header("idempotency-key", format!("a-{delivery}"));
        if let Some((status, body, _)) = self.whole(request.json(&json!({"receipt_hash": hash}))).await {
            assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
            self.taken[place].lock().unwrap().insert(delivery.to_owned(), body);
        }
    }

    /// How many submissions were begun, how many answered, and how many requests were cut off.
    pub fn counts(&self) -> (usize, usize, u64) {
        let journal = self.journal.lock().unwrap();
        let answered = journal.values().filter(|attempt| attempt.answer.is_some()).count();
        (journal.len(), answered, *self.cut.lock().unwrap())
    }

    /// Compares the journal with what the hub holds now, and sends every submission once more.
    pub async fn settles(&self) {
        let journal = self.journal.lock().unwrap().clone();
        let stored = self.stored().await;
        let mut unasked = stored.clone();
        let (mut legs, mut late) = (BTreeMap::<String, String>::new(), 0);
        for some in journal.iter().collect::<Vec<_>>().chunks(8) {
            let again = join_all(some.iter().map(|(key, attempt)| self.again(key, attempt))).await;
            for ((key, attempt), (answer, replayed)) in some.iter().zip(again) {
                let sent = Sent::read(&serde_json::from_slice(&answer).unwrap());
                assert_eq!(
                    replayed,
                    stored.contains(&sent.referral),
                    "{key} is answered from what was stored"
                );
                if let Some(first) = &attempt.answer {
                    assert!(*first == answer, "{key} gets its first answer, byte for byte");
                    assert!(replayed, "{key} was accepted and is gone");
                }
                assert!(unasked.remove(&sent.referral) || !replayed, "two keys made one referral");
                late += usize::from(!replayed);
                for (leg, delivery) in sent.legs {
                    assert!(legs.insert(leg, delivery).is_none(), "two keys made one leg");
                }
            }
        }
        assert!(unasked.is_empty(), "nobody sent {unasked:?}");
        assert_eq!(self.stored().await.len(), journal.len(), "one referral per key");
        println!("{} stored before the repetition, {late} by it", stored.len());
        self.in_both_inboxes(&legs).await;
        self.taken_stays_taken().await;
    }

    /// Sends a submission once more: the answer, and whether it was that of an earlier one.
    async fn again(&self, key: &str, attempt: &Attempt) -> (Vec<u8>, bool) {
        let request = self.cast.site.request("POST", "/v1/referrals").await;
        let request = request.header("idempotency-key", key).json(&attempt.paper);
        let (status, body, replayed) =
            self.whole(request).await.expect("nothing is wrong with the hub any more");
        assert_eq!(status, 201, "{key}: {}", String::from_utf8_lossy(&body));
        (body, replayed)
    }

    async fn stored(&self) -> BTreeSet<String> {
        let items = every(&self.cast.site, "/v1/referrals?limit=200", "before").await;
        let ids: BTreeSet<String> = items.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(ids.len(), items.len());
        ids
    }

    /// Every leg's copy lies in the inbox of its recipient, once, in one state.
    async fn in_both_inboxes(&self, legs: &BTreeMap<String, String>) {
        let mut found = BTreeMap::new();
        for place in 0..2 {
            let mut here = 0;
            for state in ["waiting", "taken", "opened", "recalled", "undeliverable"] {
                let path = format!("/v1/inbox?state={state}&limit=200");
                for item in every(self.recipient(place), &path, "after").await {
                    let text = |name: &str| item[name].as_str().unwrap().to_owned();
                    assert_eq!(
                        found.insert(text("leg"), text("delivery")),
                        None,
                        "twice in an inbox: {item}"
                    );
                    here += 1;
                }
            }
            assert_eq!(here * 2, legs.len(), "each recipient got one copy of each");
        }
        assert_eq!(found, *legs);
    }

    /// An acknowledgement that was answered is answered the same again.
    async fn taken_stays_taken(&self) {
        for place in 0..2 {
            let taken = self.taken[place].lock().unwrap().clone();
            assert!(!taken.is_empty(), "somebody took something");
            for (delivery, answer) in taken {
                assert!(self.recipient(place).ack(&delivery).await.good().body == answer, "{delivery}");
            }
        }
    }
}

/// All items of a list, page by page.
pub async fn every(agency: &Agency, path: &str, cursor: &str) -> Vec<Value> {
    let (mut items, mut place) = (Vec::new(), String::new());
    loop {
        let page = agency.get(&format!("{path}{place}")).await.value();
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        let Some(next) = page["next"].as_str() else { return items };
        place = format!("&{cursor}={next}");
    }
}
