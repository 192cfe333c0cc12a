//! Who asks, and for whose object.

use super::world::{Party, World};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    Owner,
    Recipient,
    Third,
    NoToken,
    /// The owner, with a token that has run out.
    Expired,
}

impl Caller {
    pub const ALL: [Self; 5] = [Self::Owner, Self::Recipient, Self::Third, Self::NoToken, Self::Expired];

    pub fn party(self, world: &World) -> &Party {
        match self {
            Self::Owner | Self::NoToken | Self::Expired => &world.owner,
            Self::Recipient => &world.recipient,
            Self::Third => &world.third,
        }
    }

    pub fn known(self) -> bool {
        !matches!(self, Self::NoToken | Self::Expired)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    Own,
    Foreign,
    Missing,
    Malformed,
}

impl Object {
    /// The order matters: what is refused comes before what changes something.
    pub const ALL: [Self; 4] = [Self::Malformed, Self::Missing, Self::Foreign, Self::Own];
}
