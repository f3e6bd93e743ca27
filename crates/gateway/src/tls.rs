//! Encryption towards clients (`tls`): the certificate for a name, and new ones when the files change.

pub mod client;
pub mod files;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rustls::ServerConfig;
use rustls::client::verify_server_name;
use rustls::pki_types::ServerName;
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::Gateway;
use crate::config::ListenerTls;

/// How long a client may take to agree on TLS.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How often it is looked whether the files have changed.
const LOOK: Duration = Duration::from_secs(2);

/// A file as it was when it was read: when it changed, and how long it is.
type Stamp = Option<(SystemTime, u64)>;

/// The certificates in force. Connections keep those that they began with.
pub struct Live {
    settings: ListenerTls,
    current: RwLock<Arc<ServerConfig>>,
    stamps: Mutex<Vec<Stamp>>,
}

impl Live {
    /// Reads the files.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn new(settings: ListenerTls) -> Result<Self, String> {
        // The stamps first: a file that changes in between is read once more.
        let stamps = Mutex::new(stamps(&settings));
        let current = RwLock::new(Arc::new(server_config(&settings)?));
        Ok(Self { settings, current, stamps })
    }

    /// What the next client is to agree on.
    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Reads the files again when one of them has changed; when they are not in order, nothing changes.
    pub fn refresh(&self) {
        let now = stamps(&self.settings);
        {
            let mut then = self.stamps.lock().unwrap_or_else(PoisonError::into_inner);
            if *then == now {
                return;
            }
            *then = now;
        }
        match server_config(&self.settings) {
            Ok(config) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
                tracing::info!("the certificates were read again");
            }
            Err(error) => tracing::error!(%error, "the certificates stay as they were"),
        }
    }
}

/// Looks after the certificates of a gateway until `shutdown`.
pub async fn watch(gateway: Gateway, shutdown: CancellationToken) {
    let mut tick = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = tick.tick() => {}
        }
        let inner = gateway.inner();
        if inner.tls.is_some() {
            // Reading files blocks; a failure to join means that it panicked, which has been reported.
            let _ = tokio::task::spawn_blocking(move || inner.tls.as_ref().map(Live::refresh)).await;
        }
    }
}

fn stamps(settings: &ListenerTls) -> Vec<Stamp> {
    let stamp = |path: &Path| {
        let about = std::fs::metadata(path).ok()?;
        Some((about.modified().ok()?, about.len()))
    };
    let pairs = settings.keys.iter().flat_map(|pair| [&pair.certificates, &pair.key]);
    pairs.chain(&settings.terms.ca_certs).map(|path| stamp(path)).collect()
}

fn server_config(settings: &ListenerTls) -> Result<ServerConfig, String> {
    let provider = settings.terms.provider()?;
    let mut keys = Vec::new();
    for pair in &settings.keys {
        let chain = files::certificates(&pair.certificates)?;
        if let Some(text) = files::out_of_date(&chain) {
            tracing::warn!(file = %pair.certificates.display(), "{text}");
        }
        let together = files::together(chain, files::key(&pair.key)?);
        keys.push(Arc::new(together.map_err(|text| format!("{}: {text}", pair.key.display()))?));
    }
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&settings.terms.versions)
        .map_err(|error| error.to_string())?;
    let builder = if settings.mutual {
        let roots = Arc::new(settings.terms.roots()?);
        let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider).build();
        builder.with_client_cert_verifier(verifier.map_err(|error| error.to_string())?)
    } else {
        builder.with_no_client_auth()
    };
    let mut config = builder.with_cert_resolver(Arc::new(ByName(keys)));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// Picks the first certificate that is for the name and that the client can check, else the first of those it can check.
#[derive(Debug)]
struct ByName(Vec<Arc<CertifiedKey>>);

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let schemes = hello.signature_schemes();
        let can_check = |key: &&Arc<CertifiedKey>| key.key.choose_scheme(schemes).is_some();
        let name = hello.server_name().and_then(|name| ServerName::try_from(name).ok());
        let is_for_it = |key: &&Arc<CertifiedKey>| {
            let certificate = key.cert.first().and_then(|first| ParsedCertificate::try_from(first).ok());
            certificate
                .zip(name.as_ref())
                .is_some_and(|(parsed, name)| verify_server_name(&parsed, name).is_ok())
        };
        let usable = || self.0.iter().filter(can_check);
        usable().find(is_for_it).or_else(|| usable().next()).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    #[test]
    fn damaged_files_change_nothing_and_good_ones_do() {
        let folder = tempfile::tempdir().unwrap();
        let paths = ["certificate", "key"].map(|name| folder.path().join(name));
        let write = || {
            let issued = rcgen::generate_simple_self_signed(vec!["one.example".to_owned()]).unwrap();
            std::fs::write(&paths[0], issued.cert.pem()).unwrap();
            std::fs::write(&paths[1], issued.signing_key.serialize_pem()).unwrap();
        };
        write();
        let [certificate, key] = paths.each_ref().map(|path| path.display().to_string());
        let text =
            format!(r#"{{"version": 3, "tls": {{"public_key": "{certificate}", "private_key": "{key}"}}}}"#);
        let live = Live::new(parse(&text, false).unwrap().root.tls.unwrap()).unwrap();
        let current = || Arc::clone(&live.current.read().unwrap());
        let first = current();
        live.refresh();
        assert!(Arc::ptr_eq(&first, &current()), "nothing has changed");
        std::fs::write(&paths[0], "damaged").unwrap();
        live.refresh();
        assert!(Arc::ptr_eq(&first, &current()), "the old one stays");
        write();
        live.refresh();
        assert!(!Arc::ptr_eq(&first, &current()));
    }
}
