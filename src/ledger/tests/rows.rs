//! Rows to write. Every value of a column differs from its neighbours, so that two columns cannot change places
//! unseen; what no story looks at is made up here.

mod access;
mod access_request;
mod arrangement;
mod case;
mod erased;
mod recalled;

use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    clock::Clock,
    domain::{
        agency::{AgencyKind, Body},
        basis::BasisCode,
        basis_state::ConsentState,
        chain::Hash,
        consent::ConsentMethod,
        delivery::DeliveryState,
        ids::{AgencyId, ConsentId, LegId, ReferralId},
        leg::LegState,
        purpose::AccessPurpose,
        receipt::ReceiptLevel,
        referral::{ReferralType, Urgency},
        service::{AgeCounts, ServiceKind},
        staff::StaffRole,
    },
    ledger::{
        Rows, Step, Write,
        agency::{AgencyRow, NameKeyRow, StaffRow},
        audit::{AuditAction, AuditRow},
        consent::{ConsentEventRow, ConsentRow, HoldConsent},
        content::{ContentRow, DataKeyRow},
        delivery::DeliveryRow,
        idempotency::IdempotencyRow,
        job::{JobKind, JobRow, JobState},
        leg::{LegEventRow, LegRow, ManifestRow, MoveLeg},
        receipt::ReceiptRow,
        referral::{ReferralEventRow, ReferralRow},
        service::{ServiceRow, UpdateService},
        sign_in::{SessionRow, SignInRow},
        subscription::{Channel, ChannelMode, SubscriptionRow},
    },
};

pub use access::{break_glass, relation};
pub use access_request::{access_request, access_request_version};
pub use arrangement::*;
pub use case::*;
pub use erased::{erasure, hold as placed_hold, node, retired_kek, shred};
pub use recalled::{holding, incident, statutory};

/// Whether the columns that may be NULL are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    Full,
    Bare,
}

impl Fill {
    fn of<T>(self, value: T) -> Option<T> {
        (self == Self::Full).then_some(value)
    }
}

pub fn id<T: From<Uuid>>() -> T {
    Clock::System.new_id()
}

/// A moment `seconds` after one of 2026, with microseconds that a rounding would lose.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_microsecond(1_790_000_000_123_457 + seconds * 1_000_000).unwrap()
}

pub const fn hash(byte: u8) -> Hash {
    Hash::new([byte; 32])
}

pub fn agency(fill: Fill) -> AgencyRow {
    AgencyRow {
        id: id(),
        kind: AgencyKind::FamilyCentre,
        name: "鶴見区こども家庭センター".to_owned(),
        municipality: "141003".parse().unwrap(),
        corporate_number: fill.of("3000020141003".to_owned()),
        body: Body::Public,
        contractor_of: fill.of("131016".parse().unwrap()),
        active: 1,
        secret_mac: hash(1),
        data_key: id(),
        version: 1,
        created_at: at(1),
    }
}

pub fn staff(agency: AgencyId) -> StaffRow {
    StaffRow {
        id: id(),
        agency,
        role: StaffRole::Coordinator,
        active: 1,
        name: vec![0, 159, 255],
        created_at: at(2),
    }
}

pub fn subscription(agency: AgencyId, channel: Channel) -> SubscriptionRow {
    SubscriptionRow {
        agency,
        channel,
        mode: ChannelMode::Doorbell,
        settings: vec![],
        version: 1,
        changed_at: at(3),
    }
}

pub fn service(fill: Fill) -> ServiceRow {
    ServiceRow {
        id: id(),
        source: "yokohama".to_owned(),
        number: id::<LegId>().to_string(),
        kind: ServiceKind::Nursery,
        name: "つるみ保育園".to_owned(),
        municipality: "141003".parse().unwrap(),
        ward: fill.of("鶴見区".to_owned()),
        as_of: fill.of("2026-02-01".parse().unwrap()),
        accepting: AgeCounts::new([Some(0), Some(3), None, None, Some(12), None]),
        waiting: AgeCounts::UNKNOWN,
        enrolled: AgeCounts::new([Some(9); 6]),
        changed_at: at(4),
    }
}

