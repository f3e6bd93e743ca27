//! What people want to be told by which way, when not, and the link by which they say so.

use contracts::bookings::BookingCancelled;
use jiff::SignedDuration;
use kernel::{OrganizationId, Role};
use mail_parser::MessageParser;
use serde_json::{Value, json};
use testkit::Person;

use crate::deliver::tell;
use crate::outbox::{files, only_file};
use crate::world::{World, booking, envelope};

const MINE: &str = "/api/v1/notification-preferences";
const RULES: &str = "/api/v1/notification-rules";

async fn put(world: &World, person: &Person, path: &str, body: Value) -> testkit::Reply {
    world.test.call_as(person, "PUT", path).json(body).send().await
}

fn confirmed(is_wanted: bool) -> Value {
    json!({ "items": [{ "kind": "booking_confirmed", "is_wanted": is_wanted }] })
}

async fn cancel(world: &World, person: &Person) {
    let event = BookingCancelled { before: None, booking: booking(person), reason: None };
    world.hear(&envelope(person.organization, &event)).await;
}

#[tokio::test]
async fn what_is_not_wanted_is_listed_and_not_mailed() {
    let world = World::start().await;
    let (ada, bob) = (world.person("Ada"), world.person("Bob"));
    let made = put(&world, &ada, MINE, confirmed(false)).await.expect(200).json();
    assert_eq!(
        made["items"][0],
        json!({ "kind": "booking_confirmed", "channel": "email", "is_wanted": false, "is_fixed": false })
    );
    tell(&world, &ada).await;
    tell(&world, &bob).await;
    cancel(&world, &ada).await;
    assert_eq!(world.deliver().await, 2);
    let told = world.notifications(&ada).await;
    assert_eq!(told.len(), 2);
    assert_eq!(told[1]["deliveries"], json!([]));
    // The same person elsewhere is someone else.
    let stranger = Person { organization: OrganizationId::mint(), ..ada.clone() };
    let theirs = world.test.call_as(&stranger, "GET", MINE).send().await.expect(200).json();
    assert_eq!(theirs["items"][0]["is_wanted"], true);
    for (wrong, pointer) in [
        (json!({ "items": [{ "kind": "password_changed", "is_wanted": false }] }), "/items/0/kind"),
        (json!({ "items": [], "quiet_hours": { "from": "08:00", "until": "08:00" } }), "/quiet_hours"),
    ] {
        let problem = put(&world, &ada, MINE, wrong).await.problem(422, "invalid_input");
        assert_eq!(problem["errors"][0]["pointer"], pointer);
    }
}

#[tokio::test]
async fn an_organizations_rules_hold_for_who_said_nothing_and_fixed_ones_for_all() {
    let world = World::start().await;
    let (ada, bob, admin) = (world.person("Ada"), world.person("Bob"), world.test.person(Role::Admin));
    let rule = |is_wanted: bool, is_fixed: bool| json!({ "items": [{ "kind": "booking_confirmed", "is_wanted": is_wanted, "is_fixed": is_fixed }] });
    put(&world, &ada, RULES, rule(true, true)).await.problem(403, "permission_required");
    put(&world, &admin, RULES, rule(false, false)).await.expect(200);
    put(&world, &ada, MINE, confirmed(true)).await.expect(200);
    tell(&world, &ada).await;
    tell(&world, &bob).await;
    assert_eq!(world.deliver().await, 1);
    put(&world, &admin, RULES, rule(false, true)).await.expect(200);
    tell(&world, &ada).await;
    assert_eq!(world.deliver().await, 0);
    put(&world, &ada, MINE, confirmed(false)).await.expect(200);
    put(&world, &admin, RULES, rule(true, true)).await.expect(200);
    tell(&world, &ada).await;
    assert_eq!(world.deliver().await, 1, "what is fixed cannot be switched off");
    let linked = files(&world)
        .iter()
        .filter(|bytes| String::from_utf8_lossy(bytes).contains("List-Unsubscribe"))
        .count();
    assert_eq!((files(&world).len(), linked), (2, 1), "and no link says that it could");
    let stranger = Person::new(OrganizationId::mint(), Role::Admin);
    let theirs = world.test.call_as(&stranger, "GET", RULES).send().await.expect(200).json();
    assert_eq!(theirs["items"], json!([]));
}

#[tokio::test]
async fn quiet_hours_put_mails_off_unless_they_are_urgent() {
    // The test's clock stands at 08:00 in Lisbon, six hours before the booking.
    let world = World::start().await;
    let ada = world.person("Ada");
    let quiet = json!({ "items": [], "quiet_hours": { "from": "22:00", "until": "09:00" } });
    let made = put(&world, &ada, MINE, quiet).await.expect(200).json();
    assert_eq!(made["quiet_hours"], json!({ "from": "22:00:00", "until": "09:00:00" }));
    tell(&world, &ada).await;
    cancel(&world, &ada).await;
    assert_eq!(world.deliver().await, 1);
    let told = world.notifications(&ada).await;
    assert_eq!(
        (&told[0]["kind"], &told[0]["deliveries"][0]["status"]),
        (&"booking_cancelled".into(), &"sent".into())
    );
    assert_eq!(
        (&told[1]["deliveries"][0]["status"], &told[1]["deliveries"][0]["attempts"]),
        (&"queued".into(), &0.into())
    );
    world.test.clock.advance(SignedDuration::from_mins(59));
    assert_eq!(world.deliver().await, 0);
    world.test.clock.advance(SignedDuration::from_mins(1));
    assert_eq!(world.deliver().await, 1);
    assert_eq!(files(&world).len(), 2);
}

#[tokio::test]
async fn one_click_ends_mails_of_a_kind() {
    let world = World::start().await;
    let ada = world.person("Ada");
    tell(&world, &ada).await;
    assert_eq!(world.deliver().await, 1);
    let bytes = only_file(&world);
    let mail = MessageParser::default().parse(&bytes).unwrap();
    assert_eq!(mail.header_raw("List-Unsubscribe-Post").unwrap().trim(), "List-Unsubscribe=One-Click");
    let link = mail.header_raw("List-Unsubscribe").unwrap().trim().to_owned();
    let path = link.trim_matches(['<', '>']).strip_prefix("https://rooms.example.edu").unwrap();
    let token = path.rsplit('/').next().unwrap();
    assert!(
        mail.body_text(0).unwrap().contains(&format!("https://rooms.example.edu/unsubscribe#token={token}"))
    );

    let click = async |path: &str| {
        let call = world.test.call("POST", path);
        call.body("application/x-www-form-urlencoded", "List-Unsubscribe=One-Click").send().await
    };
    let mut forged: Vec<char> = token.chars().collect();
    forged[50] = if forged[50] == 'A' { 'B' } else { 'A' };
    let forged: String = forged.into_iter().collect();
    click(&format!("/api/v1/unsubscribe/{forged}")).await.problem(404, "not_found");
    click("/api/v1/unsubscribe/x").await.problem(404, "not_found");
    let mine = world.test.call_as(&ada, "GET", MINE).send().await.expect(200).json();
    assert_eq!(mine["items"][0]["is_wanted"], true);
    for _ in 0..2 {
        click(path).await.expect(204);
    }
    let mine = world.test.call_as(&ada, "GET", MINE).send().await.expect(200).json();
    assert_eq!(
        (&mine["items"][0]["is_wanted"], &mine["items"][1]["is_wanted"]),
        (&false.into(), &true.into())
    );
    tell(&world, &ada).await;
    assert_eq!(world.deliver().await, 0);
}
