//! Push services that refuse, are busy, hang or are away; subscriptions that lead where no request goes.

use kernel::{BookingId, DeliveryId};
use notifications::delivery::Outcome;
use notifications::device::{Address, Subscription};
use notifications::message::Kind;
use notifications::push::{Push, Pushers};
use notifications::webhooks::guard::Guard;
use platform::http::client::client;
use serde_json::json;
use tokio::net::TcpListener;

use crate::deliver::tell;
use crate::devices::{added, devices};
use crate::pushes::{Pushes, android, attempts, iphone, phone};

#[tokio::test]
async fn with_wrong_credentials_nothing_is_lost() {
    let mut pushes = Pushes::with(|push| {
        push.apns_key_id = "0000000000".into();
        // A key of nobody's.
        let text = std::fs::read_to_string(&push.fcm_account_file).unwrap();
        let mut account: serde_json::Value = serde_json::from_str(&text).unwrap();
        account["client_email"] = "somebody@example.com".into();
        std::fs::write(&push.fcm_account_file, account.to_string()).unwrap();
    })
    .await;
    let ada = pushes.world.person("Ada");
    added(&pushes.world, &ada, phone("apns", &iphone())).await;
    added(&pushes.world, &ada, phone("fcm", &android())).await;
    // A browser that subscribed for another key than ours: for good, and no sign of others.
    let other =
        notifications::push::vapid::Vapid::parse(&notifications::push::vapid::generate().unwrap()).unwrap();
    pushes.browser(&ada, Some(other.public())).await;
    tell(&pushes.world, &ada).await;
    assert_eq!(pushes.world.push().await, 3);
    let mut made = attempts(&pushes.world).await;
    made.sort();
    let told: Vec<_> = made
        .iter()
        .map(|(provider, outcome, answer)| (provider.as_str(), outcome.as_str(), answer.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("apns", "away", "403 InvalidProviderToken"),
            ("fcm", "away", "no access token of Google's: 400 invalid_grant"),
            ("web_push", "permanent", "403 VAPID credentials do not correspond"),
        ]
    );
    let deliveries = pushes.pushed(&ada).await;
    let queued = deliveries.iter().filter(|delivery| delivery["status"] == "queued").count();
    assert_eq!(queued, 2);
    assert_eq!(devices(&pushes.world, &ada).await.len(), 3);
}

#[tokio::test]
async fn a_service_that_is_busy_is_asked_again_when_it_said() {
    let mut pushes = Pushes::start().await;
    let ada = pushes.world.person("Ada");
    pushes.all_sorts(&ada).await;
    for (role, status) in [("fcm", 429), ("apns", 503), ("web_push", 429)] {
        pushes.answers(role, json!({ "status": status, "headers": { "retry-after": "7200" } })).await;
    }
    tell(&pushes.world, &ada).await;
    assert_eq!(pushes.world.push().await, 3);
    let ids = pushes.got("apns").await;
    pushes.pass(1).await;
    assert_eq!(pushes.world.push().await, 0, "not before two hours");
    pushes.pass(1).await;
    assert_eq!(pushes.world.push().await, 3);
    let again = pushes.got("apns").await;
    assert_eq!(ids[0]["headers"]["apns-id"], again[0]["headers"]["apns-id"], "the same in every attempt");
    let outcomes: Vec<_> = attempts(&pushes.world).await.into_iter().map(|(_, outcome, _)| outcome).collect();
    assert_eq!(outcomes, ["passing", "passing", "passing", "sent", "sent", "sent"]);
    assert!(pushes.pushed(&ada).await.iter().all(|delivery| delivery["attempts"] == 2));
}

#[tokio::test]
async fn a_service_that_hangs_is_given_up_and_what_it_said_shows_no_token() {
    let mut pushes = Pushes::start().await;
    let ada = pushes.world.person("Ada");
    pushes.all_sorts(&ada).await;
    for role in ["fcm", "apns", "web_push"] {
        pushes.answers(role, json!({ "hang": true })).await;
    }
    tell(&pushes.world, &ada).await;
    assert_eq!(pushes.world.push().await, 3);
    let made = attempts(&pushes.world).await;
    assert!(
        made.iter().all(|(_, outcome, answer)| outcome == "unsure" && answer.starts_with("it took too long")),
        "{made:?}"
    );
    pushes.pass(24).await;
    let told =
        json!({ "error": { "message": format!("{} is none", android()), "status": "INVALID_ARGUMENT" } });
    pushes.answers("fcm", json!({ "status": 400, "body": told.to_string() })).await;
    // It tells us to go elsewhere; we do not.
    pushes.answers("web_push", json!({ "status": 307, "headers": { "location": "/push/elsewhere" } })).await;
    assert_eq!(pushes.world.push().await, 3);
    let got = pushes.server.got().await;
    assert_eq!(got.iter().filter(|one| one["role"] == "web_push").count(), 2);
    let made = attempts(&pushes.world).await;
    assert!(
        made.iter()
            .any(|(_, outcome, answer)| outcome == "permanent" && answer.contains("[address] is none")),
        "{made:?}"
    );
    assert!(!made.iter().any(|(_, _, answer)| answer.to_lowercase().contains(&android().to_lowercase())));
}

