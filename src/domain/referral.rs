//! The closed lists of a referral: its type, its urgency, its needs.

use crate::code_list;

code_list! {
    /// What kind of message a referral is. The paper forms between agencies are its ancestors.
    ReferralType, "referral type" {
        Information = "JOHO", "情報提供のみ", "information only";
        SelfContact = "SELF", "本人連絡", "the family makes contact itself";
        Introduction = "SHOKAI", "紹介・取次", "referral";
        StatutoryProvision = "JOHO_TEIKYO", "法定情報提供", "provision required or allowed by law";
        Notice = "TSUKOKU", "通告", "notice of suspected abuse";
        Transfer = "SOCHI", "送致", "transfer to a child guidance centre";
        HandOver = "IKAN", "移管", "hand-over between municipalities";
        Inquiry = "SHOKAI_Q", "照会", "inquiry";
        Reply = "KAITO", "回答", "reply to an inquiry";
        Request = "IRAI", "援助・協力依頼", "request for support";
        UseNotice = "RIYO_TSUCHI", "利用通知", "notice of use";
        Monitoring = "MONITOR", "モニタリング", "monitoring";
        Periodic = "TEIKI", "定期報告", "periodic report";
        Complaint = "KUJO", "苦情", "complaint";
    }
}

impl ReferralType {
    /// Self-contact and plain information carry no personal section at all (domain.md 7.5, step 1).
    pub const fn carries_personal_data(self) -> bool {
        !matches!(self, Self::Information | Self::SelfContact)
    }
}

code_list! {
    /// How soon somebody must act. Only 通告 and 送致 run day and night.
    Urgency, "urgency" {
        InformationOnly = "U0", "情報のみ", "information only";
        Ordinary = "U1", "通常（5開庁日）", "ordinary: five working days";
        Soon = "U2", "早め（翌開庁日）", "soon: next working day";
        Today = "U3", "当日", "today";
        AtOnce = "U4", "直ちに", "at once, with a telephone call";
    }
}

impl Urgency {
    /// Urgent legs keep room in a full hub and ring a duty desk without waiting for gathered mail.
    pub const fn is_urgent(self) -> bool {
        matches!(self, Self::Today | Self::AtOnce)
    }
}

code_list! {
    /// A need of the family, as the coordinators of the seed documents name them.
    Need, "need" {
        Employment = "EMPLOYMENT", "就労", "employment";
        Development = "DEVELOPMENT", "発達", "child development";
        SingleParent = "SINGLE_PARENT", "ひとり親", "single parent";
        Language = "LANGUAGE", "外国籍・言語", "nationality or language";
        Poverty = "POVERTY", "貧困・生活困窮", "poverty";
        Illness = "ILLNESS", "疾病", "illness";
        MentalHealth = "MENTAL_HEALTH", "精神保健", "mental health";
        DomesticViolence = "DV", "DV", "domestic violence";
        Abuse = "ABUSE", "虐待", "abuse";
        Partner = "PARTNER", "配偶者関係", "relationship with the partner";
        Isolation = "ISOLATION", "孤立（親族なし）", "isolation";
        Respite = "RESPITE", "リフレッシュ・育児疲れ", "respite";
        Disability = "DISABILITY", "障害", "disability";
        ChildcarePlace = "CHILDCARE_PLACE", "保育（保留）", "a place in childcare";
        School = "SCHOOL", "就園・就学", "starting kindergarten or school";
        Pregnancy = "PREGNANCY", "妊娠", "pregnancy";
        MultipleBirth = "MULTIPLE_BIRTH", "多胎", "twins or more";
        PostnatalDepression = "POSTNATAL_DEPRESSION", "産後うつ", "postnatal depression";
        Truancy = "TRUANCY", "不登校", "not attending school";
        YoungCarer = "YOUNG_CARER", "ヤングケアラー", "young carer";
        YoungPregnancy = "YOUNG_PREGNANCY", "若年妊娠", "teenage pregnancy";
        MissedCheckups = "MISSED_CHECKUPS", "未受診", "missed check-ups";
        LowBirthWeight = "LOW_BIRTH_WEIGHT", "低出生体重", "low birth weight";
        MedicalCare = "MEDICAL_CARE", "医療的ケア", "medical care at home";
        Housing = "HOUSING", "住居", "housing";
        Whereabouts = "WHEREABOUTS", "居所不明", "whereabouts unknown";
        Delinquency = "DELINQUENCY", "非行", "delinquency";
        HomecomingBirth = "HOMECOMING_BIRTH", "里帰り", "birth at the parents' home";
        Debt = "DEBT", "経済（債務）", "debt";
    }
}
