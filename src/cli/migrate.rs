//! `tsunagu migrate`

use super::{Console, Said, Stopped};
use crate::{clock::Clock, hub};

/// 台帳をこの版の構造にする（起動時にも行う） / bring the ledger to this version's schema, as every start does
#[derive(clap::Args)]
pub(super) struct Args {}

pub(super) async fn run(_: Args, console: &Console) -> Result<(), Stopped> {
    let config = console.config()?;
    console.log(&config);
    let opened = hub::open(&config, &Clock::System).await?;
    let hub = opened.vault.hub_id();
    console.say(&Said::new(
        format!("台帳はこの版の構造になっています（ハブ {hub}、{}）。", config.hub.mode.label_ja()),
        format!("the ledger has this version's schema (hub {hub}, {})", config.hub.mode.label_en()),
    ));
    Ok(())
}
