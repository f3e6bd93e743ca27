//! Signatures of requests to Amazon Web Services: `AWS4-HMAC-SHA256` over the headers that a request of ours has.
//!
//! By hand, because `aws-sigv4` brings eight crates and the time library that deny.toml bans for forty lines, which a
//! published example and another implementation (botocore, in the tests) check.

use hmac::{Hmac, Mac as _};
use jiff::Timestamp;
use platform::config::Secret;
use sha2::{Digest as _, Sha256};

/// A key, and where it is used.
#[derive(Debug)]
pub struct Signer {
    /// The key's id.
    pub key_id: String,
    /// The key.
    pub secret: Secret,
    /// The region, such as `eu-west-1`.
    pub region: String,
    /// The service's name in signatures, such as `ses`.
    pub service: &'static str,
}

/// A `POST` without a query.
#[derive(Debug)]
pub struct Request<'a> {
    /// The host, with its port unless that is the scheme's own.
    pub host: &'a str,
    /// The path, with its first slash; of letters, digits and `-._~/` alone.
    pub path: &'a str,
    /// The media type of the body.
    pub content_type: &'a str,
    /// The body.
    pub body: &'a [u8],
}

/// The headers that a signed request has beside its own.
#[derive(Debug, PartialEq, Eq)]
pub struct Signed {
    /// `X-Amz-Date`.
    pub date: String,
    /// `Authorization`.
    pub authorization: String,
}

impl Signer {
    /// Signs a request that is sent now; Amazon takes it for five minutes.
    #[must_use]
    pub fn sign(&self, request: &Request<'_>, now: Timestamp) -> Signed {
        const HEADERS: &str = "content-type;host;x-amz-date";
        let date = now.strftime("%Y%m%dT%H%M%SZ").to_string();
        let day = date.get(..8).unwrap_or_default();
        let Request { host, path, content_type, body } = request;
        let canonical = format!(
            "POST\n{path}\n\ncontent-type:{content_type}\nhost:{host}\nx-amz-date:{date}\n\n{HEADERS}\n{}",
            hex(&Sha256::digest(body))
        );
        let scope = format!("{day}/{}/{}/aws4_request", self.region, self.service);
        let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hex(&Sha256::digest(canonical)));
        let signature = hex(&mac(&self.key(day), &text));
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={HEADERS}, Signature={signature}",
            self.key_id
        );
        Signed { date, authorization }
    }

    /// The key of a day, region and service.
    fn key(&self, day: &str) -> Vec<u8> {
        let secret = format!("AWS4{}", self.secret.expose()).into_bytes();
        [day, &self.region, self.service, "aws4_request"].iter().fold(secret, |key, text| mac(&key, text))
    }
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    match Hmac::<Sha256>::new_from_slice(key) {
        Ok(mac) => mac.chain_update(text).finalize().into_bytes().to_vec(),
        // HMAC takes keys of any length.
        Err(_) => Vec::new(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(service: &'static str) -> Signer {
        Signer {
            key_id: "AKIDEXAMPLE".into(),
            secret: Secret::from("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned()),
            region: "us-east-1".into(),
            service,
        }
    }

    #[test]
    fn the_key_is_that_of_the_published_example() {
        // "Deriving the signing key" of Amazon's documentation of the signature's version 4.
        let key = hex(&signer("iam").key("20150830"));
        assert_eq!(key, "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
    }

    #[test]
    fn a_signature_is_that_of_the_published_suite() {
        // The case `post-x-www-form-urlencoded` of Amazon's test suite.
        let request = Request {
            host: "example.amazonaws.com",
            path: "/",
            content_type: "application/x-www-form-urlencoded",
            body: b"Param1=value1",
        };
        let signed = signer("service").sign(&request, "2015-08-30T12:36:00Z".parse().unwrap());
        assert_eq!(signed.date, "20150830T123600Z");
        let signature = signed.authorization.rsplit('=').next().unwrap();
        assert_eq!(signature, "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a");
    }
}
