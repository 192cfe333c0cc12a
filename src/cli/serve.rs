//! `tsunagu serve`

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Console, Said, Stopped};
use crate::{clock::Clock, hub::Hub};

/// ハブを動かす（止めるときは Ctrl-C か SIGTERM） / run the hub; Ctrl-C or SIGTERM stops it in good order
#[derive(clap::Args)]
pub(super) struct Args {}

pub(super) async fn run(_: Args, console: &Console) -> Result<(), Stopped> {
    let config = console.config()?;
    console.log(&config);
    // Before the start: who stops a hub that is still starting has stopped it.
    let requests = StopRequests::listen()?;
    let hub = Hub::start(config, Clock::System).await?;
    let address = hub.address();
    console.say(&Said::new(
        format!("つなぐは http://{address} で受け付けています。"),
        format!("tsunagu listens on http://{address}"),
    ));
    until_stopped(hub, requests).await
}

/// Lets a hub run until it is told to stop, or until a part of it ends by itself, which none should.
pub(super) async fn until_stopped(mut hub: Hub, mut requests: StopRequests) -> Result<(), Stopped> {
    let broken = tokio::select! {
        () = requests.next() => None,
        part = hub.broken() => Some(part),
    };
    tokio::select! {
        () = hub.stop() => {}
        () = requests.next() => return Err(Stopped::failed(Said::new(
            "停止を待たずに終わりました。処理中だった要求は、同じ Idempotency-Key で送り直せば確かめられます。",
            "stopped without waiting; a request that was cut off is settled by sending it again with its Idempotency-Key",
        ))),
    }
    match broken {
        None => Ok(()),
        Some(part) => Err(Stopped::failed(Said::new(
            format!(
                "ハブの一部（{part}）が止まったため終了しました。ログを確かめ、もう一度起動してください。"
            ),
            format!("the hub ended because {part} had ended; look into the log and start it again"),
        ))),
    }
}

/// Ctrl-C and SIGTERM.
pub(super) struct StopRequests {
    interrupt: Signal,
    terminate: Signal,
}

impl StopRequests {
    pub(super) fn listen() -> Result<Self, Stopped> {
        let listen = |kind| {
            signal(kind).map_err(|error| {
                Stopped::failed(Said::new(
                    format!("停止の合図を受け取れません: {error}"),
                    format!("the signals that stop the hub cannot be received: {error}"),
                ))
            })
        };
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
