//! What of a model's state is kept across a restart or told to other replicas, and how it is taken in again.

use std::time::Duration;

use lyss_domain::Tick;

use super::State;
use crate::hints::{ELSEWHERE_LASTS, HintEjected, OWN_WORD_LASTS, Told};
use crate::kept::{Figures, KeptFault, Moment};
use crate::{HealthSettings, Kept};

/// Counts are lent up to this weight, so that own traffic soon outweighs them.
const MOST_LENT: f32 = 5.0;

impl State {
    pub(in crate::vitals) fn figures(&self, now: Tick) -> Figures {
        let (good, bad) = self.success.counts(now);
        Figures {
            samples: self.samples,
            good,
            bad,
            ttft_us: self.speed.ttft.mean(),
            tpot_us: self.speed.tpot.mean(),
            spread: self.speed.ttft.spread(),
        }
    }

    /// Fills all that this knows of; channel and model are the caller's to fill in.
    pub(in crate::vitals) fn keep(&self, kept: Kept, moment: Moment) -> Kept {
        let now = moment.now;
        let cooling = self.cooldown.own_left(now);
        Kept {
            opening: self.breaker.opening().map(|opening| opening.keep(self.breaker.openings(), moment)),
            cooling_until_ms: cooling.map(|left| moment.millis_of(now.after(left))),
            last_fault: self.last_fault.map(|(fault, at)| KeptFault { fault, at_ms: moment.millis_of(at) }),
            figures: self.figures(now),
            learned_limit: self.hidden.guess(now),
            ..kept
        }
    }

    /// As it was before the restart. What was counted has aged since; what is known by now is better.
    pub(in crate::vitals) fn restore(&mut self, kept: &Kept, settings: &HealthSettings, moment: Moment) {
        let now = moment.now;
        if self.samples == 0 {
            self.lend(&kept.figures, f32::MAX, now);
            self.success.age(moment.age_of(kept.at_ms));
            self.samples = kept.figures.samples;
        }
        if let Some(opening) = &kept.opening {
            let longest = settings.breaker.longest_of(opening.fault);
            let until = moment.tick_of(opening.until_ms).min(now.after(longest));
            let since = moment.tick_of(opening.since_ms).min(now);
            self.breaker.adopt(opening.fault, opening.openings, since, until, false);
        }
        if let Some(until) = kept.cooling_until_ms {
            let until = moment.tick_of(until).min(now.after(settings.cooldown.longest_asked));
            self.cooldown.extend(until);
        }
        if let Some((requests, tokens)) = kept.learned_limit {
            self.hidden.restore(requests, tokens, now);
        }
        self.last_fault =
            self.last_fault.or(kept.last_fault.map(|last| (last.fault, moment.tick_of(last.at_ms).min(now))));
    }

    pub(in crate::vitals) fn own_cooling(&self, now: Tick) -> Option<Duration> {
        self.cooldown.own_left(now)
    }

    pub(in crate::vitals) fn own_ejection(&self, now: Tick) -> Option<HintEjected> {
        self.breaker.own_ejection(now)
    }

    pub(in crate::vitals) fn elsewhere(&self, now: Tick) -> u32 {
        let (in_flight, until) = self.elsewhere;
        if until > now { in_flight } else { 0 }
    }

    pub(in crate::vitals) fn take_told(&mut self, told: &Told<'_>, settings: &HealthSettings, now: Tick) {
        self.elsewhere = (told.in_flight, now.after(ELSEWHERE_LASTS));
        if let Some(figures) = told.figures.filter(|figures| self.samples == 0 && figures.samples > 0) {
            self.lend(figures, MOST_LENT, now);
            self.samples = 1;
        }
        // A rate limit is the account's, whoever met it; what goes well here was let in before.
        if let Some(cooling) = told.cooling {
            self.cooldown.extend(now.after(cooling.min(settings.cooldown.longest_asked)));
        }
        let is_well = self.last_good.is_some_and(|at| now.since(at) < OWN_WORD_LASTS);
        if let Some((ejected, _)) = told.ejected.filter(|_| !is_well) {
            self.breaker.take_told(ejected, &settings.breaker, now);
        }
    }

    fn lend(&mut self, figures: &Figures, most: f32, now: Tick) {
        let weight = (figures.good + figures.bad).max(f32::MIN_POSITIVE);
        let share = (most / weight).min(1.0);
        self.success.restore(figures.good * share, figures.bad * share, now);
        self.speed.ttft.restore(figures.ttft_us, figures.spread, now);
        self.speed.tpot.restore(figures.tpot_us, figures.spread, now);
    }
}
