//! Signing in to the pages: a login and a password become a session, a session becomes a [`Visitor`].
//!
//! Hashing a password is slow on purpose, so a sign-in has three parts: [`begin`] reads and counts the try,
//! [`Try::check`] compares, off the async threads, and [`finish`] opens the session. A try is counted as failed
//! before the password is looked at, so a hundred tries at once are a hundred tries.
//!
//! Whatever is wrong is answered alike and costs the same: nobody learns here which logins there are.

use serde_json::json;
use zeroize::Zeroizing;

use super::{ALLOWED, Caller, Context, TRIES, not_found};
use crate::{
    domain::{
        chain::Hash,
        fault::{Fault, Part, Pointer, Text},
        ids::{AgencyId, StaffId},
        problem::{Problem, ProblemKind},
        sign_in::{ABSOLUTE, Login, NOTED_EVERY, session_over, wait_after},
    },
    ledger::{
        Rows, Scope, Step, Write, WriteError,
        agency::StaffRow,
        audit::AuditAction,
        sign_in::{ChangeSignIn, CountTry, EndSessions, RemoveSignIn, SessionRow, SignInRow, UseSession},
    },
    vault::{
        MacPurpose, Vault,
        password::{BadPassword, Password},
        sha256,
    },
};

/// A login and a password for a member of staff, read and judged by form.
pub struct Credentials {
    login: Login,
    password: Password,
}

impl Credentials {
    /// # Errors
    /// Schema-violation, by place; nothing of what was given is repeated.
    pub fn parse(login: &str, password: &str) -> Result<Self, Problem> {
        let (login, password) = (login.parse::<Login>(), Password::chosen(password));
        match (login, password) {
            (Ok(login), Ok(password)) => Ok(Self { login, password }),
            (login, password) => {
                let login = login.err().map(|_| login_fault("login", LOGIN_RULE));
                let password = password.err().map(password_fault);
                Err(Problem::schema_violation([login, password].into_iter().flatten().collect()))
            }
        }
    }

    /// What the ledger is to keep of them. Slow: keep it off the async threads.
    ///
    /// # Errors
    /// The vault could not hash.
    pub fn seal(&self, vault: &Vault) -> Result<Sealed, Problem> {
        let login = vault.mac(MacPurpose::Login, self.login.as_str().as_bytes());
        Ok(Sealed { login, password: vault.hash_password(&self.password)? })
    }
}

/// Credentials as the ledger keeps them: nobody can sign in with these.
pub struct Sealed {
    login: Hash,
    password: String,
}

const LOGIN_RULE: Text = Text::new(
    "半角の英小文字・数字・. _ @ - で、3文字以上64文字以内にしてください。",
    "Use 3 to 64 letters a to z, digits, or the signs . _ @ -",
);

fn login_fault(code: &'static str, message: Text) -> Fault {
    Fault { pointer: Pointer::ROOT.member("login"), code, message }
}

fn password_fault(why: BadPassword) -> Fault {
    let message = match why {
        BadPassword::TooShort { least } => Text::new(
            "{}文字以上にしてください。文字の種類の決まりはありません。",
            "Use at least {} characters; there is no rule about their kinds.",
        )
        .put(Part::Number(least as u64)),
        BadPassword::TooLong { most } => {
            Text::new("{}文字以内にしてください。", "Use at most {} characters.")
                .put(Part::Number(most as u64))
        }
    };
    Fault { pointer: Pointer::ROOT.member("password"), code: "password", message }
}

