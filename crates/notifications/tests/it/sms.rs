//! Short messages: a number that is proved, then Twilio or Amazon SNS.

use jiff::SignedDuration;
use serde_json::{Value, json};
use testkit::{Aws, Person, Played, Vendors};

use crate::deliver::tell;
use crate::vendors::pair;
use crate::world::World;

const PHONE: &str = "/api/v1/notification-phone";

pub fn twilio_url(vendors: &Played) -> platform::config::Secret {
    let [account, token, url] = ["account", "token", "url"].map(|name| vendors.text(name));
    format!("twilio://{account}:{token}@api.twilio.com?from=%2B351210000000&endpoint={url}").into()
}

/// Asks for a code, and gives it as it came.
async fn code(world: &World, vendors: &mut Played, person: &Person) -> String {
    let number = json!({ "number": "+351 912 345 678" });
    let made = world.test.call_as(person, "PUT", PHONE).json(number).send().await.expect(202).json();
    assert_eq!(made, json!({ "number": "+351912345678", "is_verified": false }));
    let got = vendors.got().await;
    assert_eq!((got.len(), &got[0]["To"]), (1, &"+351912345678".into()));
    assert!(got[0].get("StatusCallback").is_none(), "nobody waits for what becomes of a code");
    got[0]["Body"].as_str().unwrap().chars().take(6).collect()
}

/// Proves a number and asks for short messages of what is confirmed.
pub async fn wants(world: &World, vendors: &mut Played, person: &Person) {
    let code = json!({ "code": code(world, vendors, person).await });
    let path = format!("{PHONE}/verify");
    world.test.call_as(person, "POST", &path).json(code).send().await.expect(200);
    choose(world, person).await;
}

async fn choose(world: &World, person: &Person) {
    let items = json!([{ "kind": "booking_confirmed", "channel": "sms", "is_wanted": true },
                       { "kind": "booking_confirmed", "channel": "email", "is_wanted": false }]);
    let wishes = json!({ "items": items });
    world
        .test
        .call_as(person, "PUT", "/api/v1/notification-preferences")
        .json(wishes)
        .send()
        .await
        .expect(200);
}

#[tokio::test]
async fn who_wants_them_gets_short_messages_once_their_number_is_proved() {
    let mut vendors = Vendors::start().await;
    let world = World::with(|config| config.sms_url = twilio_url(&vendors)).await;
    let (ada, bob) = (world.person("Ada"), world.person("Bob"));
    choose(&world, &ada).await;
    tell(&world, &ada).await;
    assert_eq!(world.text().await, 0, "there is no number");
    let right = code(&world, &mut vendors, &ada).await;
    tell(&world, &ada).await;
    assert_eq!(world.text().await, 0, "it is not proved");
    let verify = async |person: &Person, code: &str| {
        let path = format!("{PHONE}/verify");
        world.test.call_as(person, "POST", &path).json(json!({ "code": code })).send().await
    };
    verify(&bob, &right).await.problem(404, "not_found");
    let wrong = if right == "000000" { "000001" } else { "000000" };
    verify(&ada, wrong).await.problem(422, "invalid_input");
    let proved = verify(&ada, &right).await.expect(200).json();
    assert_eq!(proved["is_verified"], true);
    verify(&ada, &right).await.problem(422, "invalid_input");
    world.moves_to(&ada, "pt-PT", "Europe/Lisbon");
    tell(&world, &ada).await;
    tell(&world, &bob).await;
    assert_eq!(world.text().await, 1);
    let got = vendors.got().await;
    assert_eq!((&got[0]["To"], &got[0]["From"]), (&"+351912345678".into(), &"+351210000000".into()));
    let body = got[0]["Body"].as_str().unwrap();
    assert!(
        body.starts_with("Lab: Reserva confirmada. Blue Room") && body.ends_with("(R7K2-M9QD)"),
        "{body}"
    );
    let told = world.notifications(&ada).await;
    let sent = &told[0]["deliveries"][0];
    assert_eq!((&sent["channel"], &sent["status"]), (&"sms".into(), &"sent".into()));
    // The same number again needs no code; without it nothing is sent.
    let same = world.test.call_as(&ada, "PUT", PHONE).json(json!({ "number": "+351912345678" })).send().await;
    same.expect(200);
    tell(&world, &ada).await;
    world.test.call_as(&ada, "DELETE", PHONE).send().await.expect(204);
    world.test.call_as(&ada, "GET", PHONE).send().await.problem(404, "not_found");
    assert_eq!(world.text().await, 1);
    assert_eq!(world.notifications(&ada).await[0]["deliveries"][0]["status"], "failed");
    assert!(vendors.got().await.is_empty());
}

