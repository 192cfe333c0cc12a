//! Agencies (機関): what they are, and what the law makes of that.

use serde::{Deserialize, Serialize};

use super::ids::AgencyId;
use crate::code_list;

code_list! {
    /// What an agency is. Kinds follow the agencies the two founding documents and the laws name.
    AgencyKind, "agency kind" {
        MunicipalDivision = "shichoson", "市町村担当課", "municipal division";
        PrefecturalDivision = "todofuken", "都道府県担当課", "prefectural division";
        FamilyCentre = "kodomo_katei_center", "こども家庭センター", "children and families centre";
        LocalConsultation = "chiiki_sodan", "地域子育て相談機関", "local childcare consultation body";
        ChildGuidance = "jido_sodansho", "児童相談所", "child guidance centre";
        PrefecturalWelfare = "fukushi_jimusho_ken", "福祉事務所（都道府県）", "prefectural welfare office";
        CityWelfare = "fukushi_jimusho_shi", "福祉事務所（市・特別区）", "city welfare office";
        FamilyChildConsultation = "katei_jido_sodan", "家庭児童相談室", "family and child consultation room";
        HealthOffice = "hokenjo", "保健所", "public health office";
        HealthCentre = "hoken_center", "市町村保健センター", "municipal health centre";
        EducationBoard = "kyoiku_iinkai", "教育委員会", "board of education";
        School = "gakko", "学校", "school";
        Police = "keisatsu", "警察", "police";
        FamilyCourt = "katei_saibansho", "家庭裁判所", "family court";
        ChildCommissioner = "jido_iin", "児童委員・主任児童委員・民生委員", "child commissioner";
        SpousalViolenceCentre = "haigusha_boryoku", "配偶者暴力相談支援センター", "spousal violence centre";
        CouncilCoordinator = "yotaikyo_chosei", "要対協調整機関", "coordinating body of the protection council";
        WelfareCouncil = "shakyo", "社会福祉協議会", "social welfare council";
        SelfReliance = "jiritsu_sodan", "自立相談支援機関", "self-reliance consultation body";
        UserSupportBasic = "riyosha_shien_kihon", "利用者支援事業（基本型）", "user support, basic type";
        UserSupportWard = "riyosha_shien_tokutei", "利用者支援事業（特定型・区役所等）", "user support, specific type";
        Kyoten = "kyoten", "地域子育て支援拠点", "local childcare support site";
        Nursery = "hoikusho", "保育所", "nursery";
        CertifiedCentre = "nintei_kodomoen", "認定こども園", "certified centre for early childhood";
        Kindergarten = "yochien", "幼稚園", "kindergarten";
        SmallScaleCare = "shokibo_hoiku", "小規模保育", "small-scale childcare";
        HomeCare = "kateiteki_hoiku", "家庭的保育", "family-style childcare";
        WorkplaceCare = "jigyoshonai_hoiku", "事業所内保育", "workplace childcare";
        VisitingCare = "kyotaku_homon_hoiku", "居宅訪問型保育", "childcare in the home";
        UnlicensedCare = "ninkagai", "認可外保育施設", "unlicensed childcare facility";
        SickChildCare = "byoji_hoiku", "病児保育", "care of sick children";
        FamilySupport = "famisapo", "ファミリー・サポート・センター", "family support centre";
        AfterSchool = "gakudo", "放課後児童クラブ", "after-school club";
        ChildrensHall = "jidokan", "児童館", "children's hall";
        HomeVisiting = "homon_shien", "訪問支援事業", "home-visiting support";
        DevelopmentCentre = "hattatsu_center", "こども発達センター・児童発達支援センター", "child development centre";
        DisabilityConsultation = "shogaiji_sodan", "障害児相談支援", "consultation for disabled children";
        ChildrensHome = "jido_shisetsu", "児童養護施設・乳児院等", "children's home";
        Medical = "iryo_kikan", "医療機関", "hospital or clinic";
        Midwifery = "josanjo", "助産所", "midwifery home";
        PostnatalCare = "sango_care", "産後ケア", "postnatal care";
        Npo = "npo", "NPO・民間団体", "non-profit organisation";
    }
}

code_list! {
    /// Under which part of 個人情報保護法 an agency passes information on.
    Body, "body" {
        Public = "public", "公的機関", "public body";
        Private = "private", "民間", "private body";
    }
}