pub fn name_key(agency: AgencyId) -> NameKeyRow {
    NameKeyRow { agency, name_key: "鶴見中央保育園".to_owned() }
}

pub fn data_key(agency: AgencyId) -> DataKeyRow {
    DataKeyRow { id: id(), agency, kek: "2026-11".to_owned(), wrapped: vec![7; 60] }
}

pub fn consent(owner: AgencyId) -> ConsentRow {
    ConsentRow {
        id: id(),
        owner,
        version: 1,
        state: ConsentState::Active,
        purpose: ReferralType::Introduction,
        first_at: at(5),
        last_at: at(6),
        data_key: id(),
        body: vec![1, 2, 3],
        uses: 0,
        changed_at: at(7),
    }
}

pub fn consent_event(consent: ConsentId, version: i64) -> ConsentEventRow {
    ConsentEventRow {
        consent,
        version,
        state: ConsentState::Active,
        method: ConsentMethod::Oral,
        staff: id(),
        at: at(8),
        jws: None,
    }
}

pub fn referral(owner: AgencyId, fill: Fill) -> ReferralRow {
    ReferralRow {
        id: id(),
        owner,
        kind: ReferralType::Introduction,
        urgency: Urgency::Ordinary,
        source_mac: fill.of(hash(2)),
        case_id: fill.of(id()),
        written_by: id(),
        data_key: id(),
        compartment_key: fill.of(id()),
        head_seq: 1,
        head_hash: hash(3),
        created_at: at(9),
    }
}

pub fn referral_event(referral: ReferralId, seq: i64, fill: Fill) -> ReferralEventRow {
    ReferralEventRow {
        referral,
        seq,
        kind: "submitted".to_owned(),
        body: vec![4, 5],
        prev_hash: fill.of(hash(4)),
        hash: hash(5),
        at: at(10),
    }
}

pub fn content(referral: ReferralId, part: &str) -> ContentRow {
    ContentRow { referral, part: part.to_owned(), version: 1, sealed: vec![6; 300] }
}

pub fn leg(sender: AgencyId, recipient: AgencyId, fill: Fill) -> LegRow {
    LegRow {
        id: id(),
        referral: id(),
        place: 2,
        sender,
        recipient,
        delivery: Clock::System.new_random_id(),
        kind: ReferralType::Introduction,
        urgency: Urgency::Soon,
        basis: fill.of(BasisCode::Consent),
        consent: fill.of(id()),
        consent_version: fill.of(3),
        state: LegState::Requested,
        head_seq: 1,
        head_hash: hash(6),
        last_receipt: hash(7),
        manifest_hash: hash(8),
        commitment: hash(9),
        clock_kind: fill.of("safety".to_owned()),
        clock_started: fill.of(at(11)),
        clock_due: fill.of(at(12)),
        reply_by: fill.of(at(13)),
        body: vec![8, 0, 8],
        created_at: at(14),
        changed_at: at(15),
    }
}

pub fn leg_event(leg: LegId, seq: i64, fill: Fill) -> LegEventRow {
    LegEventRow {
        leg,
        seq,
        kind: "submit".to_owned(),
        from_state: LegState::Draft,
        to_state: LegState::Requested,
        agency: fill.of(id()),
        staff: fill.of(id()),
        body: fill.of(vec![9]),
        commitment: fill.of(hash(10)),
        prev_hash: fill.of(hash(11)),
        hash: hash(12),
        jws: fill.of("e30.e30.c2ln".to_owned()),
        at: at(16),
    }
}

pub fn manifest(leg: LegId) -> ManifestRow {
    ManifestRow { leg, version: 1, jws: "bWFuaWZlc3Q.e30.c2ln".to_owned() }
}

