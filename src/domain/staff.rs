//! Staff (職員): what a person at an agency may do.

use crate::code_list;

code_list! {
    /// The role of a member of staff.
    StaffRole, "staff role" {
        Coordinator = "coordinator", "コーディネーター", "coordinator";
        Assistant = "assistant", "補助職員", "assistant";
        AgencyStaff = "agency_staff", "職員", "agency staff";
        DutyDesk = "duty_desk", "通告受付（当番）", "duty desk";
        Supervisor = "supervisor", "管理職", "supervisor";
        PrivacyOfficer = "privacy_officer", "個人情報保護担当", "privacy officer";
    }
}
