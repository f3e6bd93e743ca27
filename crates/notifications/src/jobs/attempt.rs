//! One attempt at a delivery: whom it is for, what it says, and the providers that are asked to take it.

use contracts::users::Contact;
use jiff::Timestamp;
use kernel::{BookingId, DeviceId, Email};
use platform::http::Problem;
use serde::de::DeserializeOwned;

use super::deliver::{About, Leased, Queue, Told};
use super::{letter, push, sms};
use crate::account::{AccountFacts, Link};
use crate::channel::providers::Try;
use crate::delivery::{Outcome, REMOVED};
use crate::mail::{self, Head, Letter, Mail};
use crate::message::{Facts, Kind};
use crate::preferences::quiet::is_urgent;
use crate::preferences::token::Token;
use crate::preferences::{Channel, QuietHours};
use crate::store::erasure::is_forgotten;
use crate::store::suppressions::is_suppressed;
use crate::store::{preferences, templates};
use crate::suppression::{Digest, digest};
use crate::templates::name::{Name, render};
use crate::templates::page::address;
use crate::templates::values::Reader;
use crate::templates::{Forms, Values};
use crate::wording::Language;
use crate::{App, peers};

/// Characters of a provider's answer that are kept.
const ANSWER: usize = 500;

/// How an attempt went.
#[derive(Debug)]
pub struct Report {
    /// What was tried; nothing when it ended before any provider.
    pub tries: Vec<Try>,
    /// How it ended.
    pub outcome: Outcome,
    /// The mail's `Message-ID`, when there was a mail.
    pub message_id: Option<String>,
    /// The address, when it must get no more mail.
    pub suppress: Option<Digest>,
    /// The device, when its provider calls it gone.
    pub gone: Option<DeviceId>,
}

impl From<Outcome> for Report {
    fn from(outcome: Outcome) -> Self {
        Self { tries: Vec::new(), outcome, message_id: None, suppress: None, gone: None }
    }
}

/// One attempt, outside of any transaction.
pub async fn attempt(app: &App, leased: &Leased, now: Timestamp) -> Report {
    if leased.attempt - leased.spent > i32::from(app.config.max_attempts) {
        return Outcome::Passing("the last attempts broke off without an end".into()).into();
    }
    match (&leased.about, leased.device) {
        (About::Letter(id), _) => letter::attempt(app, leased, *id, now).await,
        (About::Told(told), Some(device)) => push::attempt(app, leased, told, device, now).await,
        (About::Told(told), None) if leased.queue == Queue::Texts => {
            sms::attempt(app, leased, told, now).await
        }
        (About::Told(told), None) => attempt_told(app, leased, told, now).await,
    }
}

async fn attempt_told(app: &App, leased: &Leased, told: &Told, now: Timestamp) -> Report {
    let contact = match contact(app, leased).await {
        Ok(contact) => contact,
        Err(outcome) => return outcome.into(),
    };
    if contact.email.as_str().ends_with(".invalid") {
        return Outcome::Permanent("a service account reads no mail".into()).into();
    }
    let written = match told.booking {
        Some(booking) => about_booking(app, leased, told, booking, &contact, now).await,
        None => about_account(app, leased, told, &contact, now).await,
    };
    match written {
        Ok(mail) => send(app, leased, &contact.email, &mail).await,
        Err(outcome) => outcome.into(),
    }
}

/// Sends a mail, unless its address gets none any more.
pub async fn send(app: &App, leased: &Leased, email: &Email, mail: &Mail) -> Report {
    let digest = digest(leased.organization, email);
    match is_suppressed(app, leased.organization, &digest).await {
        Ok(false) => {}
        Ok(true) => {
            return Outcome::Permanent("the address is on the list of those that get no mail".into()).into();
        }
        Err(problem) => return Outcome::Passing(problem.detail).into(),
    }
    let tries = app.providers.send(mail).await;
    let tries: Vec<_> =
        tries.into_iter().map(|made| made.map(|outcome| without(outcome, email.as_str()))).collect();
    let outcome = tries.last().map_or(Outcome::Resting, |last| last.outcome.clone());
    let suppress = matches!(outcome, Outcome::NoSuchAddress(_)).then_some(digest);
    Report { tries, message_id: Some(mail.message_id.clone()), suppress, ..Report::from(outcome) }
}

/// What the message was written with. Passing: a replica of a later version may have written it.
fn read<T: DeserializeOwned>(told: &Told) -> Result<T, Outcome> {
    serde_json::from_value(told.data.clone())
        .map_err(|error| Outcome::Passing(format!("the message cannot be read: {error}")))
}

/// Whom a message is for.
///
/// # Errors
/// When they were removed, or the user service does not answer.
pub(super) async fn contact(app: &App, leased: &Leased) -> Result<Contact, Outcome> {
    let contact = peers::contact(app, leased.organization, leased.user, &leased.correlation_id).await;
    let contact = contact.map_err(|error| Outcome::Passing(format!("the user service: {error}")))?;
    contact.ok_or_else(|| Outcome::Permanent(REMOVED.into()))
}

/// What happened to the booking that a message is about.
///
/// # Errors
/// When it cannot be read, or is of no use any more.
pub(super) fn facts(told: &Told, now: Timestamp) -> Result<Facts, Outcome> {
    let facts = read::<Facts>(told)?;
    if told.kind == Kind::BookingReminder && facts.now.slot.starts_at() <= now {
        return Err(Outcome::Permanent("the booking has begun".into()));
    }
    Ok(facts)
}

