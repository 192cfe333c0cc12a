//! `tsunagu doctor`

use std::path::Path;

use jiff::SignedDuration;

use super::{Console, Said, Stopped};
use crate::{
    clock::Clock,
    config::MailTransport,
    domain::ids::AgencyId,
    hub::doctor::{Finding, Grade, MonthlyKeys, examine},
    transport::amqp::Examined,
};

/// ハブに必要なものを調べ、直し方を示す（何も変えない。問題がなければ終了コード 0） / look at everything the hub needs and say what to do; changes nothing, and ends with 0 only if all is well
#[derive(clap::Args)]
pub(super) struct Args {}

pub(super) async fn run(_: Args, console: &Console) -> Result<(), Stopped> {
    let config = console.config()?;
    console.log(&config);
    // Mail and broker may be asked over TLS.
    let _already_there = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let findings = examine(&config, &Clock::System).await;
    let count = |grade| findings.iter().filter(|finding| finding.grade() == grade).count();
    for finding in &findings {
        let said = said(finding);
        let (ja, en) = match finding.grade() {
            Grade::Good => ("○ 正常", "ok    "),
            Grade::Notice => ("△ 注意", "notice"),
            Grade::Bad => ("× 異常", "BAD   "),
        };
        console.say(&Said::new(format!("{ja}  {}", said.ja), format!("{en}  {}", said.en)));
    }
    let (notices, bad) = (count(Grade::Notice), count(Grade::Bad));
    if bad == 0 {
        console.say(&Said::new(
            format!("ハブは正常です（注意 {notices} 件）。"),
            format!("the hub is healthy ({notices} notices)"),
        ));
        return Ok(());
    }
    Err(Stopped::failed(Said::new(
        format!("異常が {bad} 件あります。「× 異常」の行に直し方を書いています。"),
        format!("{bad} things are wrong; the lines marked BAD say what to do"),
    )))
}

/// What was found, and what to do about it.
fn said(finding: &Finding) -> Said {
    match finding {
        Finding::DoesNotStart(reason) => Said::of_start(reason),
        Finding::NeverStarted { data } => never_started(data),
        Finding::DataFolder { data, running } => data_folder(data, *running),
        Finding::Disk { free, whole } => disk(*free, *whole),
        Finding::DiskUnknown(error) => Said::new(
            format!("ディスクの空き容量を調べられません: {error}"),
            format!("how much of the disk is free cannot be seen: {error}"),
        ),
        Finding::Keys { hub, fingerprint } => Said::new(
            format!("鍵: ハブ {hub}、指紋 {}", short(fingerprint)),
            format!("keys: hub {hub}, fingerprint {}", short(fingerprint)),
        ),
        Finding::MonthlyKeys(keys) => monthly_keys(keys),
        Finding::Ledger(mode) => Said::new(
            format!("台帳: このハブのものです（{}）。設定も安全です。", mode.label_ja()),
            format!("ledger: this hub's own ({}), with safe settings", mode.label_en()),
        ),
        Finding::LedgerUnreadable(error) => Said::new(
            format!(
                "台帳を読めません: {error}\n    データベースが動いているか、URL と権限を確かめてください。"
            ),
            format!("ledger: {error}\n    see that the database runs, and look at its URL and rights"),
        ),
        Finding::Schema { to_apply, unknown } => schema(*to_apply, *unknown),
        Finding::Clock { ahead } => clock(*ahead),
        Finding::Work { dead, late } => work(*dead, *late),
        Finding::Broker(seen) => broker(seen),
        Finding::BrokerUnreached(reason) => Said::new(
            format!(
                "RabbitMQ に接続できません: {reason}\n    amqp.url、利用者名とパスワード、証明書、サーバの状態を確かめてください。紹介は受け付け、着信通知は復旧後に届きます。"
            ),
            format!(
                "broker: {reason}\n    check amqp.url, user and password, the certificate, and that the server runs; referrals are accepted meanwhile, doorbells come later"
            ),
        ),
        Finding::Mail(transport) => mail(*transport),
        Finding::MailRefused(reason) => Said::new(
            format!(
                "メールを送れません: {reason}\n    mail.smtp_host、ポート、証明書（mail.ca_file）、利用者名とパスワードを確かめてください。"
            ),
            format!(
                "mail: {reason}\n    check mail.smtp_host, the port, the certificate (mail.ca_file), user and password"
            ),
        ),
    }
}

/// Enough of a fingerprint to compare two by eye.
fn short(fingerprint: &str) -> &str {
    fingerprint.get(..16).unwrap_or(fingerprint)
}

fn never_started(data: &Path) -> Said {
    let data = data.display();
    Said::new(
        format!(
            "{data} では、まだハブを起動したことがありません。\n    tsunagu serve --data {data} で起動してください。"
        ),
        format!("no hub has ever started in {data}\n    start it with: tsunagu serve --data {data}"),
    )
}

fn data_folder(data: &Path, running: bool) -> Said {
    let data = data.display();
    let (ja, en) = match running {
        true => ("ハブが動いています", "a hub is running"),
        false => ("ほかの利用者からは読めません", "closed to other users"),
    };
    Said::new(format!("データフォルダ {data}: {ja}"), format!("data folder {data}: {en}"))
}

