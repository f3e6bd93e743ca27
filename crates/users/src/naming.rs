//! How a request that nobody has signed in for names its organization: by slug, by header, or by the host it was sent to.

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, header};

/// The header that names an organization by its slug.
pub const HEADER: &str = "x-organization";

/// What a request's head says of its organization. It is a name, no proof: whoever could forge it could as well name
/// the organization in the body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Naming {
    /// The slug of the header.
    pub slug: Option<String>,
    /// The host name, without a port and in lower case.
    pub host: Option<String>,
}

impl Naming {
    fn of(headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default().trim());
        // The gateway tells the host that the client meant; what it says itself is the host of this service.
        let host = text("x-forwarded-host").or_else(|| text(header::HOST.as_str()));
        Self {
            slug: text(HEADER).map(str::to_owned),
            host: host.map(without_port).filter(|host| !host.is_empty()),
        }
    }
}

fn without_port(host: &str) -> String {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    name.trim_end_matches('.').to_ascii_lowercase()
}

impl<S: Sync> FromRequestParts<S> for Naming {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::of(&parts.headers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naming(headers: &[(&'static str, &str)]) -> Naming {
        Naming::of(
            &headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect(),
        )
    }

    #[test]
    fn the_host_is_the_one_that_the_client_meant() {
        let both = naming(&[("host", "users:8081"), ("x-forwarded-host", "Booking.Example.edu.:8080")]);
        assert_eq!(both, Naming { slug: None, host: Some("booking.example.edu".into()) });
        assert_eq!(naming(&[("host", "127.0.0.1")]).host.as_deref(), Some("127.0.0.1"));
        assert_eq!(naming(&[]), Naming::default());
        assert_eq!(naming(&[("x-organization", " tu-wien ")]).slug.as_deref(), Some("tu-wien"));
    }
}
