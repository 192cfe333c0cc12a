//! What an operator does before agencies can work together: a folder, keys, a directory, agencies with their
//! secrets. Each step is one a command of its own does; then the hub starts.

use std::{
    fs::DirBuilder,
    io,
    net::SocketAddr,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{
    super::{Console, Said, Stopped},
    Args,
    cast::{Member, Role, TSURUMI, roles},
    evidence::unwritable,
    screen::Screen,
};
use crate::{
    clock::Clock,
    config::{self, Config, LogLevel, MailTransport, Secret},
    domain::{
        consent::day_in_japan,
        language::Language,
        problem::Problem,
        service::{AgeClass, ServiceKind},
    },
    hub::{Hub, StartError, Tools},
    ledger::Mode,
    usecases::{
        Context,
        directory::{self, ServiceQuery},
        import::{Imported, import},
        register::{NewAgency, add_agency},
    },
    vault::{KeyMaking, Vault},
};

/// What the city published: three sheets of one day, as they stand in `examples/data/yokohama`.
const SHEETS: [&[u8]; 3] = [
    include_bytes!("../../../examples/data/yokohama/2026-02_ukeire.csv"),
    include_bytes!("../../../examples/data/yokohama/2026-02_machi.csv"),
    include_bytes!("../../../examples/data/yokohama/2026-02_nyusho.csv"),
];

/// The folder of the demo: the one asked for, or a new one with today's date in its name.
///
/// # Errors
/// The folder already holds a hub, or cannot be made.
pub(super) fn folder(asked: Option<&Path>, clock: &Clock) -> Result<PathBuf, Stopped> {
    if let Some(asked) = asked {
        let left = ["keys", "ledger.db", "hub.lock", "receipts"].map(|name| asked.join(name));
        return if left.iter().any(|path| path.exists()) {
            Err(occupied(asked))
        } else {
            Ok(asked.to_owned())
        };
    }
    let today = day_in_japan(clock.now());
    for number in 1.. {
        let name = match number {
            1 => format!("tsunagu-demo-{today}"),
            _ => format!("tsunagu-demo-{today}-{number}"),
        };
        let path = config::temporary_folder().join(name);
        // Made here and now, for this user alone: a folder somebody else prepared under this name is not taken.
        match DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(unwritable(&path, &error)),
        }
    }
    Err(occupied(&config::temporary_folder()))
}

fn occupied(folder: &Path) -> Stopped {
    let folder = folder.display();
    Stopped::wrong(Said::new(
        format!(
            "{folder} にはすでにハブがあります。デモは新しいフォルダで始めます。\n\
             --data で別のフォルダを指定してください（指定しなければ自動で作ります）。\n\
             このハブをそのまま動かすなら: tsunagu serve --data {folder}"
        ),
        format!(
            "{folder} already holds a hub, and the demo begins with a fresh one; give another folder with --data \
             (or none, and one is made). To run this hub as it is: tsunagu serve --data {folder}"
        ),
    ))
}

/// The configuration of the demo: the user's own, but for what its arguments say.
///
/// # Errors
/// It cannot be used.
pub(super) fn configuration(args: &Args, console: &Console, data: &Path) -> Result<Config, Stopped> {
    let mut config = Config::read(console.place.config.as_deref(), Some(data))?;
    if args.clustered {
        config.hub.mode = Mode::Clustered;
    }
    if let Some(url) = &args.database_url {
        config.ledger.url = Secret::new(url.clone());
    }
    if let Some(url) = &args.amqp_url {
        config.amqp.url = Secret::new(url.clone());
    }
    if args.once {
        config.server.listen.set_port(0);
    }
    // Its agencies have no mailboxes: no mail of the demo leaves this machine.
    config.mail.transport = MailTransport::Folder;
    // Its scenes follow each other within seconds.
    config.rules.release_seconds = 0;
    // The table is the demo's log.
    if config.log.level == LogLevel::Info {
        config.log.level = LogLevel::Warn;
    }
    config.check()?;
    Ok(config)
}

/// The operator's steps: keys, directory, agencies.
///
/// # Errors
/// One of them could not be done.
pub(super) async fn prepare(
    config: &Config,
    clock: &Clock,
    screen: &mut Screen,
    language: Language,
) -> Result<Vec<Member>, Stopped> {
    if config.hub.mode == Mode::Clustered {
        let vault = Vault::create(&config.vault.folder, clock.new_random_id(), KeyMaking::Allowed)?;
        let (folder, root) = (config.vault.folder.display(), vault.fingerprint());
        let said = Said::new(
            format!("鍵を作りました: {folder}（指紋 {root}）"),
            format!("keys made in {folder} ({root})"),
        );
        screen.say(said.text(language), &[]);
    }
    let tools = Tools::open(config, clock.clone()).await?;
    let prepared = fill(tools.context(), screen, language).await;
    tools.close().await;
    prepared
}

