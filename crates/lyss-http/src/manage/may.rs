//! Permissions as types, so that a handler's signature says which one it needs.

use lyss_auth::Permission;

/// One permission of the management API.
pub trait May: 'static {
    const PERMISSION: Permission;
}

pub enum ReadProviders {}
pub enum WriteProviders {}
pub enum TestProviders {}
pub enum ReadChannels {}
pub enum WriteChannels {}
pub enum OperateChannels {}
pub enum ReadKeys {}
pub enum WriteKeys {}
pub enum ReadQuotas {}
pub enum WriteQuotas {}
pub enum ReadPrices {}
pub enum WritePrices {}
pub enum ReadUsage {}
pub enum ExplainRouting {}
pub enum ReadReports {}
pub enum ReadAlerts {}
pub enum WriteAlerts {}
pub enum ReadAudit {}
pub enum ReadTenants {}
pub enum WriteTenants {}

impl May for ReadProviders {
    const PERMISSION: Permission = Permission::ReadProviders;
}

impl May for WriteProviders {
    const PERMISSION: Permission = Permission::WriteProviders;
}

impl May for TestProviders {
    const PERMISSION: Permission = Permission::TestProviders;
}

impl May for ReadChannels {
    const PERMISSION: Permission = Permission::ReadChannels;
}

impl May for WriteChannels {
    const PERMISSION: Permission = Permission::WriteChannels;
}

impl May for OperateChannels {
    const PERMISSION: Permission = Permission::OperateChannels;
}

impl May for ReadKeys {
    const PERMISSION: Permission = Permission::ReadKeys;
}

impl May for WriteKeys {
    const PERMISSION: Permission = Permission::WriteKeys;
}

impl May for ReadQuotas {
    const PERMISSION: Permission = Permission::ReadQuotas;
}

impl May for WriteQuotas {
    const PERMISSION: Permission = Permission::WriteQuotas;
}

impl May for ReadPrices {
    const PERMISSION: Permission = Permission::ReadPrices;
}

impl May for WritePrices {
    const PERMISSION: Permission = Permission::WritePrices;
}

impl May for ReadUsage {
    const PERMISSION: Permission = Permission::ReadUsage;
}

impl May for ExplainRouting {
    const PERMISSION: Permission = Permission::ExplainRouting;
}

impl May for ReadReports {
    const PERMISSION: Permission = Permission::ReadReports;
}

impl May for ReadAlerts {
    const PERMISSION: Permission = Permission::ReadAlerts;
}

impl May for WriteAlerts {
    const PERMISSION: Permission = Permission::WriteAlerts;
}

impl May for ReadAudit {
    const PERMISSION: Permission = Permission::ReadAudit;
}

impl May for ReadTenants {
    const PERMISSION: Permission = Permission::ReadTenants;
}

impl May for WriteTenants {
    const PERMISSION: Permission = Permission::WriteTenants;
}
