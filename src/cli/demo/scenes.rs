//! The scenes. Each asks for exactly what it expects, and the demo fails where the hub does something else.

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    super::{Said, Stopped},
    api::{With, unexpected},
    cast::Part,
    evidence, family,
    screen::Paint,
    stage::{Expected, Sent, Stage, person},
};
use crate::domain::{
    ids::ConsentId,
    leg::{LegAction, LegState},
    receipt::ReceiptLevel::{self, Closed, R0, R1, R2, R3, R4},
    staff::StaffRole::{AgencyStaff, Coordinator, DutyDesk, Supervisor},
};

const ANSWERED: &[ReceiptLevel] = &[R0, R1, R2, R3, R4];
const ANSWERED_AND_ENDED: &[ReceiptLevel] = &[R0, R1, R2, R3, R4, Closed];
const READ: &[ReceiptLevel] = &[R0, R1, R2, R3];
const READ_AND_ENDED: &[ReceiptLevel] = &[R0, R1, R2, R3, Closed];
const UNREAD_AND_ENDED: &[ReceiptLevel] = &[R0, R1, Closed];

const COMPLETED: Expected = (LegState::Completed, ANSWERED_AND_ENDED);
const DECLINED: Expected = (LegState::Declined, ANSWERED);
/// A notice, as its sender is told of it: that it arrived, and that it was taken.
const TAKEN: Expected =
    (LegState::Accepted, &[ReceiptLevel::R0, ReceiptLevel::R1, ReceiptLevel::R2, ReceiptLevel::R4]);
const WITHDRAWN_READ: Expected = (LegState::Withdrawn, READ_AND_ENDED);
const WITHDRAWN_UNREAD: Expected = (LegState::Withdrawn, UNREAD_AND_ENDED);
pub(super) const RECEIVED: Expected = (LegState::Received, READ);
const WAITING: Expected = (LegState::Requested, &[R0, R1]);

/// What later scenes and the visitor's commands build on.
pub(super) struct Played {
    pub consent: ConsentId,
}

/// Plays all of them.
///
/// # Errors
/// The first step the hub answered in another way than the scene expects.
pub(super) async fn play(stage: &mut Stage) -> Result<Played, Stopped> {
    let (consent, sent) = introduction(stage).await?;
    notice(stage).await?;
    uncovered_recipient(stage, consent).await?;
    withdrawal(stage).await?;
    sent_twice(stage, &sent).await?;
    self_contact(stage).await?;
    Ok(Played { consent })
}

async fn introduction(stage: &mut Stage) -> Result<(ConsentId, Sent), Stopped> {
    stage.scene(
        1,
        "紹介: 保護者の同意にもとづいて2機関へ。一方は断り、一方は引き受ける",
        "a referral to two agencies on the mother's consent: one declines, one helps",
    );
    let now = stage.now();
    let (nursery, famisapo) = (stage.id(Part::Nursery), stage.id(Part::FamilySupport));
    let sections = ["identity", "contact", "needs", "narrative"];
    let document = family::consent(now, &[nursery, famisapo], &sections);
    let consent = stage
        .consent(
            Part::Ward,
            document,
            "2機関への提供の同意を記録しました",
            "recorded the consent for two agencies",
        )
        .await?;
    let legs = [
        family::leg(nursery, consent, &sections, "一時預かりの受入れ"),
        family::leg(famisapo, consent, &["identity", "contact", "needs"], "援助会員の紹介"),
    ];
    let told = ("紹介を2機関に送りました", "sent the referral to both");
    let expected = [COMPLETED, DECLINED];
    let document = family::referral(now, 1, &legs);
    let sent = stage.submit(1, (Part::Ward, Coordinator), document, &expected, told).await?;
    let (at_nursery, at_famisapo) = (stage.row(1, Part::Nursery), stage.row(1, Part::FamilySupport));
    stage.opened(at_nursery, AgencyStaff).await?;
    stage.opened(at_famisapo, AgencyStaff).await?;
    let no_provider = json!({"reason": "NO_PROVIDER", "declined_by": "provider"});
    stage.act(at_famisapo, AgencyStaff, LegAction::Decline, no_provider).await?;
    stage.act(at_nursery, AgencyStaff, LegAction::Accept, json!({})).await?;
    let appointment = json!({"appointment_at": family::appointment(now)});
    stage.act(at_nursery, AgencyStaff, LegAction::Schedule, appointment).await?;
    stage.act(at_nursery, AgencyStaff, LegAction::Start, json!({})).await?;
    stage.act(at_nursery, AgencyStaff, LegAction::Complete, json!({"outcome": "USE_STARTED"})).await?;
    Ok((consent, sent))
}

