//! What a provider says of itself (OpenID Connect Discovery 1.0, section 3).

use platform::http::outward::Reach;
use serde::Deserialize;
use url::Url;

/// A provider's own description, as far as it is used. What else it says is left alone.
#[derive(Debug, Clone, Deserialize)]
pub struct Metadata {
    /// Who it is.
    pub issuer: String,
    /// Where browsers are sent.
    pub authorization_endpoint: Url,
    /// Where codes are exchanged.
    pub token_endpoint: Url,
    /// Where its keys are.
    pub jwks_uri: Url,
    /// Where it tells more of a person.
    #[serde(default)]
    pub userinfo_endpoint: Option<Url>,
    /// How clients may prove who they are where codes are exchanged.
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// What code challenges it knows (RFC 8414, section 2).
    #[serde(default)]
    code_challenge_methods_supported: Option<Vec<String>>,
    /// Whether it names itself when it sends a browser back (RFC 9207, section 3).
    #[serde(default)]
    pub authorization_response_iss_parameter_supported: bool,
}

/// Where the description of an issuer is.
#[must_use]
pub fn place(issuer: &str) -> String {
    format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))
}

impl Metadata {
    /// Whether the description is that of an issuer, and can be worked with.
    ///
    /// # Errors
    /// A sentence for whoever set the issuer.
    pub fn check(&self, issuer: &str, reach: Reach) -> Result<(), String> {
        if self.issuer != issuer {
            return Err(format!("the provider calls itself {:?}: write the issuer exactly so", self.issuer));
        }
        let named = [
            ("authorization_endpoint", Some(&self.authorization_endpoint)),
            ("token_endpoint", Some(&self.token_endpoint)),
            ("jwks_uri", Some(&self.jwks_uri)),
            ("userinfo_endpoint", self.userinfo_endpoint.as_ref()),
        ];
        for (name, url) in named {
            if let Some(url) = url {
                reach.check(url).map_err(|error| format!("the provider's {name} cannot be used: {error}"))?;
            }
        }
        let knows = |list: &Option<Vec<String>>, word: &str| {
            list.as_ref().is_none_or(|list| list.iter().any(|entry| entry == word))
        };
        if !knows(&self.code_challenge_methods_supported, "S256") {
            return Err("the provider does not know the code challenge method S256".to_owned());
        }
        let methods = &self.token_endpoint_auth_methods_supported;
        if !knows(methods, "client_secret_basic") && !knows(methods, "client_secret_post") {
            return Err("the provider takes neither client_secret_basic nor client_secret_post".to_owned());
        }
        Ok(())
    }

    /// Whether the secret goes into the body: where the provider does not take it in a header (RFC 6749, section 2.3.1).
    #[must_use]
    pub fn takes_secret_in_body(&self) -> bool {
        let methods = self.token_endpoint_auth_methods_supported.as_ref();
        methods.is_some_and(|methods| !methods.iter().any(|method| method == "client_secret_basic"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn check(changes: Value) -> Result<(), String> {
        let mut document = json!({"issuer": "https://a.example/", "authorization_endpoint": "https://a.example/auth",
            "token_endpoint": "https://a.example/token", "jwks_uri": "https://a.example/keys", "other": [1]});
        for (name, value) in changes.as_object().unwrap() {
            document[name] = value.clone();
        }
        let metadata: Metadata = serde_json::from_value(document).unwrap();
        metadata.check("https://a.example/", Reach::Public)
    }

    #[test]
    fn a_description_is_its_issuers_and_leads_to_where_calls_may_go() {
        assert_eq!(place("https://a.example/b/"), "https://a.example/b/.well-known/openid-configuration");
        assert_eq!(check(json!({})), Ok(()));
        assert_eq!(check(json!({"code_challenge_methods_supported": ["plain", "S256"]})), Ok(()));
        for (wrong, says) in [
            (json!({"issuer": "https://a.example"}), "calls itself \"https://a.example\""),
            (json!({"authorization_endpoint": "javascript:alert(1)"}), "authorization_endpoint"),
            (json!({"token_endpoint": "http://a.example/token"}), "token_endpoint"),
            (json!({"jwks_uri": "https://169.254.169.254/keys"}), "jwks_uri"),
            (json!({"userinfo_endpoint": "https://[::1]/"}), "userinfo_endpoint"),
            (json!({"code_challenge_methods_supported": ["plain"]}), "S256"),
            (json!({"token_endpoint_auth_methods_supported": ["private_key_jwt"]}), "client_secret_basic"),
        ] {
            let said = check(wrong.clone()).unwrap_err();
            assert!(said.contains(says), "{wrong}: {said}");
        }
    }
}
