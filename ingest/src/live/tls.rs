//! TLS with the roots of Mozilla's programme and one provider, named here, so that no other crate's choice matters.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use tokio_tungstenite::Connector;

use crate::error::IngestError;

/// What `wss://` connections are made with; `ws://` ones pass it by.
///
/// # Errors
/// [`IngestError::Tls`] where the provider knows no version of TLS.
pub(super) fn connector() -> Result<Connector, IngestError> {
    let roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(IngestError::Tls)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Connector::Rustls(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connector_can_be_made_and_knows_roots() {
        let Ok(Connector::Rustls(config)) = connector() else {
            panic!("no connector")
        };
        assert!(!config.crypto_provider().cipher_suites.is_empty());
        assert!(webpki_roots::TLS_SERVER_ROOTS.len() > 50);
    }
}
