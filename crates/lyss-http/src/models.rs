//! What this key may call, in the form of whoever asks: OpenAI's, Anthropic's (an `anthropic-version` header says so) or
//! Google's (its path or its key's header does). OpenAI's entries say more than OpenAI's own: what is known of context, output and abilities.

mod forms;

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use lyss_adapters::{Dialect, Fault};
use lyss_domain::FaultKind;
use lyss_proxy::{ModelEntry, Proxy};
use serde_json::Value;

use crate::caller::Doorkeeper;
use crate::fault;

pub async fn list(request: HttpRequest, proxy: Data<Proxy>, doorkeeper: Data<Doorkeeper>) -> HttpResponse {
    let dialect = dialect_of(&request);
    match usable(&request, &proxy, &doorkeeper).await {
        Ok(models) => answer(&proxy, &forms::list(dialect, &models)),
        Err(fault) => refuse(&proxy, dialect, &fault),
    }
}

pub async fn get(
    request: HttpRequest,
    id: Path<String>,
    proxy: Data<Proxy>,
    doorkeeper: Data<Doorkeeper>,
) -> HttpResponse {
    let dialect = dialect_of(&request);
    let found = usable(&request, &proxy, &doorkeeper).await.and_then(|models| {
        let found = models.into_iter().find(|model| model.id == *id);
        found.ok_or_else(|| Fault::new(FaultKind::ModelNotFound, "This model does not exist."))
    });
    match found {
        Ok(model) => answer(&proxy, &forms::one(dialect, &model)),
        Err(fault) => refuse(&proxy, dialect, &fault),
    }
}

/// Whose SDK asks.
fn dialect_of(request: &HttpRequest) -> Dialect {
    if request.path().contains("/v1beta/") || request.headers().contains_key("x-goog-api-key") {
        Dialect::GoogleGenerate
    } else if request.headers().contains_key("anthropic-version") {
        Dialect::AnthropicMessages
    } else {
        Dialect::OpenAiChat
    }
}

fn answer(proxy: &Proxy, body: &Value) -> HttpResponse {
    HttpResponse::Ok().insert_header(("x-request-id", proxy.new_call().to_string())).json(body)
}

async fn usable(
    request: &HttpRequest,
    proxy: &Proxy,
    doorkeeper: &Doorkeeper,
) -> Result<Vec<ModelEntry>, Fault> {
    let table = proxy.routes();
    let admittee = doorkeeper.admit(request, &table, proxy.clock()).await?;
    Ok(proxy.models(&table, admittee.caller.tenant(), &admittee.key))
}

fn refuse(proxy: &Proxy, dialect: Dialect, fault: &Fault) -> HttpResponse {
    proxy.count_refusal(fault);
    fault::refuse(dialect, proxy.new_call(), fault)
}
