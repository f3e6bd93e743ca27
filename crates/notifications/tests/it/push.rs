//! Pushes against FCM, APNs and push services of browsers, each in a process that checks every request.

use contracts::bookings::{BookingCancelled, BookingConfirmed};
use kernel::Role;
use serde_json::{Value, json};

use crate::deliver::tell;
use crate::devices::{added, devices};
use crate::pushes::{Pushes, android, attempts, iphone, phone};
use crate::world::{booking, envelope};

const MINE: &str = "/api/v1/notification-preferences";
const RULES: &str = "/api/v1/notification-rules";

fn one(got: &[Value], role: &str) -> Value {
    let found: Vec<_> = got.iter().filter(|one| one["role"] == role).collect();
    assert_eq!(found.len(), 1, "{role}: {got:?}");
    found[0].clone()
}

#[tokio::test]
async fn every_device_is_told_once_in_the_readers_language() {
    let mut pushes = Pushes::start().await;
    let ada = pushes.world.person("Ada");
    pushes.world.moves_to(&ada, "pt-PT", "Asia/Tokyo");
    pushes.all_sorts(&ada).await;
    let booking = booking(&ada);
    let id = booking.id.to_string();
    let event = envelope(ada.organization, &BookingConfirmed { before: None, booking, reason: None });
    pushes.world.hear(&event).await;
    pushes.world.hear(&event).await;
    assert_eq!(pushes.world.push().await, 3);
    assert_eq!(pushes.world.push().await, 0);
    let got = pushes.server.got().await;

    let (title, body) = (
        "Reserva confirmada",
        "Blue Room, seg., 2 de mar. de 2026, 23:00 – ter., 3 de mar. de 2026, 00:30 (Asia/Tokyo)",
    );
    let data = json!({ "booking_id": id, "kind": "booking_confirmed" });
    let message = &one(&got, "fcm")["message"];
    assert_eq!(message["token"], android());
    assert_eq!(message["notification"], json!({ "title": title, "body": body }));
    assert_eq!(message["data"], data);
    assert_eq!(
        message["android"],
        json!({ "collapse_key": id, "priority": "NORMAL", "ttl": "86400s", "notification": { "tag": id } })
    );
    let expiration = (pushes.world.test.now().as_second() + 86_400).to_string();
    let told = one(&got, "apns");
    assert_eq!(told["device"], iphone());
    assert_eq!(told["headers"]["apns-collapse-id"], id);
    assert_eq!(told["headers"]["apns-expiration"], expiration);
    assert_eq!(told["headers"]["apns-priority"], "5");
    let aps = json!({ "alert": { "title": title, "body": body }, "sound": "default", "thread-id": id });
    assert_eq!(told["payload"], json!({ "aps": aps, "booking_id": id, "kind": "booking_confirmed" }));
    let told = one(&got, "web_push");
    assert_eq!(
        told["payload"],
        json!({ "title": title, "body": body, "tag": id, "data": data }),
        "as http_ece decrypts it"
    );
    assert_eq!((&told["ttl"], &told["urgency"]), (&json!(86_400), &json!("normal")));
    assert!(!told["bytes"].as_str().unwrap().contains(&title[..4]));

    let deliveries = pushes.pushed(&ada).await;
    assert!(
        deliveries.len() == 3 && deliveries.iter().all(|delivery| delivery["status"] == "sent"),
        "{deliveries:?}"
    );
    let made = attempts(&pushes.world).await;
    let mut providers: Vec<_> =
        made.iter().map(|(provider, outcome, _)| (provider.as_str(), outcome.as_str())).collect();
    providers.sort_unstable();
    assert_eq!(providers, [("apns", "sent"), ("fcm", "sent"), ("web_push", "sent")]);
}

#[tokio::test]
async fn of_one_booking_the_latest_counts_and_what_is_urgent_says_so() {
    let mut pushes = Pushes::start().await;
    let ada = pushes.world.person("Ada");
    pushes.all_sorts(&ada).await;
    let booking = booking(&ada);
    let (confirmed, cancelled) = (
        BookingConfirmed { before: None, booking: booking.clone(), reason: None },
        BookingCancelled { before: None, booking, reason: None },
    );
    pushes.world.hear(&envelope(ada.organization, &confirmed)).await;
    assert_eq!(pushes.world.push().await, 3);
    let first = pushes.server.got().await;
    pushes.world.hear(&envelope(ada.organization, &cancelled)).await;
    assert_eq!(pushes.world.push().await, 3);
    let second = pushes.server.got().await;
    for pointer in ["/message/android/collapse_key", "/message/android/notification/tag"] {
        assert_eq!(one(&first, "fcm").pointer(pointer), one(&second, "fcm").pointer(pointer));
    }
    assert_eq!(
        one(&first, "apns")["headers"]["apns-collapse-id"],
        one(&second, "apns")["headers"]["apns-collapse-id"]
    );
    assert_ne!(one(&first, "apns")["headers"]["apns-id"], one(&second, "apns")["headers"]["apns-id"]);
    assert_eq!(one(&first, "web_push")["topic"], one(&second, "web_push")["topic"]);
    // It begins within hours, so that devices that sleep are woken.
    assert_eq!(one(&second, "fcm")["message"]["android"]["priority"], "HIGH");
    assert_eq!(one(&second, "apns")["headers"]["apns-priority"], "10");
    assert_eq!(one(&second, "web_push")["urgency"], "high");
}

