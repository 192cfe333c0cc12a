//! Looks at everything a hub needs, for the operator, and changes nothing. A hub may be running meanwhile.
//!
//! What cannot be seen from here: the rights of the agencies' own users at the broker, and whether a mail that a
//! server took arrives.

use std::path::PathBuf;

use jiff::{SignedDuration, Span, Timestamp};

use super::{Ledger, StartError, amqp, broker, ledger_settings, mail, opening, subscribers};
use crate::{
    clock::Clock,
    config::{Config, MailTransport},
    delivery,
    domain::ids::AgencyId,
    ledger::{LedgerError, Mode, standing::Standing},
    transport::amqp::{Examined, Unreached},
    vault::{KeyMaking, Vault, VaultError},
};

/// How much a finding matters. A hub is healthy if nothing is bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    Good,
    /// It works, and somebody should look at it before it does not.
    Notice,
    Bad,
}

/// One thing that was looked at, and how it was found.
#[derive(Debug)]
pub enum Finding {
    /// Nothing more can be looked at: a hub with this configuration does not start.
    DoesNotStart(StartError),
    /// No hub has ever started with this data folder.
    NeverStarted {
        data: PathBuf,
    },
    DataFolder {
        data: PathBuf,
        running: bool,
    },
    /// Bytes free to the hub, and bytes in all, where the data folder lies.
    Disk {
        free: u64,
        whole: u64,
    },
    DiskUnknown(std::io::Error),
    Keys {
        hub: String,
        fingerprint: String,
    },
    /// The monthly key this agency's next referrals will be wrapped under, and whether the one after it is there.
    MonthlyKeys(MonthlyKeys),
    Ledger(Mode),
    LedgerUnreadable(LedgerError),
    Schema {
        to_apply: usize,
        unknown: usize,
    },
    Clock {
        ahead: SignedDuration,
    },
    Work {
        dead: i64,
        late: SignedDuration,
    },
    Broker(Examined),
    BrokerUnreached(Unreached),
    Mail(MailTransport),
    MailRefused(delivery::Reason),
}

/// How the agencies of a cluster are provided with monthly keys; an embedded hub makes its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MonthlyKeys {
    /// Agencies for which nothing can be sealed.
    pub none: Vec<AgencyId>,
    /// Agencies whose newest key is older than this month, or that have none for the next.
    pub ending: Vec<AgencyId>,
}

/// Less than this is free: the database may stop in the middle of a write.
const DISK_BAD: u64 = 1 << 30;
/// Work that is due should be taken up within seconds.
const LATE: SignedDuration = SignedDuration::from_mins(5);
/// Clocks that agree differ by less.
const APART: SignedDuration = SignedDuration::from_secs(2);
/// Nodes whose clocks differ by more refuse each other's tokens.
const FAR_APART: SignedDuration = SignedDuration::from_secs(5);

impl Finding {
    pub fn grade(&self) -> Grade {
        let bad_if = |bad: bool| if bad { Grade::Bad } else { Grade::Good };
        let notice_if = |notice: bool| if notice { Grade::Notice } else { Grade::Good };
        match self {
            Self::DoesNotStart(_)
            | Self::NeverStarted { .. }
            | Self::LedgerUnreadable(_)
            | Self::BrokerUnreached(_)
            | Self::MailRefused(_) => Grade::Bad,
            Self::DataFolder { .. } | Self::Keys { .. } | Self::Ledger(_) => Grade::Good,
            Self::Disk { free, whole } => bad_if(*free < DISK_BAD).max(notice_if(*free < *whole / 10)),
            Self::DiskUnknown(_) => Grade::Notice,
            Self::MonthlyKeys(keys) => bad_if(!keys.none.is_empty()).max(notice_if(!keys.ending.is_empty())),
            Self::Schema { to_apply, unknown } => notice_if(*to_apply + *unknown > 0),
            Self::Clock { ahead } => bad_if(ahead.abs() > FAR_APART).max(notice_if(ahead.abs() > APART)),
            Self::Work { dead, late } => bad_if(*late > LATE).max(notice_if(*dead > 0)),
            Self::Broker(seen) => bad_if(!seen.missing.is_empty()).max(notice_if(seen.dead > 0)),
            Self::Mail(transport) => notice_if(*transport != MailTransport::Smtp),
        }
    }
}

/// Looks at everything, as far as one thing does not stand in the way of the next.
pub async fn examine(config: &Config, clock: &Clock) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Err(reason) = look(config, clock, &mut findings).await {
        findings.push(Finding::DoesNotStart(reason));
    }
    findings.push(match config.mail.transport {
        // There is nobody to reach, and a folder that is not there would be made.
        MailTransport::Folder | MailTransport::None => Finding::Mail(config.mail.transport),
        MailTransport::Smtp => smtp(config).await,
    });
    findings
}

async fn smtp(config: &Config) -> Finding {
    match mail::mailer(config) {
        Err(reason) => Finding::DoesNotStart(reason),
        Ok(mailer) => match mailer.examine().await {
            Ok(()) => Finding::Mail(config.mail.transport),
            Err(reason) => Finding::MailRefused(reason),
        },
    }
}

