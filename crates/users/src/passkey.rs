//! Passkeys: the two ceremonies of Web Authentication (level 3, sections 7.1 and 7.2), by `webauthn_rp`.
//!
//! Nothing is kept when a ceremony begins: its state goes to the client and comes back, sealed, for one purpose, one account
//! or session, and a few minutes. That it counts once is the store's to see to.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use kernel::{OrganizationId, SessionId, UserId};
use platform::http::Problem;
use platform::sealing::{Keyring, Place};
use serde_json::Value;
use url::{Host, Url};
use uuid::Uuid;
use webauthn_rp::bin::{Decode as _, Encode as _};
use webauthn_rp::request::auth::{AuthenticationVerificationOptions, DiscoverableCredentialRequestOptions};
use webauthn_rp::request::register::{
    Nickname, PublicKeyCredentialCreationOptions, PublicKeyCredentialUserEntity,
    RegistrationVerificationOptions, UserHandle, Username,
};
use webauthn_rp::request::{AsciiDomain, PublicKeyCredentialDescriptor, RpId, TimedCeremony as _};
use webauthn_rp::response::register::{CompressedPubKey, DynamicState, StaticState};
use webauthn_rp::response::{AuthTransports, Backup, CredentialId, Origin};
use webauthn_rp::{
    AuthenticatedCredential, DiscoverableAuthentication, DiscoverableAuthenticationServerState, Registration,
    RegistrationServerState,
};

use crate::config::Config;
use crate::error::Error;

/// How long a ceremony may take: as long as browsers are told to wait.
pub const CEREMONY: SignedDuration = SignedDuration::from_mins(5);
/// Characters of a ceremony's text at most.
pub const LONGEST: usize = 1024;
/// Bytes of a user handle: organization and account, which tell nothing about a person (section 14.6.1).
const HANDLE: usize = 32;

type Handle = UserHandle<HANDLE>;
type PublicKey = CompressedPubKey<[u8; 32], [u8; 32], [u8; 48], Vec<u8>>;

/// What a ceremony is for: its answer is worth nothing elsewhere.
#[derive(Debug, Clone, Copy)]
pub enum Purpose {
    /// To make a passkey, in a session.
    Register(OrganizationId, SessionId),
    /// To sign in, whoever it is.
    SignIn,
    /// To show the second factor of an account.
    SecondFactor(OrganizationId, UserId),
    /// To prove again who one is, in a session.
    StepUp(OrganizationId, SessionId),
}

impl Purpose {
    const fn place(self) -> Place {
        let (column, organization, row) = match self {
            Self::Register(organization, session) => ("ceremony.register", Some(organization), session.0),
            Self::SignIn => ("ceremony.sign_in", None, Uuid::nil()),
            Self::SecondFactor(organization, user) => ("ceremony.second_factor", Some(organization), user.0),
            Self::StepUp(organization, session) => ("ceremony.step_up", Some(organization), session.0),
        };
        Place { column, organization, row }
    }
}

/// A ceremony that has begun.
#[derive(Debug)]
pub struct Begun {
    /// To be sent back with the authenticator's answer.
    pub ceremony: String,
    /// What the browser is to be given, as `PublicKeyCredential.parse…OptionsFromJSON` takes it.
    pub options: Value,
}

/// A challenge that was met, to be spent.
#[derive(Debug, Clone, Copy)]
pub struct Challenge {
    /// Its bytes.
    pub bytes: [u8; 16],
    /// Until when it could be shown again.
    pub expires_at: Timestamp,
}

/// A passkey as it is kept.
#[derive(Debug, Clone)]
pub struct Kept {
    /// As the authenticator names it.
    pub credential_id: Vec<u8>,
    /// Public key and extensions.
    pub public_key: Vec<u8>,
    /// Counter and flags.
    pub state: Vec<u8>,
}

/// A passkey that was made.
#[derive(Debug)]
pub struct Made {
    /// What is to be kept.
    pub kept: Kept,
    /// How browsers reach it.
    pub transports: u8,
    /// The challenge that it met.
    pub challenge: Challenge,
}

/// What an authenticator answered who was asked to sign, before anything of it is known to be true.
#[derive(Debug)]
pub struct Assertion(DiscoverableAuthentication<HANDLE>);

