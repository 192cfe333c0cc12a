//! Keys that move and keys that are destroyed, told as stories: a month's keys are exchanged while the hub runs, what is
//! past its retention is erased by two people, and a backup brings none of it back.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is the point")]
#![allow(clippy::print_stdout, reason = "a run says how it went, and how to have it again")]

mod erasure {
    pub mod backup;
    pub mod exchange;
    pub mod retention;
}
mod support;

use erasure::{backup, exchange, retention};
use support::stories::stories;

stories! {
    begun 70 days ago:
    two_people_erase_what_is_past_its_retention_and_the_evidence_stays,
    what_is_held_is_not_erased,
    a_hold_races_an_erasure,
    a_restored_ledger_brings_nothing_back,
    wraps_move_while_the_hub_runs_and_old_keys_are_retired,
    signing_keys_are_exchanged_while_the_hub_runs,
}

use backup::a_restored_ledger_brings_nothing_back;
use exchange::{
    signing_keys_are_exchanged_while_the_hub_runs, wraps_move_while_the_hub_runs_and_old_keys_are_retired,
};
use retention::{
    a_hold_races_an_erasure, two_people_erase_what_is_past_its_retention_and_the_evidence_stays,
    what_is_held_is_not_erased,
};
