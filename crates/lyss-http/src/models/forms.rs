//! Models as three vendors' references list them.

use lyss_adapters::Dialect;
use lyss_domain::{Capability, Timestamp};
use lyss_proxy::ModelEntry;
use serde_json::{Value, json};

pub(super) fn list(dialect: Dialect, models: &[ModelEntry]) -> Value {
    let data: Vec<_> = models.iter().map(|model| one(dialect, model)).collect();
    match dialect {
        Dialect::GoogleGenerate => json!({ "models": data }),
        Dialect::AnthropicMessages => json!({
            "data": data,
            "has_more": false,
            "first_id": models.first().map(|model| &model.id),
            "last_id": models.last().map(|model| &model.id),
        }),
        Dialect::OpenAiChat | Dialect::OpenAiResponses => json!({ "object": "list", "data": data }),
    }
}

pub(super) fn one(dialect: Dialect, model: &ModelEntry) -> Value {
    match dialect {
        Dialect::GoogleGenerate => json!({
            "name": format!("models/{}", model.id),
            "displayName": model.id,
            "version": "001",
            "inputTokenLimit": model.card.context,
            "outputTokenLimit": model.card.max_output,
            "supportedGenerationMethods": ["generateContent", "streamGenerateContent", "countTokens"],
        }),
        Dialect::AnthropicMessages => json!({
            "type": "model",
            "id": model.id,
            "display_name": model.id,
            "created_at": Timestamp::from_millis(model.created.saturating_mul(1_000)).to_string(),
            "max_input_tokens": model.card.context,
            "max_tokens": model.card.max_output,
        }),
        Dialect::OpenAiChat | Dialect::OpenAiResponses => json!({
            "id": model.id,
            "object": "model",
            "created": model.created,
            "owned_by": model.owned_by,
            "context_length": model.card.context,
            "max_output_tokens": model.card.max_output,
            "capabilities": model.card.capabilities.iter().map(Capability::as_str).collect::<Vec<_>>(),
        }),
    }
}