async fn about_booking(
    app: &App,
    leased: &Leased,
    told: &Told,
    booking: BookingId,
    contact: &Contact,
    now: Timestamp,
) -> Result<Mail, Outcome> {
    let facts = facts(told, now)?;
    let language = Language::of(&contact.locale);
    let name = Name { kind: told.kind, language };
    let known = known(app, leased, name).await.map_err(|problem| Outcome::Passing(problem.detail))?;
    quiet(known.quiet, (told.kind, &facts), contact, now)?;
    let title = peers::title(app, leased.organization, booking, &leased.correlation_id).await;
    let title = title.map_err(|error| Outcome::Passing(format!("the booking service: {error}")))?;
    let reader = reader(contact);
    let mut values = Values::new(told.kind, &facts, reader, title.as_deref());
    let base = app.config.link_url.trim_end_matches('/');
    let token = known.token.map(|token| token.write());
    // After `#`, which browsers do not send: to open the page changes nothing.
    values.unsubscribe_url = token.as_ref().map(|token| address(base, "unsubscribe", token));
    let rendered = render(known.theirs, name, &values);
    let letter = Letter {
        organization: leased.organization,
        delivery: leased.id,
        booking,
        kind: told.kind,
        unsubscribe: token.map(|token| format!("{base}/api/v1/unsubscribe/{token}")),
        rendered: rendered.map_err(Outcome::Passing)?,
        facts,
        correlation_id: leased.correlation_id.clone(),
        heard_at: told.heard_at,
        email: contact.email.clone(),
        name: contact.name.clone(),
        title,
    };
    mail::write(&letter, &app.sender, now).map_err(Outcome::Permanent)
}

/// Whether a person may be disturbed.
///
/// # Errors
/// For how long not, when it can wait.
pub(super) fn quiet(
    hours: Option<QuietHours>,
    (kind, facts): (Kind, &Facts),
    contact: &Contact,
    now: Timestamp,
) -> Result<(), Outcome> {
    let left = hours.and_then(|hours| hours.left(now, &contact.time_zone));
    match left.filter(|_| !is_urgent(kind, facts.now.slot.starts_at(), now)) {
        Some(left) => Err(Outcome::Quiet(left)),
        None => Ok(()),
    }
}

/// What is kept about a person and a message.
struct Known {
    quiet: Option<QuietHours>,
    /// None where the organization has fixed that these mails are sent.
    token: Option<Token>,
    theirs: Option<Forms>,
}

async fn known(app: &App, leased: &Leased, name: Name) -> Result<Known, Problem> {
    let (organization, user) = (leased.organization, leased.user);
    let mut tx = app.context.db.begin(organization).await?;
    // No key is made for somebody who was removed a moment ago.
    let is_gone = is_forgotten(&mut tx, organization, user).await?;
    let rules = preferences::rules(&mut tx, organization).await?;
    let is_fixed = rules
        .iter()
        .any(|rule| (rule.kind, rule.channel, rule.is_fixed) == (name.kind, Channel::Email, true));
    let token = if is_gone || is_fixed {
        None
    } else {
        Some(preferences::token(&mut tx, organization, user, name.kind).await?)
    };
    let known = Known {
        quiet: preferences::quiet_hours(&mut tx, organization, user).await?,
        token,
        theirs: templates::find(&mut tx, organization, name).await?,
    };
    tx.commit().await?;
    Ok(known)
}

async fn about_account(
    app: &App,
    leased: &Leased,
    told: &Told,
    contact: &Contact,
    now: Timestamp,
) -> Result<Mail, Outcome> {
    let facts = read::<AccountFacts>(told)?;
    let link = match &facts {
        AccountFacts::PasswordResetRequested { reset_id } => {
            let link = peers::reset_link(app, leased.organization, *reset_id, &leased.correlation_id).await;
            let link = link.map_err(|error| Outcome::Passing(format!("the user service: {error}")))?;
            let link = link.ok_or_else(|| Outcome::Permanent("the link is too old, or was used".into()))?;
            Some(Link::new(&app.config.link_url, &link))
        }
        _ => None,
    };
    let rendered = facts.page(&reader(contact), told.heard_at, link.as_ref()).render();
    let rendered = rendered.map_err(|mistake| Outcome::Passing(mistake.detail))?;
    let head = Head {
        organization: leased.organization,
        delivery: leased.id,
        subject: &rendered.subject,
        correlation_id: &leased.correlation_id,
        email: &contact.email,
        name: &contact.name,
    };
    mail::write_page(&head, &rendered, &app.sender, now).map_err(Outcome::Permanent)
}

/// For whom a message is worded.
pub(super) fn reader(contact: &Contact) -> Reader<'_> {
    Reader {
        name: &contact.name,
        language: Language::of(&contact.locale),
        time_zone: &contact.time_zone,
        organization: &contact.organization,
        branding: &contact.branding,
    }
}

/// The outcome with the answer that may be kept: servers repeat addresses, and addresses are not ours to keep.
pub(super) fn without(outcome: Outcome, address: &str) -> Outcome {
    let address = address.to_lowercase();
    outcome.map(|answer| {
        let hidden = answer.to_lowercase().contains(&address);
        let answer = if hidden { answer.to_lowercase().replace(&address, "[address]") } else { answer };
        answer.chars().take(ANSWER).collect()
    })
}
