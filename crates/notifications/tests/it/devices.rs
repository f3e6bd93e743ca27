//! Devices: registered, moved, removed, sealed; what is no address of one; whose they are.

use contracts::users::UserRemoved;
use kernel::{OrganizationId, Role};
use notifications::personal_data::PARTS;
use notifications::push::vapid;
use platform::personal_data::collect;
use serde_json::{Value, json};
use testkit::{Person, Reply};

use crate::deliver::tell;
use crate::world::{World, envelope};

pub const DEVICES: &str = "/api/v1/devices";
const FORBIDDEN: [&str; 10] = [
    "https://127.0.0.1/push",
    "https://169.254.169.254/latest/meta-data",
    "https://[::1]/push",
    "https://[::ffff:10.0.0.1]/push",
    "https://2130706433/push",
    "https://0x7f.1/push",
    "https://[64:ff9b::7f00:1]/push",
    "http://push.example.com/x",
    "https://ada:geheim@push.example.com/x",
    "file:///etc/passwd",
];

pub async fn add(world: &World, person: &Person, device: Value) -> Reply {
    world.test.call_as(person, "POST", DEVICES).json(device).send().await
}

/// Registers a device that is new, and gives its id.
pub async fn added(world: &World, person: &Person, device: Value) -> String {
    let made = add(world, person, device).await.expect(201).json();
    made["id"].as_str().unwrap().to_owned()
}

pub async fn devices(world: &World, person: &Person) -> Vec<Value> {
    let list = world.test.call_as(person, "GET", DEVICES).send().await.expect(200).json();
    list["items"].as_array().unwrap().clone()
}

/// With browsers alone, and no network beside the public internet.
async fn browsers() -> World {
    World::with(|config| config.push.web_push_key = vapid::generate().unwrap()).await
}

/// A browser of a push service that nobody asks.
fn browser(number: u32) -> Value {
    let p256dh = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
    json!({ "name": "Firefox", "provider": "web_push", "p256dh": p256dh, "auth": "BTBZMqHH6r4Tts7J_aSIgg",
            "endpoint": format!("https://updates.push.services.mozilla.com/wpush/v2/secret-{number}") })
}

#[tokio::test]
async fn a_device_is_its_owners_alone_and_never_shows_its_address() {
    let world = browsers().await;
    let (ada, bob) = (world.person("Ada"), world.person("Bob"));
    let stranger = Person { organization: OrganizationId::mint(), ..ada.clone() };
    let key = world.test.call_as(&ada, "GET", "/api/v1/devices/web-push-key").send().await.expect(200).json();
    assert_eq!(key["public_key"].as_str().unwrap().len(), 87);
    let id = added(&world, &ada, browser(1)).await;
    let mine = devices(&world, &ada).await;
    assert_eq!(mine.len(), 1);
    assert_eq!((&mine[0]["name"], &mine[0]["provider"]), (&"Firefox".into(), &"web_push".into()));
    assert!(!mine[0].to_string().contains("secret"), "{}", mine[0]);
    // As it stands in the database, too.
    let row: String =
        sqlx::query_scalar("select device::text || encode(address, 'escape') from notifications.device")
            .fetch_one(&mut world.test.owner().await)
            .await
            .unwrap();
    assert!(!row.contains("secret") && !row.contains("mozilla"), "{row}");

    let path = format!("{DEVICES}/{id}");
    for other in [&bob, &stranger] {
        assert!(devices(&world, other).await.is_empty());
        world.test.call_as(other, "DELETE", &path).send().await.problem(404, "not_found");
    }
    let mut again = browser(1);
    again["name"] = "Work".into();
    let known = add(&world, &ada, again).await.expect(200).json();
    assert_eq!((&known["id"], &known["name"]), (&json!(id), &json!("Work")));
    world.test.call_as(&ada, "DELETE", &path).send().await.expect(204);
    world.test.call_as(&ada, "DELETE", &path).send().await.problem(404, "not_found");
    assert!(devices(&world, &ada).await.is_empty());
}

