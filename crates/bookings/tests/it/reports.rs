//! Reports agree with counting the bookings one by one, whatever was done to them.

use std::collections::BTreeMap;

use contracts::rules::Scope;
use jiff::SignedDuration;
use kernel::{GroupId, ResourceId, Role};
use serde_json::{Value, json};
use sqlx::Row as _;

use crate::harness::{Bookings, room};

/// Lets the job follow until it has counted all events.
async fn follow(app: &Bookings) {
    // Events are read below the oldest transaction of the whole server, of other tests as well.
    for _ in 0..20_000 {
        bookings::jobs::follow_events::follow_events(&app.service).await.unwrap();
        let behind: bool = sqlx::query_scalar(
            "select exists (select from bookings.event e where e.xid::text || '-' || e.position <>
                 coalesce((select cursor from bookings.consumer where name = 'reports'), '')
             and not exists (select from bookings.event later where (later.xid, later.position) > (e.xid, e.position)))",
        )
        .fetch_one(&mut app.owner().await)
        .await
        .unwrap();
        if !behind {
            return;
        }
    }
    unreachable!("the job does not come to the end");
}

async fn report(app: &Bookings, path: &str) -> Vec<Value> {
    let path = format!("/api/v1/reports/{path}from=2026-03-01&to=2026-03-20");
    app.call_as(&app.manager, "GET", &path).send().await.expect(200).json()["rows"]
        .as_array()
        .unwrap()
        .clone()
}

/// A small generator of numbers, the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Many things at random to bookings of some rooms; what is refused is refused.
async fn live(app: &Bookings, rooms: &[ResourceId], numbers: &mut Numbers) {
    let mut ids: Vec<String> = Vec::new();
    for _ in 0..220 {
        let room = rooms[usize::try_from(numbers.below(3)).unwrap()];
        let starts_at = app.now() + SignedDuration::from_mins(i64::try_from(5 * numbers.below(60)).unwrap());
        let ends_at =
            starts_at + SignedDuration::from_mins(i64::try_from(15 + 35 * numbers.below(8)).unwrap());
        let place = json!({ "resource_id": room, "starts_at": starts_at, "ends_at": ends_at });
        let (verb, body) = match numbers.below(9) {
            0..4 => {
                let reply = app.call_as(&app.ada, "POST", "/api/v1/bookings").json(&place).send().await;
                if reply.status == 201 {
                    ids.push(reply.json()["id"].as_str().unwrap().to_owned());
                }
                continue;
            }
            4 => ("move", place),
            5 => ("cancel", json!({})),
            6 => ("check-in", json!({})),
            7 => ("check-out", json!({})),
            _ => {
                app.clock.advance(SignedDuration::from_mins(i64::try_from(10 * numbers.below(12)).unwrap()));
                app.run_jobs().await;
                continue;
            }
        };
        let started = ids.len().saturating_sub(12);
        for id in &ids[started..] {
            let path = format!("/api/v1/bookings/{id}/{verb}");
            let reply = app.call_as(&app.manager, "POST", &path).json(&body).send().await;
            assert!(reply.status.as_u16() < 500, "{}", reply.json());
            if reply.status == 200 && ["move", "cancel"].contains(&verb) {
                break;
            }
        }
    }
}

