-- Who waits for what; the order is priority, then time.

create table waitlist_entry (
    organization_id uuid not null,
    id uuid not null,
    version bigint not null,
    user_id uuid not null,
    created_by uuid not null,
    title text,
    attendees int,
    -- What they want, as in a booking.
    resources jsonb not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    -- A part of the interval of at least so many minutes is welcome as well.
    accept_minutes int,
    priority int not null,
    status text not null,
    -- The hold that was offered.
    booking_id uuid,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint waitlist_entry_pkey primary key (organization_id, id),
    constraint waitlist_entry_slot check (starts_at < ends_at),
    constraint waitlist_entry_status
        check (status in ('waiting', 'offered', 'accepted', 'withdrawn', 'expired')),
    constraint waitlist_entry_offer check (status not in ('offered', 'accepted') or booking_id is not null),
    constraint waitlist_entry_booking foreign key (organization_id, booking_id) references booking (organization_id, id)
);
create index waitlist_entry_by_user on waitlist_entry (organization_id, user_id, starts_at);
create index waitlist_entry_due on waitlist_entry (ends_at) where status = 'waiting';
create index waitlist_entry_by_booking on waitlist_entry (organization_id, booking_id) where booking_id is not null;
call protect('waitlist_entry', 'select, insert, update');
create policy finder on waitlist_entry for select to reservas_bookings_finder using (true);
grant select (organization_id, id, status, starts_at, ends_at) on waitlist_entry to reservas_bookings_finder;

-- Each resource an entry waits for, with all parts, so that a freed slot finds its entries by one index.
create table waitlist_resource (
    organization_id uuid not null,
    resource_id uuid not null,
    entry_id uuid not null,
    constraint waitlist_resource_pkey primary key (organization_id, resource_id, entry_id),
    constraint waitlist_resource_entry foreign key (organization_id, entry_id)
        references waitlist_entry (organization_id, id)
);
call protect('waitlist_resource');
