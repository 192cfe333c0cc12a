//! The last metre outside the hub, one file per channel. Knows what was sent and whether it may be
//! tried again; knows nothing of jobs, schedules or the ledger.

pub mod email;
mod notice;

pub use notice::{BadNotice, Notice, NoticeKind};

pub use crate::domain::language::Language;

/// Why something was not delivered, and whether waiting may help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// It may pass: try again by the schedule of [`crate::domain::patience`].
    #[error("{0}; it will be tried again")]
    Later(Reason),
    /// It will not pass by itself: somebody has to be told.
    #[error("{0}; it will not be tried again")]
    Never(Reason),
}

/// What went wrong. Never holds an address, nor the far side's words: servers like to repeat the
/// address they refuse.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    #[error("the recipient's mail address can't be used")]
    Address,
    #[error("the notice can't be written as a mail: {0}")]
    Notice(#[from] BadNotice),
    #[error("the mail server can't be reached, or its certificate is not trusted")]
    Unreachable,
    #[error("the mail server does not let the hub sign in (reply code {0})")]
    SignIn(u16),
    #[error("the mail server refused the mail with reply code {0}")]
    Refused(u16),
    #[error("the mail server can't take a mail like this one")]
    Unable,
    #[error("the mail was not sent within {0} s")]
    TooSlow(u64),
    #[error("the connection broke before the mail server answered")]
    Broken,
    #[error("the mail folder can't be written: {0}")]
    Folder(std::io::ErrorKind),
}
