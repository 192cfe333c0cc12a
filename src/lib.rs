//! tsunagu (つなぐ): an inter-agency referral and messaging hub for Japan's 利用者支援事業.
//!
//! A coordinator writes a referral. The hub decides, recipient by recipient and section by section, what may
//! lawfully be shown. It stores everything in one transaction, tells each recipient that something waits, and
//! shows the content only after checking the rights again at the moment of reading. Every step leaves a signed
//! receipt.
//!
//! # The map of the house
//!
//! A floor is cut by what its files may touch. A noun has the same file name on every floor, so a feature is
//! found with `ls src/**/consent*`.
//!
//! | floor | what it alone may do |
//! |---|---|
//! | [`cli`] | read arguments, print, end the process with a code |
//! | [`hub`] | open everything in order, spawn tasks, end them in order |
//! | [`web`] | speak HTTP: one table of routes, one file of status codes |
//! | [`usecases`] | one verb per file: read, decide, seal, sign, hand over one write |
//! | [`domain`] | the rules: values in, values out |
//! | [`vault`] | hold keys: seal, open, sign |
//! | [`ledger`] | speak SQL: one text for two engines, one owner of transactions |
//! | [`transport`] | ring doorbells, within the process or over AMQP |
//! | [`delivery`] | send mail without content |
//! | [`clock`] | read the time and make ids |
//! | [`config`] | read the configuration and the environment |
//!
//! # The arrows
//!
//! They run one way. `tests/house.rs` holds the source text to them.
//!
//! ```text
//! main ─▶ cli ─▶ hub ─▶ web ─────▶ usecases ─▶ domain
//!                 │                   ├──────▶ vault ──────────────▶ domain
//!                 └─▶ workers ─▶ usecases ───▶ ledger ─────────────▶ domain
//!                                     └──────▶ transport, delivery ▶ domain
//! ```
//!
//! # What must never happen
//!
//! - A rule that reads the time, draws a number or does I/O: [`domain`] could not be tested whole.
//! - A transaction owned by a request: a dropped request would leave it open. Only [`ledger::Committer`] owns one.
//! - A transaction held across the network: a slow mail server would stop all referrals.
//! - A 2xx before the commit is durable. [`ledger::Ledger::write`] returns after the commit, and not before.
//! - Content that leaves before its audit row is durable: [`usecases::open`].
//! - A byte about a person that leaves by any other way than [`domain::document::render`], which takes a mask.
//! - A basis that falls back to another one: [`domain::disclosure::decide`] decides the basis that was named, or refuses.
//! - Anything between a person and a 通告: no consent, no approver, no required name, no delay.
//! - Personal data in a log line, a mail, a doorbell, a URL or a problem: [`domain::problem`] takes no text from outside.
//! - A key outside [`vault`], a clear name of a person in [`ledger`], a status code outside [`web::problem`].
//!
//! `docs/architecture.md` names for each of these the place that prevents it and the test that would notice, and
//! walks through a referral and a withdrawal. The single rules start at [`domain`].

pub mod cli;
pub mod clock;
pub mod config;
pub mod delivery;
pub mod domain;
pub mod hub;
pub mod ledger;
pub mod transport;
pub mod usecases;
pub mod vault;
pub mod web;
