//! The decision cases of domain.md 7.6, groups A to E and the placement rows of H, by their
//! numbers. Cases about concealment, ledger reads, searches and doorbells belong elsewhere.

use serde_json::json;
use uuid::Uuid;

use super::{
    world::{B, World, agency, person, sections},
    *,
};
use crate::domain::{
    agency::AgencyKind,
    basis_state::ConsentState,
    consent::{
        Capacity, ConsentMethod, Line, LineDecision,
        custody::{Act, Custody, CustodyKind, DailyActs, OtherCustodian, SoleGround},
    },
    subject::SubjectRole,
};

type Case = (&'static str, fn(&mut World), &'static str);

fn check(cases: &[Case]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(id, arrange, expected)| {
            let mut world = World::new();
            arrange(&mut world);
            let answer = world.answer();
            (answer != *expected).then(|| format!("{id}: expected {expected}, got {answer}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// No basis, no consent, nothing about anybody.
fn nameless(w: &mut World, kind: ReferralType) {
    (w.kind, w.basis, w.consent) = (kind, None, None);
    w.subjects.clear();
    w.ask("");
}

/// MONITOR from nursery B to C, about the narrative, under a consent of that purpose.
fn monitoring(w: &mut World) {
    w.between(AgencyKind::Nursery, AgencyKind::Kyoten);
    w.consented("NR");
    w.kind = ReferralType::Monitoring;
    w.consent().purpose = ReferralType::Monitoring;
    w.ask("NR");
}

/// The mother, the child and a father who gave no consent.
fn with_father(w: &mut World) {
    w.consented("ID CT HL");
    w.subjects.push(person("father", SubjectRole::Guardian, None));
}

#[test]
#[rustfmt::skip]
fn group_a_no_personal_data() {
    check(&[
        ("DC-001", |w| nameless(w, ReferralType::SelfContact), "ALLOW"),
        ("DC-002", |w| { nameless(w, ReferralType::SelfContact); w.asked = sections("ID"); }, "REFUSE MODE_NO_PERSONAL_DATA"),
        ("DC-003", |w| { w.kind = ReferralType::SelfContact; w.subjects.clear(); w.ask(""); }, "ALLOW"),
        ("DC-004", |w| nameless(w, ReferralType::Information), "ALLOW"),
        ("DC-005", |w| w.basis = None, "REFUSE NO_BASIS"),
        ("DC-006", |w| w.basis = Some("no consent needed"), "REFUSE BASIS_UNKNOWN"),
        ("a declared person is personal data too", |w| { w.kind = ReferralType::SelfContact; w.ask(""); }, "REFUSE MODE_NO_PERSONAL_DATA"),
        ("so is content nobody asks for", |w| { w.kind = ReferralType::SelfContact; w.subjects.clear(); w.asked = Sections::NONE; }, "REFUSE MODE_NO_PERSONAL_DATA"),
    ]);
}

#[test]
#[rustfmt::skip]
fn group_b_consent() {
    check(&[
        ("DC-007", |_| {}, "ALLOW identity contact narrative(summary)"),
        ("DC-008", |w| w.ask("ID CT NR HL"), "ALLOW identity contact narrative(summary); -health W_NOT_CONSENTED"),
        ("DC-009", |w| { w.consented("ID CT NR HL"); w.ask("ID CT HL") }, "ALLOW identity contact health"),
        ("DC-010", |w| { w.consented("ID CT NR AD"); w.ask("ID CT AD") }, "ALLOW identity contact address(town)"),
        ("DC-011", |w| { w.between(AgencyKind::Kyoten, AgencyKind::FamilySupport); w.consented("ID CT NR AD"); w.ask("ID CT AD"); w.address_needed_because = Some("送迎") }, "ALLOW identity contact address"),
        ("DC-012", |w| w.consent = None, "REFUSE CONSENT_MISSING"),
        ("DC-013", |w| w.consent().state = ConsentState::Refused, "REFUSE CONSENT_MISSING"),
        ("DC-014", |w| w.at = "2026-12-01T09:00:00+09:00", "REFUSE CONSENT_EXPIRED"),
        ("DC-015", |w| { w.at = "2026-11-30T23:30:00+09:00"; w.ask("ID CT") }, "ALLOW identity contact"),
        ("DC-016", |w| w.opened("2026-12-01T08:30:00+09:00", false), "REFUSE CONSENT_EXPIRED"),
        ("DC-017", |w| w.at = "2026-08-31T10:00:00+09:00", "REFUSE CONSENT_NOT_YET"),
        ("DC-018", |w| w.withdrawn(), "REFUSE CONSENT_WITHDRAWN"),
        ("DC-019", |w| { w.event = Event::Deliver; w.at = "2026-10-15T09:01:00+09:00"; w.withdrawn() }, "REFUSE CONSENT_WITHDRAWN"),
        ("DC-020", |w| { w.between(AgencyKind::Kyoten, AgencyKind::DevelopmentCentre); w.opened("2026-10-15T10:00:00+09:00", false); w.withdrawn() }, "REFUSE CONSENT_WITHDRAWN"),
        ("DC-022", |w| w.withdrawn(), "REFUSE CONSENT_WITHDRAWN"),
        ("DC-023", |w| { monitoring(w); w.withdrawn() }, "REFUSE CONSENT_WITHDRAWN"),
        ("DC-024", |w| w.consent().recipients = vec![agency(7, AgencyKind::Nursery).id, agency(8, AgencyKind::Nursery).id], "REFUSE CONSENT_PARTY"),
        ("DC-025", |w| w.consent().recipients.clear(), "REFUSE CONSENT_PARTY"),
        ("DC-026", |w| { w.sender = agency(B, AgencyKind::Nursery); w.recipient = agency(11, AgencyKind::Nursery) }, "REFUSE CONSENT_PARTY"),
        ("DC-027", |w| { monitoring(w); w.consent().purpose = ReferralType::Introduction }, "REFUSE CONSENT_PURPOSE"),
        ("DC-028", monitoring, "ALLOW narrative(summary)"),
        ("DC-029", |w| { monitoring(w); w.at = "2026-12-05T10:00:00+09:00" }, "REFUSE CONSENT_EXPIRED"),
        ("DC-030", |w| { w.consented("ID CT"); w.ask("HL") }, "REFUSE CONSENT_ITEMS"),
        ("DC-031", |w| { with_father(w); w.ask("ID CT HL"); w.outline = w.outline_without_father(&[Section::Identity, Section::Contact]) }, "ALLOW identity contact health; -health/father W_OTHER_PERSON"),
        ("DC-032", |w| { with_father(w); w.asked = sections("HL"); w.outline = [(Section::Health, Some("father".parse().unwrap()))].into_iter().collect() }, "REFUSE CONSENT_SUBJECT"),
        ("DC-033", |w| { w.sender = agency(B, AgencyKind::DevelopmentCentre); w.recipient = agency(12, AgencyKind::Nursery); w.ask("ID HL") }, "REFUSE CONSENT_PARTY"),
        ("DC-034", |w| { w.consent().method = ConsentMethod::Oral; w.ask("ID CT") }, "ALLOW identity contact"),
        ("DC-035", |w| { w.consent().interpreted = true; w.ask("ID CT") }, "ALLOW identity contact"),
        ("DC-036", |w| { w.between(AgencyKind::Nursery, AgencyKind::Medical); w.consented("ID CT NR HL"); w.ask("ID HL") }, "ALLOW identity health"),
        ("DC-037", |w| { w.between(AgencyKind::Nursery, AgencyKind::FamilyCentre); w.consented("ID CT NR") }, "ALLOW identity contact narrative"),
        ("DC-038", |w| { w.between(AgencyKind::Kyoten, AgencyKind::PostnatalCare); w.consent().recipients.push(agency(7, AgencyKind::PostnatalCare).id) }, "ALLOW identity contact narrative(summary)"),
        ("DC-039", |w| { w.consented("ID CT NR HL"); w.ask("ID HL"); w.approved_by = None }, "REFUSE APPROVER_REQUIRED"),
        ("the writer is no second person", |w| { w.consented("ID HL"); w.ask("ID HL"); w.approved_by = Some(StaffId::new(Uuid::from_u128(98))) }, "REFUSE APPROVER_REQUIRED"),
        ("a second person looks before sending, not at each opening", |w| { w.consented("ID HL"); w.ask("ID HL"); w.approved_by = None; w.opened("2026-10-16T10:00:00+09:00", false) }, "ALLOW identity health"),
        ("withheld health needs no second person", |w| { w.ask("ID HL"); w.approved_by = None }, "ALLOW identity; -health W_NOT_CONSENTED"),
        ("money matters pass where the consent names them", |w| { w.consented("EC"); w.ask("EC") }, "ALLOW economic"),
        ("the notifier never goes by consent", |w| { w.consented("ID NT"); w.ask("ID NT") }, "ALLOW identity; -notifier W_SEALED"),
        ("nor alone", |w| { w.consented("NT"); w.ask("NT"); w.opened("2026-10-15T10:00:00+09:00", true) }, "REFUSE NOTIFIER_SEALED"),
        ("a relative does not open", |w| w.event = Event::Open(Opener { duty_desk: false, related: true }), "REFUSE CONFLICT_OF_INTEREST"),
        ("a recalled leg", |w| w.recalled = true, "REFUSE RECALLED"),
        ("the first day begins at midnight", |w| { w.at = "2026-09-01T00:00:00+09:00"; w.ask("ID") }, "ALLOW identity"),
        ("the last day ends at midnight", |w| { w.at = "2026-12-01T00:00:00+09:00"; w.ask("ID") }, "REFUSE CONSENT_EXPIRED"),
        ("another sender to the recipient named", |w| w.sender = agency(7, AgencyKind::Kyoten), "REFUSE CONSENT_PARTY"),
        ("the consent of another case", |w| { w.consent().case = Some(CaseId::new(Uuid::from_u128(6))); w.ask("NR") }, "REFUSE CONSENT_SUBJECT"),
        ("nothing was asked", |w| w.ask(""), "REFUSE MASK_EMPTY"),
        ("a basis not decided yet", |w| w.basis = Some("YOTAIKYO"), "REFUSE BASIS_UNDECIDED"),
    ]);
}

#[test]
#[rustfmt::skip]
fn group_c_capacity() {
    check(&[
        ("DC-040", |w| { w.given_by(Capacity::OtherRelative, None); w.ask("ID CT") }, "REFUSE CONSENT_CAPACITY"),
        ("DC-041", |w| { w.given_by(Capacity::MinorsGuardian, Some("mother")); w.ask("ID CT") }, "ALLOW identity contact"),
        ("DC-042", |w| { w.between(AgencyKind::ChildrensHome, AgencyKind::Medical); w.about(person("child-1", SubjectRole::Child, Some("2017-04-01"))); w.consented("ID HL"); w.given_by(Capacity::FacilityHead, None); w.ask("ID HL") }, "ALLOW identity health"),
        ("DC-043", |w| { w.between(AgencyKind::Medical, AgencyKind::FamilyCentre); w.about(person("girl", SubjectRole::Pregnant, Some("2009-03-10"))); w.consented("ID CT NR HL"); w.given_by(Capacity::Oneself, Some("girl")); w.ask("ID CT NR HL") }, "ALLOW identity contact narrative health"),
        ("DC-044", |w| { w.between(AgencyKind::Medical, AgencyKind::FamilyCentre); w.about(person("girl", SubjectRole::Pregnant, Some("2011-06-20"))); w.consented("ID CT HL"); w.given_by(Capacity::Oneself, Some("girl")); w.ask("ID CT HL") }, "REFUSE CONSENT_CAPACITY"),
        ("DC-046", |w| { w.between(AgencyKind::Kyoten, AgencyKind::PostnatalCare); w.about(person("mother", SubjectRole::Guardian, Some("2010-02-01"))); w.consented("ID CT NR"); w.given_by(Capacity::Oneself, Some("mother")); w.ask("ID CT NR") }, "ALLOW identity contact narrative(summary)"),
        ("DC-047", |w| { w.about(person("mother", SubjectRole::Guardian, Some("2009-03-10"))); w.consented("ID CT NR"); w.given_by(Capacity::Parent, None); w.ask("ID CT") }, "REFUSE CONSENT_CAPACITY"),
        ("DC-048", |w| { w.between(AgencyKind::Kyoten, AgencyKind::DevelopmentCentre); w.about(person("child-1", SubjectRole::Child, Some("2014-05-05"))); w.consented("ID CT NR HL"); w.given_by(Capacity::Parent, None); w.ask("ID HL") }, "ALLOW identity health"),
        ("DC-049", |w| { w.between(AgencyKind::Kyoten, AgencyKind::Medical); w.about(person("child-1", SubjectRole::Child, Some("2008-10-01"))); w.consented("ID HL"); w.consent().first_day = "2026-04-01".parse().unwrap(); w.given_by(Capacity::Parent, None); w.ask("HL") }, "REFUSE CONSENT_CAPACITY"),
        ("a leg about the sibling of age alone", |w| { let child = w.subjects[1].clone(); w.about(person("child-2", SubjectRole::Child, Some("2008-10-01"))); w.ask("HL"); w.subjects.push(child); w.consented("HL") }, "REFUSE CONSENT_CAPACITY"),
        ("one sibling has come of age, the other has not", |w| { w.subjects.push(person("child-2", SubjectRole::Child, Some("2008-10-01"))); w.consented("ID"); w.ask("ID") }, "ALLOW identity; -identity/child-2 W_OTHER_PERSON"),
    ]);
}

/// CS of group D: custody is joint, and the family wants to do this.
fn joint(w: &mut World, kind: CustodyKind, other: OtherCustodian, act: Act) {
    w.consent().custody = Some(Custody { kind, other: Some(other), ground: None });
    w.consent().act = Some(act);
    w.consent = w.consent.take().map(|consent| consent.judged_by(&DailyActs::default()));
}

/// A father who objects after a divorce with joint custody; the leg carries health data to this recipient.
fn objection(w: &mut World, recipient: AgencyKind, act: Act, ground: Option<SoleGround>) {
    w.between(AgencyKind::Kyoten, recipient);
    w.consented("ID CT NR HL");
    joint(w, CustodyKind::JointAfterDivorce, OtherCustodian::Objects, act);
    w.consent().custody.as_mut().unwrap().ground = ground;
    w.ask("ID HL");
}

#[test]
#[rustfmt::skip]
fn group_d_custody() {
    use {Act as A, AgencyKind as K, CustodyKind as C, OtherCustodian as O, SoleGround as G};
    check(&[
        ("DC-051", |w| objection(w, K::DevelopmentCentre, A::Consultation, None), "REFUSE CONSENT_CUSTODY"),
        ("DC-052", |w| objection(w, K::Medical, A::MinorIllness, Some(G::Urgent)), "ALLOW identity health"),
        ("DC-053", |w| objection(w, K::DevelopmentCentre, A::Consultation, Some(G::Daily)), "ALLOW identity health"),
        ("DC-054", |w| { objection(w, K::Nursery, A::ChangeOfResidence, Some(G::Daily)); w.ask("ID CT") }, "REFUSE CONSENT_CUSTODY"),
        ("DC-055", |w| { objection(w, K::DevelopmentCentre, A::Therapy, Some(G::CannotAct)); w.consent().custody.as_mut().unwrap().other = Some(O::NotAsked) }, "ALLOW identity health"),
        ("DC-056", |w| { joint(w, C::SoleAfterViolence, O::Objects, A::NurseryPlace); w.ask("ID CT") }, "ALLOW identity contact"),
        ("DC-057", |w| { joint(w, C::JointMarried, O::NoObjection, A::TemporaryCare); w.ask("ID CT") }, "ALLOW identity contact"),
        ("DC-058", |w| joint(w, C::JointMarried, O::NotAsked, A::Residential), "REFUSE CONSENT_CUSTODY"),
        ("both custodians consented", |w| { joint(w, C::JointMarried, O::Agrees, A::Residential); w.ask("ID") }, "ALLOW identity"),
        ("custody was not recorded", |w| w.consent().custody = None, "REFUSE CONSENT_CUSTODY"),
        ("a guardian has no custody to record", |w| { w.consent().custody = None; w.given_by(Capacity::MinorsGuardian, None); w.about(w.subjects[1].clone()); w.ask("ID") }, "ALLOW identity"),
        ("the mother's own data need no father", |w| { joint(w, C::JointMarried, O::Objects, A::Residential); w.about(w.subjects[0].clone()); w.ask("ID CT") }, "ALLOW identity contact"),
        ("the household's story is the child's too", |w| { joint(w, C::JointMarried, O::Objects, A::Residential); w.ask("NR") }, "REFUSE CONSENT_CUSTODY"),
        ("an objection known at the opening", |w| { objection(w, K::DevelopmentCentre, A::Consultation, None); w.opened("2026-10-16T10:00:00+09:00", false) }, "REFUSE CONSENT_CUSTODY"),
        ("capacity comes before custody", |w| { w.given_by(Capacity::OtherRelative, None); w.consent().custody = None }, "REFUSE CONSENT_CAPACITY"),
        ("custody comes before the parties", |w| { objection(w, K::Medical, A::Other, None); w.consent().recipients.clear() }, "REFUSE CONSENT_CUSTODY"),
        ("a tenant with a longer list", |w| { joint(w, C::JointMarried, O::NotAsked, A::Residential); let list = DailyActs::try_from(vec![A::Residential]).unwrap(); w.consent = w.consent.take().map(|c| c.judged_by(&list)); w.ask("ID") }, "ALLOW identity"),
    ]);
}

/// A line of its own for one person.
fn line(w: &mut World, subject: &str, decision: LineDecision, giver: Option<&str>, capacity: Capacity) {
    let giver = giver.map(|g| g.parse().unwrap());
    let line = Line { decision, giver, capacity, custody: Some(Custody::SOLE), guardian: None };
    w.consent().lines.insert(subject.parse().unwrap(), line);
}

#[test]
#[rustfmt::skip]
fn lines_of_their_own() {
    use {Capacity as C, LineDecision as L};
    check(&[
        ("the father consents for himself", |w| { w.consented("ID CT HL"); w.subjects.push(person("father", SubjectRole::Guardian, None)); line(w, "father", L::Given, Some("father"), C::Oneself); w.ask("ID HL") }, "ALLOW identity health"),
        ("the father said no", |w| { w.subjects.push(person("father", SubjectRole::Guardian, None)); w.consented("ID HL"); line(w, "father", L::Refused, Some("father"), C::Oneself); w.ask("ID HL") }, "ALLOW identity health; -identity/father W_OTHER_PERSON; -health/father W_OTHER_PERSON"),
        ("the father took his line back", |w| { w.subjects.push(person("father", SubjectRole::Guardian, None)); w.consented("ID HL"); line(w, "father", L::Withdrawn, Some("father"), C::Oneself); w.ask("ID") }, "ALLOW identity; -identity/father W_OTHER_PERSON"),
        ("all that is asked was refused", |w| { w.about(person("father", SubjectRole::Guardian, None)); line(w, "father", L::Refused, Some("father"), C::Oneself); w.ask("HL") }, "REFUSE CONSENT_MISSING"),
        ("all that is asked was taken back", |w| { w.about(person("father", SubjectRole::Guardian, None)); line(w, "father", L::Withdrawn, Some("father"), C::Oneself); w.ask("HL") }, "REFUSE CONSENT_WITHDRAWN"),
        ("one child's custody is open, the other's is not asked about", |w| { let mine = w.subjects[1].clone(); w.subjects.push(person("child-2", SubjectRole::Child, Some("2020-01-01"))); w.consented("ID"); line(w, "child-2", L::Given, Some("mother"), C::Parent); w.consent().lines.values_mut().for_each(|l| l.custody = None); w.about(mine); w.ask("ID") }, "ALLOW identity"),
        ("a minor of sixteen for herself beside her child", |w| { w.subjects[0].birth_date = Some("2010-02-01".into()); w.consented("ID"); line(w, "mother", L::Given, Some("mother"), C::Oneself); w.ask("ID") }, "ALLOW identity"),
    ]);
}

const DESK: AgencyKind = AgencyKind::FamilyCentre;
const ALL_BUT_NT: &str = "ALLOW identity contact address narrative health";

#[test]
#[rustfmt::skip]
fn group_e_notice() {
    check(&[
        ("DC-059", |w| { w.notice("TSUKOKU_GY6", AgencyKind::Nursery, DESK, "ID CT AD NR HL NT"); w.at = "2026-10-16T17:40:00+09:00" }, "ALLOW identity contact address narrative health notifier(sealed)"),
        ("DC-060", |w| { w.notice("TSUKOKU_GY6", AgencyKind::Nursery, AgencyKind::ChildGuidance, "ID CT AD NR HL NT"); w.consented("ID"); w.consent().state = ConsentState::Refused }, "ALLOW identity contact address narrative health notifier(sealed)"),
        ("DC-061", |w| { w.subjects = vec![person("child-1", SubjectRole::Child, None)]; w.notice("TSUKOKU_25", AgencyKind::Npo, AgencyKind::ChildGuidance, "AD NR") }, "ALLOW address narrative"),
        ("DC-062", |w| w.notice("TSUKOKU_25", AgencyKind::ChildCommissioner, DESK, "NR AD"), "ALLOW address narrative"),
        ("DC-063", |w| w.notice("TSUKOKU_GY6", AgencyKind::Nursery, AgencyKind::Nursery, "ID NR"), "REFUSE BASIS_RECIPIENT"),
        ("DC-064", |w| w.notice("TSUKOKU_25", AgencyKind::Medical, AgencyKind::Police, "ID NR"), "REFUSE BASIS_RECIPIENT"),
        ("DC-065", |w| { offender(w); w.recipient = agency(B, DESK) }, "REFUSE BASIS_RECIPIENT"),
        ("DC-066", offender, "ALLOW identity narrative"),
        ("DC-067", |w| { w.about(person("child-1", SubjectRole::Child, Some("2007-01-15"))); w.notice("TSUKOKU_25", AgencyKind::Medical, DESK, "ID NR") }, "REFUSE BASIS_SUBJECT"),
        ("DC-068", |w| { w.notice("TSUKOKU_GY6", AgencyKind::Kyoten, DESK, "ID NR"); w.consented("ID"); w.consent().last_day = "2026-09-30".parse().unwrap() }, "ALLOW identity narrative"),
        ("DC-069", |w| { w.notice("TSUKOKU_GY6", AgencyKind::Kyoten, AgencyKind::ChildGuidance, "ID HL NR"); w.at = "2026-10-18T23:50:00+09:00" }, "ALLOW identity narrative health"),
        ("DC-070", |w| { w.notice("TSUKOKU_GY6", AgencyKind::Nursery, DESK, "ID CT AD NR HL NT"); w.opened("2026-10-15T10:00:00+09:00", false) }, "ALLOW identity contact address narrative health; -notifier W_SEALED"),
        ("the desk itself opens", |w| { w.notice("TSUKOKU_GY6", AgencyKind::Nursery, DESK, "ID NT"); w.opened("2026-10-15T10:00:00+09:00", true) }, "ALLOW identity notifier"),
        ("DC-071", |w| { w.notice("TSUKOKU_GY6", AgencyKind::Nursery, AgencyKind::ChildGuidance, "ID NR NT"); w.event = Event::Open(Opener { duty_desk: true, related: true }) }, "REFUSE CONFLICT_OF_INTEREST"),
        ("DC-072", |w| { w.notice("TSUKOKU_GY6", AgencyKind::Nursery, DESK, "NT"); w.opened("2026-10-15T10:00:00+09:00", false) }, "REFUSE NOTIFIER_SEALED"),
        ("the family court is for offenders alone", |w| w.notice("TSUKOKU_GY6", AgencyKind::School, AgencyKind::FamilyCourt, "ID"), "REFUSE BASIS_RECIPIENT"),
        ("an offender of 13 goes to the ordinary addressee", |w| { offender(w); w.subjects[0].birth_date = Some("2013-04-02".into()); w.recipient = agency(B, DESK) }, "ALLOW identity narrative"),
        ("a notice about nobody known, saying nothing", |w| { w.subjects.clear(); w.notice("TSUKOKU_GY6", AgencyKind::Npo, DESK, ""); w.opened("2026-10-15T10:00:00+09:00", false) }, "ALLOW"),
        ("one of two is still a child", |w| { w.subjects.push(person("child-2", SubjectRole::Child, Some("2007-01-15"))); w.notice("TSUKOKU_25", AgencyKind::Npo, DESK, "NR") }, "ALLOW narrative"),
        ("money matters are in no notice", |w| w.notice("TSUKOKU_GY6", AgencyKind::Nursery, DESK, "ID EC"), "ALLOW identity; -economic W_MASK"),
        ("a commissioner passes on, without the notifier", |w| w.notice("TSUKOKU_25", AgencyKind::Npo, AgencyKind::ChildCommissioner, "NR NT"), "ALLOW narrative; -notifier W_SEALED"),
        ("a welfare office sees a notice as the centre would", |w| w.notice("TSUKOKU_25", AgencyKind::Npo, AgencyKind::PrefecturalWelfare, "ID CT AD NR HL"), ALL_BUT_NT),
    ]);
}

/// A school gives notice of a boy of 15 who committed an offence to the family court.
fn offender(w: &mut World) {
    w.about(person("child-1", SubjectRole::Child, Some("2011-04-02")));
    w.notice("TSUKOKU_25", AgencyKind::School, AgencyKind::FamilyCourt, "ID NR");
    w.fact("child_offence", json!(true));
}

fn placement(w: &mut World) {
    w.basis = Some("ASSEN_21_11");
    w.fact("parent_request", json!("10月1日、窓口で一時預かりを希望"));
    w.ask("ID CT");
}

#[test]
#[rustfmt::skip]
fn group_h_placement() {
    check(&[
        ("DC-109", |w| { w.between(AgencyKind::MunicipalDivision, AgencyKind::Nursery); placement(w); w.ask("ID CT NR") }, "ALLOW identity contact narrative(summary)"),
        ("DC-110", |w| { placement(w); w.facts = Facts::default() }, "REFUSE BASIS_RECORD"),
        ("DC-111", |w| { placement(w); w.consent = None }, "REFUSE CONSENT_MISSING"),
        ("DC-112", |w| { w.between(AgencyKind::Nursery, AgencyKind::Nursery); placement(w) }, "REFUSE BASIS_SENDER"),
        ("a clinic is no childcare-support business", |w| { w.between(AgencyKind::Kyoten, AgencyKind::Medical); placement(w) }, "REFUSE BASIS_RECIPIENT"),
    ]);
}
