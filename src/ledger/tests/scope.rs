//! A foreign record reads exactly like a missing one.

use jiff::Timestamp;

use super::{
    Stage, hand_overs, protections,
    rows::{self, Fill},
    stories,
};
use crate::{
    domain::{
        case::CaseState, delivery::DeliveryState, leg::LegState, receipt::ReceiptLevel,
        referral::ReferralType,
    },
    ledger::{
        Ledger, Rows, Scope, Step, Write,
        agency::{AgencyRow, StaffRow},
        arrangement::ArrangementRow,
        audit::AuditRow,
        case::{CaseEntryRow, CaseRow},
        consent::ConsentRow,
        consultation::ConsultationRow,
        content::DataKeyRow,
        delivery::DeliveryRow,
        hand_over::HandOverRow,
        idempotency::IdempotencyRow,
        leg::{LegRow, Side, Window},
        protection::{ProtectionRow, PutProtection},
        receipt::ReceiptRow,
        referral::{ReferralFilter, ReferralRow},
        subscription::{Channel, PutSubscription},
    },
};

stories!(nothing_of_others_can_be_read, a_list_is_paged_without_gap_or_repeat);

const ALWAYS: Window = Window { from: Timestamp::MIN, before: Timestamp::MAX };

/// One referral with everything around it.
struct World {
    sender: AgencyRow,
    recipient: AgencyRow,
    staff: StaffRow,
    consent: ConsentRow,
    protection: ProtectionRow,
    case: CaseRow,
    consultation: ConsultationRow,
    entry: CaseEntryRow,
    hand_over: HandOverRow,
    arrangement: ArrangementRow,
    referral: ReferralRow,
    leg: LegRow,
    copy: DeliveryRow,
    receipt: ReceiptRow,
    audit: AuditRow,
    key: IdempotencyRow,
}

impl World {
    async fn made(ledger: &Ledger) -> Self {
        let (sender, recipient) = (rows::agency(Fill::Full), rows::agency(Fill::Bare));
        let (referral, consent) = (rows::referral(sender.id, Fill::Full), rows::consent(sender.id));
        let mut leg = rows::leg(sender.id, recipient.id, Fill::Full);
        (leg.referral, leg.consent) = (referral.id, Some(consent.id));
        let case = rows::case(sender.id, Fill::Full);
        let world = Self {
            entry: rows::case_entry(&case, Fill::Bare),
            case,
            consultation: rows::consultation(sender.id, Fill::Bare),
            arrangement: rows::arrangement(sender.id, Fill::Full),
            staff: rows::staff(sender.id),
            copy: rows::delivery(&leg, Fill::Bare),
            receipt: rows::receipt(&leg, ReceiptLevel::R0, 0, Fill::Full),
            audit: rows::audit(sender.id, Fill::Full),
            key: rows::key(sender.id, 1),
            protection: protections::protection(sender.id, Fill::Full),
            hand_over: hand_overs::hand_over(sender.id),
            sender,
            recipient,
            consent,
            referral,
            leg,
        };
        let subscription = PutSubscription(rows::subscription(world.sender.id, Channel::Mail));
        let rows = Rows {
            agencies: vec![world.sender.clone(), world.recipient.clone()],
            staff: vec![world.staff.clone()],
            consents: vec![world.consent.clone()],
            arrangements: vec![world.arrangement.clone()],
            arrangement_members: vec![rows::arrangement_member(
                world.arrangement.id,
                world.recipient.id,
                Fill::Full,
            )],
            referrals: vec![world.referral.clone()],
            legs: vec![world.leg.clone()],
            deliveries: vec![world.copy.clone()],
            receipts: vec![world.receipt.clone()],
            audits: vec![world.audit.clone()],
            cases: vec![world.case.clone()],
            case_entries: vec![world.entry.clone()],
            data_keys: vec![DataKeyRow {
                id: world.consultation.data_key,
                ..rows::data_key(world.sender.id)
            }],
            consultations: vec![world.consultation.clone()],
            ..Rows::default()
        };
        ledger.write(Write { key: Some(world.key.clone()), ..rows::write(rows) }).await.unwrap();
        let protection = PutProtection(world.protection.clone());
        let hand_over = hand_overs::claim(&world.hand_over, None);
        let steps = vec![Step::PutSubscription(subscription), Step::PutProtection(protection), hand_over];
        ledger.write(Write { steps, ..Write::default() }).await.unwrap();
        world
    }

