//! How long a channel was ejected, out of its history.

use std::time::Duration;

use lyss_domain::{HealthEvent, HealthEventKind, Timestamp};

/// The time between `since` and `until` that ejections and failed trials cover, each from its moment for as long as it was to
/// last, or until the channel showed that it is well. What several replicas saw at once counts once. What began before
/// `since` is not among the events.
pub(super) fn downtime(events: &[&HealthEvent], since: Timestamp, until: Timestamp) -> Duration {
    let mut down = Duration::ZERO;
    // What is covered so far.
    let mut covered = since;
    for (place, event) in events.iter().enumerate() {
        if !matches!(event.kind, HealthEventKind::Ejected | HealthEventKind::TrialFailed) {
            continue;
        }
        let later = events.get(place + 1..).unwrap_or_default();
        let reopened = later.iter().find(|later| later.kind == HealthEventKind::Reopened);
        let planned = event.at.after(event.lasting.unwrap_or_default());
        let end = reopened.map_or(planned, |reopened| reopened.at.min(planned)).min(until);
        let begin = event.at.max(covered);
        if end > begin {
            down = down.saturating_add(end.since(begin));
            covered = end;
        }
    }
    down
}

#[cfg(test)]
mod tests {
    use lyss_testkit::samples::{at, health_event};

    use super::*;

    fn event(second: u64, kind: HealthEventKind, lasting: u64) -> HealthEvent {
        HealthEvent {
            at: at(second),
            kind,
            lasting: (lasting > 0).then(|| Duration::from_secs(lasting)),
            ..health_event(1, 1, second)
        }
    }

    fn down(events: &[HealthEvent]) -> u64 {
        downtime(&events.iter().collect::<Vec<_>>(), at(0), at(1_000)).as_secs()
    }

    #[test]
    fn downtime_ends_with_the_wait_the_reopening_or_the_period() {
        use HealthEventKind::{Cooling, Ejected, ProbeOk, Reopened, TrialFailed};
        assert_eq!(down(&[]), 0);
        assert_eq!(down(&[event(10, Ejected, 30)]), 30);
        assert_eq!(down(&[event(10, Ejected, 30), event(20, Reopened, 0)]), 10);
        // Between the end of a wait and the next trial nobody asked.
        assert_eq!(down(&[event(10, Ejected, 30), event(100, TrialFailed, 60), event(400, Reopened, 0)]), 90);
        assert_eq!(down(&[event(980, Ejected, 300)]), 20);
        // Two replicas see the same.
        assert_eq!(down(&[event(10, Ejected, 30), event(12, Ejected, 30), event(60, Reopened, 0)]), 32);
        assert_eq!(down(&[event(10, Cooling, 300), event(20, ProbeOk, 0), event(30, Reopened, 0)]), 0);
    }
}
