//! Settings of the notification service.
//!
//! | variable | default | what it sets |
//! | --- | --- | --- |
//! | `RESERVAS_NOTIFICATIONS_MAIL_URL` | `SMTP_URL` | who takes mails: a mail server, SendGrid or Amazon SES, by a URL of `channel::address`; empty: mails become files in the outbox |
//! | `RESERVAS_NOTIFICATIONS_SECOND_MAIL_URL` | none | who is asked while the first one is away or busy, likewise |
//! | `RESERVAS_NOTIFICATIONS_MAIL_RATE` | 0: no limit | mails a second that one replica gives to each of them at most: 0 to 10,000 |
//! | `RESERVAS_NOTIFICATIONS_TRACKS_OPENS` | `false` | whether SendGrid puts a picture into mails that tells when they are opened |
//! | `RESERVAS_NOTIFICATIONS_SMS_URL` | none: no short messages | who takes short messages: Twilio or Amazon SNS, by a URL of `channel::address` |
//! | `RESERVAS_NOTIFICATIONS_SECOND_SMS_URL` | none | who is asked while the first one is away or busy, likewise |
//! | `RESERVAS_NOTIFICATIONS_SMS_RATE` | 0: no limit | short messages a second that one replica gives to each of them at most: 0 to 10,000 |
//! | `RESERVAS_NOTIFICATIONS_SENDGRID_EVENT_KEY` | none: nothing is heard | the verification key of SendGrid's Event Webhook, which leads to `{link_url}/api/v1/provider-events/sendgrid` |
//! | `RESERVAS_NOTIFICATIONS_SES_TOPIC` | none: nothing is heard | the ARN of the topic (signature version 2) through which SES tells, subscribed to `{link_url}/api/v1/provider-events/ses` |
//! | `RESERVAS_NOTIFICATIONS_SNS_ENDPOINT` | Amazon's | where its certificates and confirmations are asked for, such as by a proxy |
//! | `RESERVAS_NOTIFICATIONS_FROM` | `Reservas <reservas@localhost>` | who mails come from; its domain also makes their ids |
//! | `RESERVAS_NOTIFICATIONS_OUTBOX_DIR` | `outbox` in the data folder | the folder of the outbox |
//! | `RESERVAS_NOTIFICATIONS_LINK_URL` | `http://localhost` and the gateway's port | where the pages are that links in mails lead to |
//! | `RESERVAS_NOTIFICATIONS_USERS_URL` | by the port base | where the user service is reached |
//! | `RESERVAS_NOTIFICATIONS_BOOKINGS_URL` | by the port base | where the booking service is reached |
//! | `RESERVAS_NOTIFICATIONS_MAX_ATTEMPTS` | 16 (four and a half days) | attempts at a delivery before it fails: 1 to 100 |
//! | `RESERVAS_NOTIFICATIONS_WEBHOOK_NETWORKS` | none | networks of your own that webhooks may lead to, beside the public internet: `10.1.0.0/16, fd00::/8`; `http://` is allowed then, too |
//! | `RESERVAS_NOTIFICATIONS_PUSH_…` | | pushes to devices: see `push::settings` |
//! | `RESERVAS_NOTIFICATIONS_SERVER_…` | | see `platform::config::Server` |

use platform::config::{Secret, Server};
use serde::{Deserialize, Serialize};

use crate::push;

/// The settings.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where it listens, and its database.
    pub server: Server,
    /// Who takes mails, with its password; empty: the outbox.
    pub mail_url: Secret,
    /// Who is asked while the first one is away or busy, with its password; empty: none.
    pub second_mail_url: Secret,
    /// Mails a second that one replica gives to each of them at most: 0 (no limit) to 10,000.
    pub mail_rate: u32,
    /// Whether mails have a picture that tells when they are opened.
    pub tracks_opens: bool,
    /// Who takes short messages, with its password; empty: nobody.
    pub sms_url: Secret,
    /// Who is asked while the first one is away or busy, with its password; empty: none.
    pub second_sms_url: Secret,
    /// Short messages a second that one replica gives to each of them at most: 0 (no limit) to 10,000.
    pub sms_rate: u32,
    /// The verification key of SendGrid's Event Webhook; empty: nothing is heard.
    pub sendgrid_event_key: String,
    /// The ARN of the topic through which Amazon SES tells what becomes of mails; empty: nothing is heard.
    pub ses_topic: String,
    /// Where Amazon's certificates and confirmations are asked for; empty: where they are.
    pub sns_endpoint: String,
    /// Who mails come from (RFC 5322, section 3.4: a mailbox).
    pub from: String,
    /// The folder of the outbox; must be set when `mail_url` is not.
    pub outbox_dir: String,
    /// Where the pages are that links in mails lead to, without a slash at the end.
    pub link_url: String,
    /// Where the user service is reached; empty: on loopback by the port base.
    pub users_url: String,
    /// Where the booking service is reached; empty: on loopback by the port base.
    pub bookings_url: String,
    /// Attempts at a delivery before it fails: 1 to 100.
    pub max_attempts: u16,
    /// Networks that webhooks may lead to beside the public internet, with commas between.
    pub webhook_networks: String,
    /// Pushes to devices.
    pub push: push::Settings,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            server: Server::default(),
            mail_url: Secret::default(),
            second_mail_url: Secret::default(),
            mail_rate: 0,
            tracks_opens: false,
            sms_url: Secret::default(),
            second_sms_url: Secret::default(),
            sms_rate: 0,
            sendgrid_event_key: String::new(),
            ses_topic: String::new(),
            sns_endpoint: String::new(),
            from: "Reservas <reservas@localhost>".into(),
            outbox_dir: String::new(),
            link_url: String::new(),
            users_url: String::new(),
            bookings_url: String::new(),
            max_attempts: 16,
            webhook_networks: String::new(),
            push: push::Settings::default(),
        }
    }
}
