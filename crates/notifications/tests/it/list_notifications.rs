//! `GET /api/v1/notifications`.

use contracts::bookings::BookingConfirmed;
use kernel::{OrganizationId, Role};
use testkit::Person;

use crate::world::{World, booking, envelope};

async fn tell(world: &World, person: &Person) {
    let event = BookingConfirmed { before: None, booking: booking(person), reason: None };
    world.hear(&envelope(person.organization, &event)).await;
}

#[tokio::test]
async fn a_person_sees_their_own_messages_only() {
    let world = World::start().await;
    let (ada, bob) = (world.person("Ada"), world.person("Bob"));
    let stranger = Person { organization: OrganizationId::mint(), ..ada.clone() };
    tell(&world, &ada).await;
    assert_eq!(world.notifications(&ada).await.len(), 1);
    assert_eq!(world.notifications(&bob).await.len(), 0);
    assert_eq!(world.notifications(&world.test.person(Role::Admin)).await.len(), 0);
    // The same user id in another organization is someone else.
    assert_eq!(world.notifications(&stranger).await.len(), 0);
}

#[tokio::test]
async fn pages_are_newest_first_and_whole() {
    let world = World::start().await;
    let ada = world.person("Ada");
    for _ in 0..5 {
        tell(&world, &ada).await;
    }
    let all: Vec<_> = world.notifications(&ada).await.iter().map(|item| item["id"].to_string()).collect();
    assert!(all.is_sorted_by(|newer, older| newer > older), "{all:?}");

    let mut seen = Vec::new();
    let mut path = "/api/v1/notifications?limit=2".to_owned();
    loop {
        let page = world.test.call_as(&ada, "GET", &path).send().await.expect(200).json();
        seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["id"].to_string()));
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("/api/v1/notifications?limit=2&cursor={cursor}");
    }
    assert_eq!(seen, all);
}

#[tokio::test]
async fn what_is_refused() {
    let world = World::start().await;
    let ada = world.person("Ada");
    world.test.call("GET", "/api/v1/notifications").send().await.problem(401, "token_required");
    for (query, status, code) in [
        ("limit=0", 422, "invalid_input"),
        ("cursor=x", 400, "invalid_cursor"),
        ("user=1", 400, "invalid_query"),
    ] {
        let path = format!("/api/v1/notifications?{query}");
        world.test.call_as(&ada, "GET", &path).send().await.problem(status, code);
    }
}
