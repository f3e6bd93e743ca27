//! What a token says, and whether it is enough (RFC 7519, section 4.1). Pure but for the signature.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Map, Value};

use crate::config::Validator;

/// Why a token is not enough.
#[derive(Debug, PartialEq, Eq)]
pub enum Denial {
    /// The token is not good: 401.
    Token(&'static str),
    /// The token is good, its bearer may not: 403.
    Permission(&'static str),
}

/// The claims of a token whose signature is good. Only the signature is checked here; [`check`] does the rest.
pub fn decode(token: &str, key: &DecodingKey, algorithm: Algorithm) -> Option<Map<String, Value>> {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    jsonwebtoken::decode::<Map<String, Value>>(token, key, &validation).ok().map(|token| token.claims)
}

/// A claim that is a word, read before anything is known of the signature: only to choose whose keys to check it with.
pub fn unproven(token: &str, name: &str) -> Option<String> {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&payload).ok()?;
    claims.get(name)?.as_str().map(str::to_owned)
}

/// Whether the claims satisfy the rules at `now`, in seconds since 1970.
pub fn check(claims: &Map<String, Value>, rules: &Validator, now: i64) -> Result<(), Denial> {
    let leeway = i64::try_from(rules.leeway.as_secs()).unwrap_or(i64::MAX);
    let seconds = |name: &str| claims.get(name).and_then(Value::as_f64);
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 fit")]
    let (now, leeway) = (now as f64, leeway as f64);
    match seconds("exp") {
        None => return Err(Denial::Token("The token does not say when it expires.")),
        Some(exp) if exp + leeway <= now => return Err(Denial::Token("The token has expired.")),
        Some(_) => {}
    }
    if seconds("nbf").is_some_and(|nbf| nbf > now + leeway) {
        return Err(Denial::Token("The token is not valid yet."));
    }
    if rules.issuer.as_deref().is_some_and(|issuer| claims.get("iss").and_then(Value::as_str) != Some(issuer))
    {
        return Err(Denial::Token("The token is from another issuer."));
    }
    let audience = words(claims.get("aud"), false);
    if !rules.audience.iter().all(|wanted| audience.contains(wanted)) {
        return Err(Denial::Token("The token is for another audience."));
    }
    let roles = words(find(claims, &rules.roles_key, rules.roles_nested), false);
    if !rules.roles.is_empty() && !rules.roles.iter().any(|role| roles.contains(role)) {
        return Err(Denial::Permission("None of the needed roles is held."));
    }
    let scopes = words(find(claims, &rules.scopes_key, true), true);
    let mut needed = rules.scopes.iter();
    let enough = if rules.scopes_all {
        needed.all(|scope| scopes.contains(scope))
    } else {
        needed.any(|scope| scopes.contains(scope))
    };
    if !rules.scopes.is_empty() && !enough {
        return Err(Denial::Permission("The needed scopes are not held."));
    }
    Ok(())
}

/// A claim as text: strings as they are, lists joined by commas, the rest as JSON.
pub fn text(claims: &Map<String, Value>, path: &str) -> Option<String> {
    Some(match find(claims, path, true)? {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(","),
        Value::Null => return None,
        other => other.to_string(),
    })
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn find<'c>(claims: &'c Map<String, Value>, path: &str, nested: bool) -> Option<&'c Value> {
    if let Some(value) = claims.get(path) {
        return Some(value);
    }
    let mut keys = path.split('.').take(if nested { usize::MAX } else { 0 });
    let first = claims.get(keys.next()?)?;
    keys.try_fold(first, |value, key| value.get(key))
}

/// A claim that is a word, a list of words or, when `spaced`, words between blanks.
fn words(value: Option<&Value>, spaced: bool) -> Vec<String> {
    match value {
        Some(Value::String(text)) if spaced => text.split_whitespace().map(str::to_owned).collect(),
        Some(Value::String(text)) => {
            text.split([' ', ',']).map(str::to_owned).chain([text.clone()]).collect()
        }
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}
