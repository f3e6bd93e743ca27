//! An authenticator in software with its browser (Web Authentication, level 3, sections 5.8.1, 6.1 and 6.5), and what a
//! person does with them.
//!
//! Our own, because the one that is to be had makes `serde_json` keep the order of members in every build of the workspace
//! that has tests, so that tests would not run what is delivered.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use testkit::{Call, Reply};

use crate::{SignedIn, Users};

/// Where people reach the installation of the tests.
pub const HERE: &str = "https://booking.example.edu";

/// The user is there; what is signed for is backed up, and may be.
const PRESENT_AND_SYNCED: u8 = 0x01 | 0x08 | 0x10;
/// The user has shown a finger.
const VERIFIED: u8 = 0x04;
/// What follows names a new key.
const ATTESTED: u8 = 0x40;

/// A passkey as a device has it.
#[derive(Clone)]
pub struct Passkey {
    pub id: [u8; 16],
    pub user_handle: Vec<u8>,
    pub counter: u32,
    key: SigningKey,
}

/// A device with at most one passkey.
pub struct Device {
    passkey: Option<Passkey>,
    verified: bool,
}

fn text(bytes: &[u8]) -> Value {
    json!(URL_SAFE_NO_PAD.encode(bytes))
}

fn bytes(text: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text.as_str().unwrap()).unwrap()
}

/// What a browser says of the page.
fn client_data(kind: &str, options: &Value, page: &str) -> Vec<u8> {
    let data = json!({"type": kind, "challenge": options["challenge"], "origin": page, "crossOrigin": false});
    serde_json::to_vec(&data).unwrap()
}

impl Device {
    pub const fn new() -> Self {
        Self { passkey: None, verified: true }
    }

    /// One whose owner shows no finger.
    pub const fn unverified() -> Self {
        Self { passkey: None, verified: false }
    }

    /// The passkey, to be tampered with.
    pub fn passkey(&mut self) -> &mut Passkey {
        self.passkey.as_mut().unwrap()
    }

    /// Has the passkey of another device from now on.
    pub fn take_from(&mut self, other: &mut Self) {
        self.passkey = Some(other.passkey().clone());
    }

    fn authenticator_data(&self, domain: &Value, flags: u8, counter: u32) -> Vec<u8> {
        let verified = if self.verified { VERIFIED } else { 0 };
        let hash = Sha256::digest(domain.as_str().unwrap());
        [&hash[..], &[PRESENT_AND_SYNCED | verified | flags], &counter.to_be_bytes()].concat()
    }

    /// Makes a passkey on a page.
    pub fn make(&mut self, page: &str, options: &Value) -> Value {
        self.make_as(rand::random(), page, options)
    }

    /// Makes one of a certain name.
    pub fn make_as(&mut self, id: [u8; 16], page: &str, options: &Value) -> Value {
        let key = SigningKey::from_slice(&rand::random::<[u8; 32]>()).unwrap();
        let user_handle = bytes(&options["user"]["id"]);
        let passkey = Passkey { id, user_handle, counter: 0, key };
        let point = passkey.key.verifying_key().to_encoded_point(false);
        // COSE: a key of two coordinates, for ES256, on P-256 (RFC 9053, sections 2.1 and 7.1.1).
        let head: &[u8] = &[0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20];
        let public = [head, point.x().unwrap(), &[0x22, 0x58, 0x20], point.y().unwrap()].concat();
        let data = self.authenticator_data(&options["rp"]["id"], ATTESTED, 0);
        let data = [&data[..], &[0; 16], &[0, 16], &passkey.id, &public].concat();
        // CBOR: {"fmt": "none", "attStmt": {}, "authData": …}.
        let object =
            [b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58", &[data.len() as u8][..], &data].concat();
        let id = text(&passkey.id);
        self.passkey = Some(passkey);
        let response = json!({
            "clientDataJSON": text(&client_data("webauthn.create", options, page)),
            "attestationObject": text(&object),
            "transports": ["internal"],
        });
        json!({"id": id, "rawId": id, "type": "public-key", "response": response, "clientExtensionResults": {}})
    }

    /// Signs on a page.
    pub fn sign(&mut self, page: &str, options: &Value) -> Value {
        self.passkey().counter += 1;
        let passkey = self.passkey().clone();
        let data = self.authenticator_data(&options["rpId"], 0, passkey.counter);
        let client_data = client_data("webauthn.get", options, page);
        let signed = [&data[..], &Sha256::digest(&client_data)].concat();
        let signature: Signature = passkey.key.sign(&signed);
        let id = text(&passkey.id);
        let response = json!({
            "clientDataJSON": text(&client_data),
            "authenticatorData": text(&data),
            "signature": text(signature.to_der().as_bytes()),
            "userHandle": text(&passkey.user_handle),
        });
        json!({"id": id, "rawId": id, "type": "public-key", "response": response, "clientExtensionResults": {}})
    }
}

impl Users {
    /// Asks for options.
    pub async fn options(&self, call: Call) -> (Value, Value) {
        let body = call.send().await.expect(200).json();
        (body["ceremony"].clone(), body["options"].clone())
    }

    /// Options to make a passkey.
    pub async fn begin_passkey(&self, who: &SignedIn) -> (Value, Value) {
        self.options(self.by(who, "POST", "/api/v1/me/passkeys/options")).await
    }

    /// Options to sign in.
    pub async fn begin_login(&self) -> (Value, Value) {
        self.options(self.call("POST", "/api/v1/auth/passkey/options")).await
    }

    /// Shows what a device answered.
    pub fn add(&self, who: &SignedIn, ceremony: &Value, credential: &Value) -> Call {
        let body = json!({"name": "Phone", "ceremony": ceremony, "credential": credential});
        self.by(who, "POST", "/api/v1/me/passkeys").json(body)
    }

    /// Adds a new device's passkey; the device, and the answer.
    pub async fn enrol(&self, who: &SignedIn) -> (Device, Value) {
        let mut device = Device::new();
        let (ceremony, options) = self.begin_passkey(who).await;
        let made = device.make(HERE, &options);
        let body = self.add(who, &ceremony, &made).send().await.expect(201).json();
        let events = self.events().await;
        assert_eq!((events.len(), &events[0].data["change"]), (1, &json!("passkey_added")));
        (device, body)
    }

    /// Shows what a device answered to sign in with it alone.
    pub fn show(&self, ceremony: &Value, credential: &Value) -> Call {
        let passkey = json!({"ceremony": ceremony, "credential": credential});
        self.call("POST", "/api/v1/auth/passkey").json(json!({"passkey": passkey}))
    }

    /// Signs in with a device alone.
    pub async fn sign_in_with(&self, device: &mut Device) -> Reply {
        let (ceremony, options) = self.begin_login().await;
        let signed = device.sign(HERE, &options);
        self.show(&ceremony, &signed).send().await
    }
}
