//! What was sent in some days, what failed, and how long it took.

use jiff::SignedDuration;
use kernel::{OrganizationId, Role};
use serde_json::{Value, json};
use testkit::Person;

use crate::deliver::tell;
use crate::world::World;

async fn statistics(world: &World, admin: &Person, query: &str) -> Vec<Value> {
    let path = format!("/api/v1/notification-statistics?{query}");
    let answer = world.test.call_as(admin, "GET", &path).send().await.expect(200).json();
    answer["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn what_was_sent_is_counted_by_kind_and_day() {
    let world = World::start().await;
    let (ada, bob, admin) = (world.person("Ada"), world.person("Bob"), world.test.person(Role::Admin));
    tell(&world, &ada).await;
    tell(&world, &bob).await;
    world.test.clock.advance(SignedDuration::from_secs(4));
    assert_eq!(world.deliver().await, 2);
    let removed = world.test.person(Role::User);
    tell(&world, &removed).await;
    assert_eq!(world.deliver().await, 1);
    world.wait_for_retry();
    tell(&world, &ada).await;
    let row = |day: Value, counts: [i64; 4], seconds: Value| {
        json!({ "day": day, "channel": "outbox", "kind": "booking_confirmed", "queued": counts[0],
                "sent": counts[1], "failed": counts[2], "waiting": counts[3],
                "delivered": 0, "opened": 0, "undelivered": 0, "bounced": 0, "complained": 0,
                "median_seconds": seconds, "p95_seconds": seconds })
    };
    let both = "from=2026-03-02&to=2026-03-04";
    assert_eq!(statistics(&world, &admin, both).await, [row(Value::Null, [4, 2, 1, 1], json!(4.0))]);
    assert_eq!(
        statistics(&world, &admin, &format!("{both}&by_day=true")).await,
        [
            row(json!("2026-03-02"), [3, 2, 1, 0], json!(4.0)),
            row(json!("2026-03-03"), [1, 0, 0, 1], Value::Null)
        ]
    );
    let stranger = Person::new(OrganizationId::mint(), Role::Admin);
    assert!(statistics(&world, &stranger, both).await.is_empty());
    for (wrong, status, code) in [
        ("from=2026-03-02&to=2026-03-02", 422, "invalid_input"),
        ("from=2026-03-02&to=2026-06-03", 422, "invalid_input"),
        ("from=2026-03-02", 400, "invalid_query"),
    ] {
        let path = format!("/api/v1/notification-statistics?{wrong}");
        world.test.call_as(&admin, "GET", &path).send().await.problem(status, code);
    }
}
