//! A second provider while the first is away, breakers, the list of addresses that get no mail, and dead letters.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use kernel::{OrganizationId, Role};
use serde_json::{Value, json};
use testkit::Person;
use tokio::net::TcpListener;

use crate::smtp::{accept_all, book, delivery, server};
use crate::world::World;

/// The address of a mail server that is not there.
async fn nobody() -> String {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    format!("smtp://127.0.0.1:{port}")
}

async fn dead_letters(world: &World, admin: &Person) -> Vec<Value> {
    let list = world.test.call_as(admin, "GET", "/api/v1/dead-letters").send().await.expect(200).json();
    list["items"].as_array().unwrap().clone()
}

async fn attempts(world: &World, admin: &Person, id: &str) -> Vec<(String, String)> {
    let path = format!("/api/v1/dead-letters/{id}/attempts");
    let list = world.test.call_as(admin, "GET", &path).send().await.expect(200).json();
    let pair = |item: &Value| {
        (item["provider"].as_str().unwrap().to_owned(), item["outcome"].as_str().unwrap().to_owned())
    };
    list["items"].as_array().unwrap().iter().map(pair).collect()
}

async fn only_delivery(world: &World) -> String {
    let mut owner = world.test.owner().await;
    let id: uuid::Uuid =
        sqlx::query_scalar("select id from notifications.delivery").fetch_one(&mut owner).await.unwrap();
    id.to_string()
}

/// Who was asked for the one delivery, and how it ended; the last first.
/// The provider and the outcome of every attempt by a channel, the last one first.
pub async fn tried_all(world: &World, channel: &str) -> Vec<(String, String)> {
    let attempts = "select provider, outcome from notifications.attempt where channel = $1
                    order by attempted_at desc, number desc, outcome desc";
    sqlx::query_as(attempts).bind(channel).fetch_all(&mut world.test.owner().await).await.unwrap()
}

pub async fn tried(world: &World) -> Vec<(String, String)> {
    attempts(world, &world.test.person(Role::Admin), &only_delivery(world).await).await
}

#[tokio::test]
async fn the_second_provider_takes_what_the_first_cannot() {
    let (first, second) = (nobody().await, server(accept_all()).await);
    let world = World::with(|config| {
        config.mail_url = first.into();
        config.second_mail_url = second.into();
    })
    .await;
    let ada = book(&world).await;
    assert_eq!(world.deliver().await, 1);
    let sent = delivery(&world, &ada).await;
    assert_eq!((&sent["status"], &sent["attempts"]), (&"sent".into(), &1.into()));
    let admin = world.test.person(Role::Admin);
    let tried = attempts(&world, &admin, &only_delivery(&world).await).await;
    let expected = [("second_smtp", "sent"), ("smtp", "away")].map(|(a, b)| (a.to_owned(), b.to_owned()));
    assert_eq!(tried, expected);
    let stranger = Person::new(OrganizationId::mint(), Role::Admin);
    let path = format!("/api/v1/dead-letters/{}/attempts", only_delivery(&world).await);
    world.test.call_as(&stranger, "GET", &path).send().await.problem(404, "not_found");
}

#[tokio::test]
async fn what_may_have_been_taken_is_given_to_no_second_provider() {
    // It breaks off after the end of the mail, before its last word.
    let accept = accept_all();
    let first = server(move |line| if line == "." { None } else { accept(line) }).await;
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    let second = server(move |_| {
        counted.fetch_add(1, SeqCst);
        Some("250 ok".into())
    })
    .await;
    let smtp = notifications::channel::Smtp::new("mail_url", &first).unwrap();
    let smtp = smtp.with_limit(std::time::Duration::from_millis(200));
    let providers = notifications::channel::Providers::new(
        notifications::channel::Provider::new("smtp", smtp, 0),
        Some(notifications::channel::Provider::new(
            "second_smtp",
            notifications::channel::Smtp::new("second_mail_url", &second).unwrap(),
            0,
        )),
    );
    let tries = providers.send(&crate::smtp::mail()).await;
    assert_eq!(tries.len(), 1);
    assert_eq!(tries[0].outcome.name(), "unsure");
    assert_eq!(calls.load(SeqCst), 0);
}

#[tokio::test]
async fn a_dead_provider_uses_up_no_attempts_and_loses_nothing() {
    let world = World::with_smtp(&nobody().await).await;
    let ada = book(&world).await;
    for _ in 0..30 {
        crate::deliver::tell(&world, &ada).await;
    }
    let mut made = 0;
    for _ in 0..40 {
        made += world.deliver().await;
        world.wait_for_retry();
    }
    assert!((1..=20).contains(&made), "the breaker lets few through: {made}");
    let all = world.notifications(&ada).await;
    assert_eq!(all.len(), 31);
    assert!(all.iter().all(|told| told["deliveries"][0]["status"] == "queued"));
}

