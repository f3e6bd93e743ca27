//! Encryption of pushes to browsers (RFC 8291): AES-128-GCM in one record (RFC 8188), by a key that the browser and we
//! alone can compute. With ring, which the tree has for TLS already: no second implementation of these comes in.

use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral};
use ring::hkdf::{HKDF_SHA256, KeyType, Salt};
use ring::rand::SystemRandom;

use crate::device::Subscription;

/// The length of a record: all push services take messages of so many bytes (RFC 8291, section 4; RFC 8030, section 7.2).
const RECORD: u32 = 4096;
/// Bytes of the salt (RFC 8188, section 2.1).
const SALT: usize = 16;
/// Ends the last record (RFC 8188, section 2).
const LAST: u8 = 2;
/// Bytes that can be encrypted: a record less the delimiter, the tag of 16 bytes and the head of 86.
pub const LONGEST: usize = 4096 - 1 - 16 - 86;

/// Encrypts a text for a subscription; none when its key is no point of the curve, or the text is too long.
#[must_use]
pub fn encrypt(subscription: &Subscription, text: &[u8]) -> Option<Vec<u8>> {
    let random = SystemRandom::new();
    let ours = EphemeralPrivateKey::generate(&ECDH_P256, &random).ok()?;
    let public = ours.compute_public_key().ok()?;
    let theirs = UnparsedPublicKey::new(&ECDH_P256, &subscription.p256dh);
    let salt: [u8; SALT] = rand::random();
    agree_ephemeral(ours, &theirs, |shared| seal(subscription, shared, public.as_ref(), &salt, text)).ok()?
}

/// Whether a key is a point of the curve.
#[must_use]
pub fn is_public_key(key: &[u8]) -> bool {
    let ours = EphemeralPrivateKey::generate(&ECDH_P256, &SystemRandom::new());
    ours.is_ok_and(|ours| agree_ephemeral(ours, &UnparsedPublicKey::new(&ECDH_P256, key), |_| ()).is_ok())
}

/// RFC 8291, section 3.4: the secret of both keys, then content encryption key and nonce.
fn seal(
    subscription: &Subscription,
    shared: &[u8],
    public: &[u8],
    salt: &[u8; SALT],
    text: &[u8],
) -> Option<Vec<u8>> {
    if text.len() > LONGEST {
        return None;
    }
    let mut secret = [0; 32];
    let info = [b"WebPush: info\0".as_slice(), &subscription.p256dh, public];
    expand(&subscription.auth, shared, &info, &mut secret)?;
    let (mut key, mut nonce) = ([0; 16], [0; 12]);
    expand(salt, &secret, &[b"Content-Encoding: aes128gcm\0"], &mut key)?;
    expand(salt, &secret, &[b"Content-Encoding: nonce\0"], &mut nonce)?;
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).ok()?);
    let mut record = [text, &[LAST]].concat();
    // One record, so that its sequence number is 0 and changes nothing of the nonce.
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut record).ok()?;
    let length = [u8::try_from(public.len()).ok()?];
    Some([salt.as_slice(), &RECORD.to_be_bytes(), &length, public, &record].concat())
}

/// HKDF with SHA-256 (RFC 5869), to as many bytes as there is room for.
fn expand(salt: &[u8], secret: &[u8], info: &[&[u8]], out: &mut [u8]) -> Option<()> {
    Salt::new(HKDF_SHA256, salt).extract(secret).expand(info, Length(out.len())).ok()?.fill(out).ok()
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    /// RFC 8291, appendix A.
    #[test]
    fn the_example_of_the_specification_comes_out() {
        let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
        let subscription = Subscription {
            endpoint: String::new(),
            p256dh: bytes(
                "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            ),
            auth: bytes("BTBZMqHH6r4Tts7J_aSIgg"),
        };
        let shared = bytes("kyrL1jIIOHEzg3sM2ZWRHDRB62YACZhhSlknJ672kSs");
        let public =
            bytes("BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8");
        let salt = bytes("DGv6ra1nlYgDCS1FRnbzlw").try_into().unwrap();
        let text = b"When I grow up, I want to be a watermelon";
        let expected = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27ml\
            mlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT\
            pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";
        let sealed = seal(&subscription, &shared, &public, &salt, text).unwrap();
        assert_eq!(URL_SAFE_NO_PAD.encode(sealed), expected);
        assert!(is_public_key(&subscription.p256dh));
        assert_ne!(encrypt(&subscription, text), encrypt(&subscription, text), "no key twice");
    }

    #[test]
    fn what_is_no_key_or_too_long_is_not_encrypted() {
        let good = Subscription { endpoint: String::new(), p256dh: vec![4; 65], auth: vec![0; 16] };
        assert!(!is_public_key(&good.p256dh) && encrypt(&good, b"x").is_none());
        assert!(!is_public_key(&[]) && !is_public_key(&[0; 65]));
        let public = [4; 65];
        assert_eq!(seal(&good, &[1; 32], &public, &[0; 16], &[b'x'; LONGEST]).unwrap().len(), 4096);
        assert!(seal(&good, &[1; 32], &public, &[0; 16], &[b'x'; LONGEST + 1]).is_none());
    }
}
