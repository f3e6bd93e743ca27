-- One append-only table is history, audit trail and outbox. No role may update or delete a row.

create table event (
    organization_id uuid not null,
    id uuid not null,
    -- The writing transaction: a reader stays below pg_snapshot_xmin, so that it never skips an event
    -- which a slower, earlier transaction commits later.
    xid xid8 not null default pg_current_xact_id(),
    position bigint generated always as identity,
    stream text not null,
    stream_id uuid not null,
    stream_version bigint not null,
    type text not null,
    actor_id uuid,
    on_behalf_of uuid,
    correlation_id text not null,
    client text,
    data jsonb not null,
    occurred_at timestamptz not null,
    hash bytea not null,
    primary key (organization_id, id),
    constraint event_stream_version unique (organization_id, stream_id, stream_version)
);

create index event_feed on event (xid, position);
create index event_occurred on event (organization_id, occurred_at);

-- The hash of an event covers the one before it in its stream, so that a row changed behind our back shows.
create function event_hash(before bytea, e event) returns bytea language sql immutable as $$
    select sha256(coalesce(before, ''::bytea) || convert_to(jsonb_build_array(
        e.organization_id, e.id, e.stream, e.stream_id, e.stream_version, e.type, e.actor_id, e.on_behalf_of,
        e.correlation_id, e.client, e.data, extract(epoch from e.occurred_at))::text, 'utf8'))
$$;

-- A trigger, so that no writer can leave the chain. Writers of one stream hold a lock on its aggregate's row;
-- for those that do not, event_stream_version refuses the second.
create function event_chain() returns trigger language plpgsql as $$
declare
    last event;
begin
    execute format('select * from %I.event where organization_id = $1 and stream_id = $2
                    order by stream_version desc limit 1', tg_table_schema)
        into last using new.organization_id, new.stream_id;
    new.stream_version := coalesce(last.stream_version, 0) + 1;
    execute format('select %I.event_hash($1, $2)', tg_table_schema) into new.hash using last.hash, new;
    return new;
end $$;

create trigger event_chain before insert on event for each row execute function event_chain();
call protect('event', 'select, insert');

do $$
declare
    schema text := current_schema();
begin
    execute format('create policy feed on event for select to %I using (true)', 'reservas_' || schema || '_feed');
    execute format('grant select on event to %I', 'reservas_' || schema || '_feed');
end $$;

-- How far this service has read the feeds of others. Not of one organization: a feed carries all of them.
create table consumer (
    name text primary key,
    cursor text,
    leased_by uuid,
    leased_until timestamptz
);
alter table consumer enable row level security;
alter table consumer force row level security;

do $$
declare
    service text := 'reservas_' || current_schema();
begin
    execute format('create policy consumer on consumer to %I using (true)', service);
    execute format('grant select, insert, update on consumer to %I', service);
end $$;
