//! `tsunagu demo`: a fresh hub, a real directory, and six scenes played by agencies over the API.
//!
//! Nothing here goes past the doors: what agencies do, they do over HTTP with their own tokens. Only the operator's
//! steps before the start use the hub's tools, as the operator's commands do.

mod api;
mod board;
mod cast;
mod evidence;
mod family;
mod invite;
mod people;
mod prepare;
mod scenes;
mod screen;
mod stage;

use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};

use self::{
    api::{Api, With, unexpected},
    board::Board,
    cast::{Cast, Member},
    evidence::Checked,
    screen::Screen,
    stage::Stage,
};
use super::{
    Console, Said, Stopped,
    serve::{StopRequests, until_stopped},
};
use crate::{clock::Clock, config, domain::language::Language, hub::Hub, ledger::Mode};

/// 新しいハブに実データを入れ、連携の場面を演じて見せる / fill a fresh hub with real data and play the scenes of working together
#[derive(clap::Args)]
pub(super) struct Args {
    /// 場面が終わったら止まる。すべて期待どおりなら終了コード0 / end after the scenes, with 0 if all is as it should be
    #[arg(long)]
    once: bool,
    /// 間を置かずに進める / play without pauses
    #[arg(long)]
    fast: bool,
    /// 色を付けない（環境変数 NO_COLOR でも同じ） / no colours, as with the environment variable NO_COLOR
    #[arg(long)]
    no_color: bool,
    /// PostgreSQL と RabbitMQ で動かす / run on PostgreSQL and RabbitMQ
    #[arg(long)]
    clustered: bool,
    /// PostgreSQL のURL（空のデータベース、照合順序C）。環境変数 TSUNAGU__LEDGER__URL でもよい / URL of an empty PostgreSQL database with C collation, or TSUNAGU__LEDGER__URL in the environment
    #[arg(long, value_name = "URL", requires = "clustered")]
    database_url: Option<String>,
    /// RabbitMQ のURL。環境変数 TSUNAGU__AMQP__URL でもよい / URL of a RabbitMQ vhost, or TSUNAGU__AMQP__URL in the environment
    #[arg(long, value_name = "URL", requires = "clustered")]
    amqp_url: Option<String>,
}

pub(super) async fn run(args: Args, console: &Console) -> Result<(), Stopped> {
    let clock = Clock::System;
    let language = console.language;
    let data = prepare::folder(console.place.data.as_deref(), &clock)?;
    let config = prepare::configuration(&args, console, &data)?;
    console.log(&config);
    let mut requests = StopRequests::listen()?;
    let mut screen = Screen::standard(args.no_color || config::colour_refused());
    let shown = data.display().to_string();
    screen.say(
        Said::new(format!("データフォルダ: {shown}"), format!("data folder: {shown}")).text(language),
        &[],
    );
    let (mode, started) = (config.hub.mode, prepare_and_start(&args, config, clock, &mut screen, language));
    let (hub, cast) = tokio::select! {
        started = started => started?,
        () = requests.next() => return Err(interrupted()),
    };
    let played = tokio::select! {
        played = perform(&args, &hub, cast, screen, language, mode, &data) => played,
        () = requests.next() => Err(interrupted()),
    };
    match played {
        Ok(()) if args.once => hub.stop().await,
        Ok(()) => until_stopped(hub, requests).await?,
        Err(stopped) => {
            hub.stop().await;
            return Err(stopped);
        }
    }
    Ok(())
}

async fn prepare_and_start(
    args: &Args,
    config: config::Config,
    clock: Clock,
    screen: &mut Screen,
    language: Language,
) -> Result<(Hub, Vec<Member>), Stopped> {
    let members = prepare::prepare(&config, &clock, screen, language).await?;
    let hub = prepare::start(config, clock).await?;
    let address = hub.address();
    if !args.once {
        let said = Said::new(format!("ハブ: http://{address}"), format!("hub: http://{address}"));
        screen.say(said.text(language), &[]);
    }
    Ok((hub, members))
}