async fn notice(stage: &mut Stage) -> Result<(), Stopped> {
    stage.scene(
        2,
        "通告: 金曜の夕方でも、同意も承認も待たずに届き、48時間の期限が動き出す",
        "a notice of suspected abuse: no consent, no approver, no delay, also on a Friday evening; 48 hours run",
    );
    let document =
        family::notice(stage.now(), &[stage.id(Part::FamilyCentre), stage.id(Part::ChildGuidance)]);
    let told = ("電話のあと、通告を送りました", "sent the notice after the telephone call");
    stage.submit(2, (Part::OtherNursery, Supervisor), document, &[TAKEN, TAKEN], told).await?;
    let mail = evidence::wait_for_mail(stage).await?;
    if mail.missing == 0 {
        stage.say(&Said::new(
            "    受付当番に、至急のメールが届きました（内容は書かれていません）",
            "    the duty desks have their urgent mail; it holds no content",
        ));
    }
    for desk in [Part::FamilyCentre, Part::ChildGuidance] {
        let row = stage.row(2, desk);
        let seen = stage.opened(row, DutyDesk).await?;
        shows_notifier(stage, &seen, true)?;
        stage.act(row, DutyDesk, LegAction::Accept, json!({})).await?;
    }
    let row = stage.row(2, Part::FamilyCentre);
    let clock = stage.seen_by_recipient(row).await?["clocks"][0].clone();
    let at =
        |name: &str| clock[name].as_str().and_then(|at| at.get(..16)).unwrap_or_default().replace('T', " ");
    if clock["due"].is_null() {
        return Err(not_so("通告の期限が動いていません", "the clock of the notice does not run"));
    }
    let (started, due) = (at("started"), at("due"));
    stage.say(&Said::new(
        format!("    安全確認の期限: {due}（起点 {started}、休日・夜間も数えます）"),
        format!("    the child has to be seen by {due} (counted from {started}, day and night)"),
    ));
    let seen = stage.opened(row, AgencyStaff).await?;
    shows_notifier(stage, &seen, false)
}

/// Who gave a notice is for the desk that takes it, and for nobody else at the same agency.
fn shows_notifier(stage: &mut Stage, seen: &Value, wanted: bool) -> Result<(), Stopped> {
    let shown = !seen["document"]["content"]["notifier"].is_null();
    if shown != wanted {
        return Err(not_so(
            "通告者の区分の見え方が違います",
            "the notifier's section is shown to the wrong person",
        ));
    }
    stage.say(&match wanted {
        true => {
            Said::new("    通告者の情報: 受付当番には見えます", "    the notifier: shown to the duty desk")
        }
        false => Said::new(
            "    通告者の情報: 同じ機関でも、当番でない職員には見えません",
            "    the notifier: not shown to anybody else of the same agency",
        ),
    });
    Ok(())
}

