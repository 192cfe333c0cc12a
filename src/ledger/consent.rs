//! Consent records. Ids, states, periods and codes stand in clear; names and evidence are sealed.

use jiff::Timestamp;
use sqlx::AnyConnection;

use super::{
    Ledger, LedgerError, Scope,
    content::DataKeyRow,
    text::statements,
    values::{Column as _, LAST, Row as _, table, text_columns},
};
use crate::domain::{
    basis_state::ConsentState,
    consent::ConsentMethod,
    ids::{AgencyId, ConsentId, DataKeyId, StaffId},
    referral::ReferralType,
};

text_columns!(ConsentMethod, ConsentState);

table! {
    /// A consent in its newest version.
    ConsentRow = "consent" {
        id: ConsentId,
        owner: AgencyId,
        version: i64,
        state: ConsentState,
        purpose: ReferralType,
        first_at: Timestamp,
        last_at: Timestamp,
        data_key: DataKeyId,
        body: Vec<u8>,
        uses: i64,
        changed_at: Timestamp,
    }
}

table! {
    /// One version of a consent: who moved it to which state, when, and how the family said so.
    ConsentEventRow = "consent_event" {
        consent: ConsentId,
        version: i64,
        state: ConsentState,
        method: ConsentMethod,
        staff: StaffId,
        at: Timestamp,
        jws: Option<String>,
    }
}

/// Holds a consent still until the commit, if it has the version that was decided on.
pub struct HoldConsent {
    pub id: ConsentId,
    pub version: i64,
}

/// Counts one more submission that rests on a consent, if it has the version that was decided on.
pub struct UseConsent {
    pub id: ConsentId,
    pub version: i64,
}

/// Moves a consent on, if it has the version that was read and nothing was sent under it meanwhile.
pub struct MoveConsent {
    pub id: ConsentId,
    pub from_version: i64,
    pub from_uses: i64,
    pub state: ConsentState,
    pub at: Timestamp,
}

/// Eight consents, each in the version that was read.
const EIGHT: &str = "(id = $1 AND version = $2) OR (id = $3 AND version = $4) OR (id = $5 AND version = $6) OR \
    (id = $7 AND version = $8) OR (id = $9 AND version = $10) OR (id = $11 AND version = $12) OR \
    (id = $13 AND version = $14) OR (id = $15 AND version = $16)";

statements! {
    OWNED = ["SELECT ", ConsentRow::COLUMNS, " FROM consent WHERE id = $1 AND owner = $2"];
    OWNED_WITH_KEY = ["SELECT c.*, data_key.kek, data_key.wrapped FROM (SELECT ", ConsentRow::COLUMNS,
        " FROM consent WHERE id = $1 AND owner = $2) c ",
        "JOIN data_key ON data_key.id = c.data_key AND data_key.agency = c.owner"];
    LIST = ["SELECT ", ConsentRow::COLUMNS, " FROM consent WHERE owner = $1 AND id < $2 ORDER BY id DESC LIMIT $3"];
    PROPAGATING = ["SELECT ", ConsentRow::COLUMNS, " FROM consent WHERE state = 'propagating' AND id > $1 ORDER BY id LIMIT $2"];
    EVENTS = ["SELECT ", ConsentEventRow::COLUMNS, " FROM consent_event WHERE consent = $1 ORDER BY version"];
    HOLD = ["UPDATE consent SET version = version WHERE id = $1 AND version = $2"];
    HOLD_EIGHT = ["UPDATE consent SET version = version WHERE ", EIGHT];
    USE = ["UPDATE consent SET uses = uses + 1 WHERE id = $1 AND version = $2"];
    USE_EIGHT = ["UPDATE consent SET uses = uses + 1 WHERE ", EIGHT];
    MOVE = ["UPDATE consent SET version = version + 1, state = $4, changed_at = $5 ",
        "WHERE id = $1 AND version = $2 AND uses = $3"];
}

impl Ledger {
    /// A consent the caller's agency keeps. The hub reads on behalf of a leg's sender when a recipient opens.
    pub async fn consent(&self, scope: Scope, id: ConsentId) -> Result<Option<ConsentRow>, LedgerError> {
        self.one(sqlx::query(OWNED).bind(id.to_string()).bind(scope.agency().to_string())).await
    }

