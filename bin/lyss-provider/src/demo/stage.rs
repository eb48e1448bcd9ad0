//! What the demo needs in the database: tenant, channels, policies, a virtual key. A second run finds the first one's
//! and brings them up to date.

use std::net::SocketAddr;
use std::str::FromStr;

use anyhow::{Context, Result};
use lyss_adapters::preset::preset;
use lyss_domain::{
    ChannelId, ChannelState, KeyLimits, Micros, PolicyMode, PolicyScope, Secret, TenantId, TenantSettings,
    Window,
};
use lyss_management::{
    Acting, ChannelDraft, CredentialsDraft, KeyDraft, Management, PolicyDraft, TenantDraft,
};
use lyss_sandbox::{KEY_PREFIX, Sandbox, Vendor};

use super::{DemoArgs, system};
use crate::assemble::Service;
use crate::config::vendors::RealVendor;
use crate::first::TENANT;

/// Every channel the demo made, so that a later run may retire what it no longer uses.
const TAG: &str = "demo";
/// Real vendors come first, simulated ones stand in.
const SANDBOX_PRIORITY: i32 = 10;

/// `--upstream KIND=URL`.
#[derive(Clone, Debug)]
pub(crate) struct Upstream {
    kind: String,
    url: String,
    /// Where the URL names an address and not a host name.
    pub(crate) address: Option<SocketAddr>,
}

/// What was set up.
pub(crate) struct Stage {
    pub(crate) tenant: TenantId,
    /// The virtual key's text: its one showing.
    pub(crate) key: String,
    /// An administrator's token; `None`: only other issuers' are believed.
    pub(crate) token: Option<String>,
    pub(crate) channels: Vec<StagedChannel>,
}

pub(crate) struct StagedChannel {
    pub(crate) id: ChannelId,
    pub(crate) name: String,
    /// What is asked of it in the demo.
    pub(crate) model: String,
}

/// A channel to be made, and the model to try it with.
struct Wanted {
    draft: ChannelDraft,
    model: String,
}

impl FromStr for Upstream {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, url) = text.split_once('=').ok_or("write KIND=URL")?;
        preset(kind).ok_or("KIND is a built-in provider, such as openai, anthropic or openai_compatible")?;
        let authority = url.split_once("://").ok_or("URL begins with http:// or https://")?.1;
        let authority = authority.split('/').next().unwrap_or_default();
        Ok(Self { kind: kind.to_owned(), url: url.to_owned(), address: authority.parse().ok() })
    }
}

impl Stage {
    pub(crate) async fn set(
        service: &Service,
        sandbox: Option<&Sandbox>,
        args: &DemoArgs,
        real: Vec<RealVendor>,
    ) -> Result<Self> {
        let management = &*service.management;
        let tenant = tenant(management).await?;
        let acting = system::acting(system::scope(tenant));
        let mut wanted = Vec::new();
        for vendor in real {
            wanted.push(real_channel(vendor));
        }
        if let Some(sandbox) = sandbox {
            for vendor in Vendor::ALL {
                wanted.extend(sandbox_channel(sandbox, vendor)?);
            }
        }
        for (index, upstream) in args.upstream.iter().enumerate() {
            // Two channels each, so that there is something to balance.
            for copy in 1..=2 {
                wanted.push(upstream_channel(
                    upstream,
                    &format!("upstream-{}-{copy}", index + 1),
                    &args.models,
                )?);
            }
        }
        let mut channels = Vec::new();
        for Wanted { draft, model } in wanted {
            let channel = management.put_channel(&acting, draft).await?.channel;
            channels.push(StagedChannel { id: channel.id, name: channel.name, model });
        }
        retire(management, &acting, &channels).await?;
        policies(management, &acting).await?;
        let limits =
            KeyLimits { requests_per_minute: Some(100_000_000), tokens_per_minute: Some(4_000_000_000) };
        let draft = KeyDraft { limits, may_steer: true, ..KeyDraft::new("demo") };
        let issued = management.put_key(&acting, draft).await?;
        Ok(Self { tenant, key: shown(&issued.text)?, token: None, channels })
    }
}

