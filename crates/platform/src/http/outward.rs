//! Where calls may go whose addresses others choose: not to this machine, nor into the network that it stands in (SSRF).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::client::builder;

/// How far calls may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// To public addresses, by https.
    Public,
    /// To private addresses and this machine as well, by https.
    Private,
    /// Anywhere, by http as well: for development and tests.
    Development,
}

/// Why an address may not be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OutOfReach {
    /// It is neither an address of the web nor encrypted.
    #[error("an https address is needed")]
    Scheme,
    /// It carries a name or a password.
    #[error("the address must not carry credentials")]
    Credentials,
    /// It is within our own network.
    #[error("the address is not a public one")]
    Inside,
}

impl Reach {
    /// By its word: `public`, `private`, `development`.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "public" => Some(Self::Public),
            "private" => Some(Self::Private),
            "development" => Some(Self::Development),
            _ => None,
        }
    }

    /// Whether an address may be asked, as far as it can be told before its name is resolved.
    ///
    /// # Errors
    /// When it may not.
    pub fn check(self, url: &Url) -> Result<(), OutOfReach> {
        let plain = self == Self::Development && url.scheme() == "http";
        if url.scheme() != "https" && !plain {
            return Err(OutOfReach::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(OutOfReach::Credentials);
        }
        // The resolver is not asked for what is an address already.
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        match host.parse::<IpAddr>() {
            Ok(address) if !self.admits(address) => Err(OutOfReach::Inside),
            _ => Ok(()),
        }
    }

    fn admits(self, address: IpAddr) -> bool {
        self != Self::Public || is_public(address)
    }
}

/// A client for addresses that others choose: names that resolve to what is out of reach lead nowhere. To be used with
/// [`Reach::check`] on each address; it follows no redirects.
///
/// # Errors
/// When the TLS back end cannot be set up.
pub fn outward_client(timeout: Duration, reach: Reach) -> Result<reqwest::Client, reqwest::Error> {
    builder(timeout).dns_resolver(Arc::new(Guarded(reach))).build()
}

/// Resolves names with the system's resolver, and leaves out what is out of reach: checked on the address that is then
/// connected to, so that a name cannot change between check and use.
struct Guarded(Reach);

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.0;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let admitted: Vec<SocketAddr> = found.filter(|address| reach.admits(address.ip())).collect();
            if admitted.is_empty() {
                return Err(OutOfReach::Inside.into());
            }
            Ok(Box::new(admitted.into_iter()) as Addrs)
        })
    }
}

/// Whether an address belongs to the public internet (IANA's special-purpose registries left out).
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = a == 0
        || a >= 224
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        // Carriers' NAT (RFC 6598), protocol assignments (RFC 6890), benchmarks (RFC 2544).
        || (a == 100 && (64..128).contains(&b))
        || (a, b, c) == (192, 0, 0)
        || (a == 198 && (b == 18 || b == 19));
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    // Global unicast alone (RFC 4291, section 2.4), without what stands for IPv4 addresses of any kind: 6to4, Teredo, and
    // without documentation.
    (a & 0xe000) == 0x2000 && a != 0x2002 && !(a == 0x2001 && b < 0x200) && (a, b) != (0x2001, 0xdb8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_public_is_public() {
        for address in ["1.1.1.1", "9.9.9.9", "172.32.0.1", "2606:4700::1111", "::ffff:9.9.9.9"] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
        for address in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "192.0.0.1",
            "192.168.1.1",
            "198.18.0.1",
            "203.0.113.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "64:ff9b::a00:1",
            "2001::1",
            "2001:db8::1",
            "2002:a00:1::",
            "fc00::1",
            "fe80::1",
            "ff02::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn what_may_be_asked_is_told_by_its_address() {
        let check = |reach: Reach, url: &str| reach.check(&url.parse().unwrap());
        assert_eq!(check(Reach::Public, "https://login.example.edu/a"), Ok(()));
        assert_eq!(check(Reach::Public, "http://login.example.edu"), Err(OutOfReach::Scheme));
        assert_eq!(check(Reach::Development, "file:///etc/passwd"), Err(OutOfReach::Scheme));
        assert_eq!(check(Reach::Public, "https://a:b@login.example.edu"), Err(OutOfReach::Credentials));
        for inside in ["https://127.0.0.1/", "https://[::1]/", "https://2130706433/", "https://0x7f.1/"] {
            assert_eq!(check(Reach::Public, inside), Err(OutOfReach::Inside), "{inside}");
            assert_eq!(check(Reach::Private, inside), Ok(()), "{inside}");
        }
        assert_eq!(check(Reach::Private, "http://127.0.0.1/"), Err(OutOfReach::Scheme));
        assert_eq!(check(Reach::Development, "http://127.0.0.1:1/"), Ok(()));
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_leads_nowhere() {
        let resolve = async |reach: Reach| {
            let found = Guarded(reach).resolve("localhost".parse().unwrap()).await;
            found.map(Iterator::count).map_err(|error| error.to_string())
        };
        assert_eq!(resolve(Reach::Public).await, Err("the address is not a public one".to_owned()));
        assert!(resolve(Reach::Private).await.unwrap() > 0);
    }
}
