//! Where calls wait when every channel that could serve them is at its own limit: for whichever of them is free first.
//!
//! Each channel has a fair queue between the keys of its tenant. A call stands in the queues of all channels it could
//! use; what is freed on one of them is offered to the first there, as its turn. A turn reserves nothing by itself: it
//! lets its call look again, while everybody else takes the channel for full. A turn that was not used goes on to the
//! next.
//!
//! Whoever looks, sees all channels full and then joins may have missed what was freed between the two. So: join, look
//! once more, and only then wait for a turn; then look, and so on.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering, fence};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lyss_balancing::{Bounds, Entrant, FairQueue, Popped, Ticket};
use lyss_domain::{ChannelId, Clock, KeyId, Tick};
use smallvec::SmallVec;
use tokio::sync::oneshot;

use super::{LEAST_WAIT, Shed};

/// How often a waiting call looks again by itself: a limit may have been raised, or a cool-down have ended.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// The queues of all channels; one for all workers.
#[derive(Clone)]
pub struct Lines(Arc<Shared>);

struct Shared {
    bounds: Bounds,
    wait: Duration,
    look_again: Duration,
    clock: Arc<dyn Clock>,
    /// Calls that wait and turns that are out; read without the lock, so that nobody pays while nobody waits.
    anyone: AtomicUsize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    channels: HashMap<ChannelId, ChannelQueue>,
    calls: HashMap<u64, Call>,
    next_call: u64,
}

/// There while a call waits for the channel, or has its turn on it.
struct ChannelQueue {
    queue: FairQueue<KeyId, u64>,
    turns: usize,
}

/// A call that waits.
struct Call {
    places: Places,
    sender: oneshot::Sender<Verdict>,
}

type Places = SmallVec<[(ChannelId, Ticket); 4]>;
type Verdict = Result<Turn, Shed>;
type Told = SmallVec<[(oneshot::Sender<Verdict>, Verdict); 2]>;

/// A call's places in the queues of the channels it could use, and its turn when that has come. Dropped, it leaves them
/// all, and a turn goes to somebody else.
pub struct Line {
    shared: Arc<Shared>,
    channels: SmallVec<[ChannelId; 8]>,
    key: KeyId,
    until: Tick,
    waiting: Option<(u64, oneshot::Receiver<Verdict>)>,
    turn: Option<Turn>,
}

/// One place was freed on one channel, and a call may have it; dropped, it goes to the next.
struct Turn {
    /// `None`: it is over, or counted elsewhere.
    shared: Option<Arc<Shared>>,
    channel: ChannelId,
}

/// Tells those who wait when dropped: to be held beside what counts an attempt, and dropped after it.
pub struct Notice {
    shared: Arc<Shared>,
    channel: ChannelId,
}

impl Lines {
    /// `length`: calls that may wait for one channel; `wait`: the longest that one of them does.
    pub fn new(length: usize, wait: Duration, clock: Arc<dyn Clock>) -> Self {
        Self::looking_again(LOOK_AGAIN, length, wait, clock)
    }

    fn looking_again(every: Duration, length: usize, wait: Duration, clock: Arc<dyn Clock>) -> Self {
        let bounds = Bounds { total: length, per_tenant: length };
        let state = Mutex::default();
        Self(Arc::new(Shared { bounds, wait, look_again: every, clock, anyone: AtomicUsize::new(0), state }))
    }

    /// True when a free place on this channel is somebody's who waited for it. A call that is in no line takes such a
    /// channel for full; one that is asks [`Line::is_taken`].
    pub fn is_taken(&self, channel: ChannelId) -> bool {
        self.0.anyone.load(Ordering::Acquire) > 0 && self.0.state().channels.contains_key(&channel)
    }

    /// To be held while an attempt is under way on a channel.
    pub fn notice(&self, channel: ChannelId) -> Notice {
        Notice { shared: Arc::clone(&self.0), channel }
    }

    /// Stands in the queues of these channels. Look at them once more before waiting. `deadline` is the call's own.
    pub fn join(&self, channels: &[ChannelId], key: KeyId, deadline: Tick) -> Result<Line, Shed> {
        let until = deadline.min(self.0.clock.tick().after(self.0.wait));
        let channels = SmallVec::from_slice(channels);
        let shared = Arc::clone(&self.0);
        let mut line = Line { shared, channels, key, until, waiting: None, turn: None };
        line.register()?;
        Ok(line)
    }

