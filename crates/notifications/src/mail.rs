//! A message to a person as a mail: text, calendar entry, and the headers that thread it and stop auto-replies.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use kernel::{BookingId, DeliveryId, Email};
use lettre::Message as Built;
use lettre::address::Envelope;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MessageBuilder, MultiPart, SinglePart};

use crate::calendar::{self, Entry, Method, Party};
use crate::message::{Facts, Kind, one_line};
use crate::templates::Rendered;

/// All that a mail says.
#[derive(Debug, Clone)]
pub struct Letter {
    /// The delivery it serves: makes the `Message-ID`, so that a mail sent twice can be told as one.
    pub delivery: DeliveryId,
    /// The booking: makes the thread and the calendar entry's `UID`.
    pub booking: BookingId,
    /// What it is about.
    pub kind: Kind,
    /// Where a mail program sends a request when its reader wants no more of these; none where they cannot say so.
    pub unsubscribe: Option<String>,
    /// Its words.
    pub rendered: Rendered,
    /// What happened.
    pub facts: Facts,
    /// What ties it to the request that caused it.
    pub correlation_id: String,
    /// When the event was heard.
    pub heard_at: Timestamp,
    /// To whom.
    pub email: Email,
    /// What they are called.
    pub name: String,
    /// What the booking is for, in the owner's words.
    pub title: Option<String>,
}

/// A mail, ready for a channel.
#[derive(Debug, Clone)]
pub struct Mail {
    /// The delivery it serves.
    pub delivery: DeliveryId,
    /// Its `Message-ID`, the same in every attempt.
    pub message_id: String,
    /// The day (UTC) on which it is sent.
    pub date: Date,
    /// From and to.
    pub envelope: Envelope,
    /// The whole of it (RFC 5322).
    pub bytes: Vec<u8>,
}

/// Writes the mail, from `sender`, dated `now`.
///
/// # Errors
/// When it cannot be written as a mail, such as to an address that SMTP does not know.
pub fn write(letter: &Letter, sender: &Mailbox, now: Timestamp) -> Result<Mail, String> {
    let thread = format!("<booking-{}@{}>", letter.booking, sender.email.domain());
    let head = Head {
        delivery: letter.delivery,
        subject: &letter.rendered.subject,
        correlation_id: &letter.correlation_id,
        email: &letter.email,
        name: &letter.name,
    };
    let message = head.builder(sender, now)?.in_reply_to(thread.clone()).references(thread);
    // RFC 8058: one click, which is a POST with that body.
    let message = match &letter.unsubscribe {
        Some(url) => message
            .raw_header(header("List-Unsubscribe", &format!("<{url}>")))
            .raw_header(header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")),
        None => message,
    };
    mail(letter.delivery, sender, now, message.multipart(body(letter, sender)?))
}

/// Writes a mail that is a text and a page, from `sender`, dated `now`.
///
/// # Errors
/// As [`write`].
pub fn write_page(
    head: &Head<'_>,
    page: &Rendered,
    sender: &Mailbox,
    now: Timestamp,
) -> Result<Mail, String> {
    let body = MultiPart::alternative()
        .singlepart(SinglePart::plain(page.text.clone()))
        .singlepart(SinglePart::html(page.html.clone()));
    mail(head.delivery, sender, now, head.builder(sender, now)?.multipart(body))
}

/// What stands at the top of every mail.
#[derive(Debug)]
pub struct Head<'a> {
    /// The delivery it serves.
    pub delivery: DeliveryId,
    /// Its subject.
    pub subject: &'a str,
    /// What ties it to the request that caused it.
    pub correlation_id: &'a str,
    /// To whom.
    pub email: &'a Email,
    /// What they are called.
    pub name: &'a str,
}

impl Head<'_> {
    fn builder(&self, sender: &Mailbox, now: Timestamp) -> Result<MessageBuilder, String> {
        let address = self.email.as_str().parse();
        let address = address.map_err(|error| format!("the address is not one of SMTP's: {error}"))?;
        let name = Some(one_line(self.name)).filter(|name| !name.is_empty());
        let message = Built::builder()
            .from(sender.clone())
            .to(Mailbox::new(name, address))
            .subject(one_line(self.subject))
            .date(now.into())
            .message_id(Some(message_id(self.delivery, sender)));
        Ok(message
            .raw_header(header("X-Correlation-Id", self.correlation_id))
            .raw_header(header("Auto-Submitted", "auto-generated")))
    }
}

fn message_id(delivery: DeliveryId, sender: &Mailbox) -> String {
    format!("<{delivery}@{}>", sender.email.domain())
}

fn mail(
    delivery: DeliveryId,
    sender: &Mailbox,
    now: Timestamp,
    built: Result<Built, lettre::error::Error>,
) -> Result<Mail, String> {
    let message = built.map_err(|error| error.to_string())?;
    Ok(Mail {
        delivery,
        message_id: message_id(delivery, sender),
        date: now.to_zoned(TimeZone::UTC).date(),
        envelope: message.envelope().clone(),
        bytes: message.formatted(),
    })
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), one_line(value))
}

/// What a message does to the reader's calendar, if it does anything.
const fn method(kind: Kind) -> Option<Method> {
    match kind {
        Kind::BookingConfirmed | Kind::BookingMoved | Kind::BookingTransferred => Some(Method::Request),
        Kind::BookingCancelled => Some(Method::Cancel),
        _ => None,
    }
}

/// The text and the page; with the calendar entry as their alternative, which mail programs act on, and again as a file.
fn body(letter: &Letter, sender: &Mailbox) -> Result<MultiPart, String> {
    let facts = &letter.facts;
    let alternatives = MultiPart::alternative()
        .singlepart(SinglePart::plain(letter.rendered.text.clone()))
        .singlepart(SinglePart::html(letter.rendered.html.clone()));
    let Some(method) = method(letter.kind) else { return Ok(alternatives) };
    let title = letter.title.as_deref().map(one_line).filter(|title| !title.is_empty());
    let calendar = calendar::write(&Entry {
        method,
        uid: &format!("{}@reservas", letter.booking),
        sequence: facts.version,
        stamp: letter.heard_at,
        slot: facts.now.slot,
        summary: &title.unwrap_or_else(|| facts.now.names()),
        location: &facts.now.addresses(),
        organizer: Party { name: sender.name.as_deref().unwrap_or_default(), email: sender.email.as_ref() },
        attendee: Party { name: &letter.name, email: letter.email.as_str() },
    });
    let media_type = |text: &str| ContentType::parse(text).map_err(|error| error.to_string());
    let inline = media_type(&format!("text/calendar; charset=utf-8; method={}", method.word()))?;
    let file = media_type("application/ics; name=\"booking.ics\"")?;
    let alternatives = alternatives.singlepart(SinglePart::builder().header(inline).body(calendar.clone()));
    let attachment = Attachment::new("booking.ics".to_owned()).body(calendar, file);
    Ok(MultiPart::mixed().multipart(alternatives).singlepart(attachment))
}
