//! How values that are more than their JSON type stand in the OpenAPI document.

use serde_json::{Value, json};
use utoipa::openapi::schema::{Array, Object, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{KnownFormat, RefOr};

use super::word::{Word, words};

/// One of a closed list.
pub(crate) fn word<T: Word>() -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words::<T>())).build()
}

pub(crate) fn word_or_null<T: Word>() -> Object {
    let words = words::<T>().into_iter().map(Value::from).chain([Value::Null]);
    ObjectBuilder::new().schema_type(or_null(Type::String)).enum_values(Some(words)).build()
}

pub(crate) fn words_of<T: Word>() -> Array {
    Array::new(RefOr::T(Schema::Object(word::<T>())))
}

pub(crate) fn moment() -> Object {
    date_time(Type::String.into())
}

pub(crate) fn moment_or_null() -> Object {
    date_time(or_null(Type::String))
}

pub(crate) fn id() -> Object {
    let uuid = SchemaFormat::Custom("uuid".to_owned());
    ObjectBuilder::new().schema_type(Type::String).format(Some(uuid)).build()
}

pub(crate) fn id_or_null() -> Object {
    let uuid = SchemaFormat::Custom("uuid".to_owned());
    ObjectBuilder::new().schema_type(or_null(Type::String)).format(Some(uuid)).build()
}

pub(crate) fn ids() -> Array {
    Array::new(RefOr::T(Schema::Object(id())))
}

pub(crate) fn text() -> Object {
    Object::with_type(Type::String)
}

pub(crate) fn number() -> Object {
    Object::with_type(Type::Integer)
}

pub(crate) fn flag() -> Object {
    Object::with_type(Type::Boolean)
}

/// `null`.
pub(crate) fn null() -> RefOr<Schema> {
    RefOr::T(Schema::Object(Object::with_type(Type::Null)))
}

/// Whatever JSON there is.
pub(crate) fn anything() -> RefOr<Schema> {
    RefOr::T(Schema::Object(Object::with_type(SchemaType::AnyValue)))
}

/// Entries to set, and null for those to remove; null removes them all.
pub(crate) fn patch_of_map() -> Object {
    let entry = Object::with_type(or_null(Type::String));
    let map = ObjectBuilder::new().schema_type(or_null(Type::Object));
    map.additional_properties(Some(Schema::Object(entry))).build()
}

fn date_time(kind: SchemaType) -> Object {
    let format = SchemaFormat::KnownFormat(KnownFormat::DateTime);
    let example = json!("2026-11-23T06:18:00Z");
    ObjectBuilder::new().schema_type(kind).format(Some(format)).examples([example]).build()
}

fn or_null(kind: Type) -> SchemaType {
    SchemaType::from_iter([kind, Type::Null])
}
