//! What a site offers (資源・サービス): the kind, the places per age class, the record of a facility.

use std::{collections::BTreeMap, fmt, str::FromStr};

use jiff::civil::Date;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::municipality::MunicipalityCode;
use crate::code_list;

code_list! {
    /// The kinds of service a family is told about. Most are 地域子ども・子育て支援事業
    /// (子ども・子育て支援法 第59条) or 教育・保育 of the same law.
    ServiceKind, "service kind" {
        Nursery = "nursery", "保育所等", "nursery";
        SmallNursery = "small_nursery", "小規模保育", "small-scale nursery";
        HomeNursery = "home_nursery", "家庭的保育", "family day care";
        CentreForEarlyChildhood = "kodomoen", "認定こども園", "centre for early childhood education and care";
        Kindergarten = "kindergarten", "幼稚園", "kindergarten";
        UnlicensedNursery = "unlicensed_nursery", "認可外保育施設", "unlicensed nursery";
        SupportBase = "support_base", "地域子育て支援拠点", "community childcare support base";
        TemporaryCare = "ichiji_azukari", "一時預かり", "temporary care";
        PostnatalCare = "postnatal_care", "産後ケア", "postnatal care";
        FamilySupport = "family_support", "ファミリー・サポート・センター", "family support centre";
        SickChildCare = "sick_child_care", "病児保育", "care of sick children";
        ExtendedCare = "extended_care", "延長保育", "extended hours";
        ShortStay = "short_stay", "子育て短期支援", "short stay";
        AfterSchool = "after_school", "放課後児童クラブ", "after-school club";
        Development = "development_support", "児童発達支援", "child development support";
        Coordination = "coordination", "利用者支援", "user support (coordination)";
        FamilyCentre = "family_centre", "こども家庭センター", "child and family centre";
        HomeVisit = "home_visit", "乳児家庭全戸訪問", "visits to all homes with infants";
        RearingVisit = "rearing_visit", "養育支援訪問", "visits supporting the rearing of children";
        HouseholdHelp = "household_help", "子育て世帯訪問支援", "household help for families";
        Other = "other", "その他", "other";
    }
}

/// The class of a child in childcare: 0 to 5, its age at the end of 31 March before the school year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct AgeClass(u8);

/// A number that is no age class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an age class is a whole number from 0 to 5")]
pub struct BadAgeClass;

impl AgeClass {
    pub const ALL: [Self; 6] = [Self(0), Self(1), Self(2), Self(3), Self(4), Self(5)];

    pub const fn number(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for AgeClass {
    type Error = BadAgeClass;

    fn try_from(number: u8) -> Result<Self, BadAgeClass> {
        if number <= 5 { Ok(Self(number)) } else { Err(BadAgeClass) }
    }
}

impl FromStr for AgeClass {
    type Err = BadAgeClass;

    fn from_str(text: &str) -> Result<Self, BadAgeClass> {
        let digit = Some(text).filter(|text| text.len() == 1).and_then(|text| text.parse::<u8>().ok());
        digit.ok_or(BadAgeClass)?.try_into()
    }
}

impl From<AgeClass> for u8 {
    fn from(class: AgeClass) -> u8 {
        class.0
    }
}

/// Children per age class. `None` says the class is not offered or not known: it is never 0, and 0
/// is never `None` (a class that is full and a class that does not exist are different answers).
///
/// Wire form: an array of six numbers or nulls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AgeCounts([Option<u32>; 6]);

impl AgeCounts {
    /// Nothing is known of any class.
    pub const UNKNOWN: Self = Self([None; 6]);

    pub const fn new(counts: [Option<u32>; 6]) -> Self {
        Self(counts)
    }

    pub fn get(&self, class: AgeClass) -> Option<u32> {
        self.0[usize::from(class.0)]
    }

    pub fn iter(&self) -> impl Iterator<Item = (AgeClass, Option<u32>)> + '_ {
        AgeClass::ALL.into_iter().map(|class| (class, self.get(class)))
    }

    /// The children of all classes that have a number; `None` where no class has one.
    pub fn total(&self) -> Option<u64> {
        self.0.iter().flatten().map(|count| u64::from(*count)).reduce(|sum, count| sum + count)
    }
}

/// What a facility published about its places on one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vacancy {
    /// The day the numbers speak of. They are never shown without it.
    pub as_of: Date,
    /// How many more children it can take (受入可能数).
    pub accepting: AgeCounts,
    /// How many wait (入所待ち人数). One child counts at every facility its family named, so these
    /// numbers must not be added up over facilities.
    pub waiting: AgeCounts,
    /// How many attend (入所児童数).
    pub enrolled: AgeCounts,
}

