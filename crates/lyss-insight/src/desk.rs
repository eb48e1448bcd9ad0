//! What the tests of this crate read from: a database, a configuration, and channels whose health is real.

use std::sync::Arc;
use std::time::Duration;

use lyss_balancing::{ChannelHealth, Ending, Health, Observation, Size};
use lyss_catalog::{Catalog, CatalogHandle};
use lyss_domain::{
    AttemptRecord, Channel, ChannelId, FaultKind, HealthEvent, ProviderSlug, TenantId, Terminal,
};
use lyss_repositories::{AttemptStore as _, CatalogRows, HealthStore as _, Store as _};
use lyss_testkit::ManualClock;
use lyss_testkit::database::{TestDatabase, sqlite};
use lyss_testkit::samples::{at, attempt, channel, channel_id, scope, slug, tenant, tenant_id};

use crate::{Insight, KeptReports, Live, Serving};

/// The second at which it is read.
pub(crate) const NOW: u64 = 1_000_000;

/// Tenant 1 with channels 1 to OpenAI and 2 to DeepSeek; tenant 2 with channel 3.
pub(crate) struct Desk {
    pub(crate) insight: Insight,
    pub(crate) health: Arc<Health>,
    pub(crate) clock: ManualClock,
    pub(crate) database: TestDatabase,
}

struct Pipeline(Arc<Health>);

impl Live for Pipeline {
    fn health(&self, channel: ChannelId) -> Option<Arc<ChannelHealth>> {
        self.0.known(channel)
    }

    /// Both channels of tenant 1 serve `fast`, and channel 1 alone `slow`.
    fn serving(&self, tenant: TenantId, model: &str) -> Serving {
        let one = (channel_id(1), "gpt-4o-mini".to_owned());
        let two = (channel_id(2), "deepseek-chat".to_owned());
        match model {
            "fast" if tenant == tenant_id(1) => vec![one, two],
            "slow" if tenant == tenant_id(1) => vec![one],
            _ => Vec::new(),
        }
    }
}

impl Desk {
    pub(crate) async fn with(records: &[AttemptRecord]) -> Self {
        let database = sqlite().await;
        let deepseek = Channel { provider: slug("deepseek"), ..channel(1, 2) };
        let channels = vec![channel(1, 1), deepseek, channel(2, 3)];
        let mut work = database.store.begin().await.unwrap();
        for number in [1, 2] {
            work.tenants().create(&tenant(number)).await.unwrap();
        }
        for channel in &channels {
            let number = if channel.tenant == tenant_id(1) { 1 } else { 2 };
            work.channels().create(&scope(number), channel).await.unwrap();
        }
        work.commit(None).await.unwrap();
        database.store.write(records).await.unwrap();
        let rows = CatalogRows { tenants: vec![tenant(1), tenant(2)], channels, ..CatalogRows::default() };
        let (clock, health) = (ManualClock::new(), Arc::new(Health::default()));
        clock.set(at(NOW));
        let insight = Insight {
            attempts: Arc::new(database.store.clone()),
            health: Arc::new(database.store.clone()),
            catalog: Arc::new(CatalogHandle::new(Catalog::build(rows).unwrap())),
            live: Arc::new(Pipeline(Arc::clone(&health))),
            clock: Arc::new(clock.clone()),
            kept: KeptReports::default(),
        };
        Self { insight, health, clock, database }
    }

    pub(crate) async fn happened(&self, events: &[HealthEvent]) {
        assert_eq!(self.database.store.append_events(events).await.unwrap(), events.len() as u64);
    }

    /// An attempt that ends like this after so long.
    pub(crate) fn attempt(&self, channel: u64, model: &str, ending: Ending, took: Duration) {
        use lyss_domain::Clock as _;
        let vitals = self.health.channel(channel_id(channel)).model(model);
        let entered = vitals.enter(Size::default(), None, self.clock.tick()).unwrap();
        self.clock.advance(took);
        let observation = Observation {
            ending,
            prompt_tokens: 100,
            output_tokens: 50,
            ttft: (ending == Ending::Complete).then_some(took / 2),
            total: took,
        };
        entered.observe(&observation, 1 << 63, self.clock.tick());
    }
}

/// Begun in this second, complete after 100 ms.
pub(crate) fn good(second: u64, channel: u64) -> AttemptRecord {
    AttemptRecord {
        channel: channel_id(channel),
        provider: provider(channel),
        terminal: Terminal::Complete,
        fault: None,
        ttft_us: Some(50_000),
        total_us: 100_000,
        decision: None,
        ..attempt(1, second)
    }
}

pub(crate) fn failed(second: u64, channel: u64, fault: FaultKind) -> AttemptRecord {
    AttemptRecord {
        terminal: Terminal::Refused,
        fault: Some(fault),
        ttft_us: None,
        usage: lyss_domain::TokenUsage::default(),
        usage_source: lyss_domain::UsageSource::None,
        cost: lyss_domain::Micros(0),
        ..good(second, channel)
    }
}

fn provider(channel: u64) -> ProviderSlug {
    slug(if channel == 2 { "deepseek" } else { "openai" })
}
