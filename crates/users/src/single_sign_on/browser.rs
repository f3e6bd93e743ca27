//! What the browser keeps that was sent to the provider: a random secret in a cookie, from which nonce and code verifier are
//! made. Whoever comes back without it is not who was sent (login CSRF), and the table alone is of no use to anybody.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, header};
use kernel::SignOnId;
use sha2::{Digest as _, Sha256};

use super::FLOW;

/// The secret of one browser for one sign-in.
#[derive(Clone)]
pub struct Browser([u8; 32]);

impl Browser {
    /// A new one.
    #[must_use]
    pub fn new() -> Self {
        Self(rand::random())
    }

    /// The one that a request's cookies have for a sign-in, if they have one.
    #[must_use]
    pub fn of(headers: &HeaderMap, id: SignOnId, secure: bool) -> Option<Self> {
        let name = cookie_name(id, secure);
        let lists = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = lists.flat_map(|list| list.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let (_, value) = pairs.find(|(found, _)| *found == name)?;
        URL_SAFE_NO_PAD.decode(value).ok()?.try_into().ok().map(Self)
    }

    /// `Set-Cookie` that makes a browser keep it until the sign-in is too old.
    #[must_use]
    pub fn cookie(&self, id: SignOnId, secure: bool) -> String {
        cookie(id, secure, &URL_SAFE_NO_PAD.encode(self.0), FLOW.as_secs())
    }

    /// What is kept of it.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        self.derived("browser")
    }

    /// What the ID token must repeat (OpenID Connect Core, section 3.1.2.1).
    #[must_use]
    pub fn nonce(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.derived("nonce"))
    }

    /// The code verifier: 43 characters of 256 bits (RFC 7636, section 4.1).
    #[must_use]
    pub fn verifier(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.derived("verifier"))
    }

    fn derived(&self, what: &str) -> [u8; 32] {
        Sha256::new().chain_update(what).chain_update([0]).chain_update(self.0).finalize().into()
    }
}

impl Default for Browser {
    fn default() -> Self {
        Self::new()
    }
}

/// `Set-Cookie` that makes a browser forget it.
#[must_use]
pub fn forget(id: SignOnId, secure: bool) -> String {
    cookie(id, secure, "", 0)
}

/// The S256 challenge of a code verifier (RFC 7636, section 4.2).
#[must_use]
pub fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

// A name for each sign-in, so that several tabs do not take each other's. `__Host-`: no other host may have set it.
fn cookie_name(id: SignOnId, secure: bool) -> String {
    let prefix = if secure { "__Host-" } else { "" };
    format!("{prefix}reservas-sso-{}", id.0.simple())
}

// Lax: it has to come back with the redirect from the provider, which is another site.
fn cookie(id: SignOnId, secure: bool, value: &str, seconds: i64) -> String {
    let name = cookie_name(id, secure);
    let secure = if secure { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_reads_back_and_only_for_its_sign_in() {
        let (browser, id) = (Browser::new(), SignOnId::mint());
        for secure in [true, false] {
            let cookie = browser.cookie(id, secure);
            assert_eq!(cookie.starts_with("__Host-") && cookie.contains("; Secure"), secure);
            let sent = format!("a=b; {}; c=d", cookie.split(';').next().unwrap());
            let headers = HeaderMap::from_iter([(header::COOKIE, sent.parse().unwrap())]);
            assert_eq!(Browser::of(&headers, id, secure).map(|read| read.hash()), Some(browser.hash()));
            assert!(Browser::of(&headers, SignOnId::mint(), secure).is_none());
            assert!(Browser::of(&headers, id, !secure).is_none());
        }
        assert!(forget(id, true).contains("Max-Age=0"));
    }

    #[test]
    fn what_is_derived_tells_nothing_of_the_rest() {
        let browser = Browser::new();
        assert_ne!(browser.nonce(), browser.verifier());
        assert_eq!((browser.nonce().len(), browser.verifier().len()), (43, 43));
        // RFC 7636, appendix B.
        let challenge = challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
