//! The few bytes of a request that may differ from what the caller sent when both sides speak one dialect.

/// What is to be written into the body. Everything else goes on byte for byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Splices<'a> {
    /// The vendor's name for the model, where it differs from the asked one.
    pub model: Option<&'a str>,
    /// Ask for usage in the stream although the caller did not.
    pub include_usage: bool,
    /// An output limit where the caller sent none.
    pub output_limit: Option<OutputLimit>,
}

/// A limit under the name the vendor reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputLimit {
    pub field: &'static str,
    pub tokens: u64,
}
