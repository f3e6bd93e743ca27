//! The main job, from the first sign-in to the last e-mail, on the example campus and through the gateway only.

use std::path::{Path, PathBuf};

use kernel::{Clock as _, SystemClock};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::client::Client;
use crate::installation::Installation;

/// An afternoon that will not be past for a long time, and within the horizon.
pub fn afternoon(time: &str) -> String {
    format!("{}T{time}:00Z", in_days(30))
}

/// The day so many days from today.
pub fn in_days(days: i64) -> jiff::civil::Date {
    SystemClock.now().to_zoned(jiff::tz::TimeZone::UTC).date() + jiff::Span::new().days(days)
}

fn example(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/campus").join(name))
        .unwrap()
}

/// A room for eight with a projector, free in the afternoon.
pub async fn search(person: &Client) -> Value {
    let window = format!("from={}&to={}", afternoon("13:00"), afternoon("18:00"));
    let path = format!("/api/v1/availability?{window}&duration_minutes=90&seats=8&amenities=projector");
    person.eventually(&path, |found| !found["items"].as_array().unwrap().is_empty()).await["items"][0].clone()
}

/// Imports the example campus as the administrator.
pub async fn import(installation: &Installation) -> Client {
    let admin = installation.admin().await;
    let report = admin.import(example("resources.csv").into_bytes(), &example("mapping.json")).await;
    let lines = report["lines"].as_array().unwrap();
    assert!(lines.len() >= 20 && lines.iter().all(|line| line["outcome"] == "created"), "{report:#}");
    admin
}

/// Books, is in another's way, moves, cancels; gives the booking's id.
async fn book_move_cancel(ada: &Client, bob: &Client) -> String {
    let room = search(ada).await;
    let request = |from: &str, to: &str| json!({ "resource_id": room["resource_id"], "starts_at": afternoon(from), "ends_at": afternoon(to), "title": "Design review" });
    let booking = ada.post("/api/v1/bookings", request("14:00", "15:30")).await.expect(201);
    assert_eq!(booking["status"], "confirmed");

    let refused = bob.post("/api/v1/bookings", request("15:00", "16:00")).await.problem(409, "slot_taken");
    assert_eq!(refused["conflicts"][0]["starts_at"], afternoon("14:00"));
    let alternatives = refused["alternatives"].as_array().unwrap();
    assert!((1..=5).contains(&alternatives.len()), "{refused:#}");
    let offer = &alternatives[0];
    let instead = json!({
        "resource_id": offer["resources"][0]["resource_id"], "starts_at": offer["starts_at"], "ends_at": offer["ends_at"]
    });
    bob.post("/api/v1/bookings", instead).await.expect(201);

    let id = booking["id"].as_str().unwrap().to_owned();
    let moved =
        json!({ "starts_at": afternoon("12:00"), "ends_at": afternoon("13:30"), "reason": "Lunch is later" });
    let moved = ada.post(&format!("/api/v1/bookings/{id}/move"), moved).await.expect(200);
    assert_eq!(
        (&moved["version"], moved["starts_at"].as_str().unwrap()),
        (&json!(2), afternoon("12:00").as_str())
    );
    let cancelled = ada
        .post(&format!("/api/v1/bookings/{id}/cancel"), json!({ "reason": "Not needed" }))
        .await
        .expect(200);
    assert_eq!(cancelled["status"], "cancelled");
    id
}

async fn check_history(ada: &Client, id: &str) {
    let me = ada.get("/api/v1/me").await.expect(200);
    let history = ada.get(&format!("/api/v1/bookings/{id}/history")).await.expect(200);
    let entries = history["items"].as_array().unwrap();
    let types: Vec<_> = entries.iter().map(|entry| entry["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["confirmed", "moved", "cancelled"].map(|step| format!("reservas.booking.{step}.v1")));
    assert!(entries.iter().all(|entry| entry["actor_id"] == me["id"]), "{history:#}");
    assert_eq!(entries[2]["reason"], "Not needed");
}

/// The person's messages once all three were delivered.
async fn delivered(ada: &Client, channel: &str) -> Value {
    let is_sent = |message: &Value| message["deliveries"][0]["status"] == "sent";
    let messages = ada
        .eventually("/api/v1/notifications", |messages| {
            let items = messages["items"].as_array().unwrap();
            items.len() == 3 && items.iter().all(is_sent)
        })
        .await;
    let items = messages["items"].as_array().unwrap();
    let kinds: Vec<_> = items.iter().map(|message| message["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["booking_cancelled", "booking_moved", "booking_confirmed"]);
    assert!(items.iter().all(|message| message["deliveries"][0]["channel"] == channel), "{messages:#}");
    messages
}

/// All files below a folder.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// Whether a mail is about an account and not about a booking.
fn is_letter(mail: &str) -> bool {
    mail.contains("Subject: Default: ")
}

fn check_mails(mails: &[String]) {
    let with = |text: &str| mails.iter().filter(|mail| mail.contains(text)).count();
    assert_eq!(mails.len(), 3);
    assert_eq!(with("text/calendar"), 3, "each has the calendar entry");
    assert_eq!(with("METHOD:REQUEST"), 2);
    assert_eq!(with("METHOD:CANCEL"), 1);
}

#[tokio::test]
async fn the_main_job_with_an_outbox() {
    let mut installation = Installation::start(&[]).await;
    import(&installation).await;
    let ada = installation.client().register("ada@example.com", "Ada Lovelace").await;
    let bob = installation.client().register("bob@example.com", "Bob Builder").await;
    let id = book_move_cancel(&ada, &bob).await;
    check_history(&ada, &id).await;
    delivered(&ada, "outbox").await;
    let mails = files(&installation.data().join("outbox"));
    let mails = mails.iter().filter(|path| path.extension().is_some_and(|extension| extension == "eml"));
    let mails = mails
        .map(|path| std::fs::read_to_string(path).unwrap())
        .filter(|mail| mail.contains("ada@example.com") && !is_letter(mail));
    check_mails(&mails.collect::<Vec<_>>());

    // The next start finds everything.
    installation.stop(Signal::SIGTERM).await;
    installation.restart().await;
    let ada = installation.client().sign_in("ada@example.com", "a password of many words").await;
    check_history(&ada, &id).await;
}

#[tokio::test]
async fn the_main_job_with_a_mail_server() {
    let smtp = testkit::variable("TEST_SMTP_URL");
    let installation =
        Installation::start(&[("SMTP_URL", &smtp), ("RESERVAS_USERS_VERIFICATION", "optional")]).await;
    import(&installation).await;
    // The mail server is everybody's: an address of this run's own tells which mails are ours.
    let address = format!("ada-{}@example.com", installation.port);
    let ada = installation.client().register(&address, "Ada Lovelace").await;
    let bob = installation.client().register("bob@example.com", "Bob Builder").await;
    let id = book_move_cancel(&ada, &bob).await;
    check_history(&ada, &id).await;
    delivered(&ada, "email").await;
    let mails = files(Path::new(&testkit::variable("TEST_MAILDIR")));
    let mails = mails.iter().map(|path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned());
    let mails = mails.filter(|mail| mail.contains(&address) && !is_letter(mail));
    check_mails(&mails.collect::<Vec<_>>());
}
