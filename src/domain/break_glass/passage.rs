//! Which refusals may be passed for an hour, and what is shown then.

use crate::domain::{
    basis_state::ConsentState,
    consent::ConsentRecord,
    disclosure::{Decision, Event, Opener, Question, decide},
    mask::Texts,
    protection::Standing,
    refusal::{Refusal, RefusalCode},
    section::Section,
};

/// Whether a refusal may be passed, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passage {
    /// A permission that was there when the leg was sent has run out with time.
    May(&'static str),
    Never(&'static str),
}

/// The table. Only what was permitted at sending and has run out by itself can be passed: whatever a person has
/// decided, and whatever was never permitted, stands.
pub const fn passage(code: RefusalCode) -> Passage {
    use Passage::{May, Never};
    use RefusalCode as C;
    match code {
        C::ConsentExpired => May("the family agreed to it once and nobody took that back: a period ran out"),
        C::NotMember => May("it was a member when the leg was sent; memberships are renewed late"),
        C::BasisDate => May("contract or notice was in force when the leg was sent"),
        C::NotRegistered => May("the case was on the register when the leg was sent"),
        C::ConsentWithdrawn => {
            Never("a person took it back; a law that allows it all the same is the sender's to name")
        }
        C::ConsentMissing => Never("nobody ever agreed, or somebody refused"),
        C::ConsentNotYet => Never("it has not begun: nothing has run out"),
        C::ConsentCapacity | C::ConsentCustody => {
            Never("it was not the giver's to give, or another custodian's word stands against it")
        }
        C::ConsentParty | C::ConsentPurpose | C::ConsentSubject | C::ConsentItems => {
            Never("it never covered this")
        }
        C::Recalled => Never("it was sent by mistake: it was never meant for this agency"),
        C::RecipientBlocked => Never("the family flees from there"),
        C::ConflictOfInterest | C::RelationUnclear => {
            Never("another person of the agency opens; a doubt is settled by a word")
        }
        C::NotifierSealed => Never("the notifier is hidden from everybody but the desk of the notice"),
        C::ProtectionFirst => Never("what protects the family is taken over first, which takes a moment"),
        C::AddressConcealed => Never("the place is hidden; two persons of the owner show it for minutes"),
        C::RightsHarmed => Never("harm is on record"),
        C::ApproverRequired => Never("a second person is asked, not passed by"),
        C::ModeNoPersonalData
        | C::NoBasis
        | C::BasisUnknown
        | C::BasisSender
        | C::BasisRecipient
        | C::BasisSubject
        | C::BasisRecord
        | C::BasisPurpose
        | C::BasisItem
        | C::MaskEmpty => Never("it was never permitted"),
        C::DoorbellContent | C::ChannelNotSafe => Never("it is no question of opening"),
    }
}

impl Passage {
    pub const fn allowed(self) -> bool {
        matches!(self, Self::May(_))
    }
}

/// Decides an opening under a broken glass: as of the moment of sending where now a permission has run out, and with
/// everything that hides anything as of now. Neither the notifier nor a place that is hidden from anybody is shown, not
/// even where this recipient would otherwise see it.
///
/// # Errors
/// What refuses it now and may not be passed, or refused it already when it was sent.
pub fn under(q: &Question<'_>, opener: Opener) -> Result<Decision, Refusal> {
    let now = Question { event: Event::Open(opener), ..*q };
    match decide(&now) {
        Ok(_) => {}
        Err(refusal) if passage(refusal.code).allowed() => {}
        Err(refusal) => return Err(refusal),
    }
    // A lift is for minutes of now, and would be in force at the moment of sending.
    let bare = match q.protection {
        Standing::Protected(protection) => {
            let mut protection = protection.clone();
            protection.lift = None;
            Some(protection)
        }
        Standing::Unprotected | Standing::Unreadable => None,
    };
    let protection = bare.as_ref().map_or(q.protection, Standing::Protected);
    // A period that has run out may be written down as a state too.
    let once = q
        .consent
        .filter(|consent| consent.state == ConsentState::Expired)
        .map(|consent| ConsentRecord { state: ConsentState::Active, ..consent.clone() });
    let consent = once.as_ref().or(q.consent);
    let decision = decide(&Question { at: q.sent_at, protection, consent, ..now })?;
    let mut mask = decision.mask.without(Section::Notifier).without_flagged();
    match bare {
        Some(protection) if protection.conceals_address() => mask.limit_texts(protection.texts()),
        Some(_) => {}
        None if matches!(q.protection, Standing::Unreadable) => mask.limit_texts(Texts::Withheld),
        None => {}
    }
    Ok(Decision { mask, ..decision })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{
        disclosure::{
            properties::any_situation,
            situation::{Shield, Situation},
        },
        mask::Detail,
        protection::{HiddenFrom, Lift, Protection},
    };

    #[test]
    fn every_refusal_has_its_reason_and_few_may_be_passed() {
        let passed: Vec<_> = RefusalCode::ALL.iter().filter(|code| passage(**code).allowed()).collect();
        assert_eq!(
            passed,
            [
                &RefusalCode::NotMember,
                &RefusalCode::NotRegistered,
                &RefusalCode::BasisDate,
                &RefusalCode::ConsentExpired,
            ]
        );
        for code in RefusalCode::ALL {
            let (Passage::May(why) | Passage::Never(why)) = passage(*code);
            assert!(!why.is_empty(), "{code}");
        }
    }

    fn any_shield() -> impl Strategy<Value = Shield> {
        let protected = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
            |(blocked, hidden, placeless, lifted)| {
                let at = Situation::default();
                let recipient = at.recipient.id;
                let lift = Lift { recipient, purpose: at.purpose, until: jiff::Timestamp::MAX };
                Shield::Protected(Protection {
                    hidden_from: vec![if hidden {
                        HiddenFrom::Agency(recipient)
                    } else {
                        HiddenFrom::Municipality { code: "011002".to_owned(), desk: None }
                    }],
                    blocked: if blocked { vec![recipient] } else { Vec::new() },
                    narrative_free_of_place: placeless,
                    lift: lifted.then_some(lift),
                    ..Protection::default()
                })
            },
        );
        prop_oneof![Just(Shield::Unreadable), protected.clone(), protected]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn whatever_is_asked_a_broken_glass_shows_no_notifier_and_no_hidden_place(
            situation in any_situation(),
            shield in any_shield(),
            (duty_desk, related) in any::<(bool, bool)>(),
        ) {
            let opener = Opener { duty_desk, related };
            let situation = Situation { protection: shield, ..situation };
            let q = situation.question();
            let now = decide(&Question { event: Event::Open(opener), ..q });
            let Ok(decision) = under(&q, opener) else { return Ok(()) };
            // It passes what ran out, and nothing else.
            if let Err(refusal) = now {
                prop_assert!(passage(refusal.code).allowed(), "{}", refusal.code);
            }
            prop_assert!(decision.basis.is_none() || !(q.recalled || related || q.protection.blocks(&q.recipient)));
            prop_assert!(decision.mask.of(Section::Notifier).is_none());
            for section in [Section::Address, Section::Contact] {
                let shown = decision.mask.of(section).map(|granted| granted.detail);
                prop_assert!(shown.is_none_or(Detail::stands_in), "{section} {shown:?}");
            }
            prop_assert!(decision.mask.is_empty() || decision.mask.texts() >= Texts::Placeless);
        }

        /// What opens in the ordinary way opens no wider under a broken glass, and what ran out opens no wider than
        /// it did when it was sent.
        #[test]
        fn a_broken_glass_opens_no_wider_than_the_sending(situation in any_situation()) {
            let q = situation.question();
            let opener = Opener { duty_desk: false, related: false };
            let Ok(decision) = under(&q, opener) else { return Ok(()) };
            let then = decide(&Question { at: q.sent_at, event: Event::Open(opener), ..q });
            if let Ok(then) = then {
                prop_assert!(decision.mask.is_within(&then.mask));
            }
        }
    }
}
