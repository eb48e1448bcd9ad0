//! What a store may answer instead of a value.

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A unique name or id is taken; the field's name.
    #[error("{0} is already in use")]
    Conflict(&'static str),
    /// The row changed since it was read (its version is not the expected one), or is gone.
    #[error("the row was changed by somebody else")]
    Stale,
    /// A row refers to something that is not there, or is still referred to.
    #[error("a reference does not hold: {0}")]
    Reference(&'static str),
    /// What is stored cannot be read as what it should be.
    #[error("stored value is not readable: {0}")]
    Corrupt(&'static str),
    /// The database is away, too slow or refuses work; the text names no secret and no address.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
}
