//! Encryption towards backends (`client_tls`).

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::files;
use crate::config::ClientTls;

/// How backends are asked. The roots are read only when they are needed (`secure`).
///
/// # Errors
/// When roots are needed and there are none, or a file of `client_tls` cannot be used.
pub fn config(secure: bool, settings: Option<&ClientTls>) -> Result<ClientConfig, String> {
    let Some(settings) = settings else {
        let provider = Arc::new(ring::default_provider());
        // Without roots every certificate is refused, so a redirect cannot lead to https unnoticed.
        let roots = if secure { files::system_roots() } else { Ok(RootCertStore::empty()) };
        let roots = roots.map_err(|error| format!("https is asked for, but {error}"))?;
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.map_err(|error| error.to_string())?;
        return Ok(builder.with_root_certificates(roots).with_no_client_auth());
    };
    let provider = settings.terms.provider()?;
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&settings.terms.versions)
        .map_err(|error| error.to_string())?;
    let builder = if settings.insecure {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(Anyone(provider)))
    } else {
        let roots = if secure { settings.terms.roots()? } else { RootCertStore::empty() };
        builder.with_root_certificates(roots)
    };
    let Some(pair) = &settings.certificate else { return Ok(builder.with_no_client_auth()) };
    let (chain, key) = (files::certificates(&pair.certificates)?, files::key(&pair.key)?);
    builder.with_client_auth_cert(chain, key).map_err(|error| format!("client_tls.client_certs: {error}"))
}

/// Believes any certificate, because the file says so (`allow_insecure_connections`).
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _chain: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _status: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
