//! Protection (支援措置等): from whom a family is hidden, and who must not be told about it.

pub mod record;
pub mod terms;

use jiff::{SignedDuration, Timestamp};

use super::{
    agency::{Party, RecipientClass},
    fault::Phrase,
    ids::{AgencyId, StaffId},
    mask::{Detail, Texts},
    municipality::is_one_municipality,
    referral::ReferralType,
    refusal::{Refusal, RefusalCode},
    section::Section,
    staff::StaffRole,
    veil::Veil,
};

/// A party from whom the address and everything it can be derived from is hidden.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HiddenFrom {
    Agency(AgencyId),
    /// Every agency of this municipality (全国地方公共団体コード), but for the desk that is named.
    Municipality {
        code: String,
        desk: Option<AgencyId>,
    },
}

impl HiddenFrom {
    /// Whether it hides at least as much as another entry.
    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Municipality { code, desk }, Self::Municipality { code: theirs, desk: named }) => {
                is_one_municipality(code, theirs) && (desk.is_none() || desk == named)
            }
            _ => self == other,
        }
    }
}

/// The longest time an address is shown to one recipient before it is hidden again.
pub const LONGEST_LIFT: SignedDuration = SignedDuration::from_mins(15);

/// The address shown to one recipient for one purpose. It ends by itself; nothing needs to be written for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lift {
    pub recipient: AgencyId,
    pub purpose: ReferralType,
    pub until: Timestamp,
}

/// What protects the people of one case. An end date does not end it: two persons do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Protection {
    /// The address is concealed, from these and from whoever has no need of it.
    pub hidden_from: Vec<HiddenFrom>,
    /// Agencies that must not receive anything about this case (a relative works there).
    pub blocked: Vec<AgencyId>,
    /// A person has confirmed that the narrative, and every other text, names no place.
    pub narrative_free_of_place: bool,
    /// What two persons have opened for one recipient, if anything.
    pub lift: Option<Lift>,
    /// Places that would tell where the family is (a school, a station), and the office to call instead.
    pub veil: Veil,
}

/// What is known of the protection of a case at this moment.
#[derive(Clone, Copy, Debug)]
pub enum Standing<'a> {
    /// Nobody asked for any.
    Unprotected,
    Protected(&'a Protection),
    /// The record is there and does not open: everything counts as concealed.
    Unreadable,
}

/// How a party stands to a protection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    No,
    /// Its municipality is listed, and it is the desk that is named there.
    NamedDesk,
    /// It must not receive anything.
    Blocked,
}

impl Protection {
    pub fn lists(&self, party: &Party<'_>) -> Listed {
        if self.blocked.contains(&party.id) {
            return Listed::Blocked;
        }
        let mut listed = Listed::No;
        for entry in &self.hidden_from {
            match entry {
                HiddenFrom::Agency(id) if *id == party.id => return Listed::Blocked,
                HiddenFrom::Municipality { code, desk } if works_for(party, code) => {
                    if *desk != Some(party.id) {
                        return Listed::Blocked;
                    }
                    listed = Listed::NamedDesk;
                }
                _ => {}
            }
        }
        listed
    }

    /// Whether an address is concealed at all, or only recipients are blocked.
    pub fn conceals_address(&self) -> bool {
        !self.hidden_from.is_empty()
    }

    /// Whether nothing that another protection hides would come out under this one. What only closes takes effect at
    /// once; what opens anything needs a second person.
    pub fn is_no_weaker_than(&self, other: &Self) -> bool {
        other.hidden_from.iter().all(|hidden| self.hidden_from.iter().any(|mine| mine.covers(hidden)))
            && other.blocked.iter().all(|agency| self.blocked.contains(agency))
            && self.veil.covers(&other.veil)
    }

