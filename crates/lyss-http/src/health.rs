//! `/health`, `/health/live`, `/health/ready`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::web::{self, Data};
use serde::Serialize;

use crate::table::{Access, RouteEntry};

/// Something the service leans on. Answers from what is known: a caller of `/health` never reaches a database.
pub trait Dependency: Send + Sync {
    fn report(&self) -> DependencyReport;
}

/// One dependency's state, in words for people.
#[derive(Clone, Debug, Serialize)]
pub struct DependencyReport {
    pub name: &'static str,
    pub healthy: bool,
    /// Without it calls fail; with a false here the service serves on, degraded.
    pub required: bool,
    pub detail: String,
}

/// Whether new calls are welcome; false while shutting down.
#[derive(Default)]
pub struct Readiness(AtomicBool);

#[derive(Serialize)]
struct HealthDto {
    status: &'static str,
    version: &'static str,
    dependencies: Vec<DependencyReport>,
}

impl Readiness {
    pub fn set(&self, ready: bool) {
        self.0.store(ready, Ordering::Release);
    }

    pub fn get(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

pub(crate) fn routes() -> Vec<RouteEntry> {
    let entry = |path, route, says| {
        let entry = RouteEntry::new(Method::GET, path, Access::Public, route).says("service", says);
        entry.plainly("application/json").failing(&[503])
    };
    let mut alive = entry("/health/live", web::to(live), "Whether the process runs");
    alive.doc.failures.clear();
    vec![
        entry("/health", web::to(overall), "How the service is, with each dependency"),
        alive,
        entry("/health/ready", web::to(ready), "Whether new calls may be sent here"),
    ]
}

/// Overall, with each dependency: 200 while calls can be served, 503 otherwise.
pub async fn overall(
    dependencies: Data<Vec<Arc<dyn Dependency>>>,
    readiness: Data<Readiness>,
) -> HttpResponse {
    let dependencies: Vec<_> = dependencies.iter().map(|d| d.report()).collect();
    let broken = dependencies.iter().any(|d| d.required && !d.healthy);
    let all_well = dependencies.iter().all(|d| d.healthy);
    let status = match (readiness.get(), broken, all_well) {
        (false, ..) => "draining",
        (true, true, _) => "unavailable",
        (true, false, false) => "degraded",
        (true, false, true) => "ok",
    };
    let body = HealthDto { status, version: env!("CARGO_PKG_VERSION"), dependencies };
    if readiness.get() && !broken {
        HttpResponse::Ok().json(body)
    } else {
        HttpResponse::ServiceUnavailable().json(body)
    }
}

/// The process runs.
pub async fn live() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({ "status": "ok" }))
}

/// New calls may be sent here.
pub async fn ready(dependencies: Data<Vec<Arc<dyn Dependency>>>, readiness: Data<Readiness>) -> HttpResponse {
    let broken = dependencies.iter().any(|d| {
        let report = d.report();
        report.required && !report.healthy
    });
    if readiness.get() && !broken {
        HttpResponse::Ok().json(serde_json::json!({ "status": "ready" }))
    } else {
        HttpResponse::ServiceUnavailable().json(serde_json::json!({ "status": "not ready" }))
    }
}
