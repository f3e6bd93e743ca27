//! Mails about accounts: written by the user service when they are sent, once, with nothing of them kept here.

use contracts::users::{Branding, Letter, LetterKind, LetterRequested};
use kernel::{LetterId, Role};

use crate::world::{World, envelope};

fn requested(letter_id: LetterId) -> LetterRequested {
    LetterRequested { letter_id, kind: LetterKind::EmailVerification, user_id: None }
}

fn letter() -> Letter {
    Letter {
        kind: LetterKind::EmailVerification,
        email: "ada@example.com".parse().unwrap(),
        name: "Ada".into(),
        locale: "en".into(),
        organization: "Lab".into(),
        branding: Branding { primary: "#006699".into(), accent: "#ffffff".into() },
        token: Some("the-token".into()),
        expires_at: "2026-03-04T08:00:00Z".parse().unwrap(),
    }
}

/// Every row of every table, as text.
async fn everything(world: &World) -> String {
    let statement = "select coalesce(string_agg(query_to_xml(format('select * from notifications.%I', relname), true, true, '')::text, ''), '')
                     from pg_class where relnamespace = 'notifications'::regnamespace and relkind = 'r'";
    sqlx::query_scalar(statement).fetch_one(&mut world.test.owner().await).await.unwrap()
}

#[tokio::test]
async fn a_letter_is_sent_once_and_not_kept() {
    let world = World::start().await;
    let id = LetterId::mint();
    world.known.lock().unwrap().letters.insert(id, letter());
    let event = envelope(world.test.organization, &requested(id));
    world.hear(&event).await;
    world.hear(&event).await;
    assert_eq!((world.deliver().await, world.deliver().await), (1, 0));
    let days = std::fs::read_dir(world.folder.path()).unwrap();
    let mails: Vec<_> = days
        .flat_map(|day| std::fs::read_dir(day.unwrap().path()).unwrap())
        .map(|file| file.unwrap().path())
        .collect();
    assert_eq!(mails.len(), 1);
    let mail = std::fs::read_to_string(&mails[0]).unwrap();
    assert!(
        mail.contains("Subject: Lab: Verify your e-mail address") && mail.contains("the-token"),
        "{mail}"
    );
    let kept = everything(&world).await;
    assert!(
        kept.contains("sent") && !kept.contains("the-token") && !kept.contains("ada@example.com"),
        "{kept}"
    );
    let ada = world.test.person(Role::User);
    assert!(world.notifications(&ada).await.is_empty());
}

#[tokio::test]
async fn a_letter_that_is_of_no_more_use_is_given_up() {
    let world = World::start().await;
    world.hear(&envelope(world.test.organization, &requested(LetterId::mint()))).await;
    assert_eq!(world.deliver().await, 1);
    world.wait_for_retry();
    assert_eq!(world.deliver().await, 0);
    assert!(everything(&world).await.contains("of no more use"));
}

#[tokio::test]
async fn letters_are_not_among_the_notifications_of_their_addressee() {
    let world = World::start().await;
    let ada = world.test.person(Role::User);
    let told = LetterRequested { user_id: Some(ada.user), ..requested(LetterId::mint()) };
    world.hear(&envelope(world.test.organization, &told)).await;
    assert!(everything(&world).await.contains("<kind>letter</kind>"));
    assert!(world.notifications(&ada).await.is_empty());
    let unread = world.test.call_as(&ada, "GET", "/api/v1/notifications/unread").send().await;
    assert_eq!(unread.expect(200).json()["count"], 0);
}
