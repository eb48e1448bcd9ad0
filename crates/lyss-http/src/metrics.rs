//! `/metrics` in the OpenMetrics text format.

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::web::{self, Data};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

use crate::table::{Access, RouteEntry};

pub(crate) fn routes() -> Vec<RouteEntry> {
    let entry = RouteEntry::new(Method::GET, "/metrics", Access::Public, web::to(metrics));
    vec![entry.says("service", "Figures for Prometheus").plainly("application/openmetrics-text")]
}

pub async fn metrics(registry: Data<Registry>) -> HttpResponse {
    let mut text = String::new();
    match encode(&mut text, &registry) {
        Ok(()) => HttpResponse::Ok()
            .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
            .body(text),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}
