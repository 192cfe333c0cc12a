//! The slow work of passwords: off the threads that answer requests, and never more of it at once than a few.
//!
//! Were it done where requests are answered, a few sign-ins would hold up every referral; were it unbounded, a few
//! hundred would take the machine's memory. Whoever finds no place in time is told that the hub is busy.

use std::{sync::Arc, time::Duration};

use actix_web::{HttpRequest, web};
use tokio::{sync::Semaphore, time::timeout};

use crate::domain::problem::{Problem, ProblemKind};

/// Hashes at once: each takes a core for tens of milliseconds, and 19 MiB.
const AT_ONCE: usize = 2;
/// How long a sign-in waits for its turn.
const PATIENCE: Duration = Duration::from_secs(5);

/// The turns; one set for all workers of a server.
#[derive(Clone)]
pub struct Turns(Arc<Semaphore>);

impl Default for Turns {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

/// Does slow work when its turn comes. What was begun is done to its end, and keeps its turn until then, also when
/// the client has gone.
///
/// # Errors
/// Busy, where its turn did not come in time.
pub async fn run<T: Send + 'static>(
    request: &HttpRequest,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    let turns = request.app_data::<Turns>().cloned().unwrap_or_default();
    let turn = timeout(PATIENCE, turns.0.acquire_owned()).await;
    let Ok(Ok(turn)) = turn else { return Err(Problem::new(ProblemKind::Busy).retry_after(5)) };
    let done = web::block(move || {
        let done = work();
        drop(turn);
        done
    });
    done.await.map_err(|_| Problem::new(ProblemKind::Internal))
}
