-- A person of an organization, and apart from it, so that no query reads it by accident, the hash of their password.

create table account (
    organization_id uuid not null,
    id uuid not null,
    email text,
    name text,
    locale text not null,
    time_zone text not null,
    role text not null,
    active boolean not null,
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    -- The row of a removed account stays, without the person: bookings and events name its id.
    removed_at timestamptz,
    constraint account_pkey primary key (organization_id, id),
    constraint account_organization foreign key (organization_id) references organization (organization_id),
    constraint account_role check (role in ('user', 'manager', 'admin')),
    constraint account_has_a_person_until_removed
        check ((removed_at is null) = (email is not null) and (removed_at is null) = (name is not null)),
    constraint account_removed_is_inactive check (removed_at is null or not active)
);
create unique index account_email on account (organization_id, email) where removed_at is null;
-- What keeps the last administrator looks only here.
create index account_administrator on account (organization_id) where active and role = 'admin';
call protect('account', 'select, insert, update');

create table password (
    organization_id uuid not null,
    user_id uuid not null,
    hash text not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint password_pkey primary key (organization_id, user_id),
    constraint password_account foreign key (organization_id, user_id) references account (organization_id, id),
    constraint password_is_bcrypt check (hash ~ '^\$2[aby]\$[0-9]{2}\$[./A-Za-z0-9]{53}$')
);
call protect('password');