    /// Two protections at once, of a case and of one of its referrals: what either hides is hidden.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.hidden_from.extend(other.hidden_from);
        self.blocked.extend(other.blocked);
        self.narrative_free_of_place &= other.narrative_free_of_place;
        self.lift = None;
        self.veil.extend(other.veil);
        self
    }

    fn is_lifted_for(&self, party: &Party<'_>, purpose: ReferralType, at: Timestamp) -> bool {
        self.lift.is_some_and(|lift| lift.recipient == party.id && lift.purpose == purpose && at < lift.until)
    }

    pub(in crate::domain) fn texts(&self) -> Texts {
        if self.narrative_free_of_place { Texts::Placeless } else { Texts::Withheld }
    }
}

/// Whether an agency stands in a municipality or does its work under contract.
fn works_for(party: &Party<'_>, code: &str) -> bool {
    is_one_municipality(party.municipality, code)
        || party.contractor_of.is_some_and(|theirs| is_one_municipality(theirs, code))
}

/// How a protection bears on one recipient (domain.md 7.5 step 12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bearing {
    /// It hides nothing from this one.
    None,
    /// The address is shown, with the flag that it is concealed from others.
    Flagged,
    /// The office stands in for the family: its sentence for the address, its telephone for theirs.
    Substituted(Texts),
    /// Address and contact do not go there at all.
    Withheld(Texts),
}

impl Standing<'_> {
    /// Whether this party must not receive anything. Of an unreadable record nobody knows, so that everything is
    /// concealed and nobody is named.
    pub fn blocks(&self, party: &Party<'_>) -> bool {
        matches!(self, Self::Protected(protection) if protection.lists(party) == Listed::Blocked)
    }

    pub fn bearing(
        &self,
        party: &Party<'_>,
        class: RecipientClass,
        purpose: ReferralType,
        at: Timestamp,
    ) -> Bearing {
        let knows_addresses =
            matches!(class, RecipientClass::MunicipalCentre | RecipientClass::ChildGuidance);
        match self {
            Self::Unprotected => Bearing::None,
            // Whether it is listed cannot be read, so an authority gets no more than a listed one.
            Self::Unreadable if knows_addresses => Bearing::Withheld(Texts::Withheld),
            Self::Unreadable => Bearing::Substituted(Texts::Withheld),
            Self::Protected(protection) => match protection.lists(party) {
                Listed::Blocked | Listed::NamedDesk => Bearing::Withheld(protection.texts()),
                Listed::No if !protection.conceals_address() => Bearing::None,
                Listed::No if knows_addresses || protection.is_lifted_for(party, purpose, at) => {
                    Bearing::Flagged
                }
                Listed::No => Bearing::Substituted(protection.texts()),
            },
        }
    }
}

impl Bearing {
    /// How texts are shown under it.
    pub const fn texts(self) -> Texts {
        match self {
            Self::None | Self::Flagged => Texts::Whole,
            Self::Substituted(texts) | Self::Withheld(texts) => texts,
        }
    }

    /// Whether a section does not go out at all.
    pub fn withholds(self, section: Section) -> bool {
        let placed = matches!(section, Section::Address | Section::Contact);
        (placed && matches!(self, Self::Withheld(_)))
            || (self.texts() == Texts::Withheld && is_nothing_but_text(section))
    }

    /// How closely a section is shown, at most.
    pub const fn detail(self, section: Section) -> Detail {
        match (self, section) {
            (Self::Flagged, Section::Address | Section::Contact) => Detail::Flagged,
            (Self::Substituted(_), Section::Address) => Detail::Substitute,
            (Self::Substituted(_), Section::Contact) => Detail::Office,
            _ => Detail::Full,
        }
    }
}

const fn is_nothing_but_text(section: Section) -> bool {
    matches!(
        section,
        Section::Household
            | Section::Narrative
            | Section::Health
            | Section::Development
            | Section::Economic
            | Section::Safety
    )
}

