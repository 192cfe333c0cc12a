//! How the state of a leg reads in FHIR R4 and in BSeR. Derived, never stored: two statuses kept side by
//! side come to contradict each other.

use crate::code_list;
use crate::domain::leg::LegState;

code_list! {
    /// `Task.status` of FHIR R4, as far as a leg reaches it.
    TaskStatus, "FHIR Task status" {
        Draft = "draft", "下書き", "draft";
        Requested = "requested", "依頼", "requested";
        Received = "received", "受領", "received";
        Accepted = "accepted", "受諾", "accepted";
        Rejected = "rejected", "拒否", "rejected";
        Cancelled = "cancelled", "取消", "cancelled";
        InProgress = "in-progress", "進行中", "in progress";
        OnHold = "on-hold", "保留", "on hold";
        Failed = "failed", "失敗", "failed";
        Completed = "completed", "完了", "completed";
        EnteredInError = "entered-in-error", "誤登録", "entered in error";
    }
}

code_list! {
    /// `ServiceRequest.status` of FHIR R4. Revoked: ended before what was asked was done, by whomever.
    RequestStatus, "FHIR ServiceRequest status" {
        Draft = "draft", "下書き", "draft";
        Active = "active", "有効", "active";
        OnHold = "on-hold", "保留", "on hold";
        Revoked = "revoked", "取消", "revoked";
        Completed = "completed", "完了", "completed";
        EnteredInError = "entered-in-error", "誤登録", "entered in error";
    }
}

code_list! {
    /// `Task.businessStatus`, where `Task.status` alone would say too little.
    BusinessStatus, "FHIR business status" {
        AwaitingInformation = "awaiting-information", "情報待ち", "awaiting information";
        Waitlist = "waitlist", "待機", "waiting list";
        Forwarded = "forwarded", "引継ぎ", "forwarded";
        ConsentWithdrawn = "consent-withdrawn", "同意撤回", "consent withdrawn";
        NoResponse = "no-response", "無応答", "no response";
    }
}

code_list! {
    /// The status of BSeR (Bidirectional Services eReferral, harmonised with 360X).
    Bser, "BSeR status" {
        Draft = "1", "下書き", "draft";
        Received = "2.0", "受領", "received";
        Accepted = "3.0", "受諾", "accepted";
        /// BSeR also says this when work that had begun is broken off (its transitions 10, 17, 25, 33).
        Rejected = "4.0", "拒否", "rejected";
        Active = "5.1", "進行中", "active";
        Scheduled = "5.1.1", "日程確定", "scheduled";
        CancelRequested = "5.2", "取消依頼", "cancel requested";
        Cancelled = "6.0", "取消", "cancelled";
        Completed = "7.0", "完了", "completed";
    }
}

/// What a leg's state reads as elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Derived {
    pub task: TaskStatus,
    pub request: RequestStatus,
    pub business: Option<BusinessStatus>,
    /// Absent where BSeR has no such state.
    pub bser: Option<Bser>,
}

/// Reads a leg's state in the words of FHIR R4 and BSeR.
pub const fn derive(state: LegState) -> Derived {
    use {LegState as L, RequestStatus as Q, TaskStatus as T};
    match state {
        L::Draft => plain(T::Draft, Q::Draft).bser(Bser::Draft),
        L::AwaitingBasis => plain(T::Draft, Q::Draft),
        L::Requested => plain(T::Requested, Q::Active),
        L::Received => plain(T::Received, Q::Active).bser(Bser::Received),
        L::InfoRequested => plain(T::Received, Q::Active).because(BusinessStatus::AwaitingInformation),
        L::Accepted => plain(T::Accepted, Q::Active).bser(Bser::Accepted),
        // The request stays in force while the family waits for its turn.
        L::Waitlisted => plain(T::OnHold, Q::Active).because(BusinessStatus::Waitlist),
        L::Scheduled => plain(T::InProgress, Q::Active).bser(Bser::Scheduled),
        L::InProgress => plain(T::InProgress, Q::Active).bser(Bser::Active),
        L::OnHold => plain(T::OnHold, Q::OnHold),
        L::CancelRequested => plain(T::InProgress, Q::Active).bser(Bser::CancelRequested),
        L::Declined => plain(T::Rejected, Q::Revoked).bser(Bser::Rejected),
        L::Forwarded => plain(T::Cancelled, Q::Revoked).because(BusinessStatus::Forwarded),
        L::Completed => plain(T::Completed, Q::Completed).bser(Bser::Completed),
        L::Discontinued => plain(T::Failed, Q::Revoked).bser(Bser::Rejected),
        L::Cancelled => plain(T::Cancelled, Q::Revoked).bser(Bser::Cancelled),
        L::Withdrawn => plain(T::Cancelled, Q::Revoked).because(BusinessStatus::ConsentWithdrawn),
        L::Expired => plain(T::Cancelled, Q::Revoked).because(BusinessStatus::NoResponse),
        L::EnteredInError => plain(T::EnteredInError, Q::EnteredInError),
    }
}

const fn plain(task: TaskStatus, request: RequestStatus) -> Derived {
    Derived { task, request, business: None, bser: None }
}

impl Derived {
    const fn bser(self, bser: Bser) -> Self {
        Self { bser: Some(bser), ..self }
    }

    const fn because(self, business: BusinessStatus) -> Self {
        Self { business: Some(business), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The columns as the comparison of machines publishes them, written down a second time by hand.
    #[test]
    fn every_state_reads_as_published() {
        let published = "\
            draft draft draft - 1 | awaiting_basis draft draft - - | requested requested active - - |\
            received received active - 2.0 | info_requested received active awaiting-information - |\
            accepted accepted active - 3.0 | waitlisted on-hold active waitlist - |\
            scheduled in-progress active - 5.1.1 | in_progress in-progress active - 5.1 |\
            on_hold on-hold on-hold - - | cancel_requested in-progress active - 5.2 |\
            declined rejected revoked - 4.0 | forwarded cancelled revoked forwarded - |\
            completed completed completed - 7.0 | discontinued failed revoked - 4.0 |\
            cancelled cancelled revoked - 6.0 | withdrawn cancelled revoked consent-withdrawn - |\
            expired cancelled revoked no-response - |\
            entered_in_error entered-in-error entered-in-error - -";
        let rows: Vec<Vec<&str>> = published.split('|').map(|row| row.split_whitespace().collect()).collect();
        assert_eq!(rows.len(), LegState::ALL.len());
        for row in rows {
            let read = derive(row[0].parse().unwrap());
            let business = read.business.map_or("-", BusinessStatus::code);
            let bser = read.bser.map_or("-", Bser::code);
            assert_eq!([read.task.code(), read.request.code(), business, bser], row[1..], "{}", row[0]);
        }
    }

    #[test]
    fn a_leg_has_ended_exactly_when_its_request_is_no_longer_open() {
        for state in LegState::ALL {
            let open = matches!(
                derive(*state).request,
                RequestStatus::Draft | RequestStatus::Active | RequestStatus::OnHold
            );
            assert_eq!(open, !state.terminal(), "{state}");
        }
    }
}
