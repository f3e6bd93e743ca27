//! A person whose account was removed is forgotten: what lies ahead is free again, what is past stays under the id alone.

use contracts::users::UserRemoved;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::harness::{Bookings, at};

/// Every row of every table, as text.
async fn everything(app: &Bookings) -> String {
    let statement = "select coalesce(string_agg(query_to_xml(format('select * from bookings.%I', relname), true, true, '')::text, ''), '')
                     from pg_class where relnamespace = 'bookings'::regnamespace and relkind = 'r'";
    sqlx::query_scalar(statement).fetch_one(&mut app.owner().await).await.unwrap()
}

async fn count(app: &Bookings, statement: &'static str) -> i64 {
    sqlx::query_scalar(statement).fetch_one(&mut app.owner().await).await.unwrap()
}

#[tokio::test]
async fn bookings_ahead_are_given_up_and_words_are_gone() {
    let app = Bookings::start().await;
    let (room, other) = (app.room("Ada", 8).await, app.room("Bob", 8).await);
    let past = app.book(room, "08:15", "08:45").await;
    app.clock.advance(SignedDuration::from_mins(50));
    let ahead = json!({ "resource_id": room, "starts_at": at("10:00"), "ends_at": at("11:00"), "title": "Secret of Ada",
                        "guests": [{ "email": "guest@outside.example", "name": "Guest of Ada" }] });
    let ahead =
        app.call_as(&app.ada, "POST", "/api/v1/bookings").header("idempotency-key", "once").json(ahead);
    let ahead = ahead.send().await.expect(201).json();
    let bobs = json!({ "resource_id": other, "starts_at": at("10:00"), "ends_at": at("11:00"), "title": "Words of Bob" });
    app.call_as(&app.bob, "POST", "/api/v1/bookings").json(bobs).send().await.expect(201);
    let wait = json!({ "resource_id": other, "starts_at": at("10:00"), "ends_at": at("11:00"), "title": "Waiting of Ada" });
    app.call_as(&app.ada, "POST", "/api/v1/waitlist").json(wait).send().await.expect(201);
    app.run_jobs().await;
    app.events().await;

    app.hear(&bookings::on::People, &UserRemoved { user_id: app.ada.user }).await;
    app.run_jobs().await;
    let told = app.event_types().await;
    assert_eq!(told, ["waitlist.withdrawn", "booking.cancelled"]);
    let left = everything(&app).await;
    for words in ["of Ada", "Review", "guest@outside.example"] {
        assert!(!left.contains(words), "{words} is left");
    }
    assert!(left.contains("Words of Bob"));
    // The slot is free, and the past is as it was.
    let again = json!({ "resource_id": room, "starts_at": at("10:00"), "ends_at": at("11:00") });
    app.call_as(&app.bob, "POST", "/api/v1/bookings").json(again).send().await.expect(201);
    let show = async |booking: &Value| {
        let path = format!("/api/v1/bookings/{}", booking["id"].as_str().unwrap());
        app.call_as(&app.manager, "GET", &path).send().await.expect(200).json()
    };
    let past = show(&past).await;
    assert_eq!((&past["title"], &past["user_id"]), (&Value::Null, &json!(app.ada.user)));
    assert_ne!(past["status"], "cancelled");
    assert_eq!(show(&ahead).await["status"], "cancelled");
    app.events().await;
}

#[tokio::test]
async fn it_goes_on_until_nothing_can_come_any_more_and_is_done_once() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    app.book(room, "10:00", "11:00").await;
    for _ in 0..2 {
        app.hear(&bookings::on::People, &UserRemoved { user_id: app.ada.user }).await;
        app.run_jobs().await;
    }
    assert_eq!(app.event_types().await, ["booking.cancelled"]);
    assert_eq!(count(&app, "select count(*) from bookings.erasure").await, 1, "a request may be under way");
    // What such a request wrote is forgotten as well.
    let late = "update bookings.booking set title = 'Late'";
    sqlx::query(late).execute(&mut app.owner().await).await.unwrap();
    let long_ago = "update bookings.erasure set created_at = now() - interval '1 hour'";
    sqlx::query(long_ago).execute(&mut app.owner().await).await.unwrap();
    app.run_jobs().await;
    assert_eq!(count(&app, "select count(*) from bookings.erasure").await, 0);
    assert_eq!(count(&app, "select count(*) from bookings.booking where title is not null").await, 0);
    assert_eq!(app.event_types().await, [""; 0]);
}
