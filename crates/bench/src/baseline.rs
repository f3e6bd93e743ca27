//! The baseline: pgbench with a transaction written by hand, the same inserts and locks as the service's.

use std::process::Stdio;

use sqlx::Row as _;
use tokio::process::Command;

use crate::creating::{self, HOT_SLOTS, HOT_STEP, PEOPLE, Spread};
use crate::stage::Stage;
use crate::{Outcome, names};

/// What the service writes beside the plain columns, taken from a booking that it made, so that rows are as large.
pub struct Template {
    terms: String,
    data: String,
    headers: String,
    body: String,
}

impl Template {
    /// Of the latest booking that came with an idempotency key.
    pub async fn read(stage: &Stage) -> Outcome<Self> {
        let row = sqlx::query(
            "select b.terms::text, e.data::text, k.headers::text, encode(k.body, 'hex')
             from bookings.idempotency_key k
             join bookings.booking b on b.organization_id = k.organization_id
                                    and b.id = (convert_from(k.body, 'utf8')::jsonb ->> 'id')::uuid
             join bookings.event e on e.organization_id = b.organization_id and e.stream_id = b.id
             order by k.created_at desc limit 1",
        );
        let row = row.fetch_one(&mut stage.owner().await?).await?;
        // pgbench takes a colon and a letter for a variable.
        let quoted = |text: String| text.replace('\'', "''").replace("\":", "\": ");
        Ok(Self {
            terms: quoted(row.try_get(0)?),
            data: quoted(row.try_get(1)?),
            headers: quoted(row.try_get(2)?),
            body: row.try_get(3)?,
        })
    }
}

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The inserts and locks.
    Plain,
    /// And the `NOTIFY` that wakes the readers of the feed.
    Notifying,
}

/// Runs it, and gives the bookings made a second.
pub async fn run(
    stage: &Stage,
    template: &Template,
    spread: Spread,
    kind: Kind,
    clients: usize,
    seconds: u64,
) -> Outcome<f64> {
    let path = stage.folder().join("booking.pgbench");
    std::fs::write(&path, script(template, spread, kind, clients))?;
    let before = creating::written(stage).await?;
    let (clients, seconds_text) = (clients.to_string(), seconds.to_string());
    let output = Command::new("pgbench")
        .args(["-n", "-M", "prepared", "-j", "2", "-D", "n=0", "-c", &clients, "-T", &seconds_text, "-f"])
        .arg(&path)
        .arg(stage.url()?)
        // The service's own role, row security and all.
        .env("PGOPTIONS", "-c role=reservas_bookings -c search_path=bookings")
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(|error| format!("pgbench cannot be run: {error}"))?;
    if !output.status.success() {
        return Err(format!("pgbench: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let made = creating::written(stage).await? - before;
    Ok(made as f64 / seconds as f64)
}

fn choice(spread: Spread, clients: usize) -> String {
    let slot = "\\set slot 3 * random(0, 1439) + 1 + random(0, 1)";
    match spread {
        Spread::Even(resources) => format!("\\set r random(1, {resources})\n{slot}"),
        Spread::Popular(resources) => {
            format!("\\set u random(0, {resources} - 1)\n\\set r 1 + :u * :u / {resources}\n{slot}")
        }
        Spread::Hot(resource) => format!(
            "\\set n :n + 1\n\\set r {resource}\n\\set slot ((:n * {clients} + :client_id) * {HOT_STEP}) % {HOT_SLOTS}"
        ),
    }
}

fn script(template: &Template, spread: Spread, kind: Kind, clients: usize) -> String {
    let Template { terms, data, headers, body } = template;
    let (choice, length) = (choice(spread, clients), spread.length());
    let (base, organization) = (creating::base().as_second(), names::organization(1));
    let last = PEOPLE + 1;
    let notify = match kind {
        Kind::Plain => "",
        Kind::Notifying => "select pg_notify('reservas_events', 'bookings');\n",
    };
    format!(
        r"{choice}
\set starts {base} + :slot * {length}
\set ends :starts + {length}
\set who random(2, {last})
\startpipeline
begin;
select set_config('reservas.organization', '{organization}', true);
\endpipeline
select id as resource, bench.v7() as id, name from bookings.resource
where organization_id = '{organization}' and id = bench.id(2, 1, :r) for no key update
\gset
select u.id as unit, coalesce(c.ends_at > to_timestamp(:starts), false)::int as taken from bookings.unit u
left join lateral (
    select ends_at from bookings.claim
    where organization_id = '{organization}' and unit_id = u.id and live and starts_at < to_timestamp(:ends)
    order by starts_at desc limit 1) c on true
where u.organization_id = '{organization}' and u.resource_id = :resource and not u.retired
\gset
\if :taken
rollback;
\else
insert into bookings.booking (organization_id, id, reference, version, status, user_id, created_by, title, starts_at,
    ends_at, priority, terms, due_at, created_at, updated_at)
values ('{organization}', :id, substr(md5(bench.v7()::text), 1, 16), 1, 'confirmed', bench.id(3, 1, :who),
    bench.id(3, 1, :who), 'Review', to_timestamp(:starts), to_timestamp(:ends), 0, '{terms}', to_timestamp(:ends),
    now(), now());
insert into bookings.booking_resource (organization_id, booking_id, position, resource_id, units, name, time_zone,
    location_names)
values ('{organization}', :id, 1, :resource, 1, :name, 'Europe/Lisbon', array['Site 1', 'Floor 1']);
insert into bookings.claim (organization_id, unit_id, booking_id, starts_at, ends_at)
values ('{organization}', :unit, :id, to_timestamp(:starts), to_timestamp(:ends));
insert into bookings.event (organization_id, id, stream, stream_id, stream_version, type, actor_id, correlation_id,
    data, occurred_at, hash)
values ('{organization}', bench.v7(), 'booking', :id, 0, 'reservas.booking.confirmed.v1', bench.id(3, 1, :who),
    bench.v7()::text, '{data}', now(), '');
{notify}insert into bookings.idempotency_key (organization_id, user_id, key, fingerprint, status, headers, body, created_at)
values ('{organization}', bench.id(3, 1, :who), md5(random()::text), sha256('0'), 201, '{headers}', '\x{body}', now());
commit;
\endif
"
    )
}
