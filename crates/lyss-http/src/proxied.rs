//! The proxy's routes. Under `/api/v1/proxy` every path stands whole, and OpenAI's and Anthropic's also without `/v1`.

use actix_web::http::Method;
use actix_web::{Route, web};
use lyss_adapters::{Dialect, Errand};
use lyss_domain::Operation;

use crate::table::{Access, RouteEntry};
use crate::way::Way;
use crate::{call, models};

/// What any proxied call may fail with; the body is the dialect's own object.
const FAILURES: [u16; 13] = [400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504];

/// Paths that are called with a JSON body, by what they stand for.
const CALLS: &[(Way, &str, &[&str])] = &[
    (
        Way::Plain(Dialect::OpenAiChat, Errand::Chat),
        "A chat completion in OpenAI's format, streamed or whole",
        &["/v1/chat/completions", "/api/v1/proxy/chat/completions", "/api/v1/proxy/v1/chat/completions"],
    ),
    (
        Way::Plain(Dialect::OpenAiResponses, Errand::Chat),
        "A response in OpenAI's newer format, streamed or whole",
        &["/v1/responses", "/api/v1/proxy/responses", "/api/v1/proxy/v1/responses"],
    ),
    (
        Way::Plain(Dialect::AnthropicMessages, Errand::Chat),
        "A message in Anthropic's format, streamed or whole",
        &["/v1/messages", "/api/v1/proxy/messages", "/api/v1/proxy/v1/messages"],
    ),
    (
        Way::Plain(Dialect::AnthropicMessages, Errand::CountTokens),
        "How many tokens an Anthropic request has",
        &[
            "/v1/messages/count_tokens",
            "/api/v1/proxy/messages/count_tokens",
            "/api/v1/proxy/v1/messages/count_tokens",
        ],
    ),
    (
        Way::Google,
        "Google's generateContent, streamGenerateContent and countTokens, behind a colon",
        &[
            "/v1beta/models/{id}",
            "/v1/models/{id}",
            "/api/v1/proxy/v1beta/models/{id}",
            "/api/v1/proxy/v1/models/{id}",
        ],
    ),
    (
        Way::Azure(Errand::Chat),
        "A chat completion at Azure's address of a deployment",
        &[
            "/openai/deployments/{deployment}/chat/completions",
            "/api/v1/proxy/openai/deployments/{deployment}/chat/completions",
        ],
    ),
    (
        Way::Azure(Errand::Embeddings),
        "Embeddings at Azure's address of a deployment",
        &[
            "/openai/deployments/{deployment}/embeddings",
            "/api/v1/proxy/openai/deployments/{deployment}/embeddings",
        ],
    ),
    (
        Way::Plain(Dialect::OpenAiChat, Errand::Embeddings),
        "Embeddings in OpenAI's format",
        &["/v1/embeddings", "/api/v1/proxy/embeddings", "/api/v1/proxy/v1/embeddings"],
    ),
    (
        Way::Pass(Operation::Completions, "/completions", None),
        "A text completion, passed on",
        &["/v1/completions", "/api/v1/proxy/completions", "/api/v1/proxy/v1/completions"],
    ),
    (
        Way::Pass(Operation::Moderations, "/moderations", Some("omni-moderation-latest")),
        "A moderation, passed on",
        &["/v1/moderations", "/api/v1/proxy/moderations", "/api/v1/proxy/v1/moderations"],
    ),
    (
        Way::Pass(Operation::Rerank, "/rerank", None),
        "A ranking of documents, passed on",
        &["/v1/rerank", "/api/v1/proxy/rerank", "/api/v1/proxy/v1/rerank"],
    ),
    (
        Way::Pass(Operation::Images, "/images/generations", Some("gpt-image-1")),
        "An image from words, passed on",
        &[
            "/v1/images/generations",
            "/api/v1/proxy/images/generations",
            "/api/v1/proxy/v1/images/generations",
        ],
    ),
    (
        Way::Pass(Operation::Images, "/images/edits", Some("gpt-image-1")),
        "An image changed, passed on",
        &["/v1/images/edits", "/api/v1/proxy/images/edits", "/api/v1/proxy/v1/images/edits"],
    ),
    (
        Way::Pass(Operation::Images, "/images/variations", Some("dall-e-2")),
        "Variations of an image, passed on",
        &["/v1/images/variations", "/api/v1/proxy/images/variations", "/api/v1/proxy/v1/images/variations"],
    ),
    (
        Way::Pass(Operation::Transcriptions, "/audio/transcriptions", None),
        "Words from speech, passed on",
        &[
            "/v1/audio/transcriptions",
            "/api/v1/proxy/audio/transcriptions",
            "/api/v1/proxy/v1/audio/transcriptions",
        ],
    ),
    (
        Way::Pass(Operation::Transcriptions, "/audio/translations", None),
        "English words from speech, passed on",
        &[
            "/v1/audio/translations",
            "/api/v1/proxy/audio/translations",
            "/api/v1/proxy/v1/audio/translations",
        ],
    ),
    (
        Way::Pass(Operation::Speech, "/audio/speech", None),
        "Speech from words, passed on as it comes",
        &["/v1/audio/speech", "/api/v1/proxy/audio/speech", "/api/v1/proxy/v1/audio/speech"],
    ),
];

/// The lists of what a key may call. Google's stands under its own version.
const LISTS: [&str; 5] = [
    "/v1/models",
    "/api/v1/proxy/models",
    "/api/v1/proxy/v1/models",
    "/v1beta/models",
    "/api/v1/proxy/v1beta/models",
];

/// One model of the lists.
const ONES: [&str; 5] = [
    "/v1/models/{id}",
    "/api/v1/proxy/models/{id}",
    "/api/v1/proxy/v1/models/{id}",
    "/v1beta/models/{id}",
    "/api/v1/proxy/v1beta/models/{id}",
];

pub(crate) fn routes() -> Vec<RouteEntry> {
    let mut all = Vec::new();
    for (way, says, paths) in CALLS {
        for path in *paths {
            let entry = entry(Method::POST, path, call::handler(*way), says);
            all.push(entry.takes_any().once().failing(&FAILURES));
        }
    }
    for path in LISTS {
        let entry = entry(Method::GET, path, web::to(models::list), "What this key may call");
        all.push(entry.failing(&[401, 403, 503]));
    }
    for path in ONES {
        let entry = entry(Method::GET, path, web::to(models::get), "A model, where this key may call it");
        all.push(entry.failing(&[401, 403, 404, 503]));
    }
    all
}

fn entry(method: Method, path: &'static str, route: Route, says: &'static str) -> RouteEntry {
    RouteEntry::new(method, path, Access::Proxy, route).says("proxy", says).plainly("application/json")
}
