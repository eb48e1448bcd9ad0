//! One sample of every stored thing, with every field filled, made from small numbers: the same number gives the
//! same value. Times are whole microseconds, so that every database gives back what it was given.

use std::collections::BTreeMap;
use std::time::Duration;

use lyss_domain::{
    Affinity, AttemptId, AttemptRecord, AuditEntry, AuditId, AuditOutcome, AuthScheme, CallId, Channel,
    ChannelId, ChannelLimits, ChannelState, ChannelTimeouts, FaultKind, HealthEvent, HealthEventId,
    HealthEventKind, HealthSource, HealthState, IdempotencyRecord, KeyDigest, KeyId, KeyLimits, KeyScope,
    Micros, Objective, Operation, PolicyId, PolicyMode, PolicyScope, PreviousDigest, Price, PriceId,
    ProbeMode, Provider, ProviderKind, ProviderSlug, QuotaPolicy, Rates, RoutingRule, RoutingSettings,
    SealedCredential, Strategy, Tenant, TenantId, TenantScope, TenantSettings, Terminal, Timestamp,
    TokenUsage, UsageSource, VirtualKey, Window,
};
use lyss_repositories::{PurposeKey, WrappedKey};
use uuid::Uuid;

/// Ids of different kinds never meet: the kind is in the upper half.
fn id(kind: u64, number: u64) -> Uuid {
    Uuid::from_u64_pair(kind, number)
}

pub fn tenant_id(number: u64) -> TenantId {
    TenantId(id(1, number))
}

pub fn channel_id(number: u64) -> ChannelId {
    ChannelId(id(2, number))
}

pub fn key_id(number: u64) -> KeyId {
    KeyId(id(3, number))
}

pub fn policy_id(number: u64) -> PolicyId {
    PolicyId(id(4, number))
}

pub fn scope(number: u64) -> TenantScope {
    TenantScope::grant(tenant_id(number))
}

pub fn slug(text: &str) -> ProviderSlug {
    text.parse().expect("a provider slug")
}

/// The second of this number since the beginning of 2026.
pub fn at(second: u64) -> Timestamp {
    Timestamp::from_millis(1_767_225_600_000).after(Duration::from_secs(second))
}

pub fn tenant(number: u64) -> Tenant {
    Tenant {
        id: tenant_id(number),
        slug: format!("tenant-{number}"),
        name: format!("Tenant № {number}"),
        enabled: true,
        settings: TenantSettings {
            time_zone: "Europe/Berlin".to_owned(),
            routing: RoutingSettings {
                default: RoutingRule {
                    affinity: Some(Affinity::Session),
                    ..RoutingRule::strategy(Strategy::RoundRobin)
                },
                models: BTreeMap::from([
                    ("gpt-*".to_owned(), RoutingRule::strategy(Strategy::WeightedRandom)),
                    (
                        "gpt-4o".to_owned(),
                        RoutingRule {
                            hedge: Some(true),
                            objective: Some(Objective::Cost),
                            ..RoutingRule::default()
                        },
                    ),
                ]),
            },
            retention_days: Some(30),
            share: 3,
        },
        created_at: at(0),
        updated_at: at(1),
        version: 1,
    }
}

pub fn provider(tenant: u64, text: &str) -> Provider {
    Provider {
        slug: slug(text),
        tenant: Some(tenant_id(tenant)),
        name: format!("Provider {text}"),
        kind: ProviderKind::OpenAiCompatible,
        api_base: "https://models.example/v1".to_owned(),
        supported_models: vec!["llama-3".to_owned(), "qwen-*".to_owned()],
        headers: vec![("x-b".to_owned(), "2".to_owned()), ("x-a".to_owned(), "1".to_owned())],
        auth: AuthScheme::Header("x-api-key".to_owned()),
        created_at: at(0),
        updated_at: at(1),
        version: 1,
    }
}

