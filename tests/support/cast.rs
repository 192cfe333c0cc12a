//! Those who appear in most stories: a coordinator's site that sends, and two agencies it sends to.

use serde_json::Value;
use tsunagu::domain::agency::AgencyKind;

use super::town::{Agency, ORDINARY, Town};

pub struct Cast {
    /// A user-support site (基本型), and its coordinator.
    pub site: Agency,
    pub writer: String,
    pub nursery: Agency,
    pub clerk: String,
    /// A family support centre (ファミリー・サポート・センター), and a member of its staff.
    pub family: Agency,
    pub carer: String,
}

/// What a submission made.
pub struct Sent {
    pub consent: String,
    pub referral: String,
    /// Per recipient, in the order asked: the leg and its delivery.
    pub legs: Vec<(String, String)>,
}

impl Cast {
    pub async fn of(town: &Town) -> Self {
        let site = town.agency(AgencyKind::UserSupportBasic).await;
        let nursery = town.agency(AgencyKind::Nursery).await;
        let family = town.agency(AgencyKind::FamilySupport).await;
        let writer = site.hire("coordinator").await;
        let clerk = nursery.hire("agency_staff").await;
        let carer = family.hire("agency_staff").await;
        Self { site, writer, nursery, clerk, family, carer }
    }

    pub fn everybody(self) -> Vec<Agency> {
        vec![self.site, self.nursery, self.family]
    }

    /// A consent of the family for these recipients, in force; its id.
    pub async fn consent(&self, town: &Town, recipients: &[&Agency]) -> String {
        self.site.record_consent(&town.consent_paper(&self.writer, recipients, ORDINARY)).await.at("/id")
    }

    /// Records a consent for these recipients and sends each the same.
    pub async fn send(&self, town: &Town, recipients: &[&Agency]) -> Sent {
        let consent = self.consent(town, recipients).await;
        let answer = self.site.submit(&town.introduction(&self.writer, &consent, recipients)).await.value();
        Sent { consent, ..Sent::read(&answer) }
    }

    /// Sends the nursery one leg; it and its delivery.
    pub async fn send_nursery(&self, town: &Town) -> (String, String) {
        self.send(town, &[&self.nursery]).await.legs.remove(0)
    }
}

impl Sent {
    /// Reads the answer to a submission.
    pub fn read(answer: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        let legs = answer["legs"].as_array().unwrap().iter();
        Self {
            consent: String::new(),
            referral: text(&answer["id"]),
            legs: legs.map(|leg| (text(&leg["id"]), text(&leg["delivery"]))).collect(),
        }
    }
}
