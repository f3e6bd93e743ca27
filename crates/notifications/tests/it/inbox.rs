//! An inbox that is open: told what comes to its owner, resumed without a gap.

use contracts::bookings::{BookingCancelled, BookingConfirmed};
use jiff::SignedDuration;
use kernel::OrganizationId;
use testkit::{EventStream, Person};

use crate::world::{World, booking, envelope};

async fn cancel(world: &World, person: &Person) {
    let event = BookingCancelled { before: None, booking: booking(person), reason: None };
    world.hear(&envelope(person.organization, &event)).await;
}

async fn confirm(world: &World, person: &Person) {
    let event = BookingConfirmed { before: None, booking: booking(person), reason: None };
    world.hear(&envelope(person.organization, &event)).await;
}

#[tokio::test]
async fn a_person_is_told_as_it_comes_and_nobody_else_is() {
    let world = World::start().await;
    let url = format!("{}/api/v1/notifications/live", world.test.serve().await);
    let (ada, bob) = (world.person("Ada"), world.person("Bob"));
    let stranger = Person { organization: OrganizationId::mint(), ..ada.clone() };
    world.introduce(&stranger, "Stranger");
    confirm(&world, &ada).await;
    let mut adas = EventStream::open(&world.test, &ada, &url, None).await;
    let mut strangers = EventStream::open(&world.test, &stranger, &url, None).await;
    adas.expect("ready").await;
    strangers.expect("ready").await;
    confirm(&world, &bob).await;
    cancel(&world, &ada).await;
    let mut told = adas.expect("notification").await;
    if told.data["kind"] == "booking_confirmed" {
        // What was committed a moment before, while an older transaction was open anywhere, counts as new.
        told = adas.expect("notification").await;
    }
    assert_eq!(told.data["kind"], "booking_cancelled", "what was there before is not told");
    let list = world.notifications(&ada).await;
    for field in ["id", "booking_id", "reference", "subject", "created_at"] {
        assert_eq!(told.data[field], list[0][field], "{field}");
    }
    confirm(&world, &stranger).await;
    assert_eq!(strangers.expect("notification").await.data["kind"], "booking_confirmed");
    // What comes while nobody looks is told first, in its order.
    drop(adas);
    confirm(&world, &ada).await;
    cancel(&world, &ada).await;
    let mut again = EventStream::open(&world.test, &ada, &url, Some(&told.id)).await;
    assert_eq!(again.expect("ready").await.id, told.id);
    assert_eq!(again.expect("notification").await.data["kind"], "booking_confirmed");
    assert_eq!(again.expect("notification").await.data["kind"], "booking_cancelled");
    confirm(&world, &ada).await;
    assert_eq!(again.expect("notification").await.data["kind"], "booking_confirmed");
}

#[tokio::test]
async fn who_missed_too_much_loads_anew_and_what_is_no_place_is_refused() {
    let world = World::start().await;
    let url = format!("{}/api/v1/notifications/live", world.test.serve().await);
    let ada = world.person("Ada");
    confirm(&world, &ada).await;
    for _ in 0..201 {
        confirm(&world, &ada).await;
    }
    let first = "0_0198c6a0-0000-7000-8000-000000000001";
    let mut stream = EventStream::open(&world.test, &ada, &url, Some(first)).await;
    stream.expect("reset").await;
    cancel(&world, &ada).await;
    assert_eq!(stream.expect("notification").await.data["kind"], "booking_cancelled");
    let path = "/api/v1/notifications/live";
    for wrong in ["7", "x_y", "1-2"] {
        let call = world.test.call_as(&ada, "GET", path).header("last-event-id", wrong);
        call.send().await.problem(400, "invalid_cursor");
    }
}

#[tokio::test]
async fn it_ends_with_its_token_and_ten_are_enough_for_one() {
    let world = World::start().await;
    let url = format!("{}/api/v1/notifications/live", world.test.serve().await);
    let ada = world.person("Ada");
    let mut streams = Vec::new();
    for _ in 0..10 {
        streams.push(EventStream::open(&world.test, &ada, &url, None).await);
    }
    let call = world.test.call_as(&ada, "GET", "/api/v1/notifications/live");
    call.send().await.problem(429, "too_many_streams");
    let bob = world.person("Bob");
    let token = world.test.issuer.token(&bob);
    world.test.clock.advance(SignedDuration::from_millis(899_500));
    let mut ending = EventStream::with_token(&world.test, &token, &url, None).await;
    ending.expect("ready").await;
    assert!(ending.next().await.is_none(), "its token has expired");
    world.test.context.shutdown.cancel();
    streams[0].expect("ready").await;
    assert!(streams[0].next().await.is_none(), "the process stops");
}
