//! What this process holds of keys: it takes up what a command or another node changed, says so in the ledger, and
//! helps to move old wraps under the keys of this month.

use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::{Context, rewrap};
use crate::{
    domain::problem::{Problem, ProblemKind},
    ledger::{
        Lane, Step, Write,
        keyring::{NodeRow, Place, SeeNode},
    },
    vault::VaultError,
};

/// A node that has said nothing for so long does not run any more; it reads its keys anew when it starts. More than
/// the longest pause between two sweeps.
pub(super) const NODE_LIVES: Duration = Duration::from_secs(15 * 60);
/// How long a node that has gone is remembered.
const NODE_KEPT: Duration = Duration::from_secs(24 * 3600);
/// Rows are looked for again from so long before the last look: clocks of nodes differ, and commits take time.
const OVERLAP: Duration = Duration::from_secs(3600);
/// How many batches of wraps a round moves at most, so that moving them holds up nobody.
const BATCHES: usize = 8;

/// What one process remembers of its keys from round to round.
pub struct Keyring {
    node: Uuid,
    looked_until: Timestamp,
    /// Where the walk through old wraps goes on: those of an agency that has no newer keys yet hold up no others.
    place: Place,
}

impl Keyring {
    pub fn new(context: &Context) -> Self {
        Self { node: context.clock.new_random_id(), looked_until: Timestamp::MIN, place: Place::default() }
    }

    /// One round: takes up what has changed, tells what is held, moves some old wraps.
    ///
    /// # Errors
    /// The ledger or the key store could not be reached; the next round tries again.
    pub async fn round(&mut self, context: &Context) -> Result<(), Problem> {
        self.refresh(context).await?;
        for _ in 0..BATCHES {
            let batch = rewrap::batch(context, &mut self.place).await?;
            if batch.stuck > 0 {
                tracing::error!(count = batch.stuck, "data keys could not be moved: look at the key store");
            }
            if batch.is_last() {
                self.place = Place::default();
                break;
            }
        }
        Ok(())
    }

    /// Takes up what has changed, and tells what is held.
    ///
    /// # Errors
    /// As [`Keyring::round`].
    pub async fn refresh(&mut self, context: &Context) -> Result<(), Problem> {
        let now = context.clock.now();
        // What cannot be read leaves the keys as they are, and this process still has to say that it runs.
        let read = context.vault.refresh();
        if matches!(read, Ok(true)) {
            tracing::info!(receipts = %context.vault.receipt_kid(), "the signing keys have changed");
        }
        self.tell(context, now).await?;
        keep_shredded(context, self.looked_until).await?;
        self.drop_retired(context).await?;
        self.looked_until = now.checked_sub(OVERLAP).unwrap_or(Timestamp::MIN);
        read?;
        Ok(())
    }

    /// Drops this process's copies of keys that are retired. One that a wrap needs after all, because a node that was
    /// cut off used it meanwhile, is kept.
    async fn drop_retired(&self, context: &Context) -> Result<(), Problem> {
        let retired = context.ledger.retired_since(self.looked_until).await?;
        for row in retired.into_iter().filter(|row| context.vault.holds_kek(row.agency, &row.kek)) {
            if context.ledger.wraps_under(row.agency, &row.kek).await? > 0 {
                tracing::error!(agency = %row.agency, month = row.kek, "a retired key is needed again and is kept");
                continue;
            }
            context.vault.destroy_kek(row.agency, &row.kek)?;
            tracing::info!(agency = %row.agency, month = row.kek, "a retired key is dropped");
        }
        Ok(())
    }

    async fn tell(&self, context: &Context, now: Timestamp) -> Result<(), Problem> {
        let kids = context.vault.kids();
        let node = NodeRow {
            id: self.node.to_string(),
            wraps_under: context.vault.wraps_under(now)?,
            // Since it began; from the first change on the ledger counts.
            since: Timestamp::UNIX_EPOCH,
            kids: kids.held.join(" "),
            signs_with: kids.current.join(" "),
            seen_at: now,
        };
        let forget_before = now.checked_sub(NODE_KEPT).unwrap_or(Timestamp::MIN);
        let steps = vec![Step::SeeNode(SeeNode { node, forget_before })];
        context.ledger.write(Write { lane: Lane::Urgent, steps, ..Write::default() }).await?;
        Ok(())
    }
}

/// Puts what was destroyed since then on the key store's own list.
pub(super) async fn keep_shredded(context: &Context, since: Timestamp) -> Result<(), Problem> {
    let rows = context.ledger.shredded_since(since).await?;
    let ids: Vec<_> =
        rows.iter().map(|row| row.data_key).filter(|id| !context.vault.is_shredded(*id)).collect();
    if !ids.is_empty() {
        context.vault.shred(&ids)?;
    }
    Ok(())
}

/// Every process that runs now, as it last told.
///
/// # Errors
/// The ledger could not be reached.
pub async fn nodes(context: &Context) -> Result<Vec<NodeRow>, Problem> {
    let since = context.clock.now().checked_sub(NODE_LIVES).unwrap_or(Timestamp::MIN);
    Ok(context.ledger.nodes(since).await?)
}

/// Why a signing key is not used yet.
#[derive(Debug)]
pub enum NotActivated {
    /// The key store of this machine does not hold it.
    Unknown,
    /// These nodes have not said that they hold it.
    Unconfirmed(Vec<String>),
    Failed(Box<Problem>),
}

impl From<Problem> for NotActivated {
    fn from(problem: Problem) -> Self {
        Self::Failed(Box::new(problem))
    }
}

/// Uses a published signing key from now on, if every node that runs holds it: a receipt that a node cannot verify,
/// or a token it cannot believe, would be refused.
///
/// # Errors
/// [`NotActivated`]; nothing has changed.
pub async fn activate(context: &Context, kid: &str) -> Result<(), NotActivated> {
    let lacking: Vec<String> = nodes(context)
        .await?
        .into_iter()
        .filter(|node| !node.kids.split(' ').any(|held| held == kid))
        .map(|node| node.id)
        .collect();
    if !context.vault.kids().held.iter().any(|held| held == kid) {
        return Err(NotActivated::Unknown);
    }
    if !lacking.is_empty() {
        return Err(NotActivated::Unconfirmed(lacking));
    }
    context.vault.activate_key(kid).map_err(|error| match error {
        VaultError::NoSigningKey { .. } => NotActivated::Unknown,
        error => {
            tracing::error!(%error, "the vault refused");
            NotActivated::Failed(Box::new(Problem::new(ProblemKind::Internal)))
        }
    })
}