/// The scenes, the check of what they left, and the invitation to try.
async fn perform(
    args: &Args,
    hub: &Hub,
    members: Vec<Member>,
    screen: Screen,
    language: Language,
    mode: Mode,
    data: &Path,
) -> Result<(), Stopped> {
    let mut stage = Stage {
        api: Api::new(format!("http://{}", hub.address()))?,
        cast: Cast(members),
        board: Board::default(),
        screen,
        language,
        data: data.to_owned(),
        context: hub.context(),
        fast: args.fast,
        headed: false,
        refusals: Vec::new(),
        keys: 0,
    };
    join_in(&mut stage, mode).await?;
    let played = scenes::play(&mut stage).await?;
    let mut waiting = None;
    if !args.once {
        let row = scenes::for_visitor(&mut stage, &played).await?;
        people::fill_board(&mut stage).await?;
        waiting = Some((row, people::let_in(&stage).await?));
    }
    let checked = evidence::check(&mut stage).await?;
    if !stage.screen.live {
        stage.say(&Said::new("", ""));
        stage.table().iter().for_each(|line| stage.screen.say(line, &[]));
    }
    invite::tell_result(&mut stage, &checked);
    if let Some((row, entries)) = waiting {
        return invite::invite(&mut stage, row, &entries);
    }
    verdict(&checked)
}

/// Each agency's system gets a token, registers the people who work with it, and says how it wants to be told.
async fn join_in(stage: &mut Stage, mode: Mode) -> Result<(), Stopped> {
    let many = stage.cast.0.len();
    for place in 0..many {
        stage.cast.0[place].token = stage.api.token(&stage.cast.0[place]).await?;
        let posts = stage.cast.0[place].role.posts;
        for post in posts {
            let key = stage.key();
            let body = json!({"name": post.name.ja, "role": post.role});
            let with = With { key: Some(&key), body: Some(&body), ..With::default() };
            let answer = stage.api.change(&stage.cast.0[place], Method::POST, "/v1/staff", with).await?;
            let id = answer.document()["id"].as_str().and_then(|id| id.parse().ok());
            stage.cast.0[place].staff.push(id.ok_or_else(|| unexpected("POST /v1/staff", &answer))?);
        }
        subscribe(stage, place, mode).await?;
        let done = place + 1;
        let said = Said::new(
            format!("職員と通知先を登録中 {done}/{many}"),
            format!("registering staff {done}/{many}"),
        );
        if stage.screen.live || done == many {
            let line = said.text(stage.language).to_owned();
            stage.screen.progress(&line);
        }
    }
    Ok(())
}

async fn subscribe(stage: &Stage, place: usize, mode: Mode) -> Result<(), Stopped> {
    let member = &stage.cast.0[place];
    let put = async |path: &str, body: Value| {
        let with = With { body: Some(&body), ..With::default() };
        stage.api.change(member, Method::PUT, path, with).await
    };
    if let Some(mail) = member.role.mail {
        // These are agencies in Yokohama, whatever the visitor's language.
        put(
            "/v1/subscriptions/mail",
            json!({
                "address": mail.address, "language": "ja", "duty_desk": mail.duty_desk,
            }),
        )
        .await?;
    }
    if mode == Mode::Clustered {
        put("/v1/subscriptions/amqp", json!({"mode": "doorbell"})).await?;
    }
    Ok(())
}

fn verdict(checked: &Checked) -> Result<(), Stopped> {
    match checked.complaints.len() {
        0 => Ok(()),
        many => Err(Stopped::failed(Said::new(
            format!("期待どおりでないことが{many}件あります（上の表示を見てください）。"),
            format!("{many} things are not as they should be; see above"),
        ))),
    }
}

fn interrupted() -> Stopped {
    Stopped::failed(Said::new("途中で止められました。", "stopped before the end"))
}