#[tokio::test]
async fn codes_run_out_and_are_counted_whatever_is_done_with_the_number() {
    let mut vendors = Vendors::start().await;
    let world = World::with(|config| config.sms_url = twilio_url(&vendors)).await;
    let ada = world.person("Ada");
    let path = format!("{PHONE}/verify");
    let tries = async |code: &str| {
        world.test.call_as(&ada, "POST", &path).json(json!({ "code": code })).send().await.status.as_u16()
    };
    let first = code(&world, &mut vendors, &ada).await;
    world.test.clock.advance(SignedDuration::from_mins(10));
    assert_eq!(tries(&first).await, 422, "too old");
    let second = code(&world, &mut vendors, &ada).await;
    let wrong = if second == "000000" { "000001" } else { "000000" };
    for _ in 0..5 {
        assert_eq!(tries(wrong).await, 422);
    }
    assert_eq!(tries(&second).await, 422, "tried too often");
    world.test.call_as(&ada, "DELETE", PHONE).send().await.expect(204);
    let third = code(&world, &mut vendors, &ada).await;
    world.test.call_as(&ada, "DELETE", PHONE).send().await.expect(204);
    let number = json!({ "number": "+351912345678" });
    let again = || world.test.call_as(&ada, "PUT", PHONE).json(number.clone()).send();
    again().await.problem(409, "too_many_codes");
    assert!(vendors.got().await.is_empty() && third.len() == 6);
    world.test.clock.advance(SignedDuration::from_hours(1));
    again().await.expect(202);
    let none = world.test.call_as(&ada, "PUT", PHONE).json(json!({ "number": "912345678" })).send().await;
    none.problem(422, "invalid_input");
}

#[tokio::test]
async fn what_twilio_says_decides_what_follows() {
    let mut vendors = Vendors::start().await;
    let world = World::with(|config| config.sms_url = twilio_url(&vendors)).await;
    let ada = world.person("Ada");
    wants(&world, &mut vendors, &ada).await;
    let said = |code: u32| json!({ "code": code, "message": "+351912345678 is none", "status": 400 });
    for (status, body, state, outcome) in [
        (400, said(21614), "failed", "no_such_address"),
        (400, said(21610), "failed", "permanent"),
        (400, said(21606), "queued", "away"),
        (401, said(20003), "queued", "away"),
        (500, Value::Null, "queued", "away"),
        (429, said(20429), "queued", "passing"),
    ] {
        Vendors::answer(&mut vendors, status, json!({}), body).await;
        tell(&world, &ada).await;
        assert_eq!(world.text().await, 1, "{status}");
        let made = &world.notifications(&ada).await[0]["deliveries"][0];
        assert_eq!(made["status"], state, "{status} {made}");
        assert!(!made["error"].as_str().unwrap().contains("912345678"), "{made}");
        let last: String = sqlx::query_scalar(
            "select outcome from notifications.attempt order by attempted_at desc limit 1",
        )
        .fetch_one(&mut world.test.owner().await)
        .await
        .unwrap();
        assert_eq!(last, outcome);
        world.test.clock.advance(SignedDuration::from_secs(1));
    }
}

#[tokio::test]
async fn sns_takes_what_twilio_does_not() {
    let mut vendors = Vendors::start().await;
    let aws = Aws::find();
    let sns =
        format!("sns://{}@{}?sender_id=RESERVAS&endpoint={}", aws.user(&aws.secret), aws.region, aws.url);
    let world = World::with(|config| {
        (config.sms_url, config.second_sms_url) = (twilio_url(&vendors), sns.into());
    })
    .await;
    let ada = world.person("Ada");
    wants(&world, &mut vendors, &ada).await;
    Vendors::answer(&mut vendors, 503, json!({}), Value::Null).await;
    tell(&world, &ada).await;
    assert_eq!(world.text().await, 1);
    assert_eq!(
        crate::providers::tried_all(&world, "sms").await,
        [("second_sns", "sent"), ("twilio", "away")].map(pair)
    );
    let sent = aws.sent().await;
    let texts = sent["messages"].as_array().unwrap();
    let ours =
        |text: &&Value| text["to"] == "+351912345678" && text["text"].as_str().unwrap().contains("R7K2-M9QD");
    assert!(texts.iter().any(|text| ours(&text)), "{sent}");
}

#[tokio::test]
async fn without_a_provider_nobody_has_a_number() {
    let world = World::start().await;
    let ada = world.person("Ada");
    let refused =
        world.test.call_as(&ada, "PUT", PHONE).json(json!({ "number": "+351912345678" })).send().await;
    refused.problem(422, "invalid_input");
    choose(&world, &ada).await;
    tell(&world, &ada).await;
    assert_eq!(world.text().await, 0);
}