    /// The same, and the wrap of the key that opens it, in one look; `None` too if there is no such wrap.
    pub async fn consent_with_key(
        &self,
        scope: Scope,
        id: ConsentId,
    ) -> Result<Option<(ConsentRow, DataKeyRow)>, LedgerError> {
        let statement = sqlx::query(OWNED_WITH_KEY).bind(id.to_string()).bind(scope.agency().to_string());
        let Some(row) = statement.fetch_optional(&self.reads).await? else { return Ok(None) };
        let consent = ConsentRow::read(&row)?;
        let key = DataKeyRow {
            id: consent.data_key,
            agency: consent.owner,
            kek: String::read(&row, ConsentRow::WIDTH)?,
            wrapped: Vec::read(&row, ConsentRow::WIDTH + 1)?,
        };
        Ok(Some((consent, key)))
    }

    /// The caller's own consents, newest first, by keyset.
    pub async fn consents(
        &self,
        scope: Scope,
        before: Option<ConsentId>,
        limit: i64,
    ) -> Result<Vec<ConsentRow>, LedgerError> {
        let before = before.map_or_else(|| LAST.to_owned(), |id| id.to_string());
        self.many(sqlx::query(LIST).bind(scope.agency().to_string()).bind(before).bind(limit)).await
    }

    /// For the hub itself: consents whose withdrawal is on its way to the holders, by keyset.
    pub async fn propagating(
        &self,
        after: Option<ConsentId>,
        limit: i64,
    ) -> Result<Vec<ConsentRow>, LedgerError> {
        let after = after.map_or_else(String::new, |id| id.to_string());
        self.many(sqlx::query(PROPAGATING).bind(after).bind(limit)).await
    }

    /// The history of a consent that the caller has read under its scope.
    pub async fn consent_events(&self, of: &ConsentRow) -> Result<Vec<ConsentEventRow>, LedgerError> {
        self.many(sqlx::query(EVENTS).bind(of.id.to_string())).await
    }
}

impl HoldConsent {
    /// Holds all of them; false if one has moved on.
    pub(super) async fn apply_all(
        on: &mut AnyConnection,
        holds: impl Iterator<Item = &Self>,
    ) -> Result<bool, sqlx::Error> {
        guard_all(on, [HOLD, HOLD_EIGHT], holds.map(|hold| (hold.id, hold.version)).collect()).await
    }
}

impl UseConsent {
    /// Counts all of them; false if a consent has moved on.
    pub(super) async fn apply_all(
        on: &mut AnyConnection,
        uses: impl Iterator<Item = &Self>,
    ) -> Result<bool, sqlx::Error> {
        guard_all(on, [USE, USE_EIGHT], uses.map(|one| (one.id, one.version)).collect()).await
    }
}

/// Updates consents that must be in the version that was read, one or eight at a time. They are taken in the order
/// of their ids, so that two committers rarely wait for each other crosswise; one that is named again comes again,
/// in a later round.
async fn guard_all(
    on: &mut AnyConnection,
    [one, eight]: [&'static str; 2],
    mut left: Vec<(ConsentId, i64)>,
) -> Result<bool, sqlx::Error> {
    left.sort_unstable();
    while !left.is_empty() {
        let (mut round, mut again) = (Vec::with_capacity(left.len()), Vec::new());
        for pair in left {
            if round.last() == Some(&pair) { again.push(pair) } else { round.push(pair) }
        }
        for some in round.chunks(8) {
            let (text, places) = if some.len() == 1 { (one, 1) } else { (eight, 8) };
            let filled = some.iter().chain(std::iter::repeat(&some[0])).take(places);
            let statement =
                filled.fold(sqlx::query(text), |s, (id, version)| s.bind(id.to_string()).bind(*version));
            if statement.execute(&mut *on).await?.rows_affected() != some.len() as u64 {
                return Ok(false);
            }
        }
        left = again;
    }
    Ok(true)
}

impl MoveConsent {
    pub(super) async fn apply(&self, on: &mut AnyConnection) -> Result<u64, sqlx::Error> {
        Ok(sqlx::query(MOVE)
            .bind(self.id.to_string())
            .bind(self.from_version)
            .bind(self.from_uses)
            .bind(self.state.code())
            .bind(self.at.as_microsecond())
            .execute(on)
            .await?
            .rows_affected())
    }
}
