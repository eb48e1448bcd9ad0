//! A tenant that asks for far more than there is, beside one that does not: what the second one notices, live. A
//! measurement, so it is run when asked for (`cargo xtask aggressor`) and holds no figure; the laboratory holds the
//! figures, in its own time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use lyss_domain::Clock;
use lyss_sandbox::{SandboxConfig, Vendor};
use lyss_vault::generate_master_key;
use tokio::task::JoinSet;

use crate::gateway::office::WallClock;
use crate::gateway::process::Start;
use crate::gateway::{bodies, wire};
use crate::manage::{Estate, JWT_SECRET};

/// What the vendor takes for an answer on average; between half and half as much again, evenly. If all answers took the
/// same, places would come free in step with each other, in clumps that a caller waits for however fair the queue is.
const SERVICE_MS: u64 = 100;
/// Calls that the service lets be under way at once, so 320 a second.
const CONCURRENCY: u64 = 32;
/// Calls of the victim in a second.
const VICTIM_RATE: u64 = 20;
/// So many times the victim's calls are the aggressor's.
const TIMES: u64 = 20;
/// How long each part goes on.
const SPAN: Duration = Duration::from_secs(8);
const WARM_UP: Duration = Duration::from_millis(500);

/// Calls that come whether or not the earlier ones are answered, at intervals of an exponential law, as from many
/// independent users.
#[derive(Clone)]
struct Load {
    to: SocketAddr,
    key: String,
    rate: u64,
    seed: u64,
    clock: Arc<WallClock>,
}

/// How one tenant's calls went.
#[derive(Default)]
struct Figures {
    /// From when a call was due to its last byte.
    answered: Vec<Duration>,
    shed: usize,
    other: Vec<String>,
}

impl Load {
    async fn run(mut self, span: Duration) -> Figures {
        let (mut calls, mut next) = (JoinSet::new(), Duration::ZERO);
        let begun = self.clock.tick();
        while next < span {
            tokio::time::sleep(next.saturating_sub(self.clock.tick().since(begun))).await;
            let takes_ms = SERVICE_MS as f64 * (0.5 + self.draw());
            let body = bodies::chat(&format!("gpt-4o-mini+words=8+first_ms={takes_ms:.0}"), false);
            let (load, due) = (self.clone(), begun.after(next));
            calls.spawn(async move {
                let mut reply = wire::post(load.to, "/v1/chat/completions", &load.key, &body).await;
                reply.finish_somehow().await;
                (load.clock.tick().since(due), reply.status, reply.text().into_owned())
            });
            next += Duration::from_secs_f64(-self.draw().ln() / self.rate as f64);
        }
        let mut figures = Figures::default();
        for (took, status, text) in calls.join_all().await {
            match status {
                200 => figures.answered.push(took),
                429 | 503 => figures.shed += 1,
                _ => figures.other.push(format!("{status} {text}")),
            }
        }
        figures.answered.sort_unstable();
        figures
    }

    /// Above 0, below 1; the same ones in every run.
    fn draw(&mut self) -> f64 {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.seed >> 11) as f64 + 1.0) / ((1_u64 << 53) as f64 + 2.0)
    }
}

impl Figures {
    fn quantile_ms(&self, percent: usize) -> f64 {
        let rank = (self.answered.len() * percent).div_ceil(100);
        self.answered.get(rank.saturating_sub(1)).map_or(0.0, |took| took.as_secs_f64() * 1_000.0)
    }

    fn print(&self, name: &str) {
        assert!(self.other.is_empty(), "{name}: {:?}", self.other);
        let (p50, p99) = (self.quantile_ms(50), self.quantile_ms(99));
        let (answered, shed) = (self.answered.len(), self.shed);
        println!("| {name} | {} | {answered} | {shed} | {p50:.0} | {p99:.0} |", answered + shed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement of twenty seconds: cargo xtask aggressor"]
async fn an_aggressor_beside_a_victim() {
    let data = tempfile::tempdir().unwrap();
    let sandbox = lyss_sandbox::start(SandboxConfig::default()).await.unwrap();
    let vendor = sandbox.api_base(Vendor::OpenAi).unwrap();
    let served = Start::on(data.path())
        .with("PROVIDER_SERVICE_ENCRYPTION_KEY", &generate_master_key().unwrap())
        .with("PROVIDER_SERVICE_JWT_SECRET", JWT_SECRET)
        .with("PROVIDER_SERVICE_EGRESS_ALLOW", "127.0.0.1")
        .with("PROVIDER_SERVICE_PROXY__MAX_CONCURRENCY", &CONCURRENCY.to_string())
        .serve()
        .await;
    let victim = Estate::found(served.address, "victim", &vendor).await;
    let aggressor = Estate::found(served.address, "aggressor", &vendor).await;
    let load = |estate: &Estate, rate, seed| Load {
        to: served.address,
        key: estate.key_text.clone(),
        rate,
        seed,
        clock: Arc::new(WallClock::new()),
    };
    // Connections and code are warm.
    load(&victim, 200, 3).run(WARM_UP).await;

    let alone = load(&victim, VICTIM_RATE, 7).run(SPAN).await;
    let (beside, flood) = tokio::join!(
        load(&victim, VICTIM_RATE, 7).run(SPAN),
        load(&aggressor, VICTIM_RATE * TIMES, 11).run(SPAN),
    );
    let capacity = CONCURRENCY * 1_000 / SERVICE_MS;
    println!(
        "\n{CONCURRENCY} calls at once, {SERVICE_MS} ms each on average: {capacity} a second; the victim asks for {VICTIM_RATE}, the \
         aggressor for {}\n",
        VICTIM_RATE * TIMES
    );
    println!("| calls of | made | answered | shed | p50 ms | p99 ms |\n|---|---|---|---|---|---|");
    alone.print("the victim, alone");
    beside.print("the victim, beside the aggressor");
    flood.print("the aggressor");
    println!(
        "\np99 of the victim beside the aggressor over alone: {:.2}",
        beside.quantile_ms(99) / alone.quantile_ms(99)
    );
    assert_eq!((alone.shed, beside.shed), (0, 0), "the victim is let in");
    assert!(flood.shed > 0 || flood.quantile_ms(50) > beside.quantile_ms(99), "nobody was short of anything");
    sandbox.stop().await;
}
