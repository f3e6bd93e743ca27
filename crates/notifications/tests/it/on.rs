//! What is told when an event is heard, and that nothing is told twice.

use contracts::bookings::{
    Booking, BookingApproved, BookingCancelled, BookingChanged, BookingCheckedIn, BookingCompleted,
    BookingConfirmed, BookingEscalated, BookingExpired, BookingFlagged, BookingHeld, BookingMoved,
    BookingNoShow, BookingReinstated, BookingRejected, BookingReminderDue, BookingRequested, BookingStatus,
    BookingTransferred,
};
use contracts::users::UserRemoved;
use kernel::{Event, Role, Slot, WaitlistEntryId};
use mail_parser::MessageParser;
use testkit::Person;
use uuid::Uuid;

use crate::outbox::only_file;
use crate::world::{World, booking, envelope};

#[tokio::test]
async fn an_event_heard_twice_is_told_once() {
    let world = World::start().await;
    let ada = world.person("Ada");
    let event = BookingConfirmed { before: None, booking: booking(&ada), reason: None };
    let event = envelope(ada.organization, &event);
    world.hear(&event).await;
    world.hear(&event).await;
    assert_eq!(world.deliver().await, 1);
    world.hear(&event).await;
    assert_eq!(world.deliver().await, 0);

    let told = world.notifications(&ada).await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["kind"], "booking_confirmed");
    assert_eq!(told[0]["reference"], "R7K2-M9QD");
    let subject = "Booking confirmed: Blue Room, Mon 2 Mar 2026, 14:00–15:30 (Europe/Lisbon)";
    assert_eq!(told[0]["subject"], subject);
    assert_eq!(told[0]["deliveries"][0]["status"], "sent");
}

#[tokio::test]
async fn each_step_of_a_booking_is_told_and_a_hold_is_not() {
    let world = World::start().await;
    let ada = world.person("Ada");
    let first = booking(&ada);
    let mut moved = first.clone();
    moved.version = 2;
    moved.slot =
        Slot::new("2026-03-03T10:00:00Z".parse().unwrap(), "2026-03-03T11:00:00Z".parse().unwrap()).unwrap();
    let organization = ada.organization;
    world
        .hear(&envelope(organization, &BookingHeld { before: None, booking: first.clone(), reason: None }))
        .await;
    world
        .hear(&envelope(
            organization,
            &BookingConfirmed { before: None, booking: first.clone(), reason: None },
        ))
        .await;
    let told = BookingMoved { before: Some(first), booking: moved.clone(), reason: None };
    world.hear(&envelope(organization, &told)).await;
    let told = BookingCancelled { before: None, booking: moved, reason: Some("ill".into()) };
    world.hear(&envelope(organization, &told)).await;

    let kinds: Vec<_> = world.notifications(&ada).await.iter().map(|told| told["kind"].clone()).collect();
    assert_eq!(kinds, ["booking_cancelled", "booking_moved", "booking_confirmed"]);
}

