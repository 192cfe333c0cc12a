//! How long a refusal takes must not tell whether the object is there.

use std::time::{Duration, Instant};

use tsunagu::web::TABLE;

use super::{
    cells::{Caller, Object, expected, request},
    fresh,
    world::World,
};

/// The most by which the medians may differ.
const LIMIT: f64 = 0.001;
const PAIRS: usize = 31;
/// A busy machine may spoil a round of measurements; a real difference spoils them all.
const ROUNDS: usize = 6;

#[tokio::test]
async fn a_foreign_object_is_refused_as_fast_as_a_missing_one() {
    let world = World::embedded().await;
    let stories = fresh(&world).await;
    let mut measured = 0;
    for row in TABLE {
        let answered = |object| expected(row, world.engine, Caller::Third, object);
        if answered(Object::Foreign) != answered(Object::Missing) || answered(Object::Foreign).0 < 400 {
            continue;
        }
        let took = async |object| {
            let sent = request(&world, row, &stories, Caller::Third, object).await;
            let began = Instant::now();
            let reply = sent.send().await.unwrap();
            assert!(reply.status().is_client_error(), "{}", row.path);
            reply.bytes().await.unwrap();
            began.elapsed()
        };
        let mut differences = Vec::new();
        let alike = 'rounds: {
            for _ in 0..ROUNDS {
                let mut pairs = Vec::new();
                for pair in 0..PAIRS {
                    // Each goes first every other time: whatever the second gains by it, both gain.
                    let (foreign, missing) = if pair % 2 == 0 {
                        let foreign = took(Object::Foreign).await;
                        (foreign, took(Object::Missing).await)
                    } else {
                        let missing = took(Object::Missing).await;
                        (took(Object::Foreign).await, missing)
                    };
                    pairs.push((foreign, missing));
                }
                differences.push(median_difference(&pairs));
                if differences.iter().any(|seconds| seconds.abs() < LIMIT) {
                    break 'rounds true;
                }
            }
            false
        };
        assert!(
            alike,
            "{} {}: foreign - missing, in seconds per round: {differences:?}",
            row.method, row.path
        );
        measured += 1;
    }
    assert!(measured >= 10, "{measured} endpoints name an object");
}

/// The median of what the first of each pair took longer than the second.
fn median_difference(pairs: &[(Duration, Duration)]) -> f64 {
    let mut differences: Vec<f64> =
        pairs.iter().map(|(one, other)| one.as_secs_f64() - other.as_secs_f64()).collect();
    differences.sort_by(f64::total_cmp);
    differences[differences.len() / 2]
}

#[test]
fn the_measure_sees_a_difference_through_noise_and_none_where_there_is_none() {
    let ms = |ms: f64| Duration::from_secs_f64(ms / 1000.0);
    let noise = |n: usize| [0.0, 9.0, 0.3, 0.1, 25.0, 0.2][n % 6];
    let pairs = |longer: f64| -> Vec<_> {
        (0..PAIRS).map(|n| (ms(1.0 + longer + noise(n)), ms(1.0 + noise(n + n / 6 + 1)))).collect()
    };
    assert!(median_difference(&pairs(0.0)).abs() < LIMIT);
    assert!(median_difference(&pairs(1.5)).abs() > LIMIT);
}
