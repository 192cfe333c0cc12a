//! One engine for every state machine of the house: a machine is a table, and nothing beside its table.
//!
//! [`step`] decides whether an act is legal, [`available`] says what is possible now. Both read the same
//! rows, so the buttons of a page, the list in a 409 and the published documentation cannot differ.

use std::fmt::{self, Debug, Display};

use serde::Serialize;

/// What every closed code list has; implemented for the lists a machine is made of.
pub trait Code: Copy + Eq + Debug + Display + Serialize + 'static {
    const ALL: &'static [Self];
    fn label_ja(self) -> &'static str;
    fn label_en(self) -> &'static str;
}

/// Implements [`Code`] for lists made by `code_list!`.
macro_rules! machine_codes {
    ($($list:ty),+ $(,)?) => {$(
        impl $crate::domain::machine::Code for $list {
            const ALL: &'static [Self] = <$list>::ALL;

            fn label_ja(self) -> &'static str {
                <$list>::label_ja(self)
            }

            fn label_en(self) -> &'static str {
                <$list>::label_en(self)
            }
        }
    )+};
}
pub(crate) use machine_codes;

/// A state machine: its lists, its table, and how its guards read the facts.
pub trait Machine: Copy + Debug + Eq + 'static {
    type State: Code;
    type Action: Code;
    type Actor: Code;
    type Guard: Code;
    type Field: Code;
    type Facts;

    /// Every row there is. At most one matches a (state, action, actor, facts); a test holds it to that.
    const TABLE: &'static [Transition<Self>];

    /// Whether nothing leads out of this state any more.
    fn terminal(state: Self::State) -> bool;

    /// Whether the guard is satisfied by these facts.
    fn holds(guard: Self::Guard, facts: &Self::Facts) -> bool;
}

/// One row of a machine's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition<M: Machine> {
    /// The number under which `docs/machines.md` lists the row; several rows may share it. 0: an event.
    pub row: u8,
    /// The states it leaves. Empty: the thing does not exist yet, and this row begins it.
    pub from: &'static [M::State],
    pub action: M::Action,
    /// The state it leads to. `None`: an event is recorded and the state stays as it is.
    pub to: Option<M::State>,
    pub actors: &'static [M::Actor],
    /// All of them must hold. Those that tell one row from another stand first.
    pub guards: &'static [M::Guard],
    /// What the body of the act must carry.
    pub requires: &'static [M::Field],
}

impl<M: Machine> Transition<M> {
    pub(crate) const fn when(self, guards: &'static [M::Guard]) -> Self {
        Self { guards, ..self }
    }

    pub(crate) const fn with(self, requires: &'static [M::Field]) -> Self {
        Self { requires, ..self }
    }

    pub(crate) const fn at_row(self, row: u8) -> Self {
        Self { row, ..self }
    }

    /// The fields this row requires and the body lacks.
    pub fn missing(&self, given: impl Fn(M::Field) -> bool) -> Vec<M::Field> {
        self.requires.iter().copied().filter(|field| !given(*field)).collect()
    }

    /// Whether this row ends the thing.
    pub fn ends(&self) -> bool {
        self.to.is_some_and(M::terminal)
    }

    fn leaves(&self, state: Option<M::State>) -> bool {
        match state {
            Some(state) => self.from.contains(&state),
            None => self.from.is_empty(),
        }
    }

    fn failing(&self, facts: &M::Facts) -> Option<(usize, M::Guard)> {
        self.guards.iter().copied().enumerate().find(|(_, guard)| !M::holds(*guard, facts))
    }
}

/// A row that leads to a state.
pub(crate) const fn row<M: Machine>(
    row: u8,
    from: &'static [M::State],
    action: M::Action,
    to: M::State,
    actors: &'static [M::Actor],
) -> Transition<M> {
    Transition { row, from, action, to: Some(to), actors, guards: &[], requires: &[] }
}

/// An event that leaves the state as it is.
pub(crate) const fn event<M: Machine>(
    from: &'static [M::State],
    action: M::Action,
    actors: &'static [M::Actor],
) -> Transition<M> {
    Transition { row: 0, from, action, to: None, actors, guards: &[], requires: &[] }
}

