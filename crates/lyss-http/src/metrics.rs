//! `/metrics` in the OpenMetrics text format.

use actix_web::HttpResponse;
use actix_web::web::Data;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

pub async fn metrics(registry: Data<Registry>) -> HttpResponse {
    let mut text = String::new();
    match encode(&mut text, &registry) {
        Ok(()) => HttpResponse::Ok()
            .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
            .body(text),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}
