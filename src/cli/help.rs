//! Help and complaints in the user's language.
//!
//! clap knows English only. So every text of the command tree is written as `日本語 / English`, and one side is
//! taken before the arguments are read; clap's own headings and complaints are replaced in Japanese.

use std::{error::Error, io::Write, process::ExitCode};

use clap::{
    Arg, ArgAction, Command,
    builder::StyledStr,
    error::{ContextKind, ErrorKind},
};

use crate::domain::language::Language;

/// What stands between the two languages of a text.
const BETWEEN: &str = " / ";

/// clap's own words.
struct Words {
    usage: &'static str,
    commands: &'static str,
    arguments: &'static str,
    options: &'static str,
    help: &'static str,
    version: &'static str,
}

const fn words(language: Language) -> Words {
    match language {
        Language::Japanese => Words {
            usage: "使い方",
            commands: "コマンド",
            arguments: "引数",
            options: "オプション",
            help: "この説明を表示する",
            version: "版を表示する",
        },
        Language::English => Words {
            usage: "Usage",
            commands: "Commands",
            arguments: "Arguments",
            options: "Options",
            help: "print this help",
            version: "print the version",
        },
    }
}

/// Puts a command and all below it into one language.
pub(super) fn localise(command: Command, language: Language) -> Command {
    let words = words(language);
    let about = side(command.get_about(), language);
    let is_root = command.get_version().is_some();
    let help = Arg::new("help").short('h').long("help").action(ArgAction::Help).help(words.help);
    let mut command = command
        .disable_help_flag(true)
        .disable_version_flag(true)
        .disable_help_subcommand(true)
        .about(about)
        .help_template(format!("{{about-with-newline}}\n{}: {{usage}}\n\n{{all-args}}", words.usage))
        .subcommand_help_heading(words.commands)
        .mut_args(|arg| {
            let help = side(arg.get_help(), language);
            arg.help(help)
        })
        .arg(help);
    if is_root {
        let version = Arg::new("version").short('V').long("version").action(ArgAction::Version);
        command = command.arg(version.help(words.version));
    }
    command
        .mut_args(|arg| {
            let heading = if arg.is_positional() { words.arguments } else { words.options };
            arg.help_heading(heading)
        })
        .mut_subcommands(|below| localise(below, language))
}

/// One side of a text in both languages; a text that has only one side is taken whole.
fn side(text: Option<&StyledStr>, language: Language) -> String {
    let text = text.map(ToString::to_string).unwrap_or_default();
    match (text.split_once(BETWEEN), language) {
        (Some((japanese, _)), Language::Japanese) => japanese.to_owned(),
        (Some((_, english)), Language::English) => english.to_owned(),
        (None, _) => text,
    }
}

/// Prints what was asked for (help, version), or says what is wrong with the arguments.
pub(super) fn answer(error: &clap::Error, language: Language) -> ExitCode {
    let code = u8::try_from(error.exit_code()).unwrap_or(2);
    let asked = matches!(
        error.kind(),
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    );
    // That nobody reads it is no reason to fail.
    let _nobody_reads = match language {
        Language::Japanese if !asked => writeln!(std::io::stderr(), "{}", complaint(error)),
        _ => error.print(),
    };
    ExitCode::from(code)
}

/// clap's complaint in Japanese.
fn complaint(error: &clap::Error) -> String {
    let context = |kind| error.get(kind).map(ToString::to_string).unwrap_or_default();
    let argument = context(ContextKind::InvalidArg);
    let what = match error.kind() {
        ErrorKind::UnknownArgument => format!("「{argument}」という指定はありません。"),
        ErrorKind::InvalidSubcommand => {
            format!("「{}」というコマンドはありません。", context(ContextKind::InvalidSubcommand))
        }
        ErrorKind::MissingSubcommand => "コマンドを指定してください。".to_owned(),
        ErrorKind::MissingRequiredArgument => format!("必要な指定がありません: {argument}"),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let (value, known) = (context(ContextKind::InvalidValue), context(ContextKind::ValidValue));
            match (value.as_str(), known.as_str(), error.source()) {
                ("", ..) => format!("「{argument}」に値がありません。"),
                (value, "", None) => format!("「{argument}」の値「{value}」は正しくありません。"),
                (value, "", Some(why)) => format!("「{argument}」の値「{value}」は正しくありません: {why}"),
                (value, known, _) => {
                    format!("「{argument}」の値「{value}」は正しくありません。使える値: {known}")
                }
            }
        }
        ErrorKind::ArgumentConflict => {
            format!("「{argument}」と「{}」は同時に指定できません。", context(ContextKind::PriorArg))
        }
        _ => "指定が正しくありません。".to_owned(),
    };
    format!("tsunagu: {what}\n使い方は --help で見られます。")
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;
    use crate::cli::Arguments;

    fn texts(command: &Command, path: &str, found: &mut Vec<(String, String)>) {
        let text = |text: Option<&StyledStr>| text.map(ToString::to_string).unwrap_or_default();
        let path = format!("{path} {}", command.get_name());
        found.push((path.clone(), text(command.get_about())));
        assert!(command.get_long_about().is_none(), "{path}: one paragraph is enough");
        for arg in command.get_arguments() {
            found.push((format!("{path} {}", arg.get_id()), text(arg.get_help())));
            assert!(arg.get_long_help().is_none(), "{path} {}: one paragraph is enough", arg.get_id());
        }
        command.get_subcommands().for_each(|below| texts(below, &path, found));
    }

    fn is_japanese(text: &str) -> bool {
        text.chars().any(|c| ('\u{3040}'..='\u{9fff}').contains(&c))
    }

    #[test]
    fn every_command_and_option_is_described_in_both_languages() {
        let mut found = Vec::new();
        texts(&Arguments::command(), "", &mut found);
        assert!(found.len() > 8, "{found:?}");
        for (place, text) in found {
            let sides: Vec<&str> = text.split(BETWEEN).collect();
            assert_eq!(sides.len(), 2, "{place}: write 日本語 / English, not {text:?}");
            assert!(is_japanese(sides[0]), "{place}: {text}");
            assert!(sides[1].starts_with(|c: char| c.is_ascii_alphanumeric()), "{place}: {text}");
        }
    }

    #[test]
    fn a_language_leaves_nothing_of_the_other() {
        for language in [Language::Japanese, Language::English] {
            let mut command = localise(Arguments::command(), language);
            command.build();
            let mut commands = vec![command];
            while let Some(mut command) = commands.pop() {
                let help = command.render_long_help().to_string();
                assert!(!help.contains(BETWEEN), "{help}");
                let english_headings = ["Usage:", "Options:", "Commands:", "Arguments:"];
                let english = english_headings.iter().any(|heading| help.contains(heading));
                assert_eq!(english, language == Language::English, "{help}");
                commands.extend(command.get_subcommands().cloned());
            }
        }
    }

    #[test]
    fn a_complaint_in_japanese_names_what_is_wrong() {
        let complaint = |arguments: &[&str]| {
            let error = Arguments::try_parse_from(arguments).err().expect("these arguments are wrong");
            complaint(&error)
        };
        assert!(complaint(&["tsunagu", "serve", "--dta", "x"]).contains("「--dta」という指定はありません"));
        assert!(complaint(&["tsunagu", "surf"]).contains("「surf」というコマンドはありません"));
        assert!(complaint(&["tsunagu", "serve", "--data"]).contains("値がありません"));
        assert!(complaint(&["tsunagu", "keys", "agency", "x"]).contains("の値「x」は正しくありません"));
        assert!(complaint(&["tsunagu", "keys", "agency"]).contains("必要な指定がありません"));
    }
}
