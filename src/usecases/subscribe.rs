//! By which channels an agency is told: set, ended, shown to the agency, and opened for those who tell it.
//!
//! Setting and ending are idempotent by nature: the same request twice leaves the same wish.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{ALLOWED, Broker, Caller, Context, jst, not_found, opened::data_key, ring};
use crate::{
    domain::{
        fault::{Fault, Part, Phrase, Pointer, Text},
        gather::{BadHours, GatherHours},
        ids::AgencyId,
        language::Language,
        mail_address::MailAddress,
        problem::{Problem, ProblemKind},
    },
    ledger::{
        Rows, Scope, Step, Write, WriteError,
        agency::AgencyRow,
        audit::AuditAction,
        subscription::{Channel, ChannelMode, PutSubscription, RemoveSubscription, SubscriptionRow},
    },
    transport::{Line, amqp::queue_name},
    vault::{jwe::RecipientKey, seal::Slot},
};

/// What an agency wants over AMQP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AmqpWish {
    Doorbell,
    /// The document too, sealed for this key, which the agency calls `kid`.
    Sealed {
        key: RecipientKey,
        kid: String,
    },
}

/// How an agency wants to be mailed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailWish {
    pub address: MailAddress,
    pub language: Language,
    /// When mail that is not urgent goes out.
    pub gather_hours: GatherHours,
    /// Whether this is a duty desk: urgent legs ring there at once, under the urgent subject.
    pub duty_desk: bool,
}

/// A key as it is sealed in the ledger.
#[derive(Serialize, Deserialize)]
struct StoredKey {
    jwk: Value,
    kid: String,
}

impl AmqpWish {
    /// Reads a document that has passed its schema.
    fn parse(document: &Value) -> Result<Self, Problem> {
        let fault = |code, message| {
            let pointer = Pointer::ROOT.member("jwk");
            Err(Problem::schema_violation(vec![Fault { pointer, code, message }]))
        };
        match (document["mode"].as_str(), document.get("jwk")) {
            (Some("sealed"), Some(jwk)) => match RecipientKey::parse(jwk) {
                Ok(key) => {
                    let kid = jwk["kid"].as_str().map_or_else(|| key.thumbprint(), str::to_owned);
                    Ok(Self::Sealed { key, kid })
                }
                Err(why) => fault("jwk", why.0.into()),
            },
            (Some("doorbell"), None) => Ok(Self::Doorbell),
            (Some("doorbell"), Some(_)) => fault(
                "unused",
                Text::new(
                    "着信通知だけなら鍵は使いません。外すか、modeをsealedにしてください。",
                    "A doorbell needs no key; leave it out, or choose the mode sealed.",
                ),
            ),
            _ => Err(ProblemKind::SchemaViolation.into()),
        }
    }

    const fn mode(&self) -> ChannelMode {
        match self {
            Self::Doorbell => ChannelMode::Doorbell,
            Self::Sealed { .. } => ChannelMode::Sealed,
        }
    }

    fn stored(&self) -> Option<StoredKey> {
        match self {
            Self::Doorbell => None,
            Self::Sealed { key, kid } => Some(StoredKey { jwk: key.jwk(), kid: kid.clone() }),
        }
    }

    fn restore(plain: &[u8]) -> Option<Self> {
        let stored: Option<StoredKey> = serde_json::from_slice(plain).ok()?;
        Some(match stored {
            None => Self::Doorbell,
            Some(StoredKey { jwk, kid }) => Self::Sealed { key: RecipientKey::parse(&jwk).ok()?, kid },
        })
    }

    fn view(&self, agency: AgencyId) -> Value {
        match self {
            Self::Doorbell => json!({ "mode": self.mode(), "queue": queue_name(agency, Line::Inbox) }),
            Self::Sealed { key, kid } => json!({
                "mode": self.mode(), "queue": queue_name(agency, Line::Sealed), "jwk": key.jwk(), "kid": kid,
            }),
        }
    }
}

