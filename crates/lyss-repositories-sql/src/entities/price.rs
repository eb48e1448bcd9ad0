//! Rows of `prices`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "prices")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub model: String,
    pub effective_from_us: i64,
    pub input_micros: i64,
    pub cache_read_micros: i64,
    pub cache_write_micros: i64,
    pub cache_write_long_micros: i64,
    pub audio_input_micros: i64,
    pub output_micros: i64,
    pub audio_output_micros: i64,
    pub request_micros: i64,
    pub created_at_us: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