impl Assertion {
    /// Reads the JSON of a browser (`PublicKeyCredential.toJSON()`).
    ///
    /// # Errors
    /// 401 `invalid_passkey` when it is none.
    pub fn parse(credential: &Value) -> Result<Self, Error> {
        let json = serde_json::to_vec(credential).map_err(|_| Error::InvalidPasskey)?;
        let read = DiscoverableAuthentication::from_json_relaxed(&json);
        read.map(Self).map_err(|_| Error::InvalidPasskey)
    }

    /// The account that it says it is of.
    #[must_use]
    pub fn owner(&self) -> (OrganizationId, UserId) {
        let handle: &[u8] = self.0.response().user_handle().as_ref();
        let (mut organization, mut user) = ([0; 16], [0; 16]);
        organization.iter_mut().chain(&mut user).zip(handle).for_each(|(to, from)| *to = *from);
        (OrganizationId(Uuid::from_bytes(organization)), UserId(Uuid::from_bytes(user)))
    }

    /// As the authenticator names the passkey.
    #[must_use]
    pub fn credential_id(&self) -> Vec<u8> {
        let id: &[u8] = self.0.raw_id().into_inner();
        id.to_vec()
    }
}

/// Whether the passkey is backed up, as those are that a person's devices share.
#[must_use]
pub fn is_synced(state: &[u8]) -> bool {
    decode_state(state).is_some_and(|state| matches!(state.backup, Backup::Exists))
}

fn decode_state(state: &[u8]) -> Option<DynamicState> {
    DynamicState::decode(state.try_into().ok()?).ok()
}

fn handle(organization: OrganizationId, user: UserId) -> Handle {
    let mut bytes = [0; HANDLE];
    let ids = organization.0.as_bytes().iter().chain(user.0.as_bytes());
    bytes.iter_mut().zip(ids).for_each(|(to, from)| *to = *from);
    let Ok(handle) = Handle::decode(bytes);
    handle
}

/// An origin whose pages may ask for passkeys, compared as a whole (section 13.4.9).
#[derive(Debug, Clone, PartialEq, Eq)]
struct AllowedOrigin(String);

impl PartialEq<Origin<'_>> for AllowedOrigin {
    fn eq(&self, other: &Origin<'_>) -> bool {
        self.0 == other.0
    }
}

/// The installation as authenticators know it.
#[derive(Debug)]
pub struct RelyingParty {
    id: RpId,
    origins: Vec<AllowedOrigin>,
}

impl RelyingParty {
    /// Out of the settings; none where people reach the installation at no name, or nobody says at which.
    ///
    /// # Errors
    /// A line that names the setting that is wrong.
    pub fn new(config: &Config) -> Result<Option<Self>, String> {
        if config.public_url.is_empty() {
            return Ok(None);
        }
        let wrong = |why: &str| format!("users.public_url is {}: {why}", config.public_url);
        let url = Url::parse(&config.public_url).map_err(|error| wrong(&error.to_string()))?;
        let Some(Host::Domain(host)) = url.host() else {
            return if url.has_host() { Ok(None) } else { Err(wrong("it must be http:// or https://")) };
        };
        let id = Some(config.passkey_domain.as_str()).filter(|name| !name.is_empty()).unwrap_or(host);
        if host != id && !host.ends_with(&format!(".{id}")) {
            return Err(format!(
                "users.passkey_domain is {id}: it must be {host}, or a domain that it is in"
            ));
        }
        let domain = AsciiDomain::try_from(id.to_owned()).map_err(|_| wrong("its host is no domain"))?;
        let mut origins = vec![AllowedOrigin(url.origin().ascii_serialization())];
        for origin in config.passkey_origins.split(',').map(str::trim).filter(|origin| !origin.is_empty()) {
            let is_one = Url::parse(origin)
                .is_ok_and(|url| url.scheme() == "android" || url.origin().ascii_serialization() == origin);
            if !is_one {
                return Err(format!(
                    "users.passkey_origins has {origin}: it must be like https://app.example.edu"
                ));
            }
            origins.push(AllowedOrigin(origin.to_owned()));
        }
        Ok(Some(Self { id: RpId::Domain(domain), origins }))
    }