#[tokio::test]
async fn reports_agree_with_counting_one_by_one() {
    let app = Bookings::start().await;
    let group = GroupId::mint();
    let carol = app.person(Role::User);
    app.account(&carol, Role::User, &[group]).await;
    let rooms = [app.room("A", 8).await, app.room("B", 8).await, app.room("C", 8).await];
    app.rule(Scope::Resource, rooms[1].0, json!({ "policy": { "check_in": { "required": true } } })).await;
    live(&app, &rooms, &mut Numbers(20_260_302)).await;
    follow(&app).await;
    let bookings = sqlx::query(
        "select r.resource_id, b.status, (extract(epoch from b.ends_at - b.starts_at) / 60)::bigint as booked,
                case when b.status = 'completed' and b.checked_in_at is not null then
                    (extract(epoch from coalesce(b.released_at, b.ends_at) - greatest(b.checked_in_at, b.starts_at)) / 60)::bigint
                    else 0 end as used
         from bookings.booking b join bookings.booking_resource r on r.booking_id = b.id",
    )
    .fetch_all(&mut app.owner().await)
    .await
    .unwrap();
    let mut expected = BTreeMap::<String, [i64; 6]>::new();
    for row in &bookings {
        let sums = expected.entry(row.get::<uuid::Uuid, _>(0).to_string()).or_default();
        let status: String = row.get(1);
        if ["confirmed", "checked_in", "completed", "no_show"].contains(&status.as_str()) {
            sums[0] += 1;
            sums[1] += row.get::<i64, _>(2);
            sums[2] += row.get::<i64, _>(3).max(0);
        }
        sums[3] += i64::from(status == "completed" || status == "no_show");
        sums[4] += i64::from(status == "no_show");
        sums[5] += i64::from(status == "cancelled");
    }
    let mut found = BTreeMap::<String, [i64; 6]>::new();
    let places = [
        ("utilization", 0, "bookings"),
        ("utilization", 1, "booked_minutes"),
        ("utilization", 2, "used_minutes"),
        ("no-shows", 3, "finished"),
        ("no-shows", 4, "no_shows"),
        ("cancellations", 5, "cancellations"),
    ];
    for (name, place, field) in places {
        for row in report(&app, &format!("{name}?group_by=resource&")).await {
            found.entry(row["id"].as_str().unwrap().to_owned()).or_default()[place] +=
                row[field].as_i64().unwrap();
        }
    }
    assert_eq!(found, expected);
    let totals: Vec<i64> = (0..6).map(|place| expected.values().map(|sums| sums[place]).sum()).collect();
    assert!(totals.iter().all(|total| *total > 0), "everything happened: {totals:?}");
    // The same seen from elsewhere.
    let sum = |rows: &[Value], field: &str| rows.iter().map(|row| row[field].as_i64().unwrap()).sum::<i64>();
    assert_eq!(sum(&report(&app, "heat-map?").await, "booked_minutes"), totals[1]);
    assert_eq!(sum(&report(&app, "lead-times?").await, "bookings"), totals[0]);
    let campus = &report(&app, "utilization?group_by=location&").await[0];
    assert_eq!((&campus["name"], &campus["booked_minutes"]), (&json!("Campus"), &json!(totals[1])));
    let top = report(&app, "top-resources?limit=2&").await;
    assert!(top.len() == 2 && top[0]["booked_minutes"].as_i64() >= top[1]["booked_minutes"].as_i64());
    assert_eq!(report(&app, "utilization?group_by=group&").await, [Value::Null; 0], "Ada is in no group");
    app.events().await;
}

#[tokio::test]
async fn hours_are_those_of_the_clock_and_of_the_schedule() {
    let app = Bookings::start().await;
    let resource =
        contracts::resources::Resource { time_zone: "Europe/Berlin".into(), units: 2, ..room("Ada", 8) };
    let id = app.tell(resource).await;
    let body =
        json!({ "resource_id": id, "starts_at": "2026-03-27T22:30:00Z", "ends_at": "2026-03-28T00:30:00Z" });
    app.call_as(&app.ada, "POST", "/api/v1/bookings").json(body).send().await.expect(201);
    follow(&app).await;
    let get = async |path: &str| {
        app.call_as(&app.manager, "GET", &format!("/api/v1/reports/{path}")).send().await.expect(200)
    };
    let heat = get("heat-map?from=2026-03-27&to=2026-03-29").await.json();
    let cells: Vec<_> = heat["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["weekday"].as_i64(), row["hour"].as_i64(), row["booked_minutes"].as_i64()))
        .collect();
    assert_eq!(
        cells,
        [(Some(5), Some(23), Some(30)), (Some(6), Some(0), Some(60)), (Some(6), Some(1), Some(30))]
    );
    // The day on which the clock goes forward has 23 hours, of two units.
    let day = get("utilization?from=2026-03-29&to=2026-03-30").await.json();
    assert_eq!(day["rows"][0]["open_minutes"], 23 * 60 * 2);
    let hours =
        json!({ "schedule": { "weekly": [{ "days": ["sunday"], "opens": "00:00", "closes": "06:00" }] } });
    app.rule(Scope::Resource, id.0, hours).await;
    let day = get("utilization?from=2026-03-29&to=2026-03-30").await.json();
    assert_eq!(day["rows"][0]["open_minutes"], 5 * 60 * 2, "from midnight to six are five hours");
    let csv = get("utilization?from=2026-03-27&to=2026-03-29&group_by=resource&format=csv").await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    let text = String::from_utf8(csv.body).unwrap();
    let expected = format!(
        "id,name,bookings,open_minutes,booked_minutes,used_minutes,utilization\r\n{id},Ada,1,0,120,0,\r\n"
    );
    assert_eq!(text, expected);
    let bad = [
        "utilization?from=2026-03-27&to=2026-03-27",
        "utilization?from=2026-01-01&to=2027-06-01",
        "top-resources?from=2026-03-27&to=2026-03-28&group_by=type",
    ];
    for path in bad {
        let call = app.call_as(&app.manager, "GET", &format!("/api/v1/reports/{path}"));
        call.send().await.problem(422, "invalid_input");
    }
    let unknown = "/api/v1/reports/gossip?from=2026-03-27&to=2026-03-28";
    app.call_as(&app.manager, "GET", unknown).send().await.problem(404, "not_found");
    let path = "/api/v1/reports/utilization?from=2026-03-27&to=2026-03-28";
    app.call_as(&app.ada, "GET", path).send().await.problem(403, "permission_required");
    app.events().await;
}