    /// Which reads show something to this agency.
    async fn seen_by(&self, ledger: &Ledger, scope: Scope) -> Vec<&'static str> {
        let kind = ReferralFilter::OfKind(ReferralType::Introduction);
        let state = ReferralFilter::WithLegIn(LegState::Requested);
        let waiting = DeliveryState::Waiting;
        let requested = LegState::Requested;
        let reads = [
            ("staff", ledger.staff(scope, self.staff.id).await.unwrap().is_some()),
            ("staff list", !ledger.staff_list(scope, None, 9).await.unwrap().is_empty()),
            ("consent", ledger.consent(scope, self.consent.id).await.unwrap().is_some()),
            ("consents", !ledger.consents(scope, None, 9).await.unwrap().is_empty()),
            ("protection", ledger.protection(scope, self.protection.id).await.unwrap().is_some()),
            ("protections", !ledger.protections(scope, None, 9).await.unwrap().is_empty()),
            ("case", ledger.case(scope, self.case.id).await.unwrap().is_some()),
            ("cases", !ledger.cases(scope, CaseState::Open, None, 9).await.unwrap().is_empty()),
            ("cases of one", self.cases_of(ledger, scope).await),
            ("entry", ledger.case_entry(scope, self.entry.id).await.unwrap().is_some()),
            ("consultation", ledger.consultation(scope, self.consultation.id).await.unwrap().is_some()),
            ("consultations", !ledger.consultations(scope, ALWAYS, None, 9).await.unwrap().is_empty()),
            ("hand-over", ledger.hand_over(scope, self.hand_over.case_id).await.unwrap().is_some()),
            ("arrangement", ledger.arrangement(scope, self.arrangement.id).await.unwrap().is_some()),
            ("arrangements", !ledger.arrangements(scope, None, 9).await.unwrap().is_empty()),
            ("referral", ledger.referral(scope, self.referral.id).await.unwrap().is_some()),
            ("referrals", !ledger.referrals(scope, ReferralFilter::All, None, 9).await.unwrap().is_empty()),
            ("referrals of a kind", !ledger.referrals(scope, kind, None, 9).await.unwrap().is_empty()),
            ("referrals by leg", !ledger.referrals(scope, state, None, 9).await.unwrap().is_empty()),
            ("leg", ledger.leg(scope, self.leg.id).await.unwrap().is_some()),
            ("legs sent", !ledger.legs(scope, Side::Sender, requested, None, 9).await.unwrap().is_empty()),
            ("legs got", !ledger.legs(scope, Side::Recipient, requested, None, 9).await.unwrap().is_empty()),
            ("delivery", ledger.delivery(scope, self.copy.id).await.unwrap().is_some()),
            ("inbox", !ledger.inbox(scope, waiting, None, 9).await.unwrap().is_empty()),
            ("waiting", ledger.waiting_count(scope).await.unwrap() != 0),
            ("receipt", self.receipt_for(ledger, scope).await),
            ("audit", !ledger.audit_of(scope, &self.audit.subject, 9).await.unwrap().is_empty()),
            ("key", ledger.used_key(scope, &self.key.key_hash).await.unwrap().is_some()),
            ("subscriptions", !ledger.subscriptions(scope).await.unwrap().is_empty()),
        ];
        reads.into_iter().filter(|(_, seen)| *seen).map(|(name, _)| name).collect()
    }

    async fn cases_of(&self, ledger: &Ledger, scope: Scope) -> bool {
        let staff = self.case.responsible;
        !ledger.cases_of(scope, CaseState::Open, staff, None, 9).await.unwrap().is_empty()
    }

    async fn receipt_for(&self, ledger: &Ledger, scope: Scope) -> bool {
        ledger.receipt(scope, &self.receipt.subject, self.receipt.level).await.unwrap().is_some()
    }
}

