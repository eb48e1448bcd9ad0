//! Once a day, in the morning of each tenant: a line in the log for those whose channels were in trouble. The whole report is
//! there at any time, at `GET /api/v1/reports/health`.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use lyss_catalog::TenantEntry;
use lyss_domain::{TenantId, Timestamp, Window};
use lyss_insight::{HealthReport, Insight, Period};
use tracing::warn;

/// Between two looks at the clock.
const BEAT: Duration = Duration::from_secs(60);

/// So long after a tenant's day began: eight in the morning, but for days on which clocks change.
const MORNING: Duration = Duration::from_hours(8);

/// The day, by its beginning, whose report was told last.
type Told = HashMap<TenantId, Timestamp>;

/// For ever.
pub(crate) async fn report(insight: Arc<Insight>) {
    let mut told = Told::new();
    // Whoever restarts the service in the afternoon has heard of this day.
    due(&insight, &mut told);
    loop {
        tokio::time::sleep(BEAT).await;
        for tenant in due(&insight, &mut told) {
            match insight.health_report_of(tenant, Period::Day).await {
                Ok(Some(report)) => tell(tenant, &report),
                Ok(None) => {}
                Err(error) => warn!(%tenant, %error, "the daily report of health cannot be made"),
            }
        }
    }
}

/// Tenants whose morning has come since they were last told; they count as told.
fn due(insight: &Insight, told: &mut Told) -> Vec<TenantId> {
    let (catalog, now) = (insight.catalog.load(), insight.clock.now());
    told.retain(|tenant, _| catalog.tenant(*tenant).is_some());
    let active = catalog.tenants().filter(|entry| entry.tenant.enabled);
    active.filter(|entry| morning_came(entry, now, told)).map(|entry| entry.tenant.id).collect()
}

fn morning_came(entry: &TenantEntry, now: Timestamp, told: &mut Told) -> bool {
    let day = entry.calendar.span(Window::Day, now).start.0;
    let is_new = told.get(&entry.tenant.id).is_none_or(|last| *last < day);
    let came = is_new && now >= day.after(MORNING);
    if came {
        told.insert(entry.tenant.id, day);
    }
    came
}

fn tell(tenant: TenantId, report: &HealthReport) {
    let troubled: Vec<_> = report.troubled().map(|fare| fare.channel.id.to_string()).collect();
    if troubled.is_empty() {
        return;
    }
    let ejections: u64 = report.channels.iter().map(|fare| fare.ejections + fare.models_ejected).sum();
    let down = report.channels.iter().map(|fare| fare.downtime).max().unwrap_or_default();
    let failed_probes: u64 = report.channels.iter().map(|fare| fare.probes_failed).sum();
    warn!(
        %tenant,
        channels = troubled.join(","),
        attempts = report.total.sums.attempts,
        failed = report.total.sums.failed,
        ejections,
        longest_down_seconds = down.as_secs(),
        failed_probes,
        "channels were in trouble in the last day"
    );
}

#[cfg(test)]
mod tests {
    use lyss_catalog::Catalog;
    use lyss_domain::window::Calendar;
    use lyss_domain::{Tenant, TenantSettings};
    use lyss_repositories::CatalogRows;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn each_day_is_told_once_in_the_morning_of_its_place() {
        let id = TenantId(Uuid::from_u128(1));
        let tenant = Tenant {
            id,
            slug: "acme".to_owned(),
            name: "Acme".to_owned(),
            enabled: true,
            settings: TenantSettings { time_zone: "Asia/Shanghai".to_owned(), ..TenantSettings::default() },
            created_at: Timestamp::default(),
            updated_at: Timestamp::default(),
            version: 1,
        };
        assert!(Calendar::named(&tenant.settings.time_zone).is_ok());
        let catalog =
            Catalog::build(CatalogRows { tenants: vec![tenant], ..CatalogRows::default() }).unwrap();
        let entry = catalog.tenant(id).unwrap();
        let mut told = Told::new();
        let mut came = |time: &str| morning_came(entry, Timestamp::parse_rfc3339(time).unwrap(), &mut told);
        // Eight in Shanghai is midnight in London.
        assert!(!came("2026-11-24T23:59:00Z"));
        assert!(came("2026-11-25T00:00:00Z"));
        assert!(!came("2026-11-25T00:01:00Z") && !came("2026-11-25T23:59:00Z"));
        assert!(came("2026-11-26T00:00:30Z"));
        // After a night without us the day that is over is not told any more.
        assert!(came("2026-11-29T05:00:00Z") && !came("2026-11-29T06:00:00Z"));
    }
}