/// The copy of a leg for its recipient.
pub fn delivery(leg: &LegRow, fill: Fill) -> DeliveryRow {
    DeliveryRow {
        release_at: fill.of(at(5)),
        released_at: fill.of(at(6)),
        id: leg.delivery,
        leg: leg.id,
        seq: 1,
        recipient: leg.recipient,
        urgency: leg.urgency,
        state: DeliveryState::Waiting,
        disclosed_at: fill.of(at(17)),
        created_at: at(18),
        changed_at: at(19),
    }
}

pub fn receipt(leg: &LegRow, level: ReceiptLevel, ends: i64, fill: Fill) -> ReceiptRow {
    let of_the_leg = matches!(level, ReceiptLevel::R4 | ReceiptLevel::Closed);
    ReceiptRow {
        subject: if of_the_leg { leg.id.to_string() } else { leg.delivery.to_string() },
        level,
        id: id(),
        leg: leg.id,
        ends,
        jws: "cmVjZWlwdA.e30.c2ln".to_owned(),
        sender_jws: fill.of("c2VuZGVy.e30.c2ln".to_owned()),
        at: at(20),
    }
}

pub fn sign_in(staff: &StaffRow, fill: Fill) -> SignInRow {
    SignInRow {
        staff: staff.id,
        agency: staff.agency,
        login: token(),
        password: "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA".to_owned(),
        failures: 3,
        locked_until: fill.of(at(30)),
        version: 4,
        changed_at: at(31),
    }
}

pub fn session(agency: AgencyId) -> SessionRow {
    SessionRow {
        token: token(),
        staff: id(),
        agency,
        created_at: at(32),
        used_at: at(33),
        expires_at: at(34),
    }
}

/// A hash that no other row has.
fn token() -> Hash {
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(id::<LegId>().uuid().as_bytes());
    Hash::new(bytes)
}

pub fn audit(agency: AgencyId, fill: Fill) -> AuditRow {
    AuditRow {
        id: id(),
        agency,
        staff: fill.of(id()),
        action: AuditAction::Submit,
        subject: id::<LegId>().to_string(),
        decision: "allowed".to_owned(),
        at: at(21),
        purpose: fill.of(AccessPurpose::SafetyCheck),
    }
}

/// A doorbell that is due at `at(0)`.
pub fn job(subject: &str, fill: Fill) -> JobRow {
    JobRow {
        id: id(),
        kind: JobKind::Waiting,
        dedup: id::<LegId>().to_string(),
        agency: id(),
        subject: subject.to_owned(),
        rank: 1,
        state: JobState::Ready,
        attempts: 0,
        epoch: 0,
        next_at: at(0),
        lease_until: at(0),
        reason: fill.of("broker_down".to_owned()),
        created_at: at(22),
    }
}

pub fn key(agency: AgencyId, byte: u8) -> IdempotencyRow {
    IdempotencyRow {
        agency,
        key_hash: hash(byte),
        route: "POST /v1/referrals".to_owned(),
        body_mac: hash(13),
        answer: "staff:x".to_owned(),
        at: at(23),
    }
}

/// A write of rows only.
pub fn write(rows: Rows) -> Write {
    Write { rows, ..Write::default() }
}

/// A write whose only trace is one audit entry.
pub fn note(agency: AgencyId) -> Write {
    write(Rows { audits: vec![audit(agency, Fill::Bare)], ..Rows::default() })
}

/// A write that leaves a note if all its steps can be taken.
pub fn steps(agency: AgencyId, steps: Vec<Step>) -> Write {
    Write { steps, ..note(agency) }
}

/// Moves a leg on by one event from where it was read.
pub fn next(leg: &LegRow) -> Step {
    Step::MoveLeg(MoveLeg {
        id: leg.id,
        from_seq: leg.head_seq,
        to_seq: leg.head_seq + 1,
        state: LegState::Received,
        head_hash: hash(14),
        last_receipt: hash(15),
        at: at(24),
    })
}

pub fn hold(consent: &ConsentRow) -> Step {
    Step::HoldConsent(HoldConsent { id: consent.id, version: consent.version })
}

pub fn update(service: &ServiceRow) -> Step {
    Step::UpdateService(Box::new(UpdateService(service.clone())))
}
