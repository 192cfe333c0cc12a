//! What one person of the recipient may see of one copy at this moment, in the ordinary way or under a broken glass.

use jiff::Timestamp;

use super::{
    opened::{OpenedLeg, World},
    relation::Said,
};
use crate::{
    domain::{
        basis::{Basis, Lane},
        break_glass,
        delivery::DeliveryState,
        disclosure::{Decision, Event, Opener},
        refusal::{Refusal, RefusalCode},
        relation::Bearing,
        staff::StaffRole,
    },
    ledger::{agency::StaffRow, delivery::DeliveryRow},
};

/// A reader before a copy.
pub(super) struct Look<'a> {
    pub opened: &'a OpenedLeg,
    pub world: &'a World,
    pub delivery: &'a DeliveryRow,
    pub reader: &'a StaffRow,
    pub said: &'a Said,
    pub bearing: Bearing,
}

impl Look<'_> {
    fn opener(&self) -> Opener {
        let related = self.bearing == Bearing::Related;
        Opener { duty_desk: self.reader.role == StaffRole::DutyDesk, related }
    }

    fn refuse(&self, code: RefusalCode) -> Refusal {
        Refusal::new(code, self.opened.leg.basis.map_or("", |code| Basis::of(code).law))
    }

    /// What stands in the way of this reader or this copy, whatever the basis says.
    fn stand_in_the_way(&self, decision: &Decision) -> Result<(), Refusal> {
        // A copy that was taken back shows nothing.
        if self.delivery.state == DeliveryState::Recalled {
            return Err(self.refuse(RefusalCode::Recalled));
        }
        if self.bearing == Bearing::Doubtful && decision.basis.is_some() {
            return Err(self.refuse(RefusalCode::RelationUnclear));
        }
        Ok(())
    }

    /// Decides in the ordinary way. What was decided at sending bounds every later look; only the desk's own opening
    /// breaks the seal of the notifier, which the copy on its way never showed.
    pub fn decide(&self, at: Timestamp) -> Result<Decision, Refusal> {
        let decision = self.world.decide(self.opened, Event::Open(self.opener()), at)?;
        self.stand_in_the_way(&decision)?;
        let notice = self.opened.leg.basis.is_some_and(|code| Basis::of(code).lane == Lane::Notice);
        let mask = if notice { decision.mask } else { decision.mask.intersect(&self.opened.body.mask) };
        Ok(Decision { mask, ..decision })
    }

    /// Decides under a broken glass: never more than was sent.
    pub fn under_glass(&self, at: Timestamp) -> Result<Decision, Refusal> {
        let opener = self.opener();
        let question = self.world.question(self.opened, Event::Open(opener), at);
        let decision = break_glass::under(&question, opener)?;
        self.stand_in_the_way(&decision)?;
        let mask = decision.mask.intersect(&self.opened.body.mask);
        if mask.says_nothing() {
            return Err(self.refuse(RefusalCode::MaskEmpty));
        }
        Ok(Decision { mask, ..decision })
    }
}
