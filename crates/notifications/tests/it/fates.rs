//! What providers tell of messages that they took: signed, in any order, more than once.

use jiff::SignedDuration;
use kernel::Role;
use serde_json::{Value, json};
use testkit::{Aws, Person, Played, Vendors};

use crate::deliver::tell;
use crate::sms::{twilio_url, wants};
use crate::smtp::{book, delivery};
use crate::vendors::{sendgrid_url, ses_url};
use crate::world::World;

const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:mails";

async fn hear(world: &World, path: &str, body: &str, headers: &[(&'static str, &str)]) -> u16 {
    let path = format!("/api/v1/provider-events/{path}");
    let mut call = world.test.call("POST", &path).body("application/json", body.to_owned());
    for (name, value) in headers {
        call = call.header(name, value);
    }
    call.send().await.status.as_u16()
}

async fn delivery_id(world: &World) -> String {
    let id: kernel::DeliveryId =
        sqlx::query_scalar("select id from notifications.delivery order by id desc limit 1")
            .fetch_one(&mut world.test.owner().await)
            .await
            .unwrap();
    id.to_string()
}

async fn suppressed(world: &World) -> Vec<String> {
    let admin = world.test.person(Role::Admin);
    let list = world.test.call_as(&admin, "GET", "/api/v1/suppressions").send().await.expect(200).json();
    list["items"].as_array().unwrap().iter().map(|item| item["reason"].as_str().unwrap().to_owned()).collect()
}

/// Has SendGrid tell something, signed.
async fn sendgrid(world: &World, vendors: &mut Played, events: Value) -> u16 {
    let at = world.test.now().as_second();
    let signed = vendors.tell(json!({ "command": "sign_events", "at": at, "events": events })).await;
    let text = |name: &str| signed[name].as_str().unwrap().to_owned();
    let (signature, timestamp) = (text("signature"), text("timestamp"));
    let headers = [
        ("x-twilio-email-event-webhook-signature", signature.as_str()),
        ("x-twilio-email-event-webhook-timestamp", timestamp.as_str()),
    ];
    hear(world, "sendgrid", &text("body"), &headers).await
}

fn event(person: &Person, delivery: &str, kind: &str, more: &Value) -> Value {
    json!({ "event": kind, "type": more, "email": format!("{}@example.com", person.user), "reason": "550 unknown",
            "organization_id": person.organization, "delivery_id": delivery, "timestamp": 1 })
}

#[tokio::test]
async fn sendgrid_tells_what_became_of_a_mail() {
    let mut vendors = Vendors::start().await;
    let key = vendors.text("event_key").to_owned();
    let world = World::with(|config| {
        (config.mail_url, config.sendgrid_event_key) = (sendgrid_url(&vendors), key);
    })
    .await;
    let ada = book(&world).await;
    assert_eq!(world.deliver().await, 1);
    let id = delivery_id(&world).await;
    let opened = json!([event(&ada, &id, "open", &json!("")), event(&ada, &id, "delivered", &json!(""))]);
    assert_eq!(sendgrid(&world, &mut vendors, opened).await, 204);
    assert_eq!(delivery(&world, &ada).await["fate"], "opened", "whatever comes later");
    let bounced = json!([event(&ada, &id, "bounce", &json!("bounce"))]);
    for _ in 0..2 {
        assert_eq!(sendgrid(&world, &mut vendors, bounced.clone()).await, 204);
    }
    let made = delivery(&world, &ada).await;
    assert_eq!((&made["fate"], &made["status"]), (&"bounced".into(), &"sent".into()));
    assert_eq!(suppressed(&world).await, ["bounced"]);
    tell(&world, &ada).await;
    assert_eq!(world.deliver().await, 1);
    assert_eq!(delivery(&world, &ada).await["status"], "failed", "the address gets no more mail");
    let admin = world.test.person(Role::Admin);
    let day = world.test.now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let path = format!("/api/v1/notification-statistics?from={day}&to={}", day.tomorrow().unwrap());
    let told = world.test.call_as(&admin, "GET", &path).send().await.expect(200).json();
    let item = &told["items"][0];
    assert_eq!([&item["sent"], &item["bounced"], &item["failed"]], [&json!(1); 3]);
    // Somebody else's, and what nobody knows, change nothing.
    let strange = json!([event(&Person { organization: kernel::OrganizationId::mint(), ..ada.clone() }, &id, "spamreport", &json!("")),
                         { "event": "delivered", "email": "x@example.com" }]);
    assert_eq!(sendgrid(&world, &mut vendors, strange).await, 204);
    assert_eq!(suppressed(&world).await, ["bounced"]);
}

#[tokio::test]
async fn what_sendgrid_has_not_signed_is_refused() {
    let mut vendors = Vendors::start().await;
    let key = vendors.text("event_key").to_owned();
    let world = World::with(|config| config.sendgrid_event_key = key).await;
    let at = world.test.now().as_second();
    let signed = vendors.tell(json!({ "command": "sign_events", "at": at, "events": [] })).await;
    let (signature, body) = (signed["signature"].as_str().unwrap(), signed["body"].as_str().unwrap());
    let (name, time) = ("x-twilio-email-event-webhook-signature", "x-twilio-email-event-webhook-timestamp");
    let at = at.to_string();
    assert_eq!(hear(&world, "sendgrid", body, &[(name, signature), (time, &at)]).await, 204);
    assert_eq!(hear(&world, "sendgrid", "[{}]", &[(name, signature), (time, &at)]).await, 403);
    assert_eq!(hear(&world, "sendgrid", body, &[(name, signature), (time, "1")]).await, 403);
    assert_eq!(hear(&world, "sendgrid", body, &[(name, "AAAA"), (time, &at)]).await, 403);
    assert_eq!(hear(&world, "sendgrid", body, &[]).await, 403);
    world.test.clock.advance(SignedDuration::from_hours(26));
    assert_eq!(hear(&world, "sendgrid", body, &[(name, signature), (time, &at)]).await, 403, "too old");
    let without = World::start().await;
    assert_eq!(hear(&without, "sendgrid", body, &[(name, signature), (time, &at)]).await, 404);
}

/// A message of SNS, signed.
async fn sns(world: &World, vendors: &mut Played, topic: &str, more: Value) -> String {
    let mut message = json!({ "Type": "Notification", "MessageId": "m-1", "TopicArn": topic, "Message": "x",
                              "Timestamp": world.test.now().to_string() });
    message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let signed = vendors.tell(json!({ "command": "sign_notification", "message": message })).await;
    signed["body"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn ses_tells_through_its_topic_and_no_other() {
    let mut vendors = Vendors::start().await;
    let (aws, url) = (Aws::find(), vendors.text("url").to_owned());
    let ses = ses_url(&aws, &aws.secret);
    let world = World::with(|config| {
        (config.mail_url, config.ses_topic, config.sns_endpoint) = (ses, TOPIC.into(), url);
    })
    .await;
    let confirm = json!({ "Type": "SubscriptionConfirmation", "Token": "t", "SubscribeURL":
        "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=x&Token=t" });
    let body = sns(&world, &mut vendors, TOPIC, confirm).await;
    assert_eq!(hear(&world, "ses", &body, &[]).await, 204);
    assert!(vendors.got().await[0]["confirmed"].as_str().unwrap().contains("Token=t"));
    let ada = book(&world).await;
    assert_eq!(world.deliver().await, 1);
    let id = delivery_id(&world).await;
    let email = format!("{}@example.com", ada.user);
    let event = |kind: &str, part: Value| {
        let mut event = json!({ "eventType": kind, "mail": { "destination": [email],
            "tags": { "organization_id": [ada.organization], "delivery_id": [id] } } });
        event.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
        json!({ "Message": event.to_string() })
    };
    let bounce = json!({ "bounce": { "bounceType": "Permanent", "bouncedRecipients": [{ "diagnosticCode": format!("550 <{email}>") }] } });
    for (told, fate) in [
        (event("Delivery", json!({})), "delivered"),
        (event("Bounce", json!({ "bounce": { "bounceType": "Transient" } })), "undelivered"),
        (event("Bounce", bounce), "bounced"),
        (event("Complaint", json!({ "complaint": { "complaintFeedbackType": "abuse" } })), "complained"),
    ] {
        let body = sns(&world, &mut vendors, TOPIC, told).await;
        assert_eq!(hear(&world, "ses", &body, &[]).await, 204);
        let made = delivery(&world, &ada).await;
        assert_eq!(made["fate"], fate);
        assert!(!made.to_string().contains(&email), "{made}");
    }
    assert_eq!(suppressed(&world).await, ["bounced"]);
    let body = sns(&world, &mut vendors, "arn:aws:sns:eu-west-1:999999999999:mine", json!({})).await;
    assert_eq!(hear(&world, "ses", &body, &[]).await, 403, "another topic");
    let body = sns(&world, &mut vendors, TOPIC, json!({})).await;
    assert_eq!(hear(&world, "ses", &body.replace("\"x\"", "\"y\""), &[]).await, 403, "changed");
    let elsewhere = json!({ "SigningCertURL": "https://evil.example/SimpleNotificationService-1.pem" });
    let body = sns(&world, &mut vendors, TOPIC, elsewhere).await;
    assert_eq!(hear(&world, "ses", &body, &[]).await, 403, "another's certificate");
    assert_eq!(hear(&world, "ses", "{}", &[]).await, 403);
}

#[tokio::test]
async fn twilio_tells_what_became_of_a_short_message() {
    let mut vendors = Vendors::start().await;
    let world = World::with(|config| config.sms_url = twilio_url(&vendors)).await;
    let ada = world.person("Ada");
    wants(&world, &mut vendors, &ada).await;
    tell(&world, &ada).await;
    assert_eq!(world.text().await, 1);
    let got = vendors.got().await;
    let url = got[0]["StatusCallback"].as_str().unwrap().to_owned();
    let path = url.strip_prefix("https://rooms.example.edu").unwrap();
    let parameters = json!({ "MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": "30003", "To": "+351912345678" });
    let signed =
        vendors.tell(json!({ "command": "sign_status", "url": url, "parameters": parameters })).await;
    let signature = signed["signature"].as_str().unwrap();
    let form = "MessageSid=SM1&MessageStatus=undelivered&ErrorCode=30003&To=%2B351912345678";
    let said = async |path: &str, form: &str| {
        let call = world.test.call("POST", path).body("application/x-www-form-urlencoded", form.to_owned());
        call.header("x-twilio-signature", signature).send().await.status.as_u16()
    };
    assert_eq!(said(path, &form.replace("30003", "30004")).await, 403);
    assert_eq!(
        said(&path.replace(&ada.organization.to_string(), &kernel::OrganizationId::mint().to_string()), form)
            .await,
        403
    );
    assert_eq!(said(path, form).await, 204);
    let made = &world.notifications(&ada).await[0]["deliveries"][0];
    assert_eq!((&made["fate"], &made["error"]), (&"undelivered".into(), &"Twilio's error 30003".into()));
}
