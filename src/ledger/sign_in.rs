//! How people sign in to the pages, and their sessions.
//!
//! A login is a keyed MAC, a password an argon2id hash, a session the SHA-256 of its cookie: whoever reads these
//! tables can sign in as nobody.

use std::fmt;

use jiff::Timestamp;
use sqlx::AnyConnection;

use super::{Ledger, LedgerError, text::statements, values::table};
use crate::domain::{
    chain::Hash,
    ids::{AgencyId, StaffId},
};

table! {
    /// How one member of staff signs in.
    SignInRow = "sign_in" {
        staff: StaffId,
        agency: AgencyId,
        login: Hash,
        password: String,
        failures: i64,
        locked_until: Option<Timestamp>,
        version: i64,
        changed_at: Timestamp,
    }
}

impl fmt::Debug for SignInRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignInRow").field("staff", &self.staff).finish_non_exhaustive()
    }
}

table! {
    /// A session, by the SHA-256 of its cookie.
    SessionRow = "session" {
        token: Hash,
        staff: StaffId,
        agency: AgencyId,
        created_at: Timestamp,
        used_at: Timestamp,
        expires_at: Timestamp,
    }
}

/// Another login and password, if the sign-in is as it was read. What failed before is forgotten.
pub struct ChangeSignIn {
    pub staff: StaffId,
    pub from_version: i64,
    pub login: Hash,
    pub password: String,
    pub at: Timestamp,
}

/// Takes a sign-in away, if it is as it was read.
pub struct RemoveSignIn {
    pub staff: StaffId,
    pub from_version: i64,
}

/// Sets how many tries have failed, and until when nobody can sign in, if no other try was faster.
pub struct CountTry {
    pub staff: StaffId,
    pub from_version: i64,
    pub failures: i64,
    pub locked_until: Option<Timestamp>,
}

/// Notes that a session is used. One that was ended meanwhile refuses the write.
pub struct UseSession {
    pub token: Hash,
    pub at: Timestamp,
}

/// Sessions to end.
pub enum EndSessions {
    One(Hash),
    Of(StaffId),
    /// Those that have expired before.
    Expired(Timestamp),
}

statements! {
    BY_LOGIN = ["SELECT ", SignInRow::COLUMNS, " FROM sign_in WHERE login = $1"];
    OF_STAFF = ["SELECT ", SignInRow::COLUMNS, " FROM sign_in WHERE staff = $1"];
    SESSION = ["SELECT ", SessionRow::COLUMNS, " FROM session WHERE token = $1"];
    CHANGE = ["UPDATE sign_in SET login = $3, password = $4, failures = 0, locked_until = NULL, ",
        "version = version + 1, changed_at = $5 WHERE staff = $1 AND version = $2"];
    REMOVE = ["DELETE FROM sign_in WHERE staff = $1 AND version = $2"];
    COUNT_TRY = ["UPDATE sign_in SET failures = $3, locked_until = $4, version = version + 1 ",
        "WHERE staff = $1 AND version = $2"];
    USE = ["UPDATE session SET used_at = $2 WHERE token = $1"];
    END_ONE = ["DELETE FROM session WHERE token = $1"];
    END_OF_STAFF = ["DELETE FROM session WHERE staff = $1"];
    END_EXPIRED = ["DELETE FROM session WHERE expires_at < $1"];
}

impl Ledger {
    /// For the door: whoever signs in under this login.
    pub async fn sign_in_by_login(&self, login: &Hash) -> Result<Option<SignInRow>, LedgerError> {
        self.one(sqlx::query(BY_LOGIN).bind(login.bytes().to_vec())).await
    }

    /// The sign-in of a member of staff whom the caller has read under its scope.
    pub async fn sign_in_of(&self, staff: StaffId) -> Result<Option<SignInRow>, LedgerError> {
        self.one(sqlx::query(OF_STAFF).bind(staff.to_string())).await
    }

    /// For the door: the session of a cookie.
    pub async fn session(&self, token: &Hash) -> Result<Option<SessionRow>, LedgerError> {
        self.one(sqlx::query(SESSION).bind(token.bytes().to_vec())).await
    }
}

impl ChangeSignIn {
    pub(super) async fn apply(&self, on: &mut AnyConnection) -> Result<u64, sqlx::Error> {
        Ok(sqlx::query(CHANGE)
            .bind(self.staff.to_string())
            .bind(self.from_version)
            .bind(self.login.bytes().to_vec())
            .bind(self.password.clone())
            .bind(self.at.as_microsecond())
            .execute(on)
            .await?
            .rows_affected())
    }
}

impl RemoveSignIn {
    pub(super) async fn apply(&self, on: &mut AnyConnection) -> Result<u64, sqlx::Error> {
        let statement = sqlx::query(REMOVE).bind(self.staff.to_string()).bind(self.from_version);
        Ok(statement.execute(on).await?.rows_affected())
    }
}

impl CountTry {
    pub(super) async fn apply(&self, on: &mut AnyConnection) -> Result<u64, sqlx::Error> {
        Ok(sqlx::query(COUNT_TRY)
            .bind(self.staff.to_string())
            .bind(self.from_version)
            .bind(self.failures)
            .bind(self.locked_until.map(Timestamp::as_microsecond))
            .execute(on)
            .await?
            .rows_affected())
    }
}

impl UseSession {
    pub(super) async fn apply(&self, on: &mut AnyConnection) -> Result<u64, sqlx::Error> {
        let statement = sqlx::query(USE).bind(self.token.bytes().to_vec()).bind(self.at.as_microsecond());
        Ok(statement.execute(on).await?.rows_affected())
    }
}

impl EndSessions {
    /// That there is none to end is as good as having ended it.
    pub(super) async fn apply(&self, on: &mut AnyConnection) -> Result<(), sqlx::Error> {
        let statement = match self {
            Self::One(token) => sqlx::query(END_ONE).bind(token.bytes().to_vec()),
            Self::Of(staff) => sqlx::query(END_OF_STAFF).bind(staff.to_string()),
            Self::Expired(before) => sqlx::query(END_EXPIRED).bind(before.as_microsecond()),
        };
        statement.execute(on).await?;
        Ok(())
    }
}
