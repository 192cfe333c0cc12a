//! `agency`: registers agencies, lists them, and gives them new client secrets.

use std::io::Write;

use anyhow::{Context as _, anyhow};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser as _};
use zeroize::Zeroizing;

use crate::{
    domain::{
        agency::{AgencyKind, Body},
        corporate_number::CorporateNumber,
        ids::{AgencyId, StaffId},
        language::Language,
        municipality::MunicipalityCode,
        problem::{Problem, ProblemKind},
    },
    usecases::{
        Caller, Context,
        register::{self, NewAgency},
        sign_in::{self, Credentials},
    },
    vault::{ClientSecret, password::Password},
};

/// 機関を登録し、一覧を示し、認証情報を作り直す / Register and list agencies, renew their secrets
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum What {
    /// 機関を登録し、client_idとclient_secretを一度だけ示す / Register an agency; its secret is shown once
    Add(Add),
    /// 機関の一覧を示す / List the agencies
    List,
    /// client_secretを作り直す（前のものは無効になる） / Make a new client secret; the old one is void
    RotateSecret {
        /// 機関のID / Id of the agency
        id: AgencyId,
    },
    /// 職員が画面にログインできるようにする（前のログインは無効になる） / Let a member of staff sign in to the pages; an earlier sign-in is void
    SignIn(SignIn),
}

#[derive(Clone, Debug, clap::Args)]
struct SignIn {
    /// 機関のID / Id of the agency
    agency: AgencyId,
    /// 職員のID / Id of the member of staff
    staff: StaffId,
    /// ログインID（半角の英小文字・数字・. _ @ -） / Login: letters a to z, digits, the signs . _ @ -
    #[arg(long)]
    login: String,
    /// パスワードを標準入力の1行目から読む。なければ作り、一度だけ示す / Read the password from the first line of standard input; otherwise one is made and shown once
    #[arg(long)]
    password_stdin: bool,
}

#[derive(Clone, Debug, clap::Args)]
struct Add {
    /// 機関種別のコード / Code of the kind of agency
    #[arg(long, value_parser = kinds(), hide_possible_values = true)]
    kind: AgencyKind,
    /// 機関の名称 / Name of the agency
    #[arg(long)]
    name: String,
    /// 所在地の全国地方公共団体コード（5桁または6桁） / Code of the municipality it stands in
    #[arg(long)]
    municipality: MunicipalityCode,
    /// 法人番号（13桁） / Corporate number
    #[arg(long)]
    corporate_number: Option<CorporateNumber>,
    /// publicかprivate。種別で決まらない機関に必要 / Needed where the kind leaves it open
    #[arg(long)]
    body: Option<Body>,
    /// 事務を受託している市町村のコード / Municipality whose work it does under contract
    #[arg(long)]
    contractor_of: Option<MunicipalityCode>,
}

/// Every kind by its code, so that a wrong one is answered with those there are.
fn kinds() -> impl clap::builder::TypedValueParser<Value = AgencyKind> {
    let kind = |kind: &AgencyKind| PossibleValue::new(kind.code()).help(kind.label_ja());
    PossibleValuesParser::new(AgencyKind::ALL.iter().map(kind)).try_map(|code| code.parse::<AgencyKind>())
}

/// Runs the command; what it has to say goes to `out`.
///
/// # Errors
/// The use case refused, told in the reader's language, or `out` was closed.
pub async fn run(
    args: Args,
    context: &Context,
    language: Language,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    match args.what {
        What::Add(add) => {
            let new = NewAgency {
                kind: add.kind,
                name: add.name,
                municipality: add.municipality,
                corporate_number: add.corporate_number,
                body: add.body,
                contractor_of: add.contractor_of,
            };
            let added = register::add_agency(context, new).await;
            let (id, secret) = added.map_err(|problem| anyhow!(problem.told(language)))?;
            show_secret(out, language, id, &secret)
        }
        What::List => list(context, language, out).await,
        What::RotateSecret { id } => {
            let secret = register::rotate_secret(context, id).await;
            show_secret(out, language, id, &secret.map_err(|problem| anyhow!(problem.told(language)))?)
        }
        What::SignIn(sign_in) => let_in(sign_in, context, language, out).await,
    }
}

