-- How conflicts ended, which bookings have to be looked at again, and where bookings were before they moved.

create table conflict_resolution (
    organization_id uuid not null,
    id uuid not null,
    outcome text not null,
    -- Whose booking it was to be or is; who asked, none when nobody did.
    user_id uuid not null,
    actor_id uuid,
    -- The booking it is about, or that was made instead; and the place in the waitlist that was taken instead.
    booking_id uuid,
    waitlist_entry_id uuid,
    resource_ids uuid[] not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    -- What was asked for, the broken rules, the rivals, and what was offered instead.
    detail jsonb not null,
    -- Why a booking no longer fits.
    reason text,
    note text,
    resolved_by uuid,
    resolved_at timestamptz,
    correlation_id text not null,
    created_at timestamptz not null,
    constraint conflict_resolution_pkey primary key (organization_id, id),
    constraint conflict_resolution_slot check (starts_at < ends_at),
    constraint conflict_resolution_outcome check (outcome in ('refused', 'alternative_taken', 'booked_otherwise',
                                                              'waitlisted', 'preempted', 'overlap', 'resolved')),
    constraint conflict_resolution_booking foreign key (organization_id, booking_id)
        references booking (organization_id, id),
    constraint conflict_resolution_waitlist_entry foreign key (organization_id, waitlist_entry_id)
        references waitlist_entry (organization_id, id)
);
create index conflict_resolution_by_time on conflict_resolution (organization_id, created_at, id);
create index conflict_resolution_by_booking on conflict_resolution (organization_id, booking_id)
    where booking_id is not null;
call protect('conflict_resolution', 'select, insert, update');

-- Resources whose bookings may no longer fit; the timed job goes through them in pieces.
create table recheck (
    organization_id uuid not null,
    resource_id uuid not null,
    -- How far it has come, in the order of ids.
    after_id uuid not null default '00000000-0000-0000-0000-000000000000',
    constraint recheck_pkey primary key (organization_id, resource_id)
);
call protect('recheck');
create policy finder on recheck for select to reservas_bookings_finder using (true);
grant select (organization_id, resource_id) on recheck to reservas_bookings_finder;

-- Where a booking was before it moved, so that the calendar of the past finds it there.
create table booking_moved (
    organization_id uuid not null,
    resource_id uuid not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    booking_id uuid not null,
    constraint booking_moved_pkey primary key (organization_id, resource_id, starts_at, booking_id, ends_at),
    constraint booking_moved_booking foreign key (organization_id, booking_id) references booking (organization_id, id)
);
call protect('booking_moved', 'select, insert');

-- The owner has no policy of its own on what it migrates.
alter table event no force row level security;
alter table booking_moved no force row level security;
insert into booking_moved (organization_id, resource_id, starts_at, ends_at, booking_id)
select organization_id, (resource ->> 'resource_id')::uuid, (data #>> '{before,slot,starts_at}')::timestamptz,
       (data #>> '{before,slot,ends_at}')::timestamptz, stream_id
from event, jsonb_array_elements(data #> '{before,resources}') resource
where type = 'reservas.booking.moved.v1'
on conflict do nothing;
alter table event force row level security;
alter table booking_moved force row level security;
