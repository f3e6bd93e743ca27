-- A booking: whose it is, when, where in its life, and what it takes.

create table booking (
    organization_id uuid not null,
    id uuid not null,
    reference text not null,
    version bigint not null,
    status text not null,
    user_id uuid not null,
    created_by uuid not null,
    title text,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    expires_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint booking_pkey primary key (organization_id, id),
    constraint booking_reference unique (organization_id, reference),
    constraint booking_slot check (starts_at < ends_at),
    constraint booking_status check (status in ('held', 'pending', 'confirmed', 'checked_in', 'completed', 'expired',
                                                'rejected', 'cancelled', 'no_show')),
    constraint booking_hold_expires check ((status = 'held') = (expires_at is not null) or status = 'expired')
);
create index booking_by_start on booking (organization_id, starts_at, id);
create index booking_by_user on booking (organization_id, user_id, starts_at, id);
create index booking_due on booking (expires_at) where status = 'held';
call protect('booking', 'select, insert, update');

-- The job that expires holds finds them across organizations, and sees nothing but ids and times.
create policy finder on booking for select to reservas_bookings_finder using (true);
grant select (organization_id, id, status, expires_at) on booking to reservas_bookings_finder;

create table booking_resource (
    organization_id uuid not null,
    booking_id uuid not null,
    position int not null,
    resource_id uuid not null,
    units int not null,
    -- As they were when it was booked: a booking does not change behind people's backs.
    name text not null,
    time_zone text not null,
    location_names text[] not null,
    constraint booking_resource_pkey primary key (organization_id, booking_id, position),
    constraint booking_resource_booking foreign key (organization_id, booking_id) references booking (organization_id, id),
    constraint booking_resource_units check (units >= 1)
);
create index booking_resource_by_resource on booking_resource (organization_id, resource_id, booking_id);
call protect('booking_resource');
