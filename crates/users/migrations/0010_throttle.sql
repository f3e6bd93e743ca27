-- Failed attempts to prove who one is, by account and by address, whether or not the account exists; and links that set a
-- new password.

-- Of no organization: an address tries many, and who names an organization that does not exist is slowed down as well.
create table throttle (
    -- SHA-256 of what is tried: neither addresses nor e-mail addresses stand here.
    key bytea not null,
    failures integer not null,
    last_at timestamptz not null,
    blocked_until timestamptz,
    constraint throttle_pkey primary key (key),
    constraint throttle_key_is_sha256 check (length(key) = 32)
);
create index throttle_by_age on throttle (last_at);
alter table throttle enable row level security;
alter table throttle force row level security;
create policy service on throttle to reservas_users using (true);
grant select, insert, update, delete on throttle to reservas_users;

create table password_reset (
    organization_id uuid not null,
    id uuid not null,
    user_id uuid not null,
    -- SHA-256 of the token of the mail that was sent last; none until one is written, so that nothing that opens an
    -- account waits in a queue.
    hash bytea,
    expires_at timestamptz not null,
    created_at timestamptz not null,
    constraint password_reset_pkey primary key (organization_id, id),
    constraint password_reset_account foreign key (organization_id, user_id) references account (organization_id, id),
    constraint password_reset_is_sha256 check (length(hash) = 32)
);
create index password_reset_by_user on password_reset (organization_id, user_id);
call protect('password_reset');
