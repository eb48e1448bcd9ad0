//! The timers of one exchange: first byte, idle, total.
//!
//! One sleep is armed per exchange. A chunk only moves a deadline later; the sleep is armed anew when it fires early,
//! or when the wait after the first byte ends sooner than the wait for it would have. So a chunk costs one look at the
//! clock and no timer.
//!
//! While a caller is uploading, its pace is the caller's own: only the total counts, until the last byte is taken.

#[cfg(test)]
mod tests;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use lyss_wire::{Timers, TransportClass};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::pieces::Upload;

/// Stands for "never": far enough for any stream, near enough for the clock's arithmetic.
const NEVER: Duration = Duration::from_secs(60 * 60 * 24 * 365);

pub(crate) struct Watch {
    alarm: Pin<Box<Sleep>>,
    total_at: Instant,
    /// When the present silence has lasted too long.
    quiet_at: Instant,
    /// What that is called: waiting for the first byte, or for the next one.
    quiet: TransportClass,
    idle: Duration,
    /// Not yet armed, as long as an upload is under way.
    first_byte: Duration,
    upload: Option<Arc<Upload>>,
}

impl Watch {
    pub(crate) fn start(timers: &Timers, upload: Option<Arc<Upload>>) -> Self {
        let now = Instant::now();
        let total_at = after(now, timers.total);
        let quiet_at = after(now, if upload.is_some() { NEVER } else { timers.first_byte });
        Self {
            alarm: Box::pin(sleep_until(total_at.min(quiet_at))),
            total_at,
            quiet_at,
            quiet: TransportClass::FirstByteTimeout,
            idle: timers.idle,
            first_byte: timers.first_byte,
            upload,
        }
    }

    /// When everything must be over.
    pub(crate) fn total_at(&self) -> Instant {
        self.total_at
    }

    /// The reason of a failure: where the upload broke, hyper only knows that the connection is of no more use.
    pub(crate) fn blame(&self, class: TransportClass) -> TransportClass {
        let broken = self.upload.as_ref().is_some_and(|upload| upload.is_broken());
        if broken { TransportClass::UploadBroken } else { class }
    }

    /// Bytes of the body came: silence is counted from now. An error when the exchange had no time left, which an
    /// upstream that never pauses would otherwise hide.
    pub(crate) fn saw_bytes(&mut self) -> Result<(), TransportClass> {
        let now = Instant::now();
        if now >= self.total_at {
            return Err(TransportClass::TotalTimeout);
        }
        self.quiet = TransportClass::IdleTimeout;
        self.quiet_after(now, self.idle);
        Ok(())
    }

    fn quiet_after(&mut self, now: Instant, wait: Duration) {
        self.quiet_at = after(now, wait);
        if self.quiet_at < self.alarm.deadline() {
            self.alarm.as_mut().reset(self.quiet_at);
        }
    }

    /// Ready with the timer that ran out.
    pub(crate) fn poll_expired(&mut self, cx: &mut Context<'_>) -> Poll<TransportClass> {
        if self.upload.as_ref().is_some_and(|upload| upload.has_ended()) {
            self.upload = None;
            if self.quiet == TransportClass::FirstByteTimeout {
                self.quiet_after(Instant::now(), self.first_byte);
            }
        }
        loop {
            ready!(self.alarm.as_mut().poll(cx));
            let fired_at = self.alarm.deadline();
            if fired_at >= self.total_at {
                return Poll::Ready(TransportClass::TotalTimeout);
            }
            if fired_at >= self.quiet_at {
                return Poll::Ready(self.quiet);
            }
            self.alarm.as_mut().reset(self.total_at.min(self.quiet_at));
        }
    }
}

fn after(now: Instant, wait: Duration) -> Instant {
    now + wait.min(NEVER)
}
