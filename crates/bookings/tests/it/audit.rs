//! The audit of an organization: filters, pages, files, and the index it is read by.

use kernel::{OrganizationId, Role};
use serde_json::{Value, json};
use testkit::Person;

use crate::harness::Bookings;

async fn read(app: &Bookings, person: &Person, query: &str) -> Value {
    app.call_as(person, "GET", &format!("/api/v1/audit{query}")).send().await.expect(200).json()
}

#[tokio::test]
async fn everything_that_happened_is_found_by_who_what_and_when() {
    let app = Bookings::start().await;
    let admin = app.person(Role::Admin);
    let room = app.room("Ada", 8).await;
    let booking = app.book(room, "10:00", "11:00").await;
    let start = app.now();
    app.clock.advance(jiff::SignedDuration::from_mins(1));
    let path = format!("/api/v1/bookings/{}/cancel", booking["id"].as_str().unwrap());
    let cancel = app.call_as(&app.manager, "POST", &path).header("x-correlation-id", "the-cancellation");
    cancel.json(json!({ "reason": "Ill" })).send().await.expect(200);
    app.book(room, "12:00", "13:00").await;

    let all = read(&app, &admin, "").await;
    let types: Vec<_> = all["items"].as_array().unwrap().iter().map(|one| one["type"].clone()).collect();
    assert_eq!(types[2], "reservas.booking.confirmed.v1", "the oldest last");
    let count = async |query: String| read(&app, &admin, &query).await["items"].as_array().unwrap().len();
    assert_eq!(count("?type=reservas.booking.cancelled.v1".into()).await, 1);
    assert_eq!(count(format!("?subject_id={}", booking["id"].as_str().unwrap())).await, 2);
    assert_eq!(count(format!("?actor_id={}", app.manager.user)).await, 1);
    assert_eq!(count("?correlation_id=the-cancellation".into()).await, 1);
    assert_eq!(count(format!("?to={}", app.now())).await, 1);
    assert_eq!(count(format!("?from={start}")).await, 3);
    let cancelled = &read(&app, &admin, "?correlation_id=the-cancellation").await["items"][0];
    assert_eq!(
        (&cancelled["data"]["reason"], &cancelled["data"]["before"]["status"]),
        (&json!("Ill"), &json!("confirmed"))
    );

    let first = read(&app, &admin, "?limit=2").await;
    let rest =
        read(&app, &admin, &format!("?limit=2&cursor={}", first["next_cursor"].as_str().unwrap())).await;
    assert_eq!((&rest["items"][0]["id"], &rest["next_cursor"]), (&all["items"][2]["id"], &Value::Null));
    app.call_as(&app.manager, "GET", "/api/v1/audit").send().await.problem(403, "permission_required");
    let stranger = Person::new(OrganizationId::mint(), Role::Admin);
    assert_eq!(read(&app, &stranger, "").await["items"], json!([]));
    app.events().await;
}

#[tokio::test]
async fn all_of_it_is_a_file_in_pieces() {
    let app = Bookings::start().await;
    let admin = app.person(Role::Admin);
    let mut owner = app.owner().await;
    sqlx::query("set search_path to bookings, public").execute(&mut owner).await.unwrap();
    // More than two pieces, several at one instant.
    sqlx::query(
        "insert into bookings.event (organization_id, id, stream, stream_id, stream_version, type, correlation_id, data,
                                     occurred_at, hash)
         select $1, gen_random_uuid(), 'test', gen_random_uuid(), 0, 'reservas.test.made.v1', '-1+1', '{\"a\": \"b,c\"}',
                '2026-03-02T08:00:00Z'::timestamptz - make_interval(secs => n / 7), '' from generate_series(1, 1203) n",
    )
    .bind(app.organization.0)
    .execute(&mut owner)
    .await
    .unwrap();
    let csv = app.call_as(&admin, "GET", "/api/v1/audit?format=csv").send().await.expect(200);
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    let text = String::from_utf8(csv.body).unwrap();
    assert_eq!(text.lines().count(), 1204, "a head and all of them");
    assert!(text.starts_with("id,type,subject_id,number,occurred_at,"));
    assert!(text.contains(",'-1+1,\"{\"\"a\"\":\"\"b,c\"\"}\""), "no formula for a spreadsheet");
    let by_header = app.call_as(&admin, "GET", "/api/v1/audit").header("accept", "application/x-ndjson");
    let text = String::from_utf8(by_header.send().await.expect(200).body).unwrap();
    let ids: std::collections::BTreeSet<String> =
        text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].to_string()).collect();
    assert_eq!(ids.len(), 1203, "each once");

    // Under the role of the service, in its organization, the page comes by an index.
    sqlx::query("analyze bookings.event").execute(&mut owner).await.unwrap();
    let mut tx = app.context.db.begin(app.organization).await.unwrap();
    let plan: Vec<String> = sqlx::query_scalar(
        "explain select id from event where organization_id = $1 and (occurred_at, position) < ('2026-03-02T07:59:00Z', 5)
         order by occurred_at desc, position desc limit 50",
    )
    .bind(app.organization.0)
    .fetch_all(&mut *tx)
    .await
    .unwrap();
    assert!(plan.iter().any(|line| line.contains("event_occurred")), "{plan:#?}");
    app.events().await;
}
