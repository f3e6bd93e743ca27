//! All that is held about a person is given to them, and goes with them; nothing of others does.

use contracts::bookings::BookingConfirmed;
use contracts::users::UserRemoved;
use kernel::{OrganizationId, Role};
use notifications::jobs::webhooks::tell_due;
use notifications::personal_data::PARTS;
use notifications::store::preferences::{is_real, token};
use platform::personal_data::collect;
use serde_json::{Value, json};
use testkit::Person;

use crate::deliver::tell;
use crate::webhooks::{create, integrator, world};
use crate::world::{World, booking, envelope};

const MINE: &str = "/api/v1/notification-preferences";

async fn held(world: &World, person: &Person) -> Value {
    let found = collect(&world.test.context.db, person.organization, person.user, PARTS).await.unwrap();
    serde_json::to_value(found.parts.unwrap()).unwrap()
}

fn wishes() -> Value {
    json!({ "items": [{ "kind": "booking_moved", "is_wanted": false }],
            "quiet_hours": { "from": "01:00", "until": "02:00" } })
}

/// Each has wishes, a mail, an address that takes none, and a booking that an integrator was told of.
async fn fill(world: &World, people: [&Person; 2]) {
    for person in people {
        world.test.call_as(person, "PUT", MINE).json(wishes()).send().await.expect(200);
        tell(world, person).await;
        let suppressed =
            "insert into notifications.suppression (organization_id, id, digest, reason, user_id, created_at)
                          values ($1, gen_random_uuid(), $2, 'no_such_address', $3, now())";
        let query =
            sqlx::query(suppressed).bind(person.organization.0).bind(person.user.0.as_bytes().as_slice());
        query.bind(person.user.0).execute(&mut world.test.owner().await).await.unwrap();
    }
    assert_eq!(world.deliver().await, 2);
    assert_eq!(tell_due(&world.app).await.unwrap(), 2);
}

#[tokio::test]
async fn what_is_held_is_given_away_and_goes_with_the_person() {
    let world = world().await;
    let (ada, bob, admin) = (world.person("Ada"), world.person("Bob"), world.test.person(Role::Admin));
    let integrator = integrator(200).await;
    create(&world, &admin, json!({ "url": integrator.0 })).await;
    fill(&world, [&ada, &bob]).await;

    let before = held(&world, &ada).await;
    let parts = [
        "messages",
        "deliveries",
        "attempts",
        "preferences",
        "quiet_hours",
        "suppressions",
        "webhook_deliveries",
    ];
    for part in parts {
        assert_eq!(before[part].as_array().unwrap().len(), 1, "{part}");
    }
    assert!(!before.to_string().contains(&bob.user.to_string()));
    let elsewhere = Person { organization: OrganizationId::mint(), ..ada.clone() };
    let theirs = held(&world, &elsewhere).await;
    assert!(parts.iter().all(|part| theirs[part] == json!([])), "{theirs}");

    let mut tx = world.test.context.db.begin(ada.organization).await.unwrap();
    let key =
        token(&mut tx, ada.organization, ada.user, notifications::message::Kind::BookingMoved).await.unwrap();
    assert!(is_real(&mut tx, &key).await.unwrap());
    tx.commit().await.unwrap();
    let kept = held(&world, &bob).await;
    // An integrator is still told what waits for it.
    let waits = BookingConfirmed { before: None, booking: booking(&ada), reason: None };
    world.hear(&envelope(ada.organization, &waits)).await;
    world.hear(&envelope(ada.organization, &UserRemoved { user_id: ada.user })).await;
    let after = held(&world, &ada).await;
    for part in &parts[..6] {
        assert_eq!(after[part], json!([]), "{part}");
    }
    assert_eq!(after["webhook_deliveries"].as_array().unwrap().len(), 1);
    assert_eq!(after["webhook_deliveries"][0]["state"], "queued");
    assert_eq!(held(&world, &bob).await, kept);

    // What comes late writes nothing anew.
    world.test.call_as(&ada, "PUT", MINE).json(wishes()).send().await.problem(404, "not_found");
    let path = format!("/api/v1/unsubscribe/{}", key.write());
    let click = world.test.call("POST", &path);
    click
        .body("application/x-www-form-urlencoded", "List-Unsubscribe=One-Click")
        .send()
        .await
        .problem(404, "not_found");
    assert_eq!(held(&world, &ada).await["preferences"], json!([]));
}
