//! Where requests to integrators may go: to addresses of the public internet, whatever name, form or redirect leads there.
//!
//! A name is resolved by our resolver, which passes on public addresses alone, and the connection is made to what it
//! passed on: a name server that answers otherwise the second time is not asked a second time. Addresses in a URL are
//! looked at before each request; redirects are not followed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// Whether an address is one of the public internet. Not public is what the registries of special-purpose addresses of
/// IANA (RFC 6890) do not call globally reachable, and what leads on to other addresses (6to4, Teredo, NAT64, mapped).
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    // The address at which virtual machines of one provider reach what knows their secrets.
    const WIRE_SERVER: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);
    let is_special = matches!(
        address.octets(),
        [0 | 10 | 127 | 224..=255, ..]
            | [100, 64..=127, ..]
            | [169, 254, ..]
            | [172, 16..=31, ..]
            | [192, 168, ..]
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [198, 18 | 19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
    );
    !is_special && address != WIRE_SERVER
}

/// Global unicast addresses lie in 2000::/3 (RFC 4291); the forms that hold an address of version 4 lie elsewhere, or in
/// the parts that are left out.
fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        // Teredo, benchmarks, ORCHID; documentation; 6to4.
        [0x2001, 0..=0x01ff, ..] | [0x2001, 0x0db8, ..] | [0x2002, ..] => false,
        // Documentation (RFC 9637); AS112 and other anycast of infrastructure.
        [0x3fff, 0..=0x0fff, ..] | [0x2620, 0x004f, 0x8000, ..] => false,
        [first, ..] => (0x2000..=0x3fff).contains(&first),
    }
}

/// What is allowed beside the public internet: the operator's own networks.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    networks: Arc<[IpNet]>,
}

impl Guard {
    /// With networks as `10.1.0.0/16, fd00::/8`.
    ///
    /// # Errors
    /// When one is none.
    pub fn new(networks: &str) -> Result<Self, String> {
        let parse = |text: &str| {
            text.parse().map_err(|_| format!("webhook_networks: {text} is no network such as 10.1.0.0/16"))
        };
        let names = networks.split(',').map(str::trim).filter(|text| !text.is_empty());
        Ok(Self { networks: names.map(parse).collect::<Result<_, _>>()? })
    }

    /// Whether requests may go to an address.
    #[must_use]
    pub fn allows(&self, address: IpAddr) -> bool {
        is_public(address) || self.networks.iter().any(|network| network.contains(&address))
    }

