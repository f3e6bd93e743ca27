-- A series: what was asked for in wall-clock time, and which bookings it made of it.

create table series (
    organization_id uuid not null,
    id uuid not null,
    version bigint not null,
    user_id uuid not null,
    created_by uuid not null,
    title text,
    attendees int,
    -- RFC 5545; none when only single dates were given.
    rule text,
    -- By the clock on the wall of the zone.
    starts_at timestamp not null,
    time_zone text not null,
    duration_minutes int not null,
    rdates timestamp[] not null,
    exdates timestamp[] not null,
    -- What each of its bookings takes, as it was asked for.
    resources jsonb not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint series_pkey primary key (organization_id, id),
    constraint series_duration check (duration_minutes >= 1)
);
create index series_by_user on series (organization_id, user_id, id);
call protect('series', 'select, insert, update');

alter table booking
    add column series_id uuid,
    -- The start that the series gave it, by the clock on the wall: its name within the series, wherever it is moved to.
    add column occurrence timestamp,
    add constraint booking_series foreign key (organization_id, series_id) references series (organization_id, id),
    add constraint booking_series_whole check ((series_id is null) = (occurrence is null)),
    add constraint booking_occurrence unique (organization_id, series_id, occurrence);
