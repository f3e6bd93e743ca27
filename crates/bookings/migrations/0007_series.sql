-- A recurrence rule in wall-clock time with its zone; its bookings name it.

create table series (
    organization_id uuid not null,
    id uuid not null,
    version bigint not null,
    user_id uuid not null,
    created_by uuid not null,
    title text,
    attendees int,
    -- RFC 5545, without the start.
    rule text not null,
    starts_at timestamp not null,
    ends_at timestamp not null,
    time_zone text not null,
    -- Wall-clock times beside the rule and without it.
    more timestamp[] not null default '{}',
    without timestamp[] not null default '{}',
    resources jsonb not null,
    status text not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint series_pkey primary key (organization_id, id),
    constraint series_slot check (starts_at < ends_at),
    constraint series_status check (status in ('active', 'cancelled'))
);
create index series_by_user on series (organization_id, user_id, id);
call protect('series', 'select, insert, update');

alter table booking
    -- The wall-clock start that the rule gave it, which stays when it is moved.
    add column occurrence timestamp,
    add constraint booking_series foreign key (organization_id, series_id) references series (organization_id, id),
    add constraint booking_occurrence unique (organization_id, series_id, occurrence);
