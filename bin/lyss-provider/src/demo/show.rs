//! The demo's calls, one after another, and the records they left.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use lyss_domain::{AttemptRecord, TenantScope};
use lyss_ledger::Ledger;
use lyss_repositories::AttemptStore;
use lyss_repositories_sql::SqlStore;

use super::client::Client;
use super::print;
use super::stage::{Stage, StagedChannel};
use super::system;
use crate::assemble::Service;

/// Everything the calls need, owned, so that they run beside the server.
pub(crate) struct Show {
    client: Client,
    channels: Vec<StagedChannel>,
    scope: TenantScope,
    store: SqlStore,
    ledger: Ledger,
}

/// One channel's line in the table.
pub(crate) struct Row {
    pub(crate) channel: String,
    pub(crate) model: String,
    pub(crate) outcome: Result<AttemptRecord>,
}

impl Show {
    pub(crate) fn new(service: &Service, stage: &Stage, address: SocketAddr) -> Result<Self> {
        let channels = stage.channels.iter().map(|channel| StagedChannel {
            id: channel.id,
            name: channel.name.clone(),
            model: channel.model.clone(),
        });
        Ok(Self {
            client: Client::new(address, stage.key.clone())?,
            channels: channels.collect(),
            scope: system::scope(stage.tenant),
            store: service.store.clone(),
            ledger: service.ledger.clone(),
        })
    }

    pub(crate) async fn play(self) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        for channel in &self.channels {
            print::title(channel);
            let outcome = self.call(channel).await;
            print::ended(outcome.as_ref().err());
            rows.push(Row { channel: channel.name.clone(), model: channel.model.clone(), outcome });
        }
        Ok(rows)
    }

    async fn call(&self, channel: &StagedChannel) -> Result<AttemptRecord> {
        let prompt = format!("Introduce yourself to the users of the channel '{}'.", channel.name);
        let heard = self.client.chat(channel, &prompt).await?;
        self.ledger.drain().await;
        let recent = self.store.recent(&self.scope, 100).await?;
        let mine = recent.into_iter().find(|record| record.call.to_string() == heard.call);
        mine.context("the answer came, but no usage record of it is there")
    }
}
