//! What the calendar looked like at some time.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::harness::{Bookings, at};

#[tokio::test]
async fn the_calendar_is_shown_as_it_was_known_then() {
    let app = Bookings::start().await;
    let (one, two) = (app.room("One", 8).await, app.room("Two", 8).await);
    let booking = app.book(one, "10:00", "11:00").await;
    let other = app.book(one, "12:00", "13:00").await;
    let minute = || app.clock.advance(SignedDuration::from_mins(1));
    let post = async |id: &Value, verb: &str, body: Value| {
        let path = format!("/api/v1/bookings/{}/{verb}", id.as_str().unwrap());
        app.call_as(&app.ada, "POST", &path).json(body).send().await.expect(200);
    };
    let start = app.now();
    minute();
    post(&booking["id"], "move", json!({ "resource_id": two, "starts_at": at("14:00") })).await;
    let moved = app.now();
    minute();
    post(&other["id"], "cancel", json!({})).await;
    let cancelled = app.now();
    minute();
    post(&other["id"], "reinstate", json!({})).await;
    let calendar = async |resource: kernel::ResourceId, as_of: jiff::Timestamp| -> Vec<String> {
        let (from, to) = (at("00:00"), at("23:00"));
        let path = format!("/api/v1/calendar?resource_ids={resource}&from={from}&to={to}&as_of={as_of}");
        let reply = app.call_as(&app.manager, "GET", &path).send().await.expect(200).json();
        let bookings = reply["bookings"].as_array().unwrap();
        bookings.iter().map(|one| one["starts_at"].as_str().unwrap()[11..16].to_owned()).collect()
    };
    assert_eq!(calendar(one, start).await, ["10:00", "12:00"]);
    assert_eq!(calendar(two, start).await, [""; 0]);
    assert_eq!(
        (calendar(one, moved).await, calendar(two, moved).await),
        (vec!["12:00".into()], vec!["14:00".into()])
    );
    assert_eq!(calendar(one, cancelled).await, [""; 0]);
    assert_eq!(calendar(one, app.now()).await, ["12:00"]);
    assert_eq!(calendar(one, start - SignedDuration::from_secs(1)).await, [""; 0], "nothing was booked yet");

    let path = |as_of: jiff::Timestamp| {
        format!("/api/v1/calendar?resource_ids={one}&from={}&to={}&as_of={as_of}", at("00:00"), at("23:00"))
    };
    app.call_as(&app.ada, "GET", &path(start)).send().await.problem(403, "permission_required");
    let future = app.now() + SignedDuration::from_mins(1);
    app.call_as(&app.manager, "GET", &path(future)).send().await.problem(422, "invalid_input");
    app.events().await;
}
