//! The table of routes: each row is an endpoint with its path, who may call it, what goes in and what comes out.
//!
//! The router, the description of the API, the list of methods and the tests of access all come from these rows.

use super::{Access, Guarded, Row, api, pages, problem};
use crate::usecases::schema::Schema;

macro_rules! routes {
    ($($path:literal {
        $($name:ident: $method:ident $access:ident $guarded:ident
            ($($body:ident)?) -> ($($answer:ident)?) [$($query:literal)*] => $handler:path, $ja:literal, $en:literal;)+
    })+) => {
        /// Every endpoint of the hub. A test that matches on it without a wildcard cannot forget one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Endpoint { $($($name,)+)+ }

        /// The API: path, method, who may call, what goes in, what comes out.
        pub const TABLE: &[Row] = &[$($(Row {
            endpoint: Endpoint::$name,
            method: stringify!($method),
            path: $path,
            access: Access::$access,
            guarded: Guarded::$guarded,
            body: routes!(@schema $($body)?),
            answer: routes!(@schema $($answer)?),
            query: &[$($query),*],
            ja: $ja,
            en: $en,
        },)+)+];

        /// Registers every row.
        pub(crate) fn configure(app: &mut actix_web::web::ServiceConfig) {
            $(app.service(
                actix_web::web::resource($path)
                    $(.route(actix_web::web::method(actix_web::http::Method::$method).to($handler)))+
                    .default_service(actix_web::web::to(problem::method_not_allowed)),
            );)+
            app.default_service(actix_web::web::to(problem::no_such_path));
        }
    };
    (@schema) => { None };
    (@schema $schema:ident) => { Some(Schema::$schema) };
}

