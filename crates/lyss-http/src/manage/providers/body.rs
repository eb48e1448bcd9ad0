//! Providers in JSON.

use std::collections::BTreeMap;

use lyss_domain::{AuthScheme, ProviderKind};
use lyss_management::{ProviderChange, ProviderDraft, ProviderView, TestDraft, TestError, Tested};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::manage::schema;
use crate::manage::word::{Moment, Named, Patch, SecretText, patch, present};

/// What is left out is the built-in's of that id, where there is one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProviderCreate, example = json!({
    "provider_id": "openai", "name": "OpenAI", "api_base": "https://api.openai.com/v1",
    "supported_models": ["gpt-3.5-turbo", "gpt-4"]
}))]
pub(super) struct ProviderBody {
    /// Id or slug; must be the tenant that is acted for.
    pub(super) tenant_id: Option<String>,
    /// 1 to 64 of `a-z`, `0-9`, `-`, `_`.
    provider_id: String,
    name: String,
    /// The built-in's of that id, else `openai_compatible`, unless given.
    #[schema(schema_with = schema::word::<ProviderKind>, required = false)]
    kind: Option<Named<ProviderKind>>,
    /// What the vendor's own SDK takes.
    api_base: Option<String>,
    supported_models: Option<Vec<String>>,
    /// Sent with every request; never a credential.
    headers: Option<BTreeMap<String, String>>,
    auth: Option<AuthDto>,
}

/// In which header the vendor wants its key: `"bearer"`, `{"header": "x-api-key"}`, or `"none"`.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ProviderAuth)]
pub(super) enum AuthDto {
    Bearer,
    Header(String),
    None,
}

/// A JSON merge patch; null brings back the built-in's, or nothing.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProviderPatch)]
pub(super) struct ProviderPatch {
    /// Id or slug; must be the tenant that is acted for.
    pub(super) tenant_id: Option<String>,
    #[serde(default, deserialize_with = "present")]
    name: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(schema_with = schema::word::<ProviderKind>, required = false)]
    kind: Option<Named<ProviderKind>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<String>)]
    api_base: Patch<String>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<Vec<String>>)]
    supported_models: Patch<Vec<String>>,
    /// A header that is null is removed.
    #[serde(default, deserialize_with = "patch")]
    #[schema(schema_with = schema::patch_of_map, required = false)]
    headers: Patch<BTreeMap<String, Option<String>>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<AuthDto>)]
    auth: Patch<AuthDto>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Provider)]
pub(super) struct ProviderDto {
    id: String,
    /// The same as `id`.
    provider_id: String,
    name: String,
    #[schema(schema_with = schema::word::<ProviderKind>)]
    kind: Named<ProviderKind>,
    /// Null where every customer has an address of their own.
    api_base: Option<String>,
    supported_models: Vec<String>,
    headers: BTreeMap<String, String>,
    auth: AuthDto,
    /// A part of the service, which cannot be changed.
    built_in: bool,
    #[schema(schema_with = schema::moment_or_null)]
    created_at: Option<Moment>,
    #[schema(schema_with = schema::moment_or_null)]
    updated_at: Option<Moment>,
    version: Option<i64>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProviderTest, example = json!({ "credentials": { "api_key": "sk-..." } }))]
pub(super) struct TestBody {
    /// Id or slug; must be the tenant that is acted for.
    pub(super) tenant_id: Option<String>,
    credentials: Option<TestCredentials>,
    /// Another address than the provider's; only together with a key from this body.
    api_base: Option<String>,
    /// A model that should be in the vendor's list.
    model: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TestCredentials {
    #[schema(value_type = Option<String>)]
    api_key: Option<SecretText>,
    /// Azure's.
    api_version: Option<String>,
}

/// What came of a test.
#[derive(Serialize, ToSchema)]
#[schema(as = Tested)]
pub(crate) struct TestedDto {
    /// The vendor accepted the credential.
    ok: bool,
    latency_ms: u64,
    /// As the vendor lists them.
    models: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<TestErrorDto>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = TestError)]
struct TestErrorDto {
    /// `auth`, `quota`, `not_found`, `rate_limited`, `network`, `timeout`, `tls`, `protocol` or `server`.
    #[schema(value_type = String)]
    class: &'static str,
    /// The vendor's HTTP status, where it answered.
    status: Option<u16>,
    #[schema(value_type = String)]
    message: &'static str,
}

impl ProviderBody {
    pub(super) fn draft(self) -> ProviderDraft {
        ProviderDraft {
            slug: self.provider_id,
            name: self.name,
            kind: self.kind.map(|kind| kind.0),
            api_base: self.api_base,
            supported_models: self.supported_models.unwrap_or_default(),
            headers: self.headers.unwrap_or_default().into_iter().collect(),
            auth: self.auth.map(AuthScheme::from),
        }
    }
}

impl ProviderPatch {
    pub(super) fn change(self) -> ProviderChange {
        ProviderChange {
            name: self.name,
            kind: self.kind.map(|kind| kind.0),
            api_base: self.api_base,
            supported_models: self.supported_models,
            headers: self.headers,
            auth: self.auth.map(|auth| auth.map(AuthScheme::from)),
        }
    }
}

impl TestBody {
    pub(super) fn draft(self) -> TestDraft {
        let (api_key, api_version) = match self.credentials {
            Some(given) => (given.api_key.map(|key| key.0), given.api_version),
            None => (None, None),
        };
        TestDraft { api_key, api_version, api_base: self.api_base, model: self.model }
    }
}

impl From<AuthDto> for AuthScheme {
    fn from(auth: AuthDto) -> Self {
        match auth {
            AuthDto::Bearer => Self::Bearer,
            AuthDto::Header(name) => Self::Header(name),
            AuthDto::None => Self::None,
        }
    }
}

impl From<AuthScheme> for AuthDto {
    fn from(auth: AuthScheme) -> Self {
        match auth {
            AuthScheme::Bearer => Self::Bearer,
            AuthScheme::Header(name) => Self::Header(name),
            AuthScheme::None => Self::None,
        }
    }
}

impl From<ProviderView> for ProviderDto {
    fn from(provider: ProviderView) -> Self {
        let own = provider.own;
        Self {
            id: provider.slug.to_string(),
            provider_id: provider.slug.to_string(),
            name: provider.name,
            kind: Named(provider.kind),
            api_base: provider.api_base,
            supported_models: provider.supported_models,
            headers: provider.headers.into_iter().collect(),
            auth: provider.auth.into(),
            built_in: own.is_none(),
            created_at: own.map(|own| Moment(own.created_at)),
            updated_at: own.map(|own| Moment(own.updated_at)),
            version: own.map(|own| own.version),
        }
    }
}

impl From<Tested> for TestedDto {
    fn from(tested: Tested) -> Self {
        let error =
            |TestError { class, status, message }| TestErrorDto { class: class.as_str(), status, message };
        Self {
            ok: tested.ok,
            latency_ms: tested.latency_ms,
            models: tested.models,
            error: tested.error.map(error),
        }
    }
}
