//! Where browsers may be sent after a sign-in: addresses of the organization's clients, compared whole.

use std::collections::BTreeSet;

use url::{Host, Url};

use super::LONGEST;

/// Whether an address can be one to send browsers to: https, http on loopback, or an app's own scheme (RFC 8252, section
/// 7.1: with a dot in it, so that `javascript:` and `data:` are none).
#[must_use]
pub fn is_return_to(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else { return false };
    let plain = url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    let fits = match url.scheme() {
        "https" => url.has_host(),
        "http" => is_loopback(&url),
        scheme => scheme.contains('.'),
    };
    // As it stands, so that what is compared is what is sent.
    let is_ascii = text.bytes().all(|byte| byte.is_ascii_graphic());
    plain && fits && is_ascii && text.len() <= LONGEST
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Whether a client may have browsers sent to an address: one of those that are allowed, letter by letter; of loopback
/// addresses the port may be another, because apps cannot choose it (RFC 8252, section 7.3).
#[must_use]
pub fn admits(allowed: &BTreeSet<String>, wanted: &str) -> bool {
    allowed.contains(wanted) || allowed.iter().any(|entry| differs_by_port(entry, wanted))
}

fn differs_by_port(allowed: &str, wanted: &str) -> bool {
    let (Ok(mut allowed), Ok(mut wanted)) = (Url::parse(allowed), Url::parse(wanted)) else { return false };
    let both = allowed.scheme() == "http" && is_loopback(&allowed) && is_loopback(&wanted);
    // A port can be taken from every address that has a host.
    both && allowed.set_port(None).is_ok() && wanted.set_port(None).is_ok() && allowed == wanted
}

/// The address with what the client is to learn.
#[must_use]
pub fn with(return_to: &str, parameters: &[(&str, &str)]) -> Option<String> {
    let mut url = Url::parse(return_to).ok()?;
    url.query_pairs_mut().extend_pairs(parameters);
    Some(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_lead_to_a_client_are_taken() {
        for fine in [
            "https://booking.example.edu/signed-in",
            "https://a.example/?x=1",
            "http://127.0.0.1/callback",
            "http://[::1]:4000/",
            "http://localhost:5173/",
            "edu.example.booking:/signed-in",
        ] {
            assert!(is_return_to(fine), "{fine}");
        }
        for wrong in [
            "",
            "/signed-in",
            "http://booking.example.edu/",
            "https://",
            "https://a.example/#x",
            "javascript:alert(1)",
            "data:text/html,x",
            "https://u:p@a.example/",
            "http://127.0.0.1.evil.example/",
            "https://a.example/\r\nX: y",
            "file:///etc/passwd",
            "https://ä.example/",
        ] {
            assert!(!is_return_to(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn an_address_is_compared_whole_but_for_the_port_of_loopback() {
        let allowed = BTreeSet::from(["https://a.example/in".to_owned(), "http://127.0.0.1/in".to_owned()]);
        assert!(admits(&allowed, "https://a.example/in") && admits(&allowed, "http://127.0.0.1:4711/in"));
        for wrong in [
            "https://a.example/in/",
            "https://a.example/in?x",
            "https://A.example/in",
            "https://a.example:8443/in",
            "https://a.example.evil/in",
            "http://127.0.0.1:1/out",
            "http://127.0.0.2/in",
            "https://127.0.0.1/in",
            "",
        ] {
            assert!(!admits(&allowed, wrong), "{wrong}");
        }
    }

    #[test]
    fn what_a_client_learns_stands_in_the_query() {
        let url = with("https://a.example/in?x=1", &[("code", "a b"), ("state", "&")]);
        assert_eq!(url.as_deref(), Some("https://a.example/in?x=1&code=a+b&state=%26"));
        let app = with("edu.example.booking:/in", &[("code", "c")]);
        assert_eq!(app.as_deref(), Some("edu.example.booking:/in?code=c"));
    }
}