#[tokio::test]
async fn a_service_that_is_away_uses_up_no_attempts_and_holds_no_other_up() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut pushes = Pushes::with(|push| push.fcm_url = format!("http://{nobody}")).await;
    let ada = pushes.world.person("Ada");
    pushes.all_sorts(&ada).await;
    for _ in 0..30 {
        tell(&pushes.world, &ada).await;
    }
    let mut made = 0;
    for _ in 0..20 {
        made += pushes.world.push().await;
        pushes.pass(24).await;
    }
    let got = pushes.server.got().await;
    for role in ["apns", "web_push"] {
        assert_eq!(got.iter().filter(|one| one["role"] == role).count(), 30, "{role}");
    }
    let tried = made - 60;
    assert!((1..=20).contains(&tried), "the breaker lets few through: {tried}");
    assert_eq!(pushes.world.deliver().await, 30, "mails go by their own way");
}

#[tokio::test]
async fn no_subscription_leads_inside_whatever_was_allowed_when_it_was_made() {
    let mut pushes = Pushes::start().await;
    let key = pushes.app().pushers.web_push_key().unwrap().to_owned();
    let made = pushes.server.tell(json!({ "command": "subscribe", "key": key })).await;
    let endpoint = made["endpoint"].as_str().unwrap();
    let settings = notifications::push::Settings {
        fcm_account_file: String::new(),
        apns_key_file: String::new(),
        ..pushes.app().config.push.clone()
    };
    let client = client(std::time::Duration::from_secs(5)).unwrap();
    let guarded = Pushers::new(&settings, "rooms@example.edu", &Guard::default(), &client).unwrap();
    let port = endpoint.rsplit(':').next().unwrap();
    for endpoint in
        [endpoint.to_owned(), format!("https://localhost:{port}"), "https://[::ffff:127.0.0.1]/x".into()]
    {
        let subscription = Subscription {
            endpoint,
            p256dh: notifications::device::bytes(made["p256dh"].as_str().unwrap(), 65).unwrap(),
            auth: notifications::device::bytes(made["auth"].as_str().unwrap(), 16).unwrap(),
        };
        let now = pushes.world.test.now();
        let push = Push {
            delivery: DeliveryId::mint(),
            address: Address::WebPush(subscription),
            title: "x".into(),
            body: "y".into(),
            kind: Kind::BookingConfirmed,
            booking: BookingId::mint(),
            is_urgent: false,
            now,
            expires_at: now,
        };
        let made = guarded.provider(&push.address).unwrap().attempt(&push).await.unwrap();
        assert!(matches!(made.outcome, Outcome::Permanent(_) | Outcome::Away(_)), "{:?}", made.outcome);
    }
    assert!(pushes.server.got().await.is_empty());
}

#[tokio::test]
async fn wrong_settings_are_found_at_the_start_and_shown_without_their_keys() {
    let pushes = Pushes::start().await;
    let app = pushes.app();
    let wrong = |change: fn(&mut notifications::push::Settings)| {
        let mut config = (*app.config).clone();
        change(&mut config.push);
        notifications::App::new(app.context.clone(), config).unwrap_err()
    };
    let file = wrong(|push| push.fcm_account_file = push.apns_key_file.clone());
    assert!(file.starts_with("push.fcm_account_file is no key of a service account: line 1"), "{file}");
    let file = wrong(|push| push.apns_key_file = push.fcm_account_file.clone());
    assert!(file.starts_with("push.apns_key_file holds no private key"), "{file}");
    assert!(wrong(|push| push.apns_key_file = "/nowhere".into()).contains("cannot be read"));
    assert!(wrong(|push| push.apns_team_id.clear()).starts_with("push.apns_team_id"));
    assert!(wrong(|push| push.apns_topic = "a/b".into()).starts_with("push.apns_topic"));
    assert!(
        wrong(|push| push.fcm_url = "http://example.com".into())
            .starts_with("push.fcm_url must begin with https")
    );
    assert!(wrong(|push| push.web_push_subject = "me".into()).starts_with("push.web_push_subject"));
    assert!(wrong(|push| push.timeout_seconds = 0).starts_with("push.timeout_seconds"));
    let mut context = app.context.clone();
    context.keyring = platform::sealing::Keyring::default();
    let without_key = notifications::start(context, (*app.config).clone()).await.unwrap_err();
    assert!(without_key.contains("there is no sealing key"), "{without_key}");
}
