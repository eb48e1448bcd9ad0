//! Whom TLS trusts: the system's roots and the operator's own.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::UpstreamError;

/// A client configuration over ring for HTTP/1.1. No process-wide provider is installed or needed. A system without
/// roots is not an error here: plain `http` to allowed networks works without any.
pub(crate) fn client_config(extra_roots_pem: &[Vec<u8>]) -> Result<Arc<ClientConfig>, UpstreamError> {
    let mut roots = RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    let (added, ignored) = roots.add_parsable_certificates(native.certs);
    tracing::debug!(added, ignored, errors = native.errors.len(), "system root certificates");
    for (index, pem) in extra_roots_pem.iter().enumerate() {
        add_pem(&mut roots, pem).map_err(|reason| UpstreamError::ExtraRoot { index, reason })?;
    }
    if roots.is_empty() {
        tracing::warn!("no root certificate found: every https connection will fail");
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn add_pem(roots: &mut RootCertStore, pem: &[u8]) -> Result<(), &'static str> {
    let mut found = false;
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|_| "not readable as PEM")?;
        roots.add(certificate).map_err(|_| "not a certificate that can be trusted")?;
        found = true;
    }
    if found { Ok(()) } else { Err("holds no certificate") }
}
