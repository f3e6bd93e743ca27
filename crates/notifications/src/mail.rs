//! A message to a person as a mail: text, calendar entry, and the headers that thread it and stop auto-replies.

use jiff::Timestamp;
use kernel::{BookingId, DeliveryId, Email, OrganizationId};
use lettre::Message as Built;
use lettre::address::Envelope;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};

use crate::calendar::{self, Entry, Method, Party};
use crate::message::{Facts, Kind, one_line};
use crate::templates::Rendered;

/// All that a mail says.
#[derive(Debug, Clone)]
pub struct Letter {
    /// In which organization.
    pub organization: OrganizationId,
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
    /// In which organization.
    pub organization: OrganizationId,
    /// The delivery it serves.
    pub delivery: DeliveryId,
    /// Its `Message-ID`, the same in every attempt.
    pub message_id: String,
    /// When it is sent.
    pub at: Timestamp,
    /// From and to.
    pub envelope: Envelope,
    /// Its parts, for providers that put mails together themselves.
    pub content: Content,
    /// The whole of it (RFC 5322).
    pub bytes: Vec<u8>,
}

/// What a mail is put together from.
#[derive(Debug, Clone)]
pub struct Content {
    /// From whom.
    pub from: Mailbox,
    /// To whom.
    pub to: Mailbox,
    /// The subject, one line.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The page.
    pub html: String,
    /// What is done to the reader's calendar, and the entry (RFC 5545).
    pub calendar: Option<(Method, String)>,
    /// Further headers, one line each.
    pub headers: Vec<(&'static str, String)>,
}

/// Writes the mail, from `sender`, dated `now`.
///
/// # Errors
/// When it cannot be written as a mail, such as to an address that SMTP does not know.
pub fn write(letter: &Letter, sender: &Mailbox, now: Timestamp) -> Result<Mail, String> {
    let thread = format!("<booking-{}@{}>", letter.booking, sender.email.domain());
    let head = Head {
        organization: letter.organization,
        delivery: letter.delivery,
        subject: &letter.rendered.subject,
        correlation_id: &letter.correlation_id,
        email: &letter.email,
        name: &letter.name,
    };
    let mut content = head.content(&letter.rendered, sender)?;
    content.headers.extend([("In-Reply-To", thread.clone()), ("References", thread)]);
    // RFC 8058: one click, which is a POST with that body.
    if let Some(url) = &letter.unsubscribe {
        content.headers.push(("List-Unsubscribe", format!("<{}>", one_line(url))));
        content.headers.push(("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".into()));
    }
    content.calendar = entry(letter, sender);
    head.mail(content, now)
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
    head.mail(head.content(page, sender)?, now)
}

/// What stands at the top of every mail.
#[derive(Debug)]
pub struct Head<'a> {
    /// In which organization.
    pub organization: OrganizationId,
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
    fn content(&self, page: &Rendered, sender: &Mailbox) -> Result<Content, String> {
        let address = self.email.as_str().parse();
        let address = address.map_err(|error| format!("the address is not one of SMTP's: {error}"))?;
        let name = Some(one_line(self.name)).filter(|name| !name.is_empty());
        Ok(Content {
            from: sender.clone(),
            to: Mailbox::new(name, address),
            subject: one_line(self.subject),
            text: page.text.clone(),
            html: page.html.clone(),
            calendar: None,
            headers: vec![
                ("Message-ID", format!("<{}@{}>", self.delivery, sender.email.domain())),
                ("X-Correlation-Id", one_line(self.correlation_id)),
                ("Auto-Submitted", "auto-generated".into()),
            ],
        })
    }

    fn mail(&self, content: Content, now: Timestamp) -> Result<Mail, String> {
        let builder = Built::builder()
            .from(content.from.clone())
            .to(content.to.clone())
            .subject(content.subject.clone())
            .date(now.into());
        let builder = content.headers.iter().fold(builder, |builder, (name, value)| {
            builder.raw_header(HeaderValue::new(HeaderName::new_from_ascii_str(name), value.clone()))
        });
        let message = builder.multipart(content.body()?).map_err(|error| error.to_string())?;
        Ok(Mail {
            organization: self.organization,
            delivery: self.delivery,
            message_id: format!("<{}@{}>", self.delivery, content.from.email.domain()),
            at: now,
            envelope: message.envelope().clone(),
            bytes: message.formatted(),
            content,
        })
    }
}

/// What a message does to the reader's calendar, if it does anything.
const fn method(kind: Kind) -> Option<Method> {
    match kind {
        Kind::BookingConfirmed | Kind::BookingMoved | Kind::BookingTransferred => Some(Method::Request),
        Kind::BookingCancelled => Some(Method::Cancel),
        _ => None,
    }
}

/// The calendar entry, if there is one.
fn entry(letter: &Letter, sender: &Mailbox) -> Option<(Method, String)> {
    let (method, facts) = (method(letter.kind)?, &letter.facts);
    let title = letter.title.as_deref().map(one_line).filter(|title| !title.is_empty());
    let entry = calendar::write(&Entry {
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
    Some((method, entry))
}

impl Content {
    /// The text and the page; with the calendar entry as their alternative, which mail programs act on, and again as a file.
    fn body(&self) -> Result<MultiPart, String> {
        let alternatives = MultiPart::alternative()
            .singlepart(SinglePart::plain(self.text.clone()))
            .singlepart(SinglePart::html(self.html.clone()));
        let Some((method, entry)) = &self.calendar else { return Ok(alternatives) };
        let media_type = |text: &str| ContentType::parse(text).map_err(|error| error.to_string());
        let inline = media_type(&format!("text/calendar; charset=utf-8; method={}", method.word()))?;
        let file = media_type("application/ics; name=\"booking.ics\"")?;
        let alternatives = alternatives.singlepart(SinglePart::builder().header(inline).body(entry.clone()));
        let attachment = Attachment::new("booking.ics".to_owned()).body(entry.clone(), file);
        Ok(MultiPart::mixed().multipart(alternatives).singlepart(attachment))
    }
}