async fn nothing_of_others_can_be_read(stage: Stage) {
    let (ledger, _work) = stage.running(1).await;
    let world = World::made(&ledger).await;
    let other = World::made(&ledger).await;
    let sender = world.seen_by(&ledger, Scope::of(world.sender.id)).await;
    let of_the_sender = [
        "staff",
        "staff list",
        "consent",
        "consents",
        "protection",
        "protections",
        "case",
        "cases",
        "cases of one",
        "entry",
        "consultation",
        "consultations",
        "hand-over",
        "arrangement",
        "arrangements",
        "referral",
        "referrals",
        "referrals of a kind",
        "referrals by leg",
        "leg",
        "legs sent",
        "receipt",
        "audit",
        "key",
        "subscriptions",
    ];
    assert_eq!(sender, of_the_sender);
    let recipient = world.seen_by(&ledger, Scope::of(world.recipient.id)).await;
    assert_eq!(
        recipient,
        ["arrangement", "arrangements", "leg", "legs got", "delivery", "inbox", "waiting", "receipt"]
    );
    assert!(world.seen_by(&ledger, Scope::of(rows::id())).await.is_empty(), "an agency nobody knows");
    // A busy neighbour sees lists of its own, and by id nothing of this world.
    let neighbour = Scope::of(other.sender.id);
    let seen = world.seen_by(&ledger, neighbour).await;
    let lists = [
        "staff list",
        "consents",
        "protections",
        "cases",
        "consultations",
        "arrangements",
        "referrals",
        "referrals of a kind",
        "referrals by leg",
        "legs sent",
        "key",
        "subscriptions",
    ];
    assert_eq!(seen, lists, "the key is the neighbour's own of the same text");
    let own = ledger.referrals(neighbour, ReferralFilter::All, None, 9).await.unwrap();
    assert_eq!(own.iter().map(|row| row.id).collect::<Vec<_>>(), [other.referral.id]);
    let missing = ledger.leg(Scope::of(world.sender.id), rows::id()).await.unwrap();
    let foreign = ledger.leg(Scope::of(world.sender.id), other.leg.id).await.unwrap();
    assert!(missing.is_none() && foreign.is_none());
}

async fn a_list_is_paged_without_gap_or_repeat(stage: Stage) {
    let (ledger, _work) = stage.running(1).await;
    let (sender, recipient) = (rows::id(), rows::id());
    let legs: Vec<LegRow> = (0..11).map(|_| rows::leg(sender, recipient, Fill::Bare)).collect();
    let deliveries = legs.iter().map(|leg| rows::delivery(leg, Fill::Bare)).collect();
    let rows = Rows { legs: legs.clone(), deliveries, ..Rows::default() };
    ledger.write(rows::write(rows)).await.unwrap();
    let mut expected: Vec<_> = legs.iter().map(|leg| leg.id).collect();
    let (mut inbox, mut after) = (Vec::new(), None);
    loop {
        let page = ledger.inbox(Scope::of(recipient), DeliveryState::Waiting, after, 4).await.unwrap();
        after = page.last().map(|row| row.leg);
        inbox.extend(page.iter().map(|row| row.leg));
        if page.is_empty() {
            break;
        }
    }
    expected.sort_unstable();
    assert_eq!(inbox, expected, "oldest first");
    let (mut sent, mut before) = (Vec::new(), None);
    loop {
        let page =
            ledger.legs(Scope::of(sender), Side::Sender, LegState::Requested, before, 4).await.unwrap();
        before = page.last().map(|row| row.id);
        sent.extend(page.iter().map(|row| row.id));
        if page.is_empty() {
            break;
        }
    }
    expected.reverse();
    assert_eq!(sent, expected, "newest first");
}