impl Vacancy {
    /// Whether children of this class are taken at all, be there a free place or none. Where nothing was
    /// published of free places, the other numbers say it.
    pub fn offers(&self, class: AgeClass) -> bool {
        let published = |counts: &&AgeCounts| **counts != AgeCounts::UNKNOWN;
        let telling = [&self.accepting, &self.waiting, &self.enrolled].into_iter().find(published);
        telling.is_some_and(|counts| counts.get(class).is_some())
    }
}

/// The number a municipality gives a facility: 1 to 20 digits, meaningful within that municipality.
///
/// Yokohama's have thirteen digits and still are no 法人番号: their check digit does not hold.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FacilityNumber(String);

/// A text that is no facility number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a facility number has 1 to 20 half-width digits and nothing else")]
pub struct BadFacilityNumber;

impl FacilityNumber {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for FacilityNumber {
    type Err = BadFacilityNumber;

    fn from_str(text: &str) -> Result<Self, BadFacilityNumber> {
        match matches!(text.len(), 1..=20) && text.bytes().all(|b| b.is_ascii_digit()) {
            true => Ok(Self(text.to_owned())),
            false => Err(BadFacilityNumber),
        }
    }
}

impl fmt::Display for FacilityNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for FacilityNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FacilityNumber({})", self.0)
    }
}

impl Serialize for FacilityNumber {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for FacilityNumber {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A facility as a municipality publishes it. Public data, nothing personal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facility {
    pub number: FacilityNumber,
    pub name: String,
    pub kind: ServiceKind,
    /// The municipality or, in a designated city, the ward it stands in.
    pub municipality: MunicipalityCode,
    /// The ward as people call it (鶴見区); absent where the municipality has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ward: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vacancy: Option<Vacancy>,
}

/// Facilities of one source by their number.
pub type Facilities = BTreeMap<FacilityNumber, Facility>;

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn not_offered_is_not_nought() {
        let counts = AgeCounts::new([Some(0), None, None, Some(0), Some(1), Some(3)]);
        let classes: Vec<_> = counts.iter().filter(|(_, n)| n.is_some()).map(|(c, _)| c.number()).collect();
        assert_eq!(classes, [0, 3, 4, 5]);
        assert_eq!(counts.total(), Some(4));
        assert_eq!(serde_json::to_string(&counts).unwrap(), "[0,null,null,0,1,3]");
        assert_eq!(AgeCounts::UNKNOWN.total(), None);
        assert_eq!(AgeCounts::new([Some(0); 6]).total(), Some(0));
        assert!(serde_json::from_str::<AgeCounts>("[0,0,0,0,0]").is_err());
        assert!(serde_json::from_str::<AgeCounts>("[0,0,0,0,0,-1]").is_err());
    }

    #[test]
    fn a_full_class_is_offered_and_a_dash_is_not() {
        let accepting = AgeCounts::new([Some(0), None, None, None, None, None]);
        let all = AgeCounts::new([Some(7); 6]);
        let as_of = Date::constant(2026, 2, 1);
        let vacancy = Vacancy { as_of, accepting, waiting: all, enrolled: all };
        let [nought, one, ..] = AgeClass::ALL;
        assert!(vacancy.offers(nought) && !vacancy.offers(one));
        assert!(Vacancy { accepting: AgeCounts::UNKNOWN, ..vacancy }.offers(one));
        let unknown = AgeCounts::UNKNOWN;
        assert!(!Vacancy { as_of, accepting: unknown, waiting: unknown, enrolled: unknown }.offers(one));
    }

    #[test]
    fn the_largest_counts_still_add_up() {
        assert_eq!(AgeCounts::new([Some(u32::MAX); 6]).total(), Some(6 * u64::from(u32::MAX)));
    }

    #[test]
    fn an_age_class_is_a_small_number_on_the_wire() {
        assert_eq!(serde_json::from_str::<AgeClass>("5").unwrap(), AgeClass::ALL[5]);
        assert!(serde_json::from_str::<AgeClass>("6").is_err());
        assert_eq!("5".parse::<AgeClass>(), Ok(AgeClass::ALL[5]));
        assert!(["6", "", "+1", "05", "１"].iter().all(|bad| bad.parse::<AgeClass>().is_err()));
        assert!(serde_json::from_str::<AgeClass>("\"1\"").is_err());
    }

    #[test]
    fn a_facility_number_keeps_its_leading_noughts_and_takes_digits_only() {
        assert_eq!("0012".parse::<FacilityNumber>().unwrap().as_str(), "0012");
        for bad in ["", "12a", "１２", " 12", "123456789012345678901"] {
            assert_eq!(bad.parse::<FacilityNumber>(), Err(BadFacilityNumber), "{bad}");
        }
    }

    #[test]
    fn every_kind_has_a_code_of_its_own_that_reads_back() {
        let codes: HashSet<_> = ServiceKind::ALL.iter().map(|kind| kind.code()).collect();
        assert_eq!(codes.len(), ServiceKind::ALL.len());
        assert!(ServiceKind::ALL.iter().all(|kind| kind.code().parse() == Ok(*kind)));
    }
}
