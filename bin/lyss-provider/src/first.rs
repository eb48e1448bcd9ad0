//! The first start: an empty embedded database gets a tenant and a way in; an empty database of the operator's own gets a
//! hint.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use lyss_domain::{Role, TenantSettings};
use lyss_management::{Actor, TenantDraft};
use tracing::{info, warn};

use crate::assemble::{Service, is_embedded, token_secret};
use crate::config::Config;
use crate::data::DataFolder;
use crate::token;

/// The tenant that a first start makes.
pub(crate) const TENANT: &str = "default";

/// The first administrator's token, as a file of the data folder.
const TOKEN_FILE: &str = "admin-token";

const TOKEN_LIFETIME: Duration = Duration::from_hours(24 * 30);

/// Must be called within the background runtime.
pub(crate) async fn welcome(config: &Config, data: &DataFolder, service: &Service) -> Result<Option<String>> {
    if service.proxy.routes().catalog().tenants().next().is_some() {
        return Ok(None);
    }
    if !is_embedded(config) {
        warn!(
            "there is no tenant yet; make the first with POST /api/v1/tenants and the token that `lyss-provider token \
             issue --subject NAME --role platform_admin` prints"
        );
        return Ok(None);
    }
    let draft = TenantDraft {
        slug: TENANT.to_owned(),
        name: "Default".to_owned(),
        settings: TenantSettings::default(),
    };
    service.management.create_tenant(&Actor::system("system:first-start"), draft).await?;
    let Some(secret) = token_secret(config, data)? else {
        info!("made tenant 'default'; its tokens come from the issuers that are configured");
        return Ok(None);
    };
    // One of an earlier database may lie there still.
    data.forget(TOKEN_FILE)?;
    let make = || token::issue(config, &secret, "admin", Role::TenantAdmin, Some(TENANT), TOKEN_LIFETIME);
    let token = data.secret(TOKEN_FILE, make)?;
    info!(
        file = %data.path().join(TOKEN_FILE).display(),
        "made tenant 'default'; its administrator's token is in this file for 30 days, `lyss-provider token issue` makes \
         others"
    );
    Ok(Some(token))
}

/// Shows a person how to get in. A log is no place for a token, so only a terminal sees it.
pub(crate) fn greet(token: &str, address: SocketAddr) {
    if std::io::stdout().is_terminal() {
        println!(
            "\nThis is the first start. Tenant 'default' has been made; this is its administrator's token:\n\n  {token}\n\n\
             Try it:\n\n  curl http://{address}/api/v1/channels -H \"Authorization: Bearer {token}\"\n\n\
             The API is described at http://{address}/docs\n"
        );
    }
}