async fn uncovered_recipient(stage: &mut Stage, consent: ConsentId) -> Result<(), Stopped> {
    stage.scene(
        3,
        "同意にない宛先: 送る前に止まり、何も保存されない",
        "a recipient the consent does not name: stopped before anything is stored",
    );
    let before = referrals(stage).await?;
    let leg = family::leg(stage.id(Part::DevelopmentCentre), consent, &["identity", "needs"], "発達相談");
    let mut document = family::referral(stage.now(), 3, &[leg]);
    let (writer, post) = person(stage.cast.get(Part::Ward), Coordinator)?;
    document["written_by"] = json!(writer);
    let key = stage.key();
    let with = With { key: Some(&key), body: Some(&document), ..With::default() };
    let answer = stage.api.ask(stage.cast.get(Part::Ward), Method::POST, "/v1/referrals", with).await?;
    if answer.status != 422 || answer.code() != "CONSENT_PARTY" {
        return Err(unexpected("POST /v1/referrals", &answer));
    }
    let (ja, en) = (
        "発達センターへ送ろうとして、断られました",
        "tried to send to the development centre and was refused",
    );
    stage.did(Part::Ward, post, ja, en, answer.status);
    stage.refused(&answer);
    let inbox = stage.api.read(stage.cast.get(Part::DevelopmentCentre), "/v1/inbox").await?;
    if referrals(stage).await? != before || inbox["items"].as_array().is_none_or(|items| !items.is_empty()) {
        return Err(not_so("断られたものが保存されています", "something refused was stored"));
    }
    stage.say(&Said::new(
        format!("    差出機関の一覧は{before}件のまま、相手の受信箱は0件です"),
        format!("    the sender's list still holds {before}, the recipient's inbox 0"),
    ));
    stage.pause().await;
    Ok(())
}

async fn referrals(stage: &Stage) -> Result<usize, Stopped> {
    let list = stage.api.read(stage.cast.get(Part::Ward), "/v1/referrals?limit=200").await?;
    Ok(list["items"].as_array().map_or(0, Vec::len))
}

async fn withdrawal(stage: &mut Stage) -> Result<(), Stopped> {
    stage.scene(
        4,
        "同意の撤回: 未開封の写しは開けなくなり、開封済みの写しも閉じる",
        "a consent withdrawn: the unread copy stays closed, the one that was read is closed too",
    );
    let (health, development) = (stage.id(Part::HealthCentre), stage.id(Part::DevelopmentCentre));
    let sections = ["identity", "contact", "needs", "development"];
    let document = family::consent(stage.now(), &[health, development], &sections);
    let consent = stage
        .consent(
            Part::Site,
            document,
            "2機関への提供の同意を記録しました",
            "recorded the consent for two agencies",
        )
        .await?;
    let legs = [
        family::leg(health, consent, &sections, "発達の相談"),
        family::leg(development, consent, &sections, "発達の相談"),
    ];
    let mut document = family::referral(stage.now(), 4, &legs);
    // Development data need a second person, who looked at recipient and content.
    document["approved_by"] = json!(person(stage.cast.get(Part::Site), Supervisor)?.0);
    let told = ("別の職員の確認を得て、紹介を送りました", "sent the referral, approved by a second person");
    let expected = [WITHDRAWN_READ, WITHDRAWN_UNREAD];
    stage.submit(4, (Part::Site, Coordinator), document, &expected, told).await?;
    let (read, unread) = (stage.row(4, Part::HealthCentre), stage.row(4, Part::DevelopmentCentre));
    stage.opened(read, AgencyStaff).await?;
    let (writer, post) = person(stage.cast.get(Part::Site), Coordinator)?;
    let (key, body) = (stage.key(), json!({"by": writer, "method": "oral"}));
    let with = With { key: Some(&key), version: Some(1), body: Some(&body), ..With::default() };
    let path = format!("/v1/consents/{consent}/withdraw");
    let answer = stage.api.change(stage.cast.get(Part::Site), Method::POST, &path, with).await?;
    let (ja, en) =
        ("保護者の申し出により、同意の撤回を記録しました", "recorded that the mother withdrew her consent");
    stage.did(Part::Site, post, ja, en, answer.status);
    stage.refresh(read).await?;
    stage.refresh(unread).await?;
    stage.pause().await;
    stage.stays_closed(unread, AgencyStaff, "CONSENT_WITHDRAWN").await?;
    stage.stays_closed(read, AgencyStaff, "CONSENT_WITHDRAWN").await
}

