-- Kinds of resources. A name is compared by its key (lower case, single spaces), which the service computes, so that
-- the comparison does not depend on the locale of the database.

create table resource_type (
    organization_id uuid not null,
    id uuid not null,
    version bigint not null default 1,
    name text not null,
    name_key text collate "C" not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint resource_type_pkey primary key (organization_id, id),
    constraint resource_type_name unique (organization_id, name_key),
    constraint resource_type_name_length check (length(name) between 1 and 200)
);
call protect('resource_type');
