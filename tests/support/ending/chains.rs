//! The chains of the ledger, computed again from what is stored.

use std::collections::BTreeMap;

use tsunagu::{
    domain::chain::{Chain, Hash, Link},
    ledger::{Scope, leg::LegRow},
    usecases::Context,
    vault::sha256,
};

use super::{Parties, payload};

/// Recomputes every link of every leg, and compares what the receipts say of it.
pub async fn are_whole(context: &Context, legs: &BTreeMap<String, Parties>) {
    for (id, parties) in legs {
        // What is held back is its sender's alone to see, and a notice its recipient's, where nobody in particular asks.
        let scopes = [&parties.sender, &parties.recipient].map(|agency| Scope::of(agency.parse().unwrap()));
        let [hers, theirs] = scopes.map(|scope| context.ledger.leg(scope, id.parse().unwrap()));
        let leg = hers.await.unwrap().or(theirs.await.unwrap()).unwrap();
        let signers = signers(context, &leg).await;
        let (mut head, mut hashes) = (None, Vec::new());
        for (place, event) in context.ledger.leg_events(&leg).await.unwrap().iter().enumerate() {
            assert_eq!((event.seq, event.prev_hash), (place as i64 + 1, head), "{id}");
            let link = Link {
                chain: Chain::Leg(leg.id),
                prev: head,
                seq: place as u64 + 1,
                kind: &event.kind,
                commit: event.commitment,
                ciphertext: event.body.as_deref().map(sha256),
                hlc: event.at.as_microsecond().unsigned_abs(),
                key_id: &signers[&event.seq],
            };
            assert_eq!(sha256(&link.preimage()), event.hash, "event {} of {id}", event.seq);
            head = Some(event.hash);
            hashes.push(event.hash);
        }
        assert_eq!((leg.head_seq, Some(leg.head_hash)), (hashes.len() as i64, head), "{id}");
        for receipt in context.ledger.receipts(&leg).await.unwrap() {
            let said = payload(&receipt.jws);
            let seq = usize::try_from(said["state"]["seq"].as_u64().unwrap()).unwrap();
            let link: Hash = said["link"].as_str().unwrap().parse().unwrap();
            assert_eq!(link, hashes[seq - 1], "{} of {id}", receipt.level);
        }
    }
}

/// The key that signed each event: keys are exchanged while a leg lives.
async fn signers(context: &Context, leg: &LegRow) -> BTreeMap<i64, String> {
    let receipts = context.ledger.receipts(leg).await.unwrap().into_iter().map(|row| row.jws);
    let events = context.ledger.leg_events(leg).await.unwrap().into_iter().filter_map(|event| event.jws);
    let said = receipts.chain(events).map(|jws| payload(&jws));
    said.map(|said| (said["state"]["seq"].as_i64().unwrap(), said["key_id"].as_str().unwrap().to_owned()))
        .collect()
}
