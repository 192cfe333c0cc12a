//! The house rules as data: what may be named where, and why.

/// A path (or a piece of code) that only some files may name.
pub struct Only {
    /// Path beginnings, compared word by word: `sqlx` covers `sqlx::query`, not `sqlx_helper`.
    pub names: &'static [&'static str],
    /// Beginnings of file names below `src/`.
    pub places: &'static [&'static str],
    pub why: &'static str,
}

pub const ONLY: &[Only] = &[
    Only { names: &["sqlx"], places: &["ledger/", "ledger.rs"], why: "SQL is spoken in ledger/ alone" },
    Only { names: &["lapin"], places: &["transport/amqp"], why: "AMQP is spoken in transport/amqp.rs alone" },
    Only { names: &["lettre"], places: &["delivery/email"], why: "mail is sent by delivery/email.rs alone" },
    Only {
        names: &["aws_lc_rs", "jsonwebtoken"],
        places: &["vault/", "vault.rs"],
        why: "keys and what is done with them stay in vault/ (installing rustls::crypto::aws_lc_rs is no use of a key)",
    },
    Only {
        names: &["argon2"],
        places: &["vault/password"],
        why: "passwords are hashed in vault/password.rs alone",
    },
    Only { names: &["askama"], places: &["web/pages"], why: "pages are made in web/pages alone" },
    Only {
        names: &["reqwest"],
        places: &["delivery/webhook", "cli/demo"],
        why: "the hub calls out in delivery/webhook.rs alone; the demo plays an agency's own system",
    },
    Only {
        names: &["actix_web", "actix_http", "actix_rt", "actix_multipart", "actix_cors"],
        places: &["web/", "web.rs", "hub.rs"],
        why: "HTTP is spoken in web/ alone, and hub.rs starts it",
    },
    Only {
        names: &["actix_web::http::StatusCode", "StatusCode"],
        places: &["web/problem", "delivery/webhook", "cli/demo"],
        why: "the status codes of our answers are chosen in web/problem.rs alone",
    },
    Only {
        names: &[
            "HttpResponse::BadRequest",
            "HttpResponse::Unauthorized",
            "HttpResponse::Forbidden",
            "HttpResponse::NotFound",
            "HttpResponse::MethodNotAllowed",
            "HttpResponse::Conflict",
            "HttpResponse::Gone",
            "HttpResponse::PreconditionFailed",
            "HttpResponse::PayloadTooLarge",
            "HttpResponse::UnsupportedMediaType",
            "HttpResponse::UnprocessableEntity",
            "HttpResponse::TooManyRequests",
            "HttpResponse::InternalServerError",
            "HttpResponse::ServiceUnavailable",
        ],
        places: &["web/problem"],
        why: "a refusal is a Problem, made in web/problem.rs",
    },
    Only {
        names: &[
            "tokio::spawn",
            "tokio::task::spawn",
            "task::spawn",
            "tokio::task::spawn_local",
            "std::thread::spawn",
            "thread::spawn",
        ],
        places: &["hub.rs"],
        why: "only hub.rs spawns, so that it can end what it started",
    },
    Only {
        names: &["std::env", "env::var", "env::var_os", "env::vars", "env::args", "env::args_os"],
        places: &["config.rs", "config/", "main.rs"],
        why: "only config.rs reads the environment, and main.rs the arguments",
    },
    Only {
        names: &[
            "jiff::Timestamp::now",
            "Timestamp::now",
            "jiff::Zoned::now",
            "Zoned::now",
            "SystemTime::now",
            "std::time::SystemTime::now",
            "Uuid::new_v4",
            "Uuid::now_v7",
            "uuid::Uuid::new_v4",
            "uuid::Uuid::now_v7",
        ],
        places: &["clock.rs"],
        why: "only clock.rs reads the time and makes ids; take them as arguments",
    },
    Only { names: &["unsafe"], places: &[], why: "never" },
];

/// Code that only some files may contain, compared as text (methods and macros have no path).
pub const ONLY_TEXT: &[Only] = &[
    Only {
        names: &[".begin(", ".begin_with("],
        places: &["ledger/committer"],
        why: "only the committer owns a transaction; a request future that owns one loses acknowledged writes",
    },
    // These cover eprint! and eprintln! too.
    Only {
        names: &["println!", "print!"],
        places: &["cli/", "cli.rs", "main.rs"],
        why: "the library logs; only commands print",
    },
    Only { names: &["dbg!"], places: &[], why: "never" },
];

/// The arrows: which floors of the house a floor must not name.
pub const NEVER_NAMES: &[(&str, &[&str])] = &[
    (
        "domain",
        &["cli", "clock", "config", "delivery", "hub", "ledger", "transport", "usecases", "vault", "web"],
    ),
    ("vault", &["cli", "delivery", "hub", "ledger", "transport", "usecases", "web"]),
    ("ledger", &["cli", "delivery", "hub", "transport", "usecases", "vault", "web"]),
    ("transport", &["cli", "delivery", "hub", "ledger", "usecases", "vault", "web"]),
    ("delivery", &["cli", "hub", "ledger", "transport", "usecases", "vault", "web"]),
    ("usecases", &["cli", "hub", "web"]),
    ("web", &["cli", "delivery", "hub", "transport"]),
    ("clock", &["cli", "config", "delivery", "hub", "ledger", "transport", "usecases", "vault", "web"]),
    ("config", &["cli", "hub", "usecases", "web"]),
];

/// The only dependencies that pure rules may use.
pub const DOMAIN_CRATES: &[&str] =
    &["serde", "serde_json", "thiserror", "unicode_normalization", "jiff", "uuid"];

/// Module names that say nothing of what is in them.
pub const EMPTY_NAMES: &[&str] = &["utils", "util", "helpers", "helper", "common", "misc"];

pub const LONGEST_FILE: usize = 400;