impl MailWish {
    /// Reads a document that has passed its schema.
    fn parse(document: &Value) -> Result<Self, Problem> {
        let mut faults = Vec::new();
        let mut fault = |member, code, phrase: Phrase| {
            let pointer = Pointer::ROOT.member(member);
            faults.push(Fault { pointer, code, message: phrase.into() });
        };
        let address = document["address"].as_str().unwrap_or_default().parse::<MailAddress>();
        if address.is_err() {
            fault("address", "email", NOT_AN_ADDRESS);
        }
        let hours = document.get("gather_hours").and_then(Value::as_array).map(|hours| {
            // An hour that is no small number is none of the day's, and is refused as such.
            let hour =
                |hour: &Value| hour.as_u64().and_then(|hour| u8::try_from(hour).ok()).unwrap_or(u8::MAX);
            GatherHours::new(hours.iter().map(hour).collect())
        });
        let gather_hours = hours.transpose();
        if let Err(why) = gather_hours {
            fault("gather_hours", "hours", hours_phrase(why));
        }
        let language =
            document.get("language").and_then(Value::as_str).map_or(Ok(Language::Japanese), str::parse)?;
        match (address, gather_hours) {
            (Ok(address), Ok(hours)) => Ok(Self {
                address,
                language,
                gather_hours: hours.unwrap_or_default(),
                duty_desk: document["duty_desk"].as_bool().unwrap_or(false),
            }),
            _ => Err(Problem::schema_violation(faults)),
        }
    }

    const fn mode(&self) -> ChannelMode {
        if self.duty_desk { ChannelMode::DutyDesk } else { ChannelMode::Doorbell }
    }
}

const NOT_AN_ADDRESS: Phrase = Phrase {
    ja: "name@example.jp のような半角のメールアドレスを1つだけ書いてください。",
    en: "Give one mail address such as name@example.jp, in half-width characters.",
};

const fn hours_phrase(why: BadHours) -> Phrase {
    match why {
        BadHours::None => Phrase {
            ja: "時刻を1つ以上書くか、項目を外してください。",
            en: "Give at least one hour, or leave the member out.",
        },
        BadHours::TooMany => {
            Phrase { ja: "6つ以内にしてください。", en: "Give at most six hours." }
        }
        BadHours::NoHour => {
            Phrase { ja: "0から23までの時を書いてください。", en: "Give hours from 0 to 23." }
        }
        BadHours::Twice => {
            Phrase { ja: "同じ時刻が2つあります。", en: "An hour stands there twice." }
        }
    }
}

/// Sets the caller's AMQP subscription (PUT /v1/subscriptions/amqp); answers with it.
///
/// # Errors
/// Channel-unavailable in a hub without a broker; a key that cannot be used, with the reason.
pub async fn set_amqp(context: &Context, caller: &Caller, document: &Value) -> Result<String, Problem> {
    if context.settings.broker == Broker::InProcess {
        return Err(Problem::new(ProblemKind::ChannelUnavailable).detail(
            Text::new(
                "このハブはRabbitMQなしで動いているため、「{}」では知らせられません。",
                "This hub runs without RabbitMQ and cannot tell anybody over {}.",
            )
            .put(Part::Word(Channel::Amqp.code())),
        ));
    }
    let wish = AmqpWish::parse(document)?;
    let plain = serde_json::to_vec(&wish.stored()).map_err(|_| ProblemKind::Internal)?;
    put(context, caller, Channel::Amqp, wish.mode(), &plain).await?;
    Ok(wish.view(caller.id()).to_string())
}

/// Sets the caller's mail subscription (PUT /v1/subscriptions/mail); answers with it.
///
/// # Errors
/// An address or hours that cannot be used, told by pointer and never by text.
pub async fn set_mail(context: &Context, caller: &Caller, document: &Value) -> Result<String, Problem> {
    let wish = MailWish::parse(document)?;
    let plain = serde_json::to_vec(&wish).map_err(|_| ProblemKind::Internal)?;
    put(context, caller, Channel::Mail, wish.mode(), &plain).await?;
    Ok(json!(wish).to_string())
}

async fn put(
    context: &Context,
    caller: &Caller,
    channel: Channel,
    mode: ChannelMode,
    plain: &[u8],
) -> Result<(), Problem> {
    let key = data_key(context, caller.agency.data_key, caller.id()).await?;
    let row = SubscriptionRow {
        agency: caller.id(),
        channel,
        mode,
        settings: key.seal(&slot(caller.id(), channel), plain)?,
        version: 1,
        changed_at: context.clock.now(),
    };
    let step = Step::PutSubscription(PutSubscription(row));
    context.ledger.write(change(context, caller, channel, step)).await?;
    context.work.notify_one();
    Ok(())
}

