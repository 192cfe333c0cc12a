//! Why a command stopped, in both languages.

use std::error::Error;

use crate::{
    config::ConfigError, domain::language::Language, hub::StartError, ledger::LedgerError, vault::VaultError,
};

/// One thing said to the user, in both languages.
pub struct Said {
    pub(super) ja: String,
    pub(super) en: String,
}

impl Said {
    pub fn new(ja: impl Into<String>, en: impl Into<String>) -> Self {
        Self { ja: ja.into(), en: en.into() }
    }

    /// Why a hub does not start.
    pub(super) fn of_start(error: &StartError) -> Self {
        Self::new(start_ja(error), with_reasons(error))
    }

    pub fn text(&self, language: Language) -> &str {
        match language {
            Language::Japanese => &self.ja,
            Language::English => &self.en,
        }
    }
}

/// The end of a command that did not do its work.
pub struct Stopped {
    pub(super) code: u8,
    pub(super) said: Said,
}

impl Stopped {
    /// The command could not do its work; trying again may help.
    pub const fn failed(said: Said) -> Self {
        Self { code: 1, said }
    }

    /// The command was called or configured wrongly.
    pub const fn wrong(said: Said) -> Self {
        Self { code: 2, said }
    }
}

/// What a command has already put into the user's language.
impl From<anyhow::Error> for Stopped {
    fn from(error: anyhow::Error) -> Self {
        let text = format!("{error:#}");
        Self::failed(Said::new(text.clone(), text))
    }
}

impl From<ConfigError> for Stopped {
    fn from(error: ConfigError) -> Self {
        Self::wrong(Said::new(config_ja(&error), error.to_string()))
    }
}

impl From<StartError> for Stopped {
    fn from(error: StartError) -> Self {
        let said = Said::of_start(&error);
        if error.is_wrong_use() { Self::wrong(said) } else { Self::failed(said) }
    }
}

impl From<VaultError> for Stopped {
    fn from(error: VaultError) -> Self {
        Self::failed(Said::new(vault_ja(&error), with_reasons(&error)))
    }
}

impl From<LedgerError> for Stopped {
    fn from(error: LedgerError) -> Self {
        Self::from(StartError::Ledger(error))
    }
}

/// An error and those behind it, as far as it does not say them itself.
fn with_reasons(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut reason = error.source();
    while let Some(error) = reason {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        reason = error.source();
    }
    text
}

fn config_ja(error: &ConfigError) -> String {
    match error {
        ConfigError::Unreadable(why) => format!("設定を読めません: {why}"),
        ConfigError::Wrong { setting, why } => format!("設定 {setting} が正しくありません: {why}"),
        ConfigError::Authority { setting, path, source } => format!(
            "設定 {setting} の証明書ファイル {} を読めません: {source}\nPEM ファイルの場所を書くか、空にしてください。",
            path.display()
        ),
    }
}

fn start_ja(error: &StartError) -> String {
    match error {
        StartError::DataFolder { path, source, .. } => format!(
            "データフォルダの {} を使えません: {source}\n所有者・権限・空き容量を確かめてください。",
            path.display()
        ),
        StartError::Exposed { path, mode } => format!(
            "データフォルダ {0} がほかの利用者に開かれています（モード {mode:o}）。chmod go= {0} で閉じてください。",
            path.display()
        ),
        StartError::Running { path } => format!(
            "データフォルダ {} では別のハブが動いています。先に止めるか、--data で別のフォルダを指定してください。",
            path.display()
        ),
        StartError::NoKeys { folder } => format!(
            "{} に鍵がありません。tsunagu keys init でクラスタ全体の鍵を一度だけ作り、全ノードへ写してください。",
            folder.display()
        ),
        StartError::KeysLost { folder, ledger } => format!(
            "台帳 {} はありますが、その鍵が {} にありません。鍵フォルダをバックアップから戻してください\
             （新しい鍵では保存済みの内容を開けません）。",
            ledger.display(),
            folder.display()
        ),
        StartError::Vault(error) => vault_ja(error),
        StartError::Ledger(error) => ledger_ja(error),
        StartError::Config(error) => config_ja(error),
        StartError::Mail(why) => format!("メールの設定（mail）が正しくありません: {why}"),
        StartError::Broker(why) => format!("設定 amqp.url が正しくありません: {why}"),
        StartError::Listen { address, source } => format!(
            "{address} で待ち受けられません: {source}\nそこで動いているものを止めるか、server.listen を変えてください。"
        ),
    }
}

fn vault_ja(error: &VaultError) -> String {
    match error {
        VaultError::Io { path, source, .. } => format!(
            "鍵フォルダの {} を使えません: {source}\n所有者・権限・空き容量を確かめてください。",
            path.display()
        ),
        VaultError::Exposed { path, mode } => format!(
            "鍵フォルダの {0} がほかの利用者に開かれています（モード {mode:o}）。\
             chmod go= {0} で閉じ、誰かが読んでいないか調べてください。",
            path.display()
        ),
        VaultError::Exists { path } => format!(
            "{} にはすでに鍵があります。作り直すと、いまの鍵で封じた内容を開けなくなります。",
            path.display()
        ),
        VaultError::RootLost { path } => {
            format!(
                "{} に鍵はありますが、root.key がありません。バックアップから戻してください。",
                path.display()
            )
        }
        VaultError::Missing { path } => format!(
            "鍵フォルダの {} がありません。バックアップから戻すか、設定 vault.folder を直してください。",
            path.display()
        ),
        VaultError::Damaged { path } => format!(
            "鍵フォルダの {} は壊れているか、別の root.key で封じられています。バックアップから戻してください。",
            path.display()
        ),
        VaultError::NoKek { agency, month } => {
            format!("機関 {agency} の {month} 以前の鍵がありません。tsunagu keys agency で作ってください。")
        }
        VaultError::NoSigningKey { kid } => {
            format!(
                "署名鍵 {kid} が鍵フォルダにありません。tsunagu keys publish で作った鍵のIDを指定してください。"
            )
        }
        VaultError::Shredded { id } => {
            format!("データ鍵 {id} は破棄されています。封じた内容はもう開けません。")
        }
        VaultError::Opening { .. } | VaultError::BigNumber | VaultError::Crypto(_) => {
            format!("鍵の処理ができませんでした: {error}")
        }
    }
}

fn ledger_ja(error: &LedgerError) -> String {
    let why = with_reasons(error);
    match error {
        LedgerError::Unavailable(_) => {
            format!(
                "台帳のデータベースが応答しません。動いているか、URL と権限を確かめてください。\n詳細: {why}"
            )
        }
        LedgerError::Refused(_) => format!("このデータベースは、この設定のハブでは使えません。\n詳細: {why}"),
        LedgerError::Corrupt { .. } => {
            format!("台帳に読めない行があります。新しい版で書かれたか、壊れています。\n詳細: {why}")
        }
        LedgerError::Migration(_) => format!("台帳をこの版の構造にできません。\n詳細: {why}"),
    }
}
