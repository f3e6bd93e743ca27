//! Secrets in the database: sealed, also those from before; of no use without the keys, which follow one another.

use kernel::Role;
use notifications::store::sealed::{SEALED, webhook_secret};
use platform::sealing::Keyring;
use platform::sealing::at_rest::{Resealed, Unready};
use platform::service::Context;
use serde_json::json;
use sqlx::Row as _;

use crate::world::World;

/// A webhook whose secret was replaced, and what stands of it in the database.
async fn rotated(world: &World) -> (kernel::WebhookId, Vec<u8>, Vec<u8>) {
    let admin = world.test.person(Role::Admin);
    let hook = json!({ "url": "https://hooks.example.com/" });
    let made =
        world.test.call_as(&admin, "POST", "/api/v1/webhooks").json(hook).send().await.expect(201).json();
    let path = format!("/api/v1/webhooks/{}/rotate-secret", made["id"].as_str().unwrap());
    world.test.call_as(&admin, "POST", &path).send().await.expect(200);
    let (new, old) = secrets(world).await;
    (made["id"].as_str().unwrap().parse().unwrap(), new, old)
}

async fn secrets(world: &World) -> (Vec<u8>, Vec<u8>) {
    let row = sqlx::query("select secret, old_secret from notifications.webhook");
    let row = row.fetch_one(&mut world.test.owner().await).await.unwrap();
    (row.get(0), row.get(1))
}

fn with(world: &World, keys: &[&platform::config::Secret]) -> Context {
    let text: Vec<_> = keys.iter().map(|key| key.expose()).collect();
    let keyring = Keyring::parse(&platform::config::Secret::from(text.join(","))).unwrap();
    Context { keyring, ..world.test.context.clone() }
}

#[tokio::test]
async fn one_key_follows_another_and_the_old_one_can_be_taken_away() {
    let world = World::start().await;
    SEALED.prepare(&world.test.context).await.unwrap();
    let (id, new, old) = rotated(&world).await;
    assert_ne!(new, old);
    let (next, first) = (Keyring::generate(), world.test.context.keyring.ids()[0].to_string());
    assert!(matches!(SEALED.reseal(&with(&world, &[&next])).await, Err(Unready::Keys(_))));
    let both = with(&world, &[&next, &world.test.sealing_key]);
    let done = SEALED.reseal(&both).await.unwrap();
    assert_eq!(done, Resealed { values: 2, retired: [first].into() });
    let alone = with(&world, &[&next]);
    let (new, _) = secrets(&world).await;
    let organization = world.test.organization;
    assert!(alone.keyring.open(&webhook_secret(organization, id), &new).is_ok());
    assert!(matches!(SEALED.prepare(&world.test.context).await, Err(Unready::Keys(_))));
}

#[tokio::test]
async fn what_stands_there_from_before_is_sealed_at_the_start_and_no_plain_one_can_be_written() {
    let world = World::start().await;
    let (id, _, _) = rotated(&world).await;
    let mut owner = world.test.owner().await;
    let plain = [7_u8; 32];
    let write = || sqlx::query("update notifications.webhook set secret = $1").bind(plain.as_slice());
    let refusal = write().execute(&mut owner).await.unwrap_err().to_string();
    assert!(refusal.contains("webhook_secret_is_sealed"), "{refusal}");
    let before = "alter table notifications.webhook drop constraint webhook_secret_is_sealed;
                  delete from notifications.sealing_key";
    sqlx::raw_sql(before).execute(&mut owner).await.unwrap();
    write().execute(&mut owner).await.unwrap();
    SEALED.prepare(&world.test.context).await.unwrap();
    let (sealed, _) = secrets(&world).await;
    let place = webhook_secret(world.test.organization, id);
    assert_eq!(world.test.context.keyring.open(&place, &sealed).unwrap().expose(), plain);
}
