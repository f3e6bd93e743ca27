-- A tenant: everything else belongs to one, so this is where an organization's settings stand.

create table organization (
    organization_id uuid not null,
    slug text not null,
    name text not null,
    time_zone text not null,
    locale text not null,
    self_registration boolean not null,
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint organization_pkey primary key (organization_id),
    -- The one rule that spans organizations: whoever signs in names theirs by it.
    constraint organization_slug unique (slug),
    constraint organization_slug_is_a_label check (slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$')
);
call protect('organization', 'select, insert, update');

-- Before sign-in nobody knows the organization's id: the slug leads to it, and to whether strangers may register.
create policy finder on organization for select to reservas_users_finder using (true);
grant select (organization_id, slug, self_registration) on organization to reservas_users_finder;