/// Lets a member of the caller's staff sign in with these credentials from now on; ends the sessions there are.
///
/// # Errors
/// Not found for foreign staff and those who have left; already-there for a login somebody else has.
pub async fn set(
    context: &Context,
    caller: &Caller,
    staff: StaffId,
    sealed: &Sealed,
) -> Result<String, Problem> {
    let found = context.ledger.staff(caller.scope(), staff).await?;
    found.filter(|row| row.active == 1).ok_or_else(not_found)?;
    for _ in 0..TRIES {
        let (login, password, at) = (sealed.login, sealed.password.clone(), context.clock.now());
        let there = context.ledger.sign_in_of(staff).await?;
        if context.ledger.sign_in_by_login(&login).await?.is_some_and(|other| other.staff != staff) {
            return Err(login_taken());
        }
        let audit = caller.audit(context, None, AuditAction::Administer, staff, ALLOWED);
        let mut write = Write { rows: Rows { audits: vec![audit], ..Rows::default() }, ..Write::default() };
        let version = there.as_ref().map_or(1, |row| row.version + 1);
        match there {
            Some(row) => {
                let from_version = row.version;
                let change = ChangeSignIn { staff, from_version, login, password, at };
                write.steps = vec![Step::ChangeSignIn(change), Step::EndSessions(EndSessions::Of(staff))];
            }
            None => write.rows.sign_ins.push(SignInRow {
                staff,
                agency: caller.id(),
                login,
                password,
                failures: 0,
                locked_until: None,
                version,
                changed_at: at,
            }),
        }
        match context.ledger.write(write).await {
            Ok(_) => return Ok(json!({ "staff": staff, "version": version }).to_string()),
            // Somebody else set one at the same time: look again.
            Err(WriteError::Stale | WriteError::Duplicate(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Problem::new(ProblemKind::Busy))
}

fn login_taken() -> Problem {
    let message = Text::new(
        "このログインIDは使えません。別のIDにしてください。",
        "This login cannot be used; choose another.",
    );
    Problem::new(ProblemKind::AlreadyThere).faults([login_fault("login", message)])
}

/// Takes a sign-in away and ends its sessions. That there is none is fine.
///
/// # Errors
/// Not found for foreign staff.
pub async fn remove(context: &Context, caller: &Caller, staff: StaffId) -> Result<(), Problem> {
    context.ledger.staff(caller.scope(), staff).await?.ok_or_else(not_found)?;
    for _ in 0..TRIES {
        let Some(row) = context.ledger.sign_in_of(staff).await? else { return Ok(()) };
        let remove = RemoveSignIn { staff, from_version: row.version };
        let audit = caller.audit(context, None, AuditAction::Administer, staff, ALLOWED);
        let write = Write {
            steps: vec![Step::RemoveSignIn(remove), Step::EndSessions(EndSessions::Of(staff))],
            rows: Rows { audits: vec![audit], ..Rows::default() },
            ..Write::default()
        };
        match context.ledger.write(write).await {
            Ok(_) => return Ok(()),
            Err(WriteError::Stale) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Problem::new(ProblemKind::Busy))
}

/// A try to sign in that was counted. Whose it is, and whether there is such a person, does not show.
pub struct Try {
    found: Option<SignInRow>,
    login: Hash,
}

/// Begins a sign-in: finds the login and counts this try as failed, until it has succeeded.
///
/// # Errors
/// The ledger did not answer, or many try this login at once.
pub async fn begin(context: &Context, login: &str) -> Result<Try, Problem> {
    // A text that can be nobody's login is looked up all the same.
    let login = login.parse::<Login>();
    let text = login.as_ref().map_or("", Login::as_str);
    let login = context.vault.mac(MacPurpose::Login, text.as_bytes());
    for _ in 0..TRIES {
        let now = context.clock.now();
        // Who has to wait is not counted, or strangers could keep the wait from ever ending.
        let waits = |row: &SignInRow| row.locked_until.is_some_and(|until| now < until);
        let Some(row) = context.ledger.sign_in_by_login(&login).await?.filter(|row| !waits(row)) else {
            cost_a_commit(context).await?;
            return Ok(Try { found: None, login });
        };
        let failures = row.failures + 1;
        let locked_until = wait_after(failures).map(|wait| now + wait);
        let count = CountTry { staff: row.staff, from_version: row.version, failures, locked_until };
        let write = Write { steps: vec![Step::CountTry(count)], ..Write::default() };
        match context.ledger.write(write).await {
            Ok(_) => {
                let version = row.version + 1;
                return Ok(Try { found: Some(SignInRow { version, failures, locked_until, ..row }), login });
            }
            Err(WriteError::Stale) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Problem::new(ProblemKind::Busy))
}

impl Try {
    /// Whether the password is right. Slow: keep it off the async threads.
    pub fn check(&self, vault: &Vault, password: &str) -> bool {
        let stored = self.found.as_ref().map(|row| row.password.as_str());
        vault.password_matches(&Password::typed(password), stored)
    }
}

/// Ends a sign-in: the cookie of the new session, or nothing, for whatever reason.
///
/// # Errors
/// The ledger did not take it.
pub async fn finish(
    context: &Context,
    tried: Try,
    right: bool,
) -> Result<Option<Zeroizing<String>>, Problem> {
    let Some(row) = tried.found else {
        tracing::warn!("a sign-in was refused: nobody has this login, or it has to wait");
        cost_a_commit(context).await?;
        return Ok(None);
    };
    let (staff, password) = (row.staff, row.password.clone());
    if !right {
        note_failure(context, &row, "wrong-password").await;
        return Ok(None);
    }
    let Some((caller, person)) = people(context, row.agency, staff).await? else {
        note_failure(context, &row, "inactive").await;
        return Ok(None);
    };
    let mut now_row = Some(row);
    for _ in 0..TRIES {
        let Some(row) = now_row.filter(|row| row.password == password) else { return Ok(None) };
        let (cookie, token) = context.vault.new_session()?;
        let now = context.clock.now();
        let forgive = CountTry { staff, from_version: row.version, failures: 0, locked_until: None };
        let session = SessionRow {
            token,
            staff,
            agency: person.agency,
            created_at: now,
            used_at: now,
            expires_at: now + ABSOLUTE,
        };
        let audit = caller.audit(context, Some(staff), AuditAction::Authenticate, staff, ALLOWED);
        let write = Write {
            steps: vec![Step::CountTry(forgive), Step::EndSessions(EndSessions::Expired(now))],
            rows: Rows { sessions: vec![session], audits: vec![audit], ..Rows::default() },
            ..Write::default()
        };
        match context.ledger.write(write).await {
            Ok(_) => return Ok(Some(cookie)),
            // Another try was counted meanwhile. This one was right all the same, if its password still is.
            Err(WriteError::Stale) => now_row = context.ledger.sign_in_by_login(&tried.login).await?,
            Err(error) => return Err(error.into()),
        }
    }
    Err(Problem::new(ProblemKind::Busy))
}

/// The agency and the person, if both may act now.
async fn people(
    context: &Context,
    agency: AgencyId,
    staff: StaffId,
) -> Result<Option<(Caller, StaffRow)>, Problem> {
    let person = context.ledger.staff(Scope::of(agency), staff).await?.filter(|row| row.active == 1);
    let agency = context.ledger.agency(agency).await?.filter(|row| row.active == 1);
    Ok(agency
        .zip(person)
        .map(|(agency, person)| (Caller { person: Some(person.id), ..Caller::of(agency) }, person)))
}

/// What a try costs that is counted nowhere: as much as one that is, so that time tells nothing either.
async fn cost_a_commit(context: &Context) -> Result<(), Problem> {
    let step = Step::EndSessions(EndSessions::Expired(context.clock.now()));
    context.ledger.write(Write { steps: vec![step], ..Write::default() }).await?;
    Ok(())
}

/// Notes a failure for the agency whose login it was. There are no more of these than tries that were counted.
async fn note_failure(context: &Context, row: &SignInRow, decision: &str) {
    let entry = crate::ledger::audit::AuditRow {
        id: context.clock.new_id(),
        agency: row.agency,
        staff: Some(row.staff),
        action: AuditAction::Authenticate,
        subject: row.staff.to_string(),
        decision: decision.to_owned(),
        at: context.clock.now(),
        purpose: None,
    };
    let write = Write { rows: Rows { audits: vec![entry], ..Rows::default() }, ..Write::default() };
    if let Err(error) = context.ledger.write(write).await {
        tracing::warn!(%error, "a refused sign-in could not be noted");
    }
}

/// A person who has signed in, with agency and role as they are at this moment.
pub struct Visitor {
    pub caller: Caller,
    pub staff: StaffRow,
    token: Hash,
    /// What every form of this session brings back.
    pub form: String,
}

/// The person behind a session's cookie, if the session lives and the person and the agency are active.
///
/// # Errors
/// The ledger did not answer.
pub async fn visitor(context: &Context, cookie: &str) -> Result<Option<Visitor>, Problem> {
    let token = sha256(cookie.as_bytes());
    let Some(session) = context.ledger.session(&token).await? else { return Ok(None) };
    let now = context.clock.now();
    if session_over(session.used_at, session.expires_at, now) {
        return Ok(None);
    }
    let Some((caller, staff)) = people(context, session.agency, session.staff).await? else {
        return Ok(None);
    };
    if now.duration_since(session.used_at) >= NOTED_EVERY {
        let step = Step::UseSession(UseSession { token, at: now });
        match context.ledger.write(Write { steps: vec![step], ..Write::default() }).await {
            Ok(_) => {}
            Err(WriteError::Stale) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
    let form = context.vault.mac(MacPurpose::Form, cookie.as_bytes()).to_string();
    Ok(Some(Visitor { caller, staff, token, form }))
}

impl Visitor {
    /// Whether a form was made for this session. Compared in constant time, as the MAC of what it is a MAC of.
    pub fn made(&self, form: &str) -> bool {
        sha256(form.as_bytes()) == sha256(self.form.as_bytes())
    }

    /// Ends the session.
    ///
    /// # Errors
    /// The ledger did not take it: the session lives on.
    pub async fn sign_out(&self, context: &Context) -> Result<(), Problem> {
        let step = Step::EndSessions(EndSessions::One(self.token));
        context.ledger.write(Write { steps: vec![step], ..Write::default() }).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
