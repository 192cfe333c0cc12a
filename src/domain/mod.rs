//! Pure rules: values in, values out. No async, no I/O, no reading of the time, no randomness.
//!
//! A newcomer reads in this order.
//!
//! 1. **The words.** [`ids`], [`code_list`] (how every closed list is written), [`section`], [`referral`],
//!    [`answer`], [`language`].
//! 2. **The agencies.** [`agency`], [`staff`] (and how they sign in: [`sign_in`]), [`service`], and the numbers that name places and bodies:
//!    [`municipality`], [`corporate_number`], [`mail_address`].
//! 3. **The people, as far as a rule has to know them.** [`subject`], [`partial_date`], [`person_name`], [`name_key`].
//! 4. **What is said about them.** [`consultation`] (a nameless note of one talk), [`case`] (one household's thread), [`submission`] (a referral, read once at the door), [`content`],
//!    [`field_rules`], [`field_error`].
//! 5. **What decides.** [`consent`] (and [`provision`], the records it leaves), [`arrangement`], [`protection`], [`basis`], then [`disclosure`], where all of it meets; its two answers are a
//!    [`mask`] and a [`refusal`].
//!    Who opens is asked too: [`relation`] (who is too near to a family), [`break_glass`] (what ran out, for an hour);
//!    afterwards [`cover`] says what covered whom, and [`purpose`] for what somebody looked.
//!    Before a sending, [`second_look`] asks whether the recipient is the one that was meant, and
//!    [`release`] says for how long it can still be undone. What the sender of a 通告 is told of it: [`told`].
//! 6. **The one way out.** [`document`]: every byte about a person passes here, under a mask, and under a [`veil`] where
//!    the family is hidden. [`difference`] compares two of its documents. What a family is told of its copies:
//!    [`family_view`]; what somebody is shown who asks what is held about a person: [`access_request`], [`subject_export`].
//! 7. **The three machines.** [`machine`] (one engine for all tables), [`leg`] with [`leg_table`] and [`leg_facts`],
//!    [`delivery`], [`basis_state`]; [`hand_over`] (who is responsible for a family); [`holding`] (what became of a copy asked back) with [`calendar`], [`incident`] and
//!    its [`breach_report`]; what is derived from the tables: [`machine_docs`], [`fhir`].
//! 8. **The evidence.** [`chain`] (the bytes that get hashed), [`receipt`], [`proof`] (what a check can show and what not).
//!    [`retention`] says what must be kept, and until when.
//! 9. **Telling that something waits.** [`doorbell`], [`gather`], [`patience`].
//! 10. **What goes wrong.** [`problem`], [`fault`]: texts that cannot carry what was sent.

pub mod access_request;
pub mod agency;
pub mod answer;
pub mod arrangement;
pub mod basis;
pub mod basis_state;
pub mod breach_report;
pub mod break_glass;
pub mod calendar;
pub mod case;
pub mod chain;
pub mod code_list;
pub mod consent;
pub mod consultation;
pub mod content;
pub mod corporate_number;
pub mod cover;
pub mod delivery;
pub mod difference;
pub mod disclosure;
pub mod document;
pub mod doorbell;
pub mod family_view;
pub mod fault;
pub mod fhir;
pub mod field_error;
pub mod field_rules;
pub mod gather;
pub mod hand_over;
pub mod holding;
pub mod ids;
pub mod incident;
pub mod language;
pub mod leg;
pub mod leg_facts;
pub mod leg_table;
pub mod machine;
pub mod machine_docs;
pub mod mail_address;
pub mod mask;
pub mod municipality;
pub mod name_key;
pub mod partial_date;
pub mod patience;
pub mod person_name;
pub mod problem;
pub mod proof;
pub mod protection;
pub mod provision;
pub mod purpose;
pub mod receipt;
pub mod referral;
pub mod refusal;
pub mod relation;
pub mod release;
pub mod retention;
pub mod second_look;
pub mod section;
pub mod service;
pub mod sign_in;
pub mod staff;
pub mod subject;
pub mod subject_export;
pub mod submission;
pub mod told;
pub mod veil;