async fn fill(context: &Context, screen: &mut Screen, language: Language) -> Result<Vec<Member>, Stopped> {
    let sheets = SHEETS.map(<[u8]>::to_vec);
    let progress = |done, total| {
        let said = Said::new(
            format!("施設を取込み中 {done}/{total}"),
            format!("importing facilities {done}/{total}"),
        );
        screen.progress(said.text(language));
    };
    let imported = import(context, &sheets, progress).await.map_err(|error| {
        Stopped::failed(Said::new(
            format!("横浜市の公表データを取り込めません: {error}"),
            format!("the directory of Yokohama cannot be imported: {error}"),
        ))
    })?;
    let Imported { rows_read, facilities, .. } = imported;
    let said = Said::new(
        format!("横浜市の公表データ（CC BY 4.0）を取り込みました: {rows_read}行、{facilities}施設"),
        format!(
            "imported the data City of Yokohama publishes (CC BY 4.0): {rows_read} rows, {facilities} facilities"
        ),
    );
    screen.say(said.text(language), &[]);
    let [nursery, other] = nurseries(context).await?;
    let mut members = Vec::new();
    for role in roles(&nursery, &other) {
        members.push(register(context, role).await?);
    }
    let many = members.len();
    let said = Said::new(
        format!("{many}機関を登録しました（18区役所と例の機関。機関の動きと家族はすべて架空です）"),
        format!(
            "registered {many} agencies: 18 ward offices and examples; what they do, and the family, is invented"
        ),
    );
    screen.say(said.text(language), &[]);
    Ok(members)
}

/// Two nurseries of 鶴見区 with a free place for a child of two.
async fn nurseries(context: &Context) -> Result<[String; 2], Stopped> {
    let query = ServiceQuery {
        ward: TSURUMI.parse().ok(),
        kind: Some(ServiceKind::Nursery),
        age: AgeClass::try_from(2).ok(),
        limit: "200".parse().unwrap_or_default(),
        ..ServiceQuery::default()
    };
    let page = directory::services(context, &query).await.map_err(|problem| refused(&problem))?;
    let page: Value = serde_json::from_str(&page).unwrap_or(Value::Null);
    let free =
        |item: &&Value| item["vacancy"]["places"][2]["accepting"].as_u64().is_some_and(|places| places > 0);
    let mut names =
        page["items"].as_array().into_iter().flatten().filter(free).filter_map(|item| item["name"].as_str());
    match (names.next(), names.next()) {
        (Some(one), Some(other)) => Ok([one.to_owned(), other.to_owned()]),
        _ => Err(Stopped::failed(Said::new(
            "取り込んだ施設に、空きのある保育所が2つありません。",
            "the imported directory does not have two nurseries with a free place",
        ))),
    }
}

async fn register(context: &Context, role: Role) -> Result<Member, Stopped> {
    let code = |text: &str| {
        text.parse().map_err(|error| {
            Stopped::failed(Said::new(
                format!("市町村コード {text}: {error}"),
                format!("municipality {text}: {error}"),
            ))
        })
    };
    let new = NewAgency {
        kind: role.kind,
        name: role.name.clone(),
        municipality: code(role.municipality)?,
        corporate_number: None,
        body: role.body,
        contractor_of: role.contractor_of.map(code).transpose()?,
    };
    let (id, secret) = add_agency(context, new).await.map_err(|problem| refused(&problem))?;
    Ok(Member { role, id, secret, staff: Vec::new(), token: String::new() })
}

fn refused(problem: &Problem) -> Stopped {
    Stopped::failed(Said::new(problem.told(Language::Japanese), problem.told(Language::English)))
}

/// Starts the hub; where its port is taken, on a free one.
///
/// # Errors
/// It does not start.
pub(super) async fn start(config: Config, clock: Clock) -> Result<Hub, Stopped> {
    match Hub::start(config.clone(), clock.clone()).await {
        Err(StartError::Listen { address, .. }) if address.port() != 0 => {
            let mut config = config;
            config.server.listen = SocketAddr::new(address.ip(), 0);
            Ok(Hub::start(config, clock).await?)
        }
        started => Ok(started?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_a_hub_is_refused_and_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(super::folder(Some(folder.path()), &Clock::System).ok().unwrap(), folder.path());
        std::fs::create_dir(folder.path().join("keys")).unwrap();
        let stopped = super::folder(Some(folder.path()), &Clock::System).err().unwrap();
        assert_eq!(stopped.code, 2);
        assert!(stopped.said.text(Language::English).contains("tsunagu serve --data"));
    }

    #[test]
    fn without_a_folder_a_new_one_is_made_each_time() {
        let [one, other] = [(); 2].map(|()| folder(None, &Clock::System).ok().unwrap());
        assert_ne!(one, other);
        for path in [one, other] {
            assert!(path.file_name().unwrap().to_string_lossy().starts_with("tsunagu-demo-2"));
            std::fs::remove_dir(path).unwrap();
        }
    }
}
