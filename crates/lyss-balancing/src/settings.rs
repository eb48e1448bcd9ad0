//! What the health of channels is judged by; the defaults suit a gateway before public vendors.

use crate::breaker::BreakerSettings;
use crate::cooldown::CooldownSettings;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HealthSettings {
    pub breaker: BreakerSettings,
    pub cooldown: CooldownSettings,
}
