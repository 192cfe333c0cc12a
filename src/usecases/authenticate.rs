//! Proves who is asking: client secret → access token, access token → [`Caller`].
//!
//! A token says only which agency it is. Whether that agency is active is read from the ledger at every
//! request, so a right that is taken away is gone at once.

use serde_json::json;

use super::{Caller, Context};
use crate::{
    domain::{
        ids::{AgencyId, AuditId},
        problem::{Problem, ProblemKind},
    },
    ledger::{
        Lane, Rows, Write,
        audit::{AuditAction, AuditRow},
    },
};

/// Exchanges a client secret for an access token (RFC 6749 §4.4).
///
/// # Errors
/// The same answer whether the agency is unknown, inactive, or the secret is wrong.
pub async fn token(context: &Context, client: &str, secret: &str) -> Result<String, Problem> {
    let refused = || Problem::new(ProblemKind::Unauthorised);
    let Ok(id) = client.parse::<AgencyId>() else { return Err(refused()) };
    let agency = context.ledger.agency(id).await?;
    // An unknown agency costs the same comparison as a known one.
    let stored = agency.as_ref().map_or_else(|| crate::vault::sha256(b""), |row| row.secret_mac);
    let right = context.vault.client_secret_matches(secret, &stored);
    match agency {
        Some(row) if right && row.active == 1 => {
            let now = context.clock.now();
            let seconds = context.settings.token_seconds;
            let token = context.vault.issue_token(id, context.clock.new_id(), now, i64::from(seconds));
            Ok(json!({ "access_token": token, "token_type": "Bearer", "expires_in": seconds }).to_string())
        }
        Some(row) => {
            note_refusal(context, row.id, "wrong-secret").await;
            Err(refused())
        }
        None => Err(refused()),
    }
}

/// The caller behind an access token.
///
/// # Errors
/// Unauthorised, whatever the reason; the reason stands in the log. It is not audited: anybody may send anything as
/// a token, and what anybody can do must not fill the ledger.
pub async fn caller(context: &Context, token: &str) -> Result<Caller, Problem> {
    let refused = || Problem::new(ProblemKind::Unauthorised);
    let id = match context.vault.verify_token(token, context.clock.now()) {
        Ok(caller) => caller.agency,
        Err(reason) => {
            tracing::warn!(reason = %reason, "a token was refused");
            return Err(refused());
        }
    };
    match context.ledger.agency(id).await? {
        Some(agency) if agency.active == 1 => Ok(Caller::of(agency)),
        _ => Err(refused()),
    }
}

/// A refused sign-in is noted for the agency it claimed to be. That the note fails must not tell anything.
async fn note_refusal(context: &Context, agency: AgencyId, decision: &str) {
    let entry = AuditRow {
        id: context.clock.new_id::<AuditId>(),
        agency,
        staff: None,
        action: AuditAction::Authenticate,
        subject: agency.to_string(),
        decision: decision.to_owned(),
        at: context.clock.now(),
        purpose: None,
    };
    let write = Write {
        lane: Lane::Ordinary,
        rows: Rows { audits: vec![entry], ..Rows::default() },
        ..Write::default()
    };
    if let Err(error) = context.ledger.write(write).await {
        tracing::warn!(%error, "a refused sign-in could not be noted");
    }
}
