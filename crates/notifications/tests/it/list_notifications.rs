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

#[tokio::test]
async fn what_was_seen_is_read_and_what_came_later_is_not() {
    let world = World::start().await;
    let (ada, bob) = (world.person("Ada"), world.person("Bob"));
    for _ in 0..3 {
        tell(&world, &ada).await;
    }
    tell(&world, &bob).await;
    let count = async |person: &Person| {
        let unread = world.test.call_as(person, "GET", "/api/v1/notifications/unread").send().await;
        unread.expect(200).json()["count"].clone()
    };
    assert_eq!(count(&ada).await, 3);
    let messages = world.notifications(&ada).await;
    assert!(messages.iter().all(|message| message["read_at"].is_null()));
    let seen = serde_json::json!({ "until": messages[1]["id"] });
    for _ in 0..2 {
        let read =
            world.test.call_as(&ada, "POST", "/api/v1/notifications/read").json(seen.clone()).send().await;
        assert_eq!(read.expect(200).json()["count"], 1);
    }
    let read: Vec<_> =
        world.notifications(&ada).await.iter().map(|message| message["read_at"].is_string()).collect();
    assert_eq!(read, [false, true, true]);
    // Nobody marks what is another's, whatever id they name.
    let read = world.test.call_as(&ada, "POST", "/api/v1/notifications/read");
    let newest = serde_json::json!({ "until": "ffffffff-ffff-7fff-bfff-ffffffffffff" });
    assert_eq!(read.json(newest).send().await.expect(200).json()["count"], 0);
    assert_eq!(count(&bob).await, 1);
    let wrong = world.test.call_as(&ada, "POST", "/api/v1/notifications/read");
    wrong.json(serde_json::json!({})).send().await.problem(422, "invalid_input");
}