fn disk(free: u64, whole: u64) -> Said {
    const GIB: f64 = (1u64 << 30) as f64;
    let (free, whole) = (free as f64 / GIB, whole as f64 / GIB);
    Said::new(
        format!("ディスク: 空き {free:.1} GiB（全体 {whole:.1} GiB）。1 GiB を切る前に増やしてください。"),
        format!("disk: {free:.1} GiB of {whole:.1} GiB free; make room before it falls below 1 GiB"),
    )
}

fn monthly_keys(keys: &MonthlyKeys) -> Said {
    let some = |ids: &[AgencyId]| {
        let named: Vec<String> = ids.iter().take(3).map(ToString::to_string).collect();
        let more = if ids.len() > named.len() { " …" } else { "" };
        format!("{}{more}", named.join(" "))
    };
    let make = "tsunagu keys agency --all";
    if !keys.none.is_empty() {
        let (count, which) = (keys.none.len(), some(&keys.none));
        return Said::new(
            format!(
                "月ごとの鍵がない機関が {count} あります: {which}\n    {make} で作ってください。作るまで、その機関あての紹介は受け付けられません。"
            ),
            format!(
                "{count} agencies have no monthly key: {which}\n    make them with: {make}; until then nothing can be sealed for them"
            ),
        );
    }
    if !keys.ending.is_empty() {
        let (count, which) = (keys.ending.len(), some(&keys.ending));
        return Said::new(
            format!(
                "来月の鍵がない機関が {count} あります: {which}\n    {make} で作ってください。それまでは前の月の鍵を使い続けます。"
            ),
            format!(
                "{count} agencies have no key for the next month: {which}\n    make them with: {make}; the newest one serves on until then"
            ),
        );
    }
    Said::new("月ごとの鍵: 来月の分まであります。", "monthly keys: there for the next month too")
}

fn schema(to_apply: usize, unknown: usize) -> Said {
    match (to_apply, unknown) {
        (0, 0) => Said::new("台帳の構造: この版のものです。", "schema: this version's"),
        (0, newer) => Said::new(
            format!(
                "台帳の構造: 新しい版が {newer} 件の変更を加えています。このノードも新しい版にしてください。"
            ),
            format!("schema: a newer version has made {newer} changes; install it on this node too"),
        ),
        (older, _) => Said::new(
            format!(
                "台帳の構造: この版の変更が {older} 件まだです。tsunagu migrate か、次の起動で反映されます。"
            ),
            format!(
                "schema: {older} changes of this version are still to be made, by `tsunagu migrate` or the next start"
            ),
        ),
    }
}

fn clock(ahead: SignedDuration) -> Said {
    let seconds = ahead.as_secs_f64();
    Said::new(
        format!(
            "時計: データベースとの差は {seconds:+.1} 秒。5 秒を超えると異常です。NTP を確かめてください。"
        ),
        format!("clock: the database is {seconds:+.1} s ahead; more than 5 s is wrong: look at NTP on both"),
    )
}

fn work(dead: i64, late: SignedDuration) -> Said {
    let late = late.as_secs();
    Said::new(
        format!(
            "通知の仕事: 期限から最長 {late} 秒待ち、あきらめたもの {dead} 件。5 分を超えたら、ハブが動いているか確かめてください。"
        ),
        format!(
            "work: the oldest that is due has waited {late} s, {dead} given up; if more than 5 min, see that a hub runs"
        ),
    )
}

fn broker(seen: &Examined) -> Said {
    if !seen.missing.is_empty() {
        let missing = seen.missing.join(", ");
        return Said::new(
            format!(
                "RabbitMQ に足りないもの: {missing}\n    ハブが起動すると作ります。作れないときは、ハブの利用者の権限（configure・write・read）を確かめてください。"
            ),
            format!(
                "broker: missing {missing}\n    a hub makes them when it starts; if it cannot, look at the rights of its user (configure, write, read)"
            ),
        );
    }
    let (queues, dead) = (seen.waiting.len(), seen.dead);
    let most = seen.waiting.iter().map(|(_, count)| *count).max().unwrap_or(0);
    Said::new(
        format!(
            "RabbitMQ: 購読する機関の待ち行列 {queues}、最も長いもので {most} 件、受け取られなかった着信通知 {dead} 件"
        ),
        format!(
            "broker: {queues} subscribers' queues, {most} waiting in the longest, {dead} doorbells that nobody took"
        ),
    )
}

fn mail(transport: MailTransport) -> Said {
    match transport {
        MailTransport::Smtp => Said::new(
            "メール: サーバに接続し、認証できました（送信はしていません）。",
            "mail: the server lets the hub sign in (nothing was sent)",
        ),
        MailTransport::Folder => Said::new(
            "メール: フォルダに書くだけで、送りません（mail.transport = \"folder\"）。",
            "mail: written into a folder and not sent (mail.transport = \"folder\")",
        ),
        MailTransport::None => Said::new(
            "メール: 送らない設定です（mail.transport = \"none\"）。",
            "mail: none is sent (mail.transport = \"none\")",
        ),
    }
}
