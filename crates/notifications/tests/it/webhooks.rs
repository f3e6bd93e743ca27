//! Webhooks against integrators' servers: signatures, filters, retries, order, disabling, and where no request goes.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contracts::bookings::{BookingCancelled, BookingConfirmed, BookingMoved};
use jiff::SignedDuration;
use kernel::{OrganizationId, Role};
use notifications::jobs::webhooks::tell_due;
use notifications::webhooks::signature::sign;
use serde_json::{Value, json};
use testkit::Person;

use crate::world::{World, booking, envelope, serve};

/// What an integrator's server got, and what it answers.
#[derive(Debug, Default)]
pub struct Integrator {
    got: Vec<(HeaderMap, String)>,
    status: u16,
    location: Option<String>,
}

pub type Shared = Arc<Mutex<Integrator>>;

async fn take(State(integrator): State<Shared>, headers: HeaderMap, body: String) -> Response {
    let mut integrator = integrator.lock().unwrap();
    integrator.got.push((headers, body));
    let status = StatusCode::from_u16(integrator.status).unwrap();
    match &integrator.location {
        Some(location) => (status, [("location", location.clone())], "moved").into_response(),
        None => (status, "an answer").into_response(),
    }
}

pub async fn integrator(status: u16) -> (String, Shared) {
    let shared = Arc::new(Mutex::new(Integrator { status, ..Integrator::default() }));
    let url = serve(Router::new().route("/hook", any(take)).with_state(shared.clone())).await;
    (format!("{url}/hook"), shared)
}

/// With a loopback network of the operator's own, on which the integrators of these tests are.
pub async fn world() -> World {
    World::with(|config| config.webhook_networks = "127.0.0.0/8".into()).await
}

pub async fn create(world: &World, admin: &Person, body: Value) -> (String, String) {
    let made =
        world.test.call_as(admin, "POST", "/api/v1/webhooks").json(body).send().await.expect(201).json();
    (made["id"].as_str().unwrap().to_owned(), made["secret"].as_str().unwrap().to_owned())
}

async fn get(world: &World, person: &Person, path: &str) -> Value {
    world.test.call_as(person, "GET", path).send().await.expect(200).json()
}

async fn deliveries(world: &World, admin: &Person, webhook: &str) -> Vec<Value> {
    let page = get(world, admin, &format!("/api/v1/webhooks/{webhook}/deliveries")).await;
    page["items"].as_array().unwrap().clone()
}

fn signed(headers: &HeaderMap, body: &str, secrets: &[&str]) -> bool {
    let text = |name: &str| headers[name].to_str().unwrap().to_owned();
    let at = jiff::Timestamp::from_second(text("webhook-timestamp").parse().unwrap()).unwrap();
    let keys: Vec<_> = secrets
        .iter()
        .map(|secret| STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap())
        .collect();
    let keys: Vec<_> = keys.iter().map(Vec::as_slice).collect();
    sign(&keys, &text("webhook-id"), at, body) == text("webhook-signature")
}