async fn look(config: &Config, clock: &Clock, findings: &mut Vec<Finding>) -> Result<(), StartError> {
    if !Vault::exists(&config.vault.folder) {
        if config.hub.mode == Mode::Clustered {
            return Err(StartError::NoKeys { folder: config.vault.folder.clone() });
        }
        // Where there is a ledger, its keys are lost.
        opening::no_keys(config)?;
        findings.push(Finding::NeverStarted { data: config.hub.data.clone() });
        return Ok(());
    }
    let data = config.hub.data.clone();
    if data.exists() {
        opening::private_folder(&data)?;
        let running = config.hub.mode == Mode::Embedded && opening::is_running(&data)?;
        findings.push(disk(&data));
        findings.push(Finding::DataFolder { data, running });
    }
    let vault = Vault::open(&config.vault.folder, KeyMaking::Forbidden)?;
    let (hub, fingerprint) = (vault.hub_id().to_string(), vault.fingerprint().to_owned());
    findings.push(Finding::Keys { hub, fingerprint });
    opening::inspect(config, &vault).await?;
    let (ledger, _committers_that_need_not_run) = Ledger::open(&ledger_settings(config)).await?;
    findings.push(Finding::Ledger(config.hub.mode));
    match of_ledger(config, &ledger, &vault, clock, findings).await {
        Ok(()) => {}
        Err(error) => findings.push(Finding::LedgerUnreadable(error)),
    }
    if config.hub.mode == Mode::Clustered {
        findings.push(of_broker(config, &ledger, &vault, clock).await?);
    }
    Ok(())
}

fn disk(data: &std::path::Path) -> Finding {
    match rustix::fs::statvfs(data) {
        Ok(seen) => Finding::Disk {
            free: seen.f_bavail.saturating_mul(seen.f_frsize),
            whole: seen.f_blocks.saturating_mul(seen.f_frsize),
        },
        Err(error) => Finding::DiskUnknown(error.into()),
    }
}

async fn of_ledger(
    config: &Config,
    ledger: &Ledger,
    vault: &Vault,
    clock: &Clock,
    findings: &mut Vec<Finding>,
) -> Result<(), LedgerError> {
    let Standing { to_apply, unknown, ahead, dead_jobs, due_since } = ledger.standing(clock).await?;
    let late = due_since.map_or(SignedDuration::ZERO, |since| clock.now().duration_since(since));
    findings.push(Finding::Schema { to_apply, unknown });
    findings.push(Finding::Clock { ahead });
    findings.push(Finding::Work { dead: dead_jobs, late });
    if config.hub.mode == Mode::Clustered {
        let keys = monthly_keys(ledger, vault, clock.now()).await?;
        findings.push(match keys {
            Ok(keys) => Finding::MonthlyKeys(keys),
            Err(error) => Finding::DoesNotStart(error.into()),
        });
    }
    Ok(())
}

/// Which agencies lack a key of this month or the next.
async fn monthly_keys(
    ledger: &Ledger,
    vault: &Vault,
    now: Timestamp,
) -> Result<Result<MonthlyKeys, VaultError>, LedgerError> {
    const PAGE: i64 = 500;
    let mut keys = MonthlyKeys::default();
    let mut after = None;
    loop {
        let page = ledger.agencies(None, after, PAGE).await?;
        for agency in page.iter().filter(|agency| agency.active == 1) {
            match provided(vault, agency.id, now) {
                Ok(Provided::Well) => {}
                Ok(Provided::NotForLong) => keys.ending.push(agency.id),
                Ok(Provided::Not) => keys.none.push(agency.id),
                Err(error) => return Ok(Err(error)),
            }
        }
        after = page.last().map(|agency| agency.id);
        if (page.len() as i64) < PAGE {
            return Ok(Ok(keys));
        }
    }
}

enum Provided {
    Well,
    NotForLong,
    Not,
}

fn provided(vault: &Vault, agency: AgencyId, now: Timestamp) -> Result<Provided, VaultError> {
    // A month is never longer than this, so the key of the next one is looked for too.
    let next = now.checked_add(Span::new().hours(31 * 24)).unwrap_or(now);
    let this = match vault.ensure_kek(agency, now) {
        Ok(month) => month,
        Err(VaultError::NoKek { .. }) => return Ok(Provided::Not),
        Err(error) => return Err(error),
    };
    // Where keys may not be made, the newest one before stands in for a missing one.
    Ok(if vault.ensure_kek(agency, next)? == this { Provided::NotForLong } else { Provided::Well })
}

async fn of_broker(
    config: &Config,
    ledger: &Ledger,
    vault: &Vault,
    clock: &Clock,
) -> Result<Finding, StartError> {
    let lines = subscribers(ledger).await?;
    let settings = broker(config, clock, vault.hub_id())?;
    Ok(match amqp::examine(&settings, &lines).await {
        Ok(seen) => Finding::Broker(seen),
        Err(reason) => Finding::BrokerUnreached(reason),
    })
}