/// Ends the caller's subscription to a channel. Ending what is not there is no error.
///
/// # Errors
/// The ledger did not take it.
pub async fn end(context: &Context, caller: &Caller, channel: Channel) -> Result<(), Problem> {
    let step = Step::RemoveSubscription(RemoveSubscription { agency: caller.id(), channel });
    match context.ledger.write(change(context, caller, channel, step)).await {
        Ok(_) => {
            context.work.notify_one();
            Ok(())
        }
        // There was none: what was asked for is so already.
        Err(WriteError::Stale) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn change(context: &Context, caller: &Caller, channel: Channel, step: Step) -> Write {
    let audits = vec![caller.audit(
        context,
        None,
        AuditAction::Administer,
        format!("subscription:{channel}"),
        ALLOWED,
    )];
    // The agency's queue is declared, or kept no longer, by whoever has the broker in hand.
    let jobs = match channel {
        Channel::Amqp => vec![ring::subscribed(context, caller.id(), context.clock.now())],
        Channel::Mail => Vec::new(),
    };
    Write { steps: vec![step], rows: Rows { audits, jobs, ..Rows::default() }, ..Write::default() }
}

/// The caller's subscriptions (GET /v1/subscriptions): each channel with its settings, or null.
///
/// # Errors
/// The ledger or the agency's key could not be read.
pub async fn list(context: &Context, caller: &Caller) -> Result<String, Problem> {
    let mut shown = json!({ "amqp": null, "mail": null });
    for (row, plain) in opened(context, &caller.agency).await? {
        let mut view = match row.channel {
            Channel::Amqp => AmqpWish::restore(&plain).ok_or_else(damaged)?.view(row.agency),
            Channel::Mail => json!(serde_json::from_slice::<MailWish>(&plain).map_err(|_| damaged())?),
        };
        view["changed_at"] = jst(row.changed_at).into();
        shown[row.channel.code()] = view;
    }
    Ok(shown.to_string())
}

/// How an agency is to be told over AMQP, if at all: for the dispatcher.
///
/// # Errors
/// The agency, its key or its settings could not be read.
pub async fn open_amqp(context: &Context, agency: AgencyId) -> Result<Option<AmqpWish>, Problem> {
    let plain = open_channel(context, agency, Channel::Amqp).await?;
    plain.map(|plain| AmqpWish::restore(&plain).ok_or_else(damaged)).transpose()
}

/// How an agency is to be mailed, if at all: for the dispatcher.
///
/// # Errors
/// The agency, its key or its settings could not be read.
pub async fn open_mail(context: &Context, agency: AgencyId) -> Result<Option<MailWish>, Problem> {
    let plain = open_channel(context, agency, Channel::Mail).await?;
    plain.map(|plain| serde_json::from_slice(&plain).map_err(|_| damaged())).transpose()
}

async fn open_channel(
    context: &Context,
    agency: AgencyId,
    channel: Channel,
) -> Result<Option<Vec<u8>>, Problem> {
    let agency = context.ledger.agency(agency).await?.ok_or_else(not_found)?;
    let opened = opened(context, &agency).await?;
    Ok(opened.into_iter().find(|(row, _)| row.channel == channel).map(|(_, plain)| plain))
}

/// An agency's subscriptions with their settings opened.
async fn opened(context: &Context, agency: &AgencyRow) -> Result<Vec<(SubscriptionRow, Vec<u8>)>, Problem> {
    let rows = context.ledger.subscriptions(Scope::of(agency.id)).await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let key = data_key(context, agency.data_key, agency.id).await?;
    let open = |row: SubscriptionRow| {
        let plain = key.open(&slot(row.agency, row.channel), &row.settings)?;
        Ok((row, plain))
    };
    rows.into_iter().map(open).collect()
}

/// Where the settings of a channel are sealed. A changed setting takes the same place, under a new nonce.
fn slot(agency: AgencyId, channel: Channel) -> Slot<'static> {
    Slot { table: "subscription", owner: agency, object: agency.uuid(), part: channel.code(), seq: 1 }
}

/// Settings that opened and yet cannot be read: a newer hub wrote them, or a defect.
fn damaged() -> Problem {
    tracing::error!("the settings of a subscription cannot be read");
    Problem::new(ProblemKind::Internal)
}

#[cfg(test)]
mod tests;
