//! `GET /v1/models` and `GET /v1/models/{id}`: what this key may call.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use lyss_adapters::{Dialect, Fault};
use lyss_domain::FaultKind;
use lyss_proxy::{ModelEntry, Proxy};
use serde::Serialize;

use crate::caller::Doorkeeper;
use crate::fault;

/// OpenAI's model object.
#[derive(Serialize)]
struct ModelDto {
    id: String,
    object: &'static str,
    created: i64,
    owned_by: String,
}

#[derive(Serialize)]
struct ListDto {
    object: &'static str,
    data: Vec<ModelDto>,
}

impl From<ModelEntry> for ModelDto {
    fn from(entry: ModelEntry) -> Self {
        Self { id: entry.id, object: "model", created: entry.created, owned_by: entry.owned_by }
    }
}

pub async fn list(request: HttpRequest, proxy: Data<Proxy>, doorkeeper: Data<Doorkeeper>) -> HttpResponse {
    match usable(&request, &proxy, &doorkeeper).await {
        Ok(models) => {
            let data = models.into_iter().map(Into::into).collect();
            answer(&proxy, &ListDto { object: "list", data })
        }
        Err(fault) => refuse(&proxy, &fault),
    }
}

pub async fn get(
    request: HttpRequest,
    id: Path<String>,
    proxy: Data<Proxy>,
    doorkeeper: Data<Doorkeeper>,
) -> HttpResponse {
    let found = usable(&request, &proxy, &doorkeeper).await.and_then(|models| {
        let found = models.into_iter().find(|model| model.id == *id);
        found.ok_or_else(|| Fault::new(FaultKind::ModelNotFound, "This model does not exist."))
    });
    match found {
        Ok(model) => answer(&proxy, &ModelDto::from(model)),
        Err(fault) => refuse(&proxy, &fault),
    }
}

fn answer(proxy: &Proxy, body: &impl Serialize) -> HttpResponse {
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

fn refuse(proxy: &Proxy, fault: &Fault) -> HttpResponse {
    proxy.count_refusal(fault);
    fault::refuse(Dialect::OpenAiChat, proxy.new_call(), fault)
}
