//! A network that breaks at the worst moment: the commit is made, and its answer never arrives.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use super::{Stage, at_work, rows, stories_on_postgres, verdict};
use crate::ledger::{Ledger, Scope, Write, WriteError};

stories_on_postgres!(a_commit_whose_answer_is_lost_is_settled_by_its_key);

/// Passes bytes between the hub and PostgreSQL. While armed it lets the next COMMIT through and then cuts the
/// line, so that its answer is lost.
struct Relay {
    url: String,
    armed: Arc<AtomicBool>,
    _lines: JoinSet<()>,
}

impl Relay {
    async fn to(url: &str) -> Self {
        let (before, host) = url.rsplit_once('@').unwrap();
        let (server, database) = host.split_once('/').unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let armed = Arc::new(AtomicBool::new(false));
        let mut lines = JoinSet::new();
        lines.spawn(accept(listener, server.to_owned(), armed.clone()));
        Self { url: format!("{before}@{address}/{database}"), armed, _lines: lines }
    }
}

async fn accept(listener: TcpListener, server: String, armed: Arc<AtomicBool>) {
    let mut lines = JoinSet::new();
    while let Ok((hub, _)) = listener.accept().await {
        let database = TcpStream::connect(&server).await.unwrap();
        lines.spawn(pass(hub, database, armed.clone()));
    }
}

async fn pass(mut hub: TcpStream, mut database: TcpStream, armed: Arc<AtomicBool>) {
    let (mut asked, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        tokio::select! {
            read = hub.read(&mut asked) => {
                let Ok(count @ 1..) = read else { return };
                let commits = asked[..count].windows(6).any(|word| word == b"COMMIT");
                if database.write_all(&asked[..count]).await.is_err() {
                    return;
                }
                if commits && armed.swap(false, Ordering::SeqCst) {
                    // PostgreSQL has answered when its first byte is here; the hub never sees it.
                    let _ = database.read(&mut answered).await;
                    return;
                }
            }
            read = database.read(&mut answered) => {
                let Ok(count @ 1..) = read else { return };
                if hub.write_all(&answered[..count]).await.is_err() {
                    return;
                }
            }
        }
    }
}

async fn a_commit_whose_answer_is_lost_is_settled_by_its_key(stage: Stage) {
    Ledger::migrate(&stage.url).await.unwrap();
    let relay = Relay::to(&stage.url).await;
    let (ledger, committers) = stage.open_at(&relay.url, 1, 64).await;
    let work = at_work(committers);
    for round in 1..=20 {
        let agency = rows::id();
        let write = || Write { key: Some(rows::key(agency, 1)), ..rows::note(agency) };
        relay.armed.store(true, Ordering::SeqCst);
        let unknown = verdict(ledger.write(write()).await);
        assert_eq!(unknown, Err(WriteError::Unknown), "it was made, but nobody could have said so");
        assert_eq!(verdict(ledger.write(write()).await), Err(WriteError::KeyTaken), "the key settles it");
        let used = ledger.used_key(Scope::of(agency), &rows::hash(1)).await.unwrap();
        assert!(used.is_some());
        assert_eq!(stage.count("audit").await, round);
    }
    drop(work);
}
