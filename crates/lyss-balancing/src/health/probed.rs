//! What a probe of a channel as a whole says of it.

use lyss_domain::{FaultKind, FaultOwner, Tick};

use super::ChannelHealth;

impl ChannelHealth {
    /// What was seen by a probe that asked for no model, such as the vendor's list of them. A bad one counts where its
    /// fault belongs: the credential, the account and the network are the channel's, a vendor that fails is so for every
    /// model that was asked for so far. A good one calls for an earlier trial of the channel and closes nothing. A rate
    /// limit of such a question says nothing of those that models have.
    pub fn probe_result(&self, result: Result<(), FaultKind>, draw: u64, now: Tick) {
        let fault = match result {
            Ok(()) => return self.common.probed(None, draw, now),
            Err(FaultKind::VendorRateLimited) => return,
            Err(fault) => fault,
        };
        match fault.owner() {
            FaultOwner::Network | FaultOwner::Credential | FaultOwner::VendorQuota => {
                self.common.probed(Some(fault), draw, now);
            }
            FaultOwner::Vendor => {
                self.models().iter().for_each(|model| model.probe_result(result, draw, now));
            }
            FaultOwner::Caller | FaultOwner::Model | FaultOwner::Ours => {}
        }
    }
}
