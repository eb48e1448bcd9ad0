//! Rows of `virtual_keys`.

use sea_orm::entity::prelude::*;

use crate::json::Strings;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "virtual_keys")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub name: String,
    pub digest: Vec<u8>,
    pub hint: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub scopes: Strings,
    #[sea_orm(column_type = "JsonBinary")]
    pub models: Strings,
    #[sea_orm(column_type = "JsonBinary")]
    pub channels: Strings,
    #[sea_orm(column_type = "JsonBinary")]
    pub tags: Strings,
    #[sea_orm(column_type = "JsonBinary")]
    pub allowed_ips: Strings,
    pub requests_per_minute: Option<i64>,
    pub tokens_per_minute: Option<i64>,
    pub strategy: Option<String>,
    pub may_steer: bool,
    pub expires_at_us: Option<i64>,
    pub revoked_at_us: Option<i64>,
    pub created_at_us: i64,
    pub updated_at_us: i64,
    pub version: i64,
    pub previous_digest: Option<Vec<u8>>,
    pub previous_valid_until_us: Option<i64>,
    pub last_used_at_us: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