    /// Calls that wait, and turns that were not used yet.
    pub fn waiting(&self) -> usize {
        self.0.anyone.load(Ordering::Acquire)
    }
}

impl Line {
    /// Waits until it is worth looking again: mostly because this call's turn came, and now and then without. A turn that
    /// came before and led to no place is over, since somebody else has the place.
    pub async fn turn(&mut self) -> Result<(), Shed> {
        if let Some(turn) = self.turn.take() {
            turn.end();
        }
        if self.waiting.is_none() {
            self.register()?;
        }
        let Some((call, verdict)) = &mut self.waiting else { return Ok(()) };
        let call = *call;
        let left = self.until.since(self.shared.clock.tick());
        let told = match tokio::time::timeout(left.min(self.shared.look_again), &mut *verdict).await {
            Ok(told) => told,
            Err(_) if left > self.shared.look_again => return Ok(()),
            Err(_) => match self.shared.leave(call) {
                Some(shed) => {
                    self.waiting = None;
                    return Err(shed);
                }
                // A turn was given in this very moment.
                None => verdict.await,
            },
        };
        self.waiting = None;
        self.turn = Some(told.unwrap_or(Err(Shed::from(Duration::ZERO)))?);
        Ok(())
    }

    /// True when what is free on this channel was freed for somebody else.
    pub fn is_taken(&self, channel: ChannelId) -> bool {
        let own = self.turn.as_ref().is_some_and(|turn| turn.channel == channel);
        let state = self.shared.state();
        state.channels.get(&channel).is_some_and(|found| found.turns > usize::from(own))
    }

    /// The call got a place on this channel. Where another was freed for it, the next in line there has its turn.
    pub fn took(mut self, channel: ChannelId) {
        if let Some(turn) = self.turn.take_if(|turn| turn.channel == channel) {
            turn.end();
        }
    }

    fn register(&mut self) -> Result<(), Shed> {
        let (sender, verdict) = oneshot::channel();
        let mut told = Told::new();
        let call = self.shared.push(&self.channels, self.key, self.until, sender, &mut told);
        tell(told);
        self.waiting = Some((call?, verdict));
        Ok(())
    }
}

