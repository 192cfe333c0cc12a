//! The records of provision that private businesses keep (個人情報の保護に関する法律 第29条・第30条), made from the
//! ledger: one for every leg under a consent from one private business to another, for either side.

use jiff::{Timestamp, civil::Date};
use serde_json::{Value, json};

use super::{
    ALLOWED, Caller, Context, audited,
    consent::start_of,
    consent_form::full_name,
    jst,
    opened::{OpenedLeg, World, damaged, erased, party},
    page::{Limit, page},
};
use crate::{
    domain::{
        consent::day_in_japan,
        delivery::DeliveryState,
        disclosure::{Decision, Event},
        document::render,
        ids::LegId,
        mask::Mask,
        problem::Problem,
        provision::{ProvisionSide, cell, keep_until, needs_record},
        receipt::ReceiptLevel,
        section::Section,
        subject::Subject,
    },
    ledger::{
        agency::AgencyRow,
        audit::AuditAction,
        leg::{LegRow, Side, Window},
    },
};

/// What is asked for: a side, the days of provision in Japan, both included, and a page.
pub struct Asked {
    pub side: ProvisionSide,
    pub from: Date,
    pub to: Date,
    pub after: Option<LegId>,
    pub limit: Limit,
}

/// A page of records.
pub struct Records {
    side: ProvisionSide,
    items: Vec<Value>,
    next: Option<LegId>,
}

/// The records of the caller's own agency, oldest first. A page may hold fewer than there is room for while `next`
/// says that there are more: what needs no record was left out.
///
/// # Errors
/// A ledger that cannot be read.
pub async fn records(context: &Context, caller: &Caller, asked: &Asked) -> Result<Records, Problem> {
    let side = match asked.side {
        ProvisionSide::Provided => Side::Sender,
        ProvisionSide::Received => Side::Recipient,
    };
    let window =
        Window { from: start_of(asked.from), before: asked.to.tomorrow().map_or(Timestamp::MAX, start_of) };
    let mut legs = context
        .ledger
        .legs_under_consent(caller.scope(), side, window, asked.after, asked.limit.rows())
        .await?;
    let more = asked.limit.cut(&mut legs);
    let next = legs.last().filter(|_| more).map(|leg| leg.id);
    let mut items = Vec::new();
    for leg in legs {
        items.extend(record(context, caller, asked.side, leg).await?);
    }
    let subject = format!("provision-records:{}:{}:{}", asked.side, asked.from, asked.to);
    audited(context, caller.audit(context, None, AuditAction::Read, subject, ALLOWED)).await?;
    Ok(Records { side: asked.side, items, next })
}

/// The record of one leg, if the law wants one.
async fn record(
    context: &Context,
    caller: &Caller,
    side: ProvisionSide,
    leg: LegRow,
) -> Result<Option<Value>, Problem> {
    let receipts = context.ledger.receipts(&leg).await?;
    let taken = receipts.iter().find(|row| row.level == ReceiptLevel::R2).map(|row| row.at);
    // To have a copy in the inbox is not to have received it (第30条); to have put it there is to provide it.
    let made = match side {
        ProvisionSide::Provided => leg.created_at,
        ProvisionSide::Received => match taken {
            Some(at) => at,
            None => return Ok(None),
        },
    };
    // Its record had to be kept for three years, which are over.
    if erased(context, &leg).await? {
        return Ok(None);
    }
    let opened = OpenedLeg::of(context, caller.scope(), leg).await?;
    let world = World::load(context, &opened).await?;
    if !needs_record(party(&world.sender), party(&world.recipient)) {
        return Ok(None);
    }
    let people = people(context, caller, &opened, &world, side).await?;
    let other = match side {
        ProvisionSide::Provided => &world.recipient,
        ProvisionSide::Received => &world.sender,
    };
    let leg = &opened.leg;
    let mut record = json!({
        "leg": leg.id, "side": side, "law": side.law(), "consent_obtained": true,
        "provided_at": jst(leg.created_at), "taken_at": taken.map(jst), "other": directory_entry(other),
        "people": people, "sections": opened.body.sent, "state": leg.state,
        "keep_until": keep_until(day_in_japan(made)),
    });
    match side {
        ProvisionSide::Provided => record["consent"] = json!(leg.consent),
        ProvisionSide::Received => record["how_obtained"] = json!(HOW_OBTAINED),
    }
    Ok(Some(record))
}

/// How the sender came by the data is the sender's to say (第30条1項2号); the hub knows who from, and by consent.
const HOW_OBTAINED: &str = "本人等の同意に基づき、差出機関からハブを通じて紹介・連絡として提供を受けた";

/// What the directory knows. Address and representative are not in it, and null says so.
fn directory_entry(row: &AgencyRow) -> Value {
    json!({
        "agency": row.id, "name": row.name, "kind": row.kind, "municipality": row.municipality,
        "corporate_number": row.corporate_number, "address": null, "representative": null,
    })
}

