//! The engine against the simplest thing that could be right: two numbers for each account.

use proptest::prelude::*;

use super::*;
use crate::Dispatched;

/// For each of three accounts an amount and whether it is enforced, or nothing.
type Asked = [Option<(i64, bool)>; 3];

#[derive(Clone, Debug)]
enum Step {
    Reserve(Asked),
    Release(usize),
    Dispatch(usize),
    Note(usize, i64),
    /// Dropped without a word.
    Lose(usize),
    Settle(usize, i64),
    Limit(usize, i64),
    Flush,
}

#[derive(Clone, Copy, Default)]
struct Counter {
    limit: i64,
    posted: i64,
    reserved: i64,
}

struct World {
    store: Arc<MemoryLeaseStore>,
    quotas: Arc<Quotas>,
    counters: [Counter; 3],
    reserved: Vec<(Reservation, Asked)>,
    sent: Vec<(Dispatched, Asked, i64)>,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let one = || {
        let amount = prop_oneof![20 => 0..40i64, 1 => Just(-1), 1 => Just(MAX_AMOUNT + 1)];
        prop::option::weighted(0.6, (amount, prop::bool::weighted(0.8)))
    };
    let spent = || prop_oneof![9 => 0..30i64, 2 => 30..90i64, 1 => Just(i64::MIN), 1 => Just(-3)];
    let step = prop_oneof![
        6 => [one(), one(), one()].prop_map(Step::Reserve),
        2 => any::<usize>().prop_map(Step::Release),
        4 => any::<usize>().prop_map(Step::Dispatch),
        2 => (any::<usize>(), spent()).prop_map(|(i, n)| Step::Note(i, n)),
        1 => any::<usize>().prop_map(Step::Lose),
        3 => (any::<usize>(), spent()).prop_map(|(i, n)| Step::Settle(i, n)),
        1 => (0..3usize, 0..300i64).prop_map(|(i, n)| Step::Limit(i, n)),
        1 => Just(Step::Flush),
    ];
    prop::collection::vec(step, 1..120)
}

/// Takes one out, chosen by any number.
fn pull<T>(list: &mut Vec<T>, any: usize) -> Option<T> {
    (!list.is_empty()).then(|| list.swap_remove(any % list.len()))
}

fn held((amount, enforced): (i64, bool)) -> i64 {
    if enforced { amount } else { amount.clamp(0, MAX_AMOUNT) }
}

impl World {
    fn new() -> Self {
        let (store, quotas) = engine();
        let counters = [Counter { limit: 100, ..Counter::default() }; 3];
        Self { store, quotas, counters, reserved: vec![], sent: vec![] }
    }

    fn admits(&self, asked: &Asked) -> bool {
        asked.iter().zip(&self.counters).all(|(asked, counter)| match asked {
            Some((amount, true)) => {
                (0..=MAX_AMOUNT).contains(amount)
                    && counter.posted + counter.reserved + amount <= counter.limit
            }
            _ => true,
        })
    }

    fn settle(&mut self, asked: &Asked, spent: i64) {
        for (asked, counter) in asked.iter().zip(&mut self.counters) {
            if let Some(asked) = asked {
                counter.reserved -= held(*asked);
                counter.posted += spent.max(0);
            }
        }
    }

    fn reserve(&mut self, asked: Asked) -> Result<(), TestCaseError> {
        // Handed over in the reverse of the order they are taken in.
        let demands: Vec<Demand> = (0..3u8)
            .rev()
            .filter_map(|i| {
                let (amount, enforced) = asked[usize::from(i)]?;
                let make = if enforced { demand } else { shadow };
                Some(make(i, self.counters[usize::from(i)].limit, amount))
            })
            .collect();
        let answer = reserve(&self.quotas, &demands);
        prop_assert_eq!(answer.is_ok(), self.admits(&asked), "{:?}", answer);
        if let Ok(reservation) = answer {
            for (asked, counter) in asked.iter().zip(&mut self.counters) {
                counter.reserved += asked.map_or(0, held);
            }
            self.reserved.push((reservation, asked));
        }
        Ok(())
    }

    fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match *step {
            Step::Reserve(asked) => self.reserve(asked)?,
            Step::Limit(i, limit) => self.counters[i].limit = limit,
            Step::Flush => self.quotas.flush(AT).now_or_never().unwrap().unwrap(),
            Step::Release(any) => {
                if let Some((reservation, asked)) = pull(&mut self.reserved, any) {
                    drop(reservation);
                    self.settle(&asked, 0);
                }
            }
            Step::Dispatch(any) => {
                if let Some((reservation, asked)) = pull(&mut self.reserved, any) {
                    self.sent.push((reservation.dispatch(), asked, 0));
                }
            }
            Step::Note(any, spent) => {
                if let Some((mut dispatched, asked, _)) = pull(&mut self.sent, any) {
                    dispatched.note(tokens(spent));
                    self.sent.push((dispatched, asked, spent));
                }
            }
            Step::Lose(any) => {
                if let Some((dispatched, asked, seen)) = pull(&mut self.sent, any) {
                    drop(dispatched);
                    self.settle(&asked, seen);
                }
            }
            Step::Settle(any, spent) => {
                if let Some((dispatched, asked, _)) = pull(&mut self.sent, any) {
                    let over = asked.iter().flatten().any(|(amount, enforced)| *enforced && spent > *amount);
                    prop_assert_eq!(dispatched.settle(tokens(spent)).overrun, over);
                    self.settle(&asked, spent);
                }
            }
        }
        Ok(())
    }

    fn agrees(&self) -> Result<(), TestCaseError> {
        for (i, counter) in (0..3u8).zip(&self.counters) {
            let known = self.quotas.figures(&account(i, Unit::Tokens));
            let known = known.map_or((0, 0), |f| (f.posted, f.reserved));
            prop_assert_eq!(known, (counter.posted, counter.reserved));
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn the_engine_does_what_two_numbers_would(steps in steps()) {
        let mut world = World::new();
        for step in &steps {
            world.step(step)?;
            world.agrees()?;
        }
        // Quiet again: nothing is held, and the store holds every settled unit.
        let World { store, quotas, reserved, sent, .. } = world;
        drop((reserved, sent));
        quotas.flush(AT).now_or_never().unwrap().unwrap();
        for policy in 0..3 {
            let account = account(policy, Unit::Tokens);
            let figures = quotas.figures(&account);
            prop_assert_eq!(figures.map_or(0, |f| f.reserved), 0);
            prop_assert_eq!(figures.map_or(0, |f| f.posted), store.standing(&account).map_or(0, |row| row.0));
        }
    }
}
