//! Certificates and keys from PEM files, and what rustls with ring can do.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, Error, NamedGroup, RootCertStore};

use crate::clock;
use crate::config::Terms;

/// The certificates of a file, at least one.
///
/// # Errors
/// A sentence that names the file.
pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let wrong = |error: pem::Error| unreadable(path, "certificate", &error);
    let read =
        CertificateDer::pem_file_iter(path).map_err(wrong)?.collect::<Result<Vec<_>, _>>().map_err(wrong)?;
    if read.is_empty() {
        return Err(unreadable(path, "certificate", &pem::Error::NoItemsFound));
    }
    Ok(read)
}

/// The private key of a file.
///
/// # Errors
/// A sentence that names the file.
pub fn key(path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_file(path).map_err(|error| unreadable(path, "private key", &error))
}

fn unreadable(path: &Path, what: &str, error: &pem::Error) -> String {
    let path = path.display();
    match error {
        pem::Error::Io(error) => format!("{path} cannot be read: {error}"),
        pem::Error::NoItemsFound => format!("{path} holds no {what} in PEM form"),
        other => format!("{path} is damaged: {other}"),
    }
}

/// A certificate with the key that belongs to it.
///
/// # Errors
/// What is wrong with one of them, or that they do not belong together.
pub fn together(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<CertifiedKey, String> {
    let key = ring::sign::any_supported_type(&key).map_err(|_| {
        "the key is damaged or of an unsupported type: take RSA, ECDSA P-256 or P-384, or Ed25519".to_owned()
    })?;
    let certified = CertifiedKey::new(chain, key);
    match certified.keys_match() {
        Ok(()) => Ok(certified),
        Err(Error::InconsistentKeys(_)) => Err("the key does not belong to the certificate".into()),
        Err(error) => Err(format!("the certificate cannot be used: {error}")),
    }
}

/// What is to be said when the first certificate is not valid now.
pub fn out_of_date(chain: &[CertificateDer<'static>]) -> Option<String> {
    let (first, rest) = chain.split_first()?;
    let mut roots = RootCertStore::empty();
    // Dates are looked at before the way to a root, so any root will do.
    roots.add(chain.last()?.clone()).ok()?;
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().ok()?;
    let seconds = u64::try_from(clock::now().as_second()).ok()?;
    let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    let anyone = ServerName::try_from("localhost").ok()?;
    match verifier.verify_server_cert(first, rest, &anyone, &[], now) {
        Err(Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        )) => Some("the certificate has expired".into()),
        Err(Error::InvalidCertificate(
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. },
        )) => Some("the certificate is not valid yet".into()),
        _ => None,
    }
}

/// The suites that there are, by their registered numbers.
pub fn suites() -> Vec<u16> {
    ring::ALL_CIPHER_SUITES.iter().map(|suite| suite.suite().into()).collect()
}

/// The groups that there are, by their registered numbers.
pub fn groups() -> Vec<u16> {
    ring::ALL_KX_GROUPS.iter().map(|group| group.name().into()).collect()
}

impl Terms {
    /// The cryptography that the terms allow.
    ///
    /// # Errors
    /// When they leave nothing of it for a version that is to be spoken.
    pub fn provider(&self) -> Result<Arc<CryptoProvider>, String> {
        let mut provider = ring::default_provider();
        if let Some(suites) = &self.suites {
            provider
                .cipher_suites
                .retain(|suite| suite.tls13().is_some() || suites.contains(&suite.suite().into()));
        }
        if let Some(groups) = &self.groups {
            let wanted = |code: &u16| {
                let fits = |name: NamedGroup| u16::from(name) == *code;
                ring::ALL_KX_GROUPS.iter().find(|group| fits(group.name())).copied()
            };
            provider.kx_groups = groups.iter().filter_map(wanted).collect();
        }
        let has_suite = |version: &&rustls::SupportedProtocolVersion| {
            provider.cipher_suites.iter().any(|suite| suite.version().version == version.version)
        };
        if !self.versions.iter().all(has_suite) {
            return Err("leave nothing for a version that is to be spoken".into());
        }
        Ok(Arc::new(provider))
    }

    /// The roots that are believed.
    ///
    /// # Errors
    /// When a file cannot be read, or there are none in the system.
    pub fn roots(&self) -> Result<RootCertStore, String> {
        let mut roots = if self.system_roots { system_roots()? } else { RootCertStore::empty() };
        for path in &self.ca_certs {
            for root in certificates(path)? {
                roots.add(root).map_err(|error| format!("{} is no root: {error}", path.display()))?;
            }
        }
        Ok(roots)
    }
}

/// The roots of the system; those that cannot be used are left out.
///
/// # Errors
/// When there are none.
pub fn system_roots() -> Result<RootCertStore, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let why = found.errors.first().map_or_else(|| "none were found".into(), ToString::to_string);
        return Err(format!("there are no root certificates in the system: {why}"));
    }
    Ok(roots)
}
