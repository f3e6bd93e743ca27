//! Races: many at one slot, on every path that writes claims; exactly one wins, and the database agrees.

use futures_util::future::join_all;
use serde_json::json;
use sqlx::Row as _;

use crate::harness::{Bookings, at, room};

/// Pairs of live claims that overlap on a unit, counted without the constraint's help.
pub async fn overlaps(app: &Bookings) -> i64 {
    let count = sqlx::query(
        "select count(*) from bookings.claim a join bookings.claim b
         on a.organization_id = b.organization_id and a.unit_id = b.unit_id and a.ctid < b.ctid
         where a.live and b.live and a.starts_at < b.ends_at and b.starts_at < a.ends_at",
    );
    count.fetch_one(&mut app.owner().await).await.unwrap().get(0)
}

#[tokio::test]
async fn many_create_at_one_slot_and_one_wins() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    let people: Vec<_> = (0..24).map(|_| app.person(kernel::Role::User)).collect();
    let calls = people.iter().enumerate().map(|(number, person)| {
        // All overlap, none is the same.
        let starts_at = at(&format!("10:{number:02}"));
        let body = json!({ "resource_id": room, "starts_at": starts_at, "ends_at": at("11:30") });
        app.call_as(person, "POST", "/api/v1/bookings").json(body).send()
    });
    let statuses: Vec<_> = join_all(calls).await.iter().map(|reply| reply.status.as_u16()).collect();
    assert_eq!(statuses.iter().filter(|&&status| status == 201).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|&status| status == 201 || status == 409), "{statuses:?}");
    assert_eq!(overlaps(&app).await, 0);
    assert_eq!(app.event_types().await, ["booking.confirmed"]);
}

#[tokio::test]
async fn moves_and_creates_at_one_slot_and_one_wins() {
    let app = Bookings::start().await;
    let (from, to) = (app.room("From", 8).await, app.room("To", 8).await);
    let mut bookings = Vec::new();
    for hour in 10..18 {
        bookings.push(app.book(from, &format!("{hour}:00"), &format!("{hour}:30")).await);
    }
    let moves = bookings.iter().map(|booking| {
        let path = format!("/api/v1/bookings/{}/move", booking["id"].as_str().unwrap());
        let body = json!({ "resource_id": to, "starts_at": at("12:00"), "ends_at": at("13:00") });
        app.call_as(&app.ada, "POST", &path).json(body).send()
    });
    let creates = (0..8).map(|_| {
        let body = json!({ "resource_id": to, "starts_at": at("12:30"), "ends_at": at("13:30") });
        app.call_as(&app.bob, "POST", "/api/v1/bookings").json(body).send()
    });
    let (moved, created) = tokio::join!(join_all(moves), join_all(creates));
    let won = moved.iter().chain(&created).filter(|reply| reply.status.is_success()).count();
    let lost = moved.iter().chain(&created).filter(|reply| reply.status.as_u16() == 409).count();
    assert_eq!((won, lost), (1, 15));
    assert_eq!(overlaps(&app).await, 0);
    assert_eq!(app.event_types().await.len(), 1);
}

#[tokio::test]
async fn a_confirmation_and_a_rival_at_the_expiry_agree() {
    let app = Bookings::start().await;
    for round in 0..8 {
        let room = app.room(&format!("Room {round}"), 8).await;
        let body = json!({ "resource_id": room, "starts_at": at("10:00"), "ends_at": at("11:00") });
        let mut held = body.clone();
        held["hold_seconds"] = json!(30);
        let held =
            app.call_as(&app.ada, "POST", "/api/v1/bookings").json(held).send().await.expect(201).json();
        app.clock.advance(jiff::SignedDuration::from_secs(29));
        let path = format!("/api/v1/bookings/{}/confirm", held["id"].as_str().unwrap());
        let confirm = app.call_as(&app.ada, "POST", &path).json(json!({})).send();
        let rival = async {
            app.clock.advance(jiff::SignedDuration::from_secs(1));
            app.call_as(&app.bob, "POST", "/api/v1/bookings").json(&body).send().await
        };
        let (confirmed, created) = tokio::join!(confirm, rival);
        let won = [&confirmed, &created].iter().filter(|reply| reply.status.is_success()).count();
        assert!(won <= 1, "both have it: {confirmed:?} {created:?}");
    }
    assert_eq!(overlaps(&app).await, 0);
    app.events().await;
}

#[tokio::test]
async fn wholes_and_parts_in_any_order_do_not_deadlock_or_overlap() {
    let app = Bookings::start().await;
    let (left, right) = (app.room("Left", 8).await, app.room("Right", 8).await);
    let hall =
        app.tell(contracts::resources::Resource { parts: [left, right].into(), ..room("Hall", 16) }).await;
    let calls = (0..30).map(|number| {
        let resources = match number % 3 {
            0 => json!([{ "resource_id": hall }]),
            1 => json!([{ "resource_id": right }, { "resource_id": left }]),
            _ => json!([{ "resource_id": left }]),
        };
        let body = json!({ "resources": resources, "starts_at": at("10:00"), "ends_at": at("11:00") });
        app.call_as(&app.ada, "POST", "/api/v1/bookings").json(body).send()
    });
    let statuses: Vec<_> = join_all(calls).await.iter().map(|reply| reply.status.as_u16()).collect();
    assert!(statuses.iter().all(|&status| status == 201 || status == 409), "{statuses:?}");
    assert_eq!(
        statuses.iter().filter(|&&status| status == 201).count(),
        1,
        "each of them takes the left part"
    );
    assert_eq!(overlaps(&app).await, 0);
    app.events().await;
}

#[tokio::test]
async fn the_database_itself_refuses_an_overlap() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    app.book(room, "10:00", "11:00").await;
    let copy = sqlx::query(
        "insert into bookings.claim (organization_id, unit_id, booking_id, starts_at, ends_at)
         select organization_id, unit_id, booking_id, starts_at + interval '59 minutes', ends_at + interval '1 hour'
         from bookings.claim",
    );
    let error = copy.execute(&mut app.owner().await).await.unwrap_err();
    assert_eq!(error.as_database_error().unwrap().constraint(), Some("claim_no_overlap"));
}
