//! `tsunagu keys rewrap` and `retire`: the monthly round of the keys of agencies.

use std::time::{Duration, Instant};

use super::{Console, Said, Stopped, stopped};
use crate::{
    domain::ids::AgencyId,
    ledger::keyring::Place,
    usecases::{
        Context,
        rewrap::{self, Fate},
    },
};

/// How often progress is told.
const TELL: Duration = Duration::from_secs(1);

#[derive(clap::Args)]
pub(super) struct Rewrap {
    /// 終わったら、使われなくなった古い月の鍵を廃棄する（元に戻せません） / afterwards destroy the earlier months' keys that nothing needs any more; there is no way back
    #[arg(long)]
    retire: bool,
}

#[derive(clap::Args)]
pub(super) struct Retire {
    /// この機関の鍵だけ / the keys of this agency alone
    #[arg(long, value_name = "ID")]
    agency: Option<AgencyId>,
}

impl Rewrap {
    pub async fn run(self, context: &Context, console: &Console) -> Result<(), Stopped> {
        let (moved, stuck) = move_all(context, |moved| {
            console.say(&Said::new(
                format!("{moved} 個を包み直しました（途中で止めても、次はここから続きます）"),
                format!("{moved} moved; you may interrupt this, the next run goes on from here"),
            ));
        })
        .await?;
        console.say(&Said::new(
            format!("包み直し: {moved} 個、残り: {stuck} 個"),
            format!("moved={moved} stuck={stuck}"),
        ));
        if self.retire {
            retire(context, console, None).await?;
        }
        if stuck == 0 {
            return Ok(());
        }
        Err(Stopped::failed(Said::new(
            format!(
                "{stuck} 個は、包んだ鍵がこの鍵フォルダにないか、壊れています。鍵フォルダ（kek/）をバックアップから\
                 補ってから、もう一度行ってください。"
            ),
            format!(
                "{stuck} do not open: their key is not in this key store, or they are damaged; \
                 complete kek/ from the key store's backup and run this again"
            ),
        )))
    }
}

/// Moves everything there is to move; gives how many have moved and how many did not open.
async fn move_all(context: &Context, tell: impl Fn(u64)) -> Result<(u64, usize), Stopped> {
    let (mut place, mut moved, mut stuck) = (Place::default(), 0, 0);
    let mut told = Instant::now();
    loop {
        let batch = rewrap::batch(context, &mut place).await.map_err(|problem| stopped(&problem))?;
        moved += batch.moved;
        stuck += batch.stuck;
        if batch.is_last() {
            return Ok((moved, stuck));
        }
        if told.elapsed() >= TELL {
            tell(moved);
            told += told.elapsed();
        }
    }
}

impl Retire {
    pub async fn run(self, context: &Context, console: &Console) -> Result<(), Stopped> {
        retire(context, console, self.agency).await
    }
}

async fn retire(context: &Context, console: &Console, only: Option<AgencyId>) -> Result<(), Stopped> {
    let (mut retired, mut kept) = (0, 0);
    let tell = |agency, month: &str, fate: &Fate| {
        match fate {
            Fate::Retired => retired += 1,
            _ => kept += 1,
        }
        console.say(&told(agency, month, fate));
    };
    rewrap::retire(context, only, tell).await.map_err(|problem| stopped(&problem))?;
    console.say(&Said::new(
        format!(
            "廃棄: {retired} 個、保持: {kept} 個\n\
             鍵フォルダのバックアップにはまだ残っています。35日を超えるものは消してください。\
             ほかのノードは次の見回りで自分の写しを消します。"
        ),
        format!(
            "retired={retired} kept={kept}\n\
             backups of the key store still hold them: delete those older than 35 days. \
             Other nodes drop their copies at their next sweep."
        ),
    ));
    if kept == 0 {
        return Ok(());
    }
    Err(Stopped::failed(Said::new(
        format!("{kept} 個は廃棄しませんでした。理由は上のとおりです。"),
        format!("{kept} were kept, for the reasons above"),
    )))
}

fn told(agency: AgencyId, month: &str, fate: &Fate) -> Said {
    match fate {
        Fate::Retired => {
            Said::new(format!("{agency} {month}: 廃棄しました"), format!("{agency} {month}: retired"))
        }
        Fate::Needed(wraps) => Said::new(
            format!(
                "{agency} {month}: {wraps} 個のデータ鍵がまだ使っています。先に tsunagu keys rewrap を行ってください"
            ),
            format!("{agency} {month}: {wraps} data keys still need it; run tsunagu keys rewrap first"),
        ),
        Fate::InUse { node } => Said::new(
            format!(
                "{agency} {month}: ノード {node} がこの月以前の鍵で包んでいるか、新しい鍵を受け取ったばかりです。\
                 kek/ を写し、10分待ってください"
            ),
            format!(
                "{agency} {month}: node {node} wraps under keys of that month or before, or got newer ones a moment \
                 ago; copy kek/ to it and wait ten minutes"
            ),
        ),
        Fate::Settling => Said::new(
            format!("{agency} {month}: 月が替わって1日たっていません。明日行ってください"),
            format!("{agency} {month}: the month ended less than a day ago; do it tomorrow"),
        ),
    }
}
