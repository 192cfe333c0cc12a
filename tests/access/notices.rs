//! The cells of a 通告: who at its two agencies finds it by which endpoint, named or not. What a colleague finds is what
//! there is of no notice at all.

use std::collections::BTreeSet;

use serde_json::json;
use tsunagu::{
    domain::agency::AgencyKind,
    web::{Access, Endpoint, TABLE},
};

use super::{
    support::town::{Agency, Engine, Reply},
    world::World,
};

const NOBODYS: &str = "0192f000-0000-4000-8000-00000000dead";

/// Who looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Looker {
    Writer,
    Named,
    Colleague,
    Supervisor,
    /// The sender's system, for nobody in particular.
    System,
    Recipient,
    Third,
}

impl Looker {
    const ALL: [Self; 7] = [
        Self::Writer,
        Self::Named,
        Self::Colleague,
        Self::Supervisor,
        Self::System,
        Self::Recipient,
        Self::Third,
    ];

    /// Whether this one finds the notice by this endpoint.
    fn finds(self, endpoint: Endpoint) -> bool {
        let sender_alone = matches!(endpoint, Endpoint::Referral | Endpoint::Referrals);
        match self {
            Self::Writer | Self::Named => true,
            Self::Recipient => !sender_alone,
            Self::Colleague | Self::Supervisor | Self::System | Self::Third => false,
        }
    }
}

/// The endpoints by which a sent leg can be read, each with its paths for these ids of a notice.
fn ways(endpoint: Endpoint, [leg, referral, delivery]: [&str; 3], side: &str) -> Vec<String> {
    use Endpoint as E;
    match endpoint {
        E::Leg => vec![format!("/v1/legs/{leg}")],
        E::AvailableActions => vec![format!("/v1/legs/{leg}/available-actions")],
        E::LegReceipts => vec![format!("/v1/legs/{leg}/receipts")],
        E::Receipt => ["R0", "R1", "R2"].map(|level| format!("/v1/receipts/{delivery}/{level}")).into(),
        E::Referral => vec![format!("/v1/referrals/{referral}")],
        E::Legs => vec![format!("/v1/legs?side={side}&state=received&limit=200")],
        E::Referrals => {
            ["", "?type=TSUKOKU", "?leg_state=received"].map(|rest| format!("/v1/referrals{rest}")).into()
        }
        _ => Vec::new(),
    }
}

async fn is_found(agency: &Agency, endpoint: Endpoint, ids: [&str; 3], side: &str) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    for path in ways(endpoint, ids, side) {
        let reply: Reply = agency.get(&path).await;
        let listed = ids.iter().any(|id| reply.text().contains(id));
        if matches!(endpoint, Endpoint::Legs | Endpoint::Referrals) {
            assert_eq!(reply.code(), 200, "{path}");
        } else if reply.code() == 404 {
            let missing = ids.iter().fold(path.clone(), |path, id| path.replace(id, NOBODYS));
            assert_eq!(reply.text(), agency.get(&missing).await.text(), "{path} is told from a missing one");
        }
        found.push((path, reply.code() == 200 && (listed || endpoint == Endpoint::AvailableActions)));
    }
    found
}

#[tokio::test]
async fn a_notice_is_found_by_those_it_is_for_and_by_nobody_else_of_its_senders() {
    for engine in Engine::BOTH {
        let Some(world) = World::new(engine).await else { continue };
        let (town, sender) = (&world.town, &world.owner);
        let centre = town.agency(AgencyKind::FamilyCentre).await;
        let [named, colleague] = ["agency_staff", "agency_staff"].map(|role| sender.agency.hire(role));
        let (named, colleague) = (named.await, colleague.await);
        let mut paper = town.notice(&sender.staff, &centre);
        paper["seen_by"] = json!([named]);
        let sent = sender.agency.submit(&paper).await;
        let ids = [sent.at("/legs/0/id"), sent.at("/id"), sent.at("/legs/0/delivery")];
        centre.ack(&ids[2]).await.good();
        let mut tried = BTreeSet::new();
        for looker in Looker::ALL {
            let agency = match looker {
                Looker::Writer => sender.agency.asking_for(&sender.staff),
                Looker::Named => sender.agency.asking_for(&named),
                Looker::Colleague => sender.agency.asking_for(&colleague),
                Looker::Supervisor => sender.agency.asking_for(&sender.boss),
                Looker::System => sender.agency.readers().remove(0),
                Looker::Recipient => centre.readers().remove(0),
                Looker::Third => world.third.agency.asking_for(&world.third.staff),
            };
            let side = if looker == Looker::Recipient { "recipient" } else { "sender" };
            let ids = [ids[0].as_str(), &ids[1], &ids[2]];
            for row in TABLE.iter().filter(|row| row.access == Access::Agency && row.method == "GET") {
                for (path, found) in is_found(&agency, row.endpoint, ids, side).await {
                    assert_eq!(found, looker.finds(row.endpoint), "{looker:?} by {path} on {engine:?}");
                    tried.insert(row.path);
                }
            }
            // Every other list of that agency, whoever asks, says nothing of it.
            for path in ["/v1/inbox?state=taken", "/v1/provision-records", "/v1/protections", "/v1/consents"]
            {
                let listed = agency.get(path).await.good();
                let finds = looker == Looker::Recipient && path.starts_with("/v1/inbox");
                assert_eq!(ids.iter().any(|id| listed.text().contains(id)), finds, "{looker:?} by {path}");
            }
        }
        assert_eq!(tried.len(), 7, "{tried:?}");
    }
}
