//! The sender of OpenTelemetry over a client of hyper, with the product's one TLS provider.

use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::connect::HttpConnector;
use opentelemetry_http::hyper::HyperClient;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanExporter as _;

/// A batch is sent within this time, tries included, or given up.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The collector takes a connection within this time.
const CONNECT: Duration = Duration::from_secs(2);

/// The sender to an endpoint.
///
/// # Errors
/// When the endpoint is no address of http or https, or https is asked for and there are no roots.
pub fn build(endpoint: &str, resource: &Resource) -> Result<SpanExporter, String> {
    let uri: Uri = endpoint.parse().map_err(|error| format!("the OTLP endpoint `{endpoint}`: {error}"))?;
    let secure = match uri.scheme_str() {
        Some("http") => false,
        Some("https") => true,
        _ => return Err(format!("the OTLP endpoint `{endpoint}` must begin with http:// or https://")),
    };
    let place = endpoint.trim_end_matches('/');
    let full = if uri.path().len() > 1 { place.to_owned() } else { format!("{place}/v1/traces") };
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_connect_timeout(Some(CONNECT));
    let provider = rustls::crypto::ring::default_provider();
    let tls = if secure {
        HttpsConnectorBuilder::new().with_provider_and_native_roots(provider).map_err(|error| {
            format!("the OTLP endpoint is https, but there are no root certificates: {error}")
        })?
    } else {
        let config = rustls::ClientConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        let config = config.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth();
        HttpsConnectorBuilder::new().with_tls_config(config)
    };
    let client =
        HyperClient::new(tls.https_or_http().enable_http1().wrap_connector(connector), TIMEOUT, None);
    let mut exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(client)
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(full)
        .with_timeout(TIMEOUT)
        .build()
        .map_err(|error| error.to_string())?;
    exporter.set_resource(resource);
    Ok(exporter)
}
