//! Sign-ins tried in order, in parallel, with the clock moved on.

use std::time::Duration;

use super::*;
use crate::{
    domain::{agency::AgencyKind, staff::StaffRole},
    usecases::testing::{self, TestHub},
};

const PASSWORD: &str = "はるのうみひねもす のたり";

struct Door {
    hub: TestHub,
    caller: Caller,
    staff: StaffId,
}

impl Door {
    async fn new() -> Self {
        let hub = testing::hub().await;
        let caller = hub.agency(AgencyKind::UserSupportBasic).await;
        let staff = hub.staff(&caller, StaffRole::Coordinator).await;
        let door = Self { hub, caller, staff };
        door.set("hanako", PASSWORD).await;
        door
    }

    async fn set(&self, login: &str, password: &str) {
        let sealed = Credentials::parse(login, password).unwrap().seal(&self.hub.vault).unwrap();
        set(&self.hub, &self.caller, self.staff, &sealed).await.unwrap();
    }

    async fn enter(&self, login: &str, password: &str) -> Option<String> {
        let tried = begin(&self.hub, login).await.unwrap();
        let right = tried.check(&self.hub.vault, password);
        finish(&self.hub, tried, right).await.unwrap().map(|cookie| cookie.to_string())
    }

    async fn knows(&self, cookie: &str) -> bool {
        visitor(&self.hub, cookie).await.unwrap().is_some()
    }

    fn wait(&self, minutes: u64) {
        self.hub.clock.advance(Duration::from_secs(minutes * 60));
    }

    async fn audited(&self) -> Vec<String> {
        let entries =
            self.hub.ledger.audit_of(self.caller.scope(), &self.staff.to_string(), 99).await.unwrap();
        let tries = entries.iter().filter(|entry| entry.action == AuditAction::Authenticate);
        tries.map(|entry| entry.decision.clone()).collect()
    }
}

#[tokio::test]
async fn whoever_knows_the_password_gets_a_session_and_nobody_else() {
    let door = Door::new().await;
    let cookie = door.enter(" Hanako", PASSWORD).await.unwrap();
    let visitor = visitor(&door.hub, &cookie).await.unwrap().unwrap();
    assert_eq!((visitor.staff.id, visitor.caller.id()), (door.staff, door.caller.id()));
    assert!(visitor.made(&visitor.form) && !visitor.made("") && !visitor.made(&cookie));
    for (login, password) in [("hanako", "はるのうみひねもす のたりと"), ("taro", PASSWORD), ("", PASSWORD)]
    {
        assert_eq!(door.enter(login, password).await, None, "{login}");
    }
    assert!(!door.knows("").await && !door.knows("x").await);
    assert_eq!(door.audited().await, ["allowed", "wrong-password"]);
    visitor.sign_out(&door.hub).await.unwrap();
    assert!(!door.knows(&cookie).await);
}

#[tokio::test]
async fn the_fifth_failure_closes_the_door_for_a_while_and_success_opens_it_again() {
    let door = Door::new().await;
    for _ in 0..5 {
        assert_eq!(door.enter("hanako", "wrong").await, None);
    }
    assert_eq!(door.enter("hanako", PASSWORD).await, None, "also the right one has to wait");
    door.wait(1);
    assert_eq!(door.enter("hanako", "wrong").await, None);
    door.wait(1);
    assert_eq!(door.enter("hanako", PASSWORD).await, None, "the second wait is two minutes");
    door.wait(1);
    assert!(door.enter("hanako", PASSWORD).await.is_some());
    assert_eq!(door.enter("hanako", "wrong").await, None);
    assert!(door.enter("hanako", PASSWORD).await.is_some(), "what failed before is forgiven");
    // What was tried while waiting was not counted, and not written down.
    assert_eq!(door.audited().await.iter().filter(|what| *what == "wrong-password").count(), 7);
}

#[tokio::test]
async fn a_hundred_tries_at_once_are_no_more_than_five() {
    let door = Door::new().await;
    let tries = futures_util::future::join_all((0..100).map(|_| begin(&door.hub, "hanako"))).await;
    let looked = tries.iter().filter(|tried| tried.as_ref().is_ok_and(|tried| tried.found.is_some())).count();
    assert!((1..=5).contains(&looked), "{looked} looked at the password");
    assert_eq!(door.enter("hanako", PASSWORD).await, None);
}

#[tokio::test]
async fn a_session_ends_with_idleness_age_a_new_password_or_the_persons_leave() {
    let door = Door::new().await;
    let cookie = door.enter("hanako", PASSWORD).await.unwrap();
    for _ in 0..20 {
        door.wait(29);
        assert!(door.knows(&cookie).await);
    }
    door.wait(29);
    assert!(!door.knows(&cookie).await, "ten hours are over");
    let cookie = door.enter("hanako", PASSWORD).await.unwrap();
    door.wait(30);
    assert!(!door.knows(&cookie).await, "idle");
    let cookie = door.enter("hanako", PASSWORD).await.unwrap();
    door.set("hanako", "あきのひはつるべおとしに").await;
    assert!(!door.knows(&cookie).await, "another password");
    assert_eq!(door.enter("hanako", PASSWORD).await, None);
    let cookie = door.enter("hanako", "あきのひはつるべおとしに").await.unwrap();
    remove(&door.hub, &door.caller, door.staff).await.unwrap();
    assert!(!door.knows(&cookie).await, "the sign-in was taken away");
    assert_eq!(door.enter("hanako", "あきのひはつるべおとしに").await, None);
}

#[tokio::test]
async fn a_login_belongs_to_one_person_and_an_agency_sets_its_own_peoples_only() {
    let door = Door::new().await;
    let other = door.hub.agency(AgencyKind::Npo).await;
    let theirs = door.hub.staff(&other, StaffRole::AgencyStaff).await;
    let sealed = || Credentials::parse("hanako", PASSWORD).unwrap().seal(&door.hub.vault).unwrap();
    let taken = set(&door.hub, &other, theirs, &sealed()).await.unwrap_err();
    assert_eq!(taken.kind, ProblemKind::AlreadyThere);
    let foreign = set(&door.hub, &other, door.staff, &sealed()).await.unwrap_err();
    assert_eq!(foreign.kind, ProblemKind::NotFound);
    assert_eq!(remove(&door.hub, &other, door.staff).await.unwrap_err().kind, ProblemKind::NotFound);
    assert!(door.enter("hanako", PASSWORD).await.is_some());
}

#[tokio::test]
async fn what_is_refused_by_form_is_told_by_place_and_not_repeated() {
    let refused = Credentials::parse("ひみつ", "ひみつ").err().unwrap();
    let told = serde_json::to_string(&refused).unwrap();
    assert!(told.contains("/login") && told.contains("/password") && !told.contains("ひみつ"), "{told}");
}
