//! Rows of `providers`.

use sea_orm::entity::prelude::*;

use crate::json::{Auth, Headers, Strings};

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "providers")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub slug: String,
    pub name: String,
    pub kind: String,
    pub api_base: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub supported_models: Strings,
    #[sea_orm(column_type = "JsonBinary")]
    pub headers: Headers,
    #[sea_orm(column_type = "JsonBinary")]
    pub auth: Auth,
    pub created_at_us: i64,
    pub updated_at_us: i64,
    pub version: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
