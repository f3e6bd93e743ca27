//! Mails as files, and what a mail is made of, read by another implementation.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use contracts::bookings::{BookingCancelled, BookingConfirmed};
use mail_parser::{Message, MessageParser, MimeHeaders as _};

use crate::world::{World, booking, envelope};

/// The files of the outbox, under the day of the test's clock.
pub fn files(world: &World) -> Vec<Vec<u8>> {
    let folder = world.folder.path().join("2026-03-02");
    let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    for file in &files {
        assert_eq!(file.extension().unwrap(), "eml");
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// The one file of the outbox.
pub fn only_file(world: &World) -> Vec<u8> {
    let mut files = files(world);
    assert_eq!(files.len(), 1);
    files.remove(0)
}

fn calendar<'a>(mail: &'a Message<'_>) -> (&'a str, &'a str) {
    let is_calendar = |part: &&mail_parser::MessagePart<'_>| {
        part.content_type()
            .is_some_and(|media| media.ctype() == "text" && media.subtype() == Some("calendar"))
    };
    let part = mail.parts.iter().find(is_calendar).unwrap();
    (part.content_type().unwrap().attribute("method").unwrap(), part.text_contents().unwrap())
}

#[tokio::test]
async fn a_confirmation_is_a_whole_mail() {
    let world = World::start().await;
    let ada = world.person("Ada Lovelace");
    let booked = booking(&ada);
    world.known.lock().unwrap().titles.insert(booked.id, "Tea, and cake; für alle".into());
    let id = booked.id;
    let event = BookingConfirmed { before: None, booking: booked, reason: None };
    world.hear(&envelope(ada.organization, &event)).await;
    assert_eq!(world.deliver().await, 1);

    let bytes = only_file(&world);
    let mail = MessageParser::default().parse(&bytes).unwrap();
    let to = mail.to().unwrap().first().unwrap();
    assert_eq!(to.name(), Some("Ada Lovelace"));
    assert_eq!(to.address(), Some(format!("{}@example.com", ada.user).as_str()));
    assert_eq!(mail.from().unwrap().first().unwrap().address(), Some("reservas@localhost"));
    let subject = "Booking confirmed: Blue Room, Mon 2 Mar 2026, 14:00–15:30 (Europe/Lisbon)";
    assert_eq!(mail.subject(), Some(subject));
    assert_eq!(mail.date().unwrap().to_rfc3339(), "2026-03-02T08:00:00Z");
    let mut owner = world.test.owner().await;
    let delivery: uuid::Uuid =
        sqlx::query_scalar("select id from notifications.delivery").fetch_one(&mut owner).await.unwrap();
    assert_eq!(mail.message_id(), Some(format!("{delivery}@localhost").as_str()));
    assert_eq!(mail.references().as_text(), Some(format!("booking-{id}@localhost").as_str()));
    assert_eq!(mail.header_raw("X-Correlation-Id").unwrap().trim(), "the-request");
    assert_eq!(mail.header_raw("Auto-Submitted").unwrap().trim(), "auto-generated");

    let text = mail.body_text(0).unwrap();
    assert!(
        text.contains("Hello Ada Lovelace,") && text.contains("What:    Tea, and cake; für alle"),
        "{text}"
    );
    let (method, entry) = calendar(&mail);
    assert_eq!(method, "REQUEST");
    let entry = entry.replace("\r\n ", "");
    for line in [
        "METHOD:REQUEST",
        &format!("UID:{id}@reservas"),
        "SEQUENCE:1",
        "DTSTAMP:20260302T080000Z",
        "DTSTART:20260302T140000Z",
        "DTEND:20260302T153000Z",
        "SUMMARY:Tea\\, and cake\\; für alle",
        "LOCATION:Blue Room (Main building\\, Campus)",
        "STATUS:CONFIRMED",
    ] {
        assert!(entry.lines().any(|found| found == line), "{line} is missing in {entry}");
    }
    let file = mail.attachments().find(|part| part.attachment_name() == Some("booking.ics")).unwrap();
    assert!(String::from_utf8_lossy(file.contents()).contains("BEGIN:VEVENT"));
}

#[tokio::test]
async fn a_cancellation_takes_the_entry_out() {
    let world = World::start().await;
    let ada = world.person("");
    let mut booked = booking(&ada);
    booked.version = 3;
    let event =
        BookingCancelled { before: None, booking: booked, reason: Some("the room is flooded".into()) };
    world.hear(&envelope(ada.organization, &event)).await;
    world.deliver().await;
    let bytes = only_file(&world);
    let mail = MessageParser::default().parse(&bytes).unwrap();
    let (method, entry) = calendar(&mail);
    assert_eq!(method, "CANCEL");
    assert!(
        entry.contains("METHOD:CANCEL") && entry.contains("SEQUENCE:3") && entry.contains("STATUS:CANCELLED")
    );
    let text = mail.body_text(0).unwrap();
    assert!(text.starts_with("Hello,") && text.contains("Reason:  the room is flooded"), "{text}");
}

#[tokio::test]
async fn no_name_or_title_adds_a_header() {
    let world = World::start().await;
    let ada = world.person("Ada\r\nBcc: eve@example.com");
    let mut booked = booking(&ada);
    booked.resources[0].name = "Blue\r\nBcc: eve@example.com\r\n\r\nRoom".into();
    world.known.lock().unwrap().titles.insert(booked.id, "Tea\r\nBcc: eve@example.com\u{0}".into());
    let event = BookingConfirmed { before: None, booking: booked, reason: None };
    let mut event = envelope(ada.organization, &event);
    event.correlationid = "x\r\nBcc: eve@example.com".into();
    world.hear(&event).await;
    assert_eq!(world.deliver().await, 1);
    let bytes = only_file(&world);
    let mail = MessageParser::default().parse(&bytes).unwrap();
    assert!(mail.bcc().is_none());
    assert_eq!(mail.to().unwrap().as_list().unwrap().len(), 1);
    let (head, _) = std::str::from_utf8(&bytes).unwrap().split_once("\r\n\r\n").unwrap();
    assert!(!head.lines().any(|line| line.to_lowercase().starts_with("bcc")), "{head}");
    let (_, entry) = calendar(&mail);
    assert!(!entry.replace("\r\n ", "").lines().any(|line| line.starts_with("Bcc")), "{entry}");
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_tried_again() {
    let world = World::with(|config| config.outbox_dir = "/proc/no".into()).await;
    let ada = world.person("Ada");
    let event = BookingConfirmed { before: None, booking: booking(&ada), reason: None };
    world.hear(&envelope(ada.organization, &event)).await;
    assert_eq!(world.deliver().await, 1);
    assert_eq!(world.notifications(&ada).await[0]["deliveries"][0]["status"], "queued");
}
