//! The only speaker of HTTP. The whole API stands on one screen: [`TABLE`].
//!
//! Handlers parse, call one use case or one plain read, and answer. Must never happen here: a transaction,
//! a key, a status code outside `problem.rs`, an endpoint that is not in the table.

pub mod api;
pub mod caller;
pub mod command;
pub mod openapi;
pub mod pages;
pub mod passwords;
pub mod problem;
pub mod query;
pub mod server;

use crate::usecases::schema::Schema;

/// Who may call an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody: keys, health, the description of the API, and the token endpoint itself.
    Public,
    /// An agency's system with an access token.
    Agency,
    /// A person with a browser: the pages, the way to them, and what they are made of. No part of the API.
    Page,
}

/// What a change must bring besides its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guarded {
    No,
    /// `Idempotency-Key`: the same request again gets the same answer.
    Key,
    /// `Idempotency-Key`, and `If-Match` with the version that was read.
    KeyAndVersion,
}

/// One row of the table.
pub struct Row {
    pub endpoint: Endpoint,
    pub method: &'static str,
    pub path: &'static str,
    pub access: Access,
    pub guarded: Guarded,
    pub body: Option<Schema>,
    pub answer: Option<Schema>,
    pub query: &'static [&'static str],
    pub ja: &'static str,
    pub en: &'static str,
}

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
    "/v1/referrals/{id}/readers" {
        NameReaders: POST Agency Key (Readers) -> () [] => api::referral::name_readers,
            "通告を見られる職員を加える（書いた職員だけ）", "let colleagues see a notice (its writer alone)";
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
    "/v1/legs/{id}/receipts" {
        LegReceipts: GET Agency No () -> () [] => api::leg::receipts, "受領証・経過・目録", "receipts, signed events and manifest";
    }
    "/v1/inbox" {
        Inbox: GET Agency No () -> (Inbox) ["state" "kind" "after" "limit"] => api::delivery::inbox, "受信箱", "the inbox";
    }
    "/v1/deliveries/{id}" {
        OpenDelivery: GET Agency No () -> (DeliveryView) [] => api::delivery::open,
            "送達を開く（Tsunagu-Staff に開いた職員）", "open a delivery (Tsunagu-Staff names who opens)";
    }
    "/v1/deliveries/{id}/ack" {
        Ack: POST Agency Key (Ack) -> () [] => api::delivery::ack, "システムの受信を知らせる", "acknowledge: your system has it";
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
    "/v1/receipts/{subject}/{level}" {
        Receipt: GET Agency No () -> () [] => api::receipt::read, "受領証", "one receipt";
    }
}

/// The changes that can be tried out with `Prefer: dry-run`. Every other one refuses it.
pub const DRY_RUNS: &[Endpoint] =
    &[Endpoint::Submit, Endpoint::RecordConsent, Endpoint::WithdrawConsent, Endpoint::Act];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_post_of_an_agency_carries_an_idempotency_key() {
        for row in TABLE.iter().filter(|row| row.method == "POST" && row.access == Access::Agency) {
            assert_ne!(row.guarded, Guarded::No, "{}", row.path);
            assert!(row.body.is_some(), "{}", row.path);
        }
    }
}
