//! Two coordinators who can sign in to the pages, and what stands on the board of one of them.

use reqwest::Method;
use serde_json::json;

use super::{
    super::Stopped,
    api::{With, unexpected},
    cast::Part,
    family,
    scenes::RECEIVED,
    stage::{Expected, Stage, person},
};
use crate::{
    domain::{
        leg::{LegAction, LegState},
        receipt::ReceiptLevel::{R0, R1, R2, R3, R4},
        staff::StaffRole::{AgencyStaff, Coordinator},
    },
    usecases::jst,
    vault::password::Password,
};

const UNDER_WAY: Expected = (LegState::InProgress, &[R0, R1, R2, R3, R4]);
const ASKED: Expected = (LegState::InfoRequested, &[R0, R1, R2, R3, R4]);
/// After so long the reply date of one leg has passed, for the visitor to see.
const SOON: jiff::SignedDuration = jiff::SignedDuration::from_secs(90);

/// Who can sign in, and with what.
pub(super) struct Entry {
    pub part: Part,
    pub login: &'static str,
    pub password: Password,
}

/// Three more referrals of the ward, which stand in three different states.
///
/// # Errors
/// The hub answered in another way than expected.
pub(super) async fn fill_board(stage: &mut Stage) -> Result<(), Stopped> {
    stage.scene(
        8,
        "画面の一覧: 支援中のもの、返書を待つもの、照会が来ているもの",
        "for the board: one in progress, one without an answer, one with a question",
    );
    let parts = [Part::FamilySupport, Part::HealthCentre, Part::DevelopmentCentre];
    let (now, sections) = (stage.now(), ["identity", "needs"]);
    let document = family::consent(now, &parts.map(|part| stage.id(part)), &sections);
    let told = ("3機関への提供の同意を記録しました", "recorded the consent for three agencies");
    let consent = stage.consent(Part::Ward, document, told.0, told.1).await?;
    let mut legs =
        parts.map(|part| family::leg(stage.id(part), consent, &sections, "週に一度の預かりの相談"));
    legs[1]["reply_by"] = json!(jst(now + SOON));
    let document = family::referral(now, 8, &legs);
    let told = ("紹介を3機関に送りました", "sent the referral to the three");
    let expected = [UNDER_WAY, RECEIVED, ASKED];
    stage.submit(8, (Part::Ward, Coordinator), document, &expected, told).await?;
    let [helping, silent, asking] = parts.map(|part| stage.row(8, part));
    for row in [helping, silent, asking] {
        stage.opened(row, AgencyStaff).await?;
    }
    stage.act(helping, AgencyStaff, LegAction::Accept, json!({})).await?;
    stage.act(helping, AgencyStaff, LegAction::Start, json!({})).await?;
    let question = json!({"question": "相談は、何曜日の午前がよいでしょうか。"});
    stage.act(asking, AgencyStaff, LegAction::Ask, question).await
}

/// The two agencies let their coordinators sign in, with passwords made here and shown once.
///
/// # Errors
/// The hub refused one.
pub(super) async fn let_in(stage: &Stage) -> Result<Vec<Entry>, Stopped> {
    let mut entries = Vec::new();
    for (part, login) in [(Part::Ward, "concierge"), (Part::Site, "coordinator")] {
        let member = stage.cast.get(part);
        let (staff, _) = person(member, Coordinator)?;
        let password = Password::generate()?;
        let body = json!({"login": login, "password": password.reveal()});
        let with = With { body: Some(&body), ..With::default() };
        let path = format!("/v1/staff/{staff}/sign-in");
        let answer = stage.api.change(member, Method::PUT, &path, with).await?;
        if answer.status != 200 {
            return Err(unexpected("PUT /v1/staff/{id}/sign-in", &answer));
        }
        entries.push(Entry { part, login, password });
    }
    Ok(entries)
}
