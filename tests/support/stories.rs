//! One story, told on both engines over HTTP, and judged when it has been told.

use super::{
    ending,
    town::{Agency, Engine, Town},
};

/// Makes of every story a test on each engine. A story happens in a town and hands back everybody who took part.
#[allow(unused_macros, reason = "each test binary uses a part of it")]
macro_rules! stories {
    ($($story:ident),+ $(,)?) => {
        mod embedded {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() {
                let engine = crate::support::town::Engine::Embedded;
                crate::support::stories::told(engine, super::$story).await;
            })+
        }

        mod clustered {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() {
                let engine = crate::support::town::Engine::Clustered;
                crate::support::stories::told(engine, super::$story).await;
            })+
        }
    };
}
#[allow(unused_imports, reason = "each test binary uses a part of it")]
pub(crate) use stories;

/// Tells a story where its servers are there, and looks at what it left behind.
pub async fn told(engine: Engine, story: impl AsyncFnOnce(&mut Town) -> Vec<Agency>) {
    let Some(mut town) = Town::on(engine).await else { return };
    let everybody = story(&mut town).await;
    ending::holds(&town, &everybody).await;
    town.stop().await;
}
