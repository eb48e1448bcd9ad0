//! Rows of `quota_policies`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "quota_policies")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub scope: String,
    pub key_id: Option<Uuid>,
    pub channel_id: Option<Uuid>,
    pub model: Option<String>,
    pub window: String,
    pub limit_requests: Option<i64>,
    pub limit_tokens: Option<i64>,
    pub limit_cost_micros: Option<i64>,
    pub mode: String,
    pub created_at_us: i64,
    pub updated_at_us: i64,
    pub version: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
