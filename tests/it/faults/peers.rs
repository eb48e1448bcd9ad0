//! Vendors that fail: the simulated ones, and addresses where none answers as it should.

use std::net::SocketAddr;
use std::sync::Arc;

use lyss_sandbox::{Sandbox, SandboxConfig, Vendor};
use lyss_upstream::{AllowedNetwork, EgressPolicy, Upstream, UpstreamSettings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// Where a channel is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Simulated(Vendor),
    /// Nobody listens.
    Nowhere,
    /// An `https` address where plain HTTP is spoken.
    PlainText,
    /// A certificate that nobody has signed but its owner.
    SelfSigned,
}

pub(super) struct Peers {
    pub(super) sandbox: Sandbox,
    nowhere: SocketAddr,
    plain_text: SocketAddr,
    self_signed: SocketAddr,
    tasks: Vec<JoinHandle<()>>,
}

impl Peers {
    pub(super) async fn start() -> Self {
        let sandbox = lyss_sandbox::start(SandboxConfig::default()).await.unwrap();
        let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let nowhere = gone.local_addr().unwrap();
        drop(gone);
        let (plain_text, plain) = listen(|mut socket| async move {
            let mut hello = [0; 512];
            drop(socket.read(&mut hello).await);
            drop(socket.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await);
        })
        .await;
        let acceptor = self_signed();
        let (self_signed, signed) = listen(move |socket| {
            let acceptor = acceptor.clone();
            async move { drop(acceptor.accept(socket).await) }
        })
        .await;
        Self { sandbox, nowhere, plain_text, self_signed, tasks: vec![plain, signed] }
    }

    /// A way out that may reach all of them.
    pub(super) fn upstream(&self) -> Upstream {
        let vendors = Vendor::ALL.into_iter().filter_map(|vendor| self.sandbox.addr(vendor));
        let others = [self.nowhere, self.plain_text, self.self_signed];
        let egress = EgressPolicy { allow: vendors.chain(others).map(AllowedNetwork::exactly).collect() };
        Upstream::new(&UpstreamSettings { egress, ..UpstreamSettings::default() }).unwrap()
    }

    /// The provider's kind and the address.
    pub(super) fn of(&self, place: Place) -> (&'static str, String) {
        match place {
            Place::Simulated(vendor) => (vendor.slug(), self.sandbox.api_base(vendor).unwrap()),
            Place::Nowhere => ("openai", format!("http://{}/v1", self.nowhere)),
            Place::PlainText => ("openai", format!("https://{}/v1", self.plain_text)),
            Place::SelfSigned => ("openai", format!("https://{}/v1", self.self_signed)),
        }
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn listen<F>(meet: impl Fn(TcpStream) -> F + Send + 'static) -> (SocketAddr, JoinHandle<()>)
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(meet(socket));
        }
    });
    (address, task)
}

fn self_signed() -> TlsAcceptor {
    let signed = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signed.signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![signed.cert.der().clone()], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}