#[tokio::test]
async fn who_wants_an_event_is_told_it_signed() {
    let world = world().await;
    let (ada, admin) = (world.person("Ada"), world.test.person(Role::Admin));
    let (all, some) = (integrator(200).await, integrator(204).await);
    let (id, secret) = create(&world, &admin, json!({ "url": all.0 })).await;
    let only = json!({ "url": some.0, "types": ["reservas.booking.cancelled.v1"] });
    create(&world, &admin, only).await;
    let stranger = Person::new(OrganizationId::mint(), Role::Admin);
    let foreign = integrator(200).await;
    create(&world, &stranger, json!({ "url": foreign.0 })).await;

    let event =
        envelope(ada.organization, &BookingConfirmed { before: None, booking: booking(&ada), reason: None });
    world.hear(&event).await;
    world.hear(&event).await;
    assert_eq!(tell_due(&world.app).await.unwrap(), 1);
    assert_eq!((some.1.lock().unwrap().got.len(), foreign.1.lock().unwrap().got.len()), (0, 0));
    {
        let got = &all.1.lock().unwrap().got;
        assert_eq!(got.len(), 1, "heard twice, told once");
        let (headers, body) = &got[0];
        assert!(signed(headers, body, &[&secret]) && !signed(headers, &format!("{body} "), &[&secret]));
        assert_eq!(headers["webhook-id"], event.id.to_string().as_str());
        let told: Value = serde_json::from_str(body).unwrap();
        assert_eq!((&told["type"], &told["data"]), (&json!(event.kind), &event.data));
    }
    let cancelled = BookingCancelled { before: None, booking: booking(&ada), reason: None };
    world.hear(&envelope(ada.organization, &cancelled)).await;
    assert_eq!(tell_due(&world.app).await.unwrap(), 2);
    assert_eq!(some.1.lock().unwrap().got.len(), 1);

    let path = format!("/api/v1/webhooks/{id}/rotate-secret");
    let rotated = world.test.call_as(&admin, "POST", &path).json(json!({})).send().await.expect(200).json();
    let new = rotated["secret"].as_str().unwrap().to_owned();
    let test = format!("/api/v1/webhooks/{id}/test");
    for (wait, secrets) in [(0, vec![new.as_str(), &secret]), (25, vec![new.as_str()])] {
        world.test.clock.advance(SignedDuration::from_hours(wait));
        let person = &admin;
        world.test.call_as(person, "POST", &test).json(json!({})).send().await.expect(202);
        assert_eq!(tell_due(&world.app).await.unwrap(), 1);
        let got = &all.1.lock().unwrap().got;
        let (headers, body) = got.last().unwrap();
        assert!(body.contains("reservas.webhook.test.v1") && signed(headers, body, &secrets), "{headers:?}");
    }
}

#[tokio::test]
async fn what_fails_is_tried_again_logged_and_can_be_sent_once_more() {
    let world = world().await;
    let (ada, admin) = (world.person("Ada"), world.test.person(Role::Admin));
    let (url, server) = integrator(500).await;
    let (id, _) = create(&world, &admin, json!({ "url": url })).await;
    crate::deliver::tell(&world, &ada).await;
    assert_eq!(tell_due(&world.app).await.unwrap(), 1);
    assert_eq!(tell_due(&world.app).await.unwrap(), 0, "not before its time");
    assert!(get(&world, &admin, &format!("/api/v1/webhooks/{id}")).await["failing_since"].is_string());
    server.lock().unwrap().status = 200;
    world.test.clock.advance(SignedDuration::from_secs(10));
    assert_eq!(tell_due(&world.app).await.unwrap(), 1);
    assert!(get(&world, &admin, &format!("/api/v1/webhooks/{id}")).await["failing_since"].is_null());

    let delivery = deliveries(&world, &admin, &id).await.remove(0);
    assert_eq!((&delivery["status"], &delivery["attempts"]), (&"delivered".into(), &2.into()));
    let path = format!("/api/v1/webhook-deliveries/{}", delivery["id"].as_str().unwrap());
    let details = get(&world, &admin, &path).await;
    let statuses: Vec<_> =
        details["attempts"].as_array().unwrap().iter().map(|made| made["status"].clone()).collect();
    assert_eq!(statuses, [500, 200]);
    assert_eq!(details["attempts"][0]["answer"], "an answer");
    assert!(details["body"].as_str().unwrap().contains("reservas.booking.confirmed.v1"));

    let redeliver = format!("{path}/redeliver");
    let stranger = Person::new(OrganizationId::mint(), Role::Admin);
    world.test.call_as(&stranger, "POST", &redeliver).json(json!({})).send().await.problem(404, "not_found");
    world.test.call_as(&stranger, "GET", &path).send().await.problem(404, "not_found");
    world.test.call_as(&admin, "POST", &redeliver).json(json!({})).send().await.expect(202);
    world
        .test
        .call_as(&admin, "POST", &redeliver)
        .json(json!({}))
        .send()
        .await
        .problem(409, "delivery_waits");
    assert_eq!(tell_due(&world.app).await.unwrap(), 1);
    let got = &server.lock().unwrap().got;
    assert_eq!(got.len(), 3);
    assert_eq!(got[0].0["webhook-id"], got[2].0["webhook-id"], "by which the integrator knows it again");
}

