-- The tree of places. Two places of one name may exist, but not beside each other; the same holds for codes.

create table location (
    organization_id uuid not null,
    id uuid not null,
    version bigint not null default 1,
    parent_id uuid,
    kind text not null,
    name text not null,
    name_key text collate "C" not null,
    code text,
    code_key text collate "C",
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint location_pkey primary key (organization_id, id),
    constraint location_parent foreign key (organization_id, parent_id) references location (organization_id, id),
    constraint location_name unique nulls not distinct (organization_id, parent_id, name_key),
    constraint location_kind check (kind in ('site', 'building', 'floor', 'zone')),
    constraint location_name_length check (length(name) between 1 and 200),
    constraint location_own_parent check (parent_id <> id)
);
-- An index, not a constraint, because places without a code do not clash.
create unique index location_code on location (organization_id, parent_id, code_key) nulls not distinct
    where code_key is not null;
-- The order of the list.
create index location_order on location (organization_id, name_key, id);
call protect('location');
