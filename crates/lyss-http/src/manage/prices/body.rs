//! Prices in JSON: micros per million tokens of each class.

use lyss_domain::{Price, Rates};
use lyss_management::PriceDraft;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::manage::schema;
use crate::manage::word::Moment;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PriceCreate, example = json!({
    "model": "gpt-4o-mini", "input_micros": 150_000, "cache_read_micros": 75_000, "output_micros": 600_000
}))]
pub(super) struct PriceBody {
    /// Id or slug; must be the tenant that is acted for.
    pub(super) tenant_id: Option<String>,
    /// A model's name as the vendor knows it, or a prefix ending in `*`.
    model: String,
    /// From now on unless given.
    #[schema(schema_with = schema::moment, required = false)]
    effective_from: Option<Moment>,
    input_micros: i64,
    output_micros: i64,
    /// What a class costs that is not given: 0.
    #[serde(default)]
    cache_read_micros: i64,
    #[serde(default)]
    cache_write_micros: i64,
    #[serde(default)]
    cache_write_long_micros: i64,
    #[serde(default)]
    audio_input_micros: i64,
    #[serde(default)]
    audio_output_micros: i64,
    /// Micros per request, whatever its tokens.
    #[serde(default)]
    request_micros: i64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Price)]
pub(super) struct PriceDto {
    #[schema(schema_with = schema::id)]
    id: String,
    /// A part of the service; the tenant's own comes before it.
    built_in: bool,
    model: String,
    #[schema(schema_with = schema::moment)]
    effective_from: Moment,
    input_micros: i64,
    output_micros: i64,
    cache_read_micros: i64,
    cache_write_micros: i64,
    cache_write_long_micros: i64,
    audio_input_micros: i64,
    audio_output_micros: i64,
    request_micros: i64,
    #[schema(schema_with = schema::moment)]
    created_at: Moment,
}

impl PriceBody {
    pub(super) fn draft(self) -> PriceDraft {
        PriceDraft {
            model: self.model,
            effective_from: self.effective_from.map(|at| at.0),
            rates: Rates {
                input: self.input_micros,
                cache_read: self.cache_read_micros,
                cache_write: self.cache_write_micros,
                cache_write_long: self.cache_write_long_micros,
                audio_input: self.audio_input_micros,
                output: self.output_micros,
                audio_output: self.audio_output_micros,
                request: self.request_micros,
            },
        }
    }
}

impl From<Price> for PriceDto {
    fn from(price: Price) -> Self {
        let rates = price.rates;
        Self {
            id: price.id.to_string(),
            built_in: price.tenant.is_none(),
            model: price.model,
            effective_from: Moment(price.effective_from),
            input_micros: rates.input,
            output_micros: rates.output,
            cache_read_micros: rates.cache_read,
            cache_write_micros: rates.cache_write,
            cache_write_long_micros: rates.cache_write_long,
            audio_input_micros: rates.audio_input,
            audio_output_micros: rates.audio_output,
            request_micros: rates.request,
            created_at: Moment(price.created_at),
        }
    }
}
