//! Moves data keys from the key-encryption keys of earlier months to this month's, and retires the keys that none
//! needs any more. Works beside a running hub, can be interrupted at any point, and goes on where it stopped.

use std::time::Duration;

use jiff::Timestamp;

use super::{Context, keyring};
use crate::{
    domain::{ids::AgencyId, problem::Problem},
    ledger::{
        Rows, Step, Write, WriteError,
        content::DataKeyRow,
        keyring::{NewWrap, NodeRow, Place, RetiredKekRow, Rewrap},
    },
    vault::{VaultError, kek_month},
};

/// How many wraps move in one write: few enough that others of its batch hardly notice.
pub const BATCH: i64 = 64;
/// For so long after its end a month's keys are kept in any case: a write that was prepared in the month may still be
/// under way, and clocks differ.
const MONTH_SETTLES: Duration = Duration::from_secs(24 * 3600);
/// For so long after a node told that it has newer keys it may still hold writes under older ones.
const NODE_SETTLES: Duration = Duration::from_secs(10 * 60);

/// What became of one batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    pub seen: usize,
    pub moved: u64,
    /// Wraps that do not open: their key is not in this key store, or they are damaged.
    pub stuck: usize,
}

impl Batch {
    /// Whether nothing is left behind it.
    pub const fn is_last(&self) -> bool {
        (self.seen as i64) < BATCH
    }
}

/// Moves the next wraps. `place` goes behind what was looked at, so that what is stuck stands in nobody's way.
///
/// # Errors
/// The ledger or the key store could not be reached; what was moved by then is moved.
pub async fn batch(context: &Context, place: &mut Place) -> Result<Batch, Problem> {
    let now = context.clock.now();
    let rows = context.ledger.old_wraps(&kek_month(now), place, BATCH).await?;
    let mut batch = Batch { seen: rows.len(), ..Batch::default() };
    if let Some(last) = rows.last() {
        *place = Place::behind(last);
    }
    let mut moves = Vec::with_capacity(rows.len());
    for row in rows {
        match new_wrap(context, row, now) {
            Ok(one) => moves.extend(one),
            Err(error) => {
                batch.stuck += 1;
                tracing::warn!(%error, "a data key could not be moved to this month's key");
            }
        }
    }
    if !moves.is_empty() {
        let steps = vec![Step::Rewrap(Rewrap(moves))];
        batch.moved = context.ledger.write(Write { steps, ..Write::default() }).await?.rewrapped;
    }
    Ok(batch)
}

/// `None` where there is nothing to do: it is under the newest key this process has, or it was destroyed meanwhile.
fn new_wrap(context: &Context, from: DataKeyRow, now: Timestamp) -> Result<Option<NewWrap>, VaultError> {
    match context.vault.rewrap(from.id, from.agency, &from.kek, &from.wrapped, now) {
        Ok(wrapped) => {
            Ok(wrapped.map(|wrapped| NewWrap { from, kek: wrapped.kek_id, wrapped: wrapped.bytes }))
        }
        Err(VaultError::Shredded { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What became of one agency's key of an earlier month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    Retired,
    /// Wraps need it: they have to be moved first.
    Needed(i64),
    /// A node that runs has no newer keys, or got them a moment ago.
    InUse {
        node: String,
    },
    /// The month ended less than a day ago.
    Settling,
}

/// Retires the keys of earlier months, of all agencies or of one: those no wrap needs are destroyed here, and every
/// node drops its copy. Tells of each.
///
/// # Errors
/// The ledger or the key store could not be reached; what was retired by then is retired.
pub async fn retire(
    context: &Context,
    only: Option<AgencyId>,
    mut tell: impl FnMut(AgencyId, &str, &Fate),
) -> Result<(), Problem> {
    let now = context.clock.now();
    let (present, settled) = (kek_month(now), kek_month(before(now, MONTH_SETTLES)));
    let nodes = keyring::nodes(context).await?;
    for (agency, months) in context.vault.all_keks()? {
        if only.is_some_and(|only| only != agency) {
            continue;
        }
        for month in months.into_iter().filter(|month| *month < present) {
            let user = nodes.iter().find(|node| uses(node, &month, now));
            let needed = context.ledger.wraps_under(agency, &month).await?;
            let fate = match user {
                _ if month >= settled => Fate::Settling,
                Some(node) => Fate::InUse { node: node.id.clone() },
                None if needed > 0 => Fate::Needed(needed),
                None => {
                    destroy(context, agency, &month, now).await?;
                    Fate::Retired
                }
            };
            tell(agency, &month, &fate);
        }
    }
    Ok(())
}

/// Whether a node may still write a wrap under the keys of this month: it has no newer ones, or got them so lately that
/// a write it prepared before may be under way.
fn uses(node: &NodeRow, month: &str, now: Timestamp) -> bool {
    node.wraps_under.as_str() <= month || node.since > before(now, NODE_SETTLES)
}

/// Told to the nodes first: a key that is gone here and unknown to be gone elsewhere would live on there.
async fn destroy(context: &Context, agency: AgencyId, month: &str, at: Timestamp) -> Result<(), Problem> {
    let row = RetiredKekRow { agency, kek: month.to_owned(), at };
    let rows = Rows { retired_keks: vec![row], ..Rows::default() };
    match context.ledger.write(Write { rows, ..Write::default() }).await {
        // Retired before: its file came back with an old copy of the key store.
        Ok(_) | Err(WriteError::Duplicate(_)) => {}
        Err(error) => return Err(error.into()),
    }
    context.vault.destroy_kek(agency, month)?;
    Ok(())
}

fn before(now: Timestamp, by: Duration) -> Timestamp {
    now.checked_sub(by).unwrap_or(Timestamp::MIN)
}
