//! `tsunagu keys publish`, `activate` and `nodes`: signing keys are exchanged while the hub runs.

use super::{Console, Said, Stopped, stopped};
use crate::{
    usecases::{
        Context,
        keyring::{self, NotActivated},
    },
    vault::KeyPurpose,
};

#[derive(clap::Args)]
pub(super) struct Publish {
    /// receipt = 受領証の署名鍵、token = アクセストークンの署名鍵 / receipt: signs receipts; token: signs access tokens
    #[arg(value_name = "PURPOSE", hide_possible_values = true, value_parser = clap::builder::PossibleValuesParser::new(PURPOSES))]
    purpose: String,
}

const PURPOSES: [&str; 2] = [KeyPurpose::Receipt.code(), KeyPurpose::Token.code()];

#[derive(clap::Args)]
pub(super) struct Activate {
    /// keys publish が示した鍵のID / the key id that keys publish showed
    #[arg(value_name = "KEY_ID")]
    kid: String,
}

impl Publish {
    pub fn run(self, context: &Context, console: &Console) -> Result<(), Stopped> {
        let purpose: KeyPurpose = self.purpose.parse().map_err(|_| {
            Stopped::wrong(Said::new(
                "receipt か token を指定してください。",
                "the purpose is receipt or token",
            ))
        })?;
        let kid = context.vault.publish_key(purpose)?;
        console.say(&Said::new(
            format!(
                "{kid}\n公開しました（{}）。まだ署名には使いません。\n\
                 次に: クラスタでは鍵フォルダの sign/ を全ノードへ写してください。動いているハブは見回りのときに読み込みます。\
                 tsunagu keys nodes で全ノードが持ったことを確かめ、tsunagu keys activate {kid} を行ってください。",
                purpose.label_ja()
            ),
            format!(
                "{kid}\npublished ({}), not used yet\n\
                 next: in a cluster copy sign/ of the key folder to every node; a running hub reads it at its next sweep. \
                 See with tsunagu keys nodes that every node holds it, then run: tsunagu keys activate {kid}",
                purpose.label_en()
            ),
        ));
        Ok(())
    }
}

impl Activate {
    pub async fn run(self, context: &Context, console: &Console) -> Result<(), Stopped> {
        let kid = self.kid;
        match keyring::activate(context, &kid).await {
            Ok(()) => {}
            Err(NotActivated::Unknown) => {
                return Err(Stopped::wrong(Said::new(
                    format!(
                        "鍵 {kid} がこの鍵フォルダにありません。keys publish が示したIDを指定してください。"
                    ),
                    format!("there is no key {kid} in this key folder; give the id that keys publish showed"),
                )));
            }
            Err(NotActivated::Unconfirmed(nodes)) => {
                let nodes = nodes.join(", ");
                return Err(Stopped::failed(Said::new(
                    format!(
                        "まだ使えません。次のノードが鍵 {kid} を持っていません: {nodes}\n\
                         鍵フォルダの sign/ をそのノードへ写し、次の見回りのあとでもう一度行ってください。"
                    ),
                    format!(
                        "not yet: these nodes do not hold the key {kid}: {nodes}\n\
                         copy sign/ of the key folder to them, and try again after their next sweep"
                    ),
                )));
            }
            Err(NotActivated::Failed(problem)) => return Err(stopped(&problem)),
        }
        console.say(&Said::new(
            format!(
                "鍵 {kid} を使い始めました。動いているハブは次の見回りから使います。クラスタでは sign/ をもう一度全ノードへ写してください。\n\
                 前の鍵は、過去の受領証の検証に使うので残ります。前の鍵で署名されたトークンは、期限まで有効です。"
            ),
            format!(
                "the key {kid} is in use; a running hub uses it from its next sweep on. In a cluster copy sign/ to every \
                 node once more.\nthe key before it stays, to verify what it signed; its tokens are valid until they expire"
            ),
        ));
        Ok(())
    }
}

pub(super) async fn nodes(context: &Context, console: &Console) -> Result<(), Stopped> {
    let nodes = keyring::nodes(context).await.map_err(|problem| stopped(&problem))?;
    for node in &nodes {
        let (id, seen, month) = (&node.id, crate::usecases::jst(node.seen_at), &node.wraps_under);
        let (signs, holds) = (&node.signs_with, &node.kids);
        console.say(&Said::new(
            format!("ノード {id}（{seen}）\n  包む鍵の月: {month}\n  署名に使う鍵: {signs}\n  持っている鍵: {holds}"),
            format!("node {id} ({seen})\n  wraps under: {month}\n  signs with: {signs}\n  holds: {holds}"),
        ));
    }
    if nodes.is_empty() {
        console.say(&Said::new("動いているノードはありません。", "no node is running"));
    }
    Ok(())
}
