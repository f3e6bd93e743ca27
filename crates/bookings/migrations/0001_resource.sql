-- The service's own copy of what can be booked, kept current by the feed of the resource service, so that bookings
-- for known resources go on while that service is down. And the units, each a row, so that claims can name them.

create table resource (
    organization_id uuid not null,
    id uuid not null,
    -- The publisher's version: an older event never overwrites a newer one.
    version bigint not null,
    name text not null,
    type_name text not null,
    location_path uuid[] not null,
    location_names text[] not null,
    seats int,
    units int not null,
    amenities text[] not null,
    attributes jsonb not null,
    time_zone text not null,
    parts uuid[] not null,
    status text not null,
    constraint resource_pkey primary key (organization_id, id),
    constraint resource_units check (units >= 1)
);
create index resource_type on resource (organization_id, lower(type_name)) where status = 'active';
call protect('resource');

create table unit (
    organization_id uuid not null,
    -- Compact, because it stands in every claim and in both of its indexes.
    id bigint generated always as identity,
    resource_id uuid not null,
    number int not null,
    retired boolean not null default false,
    constraint unit_pkey primary key (organization_id, id),
    constraint unit_number unique (organization_id, resource_id, number),
    constraint unit_resource foreign key (organization_id, resource_id) references resource (organization_id, id)
);
call protect('unit');
