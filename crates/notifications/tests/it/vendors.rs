//! Mail by SendGrid and Amazon SES: whole mails, and what follows when they refuse it, us, or do not answer.

use std::time::Duration;

use jiff::SignedDuration;
use kernel::Role;
use mail_parser::{MessageParser, MimeHeaders as _};
use notifications::channel::{Channel as _, Provider, Providers, SendGrid, Ses, sigv4::Signer};
use notifications::delivery::Outcome;
use platform::config::Secret;
use serde_json::{Value, json};
use testkit::{Aws, Played, Vendors};

use crate::providers::tried;
use crate::smtp::{book, delivery, mail};
use crate::world::World;

pub fn sendgrid_url(vendors: &Played) -> Secret {
    let (key, url) = (vendors.text("sendgrid_key"), vendors.text("url"));
    format!("sendgrid://{key}@api.sendgrid.com?endpoint={url}").into()
}

pub fn ses_url(aws: &Aws, secret: &str) -> Secret {
    format!("ses://{}@{}?endpoint={}", aws.user(secret), aws.region, aws.url).into()
}

#[tokio::test]
async fn sendgrid_gets_the_whole_mail() {
    let mut vendors = Vendors::start().await;
    let world = World::with(|config| config.mail_url = sendgrid_url(&vendors)).await;
    let ada = book(&world).await;
    assert_eq!(world.deliver().await, 1);
    let sent = delivery(&world, &ada).await;
    assert_eq!((&sent["channel"], &sent["status"]), (&"email".into(), &"sent".into()), "{sent}");
    let got = vendors.got().await;
    assert_eq!(got.len(), 1);
    let (mail, person) = (&got[0], &got[0]["personalizations"][0]);
    assert_eq!(person["to"], json!([{ "email": format!("{}@example.com", ada.user), "name": "Ada" }]));
    assert_eq!(mail["from"], json!({ "email": "reservas@localhost", "name": "Reservas" }));
    let subject = "Booking confirmed: Blue Room, Mon 2 Mar 2026, 14:00–15:30 (Europe/Lisbon)";
    assert_eq!(mail["subject"], subject);
    assert!(mail["content"][0]["value"].as_str().unwrap().starts_with("Hello Ada,"));
    assert!(mail["content"][1]["value"].as_str().unwrap().contains("<html"));
    let id = &person["custom_args"]["delivery_id"];
    assert_eq!(person["custom_args"]["organization_id"], json!(ada.organization));
    assert_eq!(mail["headers"]["Message-ID"], format!("<{}@localhost>", id.as_str().unwrap()));
    assert_eq!(mail["headers"]["X-Correlation-Id"], "the-request");
    assert!(mail["headers"]["List-Unsubscribe"].as_str().unwrap().starts_with("<https://rooms.example.edu/"));
    assert_eq!(mail["headers"]["References"], mail["headers"]["In-Reply-To"]);
    let file = &mail["attachments"][0];
    let entry =
        base64::Engine::decode(&base64::engine::general_purpose::STANDARD, file["content"].as_str().unwrap());
    let entry = String::from_utf8(entry.unwrap()).unwrap();
    assert!(entry.contains("METHOD:REQUEST") && entry.starts_with("BEGIN:VCALENDAR"), "{entry}");
    let tracking = &mail["tracking_settings"];
    assert_eq!(
        (&tracking["click_tracking"]["enable"], &tracking["open_tracking"]["enable"]),
        (&json!(false), &json!(false))
    );
}

