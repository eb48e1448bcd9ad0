//! The proxy's routes. Under `/api/v1/proxy` every path stands whole, and OpenAI's also without `/v1`.

use actix_web::http::Method;
use actix_web::{Route, web};

use crate::table::{Access, RouteEntry};
use crate::{chat, models};

/// What any proxied call may fail with; the body is the dialect's own object.
const FAILURES: [u16; 12] = [400, 401, 403, 404, 408, 413, 422, 429, 500, 502, 503, 504];

pub(crate) fn routes() -> Vec<RouteEntry> {
    let mut all = Vec::new();
    for path in
        ["/v1/chat/completions", "/api/v1/proxy/chat/completions", "/api/v1/proxy/v1/chat/completions"]
    {
        let says = "A chat completion in OpenAI's format, streamed or whole";
        all.push(entry(Method::POST, path, web::to(chat::openai_chat), says).takes_any().failing(&FAILURES));
    }
    for path in ["/v1/models", "/api/v1/proxy/models", "/api/v1/proxy/v1/models"] {
        all.push(
            entry(Method::GET, path, web::to(models::list), "What this key may call")
                .failing(&[401, 403, 503]),
        );
    }
    for path in ["/v1/models/{id}", "/api/v1/proxy/models/{id}", "/api/v1/proxy/v1/models/{id}"] {
        let entry = entry(Method::GET, path, web::to(models::get), "A model, where this key may call it");
        all.push(entry.failing(&[401, 403, 404, 503]));
    }
    all
}

fn entry(method: Method, path: &'static str, route: Route, says: &'static str) -> RouteEntry {
    RouteEntry::new(method, path, Access::Proxy, route).says("proxy", says).plainly("application/json")
}