/// Why an act is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why<G> {
    /// The thing has ended; its state and its ending receipt stay as they are.
    Ended,
    /// Nobody can do this in the present state.
    NotInThisState,
    /// It can be done in the present state, but not by this actor.
    NotByThisActor,
    /// It can be done by this actor, but this condition does not hold.
    Guard(G),
}

impl<G: Code> Why<G> {
    /// For people, in Japanese.
    pub fn text_ja(self) -> String {
        match self {
            Self::Ended => "すでに終了しています".to_owned(),
            Self::NotInThisState => "現在の状態ではこの操作はできません".to_owned(),
            Self::NotByThisActor => "この操作を行う権限がありません".to_owned(),
            Self::Guard(guard) => format!("条件を満たしていません：{}", guard.label_ja()),
        }
    }

    /// For people, in English.
    pub fn text_en(self) -> String {
        match self {
            Self::Ended => "it has already ended".to_owned(),
            Self::NotInThisState => "nobody can do this in the present state".to_owned(),
            Self::NotByThisActor => "this is for another actor to do".to_owned(),
            Self::Guard(guard) => format!("a condition does not hold: {}", guard.label_en()),
        }
    }
}

/// A refused act: where the thing stands, what this actor could do instead, and why not this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Illegal<M: Machine> {
    /// The present state; `None` where the thing does not exist yet.
    pub state: Option<M::State>,
    pub action: M::Action,
    pub allowed: Vec<M::Action>,
    pub why: Why<M::Guard>,
}

impl<M: Machine> Display for Illegal<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} refused", self.action)?;
        if let Some(state) = self.state {
            write!(f, " in state {state}")?;
        }
        let codes: Vec<String> = self.allowed.iter().map(ToString::to_string).collect();
        let possible = if codes.is_empty() { "nothing".to_owned() } else { codes.join(", ") };
        write!(f, ": {}; possible now: {possible}", self.why.text_en())
    }
}

impl<M: Machine> std::error::Error for Illegal<M> {}

/// Something an actor can do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(bound = "")]
pub struct Available<M: Machine> {
    pub action: M::Action,
    /// The state it leads to; absent for an event that changes no state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<M::State>,
    pub requires: &'static [M::Field],
}

/// Finds the one row that allows this act. `state` is `None` for a thing that does not exist yet.
///
/// # Errors
/// [`Illegal`] when no row matches; the nearest row tells why.
pub fn step<M: Machine>(
    state: Option<M::State>,
    action: M::Action,
    actor: M::Actor,
    facts: &M::Facts,
) -> Result<&'static Transition<M>, Illegal<M>> {
    let here = || M::TABLE.iter().filter(|row| row.leaves(state) && row.action == action);
    let mine = || here().filter(|row| row.actors.contains(&actor));
    if let Some(row) = mine().find(|row| row.failing(facts).is_none()) {
        return Ok(row);
    }
    // The row whose guards held longest is the one the actor meant: its first failing guard is the reason.
    let why = match mine().filter_map(|row| row.failing(facts)).max_by_key(|(place, _)| *place) {
        Some((_, guard)) => Why::Guard(guard),
        None if here().next().is_some() => Why::NotByThisActor,
        None if state.is_some_and(M::terminal) => Why::Ended,
        None => Why::NotInThisState,
    };
    let allowed = available::<M>(state, actor, facts).into_iter().map(|one| one.action).collect();
    Err(Illegal { state, action, allowed, why })
}

/// Everything this actor can do now, in the order of the table.
pub fn available<M: Machine>(
    state: Option<M::State>,
    actor: M::Actor,
    facts: &M::Facts,
) -> Vec<Available<M>> {
    M::TABLE
        .iter()
        .filter(|row| row.leaves(state) && row.actors.contains(&actor) && row.failing(facts).is_none())
        .map(|row| Available { action: row.action, to: row.to, requires: row.requires })
        .collect()
}
