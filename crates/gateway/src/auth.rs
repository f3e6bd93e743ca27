//! `auth/validator`: the token of a request, its signature, its claims and what they allow.

pub mod claims;
pub mod keys;

use std::sync::Arc;

use http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::clock;
use crate::config::Validator;
use crate::fault::Fault;
use claims::Denial;
use keys::{KeyStore, Lookup};

/// The claims of a token that was found to be good.
pub type Claims = Map<String, Value>;

/// Checks the tokens of an endpoint.
pub struct Verifier {
    rules: Validator,
    keys: Arc<KeyStore>,
    /// Further issuers, whose tokens are told apart by `iss`.
    others: Vec<(Validator, Arc<KeyStore>)>,
}

impl Verifier {
    /// With its rules and the keys that other endpoints may use too.
    pub fn new(rules: Validator, keys: Arc<KeyStore>) -> Self {
        Self { rules, keys, others: Vec::new() }
    }

    /// The same, for tokens of further issuers, too.
    pub fn or(mut self, rules: Validator, keys: Arc<KeyStore>) -> Self {
        self.others.push((rules, keys));
        self
    }

    /// Headers for the backend, from the claims; the client's own of these names never pass.
    pub fn propagated(&self, claims: &Claims) -> Vec<(String, Option<String>)> {
        let pairs = self.rules.propagate_claims.iter();
        pairs.map(|(claim, name)| (name.to_lowercase(), claims::text(claims, claim))).collect()
    }

    /// The claims of the request's token; the source of its key is waited for until `deadline`.
    ///
    /// # Errors
    /// 401 when there is no good token, 403 when its roles or scopes do not do, 503 when the keys cannot be had.
    pub async fn check(&self, headers: &HeaderMap, deadline: Instant) -> Result<Claims, Fault> {
        let token = self.token(headers).ok_or_else(|| unauthorized("A bearer token is needed."))?;
        let head =
            jsonwebtoken::decode_header(&token).map_err(|_| unauthorized("The token is malformed."))?;
        let (rules, keys) = self.issuer_of(&token)?;
        if head.alg != rules.algorithm {
            return Err(unauthorized("The token is signed with another algorithm."));
        }
        let key = match keys.find(head.kid.as_deref(), rules.algorithm, deadline).await {
            Lookup::Found(key) => key,
            Lookup::Unknown => return Err(unauthorized("The token is signed with an unknown key.")),
            Lookup::Unavailable => {
                return Err(Fault::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "keys_unavailable",
                    "The keys that verify tokens cannot be had at the moment.",
                )
                .retry(1)
                .plain(StatusCode::UNAUTHORIZED, "", ""));
            }
        };
        let claims = claims::decode(&token, &key, rules.algorithm)
            .ok_or_else(|| unauthorized("The token's signature is not valid."))?;
        claims::check(&claims, rules, clock::now().as_second()).map_err(|denial| match denial {
            Denial::Token(detail) => unauthorized(detail),
            Denial::Permission(detail) => Fault::new(StatusCode::FORBIDDEN, "forbidden", detail),
        })?;
        Ok(claims)
    }

    /// The rules and keys for a token, by what it says of its issuer; the rules are then held against what is signed.
    fn issuer_of(&self, token: &str) -> Result<(&Validator, &Arc<KeyStore>), Fault> {
        if self.others.is_empty() {
            return Ok((&self.rules, &self.keys));
        }
        let issuer = claims::unproven(token, "iss");
        let first = std::iter::once((&self.rules, &self.keys));
        let mut all = first.chain(self.others.iter().map(|(rules, keys)| (rules, keys)));
        all.find(|(rules, _)| issuer.is_some() && rules.issuer == issuer)
            .ok_or_else(|| unauthorized("The token is from another issuer."))
    }

    fn token(&self, headers: &HeaderMap) -> Option<String> {
        let value = headers.get(&self.rules.header).and_then(|value| value.to_str().ok());
        let bearer = value.and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
        });
        bearer.or_else(|| cookie(headers, self.rules.cookie_key.as_deref()?))
    }
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let lists = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = lists.flat_map(|list| list.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
}

fn unauthorized(detail: &str) -> Fault {
    Fault::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
}
