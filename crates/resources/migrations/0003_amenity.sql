-- What a resource may be equipped with.

create table amenity (
    organization_id uuid not null,
    id uuid not null,
    version bigint not null default 1,
    name text not null,
    name_key text collate "C" not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint amenity_pkey primary key (organization_id, id),
    constraint amenity_name unique (organization_id, name_key),
    constraint amenity_name_length check (length(name) between 1 and 200)
);
call protect('amenity');
