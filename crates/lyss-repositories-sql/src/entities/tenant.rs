//! Rows of `tenants`.

use sea_orm::entity::prelude::*;

use crate::json::Settings;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "tenants")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub slug: String,
    pub name: String,
    pub enabled: bool,
    #[sea_orm(column_type = "JsonBinary")]
    pub settings: Settings,
    pub created_at_us: i64,
    pub updated_at_us: i64,
    pub version: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