    /// Refuses a URL that no request may go to, as far as that is to be seen without resolving its name.
    ///
    /// # Errors
    /// A sentence for who wrote it.
    pub fn check(&self, text: &str) -> Result<Url, String> {
        let url = Url::parse(text).map_err(|error| format!("It is no URL: {error}."))?;
        // Without encryption only where the operator has said that the network is their own.
        let schemes: &[&str] = if self.networks.is_empty() { &["https"] } else { &["https", "http"] };
        if !schemes.contains(&url.scheme()) {
            return Err("It must begin with https://.".into());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("It must not have a name or password in it.".into());
        }
        let address = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            Some(Host::Domain(_)) => None,
            None => return Err("It has no host.".into()),
        };
        if address.is_some_and(|address| !self.allows(address)) {
            return Err("It leads to an address that is not of the public internet.".into());
        }
        Ok(url)
    }

    /// The addresses that a request may go to.
    fn pass(&self, addresses: impl Iterator<Item = SocketAddr>) -> Vec<SocketAddr> {
        addresses.filter(|address| self.allows(address.ip())).collect()
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            // A name that is not known and one that leads inside are answered alike: which inner names there are is not
            // to be found out here.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            let allowed = found.map(|addresses| guard.pass(addresses)).unwrap_or_default();
            if allowed.is_empty() {
                return Err("the name leads to no address of the public internet".into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ways to write addresses that no request may reach: decimal, octal, hexadecimal, short, mapped, translated, tunnelled.
    const FORBIDDEN: &[&str] = &[
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "127.255.255.254",
        "0.0.0.0",
        "0",
        "0.1.2.3",
        "2130706433",
        "017700000001",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "0x7F.0x0.0x0.0x1",
        "127.0.0.1.",
        "10.0.0.1",
        "10.255.255.255",
        "167772161",
        "012.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.0.1",
        "192.168.65.2",
        "3232235521",
        "0xc0a80001",
        "169.254.169.254",
        "169.254.0.1",
        "2852039166",
        "0xa9fea9fe",
        "0251.0376.0251.0376",
        "169.254.43518",
        "100.64.0.1",
        "100.100.100.200",
        "100.127.255.255",
        "168.63.129.16",
        "192.0.0.192",
        "192.0.0.1",
        "192.0.2.1",
        "192.88.99.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "①②⑦.0.0.1",
        "127。0。0。1",
        "[::]",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::ffff:169.254.169.254]",
        "[::ffff:10.0.0.1]",
        "[::127.0.0.1]",
        "[::ffff:0:127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[64:ff9b::a9fe:a9fe]",
        "[64:ff9b:1::a00:1]",
        "[2002:7f00:1::]",
        "[2002:a9fe:a9fe::1]",
        "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
        "[2001:db8::1]",
        "[2001:10::1]",
        "[2001:20::1]",
        "[3fff::1]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "[fe80::a9fe:a9fe]",
        "[febf::1]",
        "[fec0::1]",
        "[ff02::1]",
        "[ff0e::1]",
        "[100::1]",
        "[5f00::1]",
        "[::ffff:100.64.0.1]",
        "[::ffff:0.0.0.0]",
    ];

    #[test]
    fn no_form_of_an_inner_address_is_let_through() {
        assert!(FORBIDDEN.len() >= 60, "{}", FORBIDDEN.len());
        let guard = Guard::default();
        for host in FORBIDDEN {
            assert!(guard.check(&format!("https://{host}/hook")).is_err(), "{host}");
            assert!(guard.check(&format!("https://{host}:8443/hook")).is_err(), "{host}");
        }
    }

    #[test]
    fn public_addresses_and_names_are() {
        let guard = Guard::default();
        for host in
            ["93.184.215.14", "[2606:4700::1111]", "[2a00:1450:4001::1]", "hooks.example.com", "8.8.8.8"]
        {
            assert!(guard.check(&format!("https://{host}/hook?a=b")).is_ok(), "{host}");
        }
        for url in [
            "http://example.com",
            "ftp://example.com",
            "https://u:p@example.com",
            "https://u@example.com",
            "file:///etc/passwd",
            "gopher://example.com",
            "javascript:alert(1)",
            "https://",
            "x",
            "",
        ] {
            assert!(guard.check(url).is_err(), "{url}");
        }
    }

    #[test]
    fn the_operators_networks_are_let_through_and_nothing_beside_them() {
        let guard = Guard::new("10.1.0.0/16, fd00::/8").unwrap();
        assert!(guard.check("http://10.1.2.3/hook").is_ok() && guard.check("https://[fd00::1]/").is_ok());
        assert!(
            guard.check("https://10.2.0.1/").is_err() && guard.check("https://[::ffff:10.1.2.3]/").is_err()
        );
        assert!(Guard::new("10.1.0.0/16,here").is_err());
    }

    #[tokio::test]
    async fn names_that_lead_inside_resolve_to_nothing() {
        let guard = Guard::default();
        assert!(guard.resolve("localhost".parse().unwrap()).await.is_err());
        // As a name server rebinds: one public and one inner address; only the first is ever connected to.
        let mixed = ["127.0.0.1:0", "93.184.215.14:0", "[::1]:0", "[::ffff:10.0.0.1]:0"];
        let passed = guard.pass(mixed.iter().map(|text| text.parse().unwrap()));
        assert_eq!(passed, ["93.184.215.14:0".parse::<SocketAddr>().unwrap()]);
    }
}
