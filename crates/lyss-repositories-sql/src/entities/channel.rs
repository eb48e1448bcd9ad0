//! Rows of `channels`.

use sea_orm::entity::prelude::*;

use crate::json::{StringMap, Strings};

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "channels")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub name: String,
    pub provider: String,
    pub api_base: Option<String>,
    #[sea_orm(column_type = "JsonBinary")]
    pub supported_models: Strings,
    #[sea_orm(column_type = "JsonBinary")]
    pub model_mapping: StringMap,
    pub weight: i64,
    pub priority: i32,
    pub requests_per_minute: Option<i64>,
    pub tokens_per_minute: Option<i64>,
    pub concurrency: Option<i64>,
    pub connect_timeout_us: Option<i64>,
    pub first_byte_timeout_us: Option<i64>,
    pub idle_timeout_us: Option<i64>,
    pub total_timeout_us: Option<i64>,
    pub max_retries: Option<i64>,
    pub state: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub tags: Strings,
    pub group_name: Option<String>,
    pub api_version: Option<String>,
    #[sea_orm(column_type = "JsonBinary")]
    pub deployment_map: StringMap,
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub responses_models: Option<Strings>,
    pub probe: String,
    pub adaptive_concurrency: bool,
    pub created_at_us: i64,
    pub updated_at_us: i64,
    pub version: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
