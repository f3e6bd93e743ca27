//! The queue: leases, attempts, peers that are away, replicas that compete, replicas that die.

use axum::Router;
use axum::http::StatusCode;
use contracts::bookings::BookingConfirmed;
use jiff::SignedDuration;
use kernel::{OrganizationId, Role};
use serde_json::json;
use sqlx::Row as _;
use testkit::Person;

use crate::world::{World, booking, envelope, serve};

pub async fn tell(world: &World, person: &Person) {
    let event = BookingConfirmed { before: None, booking: booking(person), reason: None };
    world.hear(&envelope(person.organization, &event)).await;
}

#[tokio::test]
async fn every_organization_is_served_and_every_attempt_recorded() {
    let world = World::start().await;
    let ada = world.person("Ada");
    let other = Person::new(OrganizationId::mint(), Role::User);
    world.introduce(&other, "Other");
    tell(&world, &ada).await;
    tell(&world, &other).await;
    assert_eq!(world.deliver().await, 2);
    let mut owner = world.test.owner().await;
    let rows = sqlx::query("select number, channel, outcome, latency_ms from notifications.attempt");
    let rows = rows.fetch_all(&mut owner).await.unwrap();
    assert_eq!(rows.len(), 2);
    for row in rows {
        assert_eq!((row.get::<i32, _>("number"), row.get::<&str, _>("channel")), (1, "outbox"));
        assert_eq!(row.get::<&str, _>("outcome"), "sent");
        assert!(row.get::<i64, _>("latency_ms") >= 0);
    }
}

#[tokio::test]
async fn replicas_that_compete_send_each_mail_once() {
    let world = World::start().await;
    let ada = world.person("Ada");
    for _ in 0..30 {
        tell(&world, &ada).await;
    }
    let (one, two, three) = tokio::join!(world.deliver(), world.deliver(), world.deliver());
    assert_eq!(one + two + three, 30);
    let sent = world.notifications(&ada).await;
    assert!(
        sent.iter()
            .all(|told| told["deliveries"][0]["attempts"] == 1 && told["deliveries"][0]["status"] == "sent")
    );
}

#[tokio::test]
async fn a_removed_person_is_a_failure_that_says_so() {
    let world = World::start().await;
    let gone = world.test.person(Role::User);
    tell(&world, &gone).await;
    assert_eq!(world.deliver().await, 1);
    let delivery = &world.notifications(&gone).await[0]["deliveries"][0];
    assert_eq!(
        (&delivery["status"], &delivery["error"]),
        (&"failed".into(), &"the person was removed".into())
    );
}

#[tokio::test]
async fn a_peer_that_is_away_only_delays() {
    let world = World::start().await;
    let ada = world.person("Ada");
    tell(&world, &ada).await;
    world.known.lock().unwrap().down = true;
    assert_eq!(world.deliver().await, 1);
    let delivery = world.notifications(&ada).await[0]["deliveries"][0].clone();
    assert_eq!(delivery["status"], "queued");
    assert_eq!(delivery["error"], "the user service: the peer answered 503 Service Unavailable");
    world.known.lock().unwrap().down = false;
    world.wait_for_retry();
    assert_eq!(world.deliver().await, 1);
    assert_eq!(world.notifications(&ada).await[0]["deliveries"][0]["status"], "sent");
}

#[tokio::test]
async fn a_wrong_address_of_a_peer_is_not_taken_for_a_removed_person() {
    let refusal = || async { (StatusCode::NOT_FOUND, axum::Json(json!({ "code": "unknown_path" }))) };
    let elsewhere = serve(Router::new().fallback(refusal)).await;
    let world = World::with(|config| config.users_url = elsewhere).await;
    let ada = world.person("Ada");
    tell(&world, &ada).await;
    assert_eq!(world.deliver().await, 1);
    assert_eq!(world.notifications(&ada).await[0]["deliveries"][0]["status"], "queued");
}

#[tokio::test]
async fn what_a_dead_replica_had_taken_comes_back_when_its_lease_runs_out() {
    let world = World::start().await;
    let ada = world.person("Ada");
    tell(&world, &ada).await;
    // As a replica leaves it that died after taking the lease.
    let mut owner = world.test.owner().await;
    sqlx::query("update notifications.delivery set attempts = 1, due_at = due_at + interval '5 minutes'")
        .execute(&mut owner)
        .await
        .unwrap();
    assert_eq!(world.deliver().await, 0);
    world.test.clock.advance(SignedDuration::from_mins(5));
    assert_eq!(world.deliver().await, 1);
    let delivery = &world.notifications(&ada).await[0]["deliveries"][0];
    assert_eq!((&delivery["status"], &delivery["attempts"]), (&"sent".into(), &2.into()));
}

#[tokio::test]
async fn a_delivery_that_kills_its_replica_ends() {
    let world = World::with(|config| config.max_attempts = 3).await;
    let ada = world.person("Ada");
    tell(&world, &ada).await;
    let mut owner = world.test.owner().await;
    sqlx::query("update notifications.delivery set attempts = 3").execute(&mut owner).await.unwrap();
    assert_eq!(world.deliver().await, 1);
    assert_eq!(world.notifications(&ada).await[0]["deliveries"][0]["status"], "failed");
}

#[tokio::test]
async fn none_is_begun_once_the_process_stops() {
    let world = World::start().await;
    let ada = world.person("Ada");
    tell(&world, &ada).await;
    world.test.context.shutdown.cancel();
    assert_eq!(world.deliver().await, 0);
}
