//! The closed lists a recipient answers with. A reply of codes only needs no basis of its own (domain.md 7.5).

use crate::code_list;

code_list! {
    /// Why a recipient cannot take the referral (受入不可の理由).
    ///
    /// No code says that a family was refused because of DV or abuse: a list that offers such a reason
    /// makes it one.
    DeclineReason, "decline reason" {
        Capacity = "CAPACITY", "定員超過・枠なし", "full, no place";
        Age = "AGE", "年齢対象外", "outside the age range";
        Staffing = "STAFFING", "職員配置・面積の制約", "not enough staff or space";
        NoProvider = "NO_PROVIDER", "提供会員なし", "no providing member available";
        Schedule = "SCHEDULE", "日時不一致", "no matching day or time";
        LateApplication = "LATE_APPLICATION", "期限後申込", "applied after the closing time";
        OutOfArea = "OUT_OF_AREA", "管轄外・エリア外", "outside the area or jurisdiction";
        NotEligible = "NOT_ELIGIBLE", "要件不該当", "requirements not met";
        MedicalCare = "MEDICAL_CARE", "医療的ケア体制なし", "no arrangements for medical care";
        Allergy = "ALLERGY", "アレルギー対応不可", "cannot provide for the allergy";
        Transport = "TRANSPORT", "送迎不可", "no transport";
        Language = "LANGUAGE", "言語対応不可", "language not available";
        Suspended = "SUSPENDED", "休止中", "service suspended";
        NotRegisteredYet = "NOT_REGISTERED_YET", "事前登録・面談未了", "prior registration or interview outstanding";
        InsufficientInformation = "INSUFFICIENT_INFORMATION", "情報不足", "not enough information";
        OutsideConsent = "OUTSIDE_CONSENT", "同意範囲外", "outside the consent";
        ConflictOfInterest = "CONFLICT_OF_INTEREST", "利益相反", "conflict of interest";
        Duplicate = "DUPLICATE", "重複", "duplicate";
        Other = "OTHER", "その他", "other";
    }
}

code_list! {
    /// Whose circumstances led to a decline. The two are never added up: one is a choice, the other a gap.
    DeclinedBy, "declined by" {
        Client = "client", "本人側の事情", "the family";
        Provider = "provider", "提供側の事情", "the provider";
    }
}

code_list! {
    /// What came of a completed leg (結果).
    Outcome, "outcome" {
        UseStarted = "USE_STARTED", "利用開始", "use has started";
        Booked = "BOOKED", "予約済", "booked";
        Waiting = "WAITING", "待機", "on a waiting list";
        ClientDeclined = "CLIENT_DECLINED", "本人辞退", "the family declined";
        NoContact = "NO_CONTACT", "連絡つかず", "could not be reached";
        SupportContinues = "SUPPORT_CONTINUES", "支援継続", "support continues";
        Closed = "CLOSED", "終結", "closed";
        Transferred = "TRANSFERRED", "送致", "transferred to the child guidance centre";
        HandedOver = "HANDED_OVER", "移管", "handed over to another municipality";
        TemporaryProtection = "TEMPORARY_PROTECTION", "一時保護", "temporary protection";
        /// 児童福祉法 第21条の18.
        ServiceByMeasure = "SERVICE_BY_MEASURE", "措置提供（21条の18）", "service provided by measure";
        ReferredOn = "REFERRED_ON", "他機関紹介", "referred to another agency";
        NotApplicable = "NOT_APPLICABLE", "該当せず", "did not apply";
    }
}

impl Outcome {
    /// Whether help has begun. "Closed" is not "helped": statistics count the two apart.
    pub const fn help_began(self) -> bool {
        matches!(
            self,
            Self::UseStarted | Self::SupportContinues | Self::TemporaryProtection | Self::ServiceByMeasure
        )
    }
}

code_list! {
    /// Why work that had begun was ended before its result (中断・終結の理由). Never a decline: that is said before.
    DiscontinueReason, "discontinue reason" {
        ClientDeclined = "CLIENT_DECLINED", "本人辞退", "the family declined";
        NoContact = "NO_CONTACT", "連絡つかず", "could not be reached";
        MovedAway = "MOVED_AWAY", "転出", "moved away";
        NoLongerNeeded = "NO_LONGER_NEEDED", "支援の必要がなくなった", "no longer needed";
        AgeLimit = "AGE_LIMIT", "対象年齢の終了", "age limit reached";
        Staffing = "STAFFING", "職員体制の制約", "not enough staff";
        Suspended = "SUSPENDED", "事業の休止・終了", "service suspended or ended";
        OtherService = "OTHER_SERVICE", "他の支援へ移行", "moved to another service";
        Death = "DEATH", "死亡", "death";
        Other = "OTHER", "その他", "other";
    }
}

code_list! {
    /// Why work pauses (一時停止の理由). A review date always stands beside it.
    HoldReason, "hold reason" {
        ClientRequest = "CLIENT_REQUEST", "本人の希望", "at the family's wish";
        Illness = "ILLNESS", "体調・入院", "illness or hospital stay";
        Absence = "ABSENCE", "不在（里帰り等）", "away, for example for a birth at the parents' home";
        NoContact = "NO_CONTACT", "連絡待ち", "waiting to reach the family";
        OtherProcedure = "OTHER_PROCEDURE", "他の手続き待ち", "waiting for another procedure";
        Staffing = "STAFFING", "職員体制の制約", "not enough staff";
        Suspended = "SUSPENDED", "休止中", "service suspended";
        Other = "OTHER", "その他", "other";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_decline_reason_means_dv_or_abuse() {
        for reason in DeclineReason::ALL {
            let said =
                format!("{} {} {}", reason.code(), reason.label_ja(), reason.label_en()).to_lowercase();
            for word in ["dv", "violence", "abuse", "虐待", "暴力", "notice", "通告"] {
                assert!(!said.contains(word), "{reason} says {word}");
            }
        }
        assert!("DV".parse::<DeclineReason>().is_err());
        assert!("ABUSE".parse::<DeclineReason>().is_err());
    }

    #[test]
    fn closed_is_not_counted_as_helped() {
        assert!(Outcome::UseStarted.help_began());
        for outcome in
            [Outcome::Closed, Outcome::Booked, Outcome::Waiting, Outcome::ReferredOn, Outcome::NoContact]
        {
            assert!(!outcome.help_began(), "{outcome}");
        }
    }

    #[test]
    fn codes_read_back_and_serialize_as_themselves() {
        for reason in DeclineReason::ALL {
            assert_eq!(reason.code().parse::<DeclineReason>().unwrap(), *reason);
        }
        assert_eq!(serde_json::to_string(&DeclinedBy::Provider).unwrap(), "\"provider\"");
        assert_eq!(serde_json::from_str::<Outcome>("\"BOOKED\"").unwrap(), Outcome::Booked);
    }
}