#[tokio::test]
async fn events_of_one_booking_keep_their_order_and_hold_up_no_other() {
    let world = world().await;
    let (ada, admin) = (world.person("Ada"), world.test.person(Role::Admin));
    let (url, server) = integrator(500).await;
    create(&world, &admin, json!({ "url": url, "is_ordered": true })).await;
    let (booked, other) = (booking(&ada), booking(&ada));
    let confirmed = BookingConfirmed { before: None, booking: booked.clone(), reason: None };
    let moved = BookingMoved { before: None, booking: booked, reason: None };
    world.hear(&envelope(ada.organization, &confirmed)).await;
    world.hear(&envelope(ada.organization, &moved)).await;
    let elsewhere = BookingConfirmed { before: None, booking: other, reason: None };
    world.hear(&envelope(ada.organization, &elsewhere)).await;
    assert_eq!(tell_due(&world.app).await.unwrap(), 2, "the first of each booking");
    server.lock().unwrap().status = 200;
    world.test.clock.advance(SignedDuration::from_secs(10));
    let mut made = 0;
    while made < 3 {
        made += tell_due(&world.app).await.unwrap();
    }
    let server = server.lock().unwrap();
    let types: Vec<_> = server
        .got
        .iter()
        .map(|(_, body)| serde_json::from_str::<Value>(body).unwrap())
        .filter(|told| told["subject"] == json!(confirmed.booking.id))
        .map(|told| told["type"].as_str().unwrap().to_owned())
        .collect();
    let expected =
        ["reservas.booking.confirmed.v1", "reservas.booking.confirmed.v1", "reservas.booking.moved.v1"];
    assert_eq!(types, expected);
}

#[tokio::test]
async fn what_fails_for_long_is_disabled_and_its_maker_told() {
    let world = world().await;
    let ada = world.person("Ada");
    let admin = world.test.person(Role::Admin);
    world.introduce(&admin, "Grace");
    let (url, server) = integrator(503).await;
    let (id, _) = create(&world, &admin, json!({ "url": url })).await;
    crate::deliver::tell(&world, &ada).await;
    for _ in 0..20 {
        tell_due(&world.app).await.unwrap();
        world.test.clock.advance(SignedDuration::from_hours(9));
    }
    let webhook = get(&world, &admin, &format!("/api/v1/webhooks/{id}")).await;
    assert_eq!(webhook["disabled_reason"], "it failed for three days");
    assert_eq!(deliveries(&world, &admin, &id).await[0]["status"], "failed");
    assert_eq!(world.notifications(&admin).await[0]["kind"], "webhook_disabled");
    let before = server.lock().unwrap().got.len();
    crate::deliver::tell(&world, &ada).await;
    assert_eq!(tell_due(&world.app).await.unwrap(), 0);
    assert_eq!(server.lock().unwrap().got.len(), before);
    let path = format!("/api/v1/webhooks/{id}");
    let test = format!("{path}/test");
    world.test.call_as(&admin, "POST", &test).json(json!({})).send().await.problem(409, "webhook_disabled");
    let on = world.test.call_as(&admin, "PATCH", &path).json(json!({ "is_enabled": true })).send().await;
    assert_eq!(on.expect(200).json()["disabled_reason"], Value::Null);

    // One that answers 410 wants no more, at once.
    server.lock().unwrap().status = 410;
    crate::deliver::tell(&world, &ada).await;
    assert_eq!(tell_due(&world.app).await.unwrap(), 1);
    assert_eq!(get(&world, &admin, &path).await["is_enabled"], false);
}

