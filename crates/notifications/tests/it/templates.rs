//! What mails look like: languages, zones, and the words of organizations.

use contracts::bookings::BookingConfirmed;
use kernel::{OrganizationId, Role};
use mail_parser::MessageParser;
use serde_json::{Value, json};
use testkit::Person;

use crate::deliver::tell;
use crate::outbox::{files, only_file};
use crate::world::{World, booking, envelope};

const PATH: &str = "/api/v1/message-templates/booking_confirmed.pt";

fn forms() -> Value {
    json!({
        "subject": "{{ reference }} {{ places | length | plural('sala', 'salas') }}",
        "text": "{{ greeting }}\n{% for place in places %}{{ place.name }}{% endfor %}",
        "html": "<p>{{ greeting }}</p><p>{{ title | default('-') }}</p>",
    })
}

async fn put(world: &World, person: &Person, forms: Value) -> testkit::Reply {
    world.test.call_as(person, "PUT", PATH).json(forms).send().await
}

#[tokio::test]
async fn a_mail_is_in_the_readers_language_and_zone() {
    let world = World::start().await;
    let ada = world.person("Ada");
    world.moves_to(&ada, "pt-BR", "America/Sao_Paulo");
    tell(&world, &ada).await;
    assert_eq!(world.deliver().await, 1);
    let bytes = only_file(&world);
    let mail = MessageParser::default().parse(&bytes).unwrap();
    let when = "seg., 2 de mar. de 2026, 11:00–12:30 (America/Sao_Paulo)";
    assert_eq!(mail.subject(), Some(format!("Reserva confirmada: Blue Room, {when}").as_str()));
    let text = mail.body_text(0).unwrap();
    assert!(text.starts_with("Olá Ada,") && text.contains(&format!("Quando:  {when}")), "{text}");
    assert!(text.contains("14:00–15:30 (Europe/Lisbon)"), "the clock at the place, too: {text}");
    let html = mail.body_html(0).unwrap();
    assert!(html.contains("prefers-color-scheme: dark") && html.contains("Olá Ada,"), "{html}");
    assert!(html.contains("height:4px;background:#ffcc00"), "{html}");
}

#[tokio::test]
async fn an_organization_words_its_mails_anew_and_nobody_elses() {
    let world = World::start().await;
    let (ada, admin) = (world.person("Ada <b>"), world.test.person(Role::Admin));
    let other = Person::new(OrganizationId::mint(), Role::User);
    world.introduce(&other, "Other");
    world.moves_to(&ada, "pt-PT", "Europe/Lisbon");
    world.moves_to(&other, "pt-PT", "Europe/Lisbon");
    put(&world, &ada, forms()).await.problem(403, "permission_required");
    put(&world, &admin, forms()).await.expect(200);
    tell(&world, &ada).await;
    tell(&world, &other).await;
    assert_eq!(world.deliver().await, 2);
    let mut subjects = Vec::new();
    for bytes in files(&world) {
        let mail = MessageParser::default().parse(&bytes).unwrap();
        let subject = mail.subject().unwrap().to_owned();
        if subject.starts_with("R7K2") {
            assert!(mail.body_html(0).unwrap().starts_with("<p>Olá Ada &lt;b&gt;,</p><p>-</p>"));
            assert_eq!(mail.body_text(0).unwrap().trim_end(), "Olá Ada <b>,\r\nBlue Room");
        }
        subjects.push(subject);
    }
    subjects.sort();
    assert_eq!(subjects[0], "R7K2-M9QD sala");
    assert!(subjects[1].starts_with("Reserva confirmada"));

    let list = world.test.call_as(&admin, "GET", "/api/v1/message-templates").send().await.expect(200).json();
    let own: Vec<_> =
        list["items"].as_array().unwrap().iter().filter(|item| item["is_own"] == true).collect();
    assert_eq!((own.len(), &own[0]["id"]), (1, &"booking_confirmed.pt".into()));
    assert_eq!(list["items"].as_array().unwrap().len(), 39);
    let stranger = Person::new(OrganizationId::mint(), Role::Admin);
    let theirs = world.test.call_as(&stranger, "GET", PATH).send().await.expect(200).json();
    assert_ne!(theirs, forms());
    assert_eq!(world.test.call_as(&admin, "GET", PATH).send().await.expect(200).json(), forms());
    world.test.call_as(&stranger, "DELETE", PATH).send().await.expect(204);
    assert_eq!(world.test.call_as(&admin, "GET", PATH).send().await.expect(200).json(), forms());
    world.test.call_as(&admin, "DELETE", PATH).send().await.expect(204);
    assert_eq!(world.test.call_as(&admin, "GET", PATH).send().await.expect(200).json(), theirs);
}

#[tokio::test]
async fn templates_are_tried_before_they_are_kept() {
    let world = World::start().await;
    let admin = world.test.person(Role::Admin);
    for (field, wrong) in [
        ("subject", "{{ nothing }}"),
        ("text", "{% set x = reference %}"),
        ("html", "{% for place in places %}"),
        ("html", "{{ reference ~ reference }}"),
    ] {
        let mut forms = forms();
        forms[field] = wrong.into();
        let problem = put(&world, &admin, forms).await.problem(422, "invalid_input");
        assert_eq!(problem["errors"][0]["pointer"], format!("/{field}"), "{problem}");
    }
    let preview = format!("{PATH}/preview");
    let made = world.test.call_as(&admin, "POST", &preview).json(forms()).send().await.expect(200).json();
    assert_eq!(made["subject"], "R7K2-M9QD sala");
    assert_eq!(made["html"], "<p>Olá Ada Lovelace,</p><p>Design review</p>");
    for path in ["/api/v1/message-templates/letter.en", "/api/v1/message-templates/booking_confirmed.de"] {
        world.test.call_as(&admin, "GET", path).send().await.problem(404, "not_found");
    }
}

#[tokio::test]
async fn a_template_that_fails_later_gives_way_to_ours() {
    let world = World::start().await;
    let (ada, admin) = (world.person("Ada"), world.test.person(Role::Admin));
    world.moves_to(&ada, "pt", "Europe/Lisbon");
    put(&world, &admin, forms()).await.expect(200);
    // As a version that knew another value would have kept it.
    let mut owner = world.test.owner().await;
    sqlx::query("update notifications.message_template set subject = '{{ gone }}'")
        .execute(&mut owner)
        .await
        .unwrap();
    let event = BookingConfirmed { before: None, booking: booking(&ada), reason: None };
    world.hear(&envelope(ada.organization, &event)).await;
    assert_eq!(world.deliver().await, 1);
    let bytes = only_file(&world);
    let mail = MessageParser::default().parse(&bytes).unwrap();
    assert!(mail.subject().unwrap().starts_with("Reserva confirmada"));
}

#[tokio::test]
async fn a_test_mail_goes_to_who_asks_for_it() {
    let world = World::start().await;
    let admin = world.test.person(Role::Admin);
    world.introduce(&admin, "Grace");
    let path = format!("{PATH}/test");
    let sent = world.test.call_as(&admin, "POST", &path).json(json!({})).send().await.expect(200).json();
    assert_eq!(sent["is_sent"], true);
    let bytes = only_file(&world);
    let mail = MessageParser::default().parse(&bytes).unwrap();
    assert_eq!(
        mail.to().unwrap().first().unwrap().address(),
        Some(format!("{}@example.com", admin.user).as_str())
    );
    assert!(mail.subject().unwrap().starts_with("Reserva confirmada: Blue Room"));
}
