//! By which channels an agency wants to be told.

use jiff::Timestamp;
use sqlx::AnyConnection;

use super::{
    Ledger, LedgerError, Scope,
    text::statements,
    values::{Column as _, Row as _, table, text_columns},
};
use crate::{code_list, domain::ids::AgencyId};

code_list! {
    /// A channel besides the inbox, which every agency has.
    Channel, "channel" {
        Amqp = "amqp", "AMQP", "AMQP";
        Mail = "mail", "電子メール", "e-mail";
    }
}

code_list! {
    /// What travels over the channel.
    ChannelMode, "channel mode" {
        Doorbell = "doorbell", "着信通知のみ", "doorbell only";
        Sealed = "sealed", "封緘文書", "sealed document";
        /// Mail to a duty desk: urgent legs ring at once under the urgent subject.
        DutyDesk = "duty_desk", "当番窓口", "duty desk";
    }
}

text_columns!(Channel, ChannelMode);

table! {
    /// One agency's wish for one channel; addresses and keys are sealed in `settings`.
    SubscriptionRow = "subscription" {
        agency: AgencyId,
        channel: Channel,
        mode: ChannelMode,
        settings: Vec<u8>,
        version: i64,
        changed_at: Timestamp,
    }
}

/// Sets a subscription, whether or not there was one.
pub struct PutSubscription(pub SubscriptionRow);

/// Ends a subscription.
pub struct RemoveSubscription {
    pub agency: AgencyId,
    pub channel: Channel,
}

statements! {
    OF_AGENCY = ["SELECT ", SubscriptionRow::COLUMNS, " FROM subscription WHERE agency = $1 ORDER BY channel"];
    OF_CHANNEL = ["SELECT ", SubscriptionRow::COLUMNS,
        " FROM subscription WHERE channel = $1 AND agency > $2 ORDER BY agency LIMIT $3"];
    PUT = ["INSERT INTO subscription (", SubscriptionRow::COLUMNS,
        ") VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (agency, channel) DO UPDATE SET mode = excluded.mode, ",
        "settings = excluded.settings, version = subscription.version + 1, changed_at = excluded.changed_at"];
    REMOVE = ["DELETE FROM subscription WHERE agency = $1 AND channel = $2"];
}

impl Ledger {
    /// The subscriptions of one agency.
    pub async fn subscriptions(&self, scope: Scope) -> Result<Vec<SubscriptionRow>, LedgerError> {
        self.many(sqlx::query(OF_AGENCY).bind(scope.agency().to_string())).await
    }

    /// For the hub itself: every agency that subscribed to a channel, by keyset.
    pub async fn subscribers(
        &self,
        channel: Channel,
        after: Option<AgencyId>,
        limit: i64,
    ) -> Result<Vec<SubscriptionRow>, LedgerError> {
        let after = after.map_or_else(String::new, |id| id.to_string());
        self.many(sqlx::query(OF_CHANNEL).bind(channel.code()).bind(after).bind(limit)).await
    }
}

impl PutSubscription {
    pub(super) async fn apply(&self, on: &mut AnyConnection) -> Result<u64, sqlx::Error> {
        Ok(self.0.bind(sqlx::query(PUT)).execute(on).await?.rows_affected())
    }
}

impl RemoveSubscription {
    pub(super) async fn apply(&self, on: &mut AnyConnection) -> Result<u64, sqlx::Error> {
        let statement = self.channel.bind(self.agency.bind(sqlx::query(REMOVE)));
        Ok(statement.execute(on).await?.rows_affected())
    }
}