#[tokio::test]
async fn ses_gets_the_mail_as_it_is() {
    let aws = Aws::find();
    let world = World::with(|config| config.mail_url = ses_url(&aws, &aws.secret)).await;
    let ada = book(&world).await;
    assert_eq!(world.deliver().await, 1);
    let sent = delivery(&world, &ada).await;
    assert_eq!((&sent["channel"], &sent["status"]), (&"email".into(), &"sent".into()), "{sent}");
    let to = format!("{}@example.com", ada.user);
    let all = aws.sent().await;
    let mine: Vec<&Value> =
        all["mails"].as_array().unwrap().iter().filter(|mail| mail["to"][0] == to.as_str()).collect();
    assert_eq!((mine.len(), &mine[0]["source"]), (1, &"reservas@localhost".into()));
    let raw = mine[0]["raw"].as_str().unwrap();
    let mail = MessageParser::default().parse(raw).unwrap();
    assert!(mail.message_id().unwrap().ends_with("@localhost"));
    assert!(mail.header_raw("List-Unsubscribe").is_some());
    assert!(mail.attachments().any(|part| part.attachment_name() == Some("booking.ics")));
    assert!(raw.contains("text/calendar; charset=utf-8; method=REQUEST"));
}

#[tokio::test]
async fn a_wrong_key_is_no_fault_of_the_mail_and_the_second_provider_takes_it() {
    let mut vendors = Vendors::start().await;
    let aws = Aws::find();
    let wrong: Secret =
        format!("sendgrid://SG.wrong.key@api.sendgrid.com?endpoint={}", vendors.text("url")).into();
    let world = World::with(|config| {
        config.mail_url = wrong;
        config.second_mail_url = ses_url(&aws, &aws.secret);
    })
    .await;
    book(&world).await;
    assert_eq!(world.deliver().await, 1);
    assert_eq!(tried(&world).await, [("second_ses", "sent"), ("sendgrid", "away")].map(pair));
    let world = World::with(|config| {
        config.mail_url = ses_url(&aws, "anotherSecret");
        config.second_mail_url = sendgrid_url(&vendors);
    })
    .await;
    book(&world).await;
    assert_eq!(world.deliver().await, 1);
    assert_eq!(tried(&world).await, [("second_sendgrid", "sent"), ("ses", "away")].map(pair));
    assert_eq!(vendors.got().await.len(), 1);
}

pub fn pair((provider, outcome): (&str, &str)) -> (String, String) {
    (provider.to_owned(), outcome.to_owned())
}

#[tokio::test]
async fn a_sender_that_ses_does_not_know_is_the_operators_to_mend() {
    let aws = Aws::find();
    let world = World::with(|config| {
        config.mail_url = ses_url(&aws, &aws.secret);
        config.from = "Other <other@example.org>".into();
    })
    .await;
    book(&world).await;
    assert_eq!(world.deliver().await, 1);
    assert_eq!(tried(&world).await, [("ses", "away")].map(pair));
}

#[tokio::test]
async fn a_busy_vendor_is_left_alone_for_as_long_as_it_asks() {
    let mut vendors = Vendors::start().await;
    Vendors::answer(
        &mut vendors,
        429,
        json!({ "Retry-After": "7200" }),
        json!({ "errors": [{ "message": "too many requests" }] }),
    )
    .await;
    let world = World::with(|config| config.mail_url = sendgrid_url(&vendors)).await;
    let ada = book(&world).await;
    assert_eq!(world.deliver().await, 1);
    let waits = delivery(&world, &ada).await;
    assert_eq!((&waits["status"], &waits["error"]), (&"queued".into(), &"429 too many requests".into()));
    // Another mail does not even try.
    book(&world).await;
    assert_eq!(world.deliver().await, 0);
    assert!(vendors.got().await.is_empty());
    let mut owner = world.test.owner().await;
    let due: jiff_sqlx::Timestamp =
        sqlx::query_scalar("select due_at from notifications.delivery where error like '429%'")
            .fetch_one(&mut owner)
            .await
            .unwrap();
    assert_eq!(due.to_jiff(), world.test.now() + SignedDuration::from_hours(2));
}

