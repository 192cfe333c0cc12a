//! Pure rules: values in, values out. No async, no I/O, no reading of the time, no randomness.
//!
//! Read in this order: [`ids`], [`section`], [`referral`].

pub mod code_list;
pub mod ids;
pub mod referral;
pub mod section;
