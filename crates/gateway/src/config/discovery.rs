//! The key `sd`: where a backend's hosts are found.

use super::section::Section;

/// A name that stands for hosts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// The name as the DNS knows it.
    pub name: String,
    /// The port, for names with addresses (A, AAAA); absent, the name has services (SRV), which say their port.
    pub port: Option<u16>,
}

/// Reads the names of `sd: "dns"`; what is no name was reported. `None` for fixed hosts.
pub fn names(section: &Section<'_>, hosts: &[String]) -> Option<Vec<Name>> {
    let scheme = section.string("sd_scheme");
    match section.string("sd").as_deref() {
        None | Some("" | "static") => return None,
        Some("dns") => {}
        Some(_) => {
            section.unsupported("sd", "must be `static` or `dns`");
            return None;
        }
    }
    if scheme.is_some_and(|scheme| !matches!(scheme.as_str(), "" | "http")) {
        section.unsupported("sd_scheme", "hosts found in the DNS are asked over `http` only");
    }
    let read = |text: &String| {
        let name = name(text);
        if name.is_none() {
            let wanted = "a name of services (_http._tcp.users.internal) or a name with a port";
            section.error("host", format!("`{text}` is not {wanted}"));
        }
        name
    };
    Some(hosts.iter().filter_map(read).collect())
}

fn name(text: &str) -> Option<Name> {
    let text = text.strip_prefix("http://").unwrap_or(text).trim_end_matches('/');
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) => (name, Some(port.parse::<u16>().ok().filter(|port| *port > 0)?)),
        None => (text, None),
    };
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    // RFC 1035, section 2.3.4: names have at most 255 octets, labels 63.
    let fits = name.len() <= 253 && name.strip_suffix('.').unwrap_or(name).split('.').all(label);
    fits.then(|| Name { name: name.to_ascii_lowercase(), port })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_a_port_have_addresses_and_others_services() {
        let read = |text| name(text).map(|name| (name.name, name.port));
        assert_eq!(read("_http._tcp.Users.internal"), Some(("_http._tcp.users.internal".into(), None)));
        assert_eq!(read("http://users.internal:8081"), Some(("users.internal".into(), Some(8081))));
        for wrong in ["", "a..b", "users:0", "users:x", "https://users", "a/b", "[::1]:80"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
