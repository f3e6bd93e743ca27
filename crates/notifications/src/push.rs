//! Pushes to devices: what one says, and the providers that are set up.

pub mod apns;
pub mod encrypt;
pub mod fcm;
pub mod google_token;
pub mod life;
pub mod reply;
pub mod settings;
pub mod vapid;
pub mod web_push;

use std::time::Duration;

use jiff::Timestamp;
use kernel::{BookingId, DeliveryId};
use reqwest::Client;
use serde::Serialize;

use crate::channel::{Channel, Provider};
use crate::device::{self, Address};
use crate::message::Kind;
use crate::webhooks::guard::Guard;
use apns::Apns;
use fcm::Fcm;
pub use settings::Settings;
use web_push::{Family, WebPush};

/// How long to wait for a connection to a push service.
const CONNECT: Duration = Duration::from_secs(5);

/// A push, ready for a provider.
#[derive(Debug, Clone)]
pub struct Push {
    /// The delivery it serves; the same in every attempt.
    pub delivery: DeliveryId,
    /// To which device.
    pub address: Address,
    /// A few words, in the reader's language.
    pub title: String,
    /// A line, likewise.
    pub body: String,
    /// What it is about.
    pub kind: Kind,
    /// Which booking: what comes later of the same takes the place of what is shown.
    pub booking: BookingId,
    /// Whether it wakes a device that sleeps.
    pub is_urgent: bool,
    /// When it is sent.
    pub now: Timestamp,
    /// From when on it is of no use, and is not kept for a device that is off.
    pub expires_at: Timestamp,
}

impl Push {
    /// How long a service keeps it for a device that is off, in seconds.
    #[must_use]
    pub fn ttl(&self) -> i64 {
        self.expires_at.duration_since(self.now).as_secs().max(0)
    }

    /// What an app gets beside the words.
    #[must_use]
    pub fn data(&self) -> Data {
        Data { booking_id: self.booking, kind: self.kind }
    }
}

/// What an app gets beside the words.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Data {
    /// Which booking.
    pub booking_id: BookingId,
    /// What happened to it.
    pub kind: Kind,
}

/// The providers of pushes; each of them may not be set up.
pub struct Pushers {
    fcm: Option<Provider<Push>>,
    apns: Option<Provider<Push>>,
    /// One for each family of browsers, so that one that is away stops no other.
    web_push: Vec<(Family, Provider<Push>)>,
    web_push_key: Option<String>,
}

impl std::fmt::Debug for Pushers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pushers({:?})", self.names())
    }
}

impl Pushers {
    /// Those that the settings name. `contact` is whom push services of browsers write to, where the settings do
    /// not say; `client` makes the requests to Google.
    ///
    /// # Errors
    /// A sentence for the operator, when a setting or file is wrong; it repeats no key.
    pub fn new(settings: &Settings, contact: &str, guard: &Guard, client: &Client) -> Result<Self, String> {
        if settings.rate > 10_000 {
            return Err("push.rate must be 0 to 10,000".into());
        }
        if !(1..=30).contains(&settings.timeout_seconds) {
            return Err("push.timeout_seconds must be 1 to 30".into());
        }
        let fcm = Fcm::new(settings, client)?.map(|fcm| pusher(device::Provider::Fcm, fcm, settings.rate));
        let apns = Apns::new(settings)?;
        let apns = apns.map(|apns| pusher(device::Provider::Apns, apns, settings.rate));
        let web_push = WebPush::new(settings, contact, guard)?;
        let web_push_key = web_push.as_ref().map(|web_push| web_push.public_key().to_owned());
        let provider = |family, web_push: &WebPush| {
            (family, pusher(device::Provider::WebPush, web_push.clone(), settings.rate))
        };
        let web_push =
            web_push.iter().flat_map(|web_push| Family::ALL.map(|family| provider(family, web_push)));
        Ok(Self { fcm, apns, web_push: web_push.collect(), web_push_key })
    }

    /// The names of those that are set up.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        use device::Provider::{Apns, Fcm, WebPush};
        [Fcm, Apns, WebPush]
            .into_iter()
            .filter(|one| self.has(*one))
            .map(|one| one.name().to_owned())
            .collect()
    }

    /// Whether one is set up.
    #[must_use]
    pub const fn has(&self, provider: device::Provider) -> bool {
        match provider {
            device::Provider::Fcm => self.fcm.is_some(),
            device::Provider::Apns => self.apns.is_some(),
            device::Provider::WebPush => self.web_push_key.is_some(),
        }
    }

    /// Our public key (base64url), with which browsers subscribe.
    #[must_use]
    pub fn web_push_key(&self) -> Option<&str> {
        self.web_push_key.as_deref()
    }

    /// Who takes pushes to an address; none when nobody is set up.
    #[must_use]
    pub fn provider(&self, address: &Address) -> Option<&Provider<Push>> {
        match address {
            Address::Fcm(_) => self.fcm.as_ref(),
            Address::Apns(_) => self.apns.as_ref(),
            Address::WebPush(subscription) => {
                let family = Family::of(&subscription.endpoint);
                self.web_push.iter().find(|(one, _)| *one == family).map(|(_, provider)| provider)
            }
        }
    }
}

fn pusher(provider: device::Provider, channel: impl Channel<Push> + 'static, rate: u32) -> Provider<Push> {
    Provider::new(provider.name(), channel, rate).busy_by_address()
}
