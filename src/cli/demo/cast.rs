//! Who takes part in the demo: the eighteen wards of Yokohama and one example of each agency a family meets.
//!
//! What they do here is invented. People appear by their post alone, and addresses end in `.example`.

use crate::{
    domain::{
        agency::{AgencyKind, Body},
        fault::Phrase,
        ids::{AgencyId, StaffId},
        staff::StaffRole,
    },
    vault::ClientSecret,
};

/// The parts that have something to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// 鶴見区, whose concierge refers.
    Ward,
    /// One of the other seventeen wards.
    OtherWard,
    Site,
    FamilyCentre,
    ChildGuidance,
    HealthCentre,
    DevelopmentCentre,
    FamilySupport,
    /// The nursery that has a free place.
    Nursery,
    /// The nursery that gives a notice.
    OtherNursery,
}

/// A member of staff, by post.
#[derive(Clone, Copy, Debug)]
pub(super) struct Post {
    pub role: StaffRole,
    pub name: Phrase,
}

/// An agency before it is registered.
#[derive(Clone, Debug)]
pub(super) struct Role {
    pub part: Part,
    pub kind: AgencyKind,
    pub name: String,
    pub short: Phrase,
    pub municipality: &'static str,
    pub body: Option<Body>,
    pub contractor_of: Option<&'static str>,
    pub posts: &'static [Post],
    /// Where its desk is told by mail, and whether that is a desk on duty.
    pub mail: Option<Mail>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Mail {
    pub address: &'static str,
    pub duty_desk: bool,
}

/// A registered agency, with what its own system has to know.
pub(super) struct Member {
    pub role: Role,
    pub id: AgencyId,
    pub secret: ClientSecret,
    /// In the order of the role's posts.
    pub staff: Vec<StaffId>,
    pub token: String,
}

impl Member {
    /// The first person in this role.
    pub fn person(&self, role: StaffRole) -> Option<(StaffId, Phrase)> {
        let mut posts = self.role.posts.iter().zip(&self.staff);
        posts.find(|(post, _)| post.role == role).map(|(post, id)| (*id, post.name))
    }

    /// The post of a member of staff.
    pub fn post(&self, staff: &str) -> Option<Phrase> {
        let mut posts = self.role.posts.iter().zip(&self.staff);
        posts.find(|(_, id)| id.to_string() == staff).map(|(post, _)| post.name)
    }
}

/// All agencies of the demo.
pub(super) struct Cast(pub Vec<Member>);

impl Cast {
    pub fn get(&self, part: Part) -> &Member {
        let found = self.0.iter().find(|member| member.role.part == part);
        found.expect("invariant: roles() has every part")
    }