/// Lets a member of staff sign in, with the password that was given or one that is made here and shown once.
async fn let_in(
    SignIn { agency, staff, login, password_stdin }: SignIn,
    context: &Context,
    language: Language,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let told = |problem: Problem| anyhow!(problem.told(language));
    let mut typed = Zeroizing::new(String::new());
    if password_stdin {
        std::io::stdin().read_line(&mut typed).context(match language {
            Language::Japanese => "標準入力からパスワードを読み取れません",
            Language::English => "the password cannot be read from standard input",
        })?;
    }
    let made = if password_stdin { None } else { Some(Password::generate()?) };
    let password = made.as_ref().map_or(typed.trim_end_matches(['\n', '\r']), Password::reveal);
    let row = context.ledger.agency(agency).await?.ok_or_else(|| told(ProblemKind::NotFound.into()))?;
    let sealed = Credentials::parse(&login, password).and_then(|given| given.seal(&context.vault));
    sign_in::set(context, &Caller::of(row), staff, &sealed.map_err(told)?).await.map_err(told)?;
    let url = &context.settings.public_url;
    writeln!(out, "url={url}/sign-in\nlogin={login}")?;
    if let Some(made) = made {
        let now = match language {
            Language::Japanese => {
                "パスワードはいまだけ表示されます。メール以外の方法で本人に渡してください。"
            }
            Language::English => "The password is shown this once. Hand it over by another way than mail.",
        };
        writeln!(out, "password={}\n{now}", made.reveal())?;
    }
    Ok(())
}

/// The two lines that a client's configuration takes over, and why to do so now.
fn show_secret(
    out: &mut impl Write,
    language: Language,
    id: AgencyId,
    secret: &ClientSecret,
) -> anyhow::Result<()> {
    let now = match language {
        Language::Japanese => "client_secretはいまだけ表示されます。安全な場所に保存してください。",
        Language::English => "The client secret is shown this once. Keep it in a safe place.",
    };
    writeln!(out, "client_id={id}\nclient_secret={}\n{now}", secret.reveal())?;
    Ok(())
}

