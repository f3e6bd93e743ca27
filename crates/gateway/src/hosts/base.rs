//! The address that paths are appended to.

use std::fmt;
use std::sync::Arc;

use url::{ParseError, Url};

/// An address such as `http://users:8081`, with or without the beginning of a path.
#[derive(Debug, Clone)]
pub struct Base(Arc<(String, Option<Url>)>);

impl Base {
    /// From the words of the file or the DNS.
    pub fn new(text: &str) -> Self {
        let is_origin = |url: &Url| {
            matches!(url.scheme(), "http" | "https")
                && url.path() == "/"
                && !text.ends_with('/')
                && url.query().is_none()
                && url.fragment().is_none()
        };
        Self(Arc::new((text.to_owned(), Url::parse(text).ok().filter(is_origin))))
    }

    /// Its words.
    pub fn as_str(&self) -> &str {
        &self.0.0
    }

    /// The address of a path, with or without a query, at this one.
    ///
    /// # Errors
    /// When both together are no address.
    pub fn with(&self, path: &str) -> Result<Url, ParseError> {
        match &self.0.1 {
            // The host is read already; to read it again would be most of the work.
            Some(origin) if is_plain(path) => {
                let mut url = origin.clone();
                let (path, query) =
                    path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
                url.set_path(path);
                url.set_query(query);
                Ok(url)
            }
            _ => Url::parse(&format!("{self}{path}")),
        }
    }
}

impl fmt::Display for Base {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// Whether it begins a path and means the same on its own as at the end of an address.
fn is_plain(path: &str) -> bool {
    path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'#' | b'\\'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_what_its_parts_together_are() {
        let bases = [
            "http://users:8081",
            "https://users",
            "http://users:80",
            "http://[::1]:8081",
            "http://Users.EXAMPLE",
            "http://users/v1",
            "http://users/",
            "http://users?a",
            "users",
            "",
        ];
        let paths = [
            "",
            "/",
            "?a=b",
            "@other",
            ":9",
            "a",
            "//a",
            "/a/b",
            "/a?",
            "/a?b=c&d=%20",
            "/a?b?c",
            "/a/../b",
            "/..",
            "/a/%2e%2E/b",
            "/./a",
            "/a%2Fb%20c",
            "/é",
            "/a b",
            "/a#b",
            "/a\\..\\b",
            "/a\tb",
            "/a ",
            "/a\n",
            "/~a;b,c:@",
            "/{a}|^`<>\"'?{a}|^`<>\"'",
        ];
        for base in bases {
            for path in paths {
                assert_eq!(Base::new(base).with(path), Url::parse(&format!("{base}{path}")), "{base} {path}");
            }
        }
    }
}
