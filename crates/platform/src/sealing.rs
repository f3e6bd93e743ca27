//! Secrets that have to be read again, encrypted before they go to the database: "sealed".
//!
//! `XChaCha20-Poly1305` (draft-irtf-cfrg-xchacha-03), so that nonces may be random however many values there are. A sealed
//! value names the key that it was sealed with, so that keys can follow one another, and is bound to its place: moved to
//! another column, organization or row it does not open.

pub mod at_rest;

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305};
use kernel::OrganizationId;
use secrecy::{ExposeSecret as _, SecretSlice};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::config::Secret;
use crate::http::Problem;

/// The first byte of a sealed value: how it is made.
const VERSION: u8 = 1;
/// Bytes of a key (RFC 8439, section 2.8).
const KEY: usize = 32;
/// Bytes of a key's id.
const ID: usize = 8;
/// Bytes of a nonce (draft-irtf-cfrg-xchacha-03, section 2).
const NONCE: usize = 24;
/// Bytes by which a sealed value is longer: version, key id, nonce, tag.
pub const LONGER: usize = 1 + ID + NONCE + 16;
/// Keys of an installation at most: one that seals, and those that it has followed.
pub const MOST_KEYS: usize = 16;

/// As `openssl rand -base64 32` writes it, with or without the `=` at the end.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Why a value cannot be sealed or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No key was handed in.
    #[error("there is no sealing key: set RESERVAS_SEALING_KEYS or RESERVAS_SEALING_KEY_FILE")]
    NoKey,
    /// It was sealed with a key that was not handed in.
    #[error("a value is sealed with the key {0}, which is not among the sealing keys that were handed in")]
    UnknownKey(SealingKeyId),
    /// It is no sealed value, was changed, or belongs to another place.
    #[error(
        "what should be a sealed value in {0} is none, was changed, or was moved there from another place"
    )]
    Damaged(&'static str),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::internal(&error)
    }
}

/// Names a key without telling it: the first 64 bits of a hash of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SealingKeyId([u8; ID]);

impl SealingKeyId {
    fn of(key: &[u8; KEY]) -> Self {
        let hash: [u8; 32] =
            Sha256::new().chain_update("reservas sealing key").chain_update(key).finalize().into();
        let mut id = [0; ID];
        id.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        Self(id)
    }
}

impl fmt::Display for SealingKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for SealingKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where a sealed value stands: it opens nowhere else.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Schema, table and column: `users.totp.secret`.
    pub column: &'static str,
    /// Whose row it is; none for what belongs to the installation.
    pub organization: Option<OrganizationId>,
    /// The row.
    pub row: Uuid,
}

impl Place {
    fn associated_data(&self) -> Vec<u8> {
        let organization = self.organization.map_or(Uuid::nil(), |id| id.0);
        // Of what follows the column each part has its one length, so that no two places read alike.
        [self.column.as_bytes(), &[0], organization.as_bytes(), self.row.as_bytes()].concat()
    }
}

/// An opened value; wiped when dropped, and hidden from logs.
#[derive(Debug)]
pub struct Opened(SecretSlice<u8>);

impl Opened {
    /// The value, for the one place that needs it.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.0.expose_secret()
    }
}

/// The keys of an installation: the first one seals, all of them open.
#[derive(Clone, Default)]
pub struct Keyring(Arc<Vec<(SealingKeyId, XChaCha20Poly1305)>>);

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Keyring").field(&self.ids()).finish()
    }
}

impl Keyring {
    /// The keys of a text: 32 bytes each, in base64, separated by commas or white space.
    ///
    /// # Errors
    /// A line that says which of them is none, and never shows it.
    pub fn parse(text: &Secret) -> Result<Self, String> {
        let mut keys = Vec::new();
        let words = text.expose().split(|c: char| c == ',' || c.is_ascii_whitespace());
        for (number, word) in words.filter(|word| !word.is_empty()).enumerate() {
            let bytes: Option<[u8; KEY]> = BASE64.decode(word).ok().and_then(|bytes| bytes.try_into().ok());
            let bytes = bytes.ok_or_else(|| {
                format!("number {} is no key: it must be {KEY} bytes in base64 (`reservas admin keys generate` makes one)", number + 1)
            })?;
            keys.push((SealingKeyId::of(&bytes), XChaCha20Poly1305::new(&bytes.into())));
        }
        match keys.len() {
            0 => Err("there is no key in it".into()),
            1..=MOST_KEYS => Ok(Self(Arc::new(keys))),
            _ => Err(format!("there are more than {MOST_KEYS} keys in it")),
        }
    }

    /// A new key, as [`Keyring::parse`] reads it.
    #[must_use]
    pub fn generate() -> Secret {
        Secret::from(BASE64.encode(rand::random::<[u8; KEY]>()))
    }

    /// The ids of all keys, the one that seals first.
    #[must_use]
    pub fn ids(&self) -> Vec<SealingKeyId> {
        self.0.iter().map(|(id, _)| *id).collect()
    }

    /// What all values begin with that the first key has sealed.
    ///
    /// # Errors
    /// [`Error::NoKey`] when there is none.
    pub fn mark(&self) -> Result<Vec<u8>, Error> {
        let (id, _) = self.0.first().ok_or(Error::NoKey)?;
        Ok([[VERSION].as_slice(), &id.0].concat())
    }

