-- What can be booked. A retired resource stays, because bookings of the past name it.

create table resource (
    organization_id uuid not null,
    id uuid not null,
    version bigint not null default 1,
    name text not null,
    name_key text collate "C" not null,
    type_id uuid not null,
    location_id uuid,
    seats int,
    units int not null,
    attributes jsonb not null,
    time_zone text not null,
    status text not null,
    external_id text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint resource_pkey primary key (organization_id, id),
    constraint resource_external_id unique (organization_id, external_id),
    constraint resource_type_known foreign key (organization_id, type_id) references resource_type (organization_id, id),
    constraint resource_location_known foreign key (organization_id, location_id) references location (organization_id, id),
    constraint resource_name_length check (length(name) between 1 and 200),
    constraint resource_seats check (seats between 0 and 1000000),
    constraint resource_units check (units between 1 and 10000),
    constraint resource_attributes check (jsonb_typeof(attributes) = 'object'),
    constraint resource_status check (status in ('active', 'maintenance', 'retired'))
);
-- The order of the list.
create index resource_order on resource (organization_id, name_key, id);
create index resource_by_type on resource (organization_id, type_id, name_key, id);
create index resource_by_location on resource (organization_id, location_id);
call protect('resource');

create table resource_amenity (
    organization_id uuid not null,
    resource_id uuid not null,
    amenity_id uuid not null,
    constraint resource_amenity_pkey primary key (organization_id, resource_id, amenity_id),
    constraint resource_amenity_resource foreign key (organization_id, resource_id) references resource (organization_id, id),
    constraint resource_amenity_amenity foreign key (organization_id, amenity_id) references amenity (organization_id, id)
);
call protect('resource_amenity');

-- What a resource is made of. That no resource contains itself is the service's rule, held under one lock for each
-- organization (`store::parts::lock`).
create table resource_part (
    organization_id uuid not null,
    whole_id uuid not null,
    part_id uuid not null,
    constraint resource_part_pkey primary key (organization_id, whole_id, part_id),
    constraint resource_part_whole foreign key (organization_id, whole_id) references resource (organization_id, id),
    constraint resource_part_part foreign key (organization_id, part_id) references resource (organization_id, id),
    constraint resource_part_itself check (whole_id <> part_id)
);
create index resource_part_wholes on resource_part (organization_id, part_id, whole_id);
call protect('resource_part');