    /// Begins to make a passkey for an account that has some already, which are not to be made again.
    ///
    /// # Errors
    /// 500 when the options cannot be made or sealed.
    pub fn begin_registration(
        &self,
        keyring: &Keyring,
        session: SessionId,
        account: (OrganizationId, UserId, &str, &str),
        known: Vec<(Vec<u8>, u8)>,
        now: Timestamp,
    ) -> Result<Begun, Problem> {
        let (organization, user, email, name) = account;
        let (id, fallback) = (handle(organization, user), user.to_string());
        let username = Username::try_from(email).or_else(|_| Username::try_from(fallback.as_str()));
        let entity = PublicKeyCredentialUserEntity {
            name: username.map_err(|error| Problem::internal(&error))?,
            id: &id,
            display_name: Nickname::try_from(name).ok(),
        };
        let known = known.into_iter().filter_map(|(id, transports)| {
            let transports = AuthTransports::decode(transports).ok()?;
            Some(PublicKeyCredentialDescriptor { id: CredentialId::decode(id).ok()?, transports })
        });
        let options = PublicKeyCredentialCreationOptions::passkey(&self.id, entity, known.collect());
        let (server, client) = options.start_ceremony().map_err(|error| Problem::internal(&error))?;
        let state = server.encode().map_err(|error| Problem::internal(&error))?;
        let options = serde_json::to_value(&client).map_err(|error| Problem::internal(&error))?;
        let ceremony = seal(keyring, Purpose::Register(organization, session), &state, now)?;
        Ok(Begun { ceremony, options })
    }

    /// Ends to make a passkey (section 7.1): an answer to this challenge, from this place, of a verified user.
    ///
    /// # Errors
    /// 401 `invalid_passkey` when anything of it is wrong.
    pub fn finish_registration(
        &self,
        keyring: &Keyring,
        purpose: Purpose,
        ceremony: &str,
        credential: &Value,
        now: Timestamp,
    ) -> Result<Made, Error> {
        let (state, expires_at) = open(keyring, purpose, ceremony, now)?;
        let state = RegistrationServerState::<HANDLE>::decode(&state).map_err(|_| Error::InvalidPasskey)?;
        let challenge = Challenge { bytes: state.sent_challenge().0.to_be_bytes(), expires_at };
        let json = serde_json::to_vec(credential).map_err(|_| Error::InvalidPasskey)?;
        let answer = Registration::from_json_relaxed(&json).map_err(|error| refused(&error))?;
        let options = RegistrationVerificationOptions::<AllowedOrigin, AllowedOrigin> {
            allowed_origins: &self.origins,
            error_on_unsolicited_extensions: false,
            ..RegistrationVerificationOptions::default()
        };
        let made = state.verify(&self.id, &answer, &options).map_err(|error| refused(&error))?;
        let (Ok(public_key), Ok(state), Ok(transports)) =
            (made.static_state().encode(), made.dynamic_state().encode(), made.transports().encode());
        let credential_id: &[u8] = made.id().into_inner();
        let kept = Kept { credential_id: credential_id.to_vec(), public_key, state: state.to_vec() };
        Ok(Made { kept, transports, challenge })
    }

    /// Begins to ask for a passkey: for any of this installation, so that it tells nothing about accounts.
    ///
    /// # Errors
    /// 500 when the options cannot be made or sealed.
    pub fn begin_assertion(
        &self,
        keyring: &Keyring,
        purpose: Purpose,
        now: Timestamp,
    ) -> Result<Begun, Problem> {
        let options = DiscoverableCredentialRequestOptions::passkey(&self.id);
        let (server, client) = options.start_ceremony().map_err(|error| Problem::internal(&error))?;
        let state = server.encode().map_err(|error| Problem::internal(&error))?;
        let options = serde_json::to_value(&client).map_err(|error| Problem::internal(&error))?;
        Ok(Begun { ceremony: seal(keyring, purpose, &state, now)?, options })
    }

