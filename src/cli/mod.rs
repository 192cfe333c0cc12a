//! The command line: one file per command, in the user's language.
//!
//! A text for the user is written where it belongs, in both languages: `日本語 / English` in the doc comment of a
//! command or an option, and [`Said`] for what a command says. A command ends with 0 when it did its work, 1 when
//! it could not, 2 when it was called or configured wrongly.

pub mod agency;
mod decide;
mod demo;
mod doctor;
mod help;
pub mod import;
mod keys;
mod migrate;
mod serve;
mod stopped;
mod verify;

use std::{ffi::OsString, io::Write, path::PathBuf, process::ExitCode};

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

pub use stopped::{Said, Stopped};

use crate::{
    clock::Clock,
    config::{self, Config, LogFormat},
    domain::language::Language,
    hub::Tools,
};

/// The commands: name and the file that has it, with its `Args` and its `run`. One that needs the hub's tools is
/// given them; the others find what they need by themselves.
macro_rules! commands {
    ($(by itself: $name:ident = $file:ident;)+ $(with tools: $other:ident = $module:ident;)+) => {
        #[derive(Subcommand)]
        enum Command { $($name($file::Args),)+ $($other($module::Args),)+ }

        impl Command {
            async fn run(self, console: &Console) -> Result<(), Stopped> {
                match self {
                    $(Self::$name(args) => $file::run(args, console).await,)+
                    $(Self::$other(args) => {
                        let tools = console.tools().await?;
                        let out = &mut std::io::stdout();
                        let ran = $module::run(args, tools.context(), console.language, out).await;
                        tools.close().await;
                        Ok(ran?)
                    })+
                }
            }
        }
    };
}

commands! {
    by itself: Demo = demo;
    by itself: Serve = serve;
    by itself: Migrate = migrate;
    by itself: Doctor = doctor;
    by itself: Keys = keys;
    by itself: Verify = verify;
    by itself: Decide = decide;
    with tools: Agency = agency;
    with tools: Import = import;
}

/// 利用者支援事業の機関間連携ハブ「つなぐ」 / tsunagu, the inter-agency referral hub for 利用者支援事業
#[derive(Parser)]
#[command(name = "tsunagu", version)]
struct Arguments {
    #[command(flatten)]
    place: Place,
    #[command(subcommand)]
    command: Command,
}

// No doc comment here: clap would take it for the command's.
#[derive(Args)]
struct Place {
    /// データを置くフォルダ / the folder where data live
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    /// 設定ファイル（TOML）。環境変数 TSUNAGU__SECTION__KEY が優先 / a configuration file (TOML); TSUNAGU__SECTION__KEY wins over it
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// What every command is given: where the hub is, and how to speak to the user.
pub struct Console {
    place: Place,
    pub language: Language,
}

impl Console {
    /// The checked configuration.
    ///
    /// # Errors
    /// It cannot be used.
    pub fn config(&self) -> Result<Config, Stopped> {
        Ok(Config::load(self.place.config.as_deref(), self.place.data.as_deref())?)
    }

    /// The configuration as it is written, for a command that needs a part of it.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn unchecked_config(&self) -> Result<Config, Stopped> {
        Ok(Config::read(self.place.config.as_deref(), self.place.data.as_deref())?)
    }

    /// The hub's tools, for a command that does one thing and leaves. A hub may be running meanwhile.
    async fn tools(&self) -> Result<Tools, Stopped> {
        let config = self.config()?;
        self.log(&config);
        Ok(Tools::open(&config, Clock::System).await?)
    }

    /// One line on the standard output. That nobody reads it is no reason to stop.
    pub fn say(&self, said: &Said) {
        let _nobody_reads = writeln!(std::io::stdout(), "{}", said.text(self.language));
    }

    /// Sends the log to the standard error, in the form and from the level that the configuration names.
    pub fn log(&self, config: &Config) {
        // Below a warning, other people's libraries tell what passes through them. lapin does so at a warning too, and calls a link that is closed in order an error; the supervisor tells what matters.
        let filter = format!("warn,tsunagu={},lapin=off,sqlx=error", config.log.level.name());
        let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
        // A second log in one process would be a mistake of ours, and no reason to end it.
        let _already_there = match config.log.format {
            LogFormat::Json => log.json().try_init(),
            LogFormat::Text => log.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).try_init(),
        };
    }
}

/// Reads the arguments and runs the command they name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let language = config::user_language();
    let matches = help::localise(Arguments::command(), language).try_get_matches_from(arguments);
    let Arguments { place, command } = match matches.and_then(|m| Arguments::from_arg_matches(&m)) {
        Ok(arguments) => arguments,
        Err(error) => return help::answer(&error, language),
    };
    let console = Console { place, language };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(command.run(&console)),
        Err(error) => Err(Stopped::failed(Said::new(
            format!("処理を始められません: {error}"),
            format!("the process cannot start its threads: {error}"),
        ))),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(stopped) => {
            let _nobody_reads = writeln!(std::io::stderr(), "tsunagu: {}", stopped.said.text(language));
            ExitCode::from(stopped.code)
        }
    }
}