#[tokio::test]
async fn a_dead_letter_is_seen_and_sent_again() {
    let known = Arc::new(AtomicUsize::new(0));
    let (accept, asked) = (accept_all(), known.clone());
    let url = server(move |line| {
        let refused = line.starts_with("RCPT TO:") && asked.load(SeqCst) == 0;
        if refused { Some("550 5.7.1 looks like spam".into()) } else { accept(line) }
    })
    .await;
    let world = World::with_smtp(&url).await;
    let ada = book(&world).await;
    let admin = world.test.person(Role::Admin);
    assert_eq!(world.deliver().await, 1);
    let dead = dead_letters(&world, &admin).await;
    assert_eq!(dead.len(), 1);
    assert_eq!((&dead[0]["user_id"], &dead[0]["kind"]), (&json!(ada.user), &"booking_confirmed".into()));
    let path = format!("/api/v1/dead-letters/{}/replay", dead[0]["id"].as_str().unwrap());
    let stranger = Person::new(OrganizationId::mint(), Role::Admin);
    assert!(dead_letters(&world, &stranger).await.is_empty());
    world.test.call_as(&stranger, "POST", &path).send().await.problem(404, "not_found");
    world.test.call_as(&ada, "POST", &path).send().await.problem(403, "permission_required");

    known.store(1, SeqCst);
    world.test.call_as(&admin, "POST", &path).send().await.expect(204);
    world.test.call_as(&admin, "POST", &path).send().await.problem(409, "not_failed");
    assert_eq!(world.deliver().await, 1);
    assert_eq!(delivery(&world, &ada).await["status"], "sent");
    assert!(dead_letters(&world, &admin).await.is_empty());
}

#[tokio::test]
async fn what_failed_in_a_stretch_of_time_is_sent_again_together() {
    let url =
        server(|line| Some(if line.starts_with("RCPT") { "550 5.7.1 no" } else { "250 ok" }.into())).await;
    let world = World::with_smtp(&url).await;
    let ada = book(&world).await;
    crate::deliver::tell(&world, &ada).await;
    assert_eq!(world.deliver().await, 2);
    let admin = world.test.person(Role::Admin);
    let now = world.test.now();
    let hour = jiff::SignedDuration::from_hours(1);
    let replay = async |from: jiff::Timestamp, until: jiff::Timestamp| {
        let call = world.test.call_as(&admin, "POST", "/api/v1/dead-letters/replay");
        call.json(json!({ "failed_from": from, "failed_until": until })).send().await
    };
    assert_eq!(replay(now - hour - hour, now - hour).await.expect(200).json()["count"], 0);
    assert_eq!(replay(now - hour, now + hour).await.expect(200).json()["count"], 2);
    replay(now, now).await.problem(422, "invalid_input");
    assert_eq!(world.deliver().await, 2);
    assert_eq!(dead_letters(&world, &admin).await.len(), 2);
}

#[tokio::test]
async fn an_address_that_its_server_does_not_know_gets_no_more_mail() {
    let url = server(|line| {
        Some(if line.starts_with("RCPT") { "550 5.1.1 no such mailbox" } else { "250 ok" }.into())
    })
    .await;
    let world = World::with_smtp(&url).await;
    let ada = book(&world).await;
    assert_eq!(world.deliver().await, 1);
    let admin = world.test.person(Role::Admin);
    let list = async |person: &Person| {
        let list = world.test.call_as(person, "GET", "/api/v1/suppressions").send().await.expect(200).json();
        list["items"].as_array().unwrap().clone()
    };
    let listed = list(&admin).await;
    assert_eq!((&listed[0]["reason"], &listed[0]["user_id"]), (&"no_such_address".into(), &json!(ada.user)));
    let stranger = Person::new(OrganizationId::mint(), Role::Admin);
    assert!(list(&stranger).await.is_empty());

    crate::deliver::tell(&world, &ada).await;
    assert_eq!(world.deliver().await, 1);
    let refused = delivery(&world, &ada).await;
    assert_eq!(refused["error"], "the address is on the list of those that get no mail");

    let path = format!("/api/v1/suppressions/{}", listed[0]["id"].as_str().unwrap());
    world.test.call_as(&stranger, "DELETE", &path).send().await.problem(404, "not_found");
    world.test.call_as(&admin, "DELETE", &path).send().await.expect(204);
    world.test.call_as(&admin, "DELETE", &path).send().await.problem(404, "not_found");
    let add = async |email: &str| {
        let call = world.test.call_as(&admin, "POST", "/api/v1/suppressions");
        call.json(json!({ "email": email })).send().await
    };
    add("Bob@example.com").await.expect(201);
    add("bob@example.com").await.problem(409, "suppressed_already");
    add("nobody").await.problem(422, "invalid_input");
}
