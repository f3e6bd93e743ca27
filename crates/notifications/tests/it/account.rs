//! What people are told of their accounts: as mails, with links that are made when they are written.

use std::fs;

use contracts::users::{
    Account, PasswordResetRequested, SecondFactorChange, SecondFactorChanged, UserChanged, UserLocked,
};
use kernel::{Email, Event, PasswordResetId, Role};
use mail_parser::MessageParser;
use serde_json::Value;
use testkit::Person;

use crate::world::{World, envelope};

/// Each mail in the outbox, in no order.
fn outbox(world: &World) -> Vec<Vec<u8>> {
    let files = fs::read_dir(world.folder.path().join("2026-03-02")).unwrap();
    files.map(|file| fs::read(file.unwrap().path()).unwrap()).collect()
}

/// Subject and text of each.
fn mails(world: &World) -> Vec<(String, String)> {
    let read = |bytes: &Vec<u8>| {
        let mail = MessageParser::default().parse(bytes).unwrap();
        (mail.subject().unwrap().to_owned(), mail.body_text(0).unwrap().into_owned())
    };
    outbox(world).iter().map(read).collect()
}

async fn heard(world: &World, person: &Person, event: &impl Event) {
    world.hear(&envelope(person.organization, event)).await;
}

#[tokio::test]
async fn a_wish_for_a_new_password_becomes_a_mail_with_a_link() {
    let world = World::start().await;
    let ada = world.person("Ada");
    let reset_id = PasswordResetId::mint();
    world.known.lock().unwrap().resets.insert(reset_id, 0);
    heard(&world, &ada, &PasswordResetRequested { user_id: ada.user, reset_id }).await;
    assert_eq!(world.deliver().await, 1);
    let mails = mails(&world);
    let (subject, text) = &mails[0];
    assert_eq!(mails.len(), 1);
    assert_eq!(subject, "Lab: Set a new password");
    let link = "https://rooms.example.edu/reset-password#token=token-1";
    assert!(text.lines().any(|line| line == link), "{text}");
    // Nothing that opens the account is kept here.
    let kept: Vec<String> = sqlx::query_scalar("select data::text || subject from notifications.message")
        .fetch_all(&mut world.test.owner().await)
        .await
        .unwrap();
    assert!(!kept.concat().contains("token-1"));
    let told = world.notifications(&ada).await;
    assert_eq!(
        (&told[0]["kind"], &told[0]["booking_id"]),
        (&Value::from("password_reset_requested"), &Value::Null)
    );
}

#[tokio::test]
async fn a_wish_that_is_too_old_is_given_up() {
    let world = World::start().await;
    let ada = world.person("Ada");
    heard(&world, &ada, &PasswordResetRequested { user_id: ada.user, reset_id: PasswordResetId::mint() })
        .await;
    world.deliver().await;
    let delivery = &world.notifications(&ada).await[0]["deliveries"][0];
    assert_eq!(
        (&delivery["status"], &delivery["error"]),
        (&"failed".into(), &"the link is too old, or was used".into())
    );
}

#[tokio::test]
async fn owners_hear_of_locks_passwords_and_second_factors() {
    let world = World::start().await;
    let ada = world.person("Ada");
    let until = "2026-03-02T08:15:00Z".parse().unwrap();
    heard(&world, &ada, &UserLocked { user_id: ada.user, until, failures: 10 }).await;
    let account = Account { role: Role::User, active: true, version: 1, groups: [].into(), remit: None };
    for fields in [vec!["name".to_owned()], vec!["password".to_owned()]] {
        let (before, after) = (account.clone(), account.clone());
        heard(&world, &ada, &UserChanged { user_id: ada.user, before, after, fields }).await;
    }
    let change = SecondFactorChange::RecoveryCodeUsed;
    heard(&world, &ada, &SecondFactorChanged { user_id: ada.user, change }).await;
    assert_eq!(world.deliver().await, 3, "another name is no news");
    let mut subjects: Vec<_> = mails(&world).into_iter().map(|(subject, _)| subject).collect();
    subjects.sort_unstable();
    let expected = [
        "Lab: A recovery code was used",
        "Lab: Somebody tries to sign in with your account",
        "Lab: Your password was changed",
    ];
    assert_eq!(subjects, expected);
}

#[tokio::test]
async fn a_service_account_gets_no_mail() {
    let world = World::start().await;
    let ada = world.person("Displays");
    let nowhere: Email = "displays@service.invalid".parse().unwrap();
    world.known.lock().unwrap().contacts.get_mut(&ada.user).unwrap().email = nowhere;
    let change = SecondFactorChange::Enabled;
    heard(&world, &ada, &SecondFactorChanged { user_id: ada.user, change }).await;
    world.deliver().await;
    assert_eq!(
        world.notifications(&ada).await[0]["deliveries"][0]["error"],
        "a service account reads no mail"
    );
}

#[tokio::test]
async fn a_mail_speaks_the_readers_language_in_the_organizations_colours() {
    let world = World::start().await;
    let ada = world.person("<b>Ada</b>");
    world.moves_to(&ada, "es-MX", "America/Mexico_City");
    let until = "2026-03-02T08:15:00Z".parse().unwrap();
    heard(&world, &ada, &UserLocked { user_id: ada.user, until, failures: 10 }).await;
    assert_eq!(world.deliver().await, 1);
    let file = outbox(&world).pop().unwrap();
    let mail = MessageParser::default().parse(&file).unwrap();
    assert_eq!(mail.subject(), Some("Lab: Alguien intenta iniciar sesión con su cuenta"));
    let text = mail.body_text(0).unwrap();
    assert!(text.starts_with("Hola <b>Ada</b>,"), "{text}");
    assert!(text.contains("hasta lun, 2 mar 2026, 02:15 (America/Mexico_City)"), "{text}");
    let html = mail.body_html(0).unwrap();
    assert!(html.contains("<html lang=\"es\">") && html.contains("background:#ffcc00"), "{html}");
    assert!(html.contains("Hola &lt;b&gt;Ada&lt;&#x2f;b&gt;,"), "{html}");
}