#[tokio::test]
async fn what_is_no_address_is_refused_with_every_field_named() {
    let world = browsers().await;
    let ada = world.person("Ada");
    let with = |changes: Value| {
        let mut device = browser(1);
        for (key, value) in changes.as_object().unwrap() {
            device[key] = value.clone();
        }
        device
    };
    let refused = async |device: Value| -> Vec<String> {
        let problem = add(&world, &ada, device).await.problem(422, "invalid_input");
        let errors = problem["errors"].as_array().unwrap().clone();
        errors.iter().map(|error| error["pointer"].as_str().unwrap().to_owned()).collect()
    };
    for endpoint in FORBIDDEN {
        assert_eq!(refused(with(json!({ "endpoint": endpoint }))).await, ["/endpoint"], "{endpoint}");
    }
    let all = json!({ "endpoint": "x", "p256dh": "AAAA", "auth": "AAAA" });
    assert_eq!(refused(with(all)).await, ["/endpoint", "/p256dh", "/auth"]);
    let no_point = format!("B{}", "A".repeat(86));
    assert_eq!(refused(with(json!({ "p256dh": no_point }))).await, ["/p256dh"]);
    let bare = json!({ "name": "x", "provider": "web_push", "token": "t" });
    assert_eq!(refused(bare).await, ["/token", "/endpoint", "/p256dh", "/auth"]);
    assert_eq!(refused(with(json!({ "name": "" }))).await, ["/name"]);
    let elsewhere = json!({ "name": "x", "provider": "fcm", "token": "t" });
    assert_eq!(refused(elsewhere).await, ["/provider"], "it is not set up");
    assert!(devices(&world, &ada).await.is_empty());
    let none = World::start().await;
    let bob = none.person("Bob");
    none.test.call_as(&bob, "GET", "/api/v1/devices/web-push-key").send().await.problem(404, "not_found");
}

#[tokio::test]
async fn a_person_has_twenty_devices_however_many_come_at_once() {
    let world = browsers().await;
    let ada = world.person("Ada");
    let many = futures_util::future::join_all((0..30).map(|number| add(&world, &ada, browser(number)))).await;
    assert_eq!(many.iter().filter(|reply| reply.status == 201).count(), 20);
    assert_eq!(devices(&world, &ada).await.len(), 20);
    let refused = many.into_iter().find(|reply| reply.status != 201).unwrap();
    refused.problem(409, "too_many_devices");
    // Of one that comes twice at once there is one.
    let bob = world.person("Bob");
    let twice = futures_util::future::join_all((0..8).map(|_| add(&world, &bob, browser(99)))).await;
    assert_eq!(twice.iter().filter(|reply| reply.status == 201).count(), 1);
    assert_eq!(devices(&world, &bob).await.len(), 1);
}

#[tokio::test]
async fn a_device_that_somebody_else_registers_is_theirs_and_gets_nothing_of_the_other() {
    let world = browsers().await;
    let (ada, bob) = (world.person("Ada"), world.person("Bob"));
    let first = added(&world, &ada, browser(1)).await;
    tell(&world, &ada).await;
    let second = added(&world, &bob, browser(1)).await;
    assert_ne!(first, second);
    assert!(devices(&world, &ada).await.is_empty());
    assert_eq!(devices(&world, &bob).await.len(), 1);
    assert_eq!(world.push().await, 1);
    let told = &world.notifications(&ada).await[0]["deliveries"][1];
    assert_eq!((&told["channel"], &told["status"]), (&"push".into(), &"failed".into()));
    assert_eq!(told["error"], "the device was removed");
    // In another organization the same browser is another device.
    let stranger = Person::new(OrganizationId::mint(), Role::User);
    added(&world, &stranger, browser(1)).await;
    assert_eq!(devices(&world, &bob).await.len(), 1);
    // Two who want it at the same moment: one of them has it in the end, and nothing fails.
    let both = [&ada, &bob, &ada, &bob].map(|person| add(&world, person, browser(7)));
    for reply in futures_util::future::join_all(both).await {
        assert!(matches!(reply.status.as_u16(), 200 | 201), "{}", reply.status);
    }
    assert_eq!(devices(&world, &ada).await.len() + devices(&world, &bob).await.len(), 2);
}

#[tokio::test]
async fn devices_are_given_away_without_their_addresses_and_go_with_the_person() {
    let world = browsers().await;
    let (ada, bob) = (world.person("Ada"), world.person("Bob"));
    added(&world, &ada, browser(1)).await;
    added(&world, &bob, browser(2)).await;
    let held = async |person: &Person| {
        let found = collect(&world.test.context.db, person.organization, person.user, PARTS).await.unwrap();
        serde_json::to_value(found.parts.unwrap()).unwrap()["devices"].clone()
    };
    let given = held(&ada).await;
    assert_eq!((&given[0]["name"], &given[0]["provider"]), (&"Firefox".into(), &"web_push".into()));
    assert!(
        given[0]["address"].is_null() && given[0]["digest"].is_null() && given.as_array().unwrap().len() == 1
    );
    world.hear(&envelope(ada.organization, &UserRemoved { user_id: ada.user })).await;
    assert_eq!(held(&ada).await, json!([]));
    assert_eq!(held(&bob).await.as_array().unwrap().len(), 1);
    // What comes late writes nothing anew.
    add(&world, &ada, browser(1)).await.problem(404, "not_found");
}