    pub fn by_id(&self, id: AgencyId) -> Option<&Member> {
        self.0.iter().find(|member| member.id == id)
    }
}

const fn post(role: StaffRole, ja: &'static str, en: &'static str) -> Post {
    Post { role, name: Phrase { ja, en } }
}

const WARD_POSTS: &[Post] = &[
    post(StaffRole::Coordinator, "保育コンシェルジュ", "childcare concierge"),
    post(StaffRole::Supervisor, "係長", "section chief"),
];
const SITE_POSTS: &[Post] = &[
    post(StaffRole::Coordinator, "利用者支援専門員", "coordinator"),
    post(StaffRole::Supervisor, "拠点長", "head of the site"),
];
const DESK_POSTS: &[Post] = &[
    post(StaffRole::DutyDesk, "受付当番", "duty desk"),
    post(StaffRole::AgencyStaff, "相談員", "case worker"),
];
const OFFICE_POSTS: &[Post] = &[post(StaffRole::AgencyStaff, "相談員", "case worker")];
const NURSERY_POSTS: &[Post] = &[
    post(StaffRole::AgencyStaff, "主任", "senior carer"),
    post(StaffRole::Supervisor, "園長", "head of the nursery"),
];

/// The city.
const YOKOHAMA: &str = "141003";
/// Where the example agencies stand.
pub(super) const TSURUMI: &str = "141011";

/// The wards: code without its check digit, name.
const WARDS: [(&str, &str, &str); 18] = [
    ("14101", "鶴見区", "Tsurumi"),
    ("14102", "神奈川区", "Kanagawa"),
    ("14103", "西区", "Nishi"),
    ("14104", "中区", "Naka"),
    ("14105", "南区", "Minami"),
    ("14106", "保土ケ谷区", "Hodogaya"),
    ("14107", "磯子区", "Isogo"),
    ("14108", "金沢区", "Kanazawa"),
    ("14109", "港北区", "Kohoku"),
    ("14110", "戸塚区", "Totsuka"),
    ("14111", "港南区", "Konan"),
    ("14112", "旭区", "Asahi"),
    ("14113", "緑区", "Midori"),
    ("14114", "瀬谷区", "Seya"),
    ("14115", "栄区", "Sakae"),
    ("14116", "泉区", "Izumi"),
    ("14117", "青葉区", "Aoba"),
    ("14118", "都筑区", "Tsuzuki"),
];

fn ward((municipality, ja, en): (&'static str, &'static str, &'static str)) -> Role {
    Role {
        part: if ja == "鶴見区" { Part::Ward } else { Part::OtherWard },
        kind: AgencyKind::UserSupportWard,
        name: format!("{ja}役所 こども家庭支援課"),
        short: Phrase { ja, en },
        municipality,
        body: None,
        contractor_of: None,
        posts: WARD_POSTS,
        mail: None,
    }
}

/// An example agency in 鶴見区, whose name says that it is one.
fn example(part: Part, kind: AgencyKind, name: &str, short: Phrase, posts: &'static [Post]) -> Role {
    Role {
        part,
        kind,
        name: format!("{name}（例）"),
        short,
        municipality: TSURUMI,
        body: None,
        contractor_of: None,
        posts,
        mail: None,
    }
}

const fn desk(address: &'static str) -> Option<Mail> {
    Some(Mail { address, duty_desk: true })
}

const fn office(address: &'static str) -> Option<Mail> {
    Some(Mail { address, duty_desk: false })
}

/// Everybody. The two nurseries are taken out of the directory that was just imported.
pub(super) fn roles(nursery: &str, other_nursery: &str) -> Vec<Role> {
    use AgencyKind as K;
    const fn short(ja: &'static str, en: &'static str) -> Phrase {
        Phrase { ja, en }
    }
    // Some kinds may be public or private, and only the agency itself can say which it is.
    let body = |public: bool| Some(if public { Body::Public } else { Body::Private });
    let mut roles: Vec<Role> = WARDS.into_iter().map(ward).collect();
    roles.extend([
        Role {
            body: body(false),
            contractor_of: Some(YOKOHAMA),
            ..example(
                Part::Site,
                K::UserSupportBasic,
                "地域子育て支援拠点 利用者支援（基本型）",
                short("基本型拠点", "support site"),
                SITE_POSTS,
            )
        },
        Role {
            mail: desk("toban@kodomo-katei.example"),
            ..example(
                Part::FamilyCentre,
                K::FamilyCentre,
                "こども家庭センター",
                short("家庭センター", "family centre"),
                DESK_POSTS,
            )
        },
        Role {
            mail: desk("toban@jiso.example"),
            ..example(
                Part::ChildGuidance,
                K::ChildGuidance,
                "児童相談所",
                short("児童相談所", "child guidance"),
                DESK_POSTS,
            )
        },
        Role {
            mail: office("madoguchi@hoken.example"),
            ..example(
                Part::HealthCentre,
                K::HealthCentre,
                "保健センター",
                short("保健センター", "health centre"),
                OFFICE_POSTS,
            )
        },
        Role {
            body: body(true),
            mail: office("madoguchi@hattatsu.example"),
            ..example(
                Part::DevelopmentCentre,
                K::DevelopmentCentre,
                "こども発達センター",
                short("発達センター", "development"),
                OFFICE_POSTS,
            )
        },
        Role {
            body: body(false),
            mail: office("jimukyoku@famisapo.example"),
            ..example(
                Part::FamilySupport,
                K::FamilySupport,
                "NPO ファミリー・サポート・センター",
                short("ファミサポ", "family support"),
                OFFICE_POSTS,
            )
        },
        Role {
            body: body(nursery.starts_with("横浜市")),
            mail: office("jimu@hoikusho-a.example"),
            ..example(Part::Nursery, K::Nursery, nursery, short("保育所A", "nursery A"), NURSERY_POSTS)
        },
        Role {
            body: body(other_nursery.starts_with("横浜市")),
            ..example(
                Part::OtherNursery,
                K::Nursery,
                other_nursery,
                short("保育所B", "nursery B"),
                NURSERY_POSTS,
            )
        },
    ]);
    roles
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::municipality::MunicipalityCode;

    #[test]
    fn eighteen_wards_and_eight_examples_each_with_what_registration_asks() {
        let roles = roles("横浜市みほん保育園", "みほん保育園");
        assert_eq!(roles.iter().filter(|role| role.kind == AgencyKind::UserSupportWard).count(), 18);
        assert_eq!(roles.len(), 26);
        for role in &roles {
            role.municipality.parse::<MunicipalityCode>().unwrap();
            assert_eq!(role.kind.body().is_none(), role.body.is_some(), "{}", role.name);
            assert!(role.mail.is_none_or(|mail| mail.address.ends_with(".example")));
        }
    }

    #[test]
    fn whoever_is_given_a_notice_has_a_duty_desk() {
        for role in roles("a", "b").iter().filter(|role| role.kind.has_notice_desk()) {
            assert!(role.posts.iter().any(|post| post.role == StaffRole::DutyDesk), "{}", role.name);
            assert!(role.mail.is_some_and(|mail| mail.duty_desk), "{}", role.name);
        }
    }
}
