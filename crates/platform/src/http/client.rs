//! The HTTP client for calls between services: pooled, with time-outs, never following redirects.

use std::time::Duration;

/// How long to wait for a connection.
const CONNECT: Duration = Duration::from_secs(2);

/// A client whose requests take `timeout` at most, from connect to the last byte.
///
/// # Errors
/// When the TLS back end cannot be set up.
pub fn client(timeout: Duration) -> Result<reqwest::Client, reqwest::Error> {
    builder(timeout).build()
}

/// What all clients have in common.
#[expect(clippy::disallowed_methods, reason = "the one place that builds HTTP clients")]
pub(super) fn builder(timeout: Duration) -> reqwest::ClientBuilder {
    // Only the first call installs the provider; later ones find it there, which is what they want.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .connect_timeout(CONNECT)
        .timeout(timeout)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .user_agent(concat!("reservas/", env!("CARGO_PKG_VERSION")))
}
