//! Screens that stay open, over real HTTP: told what concerns them, resumed without a gap, ended in time.

use contracts::rules::Scope;
use jiff::SignedDuration;
use serde_json::{Value, json};
use testkit::{EventStream, Person};

use crate::harness::{Bookings, at};

async fn step(app: &Bookings, person: &Person, booking: &Value, verb: &str) {
    let path = format!("/api/v1/bookings/{}/{verb}", booking["id"].as_str().unwrap());
    app.call_as(person, "POST", &path).json(json!({})).send().await.expect(200);
}

#[tokio::test]
async fn a_screen_is_told_what_concerns_it_and_resumes_without_a_gap() {
    let app = Bookings::start().await;
    let url = format!("{}/api/v1/live", app.serve().await);
    let (room, other) = (app.room("Ada", 8).await, app.room("Bob", 8).await);
    let url = format!("{url}?resource_id={room}");
    let mut bobs = EventStream::open(&app, &app.bob, &url, None).await;
    let mut managers = EventStream::open(&app, &app.manager, &url, None).await;
    bobs.expect("ready").await;
    managers.expect("ready").await;
    app.book(other, "09:00", "10:00").await;
    let booking = app.book(room, "10:00", "11:00").await;
    let told = bobs.expect("booking.confirmed").await;
    let data = json!({ "booking_id": booking["id"], "status": "confirmed", "starts_at": at("10:00"),
                       "ends_at": at("11:00"), "resource_ids": [room], "version": 1 });
    assert_eq!(told.data, data, "neither title nor owner for others");
    assert_eq!(managers.expect("booking.confirmed").await.data["user_id"], json!(app.ada.user));
    drop(bobs);
    step(&app, &app.ada, &booking, "cancel").await;
    app.book(room, "12:00", "13:00").await;
    let mut again = EventStream::open(&app, &app.bob, &url, Some(&told.id)).await;
    assert_eq!(again.expect("ready").await.id, told.id);
    again.expect("booking.cancelled").await;
    assert_eq!(again.expect("booking.confirmed").await.data["starts_at"], at("12:00"));
    app.book(room, "14:00", "15:00").await;
    assert_eq!(again.expect("booking.confirmed").await.data["starts_at"], at("14:00"));
    app.events().await;
}

#[tokio::test]
async fn blackouts_are_told_to_all_they_are_over() {
    let app = Bookings::start().await;
    let url = format!("{}/api/v1/live", app.serve().await);
    let resource = crate::harness::room("Ada", 8);
    let place = resource.location_path[0];
    app.tell(resource).await;
    let mut screen = EventStream::open(&app, &app.bob, &format!("{url}?location_id={place}"), None).await;
    let mut own = EventStream::open(&app, &app.bob, &format!("{url}?user_id={}", app.bob.user), None).await;
    screen.expect("ready").await;
    own.expect("ready").await;
    let body = json!({ "scope": Scope::Location, "scope_id": place, "starts_at": at("10:00"), "ends_at": at("11:00"), "reason": "Works" });
    app.call_as(&app.manager, "POST", "/api/v1/blackouts").json(body).send().await.expect(201);
    let told = screen.expect("blackout.created").await;
    assert_eq!((&told.data["scope_id"], &told.data["starts_at"]), (&json!(place), &json!(at("10:00"))));
    let room = app.room("Bob", 4).await;
    let body = json!({ "resource_id": room, "starts_at": at("12:00"), "ends_at": at("13:00") });
    app.call_as(&app.bob, "POST", "/api/v1/bookings").json(body).send().await.expect(201);
    assert_eq!(own.expect("booking.confirmed").await.data["user_id"], json!(app.bob.user));
    app.events().await;
}

#[tokio::test]
async fn a_stream_ends_with_its_token_and_with_the_process() {
    let app = Bookings::start().await;
    let url = format!("{}/api/v1/live", app.serve().await);
    let token = app.issuer.token(&app.bob);
    app.clock.advance(SignedDuration::from_millis(899_500));
    let mut ending = EventStream::with_token(&app, &token, &url, None).await;
    ending.expect("ready").await;
    assert!(ending.next().await.is_none(), "its token has expired");
    let mut open = EventStream::open(&app, &app.bob, &url, None).await;
    open.expect("ready").await;
    app.context.shutdown.cancel();
    assert!(open.next().await.is_none(), "the process stops");
}

#[tokio::test]
async fn refusals_are_told_before_anything_streams() {
    let app = Bookings::start().await;
    let ask = async |person: &Person, query: &str| {
        app.call_as(person, "GET", &format!("/api/v1/live{query}")).send().await
    };
    let of_ada = format!("?user_id={}", app.ada.user);
    ask(&app.bob, &of_ada).await.problem(403, "permission_required");
    ask(&app.bob, "?resource_id=nothing").await.problem(400, "invalid_query");
    let many = vec![app.ada.user.to_string(); 100].join(",");
    ask(&app.bob, &format!("?resource_id={many},{}", app.ada.user)).await.expect(422);
    ask(&app.bob, "?title=x").await.problem(400, "invalid_query");
    let call = app.call_as(&app.bob, "GET", "/api/v1/live").header("last-event-id", "yesterday");
    call.send().await.problem(400, "invalid_cursor");
    app.call("GET", "/api/v1/live").send().await.problem(401, "token_required");
    // Others may have as many as one.
    let url = format!("{}/api/v1/live", app.serve().await);
    let mut open = Vec::new();
    for _ in 0..10 {
        open.push(EventStream::open(&app, &app.bob, &url, None).await);
    }
    ask(&app.bob, "").await.problem(429, "too_many_streams");
    EventStream::open(&app, &app.ada, &url, None).await.expect("ready").await;
}

#[tokio::test]
async fn who_was_away_too_long_is_told_to_reload() {
    let app = Bookings::start().await;
    let url = format!("{}/api/v1/live", app.serve().await);
    let room = app.room("Ada", 8).await;
    let booking = app.book(room, "10:00", "11:00").await;
    // More than is kept, written behind the service's back.
    let many =
        "insert into event (organization_id, id, stream, stream_id, stream_version, type, correlation_id,
                                           data, occurred_at, hash)
                select organization_id, gen_random_uuid(), stream, gen_random_uuid(), 0, type, correlation_id,
                       data, occurred_at, '' from event, generate_series(1, 4096)";
    let mut owner = app.owner().await;
    sqlx::query("set search_path to bookings").execute(&mut owner).await.unwrap();
    sqlx::query(many).execute(&mut owner).await.unwrap();
    let mut screen = EventStream::open(&app, &app.bob, &url, Some("1-1")).await;
    let reset = screen.expect("reset").await;
    step(&app, &app.ada, &booking, "cancel").await;
    let told = screen.expect("booking.cancelled").await;
    assert_ne!(told.id, reset.id);
    app.events().await;
}
