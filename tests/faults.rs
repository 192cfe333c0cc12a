//! The hub under faults: the program killed under load, its broker emptied, its clients hanging up.
//!
//! What is asked afterwards is always the same: everything that was accepted is there, once, for each recipient;
//! what was not answered is there once or not at all; a repeated request gets its first answer; all evidence holds.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is the point")]
#![allow(clippy::print_stdout, reason = "a run says how it went, and how to have it again")]

#[path = "faults/dice.rs"]
mod dice;
#[path = "faults/emptied.rs"]
mod emptied;
#[path = "faults/hung_up.rs"]
mod hung_up;
#[path = "faults/killed.rs"]
mod killed;
#[path = "faults/load.rs"]
mod load;
#[path = "faults/process.rs"]
mod process;
mod support;
