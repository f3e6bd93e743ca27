-- What an administrator sets for an organization, and whether its people may sign in at all.

alter table organization
    add column active boolean not null default true,
    -- Domains whose addresses may register; empty: all.
    add column email_domains text[] not null default '{}',
    -- `installation` leaves it to the installation, which demands it once it can send mails.
    add column verification text not null default 'installation',
    -- Bounds of an organization's own; the installation's hold as well, and the stricter counts.
    add column session_idle_minutes integer not null default 525600,
    add column session_absolute_days integer not null default 365,
    add column password_min_length integer not null default 8,
    add column primary_colour text not null default '#1a5fb4',
    add column accent_colour text not null default '#26a269',
    add constraint organization_verification check (verification in ('installation', 'demanded', 'optional')),
    add constraint organization_session_idle check (session_idle_minutes between 5 and 525600),
    add constraint organization_session_absolute check (session_absolute_days between 1 and 365),
    add constraint organization_password_min_length check (password_min_length between 8 and 64);
grant select (active) on organization to reservas_users_finder;

create table organization_host (
    organization_id uuid not null,
    host text not null,
    constraint organization_host_pkey primary key (organization_id, host),
    constraint organization_host_organization
        foreign key (organization_id) references organization (organization_id),
    -- The other rule that spans organizations: a host name leads to one of them.
    constraint organization_host_taken unique (host)
);
call protect('organization_host', 'select, insert, delete');
create policy finder on organization_host for select to reservas_users_finder using (true);
grant select (organization_id, host) on organization_host to reservas_users_finder;