pub fn channel(tenant: u64, number: u64) -> Channel {
    Channel {
        id: channel_id(number),
        tenant: tenant_id(tenant),
        name: format!("channel-{number:04}"),
        provider: slug("openai"),
        api_base: Some("https://eu.models.example/v1".to_owned()),
        supported_models: vec!["gpt-4o".to_owned()],
        model_mapping: BTreeMap::from([("fast".to_owned(), "gpt-4o-mini".to_owned())]),
        weight: 1_000_000,
        priority: -3,
        limits: ChannelLimits {
            requests_per_minute: Some(60),
            tokens_per_minute: Some(u32::MAX),
            concurrency: Some(8),
            adaptive_concurrency: true,
        },
        timeouts: ChannelTimeouts {
            connect: Some(Duration::from_millis(1_500)),
            first_byte: Some(Duration::from_secs(30)),
            idle: None,
            total: Some(Duration::from_micros(600_000_001)),
        },
        max_retries: Some(0),
        state: ChannelState::Enabled,
        tags: vec!["eu".to_owned(), "fast".to_owned()],
        group: Some("primary".to_owned()),
        api_version: Some("2026-10-01".to_owned()),
        deployment_map: BTreeMap::from([("gpt-4o".to_owned(), "my-deployment".to_owned())]),
        responses_models: Some(vec!["o1-pro*".to_owned()]),
        probe: ProbeMode::Paid,
        created_at: at(0),
        updated_at: at(1),
        version: 1,
    }
}

pub fn credential(tenant: u64, channel: u64) -> SealedCredential {
    SealedCredential {
        tenant: tenant_id(tenant),
        channel: channel_id(channel),
        origin: "https://eu.models.example:443".to_owned(),
        version: 1,
        data_key_version: 1,
        sealed: vec![0, 255, 1, 254],
        hint: "…abcd".to_owned(),
    }
}

pub fn wrapped_key(tenant: u64, version: i32, master_key_id: &str) -> WrappedKey {
    WrappedKey {
        tenant: tenant_id(tenant),
        version,
        master_key_id: master_key_id.to_owned(),
        wrapped: vec![7; 60],
        created_at: at(2),
    }
}

pub fn purpose_key(purpose: &str, fill: u8) -> PurposeKey {
    PurposeKey {
        purpose: purpose.to_owned(),
        master_key_id: "master-1".to_owned(),
        wrapped: vec![fill; 60],
        created_at: at(3),
    }
}

pub fn virtual_key(tenant: u64, number: u64) -> VirtualKey {
    let mut digest = [9; 32];
    digest[..8].copy_from_slice(&number.to_be_bytes());
    let mut previous = digest;
    previous[31] = 8;
    VirtualKey {
        id: key_id(number),
        tenant: tenant_id(tenant),
        name: format!("key-{number:04}"),
        digest: KeyDigest(digest),
        previous: Some(PreviousDigest { digest: KeyDigest(previous), valid_until: at(100) }),
        hint: "lyss_…wxyz".to_owned(),
        scopes: vec![KeyScope::Proxy, KeyScope::ManagementRead],
        models: vec!["gpt-*".to_owned()],
        channels: vec![channel_id(1), channel_id(2)],
        tags: vec!["eu".to_owned()],
        allowed_ips: vec!["10.0.0.0/8".to_owned()],
        limits: KeyLimits { requests_per_minute: Some(10), tokens_per_minute: None },
        strategy: Some(Strategy::BestPerformance),
        may_steer: true,
        expires_at: Some(at(1_000)),
        revoked_at: None,
        last_used_at: Some(at(2)),
        created_at: at(0),
        updated_at: at(1),
        version: 1,
    }
}

pub fn policy(tenant: u64, number: u64, scope: PolicyScope) -> QuotaPolicy {
    QuotaPolicy {
        id: policy_id(number),
        tenant: tenant_id(tenant),
        scope,
        window: Window::Month,
        limit_requests: Some(1_000),
        limit_tokens: Some(1 << 40),
        limit_cost: Some(Micros(5_000_000)),
        mode: PolicyMode::Shadow,
        created_at: at(0),
        updated_at: at(1),
        version: 1,
    }
}