/// Hears of a change of a booking, and gives the kinds of what its owner was told by it.
async fn kinds<E: Event>(world: &World, ada: &Person, event: E) -> Vec<String> {
    let before = world.notifications(ada).await.len();
    world.hear(&envelope(ada.organization, &event)).await;
    let told = world.notifications(ada).await;
    let new = told.iter().take(told.len() - before);
    new.map(|told| told["kind"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_owner_hears_of_all_that_concerns_them() {
    let world = World::start().await;
    let ada = world.person("Ada");
    let plain = |status: BookingStatus| Booking { status, ..booking(&ada) };
    macro_rules! check {
        ($($event:ident of $before:ident to $after:ident tells $kinds:expr;)+) => {$(
            let before = Some(plain(BookingStatus::$before));
            let event = $event { before, booking: plain(BookingStatus::$after), reason: None };
            assert_eq!(kinds(&world, &ada, event).await, $kinds as [&str; _], stringify!($event));
        )+};
    }
    check! {
        BookingRequested of Held to Pending tells ["booking_requested"];
        BookingApproved of Pending to Pending tells [];
        BookingEscalated of Pending to Pending tells [];
        BookingRejected of Pending to Rejected tells ["booking_rejected"];
        BookingExpired of Pending to Expired tells ["booking_expired"];
        BookingExpired of Held to Expired tells [];
        BookingReminderDue of Confirmed to Confirmed tells ["booking_reminder"];
        BookingCheckedIn of Confirmed to CheckedIn tells [];
        BookingNoShow of Confirmed to NoShow tells ["booking_no_show"];
        BookingCompleted of CheckedIn to Completed tells ["booking_completed"];
        BookingFlagged of Confirmed to Confirmed tells ["booking_flagged"];
        BookingTransferred of Confirmed to Confirmed tells ["booking_transferred"];
        BookingReinstated of Cancelled to Confirmed tells ["booking_confirmed"];
        BookingReinstated of Cancelled to Pending tells ["booking_requested"];
        BookingChanged of Confirmed to Confirmed tells [];
    }
    // That it is over is told by mail to those alone who want it.
    let told = world.notifications(&ada).await;
    let silent = told.iter().filter(|told| told["deliveries"].as_array().unwrap().is_empty());
    assert_eq!(silent.map(|told| &told["kind"]).collect::<Vec<_>>(), ["booking_completed"]);
}

#[tokio::test]
async fn who_waits_hears_of_the_offer_and_how_long_it_stands() {
    let world = World::start().await;
    let ada = world.person("Ada");
    let offered = Booking {
        status: BookingStatus::Held,
        waitlist_entry_id: Some(WaitlistEntryId::mint()),
        expires_at: Some("2026-03-01T09:30:00Z".parse().unwrap()),
        ..booking(&ada)
    };
    let event = BookingHeld { before: None, booking: offered, reason: None };
    assert_eq!(kinds(&world, &ada, event).await, ["booking_offered"]);
    assert_eq!(world.deliver().await, 1);
    let mail = only_file(&world);
    let mail = MessageParser::default().parse(&mail).unwrap();
    let text = mail.body_text(0).unwrap();
    assert!(text.contains("It is held for you as R7K2-M9QD"), "{text}");
    assert!(text.contains("Until:   Sun 1 Mar 2026, 09:30"), "{text}");
    assert_eq!(mail.attachment_count(), 0, "nothing is for the calendar yet");
}

#[tokio::test]
async fn those_who_have_to_decide_are_asked() {
    let world = World::start().await;
    let (ada, bob, eve) = (world.person("Ada"), world.person("Bob"), world.person("Eve"));
    let asked =
        Booking { status: BookingStatus::Pending, approver_ids: vec![bob.user, eve.user], ..booking(&ada) };
    let event = BookingRequested { before: None, booking: asked.clone(), reason: None };
    assert_eq!(kinds(&world, &ada, event).await, ["booking_requested"]);
    for person in [&bob, &eve] {
        assert_eq!(world.notifications(person).await[0]["kind"], "booking_approval_needed");
    }
    // The next step is another's.
    let next = Booking { approver_ids: vec![eve.user], version: 2, ..asked };
    world
        .hear(&envelope(ada.organization, &BookingApproved { before: None, booking: next, reason: None }))
        .await;
    assert_eq!((world.notifications(&bob).await.len(), world.notifications(&eve).await.len()), (1, 2));
}

#[tokio::test]
async fn a_reminder_that_comes_too_late_is_not_sent() {
    let world = World::start().await;
    let ada = world.person("Ada");
    let remind = || BookingReminderDue { before: None, booking: booking(&ada), reason: None };
    world.hear(&envelope(ada.organization, &remind())).await;
    assert_eq!(world.deliver().await, 1);
    assert_eq!(world.notifications(&ada).await[0]["deliveries"][0]["status"], "sent");
    world.hear(&envelope(ada.organization, &remind())).await;
    world.test.clock.set("2026-03-02T14:00:00Z".parse().unwrap());
    assert_eq!(world.deliver().await, 1);
    let late = &world.notifications(&ada).await[0]["deliveries"][0];
    assert_eq!((&late["status"], &late["error"]), (&"failed".into(), &"the booking has begun".into()));
}

#[tokio::test]
async fn the_feed_is_read_and_its_cursor_kept_with_the_messages() {
    let world = World::start().await;
    let (ada, other) = (world.person("Ada"), Person::new(kernel::OrganizationId::mint(), Role::User));
    world.introduce(&other, "Other");
    let confirmed = |person: &Person, cursor: &str| {
        let event = BookingConfirmed { before: None, booking: booking(person), reason: None };
        platform::events::Envelope { cursor: cursor.into(), ..envelope(person.organization, &event) }
    };
    let batch = vec![confirmed(&ada, "7-1"), confirmed(&other, "7-2"), confirmed(&ada, "8-3")];
    world.known.lock().unwrap().feed = batch;
    let [bookings, _] = notifications::on::consumers(&world.app);
    assert!(bookings.step(Uuid::nil(), 0).await.unwrap());

    assert_eq!(world.notifications(&ada).await.len(), 2);
    assert_eq!(world.notifications(&other).await.len(), 1);
    let mut owner = world.test.owner().await;
    let cursor: String =
        sqlx::query_scalar("select cursor from notifications.consumer where name = 'bookings'")
            .fetch_one(&mut owner)
            .await
            .unwrap();
    assert_eq!(cursor, "8-3");
}

#[tokio::test]
async fn a_removed_person_is_forgotten_and_told_nothing_any_more() {
    let world = World::start().await;
    let (ada, bob) = (world.person("Ada"), world.person("Bob"));
    for person in [&ada, &bob] {
        let event = BookingConfirmed { before: None, booking: booking(person), reason: None };
        world.hear(&envelope(person.organization, &event)).await;
    }
    world.hear(&envelope(ada.organization, &UserRemoved { user_id: ada.user })).await;
    assert_eq!(world.deliver().await, 1, "only Bob's is attempted");
    // What comes late, or is heard again, is not told.
    let late = BookingCancelled { before: None, booking: booking(&ada), reason: Some("removed".into()) };
    world.hear(&envelope(ada.organization, &late)).await;
    world.hear(&envelope(ada.organization, &UserRemoved { user_id: ada.user })).await;
    assert_eq!(world.deliver().await, 0);
    let statement = "select (select count(*) from notifications.message where user_id = $1),
        (select count(*) from notifications.delivery), (select count(*) from notifications.attempt)";
    let left: (i64, i64, i64) =
        sqlx::query_as(statement).bind(ada.user.0).fetch_one(&mut world.test.owner().await).await.unwrap();
    assert_eq!(left, (0, 1, 1), "Bob's alone");
}

#[tokio::test]
async fn an_event_that_cannot_be_read_stops_the_feed_and_is_not_lost() {
    use platform::events::Handle as _;
    let world = World::start().await;
    let ada = world.person("Ada");
    let mut event =
        envelope(ada.organization, &BookingConfirmed { before: None, booking: booking(&ada), reason: None });
    event.data = serde_json::json!({ "nothing": true });
    let mut tx = world.test.context.db.begin(ada.organization).await.unwrap();
    let listener = notifications::on::Listener { app: world.app.clone() };
    assert_eq!(listener.handle(&mut tx, &event).await.unwrap_err().code, "internal");
}