#[tokio::test]
async fn no_request_goes_inside_by_address_name_or_redirect() {
    let world = World::start().await;
    let (ada, admin) = (world.person("Ada"), world.test.person(Role::Admin));
    let (url, inside) = integrator(200).await;
    for wrong in
        [url.as_str(), "https://127.0.0.1/", "https://[::ffff:10.0.0.1]/", "http://example.com/", "x"]
    {
        let call = world.test.call_as(&admin, "POST", "/api/v1/webhooks").json(json!({ "url": wrong }));
        let problem = call.send().await.problem(422, "invalid_input");
        assert_eq!(problem["errors"][0]["pointer"], "/url", "{wrong}");
    }
    // A name is looked at when it is resolved, for each request.
    let port = url.split(':').nth(2).unwrap().trim_end_matches("/hook").to_owned();
    let (id, _) = create(&world, &admin, json!({ "url": format!("https://localhost:{port}/hook") })).await;
    crate::deliver::tell(&world, &ada).await;
    assert_eq!(tell_due(&world.app).await.unwrap(), 1);
    let delivery = deliveries(&world, &admin, &id).await.remove(0);
    let details =
        get(&world, &admin, &format!("/api/v1/webhook-deliveries/{}", delivery["id"].as_str().unwrap()))
            .await;
    let answer = details["attempts"][0]["answer"].as_str().unwrap();
    assert!(answer.contains("no address of the public internet"), "{answer}");
    // What was allowed when it was written, and is not any more.
    let mut owner = world.test.owner().await;
    sqlx::query("update notifications.webhook set url = $1").bind(&url).execute(&mut owner).await.unwrap();
    world.test.clock.advance(SignedDuration::from_secs(10));
    assert_eq!(tell_due(&world.app).await.unwrap(), 1);
    assert_eq!(inside.lock().unwrap().got.len(), 0);

    let open = self::world().await;
    let (bob, root) = (open.person("Bob"), open.test.person(Role::Admin));
    let (redirecting, server) = integrator(307).await;
    server.lock().unwrap().location = Some(url);
    create(&open, &root, json!({ "url": redirecting })).await;
    crate::deliver::tell(&open, &bob).await;
    assert_eq!(tell_due(&open.app).await.unwrap(), 1);
    assert_eq!((server.lock().unwrap().got.len(), inside.lock().unwrap().got.len()), (1, 0));
}

#[tokio::test]
async fn webhooks_are_their_organizations_and_their_administrators() {
    let world = world().await;
    let (ada, admin) = (world.person("Ada"), world.test.person(Role::Admin));
    let (id, secret) = create(&world, &admin, json!({ "url": "https://hooks.example.com/" })).await;
    let path = format!("/api/v1/webhooks/{id}");
    let stranger = Person::new(OrganizationId::mint(), Role::Admin);
    for (person, status, code) in [(&ada, 403, "permission_required"), (&stranger, 404, "not_found")] {
        for (method, path) in [
            ("GET", path.clone()),
            ("PATCH", path.clone()),
            ("DELETE", path.clone()),
            ("POST", format!("{path}/rotate-secret")),
            ("POST", format!("{path}/test")),
            ("GET", format!("{path}/deliveries")),
        ] {
            let call = world.test.call_as(person, method, &path);
            let call = if method == "GET" || method == "DELETE" { call } else { call.json(json!({})) };
            call.send().await.problem(status, code);
        }
    }
    assert_eq!(get(&world, &stranger, "/api/v1/webhooks").await["items"], json!([]));
    let list = get(&world, &admin, "/api/v1/webhooks").await;
    assert_eq!(list["items"][0]["id"], id.as_str());
    assert!(!list.to_string().contains(&secret), "a secret is shown once");
    for (wrong, pointer) in [
        (json!({ "url": "https://hooks.example.com/", "types": ["reservas.user.changed.v1"] }), "/types/0"),
        (json!({ "url": "https://10.0.0.1/" }), "/url"),
    ] {
        let call = world.test.call_as(&admin, "POST", "/api/v1/webhooks").json(wrong);
        assert_eq!(call.send().await.problem(422, "invalid_input")["errors"][0]["pointer"], pointer);
    }
    for _ in 1..50 {
        create(&world, &admin, json!({ "url": "https://hooks.example.com/" })).await;
    }
    let call = world
        .test
        .call_as(&admin, "POST", "/api/v1/webhooks")
        .json(json!({ "url": "https://hooks.example.com/" }));
    call.send().await.problem(409, "too_many_webhooks");
    world.test.call_as(&admin, "DELETE", &path).send().await.expect(204);
    world.test.call_as(&admin, "GET", &path).send().await.problem(404, "not_found");
}