async fn tenant(management: &Management) -> Result<TenantId> {
    if let Some(tenant) = management.tenant_by_slug(TENANT).await? {
        return Ok(tenant.id);
    }
    let draft = TenantDraft {
        slug: TENANT.to_owned(),
        name: "Default".to_owned(),
        settings: TenantSettings::default(),
    };
    Ok(management.create_tenant(&system::actor(), draft).await?.id)
}

fn real_channel(vendor: RealVendor) -> Wanted {
    let mut draft = ChannelDraft::new(vendor.slug, vendor.slug);
    draft.credentials = Some(CredentialsDraft::Plain(vendor.key));
    draft.api_base = vendor.api_base;
    draft.tags = vec![TAG.to_owned()];
    if draft.api_base.is_some() {
        // Azure: the deployment is the model.
        draft.supported_models = vec![vendor.model.clone()];
    }
    Wanted { draft, model: vendor.model }
}

fn sandbox_channel(sandbox: &Sandbox, vendor: Vendor) -> Result<Option<Wanted>> {
    let Some(api_base) = sandbox.api_base(vendor) else { return Ok(None) };
    let slug = vendor.slug();
    let mut draft = ChannelDraft::new(&format!("sandbox-{slug}"), slug);
    draft.credentials = Some(CredentialsDraft::Plain(Secret::from(format!("{KEY_PREFIX}demo"))));
    draft.api_base = Some(api_base);
    draft.priority = SANDBOX_PRIORITY;
    draft.tags = vec![TAG.to_owned(), "sandbox".to_owned()];
    let model = if vendor == Vendor::AzureOpenAi {
        // A name of its own, mapped, so that it does not share OpenAI's traffic. The simulator takes every deployment:
        // other names with this beginning are sent as they are, knobs and all.
        let name = "azure-gpt-4o-mini".to_owned();
        draft.model_mapping.insert(name.clone(), "gpt-4o-mini".to_owned());
        draft.supported_models = vec![name.clone(), "azure-*".to_owned()];
        name
    } else {
        // Each model, and the same with the simulator's knobs behind a plus sign.
        let models = vendor.models().iter();
        draft.supported_models =
            models.flat_map(|model| [(*model).to_owned(), format!("{model}+*")]).collect();
        (*vendor.models().first().context("a simulated vendor has no model")?).to_owned()
    };
    Ok(Some(Wanted { draft, model }))
}

fn upstream_channel(upstream: &Upstream, name: &str, models: &[String]) -> Result<Wanted> {
    let mut draft = ChannelDraft::new(name, &upstream.kind);
    draft.credentials = Some(CredentialsDraft::Plain(Secret::from("unused".to_owned())));
    draft.api_base = Some(upstream.url.clone());
    draft.supported_models = models.to_vec();
    draft.tags = vec![TAG.to_owned()];
    let model = models.first().context("--models is empty")?.clone();
    Ok(Wanted { draft, model })
}

/// Takes channels of earlier runs out of service that this run does not use.
async fn retire(management: &Management, acting: &Acting<'_>, channels: &[StagedChannel]) -> Result<()> {
    for stored in management.all_channels(&acting.scope).await? {
        let used = channels.iter().any(|channel| channel.id == stored.id);
        if !used && stored.tags.iter().any(|tag| tag == TAG) {
            management.set_channel_state(acting, stored.id, ChannelState::Disabled).await?;
        }
    }
    Ok(())
}

/// Enforced, and far away: every call of the demo is reserved and settled for real.
async fn policies(management: &Management, acting: &Acting<'_>) -> Result<()> {
    for (window, days) in [(Window::Day, 1), (Window::Month, 30)] {
        let draft = PolicyDraft {
            scope: PolicyScope::Tenant,
            window,
            limit_requests: Some(1_000_000_000 * days),
            limit_tokens: Some(1_000_000_000_000 * days),
            limit_cost: Some(Micros(1_000_000_000_000)),
            mode: PolicyMode::Enforce,
        };
        management.ensure_policy(acting, draft).await?;
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the demo shows the key it made, once")]
fn shown(text: &Secret) -> Result<String> {
    Ok(String::from_utf8(text.expose().to_vec())?)
}
