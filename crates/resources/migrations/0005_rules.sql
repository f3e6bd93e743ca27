-- The rules under which things are booked, by what they are laid on: the organization, a type, a location, a resource or
-- a group. Versioned; an empty document says nothing.

create table rules (
    organization_id uuid not null,
    scope_id uuid not null,
    scope text not null,
    version bigint not null,
    rules jsonb not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint rules_pkey primary key (organization_id, scope_id),
    constraint rules_scope check (scope in ('organization', 'type', 'location', 'group', 'resource'))
);
call protect('rules', 'select, insert, update');
