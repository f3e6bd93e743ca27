-- What reports are made of: sums by day, kept by a timed job that follows the service's own events. No report reads bookings.

-- What was counted of each booking, so that a change takes back exactly what was added.
create table report_fact (
    organization_id uuid not null,
    booking_id uuid not null,
    -- The event that was counted last: an older one that comes later says nothing new.
    version bigint not null,
    fact jsonb not null,
    constraint report_fact_pkey primary key (organization_id, booking_id)
);
call protect('report_fact');

create table report_count (
    organization_id uuid not null,
    measure text not null,
    -- All zeros: everybody; otherwise the members of a group.
    group_id uuid not null,
    -- By the clock of the resource.
    day date not null,
    resource_id uuid not null,
    -- An hour of the day, or a length of time; see `report.rs`.
    bucket smallint not null,
    amount bigint not null,
    constraint report_count_pkey primary key (organization_id, measure, group_id, day, resource_id, bucket)
);
call protect('report_count');
