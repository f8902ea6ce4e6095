//! TLS with the roots of Mozilla's programme, those of a file where one is named, and one provider, named here, so that no
//! other crate's choice matters. A venue whose certificate does not hold is never spoken to.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_tungstenite::Connector;

use crate::error::IngestError;

/// What `wss://` connections are made with; `ws://` ones pass it by.
///
/// # Errors
/// [`IngestError::Authority`] where `ca_file` cannot be read, holds no certificate or one that is none, and
/// [`IngestError::Tls`] where the provider knows no version of TLS.
pub(super) fn connector(ca_file: Option<&Path>) -> Result<Connector, IngestError> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    if let Some(path) = ca_file {
        add(&mut roots, path).map_err(|reason| IngestError::Authority {
            name: path.display().to_string(),
            reason,
        })?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(IngestError::Tls)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Connector::Rustls(Arc::new(config)))
}

fn add(roots: &mut RootCertStore, path: &Path) -> Result<(), String> {
    let text = std::fs::read(path).map_err(|error| error.to_string())?;
    let mut added = 0;
    for certificate in CertificateDer::pem_slice_iter(&text) {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
        added += 1;
    }
    if added == 0 {
        return Err(
            "there is no certificate in it (PEM: `-----BEGIN CERTIFICATE-----`)".to_owned(),
        );
    }
    tracing::info!(file = %path.display(), certificates = added, "trusted besides the public authorities");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connector_can_be_made_and_knows_roots() {
        let Ok(Connector::Rustls(config)) = connector(None) else {
            panic!("no connector")
        };
        assert!(!config.crypto_provider().cipher_suites.is_empty());
        assert!(webpki_roots::TLS_SERVER_ROOTS.len() > 50);
    }

    #[test]
    fn a_file_that_holds_no_certificate_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let refused = || match connector(Some(&path)) {
            Err(error) => error.to_string(),
            Ok(_) => panic!("taken"),
        };
        let name = format!("could not use `ingest.ca_file` = `{}`: ", path.display());
        assert!(refused().starts_with(&name), "{}", refused());
        for (text, reason) in [
            ("", "there is no certificate in it"),
            ("prose", "there is no certificate in it"),
            (
                "-----BEGIN CERTIFICATE-----\nMQ==\n-----END CERTIFICATE-----\n",
                "invalid",
            ),
            ("-----BEGIN CERTIFICATE-----\nMQ==\n", ""),
        ] {
            std::fs::write(&path, text).unwrap();
            let told = refused();
            assert!(told.starts_with(&name) && told.contains(reason), "{told}");
        }
    }
}
