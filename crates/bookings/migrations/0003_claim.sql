-- The one invariant: live claims never overlap on the same unit. Every path that books ends here.

create extension if not exists btree_gist schema public;

create table claim (
    organization_id uuid not null,
    unit_id bigint not null,
    booking_id uuid not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    -- Until when a hold holds; nothing has to run for it to stop blocking.
    expires_at timestamptz,
    live boolean not null default true,
    during tstzrange not null generated always as (tstzrange(starts_at, ends_at, '[)')) stored,
    constraint claim_unit foreign key (organization_id, unit_id) references unit (organization_id, id),
    constraint claim_booking foreign key (organization_id, booking_id) references booking (organization_id, id),
    constraint claim_slot check (starts_at < ends_at),
    constraint claim_no_overlap exclude using gist (organization_id with =, unit_id with =, during with &&) where (live)
);
-- Claims on a unit never overlap, so the one candidate that could reach into an interval is the last that starts
-- before its end: one descent of this index, whatever the length of the unit's history.
create index claim_by_start on claim (organization_id, unit_id, starts_at) include (ends_at) where live;
create index claim_by_booking on claim (organization_id, booking_id);
call protect('claim', 'select, insert, update');
