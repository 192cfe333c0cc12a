//! Many at once with one key: one referral, and one answer.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::json;

use super::{Engine, Reply, Scene, fresh_key, with};

const MANY: usize = 50;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_at_once_with_one_key_make_one_referral_and_get_one_answer() {
    for engine in Engine::BOTH {
        let Some(scene) = Scene::new(engine).await else { continue };
        let (before, key, paper) = (scene.stored().await, fresh_key(), scene.referral());
        let replies = join_all((0..MANY).map(|_| scene.site.submit_under(&key, &paper))).await;
        let bodies: BTreeSet<&str> = replies.iter().map(Reply::text).collect();
        assert!(replies.iter().all(|reply| reply.code() == 201), "{bodies:?}");
        assert_eq!(bodies.len(), 1, "{bodies:?}");
        let first = replies.iter().filter(|reply| reply.header("idempotency-replayed").is_none()).count();
        assert_eq!(first, 1, "all but one say that they repeat an answer");
        let after = scene.stored().await;
        for table in ["referral", "leg", "delivery", "manifest", "idempotency"] {
            assert_eq!(after[table] - before[table], 1, "{table} on {engine:?}");
        }
        assert_eq!(scene.nursery.inbox("waiting").await.len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_bodies_under_one_key_one_is_made() {
    for engine in Engine::BOTH {
        let Some(scene) = Scene::new(engine).await else { continue };
        let (before, key) = (scene.stored().await, fresh_key());
        let papers = [scene.referral(), with(&scene.referral(), "/urgency", json!("U2"))];
        let replies = join_all((0..MANY).map(|n| scene.site.submit_under(&key, &papers[n % 2]))).await;
        let made = replies.iter().filter(|reply| reply.code() == 201).map(|reply| reply.at("/id"));
        let made: BTreeSet<String> = made.collect();
        assert_eq!(made.len(), 1, "{made:?}");
        let refused: Vec<_> = replies.iter().filter(|reply| reply.code() != 201).collect();
        assert_eq!(refused.len(), MANY / 2);
        assert!(refused.iter().all(|reply| reply.problem() == "idempotency-key-reused"));
        assert_eq!(scene.stored().await["referral"] - before["referral"], 1);
    }
}