/// One line per agency, columns parted by tabs; the first line names them.
async fn list(context: &Context, language: Language, out: &mut impl Write) -> anyhow::Result<()> {
    const ROWS: i64 = 200;
    let [active, inactive] = match language {
        Language::Japanese => ["利用中", "停止"],
        Language::English => ["active", "inactive"],
    };
    writeln!(out, "id\tkind\tname\tmunicipality\tbody\tstate")?;
    let mut after = None;
    loop {
        let rows = context.ledger.agencies(None, after, ROWS).await;
        let rows = rows.context(match language {
            Language::Japanese => "機関の一覧を読み取れません",
            Language::English => "the agencies cannot be read",
        })?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = Some(last.id);
        for row in &rows {
            let label = match language {
                Language::Japanese => row.kind.label_ja(),
                Language::English => row.kind.label_en(),
            };
            let (id, kind, name, state) =
                (row.id, row.kind, &row.name, if row.active == 1 { active } else { inactive });
            writeln!(out, "{id}\t{kind} {label}\t{name}\t{}\t{}\t{state}", row.municipality, row.body)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::domain::staff::StaffRole;
    use crate::usecases::{
        authenticate,
        testing::{self, TestHub},
    };

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn parse(line: &[&str]) -> Result<Args, clap::Error> {
        Line::try_parse_from([&["agency"], line].concat()).map(|line| line.args)
    }

    async fn said(hub: &TestHub, line: &[&str]) -> anyhow::Result<String> {
        let mut out = Vec::new();
        run(parse(line).unwrap(), hub, Language::English, &mut out).await?;
        Ok(String::from_utf8(out).unwrap())
    }

    /// The client id and the secret that a command printed.
    fn secret(said: &str) -> (&str, &str) {
        let value = |name: &str| said.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        (value("client_id="), value("client_secret="))
    }

    const ADD: [&str; 7] = ["add", "--kind", "kyoten", "--name", "試験拠点", "--municipality", "14101"];

    #[tokio::test]
    async fn an_agency_is_added_listed_and_given_a_new_secret() {
        let hub = testing::hub().await;
        let added = said(&hub, &[&ADD[..], &["--body", "private", "--contractor-of", "141003"]].concat())
            .await
            .unwrap();
        let (id, first) = secret(&added);
        assert!(authenticate::token(&hub, id, first).await.is_ok());
        let listed = said(&hub, &["list"]).await.unwrap();
        assert_eq!(
            listed.lines().nth(1),
            Some(
                format!("{id}\tkyoten local childcare support site\t試験拠点\t141011\tprivate\tactive")
                    .as_str()
            )
        );
        assert!(!listed.contains(first));
        let rotated = said(&hub, &["rotate-secret", id]).await.unwrap();
        assert!(authenticate::token(&hub, id, first).await.is_err());
        assert!(authenticate::token(&hub, id, secret(&rotated).1).await.is_ok());
    }

    #[tokio::test]
    async fn a_member_of_staff_is_let_in_with_a_password_that_is_shown_once() {
        let hub = testing::hub().await;
        let agency = hub.agency(AgencyKind::Npo).await;
        let staff = hub.staff(&agency, StaffRole::Coordinator).await.to_string();
        let (id, nobody) = (agency.id().to_string(), "0190e0c4-7a7b-7cc3-8f00-2f3c4b5a6d7e");
        let told = said(&hub, &["sign-in", &id, &staff, "--login", "hanako"]).await.unwrap();
        let value = |name: &str| told.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        assert!(value("url=").ends_with("/sign-in"));
        let password = value("password=");
        let tried = sign_in::begin(&hub, value("login=")).await.unwrap();
        assert!(tried.check(&hub.vault, password));
        let short = said(&hub, &["sign-in", &id, &staff, "--login", "花子"]).await.unwrap_err().to_string();
        assert!(short.contains("/login Use 3 to 64") && !short.contains("花子"), "{short}");
        for wrong in [[id.as_str(), nobody], [nobody, &staff]] {
            let refused = said(&hub, &["sign-in", wrong[0], wrong[1], "--login", "taro"]).await.unwrap_err();
            assert!(refused.to_string().starts_with("Not found"), "{refused}");
        }
    }

    #[tokio::test]
    async fn a_refusal_says_what_to_give() {
        let hub = testing::hub().await;
        let refused = said(&hub, &ADD).await.unwrap_err().to_string();
        assert!(
            refused.contains("/body This kind of agency may be either; say public or private."),
            "{refused}"
        );
        let unknown = ["rotate-secret", "0190e0c4-7a7b-7cc3-8f00-2f3c4b5a6d7e"];
        assert!(said(&hub, &unknown).await.unwrap_err().to_string().starts_with("Not found"));
    }

    #[test]
    fn arguments_are_typed() {
        let with = |name: &str, value: &str| {
            let place = ADD.iter().position(|word| *word == name).unwrap() + 1;
            let mut line = ADD;
            line[place] = value;
            parse(&line).unwrap_err().to_string()
        };
        assert!(parse(&ADD).is_ok());
        assert!(with("--kind", "nursery").contains("possible values: shichoson"));
        assert!(with("--municipality", "141012").contains("after these five digits it is 1"));
        assert!(parse(&["rotate-secret", "1"]).is_err());
        assert!(parse(&[&ADD[..], &["--corporate-number", "1410051018778"]].concat()).is_err());
    }
}