#[tokio::test]
async fn a_busy_vendors_mail_goes_to_the_second() {
    let mut vendors = Vendors::start().await;
    let aws = Aws::find();
    Vendors::answer(&mut vendors, 429, json!({}), Value::Null).await;
    let world = World::with(|config| {
        config.mail_url = sendgrid_url(&vendors);
        config.second_mail_url = ses_url(&aws, &aws.secret);
    })
    .await;
    book(&world).await;
    assert_eq!(world.deliver().await, 1);
    assert_eq!(tried(&world).await, [("second_ses", "sent"), ("sendgrid", "passing")].map(pair));
}

#[tokio::test]
async fn an_address_that_sendgrid_calls_wrong_gets_no_more_mail() {
    let mut vendors = Vendors::start().await;
    let fault = json!({ "message": "Does not contain a valid address.", "field": "personalizations.0.to.0.email", "help": null });
    Vendors::answer(&mut vendors, 400, json!({}), json!({ "errors": [fault] })).await;
    let world = World::with(|config| config.mail_url = sendgrid_url(&vendors)).await;
    let ada = book(&world).await;
    assert_eq!(world.deliver().await, 1);
    assert_eq!(delivery(&world, &ada).await["status"], "failed");
    let admin = world.test.person(Role::Admin);
    let list = world.test.call_as(&admin, "GET", "/api/v1/suppressions").send().await.expect(200).json();
    assert_eq!(
        (&list["items"][0]["reason"], &list["items"][0]["user_id"]),
        (&"no_such_address".into(), &json!(ada.user))
    );
    book(&world).await;
    assert_eq!(world.deliver().await, 1);
    assert_eq!(vendors.got().await.len(), 1, "to somebody else");
}

#[tokio::test]
async fn a_form_that_is_refused_fails_and_a_broken_vendor_does_not() {
    let mut vendors = Vendors::start().await;
    let sendgrid =
        SendGrid::new(client(), vendors.text("url"), vendors.text("sendgrid_key").to_owned().into(), false);
    let mut outcome = async |status, body| {
        Vendors::answer(&mut vendors, status, json!({}), body).await;
        sendgrid.send(&mail()).await
    };
    let errors = |message: &str, field: &str| json!({ "errors": [{ "message": message, "field": field }] });
    let refused = outcome(400, errors("The subject is required.", "subject")).await;
    assert_eq!(refused, Outcome::Permanent("400 The subject is required.".into()));
    assert_eq!(outcome(400, errors("not verified", "from.email")).await.name(), "away");
    assert_eq!(outcome(413, Value::Null).await.name(), "permanent");
    assert_eq!(outcome(500, errors("internal server error", "")).await.name(), "away");
    assert_eq!(outcome(504, Value::Null).await.name(), "unsure");
}

pub fn client() -> reqwest::Client {
    platform::http::client::client(Duration::from_secs(10)).unwrap()
}

#[tokio::test]
async fn a_vendor_that_hangs_is_given_up_and_no_other_gets_the_mail() {
    let mut vendors = Vendors::start().await;
    vendors.tell(json!({ "command": "hang" })).await;
    let key = Secret::from(vendors.text("sendgrid_key").to_owned());
    let limit = Duration::from_millis(300);
    let first = SendGrid::new(client(), vendors.text("url"), key, false).with_limit(limit);
    let host = vendors.text("url").trim_start_matches("http://").to_owned();
    let signer = Signer {
        key_id: "a".into(),
        secret: "b".to_owned().into(),
        region: "eu-west-1".into(),
        service: "ses",
    };
    let second = Ses::new(client(), (vendors.text("url").to_owned(), host), signer, None).with_limit(limit);
    let hung = second.send(&mail()).await;
    assert_eq!(hung.name(), "unsure");
    let providers =
        Providers::new(Provider::new("sendgrid", first, 0), Some(Provider::new("second_ses", second, 0)));
    let tries = providers.send(&mail()).await;
    assert_eq!((tries.len(), tries[0].outcome.name()), (1, "unsure"));
    assert!(tries[0].outcome.answer().starts_with("no answer within"), "{:?}", tries[0].outcome);
}
