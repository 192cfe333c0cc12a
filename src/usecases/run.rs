//! The loops of the hub's workers. Each ends when it is told to, after the work in its hands; what it had not
//! settled by then is given back, or, where it was killed, taken up when its lease has lapsed.

use std::{pin::pin, time::Duration};

use futures_util::FutureExt;
use tokio::{sync::Notify, time::sleep};

use super::{
    Context,
    desk::Desk,
    dispatch,
    job::{self, Dispatched},
    keyring::Keyring,
    post, release,
    sweep::{Sweeper, Swept},
};
use crate::domain::{patience::reconnect_after, problem::Problem};

/// How long a worker sleeps that nobody wakes: retries come due, and other nodes leave work too.
const POLL: Duration = Duration::from_secs(1);

/// Rings, sends mail and releases what was held back, until `stop` is ready. None waits for another.
pub async fn run_dispatch(
    context: impl AsRef<Context>,
    desk: impl AsRef<Desk>,
    stop: impl Future<Output = ()>,
) {
    let (context, desk) = (context.as_ref(), desk.as_ref());
    let stop = stop.shared();
    let rings =
        rounds(context, &context.work, dispatch::LIMIT, || dispatch::dispatch(context, desk), stop.clone());
    let mails = rounds(context, &desk.post, post::LIMIT, || post::post(context, desk), stop.clone());
    // Nobody wakes this one: time does.
    let time = Notify::new();
    let releases = rounds(context, &time, release::LIMIT, || release::release(context), stop);
    tokio::join!(rings, mails, releases);
}

/// Works round after round, at once while there is more than one round can take.
async fn rounds<R>(
    context: &Context,
    wake: &Notify,
    limit: i64,
    round: impl Fn() -> R,
    stop: impl Future<Output = ()>,
) where
    R: Future<Output = Result<Dispatched, Problem>>,
{
    let mut stop = pin!(stop);
    let mut failed = 0;
    loop {
        // Listened for before the ledger is asked: work that comes meanwhile wakes the next round.
        let mut woken = pin!(wake.notified());
        woken.as_mut().enable();
        let wait = match round().await {
            Ok(done) => {
                failed = 0;
                if done.claimed as i64 >= limit { Duration::ZERO } else { POLL }
            }
            Err(problem) => {
                failed += 1;
                tracing::warn!(kind = ?problem.kind, failed, "a worker could not reach the ledger and rests");
                reconnect_after(failed, job::chance(context))
            }
        };
        tokio::select! {
            biased;
            () = &mut stop => return,
            () = woken, if failed == 0 => {}
            () = sleep(wait) => {}
        }
    }
}

/// Sweeps every `every` until `stop` is ready.
pub async fn run_sweep(
    context: impl AsRef<Context>,
    desk: impl AsRef<Desk>,
    every: Duration,
    stop: impl Future<Output = ()>,
) {
    let (context, desk) = (context.as_ref(), desk.as_ref());
    let mut stop = pin!(stop);
    let mut sweeper = None;
    let mut keyring = Keyring::new(context);
    let mut failed = 0;
    loop {
        // Keys that cannot be looked after now stop no doorbell.
        if let Err(problem) = keyring.round(context).await {
            tracing::warn!(kind = ?problem.kind, "the keys could not be looked after and are tried again");
        }
        let wait = match sweep(context, desk, &mut sweeper).await {
            Ok(()) => {
                failed = 0;
                every
            }
            Err(problem) => {
                failed += 1;
                tracing::warn!(kind = ?problem.kind, failed, "a sweep failed and is tried again");
                reconnect_after(failed, job::chance(context))
            }
        };
        tokio::select! {
            biased;
            () = &mut stop => return,
            () = sleep(wait) => {}
        }
    }
}

async fn sweep(context: &Context, desk: &Desk, sweeper: &mut Option<Sweeper>) -> Result<(), Problem> {
    let sweeper = match sweeper {
        Some(sweeper) => sweeper,
        None => sweeper.insert(Sweeper::begin(context, desk).await?),
    };
    let swept = sweeper.sweep(context, desk).await?;
    if swept != Swept::default() {
        let Swept { again, orphans, settled, late_reviews, forgotten } = swept;
        tracing::info!(again, orphans, settled, late_reviews, forgotten, "swept");
    }
    Ok(())
}
