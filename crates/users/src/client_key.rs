//! API keys: a name that tells where it belongs, and a secret that is shown once.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::{ApiKeyId, OrganizationId, Role};
use platform::auth::{Actor, Scope};
use platform::config::Secret;
use rand::random;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// Stands before each secret, so that scanners for secrets that lie around know ours.
const PREFIX: &str = "reservas_key_";

/// The two ids of a key as one name: base64url, 43 characters.
#[must_use]
pub fn client_id(organization: OrganizationId, key: ApiKeyId) -> String {
    URL_SAFE_NO_PAD.encode([organization.0.as_bytes().as_slice(), key.0.as_bytes()].concat())
}

/// The ids of a name, if it is one.
#[must_use]
pub fn parse_client_id(text: &str) -> Option<(OrganizationId, ApiKeyId)> {
    if text.len() != 43 {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (organization, rest) = bytes.split_first_chunk()?;
    let key: [u8; 16] = rest.try_into().ok()?;
    Some((OrganizationId(Uuid::from_bytes(*organization)), ApiKeyId(Uuid::from_bytes(key))))
}

/// A new secret: 256 random bits.
#[must_use]
pub fn secret() -> Secret {
    Secret::from(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random::<[u8; 32]>())))
}

/// What is kept of a secret.
#[must_use]
pub fn hash(secret: &Secret) -> [u8; 32] {
    Sha256::digest(secret.expose()).into()
}

/// The first of the names that is no permission.
pub fn unknown(names: &[String]) -> Option<&String> {
    let known = Role::Admin.permissions();
    names.iter().find(|name| !known.contains(&name.as_str()))
}

/// Whether someone may give these permissions to a key of an account with a role: neither more than they have themselves,
/// nor more than the account has.
#[must_use]
pub fn may_give(actor: &Actor, owner: Role, names: &[String]) -> bool {
    let owners = owner.permissions();
    names.iter().all(|name| actor.may_by_name(name) && owners.contains(&name.as_str()))
}

/// What a token gets of a key: what is asked for, all of it when nothing is; none when more is asked for than the key has.
#[must_use]
pub fn granted(scopes: &[String], asked: Option<&str>) -> Option<Scope> {
    let Some(asked) = asked.map(str::trim).filter(|asked| !asked.is_empty()) else {
        return Some(scopes.iter().cloned().collect());
    };
    let asked = Scope::from(asked.to_owned());
    let is_granted = asked.names().all(|name| scopes.iter().any(|scope| scope == name));
    is_granted.then_some(asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back() {
        let (organization, key) = (OrganizationId::mint(), ApiKeyId::mint());
        let id = client_id(organization, key);
        assert_eq!((id.len(), parse_client_id(&id)), (43, Some((organization, key))));
        assert_eq!(parse_client_id(&id[1..]), None);
        assert_eq!(parse_client_id(""), None);
    }

    #[test]
    fn no_more_is_granted_than_the_key_has() {
        let scopes = ["bookings.own".to_owned(), "catalogue.read".to_owned()];
        let text = |asked| granted(&scopes, asked).map(String::from);
        assert_eq!(text(None).as_deref(), Some("bookings.own catalogue.read"));
        assert_eq!(text(Some("")).as_deref(), Some("bookings.own catalogue.read"));
        assert_eq!(text(Some("catalogue.read")).as_deref(), Some("catalogue.read"));
        assert_eq!(text(Some("catalogue.read users.manage")), None);
    }
}
