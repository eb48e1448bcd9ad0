//! The `{id}` in a path. One that cannot be read is not there, like one that never was and like another tenant's.

use std::future::{Ready, ready};
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use lyss_domain::{CallId, ChannelId, KeyId, PolicyId, TenantId};

use super::code::Code;
use super::failure::Failure;

/// Whose id stands in a path.
pub trait Addressed: FromStr + Copy + Send + 'static {
    /// What is said where there is no such one.
    const MISSING: Code;
}

/// An id out of the path.
#[derive(Clone, Copy)]
pub struct At<T>(pub T);

/// A provider's id out of the path. Whether there can be such a one is asked by the use-case.
pub struct AtProvider(pub String);

impl Addressed for TenantId {
    const MISSING: Code = Code::TenantNotFound;
}

impl Addressed for ChannelId {
    const MISSING: Code = Code::ChannelNotFound;
}

impl Addressed for KeyId {
    const MISSING: Code = Code::KeyNotFound;
}

impl Addressed for PolicyId {
    const MISSING: Code = Code::QuotaNotFound;
}

impl Addressed for CallId {
    const MISSING: Code = Code::RequestNotFound;
}

impl<T: Addressed> FromRequest for At<T> {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id = request.match_info().query("id").parse();
        ready(id.map(Self).map_err(|_| Failure::new(T::MISSING)))
    }
}

impl FromRequest for AtProvider {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(request.match_info().query("id").to_owned())))
    }
}
