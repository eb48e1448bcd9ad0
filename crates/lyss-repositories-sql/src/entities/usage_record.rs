//! Rows of `usage_records`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "usage_records")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub call_id: Uuid,
    pub ordinal: i32,
    pub key_id: Uuid,
    pub channel_id: Uuid,
    pub provider: String,
    pub model_asked: String,
    pub model_served: String,
    pub strategy: String,
    pub stream: bool,
    pub terminal: String,
    pub fault: Option<String>,
    pub status: Option<i32>,
    pub input_tokens: i64,
    pub cache_read_tokens: i64,
    pub cache_write_tokens: i64,
    pub cache_write_long_tokens: i64,
    pub audio_input_tokens: i64,
    pub output_tokens: i64,
    pub reasoning_tokens: i64,
    pub audio_output_tokens: i64,
    pub usage_source: String,
    pub cost_micros: i64,
    pub price_id: Option<Uuid>,
    pub started_at_us: i64,
    pub ttft_us: Option<i64>,
    pub total_us: i64,
    pub operation: String,
    /// Joined by commas, which no path holds; null: none.
    pub losses: Option<String>,
    pub decision: Option<Vec<u8>>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