code_list! {
    /// The column of the default mask a recipient is read in (domain.md 7.1 and 7.5 step 12).
    RecipientClass, "recipient class" {
        Facility = "FA", "施設・その他の機関", "facility or other recipient";
        MunicipalCentre = "MC", "こども家庭センター・母子保健窓口", "family centre or maternal health desk";
        ChildGuidance = "JI", "児童相談所", "child guidance centre";
        /// Under the basis of the council, and neither of the two above.
        CouncilMember = "CM", "要対協の構成員", "member of the protection council";
    }
}

impl AgencyKind {
    /// Public or private, where the kind alone settles it. Nurseries, schools and the like may be
    /// either, and only the agency itself can say. Hospitals and clinics are always read as private,
    /// also a city's own: 個人情報保護法 第58条2項1号 puts them under the private rules.
    pub const fn body(self) -> Option<Body> {
        match self {
            Self::MunicipalDivision
            | Self::PrefecturalDivision
            | Self::FamilyCentre
            | Self::ChildGuidance
            | Self::PrefecturalWelfare
            | Self::CityWelfare
            | Self::FamilyChildConsultation
            | Self::HealthOffice
            | Self::HealthCentre
            | Self::EducationBoard
            | Self::Police
            | Self::FamilyCourt
            | Self::ChildCommissioner
            | Self::UserSupportWard => Some(Body::Public),
            Self::WelfareCouncil | Self::UnlicensedCare | Self::Medical | Self::Midwifery | Self::Npo => {
                Some(Body::Private)
            }
            _ => None,
        }
    }

    /// The column of the default mask outside a 通告. A municipal desk that is neither the family
    /// centre nor maternal health reads as a facility: working for the city is no need to know.
    pub const fn class(self) -> RecipientClass {
        match self {
            Self::FamilyCentre | Self::HealthCentre => RecipientClass::MunicipalCentre,
            Self::ChildGuidance => RecipientClass::ChildGuidance,
            _ => RecipientClass::Facility,
        }
    }

    /// Whether this is an office of the municipality itself that may act as 「市町村」.
    pub const fn is_municipal_office(self) -> bool {
        matches!(
            self,
            Self::MunicipalDivision
                | Self::FamilyCentre
                | Self::CityWelfare
                | Self::FamilyChildConsultation
                | Self::HealthCentre
                | Self::UserSupportWard
        )
    }

    /// Whether a 通告 may be addressed here: 市町村, 都道府県の設置する福祉事務所, 児童相談所, or one of
    /// them through a 児童委員 (児童福祉法 第25条1項, 児童虐待の防止等に関する法律 第6条1項). Of the
    /// municipality's offices only those with a reception desk for 通告 count: in the inbox of a ward
    /// concierge or a health centre nobody watches the clock.
    pub const fn receives_notices(self) -> bool {
        self.has_notice_desk() || matches!(self, Self::ChildCommissioner)
    }

    /// Whether the addressee of a 通告 has a desk that may open the notifier's compartment
    /// (児童虐待の防止等に関する法律 第7条). A 児童委員 passes a 通告 on and has none.
    pub const fn has_notice_desk(self) -> bool {
        matches!(
            self,
            Self::MunicipalDivision
                | Self::FamilyCentre
                | Self::PrefecturalWelfare
                | Self::CityWelfare
                | Self::FamilyChildConsultation
                | Self::ChildGuidance
        )
    }

    /// Whether it may be the 調整機関 of a 要対協. The head of the local government that sets the council up
    /// designates one of its members (児童福祉法 第25条の2第4項): in practice the division for children, a
    /// welfare or health office, the board of education, or, in a prefecture's council, the child guidance
    /// centre.
    pub const fn may_coordinate_council(self) -> bool {
        matches!(
            self,
            Self::CouncilCoordinator
                | Self::MunicipalDivision
                | Self::FamilyCentre
                | Self::ChildGuidance
                | Self::PrefecturalWelfare
                | Self::CityWelfare
                | Self::FamilyChildConsultation
                | Self::HealthOffice
                | Self::HealthCentre
                | Self::EducationBoard
        )
    }

    /// Whether this is the division in charge (所管課) of facilities, to whom abuse by their staff is reported
    /// (児童福祉法 第33条の12).
    pub const fn supervises_facilities(self) -> bool {
        matches!(self, Self::MunicipalDivision | Self::PrefecturalDivision)
    }

