//! The council of these stories, and referrals that rest on an arrangement.

use serde_json::{Value, json};
use tsunagu::{
    clock::Clock,
    domain::{agency::AgencyKind, ids::CaseId},
};

use crate::support::town::{Agency, Town};

/// A family centre that coordinates the council, and a clinic that has been a member for a month.
pub struct Council {
    pub centre: Agency,
    pub boss: String,
    pub clinic: Agency,
    pub chief: String,
    pub id: String,
}

impl Council {
    pub async fn of(town: &Town) -> Self {
        let centre = town.agency(AgencyKind::FamilyCentre).await;
        let clinic = town.agency(AgencyKind::Medical).await;
        let boss = centre.hire("supervisor").await;
        let chief = clinic.hire("supervisor").await;
        let paper = json!({
            "by": boss, "kind": "council", "title": "鶴見区要保護児童対策地域協議会", "first_day": town.day(-400),
            "members": [{"agency": clinic.id, "first_day": town.day(-30)}],
        });
        let id = centre.post("/v1/arrangements", &paper).await.at("/id");
        Self { centre, boss, clinic, chief, id }
    }
}

/// A case nobody has spoken of before.
pub fn case() -> String {
    let id: CaseId = Clock::System.new_id();
    id.to_string()
}

/// A referral about a case to one recipient, on a basis that rests on an arrangement.
pub fn on_arrangement(
    town: &Town,
    (writer, recipient): (&str, &Agency),
    (code, arrangement): (&str, &str),
    case: &str,
    sections: &[&str],
) -> Value {
    let mut paper = town.introduction(writer, arrangement, &[recipient]);
    paper["type"] = json!("JOHO_TEIKYO");
    paper["case"] = json!(case);
    paper["legs"][0]["sections"] = json!(sections);
    paper["legs"][0]["needed"] = json!(sections);
    paper["legs"][0]["basis"] = json!({"code": code, "arrangement": arrangement});
    paper
}