    /// Seals a value for its place.
    ///
    /// # Errors
    /// [`Error::NoKey`] when there is none.
    pub fn seal(&self, place: &Place, value: &[u8]) -> Result<Vec<u8>, Error> {
        let (_, cipher) = self.0.first().ok_or(Error::NoKey)?;
        let nonce: [u8; NONCE] = rand::random();
        let aad = place.associated_data();
        let sealed = cipher.encrypt(&nonce.into(), Payload { msg: value, aad: &aad });
        // Only a value of more than 256 GiB cannot be encrypted.
        let sealed = sealed.map_err(|_| Error::Damaged(place.column))?;
        Ok([self.mark()?, nonce.to_vec(), sealed].concat())
    }

    /// Opens a value at its place.
    ///
    /// # Errors
    /// [`Error::UnknownKey`] when its key was not handed in, [`Error::Damaged`] when it is none of this place.
    pub fn open(&self, place: &Place, sealed: &[u8]) -> Result<Opened, Error> {
        let damaged = || Error::Damaged(place.column);
        let (version, rest) = sealed.split_first().ok_or_else(damaged)?;
        let (id, rest) = rest.split_first_chunk::<ID>().ok_or_else(damaged)?;
        let (nonce, text) = rest.split_first_chunk::<NONCE>().ok_or_else(damaged)?;
        if *version != VERSION {
            return Err(damaged());
        }
        let id = SealingKeyId(*id);
        let key = self.0.iter().find(|(known, _)| *known == id);
        let (_, cipher) = key.ok_or(Error::UnknownKey(id))?;
        let aad = place.associated_data();
        let value = cipher.decrypt(&(*nonce).into(), Payload { msg: text, aad: &aad });
        value.map(|value| Opened(SecretSlice::from(value))).map_err(|_| damaged())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyring(keys: &[&Secret]) -> Keyring {
        let words: Vec<_> = keys.iter().map(|key| key.expose()).collect();
        Keyring::parse(&Secret::from(words.join(",\n"))).unwrap()
    }

    fn place() -> Place {
        let (organization, row) = (OrganizationId::mint(), OrganizationId::mint().0);
        Place { column: "users.totp.secret", organization: Some(organization), row }
    }

    #[test]
    fn a_value_opens_at_its_place_alone() {
        let (keyring, place) = (keyring(&[&Keyring::generate()]), place());
        let sealed = keyring.seal(&place, b"secret").unwrap();
        assert_eq!(sealed.len(), 6 + LONGER);
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
        assert_ne!(sealed, keyring.seal(&place, b"secret").unwrap(), "no nonce twice");
        assert_eq!(keyring.open(&place, &sealed).unwrap().expose(), b"secret");
        let other = OrganizationId::mint();
        for elsewhere in [
            Place { column: "users.totp.secre", ..place },
            Place { organization: Some(other), ..place },
            Place { organization: None, ..place },
            Place { row: other.0, ..place },
        ] {
            assert_eq!(keyring.open(&elsewhere, &sealed).unwrap_err(), Error::Damaged(elsewhere.column));
        }
    }

    #[test]
    fn no_bit_of_it_can_be_changed() {
        let (keyring, place) = (keyring(&[&Keyring::generate()]), place());
        let sealed = keyring.seal(&place, b"secret").unwrap();
        for (byte, bit) in (0..sealed.len()).flat_map(|byte| (0..8).map(move |bit| (byte, bit))) {
            let mut changed = sealed.clone();
            changed[byte] ^= 1 << bit;
            keyring.open(&place, &changed).unwrap_err();
        }
        for length in 0..sealed.len() {
            keyring.open(&place, &sealed[..length]).unwrap_err();
        }
    }

    #[test]
    fn keys_follow_one_another() {
        let (old, new, place) = (Keyring::generate(), Keyring::generate(), place());
        let by_old = keyring(&[&old]).seal(&place, b"secret").unwrap();
        let both = keyring(&[&new, &old]);
        assert_eq!(both.open(&place, &by_old).unwrap().expose(), b"secret");
        let by_new = both.seal(&place, b"secret").unwrap();
        assert!(by_new.starts_with(&both.mark().unwrap()) && !by_old.starts_with(&both.mark().unwrap()));
        let id = both.ids()[1];
        assert_eq!(keyring(&[&new]).open(&place, &by_old).unwrap_err(), Error::UnknownKey(id));
        assert_eq!(Keyring::default().seal(&place, b"secret").unwrap_err(), Error::NoKey);
    }

    #[test]
    fn what_is_no_key_is_refused_and_not_shown() {
        let good = Keyring::generate();
        for text in ["", " ,\n", "c2hvcnQ=", &format!("{} not-a-key!", good.expose())] {
            let refusal = Keyring::parse(&Secret::from(text.to_owned())).unwrap_err();
            assert!(!refusal.contains("not-a-key") && !refusal.contains("c2hvcnQ"), "{refusal}");
        }
        let many = vec![good.expose(); MOST_KEYS + 1].join(",");
        assert!(Keyring::parse(&Secret::from(many)).is_err());
        let unpadded = good.expose().trim_end_matches('=').to_owned();
        assert_eq!(keyring(&[&good]).ids(), Keyring::parse(&Secret::from(unpadded)).unwrap().ids());
        assert!(!format!("{:?}", keyring(&[&good])).contains(good.expose()));
    }
}
