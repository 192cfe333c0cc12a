//! One story, told on both engines over HTTP, and judged when it has been told.

use std::time::Duration;

use tsunagu::clock::Clock;

use super::{
    ending,
    town::{Agency, Engine, Town},
};

/// Makes of every story a test on each engine. A story happens in a town and hands back everybody who took part.
#[allow(unused_macros, reason = "each test binary uses a part of it")]
macro_rules! stories {
    ($($story:ident),+ $(,)?) => {
        crate::support::stories::stories!(begun 0 days ago: $($story),+);
    };
    // A town whose clock begins in the past can be moved on without getting ahead of the database's own clock.
    (begun $days:literal days ago: $($story:ident),+ $(,)?) => {
        mod embedded {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() {
                let engine = crate::support::town::Engine::Embedded;
                crate::support::stories::told_from(engine, $days, super::$story).await;
            })+
        }

        mod clustered {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() {
                let engine = crate::support::town::Engine::Clustered;
                crate::support::stories::told_from(engine, $days, super::$story).await;
            })+
        }
    };
}
#[allow(unused_imports, reason = "each test binary uses a part of it")]
pub(crate) use stories;

/// Tells a story that begins so many days ago where its servers are there, and looks at what it left behind.
pub async fn told_from(engine: Engine, days: u64, story: impl AsyncFnOnce(&mut Town) -> Vec<Agency>) {
    let begin = Clock::System.now() - Duration::from_secs(days * 24 * 3600);
    let Some(mut town) = Town::with(engine, Clock::fixed(begin), |config| {
        if days > 0 {
            // Such a story looks after keys by itself, and counts.
            config.rules.sweep_seconds = 300;
        }
    })
    .await
    else {
        return;
    };
    let everybody = story(&mut town).await;
    ending::holds(&town, &everybody).await;
    town.stop().await;
}