    /// Ends to ask for a passkey (section 7.2): the passkey's new state, and the challenge that it met.
    ///
    /// # Errors
    /// 401 `invalid_passkey` when anything of it is wrong.
    pub fn finish_assertion(
        &self,
        keyring: &Keyring,
        purpose: Purpose,
        ceremony: &str,
        assertion: &Assertion,
        kept: &Kept,
        now: Timestamp,
    ) -> Result<(Vec<u8>, Challenge), Error> {
        let (state, expires_at) = open(keyring, purpose, ceremony, now)?;
        let server =
            DiscoverableAuthenticationServerState::decode(&state).map_err(|_| Error::InvalidPasskey)?;
        let challenge = Challenge { bytes: server.sent_challenge().0.to_be_bytes(), expires_at };
        let (organization, user) = assertion.owner();
        let owner = handle(organization, user);
        let id = CredentialId::<&[u8]>::decode(&kept.credential_id).map_err(|error| refused(&error))?;
        let public_key =
            StaticState::<PublicKey>::decode(&kept.public_key).map_err(|error| refused(&error))?;
        let state = decode_state(&kept.state).ok_or(Error::InvalidPasskey)?;
        let mut known =
            AuthenticatedCredential::new(id, &owner, public_key, state).map_err(|error| refused(&error))?;
        let options = AuthenticationVerificationOptions::<AllowedOrigin, AllowedOrigin> {
            allowed_origins: &self.origins,
            error_on_unsolicited_extensions: false,
            ..AuthenticationVerificationOptions::default()
        };
        server.verify(&self.id, &assertion.0, &mut known, &options).map_err(|error| refused(&error))?;
        let Ok(state) = known.dynamic_state().encode();
        Ok((state.to_vec(), challenge))
    }
}

/// Why it was refused is for the operator alone: a counter that goes back tells of a copied authenticator.
fn refused(why: &dyn std::fmt::Display) -> Error {
    tracing::warn!(%why, "a passkey was refused");
    Error::InvalidPasskey
}

fn seal(keyring: &Keyring, purpose: Purpose, state: &[u8], now: Timestamp) -> Result<String, Problem> {
    let expires_at = (now + CEREMONY).as_second().to_be_bytes();
    let sealed = keyring.seal(&purpose.place(), &[&expires_at, state].concat())?;
    Ok(URL_SAFE_NO_PAD.encode(sealed))
}

/// The state of a ceremony, and when it expires.
fn open(
    keyring: &Keyring,
    purpose: Purpose,
    ceremony: &str,
    now: Timestamp,
) -> Result<(Vec<u8>, Timestamp), Error> {
    let opened = URL_SAFE_NO_PAD.decode(ceremony).ok();
    let opened = opened.and_then(|sealed| keyring.open(&purpose.place(), &sealed).ok());
    let opened = opened.ok_or(Error::InvalidPasskey)?;
    let (seconds, state) = opened.expose().split_first_chunk().ok_or(Error::InvalidPasskey)?;
    let expires_at =
        Timestamp::from_second(i64::from_be_bytes(*seconds)).map_err(|_| Error::InvalidPasskey)?;
    if expires_at <= now {
        return Err(Error::InvalidPasskey);
    }
    Ok((state.to_vec(), expires_at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn party(public_url: &str, domain: &str, origins: &str) -> Result<Option<RelyingParty>, String> {
        RelyingParty::new(&Config {
            public_url: public_url.into(),
            passkey_domain: domain.into(),
            passkey_origins: origins.into(),
            ..Config::default()
        })
    }

    #[test]
    fn the_installation_is_known_by_its_public_name() {
        let one = party("https://book.example.edu/app/", "", "").unwrap().unwrap();
        assert_eq!(
            (one.id.as_ref(), one.origins[0].0.as_str()),
            ("book.example.edu", "https://book.example.edu")
        );
        let others = "https://app.example.edu, android:apk-key-hash:x";
        let wide = party("https://book.example.edu", "example.edu", others).unwrap().unwrap();
        assert_eq!((wide.id.as_ref(), wide.origins.len()), ("example.edu", 3));
        for nothing in ["", "http://192.0.2.7:8080", "http://[2001:db8::1]"] {
            assert!(party(nothing, "", "").unwrap().is_none(), "{nothing}");
        }
        for (url, domain, origins) in [
            ("book.example.edu", "", ""),
            ("https://book.example.edu", "ample.edu", ""),
            ("https://book.example.edu", "", "https://app.example.edu/"),
            ("https://book.example.edu", "", "app.example.edu"),
        ] {
            assert!(
                party(url, domain, origins).unwrap_err().starts_with("users."),
                "{url} {domain} {origins}"
            );
        }
    }

    #[test]
    fn a_handle_names_its_owner() {
        let (organization, user) = (OrganizationId::mint(), UserId::mint());
        let bytes = [organization.0.as_bytes().as_slice(), user.0.as_bytes()].concat();
        assert_eq!(AsRef::<[u8]>::as_ref(&handle(organization, user)), bytes);
    }
}