pub fn price(tenant: u64, number: u64, model: &str, second: u64) -> Price {
    Price {
        id: PriceId(id(5, number)),
        tenant: Some(tenant_id(tenant)),
        model: model.to_owned(),
        effective_from: at(second),
        rates: Rates {
            input: 150_000,
            cache_read: 75_000,
            cache_write: 1,
            cache_write_long: 2,
            audio_input: 3,
            output: 600_000,
            audio_output: 4,
            request: 5,
        },
        created_at: at(0),
    }
}

/// Begun in the second of this number.
pub fn call_id(number: u64) -> CallId {
    let millis = u64::try_from(at(number).as_millis()).expect("after 1970");
    CallId::from_parts(millis, &[6; 10])
}

/// The first attempt of its call.
pub fn attempt(tenant: u64, number: u64) -> AttemptRecord {
    AttemptRecord {
        id: AttemptId::of(call_id(number), 0),
        call: call_id(number),
        ordinal: 0,
        tenant: tenant_id(tenant),
        key: key_id(1),
        channel: channel_id(1),
        provider: slug("openai"),
        model_asked: "fast".to_owned(),
        model_served: "gpt-4o-mini".to_owned(),
        strategy: Strategy::WeightedRandom,
        stream: true,
        terminal: Terminal::Complete,
        fault: None,
        status: Some(200),
        usage: TokenUsage {
            input: 1,
            cache_read: 2,
            cache_write: 4,
            cache_write_long: 8,
            audio_input: 16,
            output: 32,
            reasoning: 31,
            audio_output: 64,
        },
        usage_source: UsageSource::Provider,
        cost: Micros(123),
        price: Some(PriceId(id(5, 1))),
        started_at: at(number),
        ttft_us: Some(250_000),
        total_us: 1_250_000,
        operation: Operation::Chat,
        losses: vec!["seed".to_owned(), "messages[2].image".to_owned()],
        decision: Some(Box::new([0, 255, 10, 13, 34])),
    }
}

pub fn audit_entry(tenant: u64, sequence: i64) -> AuditEntry {
    AuditEntry {
        id: AuditId(id(8, u64::try_from(sequence).expect("a sequence counts from one"))),
        tenant: tenant_id(tenant),
        sequence,
        at: at(4),
        actor: "system:test".to_owned(),
        address: Some("127.0.0.1".to_owned()),
        action: "channel.create".to_owned(),
        target: format!("channel:{}", channel_id(1)),
        outcome: AuditOutcome::Done,
        detail: "{\"b\": 1,  \"a\": 2}".to_owned(),
        previous: [1; 32],
        digest: [2; 32],
    }
}

/// Of one model on a channel, as it was in this second.
pub fn health_state(tenant: u64, channel: u64, second: u64) -> HealthState {
    HealthState {
        tenant: tenant_id(tenant),
        channel: channel_id(channel),
        model: Some("gpt-4o-mini".to_owned()),
        state: vec![0, 255, 1, 254],
        updated_at: at(second),
    }
}

/// Happened in the second of this number.
pub fn health_event(tenant: u64, channel: u64, number: u64) -> HealthEvent {
    HealthEvent {
        id: HealthEventId(id(9, number)),
        tenant: tenant_id(tenant),
        channel: channel_id(channel),
        model: Some("gpt-4o-mini".to_owned()),
        at: at(number),
        kind: HealthEventKind::Ejected,
        fault: Some(FaultKind::Overloaded),
        lasting: Some(Duration::from_secs(4)),
        source: HealthSource::Traffic,
        latency: Some(Duration::from_micros(1_250_001)),
    }
}

/// Claimed at this second, for sixty seconds.
pub fn idempotency_record(tenant: u64, key: &str, second: u64) -> IdempotencyRecord {
    IdempotencyRecord {
        tenant: tenant_id(tenant),
        key: key.to_owned(),
        fingerprint: [3; 32],
        answer: None,
        created_at: at(second),
        expires_at: at(second + 60),
    }
}
