//! What is told when an event is heard, and that nothing is told twice.

use contracts::bookings::{BookingCancelled, BookingConfirmed, BookingHeld, BookingMoved};
use contracts::users::UserRemoved;
use kernel::{Role, Slot};
use testkit::Person;
use uuid::Uuid;

use crate::world::{World, booking, envelope};

#[tokio::test]
async fn an_event_heard_twice_is_told_once() {
    let world = World::start().await;
    let ada = world.person("Ada");
    let event = BookingConfirmed { before: None, booking: booking(&ada), reason: None };
    let event = envelope(ada.organization, &event);
    world.hear(&event).await;
    world.hear(&event).await;
    assert_eq!(world.deliver().await, 1);
    world.hear(&event).await;
    assert_eq!(world.deliver().await, 0);

    let told = world.notifications(&ada).await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["kind"], "booking_confirmed");
    assert_eq!(told[0]["reference"], "R7K2-M9QD");
    let subject = "Booking confirmed: Blue Room, Mon 2 Mar 2026, 14:00–15:30 (Europe/Lisbon)";
    assert_eq!(told[0]["subject"], subject);
    assert_eq!(told[0]["deliveries"][0]["status"], "sent");
}

#[tokio::test]
async fn each_step_of_a_booking_is_told_and_a_hold_is_not() {
    let world = World::start().await;
    let ada = world.person("Ada");
    let first = booking(&ada);
    let mut moved = first.clone();
    moved.version = 2;
    moved.slot =
        Slot::new("2026-03-03T10:00:00Z".parse().unwrap(), "2026-03-03T11:00:00Z".parse().unwrap()).unwrap();
    let organization = ada.organization;
    world
        .hear(&envelope(organization, &BookingHeld { before: None, booking: first.clone(), reason: None }))
        .await;
    world
        .hear(&envelope(
            organization,
            &BookingConfirmed { before: None, booking: first.clone(), reason: None },
        ))
        .await;
    let told = BookingMoved { before: Some(first), booking: moved.clone(), reason: None };
    world.hear(&envelope(organization, &told)).await;
    let told = BookingCancelled { before: None, booking: moved, reason: Some("ill".into()) };
    world.hear(&envelope(organization, &told)).await;

    let kinds: Vec<_> = world.notifications(&ada).await.iter().map(|told| told["kind"].clone()).collect();
    assert_eq!(kinds, ["booking_cancelled", "booking_moved", "booking_confirmed"]);
}

#[tokio::test]
async fn the_feed_is_read_and_its_cursor_kept_with_the_messages() {
    let world = World::start().await;
    let (ada, other) = (world.person("Ada"), Person::new(kernel::OrganizationId::mint(), Role::User));
    world.introduce(&other, "Other");
    let confirmed = |person: &Person, cursor: &str| {
        let event = BookingConfirmed { before: None, booking: booking(person), reason: None };
        platform::events::Envelope { cursor: cursor.into(), ..envelope(person.organization, &event) }
    };
    let batch = vec![confirmed(&ada, "7-1"), confirmed(&other, "7-2"), confirmed(&ada, "8-3")];
    world.known.lock().unwrap().feed = batch;
    let [bookings, _] = notifications::on::consumers(&world.app);
    assert!(bookings.step(Uuid::nil(), 0).await.unwrap());

    assert_eq!(world.notifications(&ada).await.len(), 2);
    assert_eq!(world.notifications(&other).await.len(), 1);
    let mut owner = world.test.owner().await;
    let cursor: String =
        sqlx::query_scalar("select cursor from notifications.consumer where name = 'bookings'")
            .fetch_one(&mut owner)
            .await
            .unwrap();
    assert_eq!(cursor, "8-3");
}

#[tokio::test]
async fn a_removed_person_is_forgotten_and_told_nothing_any_more() {
    let world = World::start().await;
    let (ada, bob) = (world.person("Ada"), world.person("Bob"));
    for person in [&ada, &bob] {
        let event = BookingConfirmed { before: None, booking: booking(person), reason: None };
        world.hear(&envelope(person.organization, &event)).await;
    }
    world.hear(&envelope(ada.organization, &UserRemoved { user_id: ada.user })).await;
    assert_eq!(world.deliver().await, 1, "only Bob's is attempted");
    // What comes late, or is heard again, is not told.
    let late = BookingCancelled { before: None, booking: booking(&ada), reason: Some("removed".into()) };
    world.hear(&envelope(ada.organization, &late)).await;
    world.hear(&envelope(ada.organization, &UserRemoved { user_id: ada.user })).await;
    assert_eq!(world.deliver().await, 0);
    let statement = "select (select count(*) from notifications.message where user_id = $1),
        (select count(*) from notifications.delivery), (select count(*) from notifications.attempt)";
    let left: (i64, i64, i64) =
        sqlx::query_as(statement).bind(ada.user.0).fetch_one(&mut world.test.owner().await).await.unwrap();
    assert_eq!(left, (0, 1, 1), "Bob's alone");
}

#[tokio::test]
async fn an_event_that_cannot_be_read_stops_the_feed_and_is_not_lost() {
    use platform::events::Handle as _;
    let world = World::start().await;
    let ada = world.person("Ada");
    let mut event =
        envelope(ada.organization, &BookingConfirmed { before: None, booking: booking(&ada), reason: None });
    event.data = serde_json::json!({ "nothing": true });
    let mut tx = world.test.context.db.begin(ada.organization).await.unwrap();
    let listener = notifications::on::Listener { app: world.app.clone() };
    assert_eq!(listener.handle(&mut tx, &event).await.unwrap_err().code, "internal");
}