routes! {
    "/" {
        Home: GET Page No () -> () [] => pages::home, "一覧へ", "to the board";
    }
    "/sign-in" {
        SignInPage: GET Page No () -> () [] => pages::sign_in::show, "ログインの画面", "the page to sign in";
        SignIn: POST Page No () -> () [] => pages::sign_in::enter, "ログインする", "sign in";
    }
    "/sign-out" {
        SignOut: POST Page No () -> () [] => pages::sign_in::leave, "ログアウトする", "sign out";
    }
    "/board" {
        Board: GET Page No () -> () ["state" "order" "after" "lang"] => pages::board::list,
            "送った紹介・連絡の一覧の画面", "the board: what your agency has sent";
    }
    "/board/legs/{id}" {
        BoardLeg: GET Page No () -> () ["lang"] => pages::leg::show, "宛先の画面", "one leg as a page";
    }
    "/assets/{name}" {
        Asset: GET Page No () -> () [] => pages::style::serve, "画面の見た目", "what pages are made of";
    }
    "/healthz" {
        Health: GET Public No () -> (Health) [] => api::health::alive, "稼働確認", "whether the process answers";
    }
    "/readyz" {
        Ready: GET Public No () -> (Health) [] => api::health::ready, "受付可否", "whether the hub can accept referrals";
    }
    "/openapi.json" {
        OpenApi: GET Public No () -> () [] => api::health::openapi, "この API の記述（OpenAPI 3.1）", "this description";
    }
    "/.well-known/jwks.json" {
        Jwks: GET Public No () -> () [] => api::health::jwks, "受領証を検証する公開鍵", "the public keys that verify receipts";
    }
    "/v1/token" {
        Token: POST Public No () -> (Token) [] => api::token::issue,
            "アクセストークンを得る（client credentials）", "get an access token (client credentials)";
    }
    "/v1/agencies" {
        Agencies: GET Agency No () -> () ["kind" "after" "limit"] => api::directory::agencies, "機関の一覧", "list agencies";
    }
    "/v1/agencies/{id}" {
        Agency: GET Agency No () -> (Agency) [] => api::directory::agency, "機関", "one agency";
    }
    "/v1/services" {
        Services: GET Agency No () -> () ["ward" "kind" "age" "after" "limit"] => api::directory::services,
            "資源・サービスの一覧", "list services by ward, kind and age class";
    }
    "/v1/services/{id}" {
        Service: GET Agency No () -> (Service) [] => api::directory::service, "資源・サービス", "one service";
    }
    "/v1/staff" {
        RegisterStaff: POST Agency Key (Staff) -> () [] => api::staff::register, "職員を登録する", "register a member of staff";
        StaffList: GET Agency No () -> () ["after" "limit"] => api::staff::list, "自機関の職員の一覧", "list your own staff";
    }
    "/v1/staff/{id}/sign-in" {
        SetSignIn: PUT Agency No (SignIn) -> () [] => api::staff::set_sign_in,
            "職員が画面にログインできるようにする（前のログインは無効になる）", "let a member of staff sign in to the pages";
        RemoveSignIn: DELETE Agency No () -> () [] => api::staff::remove_sign_in,
            "職員が画面にログインできないようにする", "take a sign-in away";
    }
    "/v1/subscriptions" {
        Subscriptions: GET Agency No () -> () [] => api::subscription::list, "通知の受け方", "how you are told";
    }
    "/v1/subscriptions/amqp" {
        SubscribeAmqp: PUT Agency No (SubscriptionAmqp) -> () [] => api::subscription::amqp,
            "AMQPで受け取る", "be told over AMQP";
        EndAmqp: DELETE Agency No () -> () [] => api::subscription::end_amqp, "AMQPでの受け取りをやめる", "end AMQP";
    }
    "/v1/subscriptions/mail" {
        SubscribeMail: PUT Agency No (SubscriptionMail) -> () [] => api::subscription::mail,
            "電子メールで知らせを受ける", "be told by e-mail";
        EndMail: DELETE Agency No () -> () [] => api::subscription::end_mail, "電子メールでの知らせをやめる", "end e-mail";
    }
    "/v1/consents" {
        RecordConsent: POST Agency Key (Consent) -> (ConsentAnswer) [] => api::consent::record, "同意を記録する", "record a consent";
        Consents: GET Agency No () -> () ["before" "limit"] => api::consent::list, "同意の一覧", "list consents";
    }
    "/v1/consents/{id}" {
        Consent: GET Agency No () -> (ConsentView) [] => api::consent::read, "同意", "one consent";
    }
    "/v1/consents/{id}/form" {
        ConsentForm: GET Agency No () -> () ["lang"] => api::consent::form,
            "同意書を印刷する（HTML）", "print the form of a consent (HTML)";
    }
    "/v1/consent-forms" {
        PrintConsentForm: POST Agency Key (ConsentForm) -> () ["lang"] => api::consent::form_before,
            "同意を得る前に、説明と同意書を印刷する（HTML）", "print the form before a consent is given (HTML)";
    }
    "/v1/consents/{id}/withdraw" {
        WithdrawConsent: POST Agency KeyAndVersion (Withdraw) -> (ConsentAnswer) [] => api::consent::withdraw,
            "同意を撤回する", "withdraw a consent";
    }
    "/v1/arrangements" {
        RecordArrangement: POST Agency Key (Arrangement) -> (ArrangementAnswer) [] => api::arrangement::record,
            "取決め（要対協・委託・共同利用・利用目的）を記録する", "record a council, contract, joint use or purpose";
        Arrangements: GET Agency No () -> () ["before" "limit"] => api::arrangement::list, "取決めの一覧", "list arrangements";
    }
    "/v1/arrangements/{id}" {
        Arrangement: GET Agency No () -> (ArrangementView) ["version"] => api::arrangement::read, "取決め", "one arrangement";
    }
    "/v1/arrangements/{id}/end" {
        EndArrangement: POST Agency KeyAndVersion (ArrangementEnd) -> (ArrangementAnswer) [] => api::arrangement::end,
            "取決めを終える", "end an arrangement";
    }
    "/v1/arrangements/{id}/members" {
        AddMember: POST Agency KeyAndVersion (ArrangementMember) -> (ArrangementAnswer) [] => api::arrangement::add_member,
            "構成員・相手方を加える", "add a member";
    }
    "/v1/arrangements/{id}/members/{agency}/end" {
        EndMember: POST Agency KeyAndVersion (ArrangementEnd) -> (ArrangementAnswer) [] => api::arrangement::end_member,
            "構成員・相手方を終える", "end a membership";
    }
    "/v1/arrangements/{id}/cases" {
        RegisterCase: POST Agency KeyAndVersion (ArrangementCase) -> (ArrangementAnswer) [] => api::arrangement::register_case,
            "要対協にケースを登録する", "put a case on a council's register";
        Register: GET Agency No () -> (ArrangementRegister) ["after" "limit"] => api::arrangement::register,
            "要対協の登録簿（Tsunagu-Staff に見る職員）", "a council's register (Tsunagu-Staff names who looks)";
    }
    "/v1/arrangements/{id}/cases/{entry}/end" {
        EndCase: POST Agency KeyAndVersion (ArrangementEnd) -> (ArrangementAnswer) [] => api::arrangement::end_case,
            "ケースの登録を終える", "end a registration";
    }
    "/v1/cases" {
        OpenCase: POST Agency Key (Case) -> (CaseAnswer) [] => api::case::open, "相談ケースを開始する", "open a case";
        Cases: GET Agency No () -> () ["state" "staff" "before" "limit"] => api::case::list,
            "相談ケースの一覧（担当・副担当で絞れる）", "list cases, of one member of staff if asked";
    }
    "/v1/cases/{id}" {
        Case: GET Agency No () -> (CaseView) ["version"] => api::case::read,
            "相談ケース（Tsunagu-Staff に見る職員）", "one case (Tsunagu-Staff names who looks)";
    }
    "/v1/cases/{id}/change" {
        ChangeCase: POST Agency KeyAndVersion (CaseChange) -> (CaseAnswer) [] => api::case::change,
            "世帯・担当を変更する", "change the household or who looks after it";
    }
    "/v1/cases/{id}/plan" {
        PlanCase: POST Agency KeyAndVersion (CasePlan) -> (CaseAnswer) [] => api::case::plan,
            "サポートプランを作成・改定する", "make the next support plan";
    }
    "/v1/cases/{id}/plans" {
        CasePlans: GET Agency No () -> (CasePlans) ["before" "limit"] => api::case::plans,
            "サポートプランの一覧（Tsunagu-Staff に見る職員）", "support plans (Tsunagu-Staff names who looks)";
    }
    "/v1/cases/{id}/close" {
        CloseCase: POST Agency KeyAndVersion (CaseClose) -> (CaseAnswer) [] => api::case::close,
            "相談ケースを終結する", "close a case";
    }
    "/v1/cases/{id}/reopen" {
        ReopenCase: POST Agency KeyAndVersion (CaseReopen) -> (CaseAnswer) [] => api::case::reopen,
            "相談ケースを再開する", "reopen a case";
    }
    "/v1/cases/{id}/entries" {
        AddCaseEntry: POST Agency Key (CaseEntry) -> (CaseEntryAnswer) [] => api::case::add_entry,
            "経過記録を書く・訂正する", "add an entry, or correct one";
        CaseEntries: GET Agency No () -> (CaseEntries) ["before" "limit"] => api::case::entries,
            "経過記録（Tsunagu-Staff に見る職員）", "the entries (Tsunagu-Staff names who looks)";
    }
    "/v1/consultations" {
        RecordConsultation: POST Agency Key (Consultation) -> (ConsultationAnswer) [] => api::consultation::record,
            "相談記録を書く（氏名なし）", "note a talk without names";
        Consultations: GET Agency No () -> () ["from" "to" "before" "limit"] => api::consultation::list,
            "相談記録の一覧（Tsunagu-Staff に見る職員）", "list consultations (Tsunagu-Staff names who looks)";
    }
    "/v1/consultations/{id}" {
        Consultation: GET Agency No () -> (ConsultationView) [] => api::consultation::read,
            "相談記録（Tsunagu-Staff に見る職員）", "one consultation (Tsunagu-Staff names who looks)";
    }
    "/v1/consultations/{id}/case" {
        OpenCaseOfConsultation: POST Agency Key (Case) -> (CaseAnswer) [] => api::consultation::open_case,
            "相談記録から相談ケースを開始する（一度だけ）", "open a case from a consultation, once";
    }
    "/v1/protections" {
        RecordProtection: POST Agency Key (Protection) -> (ProtectionAnswer) [] => api::protection::record,
            "家族の居場所を秘匿する", "hide where a family is";
        Protections: GET Agency No () -> () ["case" "referral" "before" "limit"] => api::protection::list,
            "秘匿の一覧", "list protections";
    }
    "/v1/protections/{id}" {
        Protection: GET Agency No () -> (ProtectionView) [] => api::protection::read, "秘匿", "one protection";
    }
    "/v1/protections/{id}/change" {
        ChangeProtection: POST Agency KeyAndVersion (ProtectionChange) -> (ProtectionAnswer) [] => api::protection::change,
            "秘匿を変更する（弱める変更は承認を待つ）", "change a protection; what hides less waits for approval";
    }
    "/v1/protections/{id}/release" {
        ReleaseProtection: POST Agency KeyAndVersion (ProtectionRelease) -> (ProtectionAnswer) [] => api::protection::release,
            "秘匿の解除を申し出る", "ask that a protection end";
    }
    "/v1/protections/{id}/unlock" {
        UnlockProtection: POST Agency KeyAndVersion (ProtectionUnlock) -> (ProtectionAnswer) [] => api::protection::unlock,
            "一つの宛先への一時開示を申し出る", "ask to show the address to one recipient for minutes";
    }
    "/v1/protections/{id}/approve" {
        ApproveProtection: POST Agency KeyAndVersion (ProtectionApprove) -> (ProtectionAnswer) [] => api::protection::approve,
            "別の管理職が承認する", "approve, as another supervisor";
    }
    "/v1/consents/{id}/statutory-decision" {
        DecideStatutory: POST Agency KeyAndVersion (StatutoryDecision) -> () [] => api::consent::statutory,
            "撤回後、法令の根拠の有無を判断する", "after a withdrawal, decide whether a law allows it";
    }
    "/v1/referrals" {
        Submit: POST Agency Key (Referral) -> (ReferralView) [] => api::referral::submit, "紹介・連絡を送る", "send a referral";
        Referrals: GET Agency No () -> () ["type" "leg_state" "before" "limit"] => api::referral::list,
            "送った紹介・連絡の一覧", "list your referrals";
    }
    "/v1/referrals/{id}" {
        Referral: GET Agency No () -> (ReferralView) [] => api::referral::read, "紹介・連絡", "one referral";
    }
    "/v1/referrals/{id}/retention" {
        Retention: GET Agency No () -> () [] => api::retention::read,
            "消去できるか、何が妨げているか（Tsunagu-Staff に管理職・個人情報保護担当）",
            "whether it may be erased, and what stands in the way (Tsunagu-Staff names a supervisor or privacy officer)";
    }
    "/v1/referrals/{id}/erase" {
        Erase: POST Agency Key (Erase) -> () [] => api::retention::erase,
            "保存期間を過ぎた紹介・連絡の内容を、二人で消去する", "erase what is past its retention, as two people";
    }
    "/v1/referrals/{id}/readers" {
        NameReaders: POST Agency Key (Readers) -> () [] => api::referral::name_readers,
            "通告を見られる職員を加える（書いた職員だけ）", "let colleagues see a notice (its writer alone)";
    }
    "/v1/referrals/{id}/family" {
        FamilyOfReferral: GET Agency No () -> (FamilyView) ["viewer" "take_home" "places"] => api::family::of_referral,
            "家族本人の一覧：一つの紹介・連絡（Tsunagu-Staff に見る職員）", "the family's own view of one referral";
    }
    "/v1/referrals/{id}/family/page" {
        FamilyPageOfReferral: GET Agency No () -> () ["viewer" "take_home" "places" "lang"] => api::family::page_of_referral,
            "同じものを印刷する（HTML）", "the same to print (HTML)";
    }
    "/v1/cases/{id}/family" {
        FamilyOfCase: GET Agency No () -> (FamilyView) ["viewer" "take_home" "places"] => api::family::of_case,
            "家族本人の一覧：だれが、何を、なぜ、いつまで持っているか（Tsunagu-Staff に見る職員）",
            "the family's own view: who holds what, why, until when (Tsunagu-Staff names who looks)";
    }
    "/v1/cases/{id}/family/page" {
        FamilyPageOfCase: GET Agency No () -> () ["viewer" "take_home" "places" "lang"] => api::family::page_of_case,
            "同じものを印刷する（HTML）", "the same to print (HTML)";
    }
    "/v1/referrals/{id}/accesses" {
        Accesses: GET Agency No () -> (Accesses) ["before" "limit"] => api::access::of_referral,
            "だれが、いつ、何の目的で見たか", "who looked at it, when and for what";
    }
    "/v1/audit" {
        Audit: GET Agency No () -> (Accesses) ["staff" "subject" "day" "before" "limit"] => api::access::own,
            "自機関の監査記録（Tsunagu-Staff に個人情報保護担当）",
            "your own audit (Tsunagu-Staff names the privacy officer)";
    }
    "/v1/legs" {
        Legs: GET Agency No () -> () ["side" "state" "before" "limit"] => api::leg::list, "宛先の一覧", "list legs by side and state";
    }
    "/v1/legs/{id}" {
        Leg: GET Agency No () -> (LegView) [] => api::leg::read, "宛先", "one leg";
    }
    "/v1/legs/{id}/available-actions" {
        AvailableActions: GET Agency No () -> () [] => api::leg::available, "いまできる操作", "the actions allowed now";
    }
    "/v1/legs/{id}/actions/{action}" {
        Act: POST Agency KeyAndVersion (LegAction) -> (LegAnswer) [] => api::leg::act, "返書・操作", "answer, or act on a leg";
    }
    "/v1/legs/{id}/grounds" {
        Grounds: GET Agency No () -> (Grounds) [] => api::access::grounds,
            "どの同意の行・条文が、だれの情報の根拠か", "which line of the consent, or which article, covered whom";
    }
    "/v1/legs/{id}/receipts" {
        LegReceipts: GET Agency No () -> () [] => api::leg::receipts, "受領証・経過・目録", "receipts, signed events and manifest";
    }
    "/v1/legs/{id}/holds" {
        PlaceHold: POST Agency Key (Hold) -> () [] => api::retention::hold, "消去を保留する", "hold it from erasure";
        Holds: GET Agency No () -> () ["limit"] => api::retention::holds,
            "自機関が置いた保留（Tsunagu-Staff に管理職・個人情報保護担当）",
            "the holds you placed (Tsunagu-Staff names a supervisor or privacy officer)";
    }
    "/v1/holds/{id}/lift" {
        LiftHold: POST Agency Key (HoldLift) -> () [] => api::retention::lift, "保留を解く", "lift a hold";
    }
    "/v1/inbox" {
        Inbox: GET Agency No () -> (Inbox) ["state" "kind" "after" "limit"] => api::delivery::inbox, "受信箱", "the inbox";
    }
    "/v1/deliveries/{id}" {
        OpenDelivery: GET Agency No () -> (DeliveryView) [] => api::delivery::open,
            "送達を開く（Tsunagu-Staff に開いた職員）", "open a delivery (Tsunagu-Staff names who opens)";
    }
    "/v1/deliveries/{id}/relations" {
        DeclareRelation: POST Agency Key (Relation) -> (RelationAnswer) [] => api::delivery::declare,
            "職員と本件の関係を申告する", "declare how a member of your staff is related to the case";
        Relations: GET Agency No () -> () [] => api::delivery::relations, "職員と本件の関係", "declared relations";
    }
    "/v1/deliveries/{id}/ack" {
        Ack: POST Agency Key (Ack) -> () [] => api::delivery::ack, "システムの受信を知らせる", "acknowledge: your system has it";
    }
    "/v1/break-glass" {
        BreakGlass: POST Agency Key (BreakGlass) -> (BreakGlassAnswer) [] => api::break_glass::break_it,
            "緊急閲覧を行う", "break the glass";
        BreakGlasses: GET Agency No () -> () ["side" "before" "limit"] => api::break_glass::list,
            "緊急閲覧の一覧", "list break-glasses";
    }
    "/v1/break-glass/{id}" {
        OneBreakGlass: GET Agency No () -> (BreakGlassView) [] => api::break_glass::read, "緊急閲覧", "one break-glass";
    }
    "/v1/break-glass/{id}/review" {
        ReviewBreakGlass: POST Agency KeyAndVersion (BreakGlassReview) -> (BreakGlassAnswer) [] => api::break_glass::review,
            "緊急閲覧を確認する", "review a break-glass";
    }
    "/v1/provision-records" {
        ProvisionRecords: GET Agency No () -> () ["side" "from" "to" "format" "after" "limit"] => api::provision::list,
            "第三者提供の記録（個人情報保護法 第29条・第30条）", "records of provision to third parties";
    }
    "/v1/incidents" {
        Incidents: GET Agency No () -> () ["state" "before" "limit"] => api::incident::list,
            "誤送信の事案の一覧（Tsunagu-Staff に管理職・個人情報保護担当）",
            "list incidents (Tsunagu-Staff names a supervisor or privacy officer)";
    }
    "/v1/incidents/{id}" {
        Incident: GET Agency No () -> (IncidentView) [] => api::incident::read, "誤送信の事案", "one incident";
    }
    "/v1/incidents/{id}/report" {
        IncidentReport: GET Agency No () -> () [] => api::incident::report, "漏えい等報告書の下書き（テキスト）",
            "the draft of the report to the authority, as text";
    }
    "/v1/incidents/{id}/close" {
        CloseIncident: POST Agency KeyAndVersion (IncidentClose) -> () [] => api::incident::close,
            "事案を終結する", "close an incident";
    }
    "/v1/disclosure-requests" {
        ReceiveAccessRequest: POST Agency Key (AccessRequest) -> (AccessRequestAnswer) [] => api::access_request::receive,
            "開示請求を受け付ける（個人情報保護担当）", "receive a request of a person to see what is held";
        AccessRequests: GET Agency No () -> () ["state" "before" "limit"] => api::access_request::list,
            "開示請求の一覧（Tsunagu-Staff に個人情報保護担当）", "list disclosure requests (Tsunagu-Staff names a privacy officer)";
    }
    "/v1/disclosure-requests/{id}" {
        AccessRequest: GET Agency No () -> (AccessRequestView) [] => api::access_request::read, "開示請求", "one disclosure request";
    }
    "/v1/disclosure-requests/{id}/steps" {
        StepAccessRequest: POST Agency KeyAndVersion (AccessRequestStep) -> (AccessRequestAnswer) [] => api::access_request::step,
            "開示請求の手続きを進める（延長・調査・決定・開示）", "extend, prepare, decide or give";
    }
    "/v1/disclosure-requests/{id}/preparation" {
        Preparation: GET Agency No () -> (AccessRequestPreparation) [] => api::access_request::preparation,
            "開示・不開示の判断のための一覧", "what an officer decides on, part by part";
    }
    "/v1/disclosure-requests/{id}/export" {
        SubjectExport: GET Agency No () -> (SubjectExport) [] => api::access_request::export,
            "請求者に渡す写し", "the copy for the requester";
    }
    "/v1/disclosure-requests/{id}/export/page" {
        SubjectExportPage: GET Agency No () -> () [] => api::access_request::page,
            "請求者に渡す写しを印刷する（HTML）", "the copy for the requester, to print (HTML)";
    }
    "/v1/receipts/{subject}/{level}" {
        Receipt: GET Agency No () -> () [] => api::receipt::read, "受領証", "one receipt";
    }
}
