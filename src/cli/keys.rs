//! `tsunagu keys`: what the operator of a cluster makes by hand, because two nodes must not make it twice; and how keys
//! are exchanged while the hub runs.

mod moving;
mod signing;

use clap::Subcommand;
use jiff::{Span, Timestamp, tz};

use super::{Console, Said, Stopped};
use crate::{
    clock::Clock,
    config::Config,
    domain::{ids::AgencyId, language::Language, problem::Problem},
    hub,
    ledger::Mode,
    usecases::Context,
    vault::{KeyMaking, Vault, VaultError},
};

/// 鍵を作り、入れ替え、廃棄する（組込みモードのハブは自分で作る） / make, exchange and retire keys; an embedded hub makes its own
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: KeysCommand,
}

#[derive(Subcommand)]
enum KeysCommand {
    /// 鍵フォルダを一度だけ作る / make the key folder, once
    Init,
    /// 機関ごと・月ごとの鍵を先に作る / make the agencies' monthly keys ahead of time
    Agency(Agency),
    /// 古い月の鍵で包んだデータ鍵を、今月の鍵へ包み直す / move data keys from earlier months' keys to this month's
    Rewrap(moving::Rewrap),
    /// どこからも使われない古い月の鍵を廃棄する / destroy earlier months' keys that nothing needs any more
    Retire(moving::Retire),
    /// 署名鍵を作って公開する（まだ使わない） / make and publish a signing key, without using it yet
    Publish(signing::Publish),
    /// 公開済みの署名鍵を使い始める / begin to use a published signing key
    Activate(signing::Activate),
    /// 動いているノードと、それぞれが持つ鍵を示す / show the running nodes and the keys each of them holds
    Nodes,
}

#[derive(clap::Args)]
struct Agency {
    /// 機関のID / ids of agencies
    #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
    ids: Vec<AgencyId>,
    /// 台帳にあるすべての機関 / every agency in the ledger
    #[arg(long)]
    all: bool,
    /// 今月のほか、何か月先まで作るか / how many months ahead, besides the present one
    #[arg(long, value_name = "N", default_value_t = 12, hide_default_value = true,
        value_parser = clap::value_parser!(u8).range(0..=60))]
    months: u8,
}

pub(super) async fn run(args: Args, console: &Console) -> Result<(), Stopped> {
    match args.command {
        KeysCommand::Init => init(console),
        KeysCommand::Agency(agency) => agency.run(console).await,
        KeysCommand::Rewrap(rewrap) => {
            with_tools(console, async |context| rewrap.run(context, console).await).await
        }
        KeysCommand::Retire(retire) => {
            with_tools(console, async |context| retire.run(context, console).await).await
        }
        KeysCommand::Publish(publish) => {
            with_tools(console, async |context| publish.run(context, console)).await
        }
        KeysCommand::Activate(activate) => {
            with_tools(console, async |context| activate.run(context, console).await).await
        }
        KeysCommand::Nodes => {
            with_tools(console, async |context| signing::nodes(context, console).await).await
        }
    }
}

/// Runs a command with the hub's tools and waits until what it handed over is written.
async fn with_tools(
    console: &Console,
    run: impl AsyncFnOnce(&Context) -> Result<(), Stopped>,
) -> Result<(), Stopped> {
    let tools = console.tools().await?;
    let ran = run(tools.context()).await;
    tools.close().await;
    ran
}

/// A problem of a use case, told as the end of a command.
fn stopped(problem: &Problem) -> Stopped {
    Stopped::failed(Said::new(problem.told(Language::Japanese), problem.told(Language::English)))
}

fn init(console: &Console) -> Result<(), Stopped> {
    let config = console.unchecked_config()?;
    if config.hub.mode == Mode::Embedded {
        return Err(Stopped::wrong(Said::new(
            "組込みモードのハブは、最初の起動で自分の鍵を作ります。クラスタの設定を --config で渡してください。",
            "an embedded hub makes its keys at its first start; pass a cluster's configuration with --config",
        )));
    }
    let folder = &config.vault.folder;
    let vault = match Vault::create(folder, Clock::System.new_random_id(), KeyMaking::Allowed) {
        Ok(vault) => vault,
        Err(error @ VaultError::Exists { .. }) => {
            return Err(Stopped { code: 2, ..error.into() });
        }
        Err(error) => return Err(error.into()),
    };
    let (folder, hub, root) = (folder.display(), vault.hub_id(), vault.fingerprint());
    console.say(&Said::new(
        format!(
            "鍵を作りました: {folder}\nハブ: {hub}\n指紋: {root}\n\
             次に: このフォルダを全ノードへ安全に写し、台帳とは別の場所にバックアップを取ってください。"
        ),
        format!(
            "keys made in {folder}\nhub: {hub}\nfingerprint: {root}\n\
             next: copy this folder safely to every node, and back it up apart from the ledger"
        ),
    ));
    Ok(())
}

impl Agency {
    async fn run(self, console: &Console) -> Result<(), Stopped> {
        let config = if self.all { console.config()? } else { console.unchecked_config()? };
        let vault = Vault::open(&config.vault.folder, KeyMaking::Allowed)?;
        let agencies = if self.all { every_agency(&config).await? } else { self.ids };
        let months = months(Clock::System.now(), self.months)?;
        for agency in agencies {
            let before = vault.kek_months(agency)?.len();
            for at in &months {
                vault.ensure_kek(agency, *at)?;
            }
            let there = vault.kek_months(agency)?;
            let (made, last) = (there.len() - before, there.last().map_or("-", String::as_str));
            console.say(&Said::new(
                format!("{agency}: {made} か月分を作りました（{last} まで）"),
                format!("{agency}: {made} made, up to {last}"),
            ));
        }
        Ok(())
    }
}

/// A moment in each month from this one on, in Japan's time, which the keys' months follow.
fn months(now: Timestamp, ahead: u8) -> Result<Vec<Timestamp>, Stopped> {
    let now = now.to_zoned(tz::TimeZone::fixed(tz::offset(9)));
    let month = |n: u8| now.checked_add(Span::new().months(i64::from(n))).map(|at| at.timestamp());
    (0..=ahead).map(month).collect::<Result<_, _>>().map_err(|error| {
        Stopped::failed(Said::new(
            format!("このコンピューターの時計が正しくありません: {error}"),
            format!("this machine's clock is not right: {error}"),
        ))
    })
}

async fn every_agency(config: &Config) -> Result<Vec<AgencyId>, Stopped> {
    const PAGE: i64 = 500;
    // Nothing is written, so the committers need not run.
    let (ledger, _committers) = crate::ledger::Ledger::open(&hub::ledger_settings(config)).await?;
    let mut found = Vec::new();
    loop {
        let page = ledger.agencies(None, found.last().copied(), PAGE).await?;
        found.extend(page.iter().map(|row| row.id));
        if (page.len() as i64) < PAGE {
            return Ok(found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_months_ahead_miss_none_and_repeat_none() {
        // The 31st of January in Japan, still the 30th in Greenwich.
        let now = "2027-01-30T15:30:00Z".parse().unwrap();
        let months = months(now, 13).ok().unwrap();
        let japan = tz::TimeZone::fixed(tz::offset(9));
        let found: Vec<_> =
            months.iter().map(|at| at.to_zoned(japan.clone()).strftime("%Y%m").to_string()).collect();
        assert_eq!(found.len(), 14);
        assert_eq!(
            (found[0].as_str(), found[1].as_str(), found[13].as_str()),
            ("202701", "202702", "202802")
        );
        assert!(found.windows(2).all(|pair| pair[0] < pair[1]), "{found:?}");
    }
}