/// The second of the two persons whom it takes to show what is hidden: somebody else than who asked, and a supervisor.
///
/// # Errors
/// `APPROVER_REQUIRED`.
pub fn second_person(asked_by: StaffId, approver: Option<(StaffId, StaffRole)>) -> Result<(), Refusal> {
    match approver {
        Some((person, StaffRole::Supervisor)) if person != asked_by => Ok(()),
        _ => Err(Refusal {
            detail: Phrase {
                ja: "秘匿を解くには、申し出た職員とは別の管理職の承認が必要です。",
                en: "What is hidden is shown only if a supervisor other than the one who asked approves.",
            },
            mend: Phrase {
                ja: "別の管理職が内容を確かめ、承認してください。それまでは秘匿が続きます。",
                en: "Let another supervisor look at it and approve; until then it stays hidden.",
            },
            ..Refusal::new(
                RefusalCode::ApproverRequired,
                "配偶者からの暴力等に係る支援措置（住民基本台帳事務処理要領）",
            )
        }),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::agency::{AgencyKind, Body};

    fn agency(n: u128) -> AgencyId {
        AgencyId::new(Uuid::from_u128(n))
    }

    fn party(n: u128, municipality: &str) -> Party<'_> {
        Party {
            id: agency(n),
            kind: AgencyKind::Nursery,
            body: Body::Private,
            municipality,
            contractor_of: None,
        }
    }

    fn hidden_from(code: &str, desk: Option<u128>) -> Protection {
        let hidden = HiddenFrom::Municipality { code: code.into(), desk: desk.map(agency) };
        Protection { hidden_from: vec![hidden], ..Protection::default() }
    }

    #[test]
    fn a_listed_city_means_all_its_wards_and_those_who_work_for_it() {
        let yokohama = hidden_from("141003", None);
        assert_eq!(yokohama.lists(&party(1, "141011")), Listed::Blocked, "a ward of the city");
        assert_eq!(
            hidden_from("141011", None).lists(&party(1, "141020")),
            Listed::Blocked,
            "two of its wards"
        );
        assert_eq!(yokohama.lists(&party(1, "141305")), Listed::No, "another city of the prefecture");
        let contractor = Party { contractor_of: Some("141011"), ..party(1, "131016") };
        assert_eq!(yokohama.lists(&contractor), Listed::Blocked);
        assert_eq!(
            hidden_from("131016", None).lists(&party(1, "131024")),
            Listed::No,
            "wards of Tokyo are cities"
        );
        assert_eq!(hidden_from("141003", Some(1)).lists(&party(1, "141011")), Listed::NamedDesk);
        assert_eq!(hidden_from("141003", Some(1)).lists(&party(2, "141011")), Listed::Blocked);
    }

    #[test]
    fn what_hides_less_in_any_respect_is_weaker() {
        let city = hidden_from("141003", None);
        assert!(city.is_no_weaker_than(&city));
        assert!(city.is_no_weaker_than(&hidden_from("141011", Some(1))));
        assert!(!hidden_from("141003", Some(1)).is_no_weaker_than(&city), "a desk more is told");
        assert!(!Protection::default().is_no_weaker_than(&city));
        let blocked = Protection { blocked: vec![agency(3)], ..city.clone() };
        assert!(blocked.is_no_weaker_than(&city) && !city.is_no_weaker_than(&blocked));
        let veil = Veil::new(&["白百合小学校".into()], None);
        let veiled = Protection { veil, ..city.clone() };
        assert!(veiled.is_no_weaker_than(&city) && !city.is_no_weaker_than(&veiled));
    }

    #[test]
    fn two_different_people_show_what_is_hidden_and_one_never_does() {
        let (one, two) = (StaffId::new(Uuid::from_u128(1)), StaffId::new(Uuid::from_u128(2)));
        assert!(second_person(one, Some((two, StaffRole::Supervisor))).is_ok());
        for approver in [
            None,
            Some((one, StaffRole::Supervisor)),
            Some((two, StaffRole::Coordinator)),
            Some((two, StaffRole::PrivacyOfficer)),
        ] {
            let refusal = second_person(one, approver).unwrap_err();
            assert_eq!(refusal.code, RefusalCode::ApproverRequired, "DC-152");
        }
    }
}
