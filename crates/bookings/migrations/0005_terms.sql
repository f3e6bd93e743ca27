-- A booking keeps the terms that it was made under, and what happened to it.

alter table booking
    add column attendees int,
    add column priority int not null default 0,
    -- Minor units, with a currency (ISO 4217); and the quote that explains them.
    add column price bigint,
    add column currency text,
    add column quote jsonb,
    add column terms jsonb not null default '{}',
    add column checked_in_at timestamptz,
    add column released_at timestamptz,
    -- Why somebody has to look at it: it no longer fits its resource.
    add column flag text,
    -- The instant at which the timed job has to look at it next: no-show, completion, expiry, escalation, reminder.
    add column due_at timestamptz,
    add constraint booking_price check ((price is null) = (currency is null) and price >= 0),
    add constraint booking_attendees check (attendees >= 1);
-- Another reason to expire than being held: nobody decided.
alter table booking drop constraint booking_hold_expires;
alter table booking add constraint booking_hold_expires check (status <> 'held' or expires_at is not null);
create index booking_flagged on booking (organization_id, starts_at) where flag is not null;
create index booking_due_at on booking (due_at) where due_at is not null;
grant select (due_at) on booking to reservas_bookings_finder;

update booking set due_at = case status when 'held' then expires_at else ends_at end
where status in ('held', 'confirmed', 'checked_in');
drop index booking_due;

-- A claim is a booking's, or a blackout's.
create table blackout (
    organization_id uuid not null,
    id uuid not null,
    version bigint not null,
    scope text not null,
    scope_id uuid not null,
    -- Of a single resource: it and its parts.
    covers uuid[] not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    reason text not null,
    created_by uuid not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    removed_at timestamptz,
    constraint blackout_pkey primary key (organization_id, id),
    constraint blackout_slot check (starts_at < ends_at),
    constraint blackout_scope check (scope in ('organization', 'type', 'location', 'resource'))
);
create index blackout_current on blackout (organization_id, ends_at) where removed_at is null;
call protect('blackout', 'select, insert, update');

alter table claim
    alter column booking_id drop not null,
    add column blackout_id uuid,
    add constraint claim_blackout foreign key (organization_id, blackout_id) references blackout (organization_id, id),
    add constraint claim_is_somebodys check (num_nonnulls(booking_id, blackout_id) = 1);
create index claim_by_blackout on claim (organization_id, blackout_id) where blackout_id is not null;