async fn sent_twice(stage: &mut Stage, sent: &Sent) -> Result<(), Stopped> {
    stage.scene(
        5,
        "二重送信: 場面1の送信をもう一度。届くのは一度だけで、同じ受領証が返る",
        "sent twice: the referral of scene 1 again; it arrives once, and the same receipt comes back",
    );
    let before = referrals(stage).await?;
    let with = With { key: Some(&sent.key), body: Some(&sent.document), ..With::default() };
    let again = stage.api.change(stage.cast.get(Part::Ward), Method::POST, "/v1/referrals", with).await?;
    let (_, post) = person(stage.cast.get(Part::Ward), Coordinator)?;
    let (ja, en) =
        ("同じ Idempotency-Key で、もう一度送りました", "sent it again with the same Idempotency-Key");
    stage.did(Part::Ward, post, ja, en, again.status);
    if again.text.as_bytes() != sent.answer.text.as_bytes()
        || !again.replayed
        || referrals(stage).await? != before
    {
        return Err(not_so(
            "二度目の応答が、保存された受領証と一致しません",
            "the second answer is not the stored one",
        ));
    }
    let bytes = again.text.len();
    stage.tell(
        Paint::Green,
        &Said::new(
            format!("    二つの応答は{bytes}バイトすべて一致しました（受信箱は増えていません）"),
            format!("    both answers are the same in all their {bytes} bytes; no inbox has grown"),
        ),
    );
    stage.pause().await;
    Ok(())
}

async fn self_contact(stage: &mut Stage) -> Result<(), Stopped> {
    stage.scene(
        6,
        "本人連絡: 家族が自分で連絡する。家族についての情報は何も渡らない",
        "self-contact: the family calls by itself, and nothing about it travels",
    );
    let told = ("空きの問い合わせだけを送りました", "asked for a free place, and nothing more");
    let document = family::self_contact(stage.id(Part::Nursery));
    stage.submit(6, (Part::Site, Coordinator), document, &[RECEIVED], told).await?;
    let row = stage.row(6, Part::Nursery);
    let seen = stage.opened(row, AgencyStaff).await?;
    let document = &seen["document"];
    let nothing = |value: &Value| match value {
        Value::Object(members) => members.is_empty(),
        Value::Array(items) => items.is_empty(),
        other => other.is_null(),
    };
    if ["content", "subjects", "sections"].iter().any(|name| !nothing(&document[name])) {
        return Err(not_so("家族の情報が渡っています", "something about the family was passed on"));
    }
    stage.say(&Said::new(
        "    渡ったのは、サービスの種類・年齢・曜日だけです",
        "    all that travelled: the kind of service, the age class, the days",
    ));
    Ok(())
}

/// One more referral, which waits for the visitor.
pub(super) async fn for_visitor(stage: &mut Stage, played: &Played) -> Result<usize, Stopped> {
    stage.scene(
        7,
        "あなたの番です: 保育所Aの受信箱に1件届きます。下のコマンドで開いて返事をしてください",
        "your turn: one referral waits in the inbox of nursery A; open and answer it with the commands below",
    );
    let sections = ["identity", "contact", "needs"];
    let leg = family::leg(stage.id(Part::Nursery), played.consent, &sections, "一時預かりの受入れ");
    let told = ("紹介を送りました", "sent a referral");
    let document = family::referral(stage.now(), 7, &[leg]);
    stage.submit(7, (Part::Ward, Coordinator), document, &[WAITING], told).await?;
    Ok(stage.row(7, Part::Nursery))
}

fn not_so(ja: &str, en: &str) -> Stopped {
    Stopped::failed(Said::new(format!("{ja}。デモを中止しました。"), format!("{en}; the demo was stopped")))
}