impl Turn {
    /// Nobody else is to have it.
    fn end(mut self) {
        if let Some(shared) = self.shared.take() {
            shared.end_turn(&mut shared.state(), self.channel);
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(
        &self,
        channels: &[ChannelId],
        key: KeyId,
        until: Tick,
        sender: oneshot::Sender<Verdict>,
        told: &mut Told,
    ) -> Result<u64, Shed> {
        let now = self.clock.tick();
        let mut guard = self.state();
        let state = &mut *guard;
        let call = state.next_call;
        state.next_call += 1;
        let mut places = Places::new();
        let mut refused: Option<Duration> = None;
        for channel in channels {
            let entrant = Entrant { tenant: key, weight: 1, cost: 1, deadline: until };
            let found = state
                .channels
                .entry(*channel)
                .or_insert_with(|| ChannelQueue { queue: FairQueue::new(self.bounds), turns: 0 });
            match found.queue.push(entrant, call, now) {
                Ok(pushed) => {
                    places.push((*channel, pushed.ticket));
                    if let Some(removed) = pushed.removed {
                        state.removed(self, removed.item, *channel, removed.retry_after, told);
                    }
                }
                Err(full) => {
                    refused = Some(refused.map_or(full.retry_after, |wait| wait.min(full.retry_after)));
                    state.tidy(*channel);
                }
            }
        }
        if places.is_empty() {
            return Err(Shed::from(refused.unwrap_or(LEAST_WAIT)));
        }
        state.calls.insert(call, Call { places, sender });
        self.anyone.fetch_add(1, Ordering::SeqCst);
        drop(guard);
        // With the fence of whoever frees a place: either it sees this call, or this call sees the place.
        fence(Ordering::SeqCst);
        Ok(call)
    }

    /// A place was freed on a channel.
    fn freed(self: &Arc<Self>, channel: ChannelId) {
        fence(Ordering::SeqCst);
        if self.anyone.load(Ordering::SeqCst) > 0 {
            self.offer(channel, false);
        }
    }

    /// Gives the first in line its turn; `turn_ends`: another one's turn on this channel ended before.
    fn offer(self: &Arc<Self>, channel: ChannelId, turn_ends: bool) {
        let mut turn_ends = turn_ends;
        loop {
            let mut told = Told::new();
            self.next(channel, turn_ends, &mut told);
            // Somebody gave up in this moment: the turn is still there to be given.
            if !tell(told) {
                return;
            }
            turn_ends = true;
        }
    }

    fn next(self: &Arc<Self>, channel: ChannelId, turn_ends: bool, told: &mut Told) {
        let mut guard = self.state();
        let state = &mut *guard;
        if turn_ends {
            self.end_turn(state, channel);
        }
        loop {
            let Some(found) = state.channels.get_mut(&channel) else { return };
            match found.queue.pop(self.clock.tick()) {
                Some(Popped::Next(_, id)) => {
                    let Some(call) = state.calls.remove(&id) else { continue };
                    // The call that waited is now a turn that is out.
                    found.turns += 1;
                    for (other, ticket) in call.places.into_iter().filter(|(other, _)| *other != channel) {
                        state.leave_queue(other, ticket);
                    }
                    let turn = Turn { shared: Some(Arc::clone(self)), channel };
                    return told.push((call.sender, Ok(turn)));
                }
                Some(Popped::Expired(removed)) => {
                    state.removed(self, removed.item, channel, removed.retry_after, told);
                }
                None => break,
            }
        }
        state.tidy(channel);
    }

    fn end_turn(&self, state: &mut State, channel: ChannelId) {
        if let Some(found) = state.channels.get_mut(&channel) {
            found.turns = found.turns.saturating_sub(1);
        }
        self.anyone.fetch_sub(1, Ordering::SeqCst);
        state.tidy(channel);
    }

    /// A call leaves all its queues, with when to come back; `None`: it has been taken out, and is about to be told.
    fn leave(&self, call: u64) -> Option<Shed> {
        let mut state = self.state();
        let call = state.calls.remove(&call)?;
        self.anyone.fetch_sub(1, Ordering::SeqCst);
        let waits = call.places.iter().filter_map(|(channel, ticket)| state.leave_queue(*channel, *ticket));
        Some(Shed::from(waits.min().unwrap_or(LEAST_WAIT)))
    }
}

impl State {
    fn leave_queue(&mut self, channel: ChannelId, ticket: Ticket) -> Option<Duration> {
        let removed = self.channels.get_mut(&channel)?.queue.give_up(ticket);
        self.tidy(channel);
        removed.map(|removed| removed.retry_after)
    }

    /// A channel's queue gave up a call, which goes on waiting for the others, if there are any.
    fn removed(
        &mut self,
        shared: &Shared,
        id: u64,
        channel: ChannelId,
        retry_after: Duration,
        told: &mut Told,
    ) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.places.retain(|(place, _)| *place != channel);
        if call.places.is_empty()
            && let Some(call) = self.calls.remove(&id)
        {
            shared.anyone.fetch_sub(1, Ordering::SeqCst);
            told.push((call.sender, Err(retry_after.into())));
        }
    }

    fn tidy(&mut self, channel: ChannelId) {
        if self.channels.get(&channel).is_some_and(|found| found.turns == 0 && found.queue.is_empty()) {
            self.channels.remove(&channel);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(shared) = self.shared.take() {
            shared.offer(self.channel, true);
        }
    }
}

impl Drop for Notice {
    fn drop(&mut self) {
        self.shared.freed(self.channel);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some((call, _)) = &self.waiting {
            // Where a turn was already sent, it is dropped with the receiver, and goes to the next.
            self.shared.leave(*call);
        }
    }
}

/// Once the lock is free. True when a turn came back, whose call was given up: it counts as out until it is given on.
fn tell(told: Told) -> bool {
    let mut came_back = false;
    for (sender, verdict) in told {
        if let Err(Ok(mut turn)) = sender.send(verdict) {
            turn.shared = None;
            came_back = true;
        }
    }
    came_back
}

#[cfg(test)]
mod tests;