#[tokio::test]
async fn access_tokens_are_kept_while_they_count_and_got_anew_when_they_do_not() {
    let mut pushes = Pushes::start().await;
    let ada = pushes.world.person("Ada");
    for number in 0..8 {
        added(&pushes.world, &ada, phone("fcm", &format!("token-{number}"))).await;
    }
    tell(&pushes.world, &ada).await;
    assert_eq!(pushes.world.push().await, 8);
    let got = pushes.server.got().await;
    let asked = |got: &[Value]| got.iter().filter(|one| one["role"] == "oauth").count();
    assert_eq!((asked(&got), got.len()), (1, 9), "one token for all that go at once");
    tell(&pushes.world, &ada).await;
    assert_eq!(pushes.world.push().await, 8);
    assert_eq!(asked(&pushes.server.got().await), 0);
    // After an hour it has run out.
    pushes.pass(1).await;
    tell(&pushes.world, &ada).await;
    assert_eq!(pushes.world.push().await, 8);
    assert_eq!(asked(&pushes.server.got().await), 1);
    // Google counts it no more before its time: another one within the same attempt.
    pushes.server.tell(json!({ "command": "revoke" })).await;
    tell(&pushes.world, &ada).await;
    assert_eq!(pushes.world.push().await, 8);
    assert_eq!(asked(&pushes.server.got().await), 1);
    assert!(attempts(&pushes.world).await.iter().all(|(_, outcome, _)| outcome == "sent"));
}

#[tokio::test]
async fn provider_tokens_of_apple_are_changed_within_the_hour_and_not_sooner() {
    let mut pushes = Pushes::start().await;
    let ada = pushes.world.person("Ada");
    added(&pushes.world, &ada, phone("apns", &iphone())).await;
    let mut tokens = Vec::new();
    for minutes in [0, 39, 2, 50] {
        pushes.world.test.clock.advance(jiff::SignedDuration::from_mins(minutes));
        pushes.pass(0).await;
        tell(&pushes.world, &ada).await;
        assert_eq!(pushes.world.push().await, 1);
        tokens.push(pushes.got("apns").await[0]["headers"]["authorization"].clone());
    }
    assert_eq!(tokens[0], tokens[1]);
    assert!(tokens[1] != tokens[2] && tokens[2] != tokens[3]);
    // Whatever our clock says: APNs calls it too old.
    pushes.answers("apns", json!({ "status": 403, "body": "{\"reason\":\"ExpiredProviderToken\"}" })).await;
    tell(&pushes.world, &ada).await;
    assert_eq!(pushes.world.push().await, 1);
    assert_eq!(pushes.got("apns").await.len(), 2);
    assert!(attempts(&pushes.world).await.iter().all(|(_, outcome, _)| outcome == "sent"));
}

#[tokio::test]
async fn what_its_service_calls_gone_is_forgotten_and_the_rest_is_told_all_the_same() {
    let mut pushes = Pushes::start().await;
    let (ada, admin) = (pushes.world.person("Ada"), pushes.world.test.person(Role::Admin));
    let known = pushes.all_sorts(&ada).await;
    pushes.browser(&ada, None).await;
    for (_, address) in &known {
        pushes.server.tell(json!({ "command": "gone", "address": address })).await;
    }
    tell(&pushes.world, &ada).await;
    assert_eq!(pushes.world.push().await, 4);
    let outcomes: Vec<_> = attempts(&pushes.world).await.into_iter().map(|(_, outcome, _)| outcome).collect();
    assert_eq!(outcomes.iter().filter(|outcome| *outcome == "no_such_address").count(), 3, "{outcomes:?}");
    let left = devices(&pushes.world, &ada).await;
    assert!(left.len() == 1 && left[0]["provider"] == "web_push");
    // Each is given up at once, and seen by who looks after it.
    let dead =
        pushes.world.test.call_as(&admin, "GET", "/api/v1/dead-letters").send().await.expect(200).json();
    assert_eq!(dead["items"].as_array().unwrap().len(), 3);
    tell(&pushes.world, &ada).await;
    assert_eq!(pushes.world.push().await, 1);
}

#[tokio::test]
async fn pushes_wait_in_quiet_hours_and_go_only_to_who_wants_them() {
    let mut pushes = Pushes::start().await;
    let (ada, admin) = (pushes.world.person("Ada"), pushes.world.test.person(Role::Admin));
    added(&pushes.world, &ada, phone("fcm", &android())).await;
    let quiet = json!({ "items": [], "quiet_hours": { "from": "07:00", "until": "09:00" } });
    pushes.world.test.call_as(&ada, "PUT", MINE).json(quiet).send().await.expect(200);
    tell(&pushes.world, &ada).await;
    assert_eq!(pushes.world.push().await, 0, "it is eight");
    assert!(pushes.server.got().await.is_empty());
    pushes.pass(1).await;
    assert_eq!(pushes.world.push().await, 1);

    let no = json!({ "items": [{ "kind": "booking_confirmed", "channel": "push", "is_wanted": false }] });
    let made = pushes.world.test.call_as(&ada, "PUT", MINE).json(no.clone()).send().await.expect(200).json();
    let of = |channel: &str| {
        let items = made["items"].as_array().unwrap().iter();
        items.clone().find(|item| item["channel"] == channel && item["kind"] == "booking_confirmed").unwrap()
            ["is_wanted"]
            .clone()
    };
    assert_eq!((of("email"), of("push")), (json!(true), json!(false)));
    tell(&pushes.world, &ada).await;
    assert_eq!((pushes.world.push().await, pushes.world.deliver().await), (0, 2));
    // What the organization has fixed holds whatever they said.
    let rule = json!({ "items": [{ "kind": "booking_confirmed", "channel": "push", "is_wanted": true, "is_fixed": true }] });
    pushes.world.test.call_as(&admin, "PUT", RULES).json(rule).send().await.expect(200);
    tell(&pushes.world, &ada).await;
    assert_eq!(pushes.world.push().await, 1);
}
