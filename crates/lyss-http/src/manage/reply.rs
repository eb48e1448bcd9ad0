//! What a management request is answered with: `{"success": true, "data": …, "request_id": "…"}`.

use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, ETAG, HeaderName, HeaderValue, LOCATION, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use actix_web::{HttpResponse, HttpResponseBuilder};
use lyss_domain::CallId;
use lyss_management::{Page, Paged};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use tracing::error;

use super::accept::Media;
use super::code::Code;
use super::failure::{Failure, REQUEST_ID};

/// A success. Its data is written already, so that it can be kept for whoever repeats the request.
#[derive(Debug)]
pub struct Reply {
    status: StatusCode,
    told: Told,
    replayed: bool,
    /// For people, instead of the envelope.
    page: Option<(Media, String)>,
}

/// What a page may do: nothing but be looked at.
const PAGE_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// What a repeated request must be told again.
#[derive(Debug, Serialize, Deserialize)]
struct Told {
    data: Box<RawValue>,
    version: Option<i64>,
    location: Option<String>,
}

#[derive(Serialize)]
struct Envelope<'a> {
    success: bool,
    data: &'a RawValue,
    request_id: &'a str,
}

#[derive(Serialize)]
struct Listed<T> {
    items: Vec<T>,
    total: u64,
    page: u32,
    page_size: u32,
}

impl Reply {
    pub fn ok(data: &impl Serialize) -> Result<Self, Failure> {
        let data = to_raw_value(data).map_err(unwritable)?;
        let told = Told { data, version: None, location: None };
        Ok(Self { status: StatusCode::OK, told, replayed: false, page: None })
    }

    /// `data: null`.
    pub fn nothing() -> Result<Self, Failure> {
        Self::ok(&())
    }

    /// A text for people in the form that was asked for.
    pub fn page(media: Media, text: String) -> Result<Self, Failure> {
        Ok(Self { page: Some((media, text)), ..Self::nothing()? })
    }

    /// A part of a list.
    pub fn list<T, D: Serialize + From<T>>(paged: Paged<T>, page: Page) -> Result<Self, Failure> {
        let items: Vec<D> = paged.items.into_iter().map(D::from).collect();
        Self::ok(&Listed { items, total: paged.total, page: page.number, page_size: page.size })
    }

    /// A part of a list that is here whole.
    pub fn part<T, D: Serialize + From<T>>(whole: Vec<T>, page: Page) -> Result<Self, Failure> {
        let total = whole.len() as u64;
        let before = usize::try_from(page.offset()).unwrap_or(usize::MAX);
        let size = usize::try_from(page.size).unwrap_or(usize::MAX);
        let items = whole.into_iter().skip(before).take(size).collect();
        Self::list::<T, D>(Paged { items, total }, page)
    }

    /// With an `ETag`.
    pub fn at_version(mut self, version: Option<i64>) -> Self {
        self.told.version = version;
        self
    }

    /// A new thing, and its address where it has one.
    pub fn made(mut self, location: Option<String>) -> Self {
        self.status = StatusCode::CREATED;
        self.told.location = location;
        self
    }

    /// To be kept beside an `Idempotency-Key`.
    pub(crate) fn to_kept(&self) -> Result<(u16, Vec<u8>), Failure> {
        Ok((self.status.as_u16(), serde_json::to_vec(&self.told).map_err(unwritable)?))
    }

    /// What [`Reply::to_kept`] made, told again.
    pub(crate) fn from_kept(status: u16, kept: &[u8]) -> Result<Self, Failure> {
        let told = serde_json::from_slice(kept).map_err(unwritable)?;
        let status = StatusCode::from_u16(status).map_err(unwritable)?;
        Ok(Self { status, told, replayed: true, page: None })
    }

    pub(crate) fn respond(&self, id: CallId) -> HttpResponse {
        let request_id = id.to_string();
        let mut response = HttpResponse::build(self.status);
        response.insert_header((REQUEST_ID, request_id.as_str()));
        // A key's one showing must not rest in a cache, nor anything else that one credential may see.
        response.insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")));
        if let Some(version) = self.told.version {
            response.insert_header((ETAG, format!("\"{version}\"")));
        }
        if let Some(location) = &self.told.location {
            response.insert_header((LOCATION, location.as_str()));
        }
        if self.replayed {
            response.insert_header(("idempotent-replayed", "true"));
        }
        if let Some((media, text)) = &self.page {
            return page(response, *media, text.clone());
        }
        response.json(Envelope { success: true, data: &self.told.data, request_id: &request_id })
    }
}

/// Names of channels and models are other people's words: whatever they hold, nothing of it runs.
fn page(mut response: HttpResponseBuilder, media: Media, text: String) -> HttpResponse {
    let headers: [(HeaderName, &'static str); 3] =
        [(CONTENT_SECURITY_POLICY, PAGE_POLICY), (X_CONTENT_TYPE_OPTIONS, "nosniff"), (VARY, "accept")];
    for (name, value) in headers {
        response.insert_header((name, HeaderValue::from_static(value)));
    }
    response.content_type(format!("{}; charset=utf-8", media.as_str())).body(text)
}

/// The error's text may quote the value: only its kind is logged.
fn unwritable<E>(_: E) -> Failure {
    error!(kind = std::any::type_name::<E>(), "an answer could not be written");
    Failure::new(Code::Internal)
}
