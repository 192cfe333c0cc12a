//! Hands the arguments to the command line and gives its verdict to the system.

use std::process::ExitCode;

fn main() -> ExitCode {
    tsunagu::cli::run(std::env::args_os())
}
