//! What an entry shows of a change: the configuration before and after, in the API's words, without a secret. A credential
//! is its hint and version, a key its hint, a header its name.

use std::time::Duration;

use lyss_domain::{
    AuthScheme, Channel, ChannelState, PolicyScope, Price, Provider, QuotaPolicy, RoutingRule,
    SealedCredential, Tenant, VirtualKey,
};
use serde_json::{Map, Value, json};

/// `{"before": …, "after": …}`, each only where it is.
pub(crate) fn change(before: Option<Value>, after: Option<Value>) -> String {
    let sides = [("before", before), ("after", after)];
    let sides: Map<_, _> =
        sides.into_iter().filter_map(|(side, value)| Some((side.to_owned(), value?))).collect();
    Value::Object(sides).to_string()
}

pub(crate) fn tenant(tenant: &Tenant) -> Value {
    let routing = &tenant.settings.routing;
    let models: Map<_, _> = routing
        .models
        .iter()
        .map(|(pattern, rule)| (pattern.clone(), Value::Object(self::rule("strategy", rule))))
        .collect();
    let mut shown = rule("default", &routing.default);
    shown.insert("models".to_owned(), Value::Object(models));
    json!({
        "slug": tenant.slug,
        "name": tenant.name,
        "enabled": tenant.enabled,
        "settings": {
            "time_zone": tenant.settings.time_zone,
            "routing": shown,
            "retention_days": tenant.settings.retention_days,
            "share": tenant.settings.share,
        },
    })
}

/// What a rule says, its strategy under this name.
fn rule(strategy: &str, rule: &RoutingRule) -> Map<String, Value> {
    let said = [
        (strategy, rule.strategy.map(|one| one.as_str().into())),
        ("hedge", rule.hedge.map(Value::Bool)),
        ("objective", rule.objective.map(|one| one.as_str().into())),
        ("affinity", rule.affinity.map(|one| one.as_str().into())),
    ];
    said.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

pub(crate) fn provider(provider: &Provider) -> Value {
    // A header is said to hold no credential, but whoever misuses one must not find it copied here.
    let headers: Vec<_> = provider.headers.iter().map(|(name, _)| name.as_str()).collect();
    json!({
        "provider_id": provider.slug.as_str(),
        "name": provider.name,
        "kind": provider.kind.as_str(),
        "api_base": provider.api_base,
        "supported_models": provider.supported_models,
        "headers": headers,
        "auth": auth(&provider.auth),
    })
}

pub(crate) fn channel(channel: &Channel, credential: Option<&SealedCredential>) -> Value {
    json!({
        "name": channel.name,
        "provider_id": channel.provider.as_str(),
        "api_base": channel.api_base,
        "supported_models": channel.supported_models,
        "model_mapping": channel.model_mapping,
        "weight": channel.weight,
        "priority": channel.priority,
        "limits": {
            "rpm": channel.limits.requests_per_minute,
            "tpm": channel.limits.tokens_per_minute,
            "concurrency": channel.limits.concurrency,
            "adaptive_concurrency": channel.limits.adaptive_concurrency,
        },
        "timeouts_ms": {
            "connect": millis(channel.timeouts.connect),
            "first_byte": millis(channel.timeouts.first_byte),
            "idle": millis(channel.timeouts.idle),
            "total": millis(channel.timeouts.total),
        },
        "max_retries": channel.max_retries,
        "state": channel.state.as_str(),
        "tags": channel.tags,
        "group": channel.group,
        "api_version": channel.api_version,
        "deployment_map": channel.deployment_map,
        "responses_models": channel.responses_models,
        "probe": channel.probe.as_str(),
        "credential": credential.map(|sealed| json!({ "hint": sealed.hint, "version": sealed.version })),
    })
}

pub(crate) fn state(state: ChannelState) -> Value {
    json!({ "state": state.as_str() })
}

pub(crate) fn key(key: &VirtualKey) -> Value {
    let channels: Vec<_> = key.channels.iter().map(ToString::to_string).collect();
    let scopes: Vec<_> = key.scopes.iter().map(|scope| scope.as_str()).collect();
    json!({
        "name": key.name,
        "hint": key.hint,
        "scopes": scopes,
        "models": key.models,
        "channels": channels,
        "tags": key.tags,
        "allowed_ips": key.allowed_ips,
        "limits": { "rpm": key.limits.requests_per_minute, "tpm": key.limits.tokens_per_minute },
        "strategy": key.strategy.map(|strategy| strategy.as_str()),
        "may_steer": key.may_steer,
        "expires_at": key.expires_at.map(|at| at.to_string()),
        "revoked_at": key.revoked_at.map(|at| at.to_string()),
        "previous_valid_until": key.previous.map(|previous| previous.valid_until.to_string()),
    })
}

pub(crate) fn quota(policy: &QuotaPolicy) -> Value {
    let (scope, scope_id) = match &policy.scope {
        PolicyScope::Tenant => ("tenant", None),
        PolicyScope::Key(id) => ("key", Some(id.to_string())),
        PolicyScope::Channel(id) => ("channel", Some(id.to_string())),
        PolicyScope::Model(pattern) => ("model", Some(pattern.clone())),
    };
    json!({
        "scope": scope,
        "scope_id": scope_id,
        "window": policy.window.as_str(),
        "limit_requests": policy.limit_requests,
        "limit_tokens": policy.limit_tokens,
        "limit_cost_micros": policy.limit_cost.map(|cost| cost.0),
        "mode": policy.mode.as_str(),
    })
}

pub(crate) fn price(price: &Price) -> Value {
    let rates = &price.rates;
    json!({
        "model": price.model,
        "effective_from": price.effective_from.to_string(),
        "input_micros": rates.input,
        "cache_read_micros": rates.cache_read,
        "cache_write_micros": rates.cache_write,
        "cache_write_long_micros": rates.cache_write_long,
        "audio_input_micros": rates.audio_input,
        "output_micros": rates.output,
        "audio_output_micros": rates.audio_output,
        "request_micros": rates.request,
    })
}

fn auth(scheme: &AuthScheme) -> Value {
    match scheme {
        AuthScheme::Bearer => json!("bearer"),
        AuthScheme::Header(name) => json!({ "header": name }),
        AuthScheme::None => json!("none"),
    }
}

fn millis(span: Option<Duration>) -> Option<u64> {
    span.map(|span| u64::try_from(span.as_millis()).unwrap_or(u64::MAX))
}