/// Whose data it was: by name, as far as this side may see it now; otherwise by their handle in the leg.
async fn people(
    context: &Context,
    caller: &Caller,
    opened: &OpenedLeg,
    world: &World,
    side: ProvisionSide,
) -> Result<Vec<Value>, Problem> {
    let mask = shown(context, opened, world, caller, side).await?;
    let content = world.content(context, opened, caller.id(), &mask).await?;
    let identity = render(&content, &mask);
    let named = |reference: &str| {
        let mut entries = identity["identity"].as_array().into_iter().flatten();
        entries.find(|entry| entry["subject"] == reference).cloned().unwrap_or_default()
    };
    let of = |subject: &Subject| {
        let entry = named(subject.reference.as_str());
        json!({
            "subject": subject.reference, "role": subject.role, "name": full_name(&entry["name"]),
            "birth_date": entry["birth_date"],
        })
    };
    Ok(world.subjects.iter().filter(|one| about(opened, one)).map(of).collect())
}

/// Whether something of this person, or of the household with this person in it, was sent.
fn about(opened: &OpenedLeg, subject: &Subject) -> bool {
    let mut sections = opened.body.mask.sections();
    sections.any(|(_, shown)| {
        shown.subjects.contains(&None) || shown.subjects.contains(&Some(subject.reference.clone()))
    })
}

/// What of the identity this side may see now. The sender wrote it; a recipient whose consent has ended, or whose
/// copy was taken back, keeps its own record and learns no name here again.
async fn shown(
    context: &Context,
    opened: &OpenedLeg,
    world: &World,
    caller: &Caller,
    side: ProvisionSide,
) -> Result<Mask, Problem> {
    let mut mask = opened.body.mask.clone();
    if side == ProvisionSide::Received {
        let delivery =
            context.ledger.delivery(caller.scope(), opened.leg.delivery).await?.ok_or_else(damaged)?;
        match world.decide(opened, Event::Deliver, context.clock.now()) {
            Ok(Decision { mask: now, .. }) if delivery.state != DeliveryState::Recalled => {
                mask = mask.intersect(&now);
            }
            _ => mask = Mask::EMPTY,
        }
    }
    for section in Section::ALL.iter().filter(|section| **section != Section::Identity) {
        mask = mask.without(*section);
    }
    Ok(mask)
}

impl Records {
    /// The page as the API answers every list.
    pub fn json(self) -> String {
        page(self.items, self.next.map(|id| id.to_string()))
    }

    /// The cursor of the next page.
    pub fn next(&self) -> Option<LegId> {
        self.next
    }

    /// The page as a sheet: UTF-8 with a byte order mark, which spreadsheets of a Japanese desk need.
    ///
    /// # Errors
    /// None but that a sheet cannot be written to memory.
    pub fn csv(&self) -> Result<Vec<u8>, Problem> {
        let mut sheet = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
        let other = match self.side {
            ProvisionSide::Provided => "提供先",
            ProvisionSide::Received => "提供元",
        };
        let heads = ["の名称", "の法人番号", "の住所", "の代表者"].map(|head| format!("{other}{head}"));
        let mut header = vec!["宛先ID", "記録の種類", "提供した日時", "受け取った日時", "本人の同意"];
        header.extend(heads.iter().map(String::as_str));
        header.extend(["本人", "提供した項目", "取得の経緯", "保存期限", "根拠法令"]);
        let mut write = |cells: Vec<String>| sheet.write_record(cells.iter().map(|text| cell(text)));
        let written = write(header.into_iter().map(str::to_owned).collect())
            .and_then(|()| self.items.iter().try_for_each(|item| write(row(item, self.side))));
        written.map_err(|_| damaged())?;
        let body = sheet.into_inner().map_err(|_| damaged())?;
        Ok([b"\xEF\xBB\xBF".as_slice(), &body].concat())
    }
}

fn row(item: &Value, side: ProvisionSide) -> Vec<String> {
    let text = |pointer: &str| item.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let list = |member: &str, each: fn(&Value) -> String| {
        let values = item[member].as_array().into_iter().flatten();
        values.map(each).collect::<Vec<_>>().join("、")
    };
    vec![
        text("/leg"),
        side.label_ja().to_owned(),
        text("/provided_at"),
        text("/taken_at"),
        "得ている".to_owned(),
        text("/other/name"),
        text("/other/corporate_number"),
        text("/other/address"),
        text("/other/representative"),
        list("people", person),
        list("sections", section),
        text("/how_obtained"),
        text("/keep_until"),
        text("/law"),
    ]
}

/// A person by name and birth date, or by the handle in the leg.
fn person(one: &Value) -> String {
    let text = |member: &str| one[member].as_str();
    match (text("name"), text("birth_date")) {
        (Some(name), Some(born)) => format!("{name}（{born}生）"),
        (Some(name), None) => name.to_owned(),
        (None, _) => text("subject").unwrap_or_default().to_owned(),
    }
}

fn section(code: &Value) -> String {
    let section: Option<Section> = code.as_str().and_then(|code| code.parse().ok());
    section.map_or_else(String::new, |section| section.label_ja().to_owned())
}
