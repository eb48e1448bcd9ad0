//! The call's side of the money, carried from attempt to attempt and settled once, whoever answers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lyss_domain::Tick;
use lyss_quota::{Dispatched, Reservation, Spend};

use crate::admit::Ticket;
use crate::gate::Pass;

/// What was reserved for a call. Dropped before anything was sent it is given back, after it settles what was seen.
pub struct Charge(Side);

enum Side {
    /// Boxed, since it is handed over often.
    Whole(Box<Holding>),
    Half(Runner, Race),
}

/// The two attempts of a hedged call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runner {
    First,
    Hedge,
}

/// One charge between two attempts: the winner settles it, and the loser owes nothing.
#[derive(Clone)]
pub struct Race(Arc<Mutex<Shared>>);

struct Shared {
    /// Taken by whoever settles.
    holding: Option<Box<Holding>>,
    winner: Option<Runner>,
}

struct Holding {
    held: Held,
    ticket: Ticket,
    /// The call's place among those under way; free when all is settled.
    _pass: Option<Pass>,
}

enum Held {
    Reserved(Reservation),
    Dispatched(Dispatched),
    Settled,
}

impl Charge {
    pub fn new(reservation: Reservation, ticket: Ticket) -> Self {
        Self(Side::Whole(Box::new(Holding { held: Held::Reserved(reservation), ticket, _pass: None })))
    }

    /// With the call's place among those under way.
    pub fn holding(mut self, pass: Pass) -> Self {
        if let Side::Whole(holding) = &mut self.0 {
            holding._pass = Some(pass);
        }
        self
    }

    /// The first byte may leave: from here on something may be owed. Until the attempt is settled that is `least`.
    pub fn dispatch(mut self, least: Spend) -> Self {
        match &mut self.0 {
            Side::Whole(holding) => holding.dispatch(least),
            Side::Half(_, race) => {
                if let Some(holding) = &mut race.shared().holding {
                    holding.dispatch(least);
                }
            }
        }
        self
    }

    /// The attempt failed: until the next one is sent, nothing is owed.
    pub fn owe_nothing(mut self) -> Self {
        match &mut self.0 {
            Side::Whole(holding) => holding.note(Spend::default()),
            Side::Half(..) => {}
        }
        self
    }

    /// Settles for good. True: more was used than was reserved. The loser of a race settles nothing; where nobody was
    /// named the winner, who settles first is.
    pub fn settle(self, spend: Spend, used_tokens: u64, now: Tick) -> bool {
        match self.0 {
            Side::Whole(holding) => holding.settle(spend, used_tokens, now),
            Side::Half(runner, race) => {
                let mut shared = race.shared();
                let won = *shared.winner.get_or_insert(runner) == runner;
                let holding = shared.holding.take_if(|_| won);
                drop(shared);
                holding.is_some_and(|holding| holding.settle(spend, used_tokens, now))
            }
        }
    }

    /// The call ended without an answer: nothing is owed.
    pub fn release(self, now: Tick) {
        self.settle(Spend::default(), 0, now);
    }

    /// True when another attempt of the same call answered first.
    pub fn is_lost(&self) -> bool {
        match &self.0 {
            Side::Whole(_) => false,
            Side::Half(runner, race) => race.shared().winner.is_some_and(|winner| winner != *runner),
        }
    }

    /// The halves of two attempts. What is a half already stays one.
    pub fn race(self) -> Result<(Race, Self, Self), Self> {
        let holding = match self.0 {
            Side::Whole(holding) => holding,
            half @ Side::Half(..) => return Err(Self(half)),
        };
        let race = Race(Arc::new(Mutex::new(Shared { holding: Some(holding), winner: None })));
        let half = |runner| Self(Side::Half(runner, race.clone()));
        Ok((race.clone(), half(Runner::First), half(Runner::Hedge)))
    }
}

impl Race {
    /// Names the winner before the loser is dropped.
    pub fn won_by(&self, runner: Runner) {
        self.shared().winner.get_or_insert(runner);
    }

    /// Both failed: the call may go on with its charge.
    pub fn rejoin(&self) -> Option<Charge> {
        self.shared().holding.take().map(|holding| Charge(Side::Whole(holding)).owe_nothing())
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Holding {
    fn dispatch(&mut self, least: Spend) {
        self.held = match std::mem::replace(&mut self.held, Held::Settled) {
            Held::Reserved(reservation) => {
                let mut dispatched = reservation.dispatch();
                dispatched.note(least);
                Held::Dispatched(dispatched)
            }
            Held::Dispatched(mut dispatched) => {
                dispatched.note(least);
                Held::Dispatched(dispatched)
            }
            Held::Settled => Held::Settled,
        };
    }

    fn note(&mut self, owed: Spend) {
        if let Held::Dispatched(dispatched) = &mut self.held {
            dispatched.note(owed);
        }
    }

    fn settle(mut self: Box<Self>, spend: Spend, used_tokens: u64, now: Tick) -> bool {
        self.ticket.correct(used_tokens, now);
        match std::mem::replace(&mut self.held, Held::Settled) {
            Held::Reserved(_) | Held::Settled => false,
            Held::Dispatched(dispatched) => dispatched.settle(spend).overrun,
        }
    }
}