    /// Whether this is an institution of medicine, welfare or education for children or 妊産婦, whose people
    /// come upon families in need of support (児童福祉法 第21条の10の5, 児童虐待の防止等に関する法律 第13条の4).
    pub const fn cares_for_children(self) -> bool {
        self.runs_childcare_support() && !matches!(self, Self::Npo)
            || matches!(
                self,
                Self::LocalConsultation
                    | Self::HealthOffice
                    | Self::HealthCentre
                    | Self::EducationBoard
                    | Self::School
                    | Self::UserSupportBasic
                    | Self::UserSupportWard
                    | Self::DevelopmentCentre
                    | Self::DisabilityConsultation
                    | Self::Medical
                    | Self::Midwifery
                    | Self::PostnatalCare
            )
    }

    /// Whether this is a 子育て支援事業者, whom a municipality may ask to take a family
    /// (児童福祉法 第21条の9, 第21条の11).
    pub const fn runs_childcare_support(self) -> bool {
        matches!(
            self,
            Self::Kyoten
                | Self::Nursery
                | Self::CertifiedCentre
                | Self::Kindergarten
                | Self::SmallScaleCare
                | Self::HomeCare
                | Self::WorkplaceCare
                | Self::VisitingCare
                | Self::UnlicensedCare
                | Self::SickChildCare
                | Self::FamilySupport
                | Self::AfterSchool
                | Self::ChildrensHall
                | Self::HomeVisiting
                | Self::ChildrensHome
                | Self::Npo
        )
    }
}

/// An agency of the hub.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agency {
    pub id: AgencyId,
    pub kind: AgencyKind,
    /// The agency's public name.
    pub name: String,
    /// Code of the municipality it stands in.
    pub municipality: String,
    /// Public or private; only read where the kind leaves it open.
    pub body: Body,
    /// Code of the municipality whose work it does under contract, as a 拠点 often does.
    pub contractor_of: Option<String>,
}

impl Agency {
    /// What a decision needs to know of this agency.
    pub fn party(&self) -> Party<'_> {
        Party {
            id: self.id,
            kind: self.kind,
            body: self.kind.body().unwrap_or(self.body),
            municipality: &self.municipality,
            contractor_of: self.contractor_of.as_deref(),
        }
    }
}

/// One side of a leg, as a decision sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Party<'a> {
    pub id: AgencyId,
    pub kind: AgencyKind,
    pub body: Body,
    pub municipality: &'a str,
    pub contractor_of: Option<&'a str>,
}

impl Party<'_> {
    /// Whether it acts as the municipality: an office of it, or a contractor doing its work.
    pub const fn acts_as_municipality(&self) -> bool {
        self.kind.is_municipal_office() || self.contractor_of.is_some()
    }

    /// Whether the rules for private bodies are open to it: it is one, and holds no municipality's data as a contractor
    /// (個人情報の保護に関する法律 第66条2項).
    pub const fn acts_privately(&self) -> bool {
        matches!(self.body, Body::Private) && self.contractor_of.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_goes_to_the_authorities_of_the_law_and_to_no_one_else() {
        let addressees: Vec<_> =
            AgencyKind::ALL.iter().filter(|k| k.receives_notices()).map(|k| k.code()).collect();
        assert_eq!(
            addressees,
            [
                "shichoson",
                "kodomo_katei_center",
                "jido_sodansho",
                "fukushi_jimusho_ken",
                "fukushi_jimusho_shi",
                "katei_jido_sodan",
                "jido_iin"
            ]
        );
    }

    #[test]
    fn a_citys_hospital_is_read_as_private() {
        let hospital = Agency {
            id: AgencyId::new(uuid::Uuid::nil()),
            kind: AgencyKind::Medical,
            name: "市民病院".into(),
            municipality: "141003".into(),
            body: Body::Public,
            contractor_of: None,
        };
        assert_eq!(hospital.party().body, Body::Private);
        let nursery = Agency { kind: AgencyKind::Nursery, ..hospital };
        assert_eq!(nursery.party().body, Body::Public);
    }

    #[test]
    fn codes_are_unique_and_no_notice_desk_is_private() {
        let codes: std::collections::BTreeSet<_> = AgencyKind::ALL.iter().map(|k| k.code()).collect();
        assert_eq!(codes.len(), AgencyKind::ALL.len());
        assert!(
            AgencyKind::ALL.iter().filter(|k| k.has_notice_desk()).all(|k| k.body() == Some(Body::Public))
        );
    }
}
