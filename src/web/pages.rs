//! Pages for people: complete HTML without scripts and without anything from elsewhere.

pub mod consent_form;
